"""Snapshots: a training loop writes samples by iteration, and a table that says which picture is from when."""

from __future__ import annotations

import csv
import io
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadShape, BadSpec, BadTable
from ..files import as_png, replace_file
from ..registry import as_whole, check_arguments
from ..tables.write import CALL

CLIPPED = 0.05  # share of values beyond black and white, from which on it is said
MANIFEST = "snapshots.csv"
COLUMNS = ("image", "kind", "run", "iteration")


class Snapshots:
    """A callback for any training loop: pictures by iteration in a folder, and the table that names them.

    `giqa train mbc` learns quality from the table, `folder/snapshots.csv`, with the columns `image,kind,run,iteration`.

    Parameters
    ----------
    folder : path
        Where pictures and table go. Processes that write at once need a folder each.
    run : str
        The name of the training.
    every : int
        Iterations between snapshots.
    low, high : float
        Black and white of pictures that are floats.

    Raises
    ------
    BadSpec, BadShape
    BadTable
        When the folder holds another table.

    Notes
    -----
    `sample` is called only when a snapshot is due. Pictures are uint8 (n, h, w, 3), or floats from `low` to `high`, as
    arrays (n, h, w, 3) or tensors (n, 3, h, w) on any device; one channel is repeated to three. The pictures of an
    iteration are written before the table names them, and the table is written atomically: a process killed at any
    moment leaves a table whose pictures all exist. An iteration that the table has is left as it is, so that a resumed
    run
    writes what is missing.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> snapshots = Snapshots(folder, run="a", every=500)
    >>> for iteration in range(1001):
    ...     snapshots(iteration, lambda: np.zeros((2, 8, 8, 3), np.uint8))
    >>> snapshots.iterations
    [0, 500, 1000]
    """

    def __init__(self, folder: str | Path, run: str = "run", every: int = 1000, low: float = -1.0, high: float = 1.0):
        check_arguments(Snapshots, folder=folder, run=run, every=every, low=low, high=high)
        if every < 1:
            raise BadSpec(f"Snapshots(every=...) is a number of iterations from 1, got {every!r}.")
        if not run or any(letter in run for letter in '/\\,"\n'):
            raise BadSpec(f"Snapshots(run=...) is a name without slashes, commas and quotes, got {run!r}.")
        if CALL.match(run):
            raise BadSpec(f"Snapshots(run=...) stands in a table, where {run!r} would be a formula; give another name.")
        self.folder, self.run, self.every, self.low, self.high = Path(folder), run, every, low, high
        self.rows = _read(self.folder / MANIFEST)

    @property
    def iterations(self) -> list[int]:
        """Those of this run that have been written."""
        return sorted({int(i) for _, kind, run, i in self.rows if kind == "generated" and run == self.run})

    def __call__(self, iteration: int, sample: Callable[[], Any]) -> None:
        """Write `sample()` when `iteration` is a multiple of `every` that is not there yet."""
        if iteration % self.every == 0 and iteration not in self.iterations:
            self.write(sample(), iteration)

    def write(self, pictures: Any, iteration: int) -> None:
        """Write pictures of one iteration, whether it is due or not."""
        iteration = as_whole(iteration, "iteration", 0)
        self._add(pictures, "generated", f"{self.run}/{iteration:08d}", iteration)

    def write_reals(self, pictures: Any) -> None:
        """Write real pictures too, once: learning needs them as well as the generated ones."""
        if not any(kind == "real" and run == self.run for _, kind, run, _ in self.rows):
            self._add(pictures, "real", f"{self.run}/real", "")

    def _add(self, pictures: Any, kind: str, stem: str, iteration: int | str) -> None:
        pixels = as_pixels(pictures, self.low, self.high)
        rows = []
        for number, picture in enumerate(pixels):
            name = f"{stem}_{number:04d}.png"
            replace_file(self.folder / name, as_png(picture))
            rows.append((name, kind, self.run, str(iteration)))
        written = {name for name, *_ in rows}
        self.rows = [row for row in self.rows if row[0] not in written] + rows
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([COLUMNS, *self.rows])
        replace_file(self.folder / MANIFEST, text.getvalue().encode())


def as_pixels(pictures: Any, low: float = -1.0, high: float = 1.0) -> np.ndarray:
    """Pictures as a network makes them to uint8 (n, h, w, 3).

    Parameters
    ----------
    pictures : array (n, h, w, 3) or tensor (n, 3, h, w)
        uint8, or floats; or with one channel.
    low, high : float
        Black and white; beyond is clipped.

    Returns
    -------
    uint8 array (n, h, w, 3)

    Raises
    ------
    BadSpec, BadShape

    Examples
    --------
    >>> as_pixels(np.array([-1, 0, 1, 9.]).reshape(1, 1, 4, 1))[0, 0, :, 0].tolist()
    [0, 128, 255, 255]
    """
    if not high > low:
        raise BadSpec(f"Pictures go from low to high, got low={low!r} and high={high!r}.")
    torch = sys.modules.get("torch")  # a tensor can only come from one that is imported already
    tensor = torch is not None and isinstance(pictures, torch.Tensor)
    if tensor:
        pictures = pictures.detach()
        pictures = (pictures.float() if pictures.is_floating_point() else pictures).cpu().numpy()
    pixels = np.asarray(pictures)
    if tensor and pixels.ndim == 4:
        pixels = np.moveaxis(pixels, 1, -1)
    if pixels.ndim != 4 or pixels.shape[3] not in (1, 3) or 0 in pixels.shape:
        wanted = "(n, 3, h, w) as a tensor" if tensor else "(n, h, w, 3) as an array"
        raise BadShape(f"Pictures are {wanted}, or with one channel; got the shape {np.shape(pictures)}.")
    if pixels.dtype != np.uint8:
        if pixels.dtype.kind != "f":
            raise BadShape(f"Pictures are uint8 or floats, got {pixels.dtype}.")
        if not np.isfinite(pixels).all():
            raise BadShape("Pictures must be finite; has the training diverged?")
        _warn_of_another_range(pixels, low, high)
        pixels = np.floor((pixels.clip(low, high) - low) / (high - low) * 255 + 0.5).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(pixels, 3, axis=3) if pixels.shape[3] == 1 else pixels)


def _warn_of_another_range(pixels: np.ndarray, low: float, high: float) -> None:
    """Floats that are scaled otherwise than they were said to be look washed out, or black and white."""
    beyond = float(((pixels < low) | (pixels > high)).mean())
    if low < 0 <= pixels.min():
        what = "none is below 0"
    elif beyond > CLIPPED:
        what = f"{beyond:.0%} lie beyond and are clipped"
    else:
        return
    warnings.warn(
        f"the floats of these pictures are taken as {low:g} (black) to {high:g} (white), and {what}; they lie in "
        f"[{pixels.min():.3g}, {pixels.max():.3g}]. Is that their range? values= of Watch (low= and "
        "high= of Snapshots) says another",
        stacklevel=3,
    )


def _read(path: Path) -> list[tuple[str, ...]]:
    """The rows of a table that an earlier run left; none where there is no table."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = [tuple(row) for row in csv.reader(file)] or [()]
    if header != COLUMNS or any(len(row) != len(COLUMNS) for row in rows):
        raise BadTable(
            f"{path} is no table of snapshots: its columns should be {','.join(COLUMNS)}. Give another folder."
        )
    return rows
