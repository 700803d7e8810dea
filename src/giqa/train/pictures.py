"""Pictures to learn from: decoded once, split by iteration, and augmented by seed alone."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadImage, BadSource
from ..features.resize import resize
from ..images.copies import twins
from ..images.decode import decode, picture_info
from ..scorers.scale import FEWEST
from ..types import INFO, Progress
from .manifest import Manifest

HELD_OUT = 0.2  # share of the snapshots, and of the reals
IN_MEMORY = 4 << 30  # bytes


@dataclass(frozen=True, eq=False)
class Pictures:
    """Decoded pictures uint8 (n, load, load, 3), what is known of them, and which are held out."""

    pixels: np.ndarray
    manifest: Manifest
    info: np.ndarray
    held_out: np.ndarray  # bool (n,)

    @property
    def digest(self) -> str:
        """SHA-256 over pixels and labels: a resumed training must have the same."""
        return hashlib.sha256(self.info["digest"].tobytes() + self.manifest.aims()).hexdigest()


def read_pictures(
    manifest: Manifest,
    load: int,
    seed: int,
    workers: int | None,
    progress: Progress | None,
    held_out: Callable[[Manifest, np.ndarray, int], np.ndarray] | None = None,
) -> Pictures:
    """All pictures of a manifest that can be read, resized to (load, load); a warning names the others.

    Parameters
    ----------
    manifest : Manifest
        The pictures.
    load : int
        Pixels a side.
    seed : int
        Of what is held out.
    workers, progress
        See `giqa.features.Reader`.
    held_out : callable or None
        (manifest, records `INFO`, seed) to which are held out; None: a fifth of the snapshots and of the reals.

    Returns
    -------
    Pictures

    Raises
    ------
    BadSource
        When they take too much memory, or there are too few to hold some out.
    """
    n = len(manifest.label)
    if n * load * load * 3 > IN_MEMORY:
        raise BadSource(
            f"{n} pictures of {load} pixels take {n * load * load * 3 >> 30} GB, learning keeps them in memory and "
            f"takes at most {IN_MEMORY >> 30}; filter the table, or learn heads on features."
        )
    pixels, info = np.zeros((n, load, load, 3), np.uint8), np.zeros(n, INFO)
    reasons: dict[int, str] = {}

    def read(row: int) -> None:
        try:
            picture = decode(manifest.source.raw(row))
            info[row] = picture_info(picture)
            pixels[row] = np.clip(np.rint(resize(picture.pixels, load)), 0, 255)
        except BadImage as error:
            reasons[row] = str(error)

    with ThreadPoolExecutor(workers) as pool:
        for done, _ in enumerate(pool.map(read, range(n)), 1):
            if progress and (done % 100 == 0 or done == n):
                progress("read", done, n)
    for row in sorted(reasons)[:5]:
        warnings.warn(f"left out: {manifest.source.ids[row]}: {reasons[row]}", stacklevel=3)
    good = np.array([row not in reasons for row in range(n)])
    manifest = manifest.rows(good)
    return Pictures(pixels[good], manifest, info[good], (held_out or _held_out)(manifest, info[good], seed))


def _held_out(manifest: Manifest, info: np.ndarray, seed: int) -> np.ndarray:
    """A fifth of the snapshots and of the reals, seeded; of 40 reals or more at least 20. Twins stay together."""
    rng = np.random.default_rng(seed)
    snapshots, real = manifest.snapshots(), manifest.real
    known = np.unique(snapshots[~real])
    if len(known) < 2 or real.sum() < 2:
        raise BadSource("Learning needs at least two snapshots and two real pictures: some are held out.")
    chosen = rng.permutation(known)[: max(1, round(HELD_OUT * len(known)))]
    held = np.isin(snapshots, chosen) & ~real
    groups = twins(info[real])
    names = rng.permutation(np.unique(groups))
    wanted = max(1, round(HELD_OUT * len(names)))
    if len(names) >= 2 * FEWEST:
        wanted = max(wanted, FEWEST)
    held[np.flatnonzero(real)[np.isin(groups, names[:wanted])]] = True
    return held


def batch_input(pixels: np.ndarray, recipe: Mapping[str, Any], rng: np.random.Generator | None) -> np.ndarray:
    """Pictures uint8 (n, load, load, 3) as the network takes them, float32 (n, 3, crop, crop), standardised.

    Parameters
    ----------
    pixels : uint8 array (n, load, load, 3)
        Pictures.
    recipe : mapping
        `crop`, `mean` and `deviation`.
    rng : Generator or None
        A random crop, mirrored half of the time; None: the middle.

    Returns
    -------
    float array (n, 3, crop, crop)
    """
    n, side, crop = len(pixels), pixels.shape[1], recipe["crop"]
    if rng is None:
        places, mirror = np.full((n, 2), (side - crop) // 2), np.zeros(n, bool)
    else:
        places, mirror = rng.integers(0, side - crop + 1, (n, 2)), rng.random(n) < 0.5
    cut = np.stack([p[y : y + crop, x : x + crop] for p, (y, x) in zip(pixels, places, strict=True)])
    cut = np.where(mirror[:, None, None, None], cut[:, :, ::-1], cut)
    x = (cut - np.array(recipe["mean"], np.float32)) / np.array(recipe["deviation"], np.float32)
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2), np.float32)


def turned(pixels: np.ndarray, degrees: float, rng: np.random.Generator) -> np.ndarray:
    """Each picture turned about its middle by a random angle, bilinear, edges as they come; uint8 (n, h, w, 3)."""
    from PIL import Image

    angles = rng.uniform(-degrees, degrees, len(pixels))
    images = map(Image.fromarray, pixels)
    return np.stack([np.asarray(i.rotate(a, Image.Resampling.BILINEAR)) for i, a in zip(images, angles, strict=True)])
