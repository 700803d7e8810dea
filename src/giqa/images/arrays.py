"""Pictures that are already pixels: an array, a list of arrays, an .npz or .npy file."""

from __future__ import annotations

import lzma
import shutil
import struct
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ..errors import BadImage, BadSource
from ..files import lost_members
from .folder import checked_ids, missing
from .formats import upright
from .sources.columns import as_cell

LARGE = 1 << 26  # bytes of an array that is not read into memory
# of a header that is none, or declares what is not there; NumPy parses it as Python
FALSE_HEADER = (
    *(ValueError, TypeError, OverflowError, MemoryError, LookupError, AttributeError, RuntimeError, SyntaxError),
    tokenize.TokenError,
)
# by numpy, as .npy or .npz; a RuntimeError is a password, or a compression that zipfile does not know
UNREADABLE = (*FALSE_HEADER, OSError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error)
CLASSES = {"arr_1": "label"}  # what guided diffusion (ADM) calls them


@runtime_checkable
class Tensor(Protocol):
    """A tensor of PyTorch, which is not imported for it."""

    ndim: int

    def detach(self) -> Any: ...


def as_array(item: Any) -> Any:
    """A PyTorch tensor (channels first, as they are there) or a Pillow image as an array; anything else as it is.

    An image keeps its 16 bits, which Pillow itself would clip at 255; one as it was opened from a file is turned as its
    EXIF says, as `decode` turns files.
    """
    from PIL import Image

    if isinstance(item, Tensor):
        try:
            plain = item.detach().cpu()
            array = plain.numpy() if str(plain.dtype) != "torch.bfloat16" else plain.float().numpy()
        except (TypeError, RuntimeError) as error:  # NotImplementedError is one, of a tensor without data
            raise BadSource(f"A tensor that NumPy cannot take: {error} Give a dense one that has data.") from None
        return np.moveaxis(array, -3, -1) if array.ndim >= 3 and array.shape[-3] in (1, 3, 4) else array
    if isinstance(item, Image.Image):
        return upright(_pixels(item), item)[0] if item.format not in (None, "TIFF") else _pixels(item)
    return item


def _pixels(image: Any) -> np.ndarray:
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)
    if image.mode in ("I", "F"):
        values = np.asarray(image)
        return values.astype(np.uint16) if image.format == "PNG" else values  # 16 bits with an older Pillow
    if image.mode == "LAB":
        raise BadImage("pixels of mode LAB are not supported; convert the image to RGB first")
    alpha = "A" in image.getbands() or "transparency" in image.info
    return np.asarray(image.convert("RGBA" if alpha else "RGB"))


class ArraySource:
    """An array (n, h, w), (n, h, w, 1), (n, h, w, 3) or (n, h, w, 4), or a list of single pictures of any sizes.

    Parameters
    ----------
    images : array, or list of arrays
        uint8, uint16, or floats in [0, 1] (checked when a picture is decoded). Channels come last: an array that looks
        like (n, channels, h, w), or like one picture, is refused with the remedy and never guessed at.
    ids : sequence of str or None
        None: pictures are called by their position, padded with zeros so that names sort in their order.
    name : str
        What the source is called in messages.

    Raises
    ------
    BadSource

    Examples
    --------
    >>> ArraySource(np.zeros((12, 8, 8, 3), np.uint8)).ids[:2]
    ('00', '01')
    """

    def __init__(
        self, images: np.ndarray | Sequence[np.ndarray], ids: Sequence[str] | None = None, name: str = "array"
    ):
        if isinstance(images, np.ndarray):
            check_pixels(images, images.shape[1:], name)
        else:
            for index, image in enumerate(images):
                if not isinstance(image, np.ndarray):
                    raise BadSource(f"{name}: item {index} is no numpy array but {type(image).__name__}.")
                check_pixels(image, image.shape, f"{name}: item {index}")
        if len(images) == 0:
            raise BadSource(f"{name} holds no pictures.")
        if ids is None:
            ids = [str(index).zfill(len(str(len(images) - 1))) for index in range(len(images))]
        if len(ids) != len(images):
            raise BadSource(f"{name}: {len(images)} pictures but {len(ids)} ids.")
        self.name = name
        self.images = images
        self.ids = checked_ids(map(str, ids), name)

    def __len__(self) -> int:
        return len(self.ids)

    def path(self, index: int) -> None:
        return None

    def raw(self, index: int) -> np.ndarray:
        return np.asarray(self.images[index])


class NpzSource(ArraySource):
    """The array `images` of an .npz file, else its only one with 3 or 4 dimensions; `ids` if it has them.

    `columns` are its arrays with a number or a word a picture; ADM's `arr_1` is called `label`. A .npy file and a large
    array of an .npz file stay on disk and are read picture by picture. Pickles inside are refused, never loaded.
    """

    def __init__(self, path: str | Path):
        self._path = Path(path)
        images, ids, labels = _loaded(self._path)
        super().__init__(images, ids, name=str(path))
        columns = {name: cells for name, cells in labels.items() if cells.shape == (len(images),)}
        self.columns = {
            CLASSES.get(name, name): [as_cell(c) for c in cells.tolist()] for name, cells in columns.items()
        }

    def __reduce__(self):
        return NpzSource, (self._path,)


def check_pixels(array: np.ndarray, shape: tuple[int, ...], name: str) -> None:
    """Whether `array` is pictures of this shape; `shape` is the array's, with or without its first axis."""
    what = f"{name}: shape {array.shape}, type {array.dtype}"
    many = len(shape) < array.ndim or array.ndim == 0
    if array.dtype not in (np.uint8, np.uint16) and not np.issubdtype(array.dtype, np.floating):
        raise BadSource(f"{what}; pictures are uint8, uint16, or floats in [0, 1].")
    if many and len(shape) == 2 and shape[1] in (3, 4):
        raise BadSource(f"{what} looks like one picture; give array[None] to make it one of one.")
    if len(shape) == 3 and shape[2] not in (1, 3, 4) and shape[0] in (1, 3, 4):
        raise BadSource(f"{what} has the channels first; give array.transpose({'0, 2, 3, 1' if many else '1, 2, 0'}).")
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 3, 4)):
        first = "n, " if many else ""
        shapes = ", ".join(f"({first}h, w{channels})" for channels in ("", ", 1", ", 3", ", 4"))
        raise BadSource(f"{what}; the shape can be one of {shapes}.")
    if 0 in shape:
        raise BadSource(f"{what} has no pixels.")


def _loaded(path: Path) -> tuple[np.ndarray, Any, dict[str, np.ndarray]]:
    """The pictures in the file, their ids or None, and what else has a value a picture."""
    try:
        loaded = np.load(path, mmap_mode="r", allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded, None, {}
        with loaded:
            if lost_members(path, len(loaded.zip.infolist())):
                raise ValueError("its list of arrays is damaged")
            # an object array next to the pictures is none of our business
            wanted = [name for name in loaded.files if name in ("images", "ids")]
            if "images" not in wanted:
                wanted = loaded.files
            arrays = {name: member(path, name) for name in wanted}
            labels = {name: loaded[name] for name in loaded.files if _is_column(path, name)}
    except FileNotFoundError:
        raise missing(path) from None
    except UNREADABLE as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise BadSource(f"{str(path)!r} cannot be read: {why} (object arrays and pickles are refused).") from None
    ids = arrays.pop("ids", None)
    if ids is not None and ids.ndim != 1:
        raise BadSource(f"{str(path)!r}: ids has the shape {ids.shape}; it should be a list of names.")
    if ids is not None and ids.dtype.kind == "S":
        ids = np.char.decode(ids, "utf-8")
    fitting = [name for name, array in arrays.items() if name == "images" or array.ndim in (3, 4)]
    if len(fitting) != 1:
        held = ", ".join(f"{name} {array.shape}" for name, array in arrays.items()) or "nothing"
        raise BadSource(f"{str(path)!r} should hold an array called images; it holds {held}.")
    return arrays[fitting[0]], ids, labels


def _is_column(path: Path, name: str) -> bool:
    """Whether a member has a number or a text a row, by its header."""
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
        try:
            shape, dtype = _header(file)
        except FALSE_HEADER:
            return False
    return len(shape) == 1 and dtype.kind in "biufUS" and name != "ids"


def _header(file: Any) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type that the header of a .npy file gives; the file stands behind it then."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(file)
    if dtype.hasobject or fortran:
        raise ValueError("an array of objects, or in Fortran's order")
    return shape, dtype


def member(path: Path, name: str) -> np.ndarray:
    """An array of an .npz file; a large one stays on disk, unpacked to a temporary file where it is compressed."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(f"{name}.npy")
        if info.file_size < LARGE:
            with archive.open(info) as file:
                return np.lib.format.read_array(file, allow_pickle=False)
        if info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & 1:
            with path.open("rb") as file:
                file.seek(info.header_offset + 26)
                lengths = np.frombuffer(file.read(4), "<u2")  # of name and extra field, in the member's own header
                file.seek(int(lengths.sum()), 1)
                shape, dtype = _header(file)
                return np.memmap(path, dtype, "r", file.tell(), shape)
        with archive.open(info) as file, tempfile.TemporaryFile() as unpacked:
            shape, dtype = _header(file)
            shutil.copyfileobj(file, unpacked, 1 << 20)
            unpacked.flush()
            return np.memmap(unpacked, dtype, "r", 0, shape)
