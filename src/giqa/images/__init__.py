"""Where pictures come from: `open_source(where)` gives names and bytes, `decode` gives pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import BadSource
from ..types import Source
from .sources.seeds import from_seeds

__all__ = ["from_seeds", "open_source"]


def open_source(where: Any) -> Source:
    """The pictures that a path, a pattern, a table or an array names, in a fixed order and with unique ids.

        where                                   pictures                              ids
        "folder"                                everything below it, sorted           path relative to the folder
        "archive.zip", "archive.tar[.gz]"       its members, sorted                   name of the member
        "r-{000..009}.tar", "r/*.tar", "r/"     those of all shards, in order         "r-000/" and name of the member
        "reals.parquet[kind=real]", ".arrow",
        ".feather", shards of them              a row each                            path in the cell, a column `id`
                                                                                      or `key`, else position
        a folder of `save_to_disk`              a row each                            the same
        "lmdb/", "lmdb/[size=256]", "x.lmdb"    by number, or in the order of keys    the key
        "x.tfrecord", their shards              a record each, checksums checked      position
        "x.h5", "x.zarr"                        the array `images`, or the only one   `ids`, else position
        a folder of MDS or litdata              a sample each                         position
        "pictures.npz", "pictures.npy"          the array `images`, or the only one   `ids`, else position
        "list.txt", "list.lst"                  a path a line, in their order         path relative to the list
        "labels.csv", "labels.csv[kind=fake]"   a row each, in their order            path as the table has it
        "runs/**/*.png"                         what matches, sorted                  path relative to "runs"
        "face.jpg"                              that one                              name of the file
        "s3://...", "https://...", "hf://...",  a file, folder, pattern, archive or
        also "zip://*::s3://b/a.zip"            shards, or a table that names files   as on this machine
        array, list of arrays, list of paths    in their order                        position; path
        PyTorch tensor, list of tensors, bytes,
        open files or Pillow images             in their order                        position
        {name: picture}                         in its order                          the name
        torch Dataset, list of (picture, label) in their order                        position; path of an ImageFolder
        DataLoader, IterableDataset, generator  read to the end when opened           a key of the items, else position
        `from_seeds(function, 1000)`            each when it is asked for             the seed
        DataFrame of pandas or polars           a row each                            path, a column `id`, or position
        a dataset of Hugging Face, a
        pyarrow.Table                           a row each                            as in Parquet
        a Source                                as it says                            as it says

    Parameters
    ----------
    where : str, path, array, tensor, list or Source
        Of the table. What exists under the given name wins over reading the name as a table with a filter or as a
        pattern.

    Returns
    -------
    Source
        Nothing is decoded yet.

    Raises
    ------
    MissingSource
        When there is no such path.
    BadSource
        When it is nothing that pictures come from, or holds none.

    Examples
    --------
    >>> import numpy as np
    >>> source = open_source(np.zeros((3, 8, 8, 3), np.uint8))
    >>> len(source), list(source.ids)
    (3, ['0', '1', '2'])
    """
    if isinstance(where, Source):
        return where
    from .sources import opened

    if isinstance(where, (str, Path)) and "\0" in str(where):
        raise BadSource(f"No path holds a NUL byte, got {str(where)!r:.80}.")
    source = opened(where)
    if source is None:
        raise BadSource(
            f"Pictures come from a path, an array, a list, a data set or a stream, not from {type(where).__name__}; "
            "one picture goes into a list."
        )
    return source
