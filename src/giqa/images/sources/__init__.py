"""The forms that pictures come in: one opener a form, asked in order.

An opener is a callable that takes what the user passed to `giqa.images.open_source` and returns a `giqa.types.Source`,
or None for what it does not read. It decides by the type, the ending or a first look, without reading pictures. A
third party adds one by an entry point:

    [project.entry-points."giqa.sources"]
    my_format = "my_package:open_my_format"
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from ...errors import BadSource
from ...registry import imported
from ...types import Source

Opener = Callable[[Any], Source | None]

# "module:function", below this package. The forms that are known by their name or a first look come first, then those
# of third parties, then what takes any folder, file or object.
SPECIFIC = (
    "remote:open_address",
    "hugging_face:open_dataset",
    "arrow:open_table",
    "samples:open_samples",
    "lmdb_file:open_lmdb",
    "chunked:open_zarr",
    "chunked:open_hdf5",
    "shards:open_shards",
    "tar:open_tar",
    "parquet:open_parquet",
    "parquet:open_arrow",
    "lance_file:open_lance",
    "tfrecord:open_tfrecord",
)
GENERAL = ("refused:refuse", "paths:open_path", "objects:open_object")


def opened(where: Any) -> Source | None:
    """What the first opener that reads `where` makes of it; None when no opener does."""
    for name, opener in _openers():
        source = opener(where)
        if source is None:
            continue
        if isinstance(source, Source):
            return source
        raise BadSource(f"The opener {name} gave {type(source).__name__}, which is no giqa.types.Source.")
    return None


def _openers() -> Iterator[tuple[str, Opener]]:
    for name in SPECIFIC:
        yield name, imported(f"{__name__}.{name}")
    yield from _of_third_parties()
    for name in GENERAL:
        yield name, imported(f"{__name__}.{name}")


@cache
def _of_third_parties() -> tuple[tuple[str, Opener], ...]:
    """Name and opener of every entry point `giqa.sources`, sorted; what is installed is read once."""
    from importlib.metadata import entry_points

    found = []
    for point in sorted(entry_points(group="giqa.sources"), key=lambda point: point.name):
        try:
            found.append((point.name, point.load()))
        except Exception as error:  # whatever another package raises when it is imported
            raise BadSource(
                f"The opener {point.name!r} ({point.value}) of another package cannot be imported: {error}. Repair or "
                "remove that package."
            ) from error
    return tuple(found)
