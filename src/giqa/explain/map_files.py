"""Maps of many pictures as files: what `giqa explain -o FOLDER/` writes, and the folders of maps that are read."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ..errors import BadImage, BadSource, BadSpec
from ..files import as_path, replace_file
from ..images import open_source
from ..images.arrays import UNREADABLE
from ..images.decode import decode
from ..images.folder import walk
from ..types import Progress
from .maps import MapModel

ARRAY = ".npy"
GREY = (".png", ".tif", ".tiff", ".bmp", ".webp")  # no JPEG: its coding marks what nobody marked


@dataclass(frozen=True, eq=False)
class MapFiles:
    """Maps by name, each read when it is asked for.

    Parameters
    ----------
    where : str
        What they are called in errors.
    names : sequence of str
        The pictures they belong to, as the files say it, without a map's own ending.
    read : callable
        Position -> float64 array (h, w), larger = worse.

    Examples
    --------
    >>> MapFiles("mine", ["a"], lambda row: np.eye(2)).read(0).shape
    (2, 2)
    """

    where: str
    names: Sequence[str]
    read: Callable[[int], np.ndarray]


def write_maps(
    folder: str | Path, model: MapModel, pictures: Any, workers: int | None = None, progress: Progress | None = None
) -> tuple[int, dict[str, str]]:
    """Write the map of each picture as FOLDER/<name of the picture>.npy: float32 (g, g), larger = worse.

    Parameters
    ----------
    folder : path
        It is made; files of the same names are replaced.
    model : MapModel
        What makes the maps (`MapModel.anomaly_map`).
    pictures : path, array or source
        The pictures.
    workers : int or None
        Threads; None: as many as Python chooses.
    progress : callable or None
        Called with ("maps", pictures done, pictures in all).

    Returns
    -------
    written : int
        Number of files.
    failed : dict of str to str
        Why a picture has no map, by id.

    Examples
    --------
    >>> import tempfile
    >>> from giqa.explain.maps import fit_maps
    >>> reals = [np.random.default_rng(i).integers(0, 256, (32, 32, 3), np.uint8) for i in range(24)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written, _ = write_maps(folder, fit_maps(reals, taps=["grain"]), {"a.png": reals[0]})
    ...     written, [path.name for path in Path(folder).iterdir()]
    (1, ['a.png.npy'])
    """
    source, failed = open_source(pictures), {}

    def write(row: int) -> str:
        try:
            found = model.anomaly_map(decode(source.raw(row)).pixels)
        except BadImage as error:
            return str(error)
        file = io.BytesIO()
        np.save(file, found.astype(np.float32))
        parts = [part for part in PurePosixPath(source.ids[row]).parts if part not in ("/", "..")]
        replace_file(Path(folder, *parts[:-1], parts[-1] + ARRAY), file.getvalue())
        return ""

    with ThreadPoolExecutor(workers) as pool:
        for done, (name, why) in enumerate(zip(source.ids, pool.map(write, range(len(source))), strict=True), 1):
            if why:
                failed[name] = why
            if progress:
                progress("maps", done, len(source))
    return len(source) - len(failed), failed


def read_map_folder(folder: str | Path) -> MapFiles:
    """The .npy arrays and grey pictures of a folder, by the name of the picture that each belongs to.

    Parameters
    ----------
    folder : path
        Its files `a.npy`, `a.png` and `a.jpg.npy` belong to a picture a, whatever the ending of that is.

    Returns
    -------
    MapFiles
        Values of pictures are divided by 255, those of arrays are as they are.

    Raises
    ------
    BadSource
        When there are none, or two for one picture.
    BadImage
        While reading: for a picture in colour and for an array that is no map.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/a.png.npy", np.eye(2))
    ...     read_map_folder(folder).names
    ['a.png']
    """
    root = as_path(folder)
    files = sorted(name for name in walk(root) if name.lower().endswith((ARRAY, *GREY)))
    if not files:
        raise BadSource(f"No maps in the folder {str(root)!r}: looked for names ending in {' '.join((ARRAY, *GREY))}.")
    names = [str(PurePosixPath(name).with_suffix("")) for name in files]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadSource(f"{str(root)!r} has two maps of {twice!r}; leave one of them.")
    return MapFiles(str(root), names, lambda row: read_map(root / files[row]))


def read_map(path: Path) -> np.ndarray:
    """One map, float64 (h, w): an array as it is, of a grey picture the values divided by 255."""
    if path.suffix.lower() != ARRAY:
        return grey_map(path.read_bytes(), str(path))
    try:
        values = np.load(path, allow_pickle=False)
    except UNREADABLE as error:
        raise BadImage(f"{str(path)!r} is no array of numpy: {error}.") from None
    return as_map(values, str(path))


def grey_map(content: bytes, where: str) -> np.ndarray:
    """The grey values of an encoded picture, divided by 255."""
    picture = decode(content)
    pixels = picture.pixels
    if "alpha composited on white" in picture.notes or (pixels != pixels[..., :1]).any():
        raise BadImage(f"{where!r} is in colour or has an alpha channel; a map is one grey channel, white = worst.")
    return pixels[..., 0] / 255.0


def as_map(values: Any, where: str) -> np.ndarray:
    """Values as float64 (h, w), checked."""
    values = np.asarray(values)
    flat = values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values
    if flat.ndim != 2 or not flat.size or flat.dtype.kind not in "bufi" or not np.isfinite(flat).all():
        raise BadImage(f"{where!r} is no map, of finite numbers (h, w): shape {values.shape}, type {values.dtype}.")
    return flat.astype(np.float64)


def check_folder(path: Path) -> bool:
    """Whether maps are written into `path` as a folder: it is one, or has no ending."""
    if path.is_file() and not path.suffix:
        raise BadSpec(f"Maps of many pictures go into a folder, and {str(path)!r} is a file.")
    return path.is_dir() or not path.suffix
