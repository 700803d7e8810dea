"""One item of a list, a data set or a stream: which part of it is the picture, and what the other parts are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ...errors import BadImage
from ...tables.names import looks_like_picture
from ...tables.read import IMAGE
from ..arrays import Tensor, as_array

KEYS = ("__key__", "id", "key", "image_id")  # parts of an item that name it
PICTURES = (*IMAGE, "png", "jpg", "jpeg", "webp", "pixel_values", "images")  # what the picture is called in a mapping


@runtime_checkable
class File(Protocol):
    """An open file, such as BytesIO."""

    def read(self, size: int = -1) -> Any: ...

    def seek(self, position: int) -> Any: ...


def as_raw(item: Any) -> bytes | np.ndarray:
    """A picture as `Source.raw` gives it: the bytes of a file, or pixels; `BadImage` for anything else."""
    if isinstance(item, (bytes, bytearray, memoryview)):
        return bytes(item)
    if isinstance(item, (str, Path)):
        try:
            return Path(item).read_bytes()
        except (OSError, ValueError) as error:
            raise BadImage(f"cannot be read: {error} ({item})") from None
    if isinstance(item, Mapping) and item.keys() & {"bytes", "path"}:  # as Hugging Face has it, not decoded
        return as_raw(item["path"] if item.get("bytes") is None else item["bytes"])
    if isinstance(array := as_array(item), np.ndarray):
        return array
    if isinstance(item, File):
        item.seek(0)
        return bytes(item.read())
    raise BadImage(f"{type(item).__name__} is no picture; give bytes, a path, an array, a tensor or a Pillow image")


def asked(make: Callable[[int], Any], number: int, what: str) -> Any:
    """What somebody's code makes of a number; `BadImage` of whatever it raises, so that the other pictures go on."""
    try:
        return make(number)
    except (BadImage, MemoryError):
        raise
    except Exception as error:
        raise BadImage(f"{what} raised {type(error).__name__}: {error}") from error


def is_picture_item(item: Any) -> bool:
    """Whether an item is a picture or a batch of them, and no label, by its type and shape alone."""
    from PIL import Image

    if isinstance(item, str):
        return looks_like_picture(item)
    if isinstance(item, (np.ndarray, Tensor)):
        return item.ndim >= 2
    if isinstance(item, Mapping):
        return item.keys() <= {"bytes", "path"} and bool(item)
    return isinstance(item, (bytes, bytearray, memoryview, Path, Image.Image, File))


def parts_of(item: Any) -> tuple[Any, dict[str, Any]]:
    """The picture of an item, and its other parts by name: those of a tuple are `label`, `label_2` and so on.

    >>> parts_of((b"GIF89a", 3)), parts_of({"image": b"GIF89a", "kind": "real"})
    ((b'GIF89a', {'label': 3}), (b'GIF89a', {'kind': 'real'}))
    """
    if is_picture_item(item):
        return item, {}
    if isinstance(item, Mapping):
        named = [name for name in (*PICTURES, *item) if name in item and is_picture_item(item[name])]
        if not named:
            raise BadImage(f"an item with the keys {', '.join(map(str, item))} holds no picture")
        best = next((name for name in named if not isinstance(item[name], str)), named[0])  # a picture before its name
        others = {str(name): value for name, value in item.items() if name != best}
        return item[best], {
            k: value for k, value in others.items() if isinstance(value, str) or not is_picture_item(value)
        }
    if isinstance(item, (tuple, list)) and item:
        at = next((at for at, part in enumerate(item) if is_picture_item(part)), 0)
        if len(item) > 1 and _many(item[at]):
            at = 0
        labels = [part for number, part in enumerate(item) if number != at]
        if len(labels) == 1 and isinstance(labels[0], Mapping):
            return item[at], {str(name): value for name, value in labels[0].items()}
        return item[at], {f"label_{n}" if n > 1 else "label": value for n, value in enumerate(labels, 1)}
    return item, {}


def each_of(item: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Picture and parts of an item, or of each picture where it is a batch, as a DataLoader makes them."""
    if isinstance(item, list) and item and all(map(is_picture_item, item)) and not _many(item[0]):
        yield from ((picture, {}) for picture in item)
        return
    picture, parts = parts_of(item)
    if not _many(picture):
        yield picture, parts
        return
    for row in range(len(picture)):
        yield picture[row], {name: _at(value, row, len(picture)) for name, value in parts.items()}


def _many(picture: Any) -> bool:
    """Whether it is several pictures: four dimensions, or a sequence."""
    return picture.ndim == 4 if isinstance(picture, (np.ndarray, Tensor)) else isinstance(picture, (list, tuple))


def _at(value: Any, row: int, count: int) -> Any:
    if isinstance(value, (np.ndarray, Tensor)):
        return value[row] if value.ndim else value
    return value[row] if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == count else value


def as_label(value: Any) -> Any:
    """A label as a plain value: a number of NumPy or PyTorch as Python's."""
    if isinstance(value, (np.ndarray, np.generic, Tensor)):
        return value.tolist()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def names_of(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Ids of items: their key if every one has its own, else their positions, padded so that they sort."""
    for key in KEYS:
        names = [str(as_label(each[key])).replace("\\", "/") for each in parts if each.get(key) is not None]
        if len(names) == len(set(names)) == len(parts) > 0:
            return names
    return positions(len(parts))


def positions(count: int) -> list[str]:
    """Positions as text that sorts in their order.

    >>> positions(11)[:2]
    ['00', '01']
    """
    width = len(str(max(count - 1, 0)))
    return [str(number).zfill(width) for number in range(count)]
