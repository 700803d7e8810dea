"""The forms that pictures come in: one opener a form, asked in order.

An opener is a callable that takes what the user passed to `giqa.images.open_source` and returns a `giqa.types.Source`,
or None for what it does not read. It decides by the type, the ending or a first look, without reading pictures. A
third party adds one by an entry point:

    [project.entry-points."giqa.sources"]
    my_format = "my_package:open_my_format"
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from importlib.machinery import PathFinder
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
GROUP = "giqa.sources"
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
    if not _any_names(GROUP):
        return ()
    from importlib.metadata import entry_points

    found = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            found.append((point.name, point.load()))
        except Exception as error:  # whatever another package raises when it is imported
            raise BadSource(
                f"The opener {point.name!r} ({point.value}) of another package cannot be imported: {error}. Repair or "
                "remove that package."
            ) from error
    return tuple(found)


def _any_names(group: str) -> bool:
    """Whether entry points of anything installed may hold the group: `importlib.metadata` takes ten times as long."""
    if any("find_distributions" in dir(finder) for finder in sys.meta_path if finder is not PathFinder):
        return True
    for folder in sys.path:
        if os.path.isfile(folder):  # an archive
            return True
        with suppress(OSError), os.scandir(folder or ".") as entries:
            for entry in entries:
                if entry.name.lower().endswith(("dist-info", "egg-info")):
                    with suppress(OSError), open(os.path.join(entry.path, "entry_points.txt"), "rb") as file:
                        if group.encode() in file.read():
                            return True
    return False
