"""Texture statistics of the raw pixels: no network, no download, and hard to beat on weak generators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import BadSpec
from . import compiled

# Differences along (dy, dx); together with the Laplacian six numbers a plane.
OFFSETS = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2))
FLOOR = 0.05  # grey levels; keeps the logarithm of a flat picture finite
SMALLEST = 4  # pixels; anything smaller is padded, so that every offset exists at every scale


def numbers_of(h: int, w: int) -> list[float]:
    """How many differences are summed at each offset; of the Laplacian a quarter, since a quarter of it is summed."""
    return [(h - dy) * (w - abs(dx)) for dy, dx in OFFSETS] + [(h - 2) * (w - 2) / 4]


def plane_statistics(plane: np.ndarray) -> list[float]:
    """log(mean |difference| + .05) at five offsets, and the same of the Laplacian, of one float32 plane (h, w)."""
    (h, w), flat = plane.shape, plane.ravel()
    # The plane as one row, which is three times as fast as row by row: what wraps around the sides is set to 0.
    buffer, totals = np.empty(flat.size, np.float32), []

    def take(rows: int, wrapped: list[slice]) -> None:
        differences = np.abs(buffer[: rows * w], out=buffer[: rows * w]).reshape(rows, w)
        for columns in wrapped:
            differences[:, columns] = 0
        totals.append(differences.sum(axis=1).sum(dtype=np.float64))

    for dy, dx in OFFSETS:
        step = dy * w + dx
        np.subtract(flat[step:], flat[:-step], out=buffer[:-step])
        take(h - dy, [slice(w - dx, w) if dx > 0 else slice(0, -dx)])
    here = np.s_[1 : (h - 2) * w - 1]  # rows 1 to h - 2
    around = np.add(flat[w : (h - 1) * w - 2], flat[w + 2 : (h - 1) * w], out=buffer[here])
    around += flat[: (h - 2) * w][here]
    around += flat[2 * w :][here]
    around *= 0.25  # and its mean times 4: no memory for four times the plane
    around -= flat[w : (h - 1) * w][here]
    take(h - 2, [slice(0, 1), slice(w - 1, w)])
    return np.log(totals / np.array(numbers_of(h, w)) + FLOOR).tolist()


def gradient_statistics(pixels: np.ndarray) -> np.ndarray:
    """The 18 statistics of one picture (h, w, 3): grey, red - grey, blue - grey, six numbers each.

    >>> flat = np.full((8, 8, 3), 7, np.float32)
    >>> bool(np.allclose(gradient_statistics(flat), np.log(.05)))
    True
    """
    red, green, blue = (np.ascontiguousarray(pixels[..., channel]) for channel in range(3))
    grey = red + green
    grey += blue
    grey /= 3
    colour = red - grey
    found = [*plane_statistics(grey), *plane_statistics(colour)]
    return np.array([*found, *plane_statistics(np.subtract(blue, grey, out=colour))], np.float32)


def halve(pixels: np.ndarray) -> np.ndarray:
    """Mean of each 2x2 block; an odd last row or column is dropped."""
    h, w = pixels.shape[0] // 2 * 2, pixels.shape[1] // 2 * 2
    return (pixels[:h:2, :w:2] + pixels[1:h:2, :w:2] + pixels[:h:2, 1:w:2] + pixels[1:h:2, 1:w:2]) / 4


def is_colour(output: str, width: int) -> np.ndarray | None:
    """Which numbers of a layer see colour and not grey, bool (width,); None where the layer is not of this kind.

    >>> is_colour("texture.2", 18).sum(), is_colour("nss.1", 18)
    (np.int64(12), None)
    """
    if "texture" in output.split("."):
        return np.arange(width) % 18 >= 6
    return None


class ByScale:
    """An extractor of 18 numbers a scale, at full size and at successive halves, which all see texture.

    A subclass gives `planes` (what is looked at), `halved` and `described` (a scale to its numbers), all scales at once
    by the compiled library (`compiled`), its `name` in the registry, the `prefix` of its outputs, the `version` of its
    numbers, and the `smallest` side of a scale: anything smaller is padded.
    """

    name, prefix, version, smallest = "", "", 0, 1

    def __init__(self, scales: int = 2):
        self.scales = scales

    @property
    def outputs(self) -> tuple[str, ...]:
        if not isinstance(self.scales, int) or isinstance(self.scales, bool) or not 1 <= self.scales <= 5:
            raise BadSpec(f"{self.name}(scales=...) takes 1 to 5, got {self.scales!r}.")
        return tuple(f"{self.prefix}.{1 << i}" for i in range(self.scales))

    @property
    def levels(self) -> Mapping[str, tuple[str, ...]]:
        return {"low": self.outputs}

    def identity(self) -> Mapping[str, Any]:
        return {"extractor": self.name, "version": self.version, "scales": len(self.outputs), "resize": "none"}

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """All the work, one picture: uint8 (h, w, 3) -> float32 (scales, 18)."""
        smallest = self.smallest << (len(self.outputs) - 1)
        missing = [max(0, smallest - side) for side in pixels.shape[:2]]
        if any(missing):
            pixels = np.pad(pixels, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")
        if compiled.usable(pixels):
            return self.compiled(pixels, len(self.outputs))
        level, rows = self.planes(pixels), []
        for i in range(len(self.outputs)):
            level = self.halved(level) if i else level
            rows.append(self.described(level))
        return np.stack(rows)

    def run(self, prepared: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return {name: np.stack([rows[i] for rows in prepared]) for i, name in enumerate(self.outputs)}

    def __call__(self, pixels: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return self.run([self.prepare(p) for p in pixels])


class Statistics(ByScale):
    """Logarithms of mean absolute pixel differences, at full size and at successive halves: 18 numbers a scale.

    Parameters
    ----------
    scales : int
        1 to 5. The first scale alone is the floor that a network has to beat; two are the default because they order
        training epochs better and find SinGAN and GPNN pictures more often (measured in `docs/accuracy.md`).

    Raises
    ------
    BadSpec
        For another number of scales, at the first use.

    Notes
    -----
    Input: uint8 RGB of any size, never resized, so pictures of different sizes are only comparable after `--match`.
    Range: log(.05) = -3 for a flat picture to about 6.

    Examples
    --------
    >>> extract = Statistics()
    >>> features = extract([np.zeros((32, 48, 3), np.uint8)])
    >>> {name: layer.shape for name, layer in features.items()}
    {'texture.1': (1, 18), 'texture.2': (1, 18)}
    """

    name, prefix, version, smallest = "statistics", "texture", 3, SMALLEST

    def planes(self, pixels: np.ndarray) -> np.ndarray:
        """float32 (h, w, 3) to look at, one plane after the other in memory."""
        return np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32).transpose(1, 2, 0)

    halved, described = staticmethod(halve), staticmethod(gradient_statistics)

    def compiled(self, pixels: np.ndarray, scales: int) -> np.ndarray:
        """uint8 (h, w, 3) to float32 (scales, 18)."""
        h, w = pixels.shape[:2]
        numbers = np.array([numbers_of(h >> scale, w >> scale) * 3 for scale in range(scales)])
        return np.log(compiled.texture_totals(pixels, scales) / numbers + FLOOR).astype(np.float32)
