"""Power spectrum of luma and chroma on the pixels as they are: where a generator's upsampling shows; no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

VERSION = 1
WINDOW = 32  # pixels; a smaller picture is mirrored at its border
MOST = 8  # windows a side, evenly spread; up to 144 px they overlap by half
RINGS = (1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 24)  # edges, in cycles a window; from 16 on only the corners
FINE = (4, 8, 12, 24)  # edges of the rings whose directions are told apart
WIDE = (1, 4, 8, 12, 16, 24)  # edges of the rings in which planes are compared
LINES = (16, 8)  # cycles a window: periods of 2 and of 4 pixels, which upsampling by 2 and by 4 leaves
FLOOR = 0.05  # grey levels squared, far below rounding (1/12): a flat plane stays finite
# luma, blue - luma, red - luma (ITU-R BT.601), as JPEG has them
PLANES = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)
LUMA, CHROMA, BETWEEN = "spectrum.luma", "spectrum.chroma", "spectrum.between"


class Spectrum:
    """Logarithms of the power spectrum of luma and of two chroma planes in windows of 32 px: 75 numbers.

    | layer | numbers | sees |
    |---|---|---|
    | `spectrum.luma` | 20 | power in ten rings of frequency, its direction in three, and four lines |
    | `spectrum.chroma` | 40 | the same of blue - luma and of red - luma |
    | `spectrum.between` | 15 | correlation of luma and both chroma planes in five rings |

    Raises
    ------
    BadSpec
        Never of its own: it has no parameter.

    Notes
    -----
    Input: uint8 RGB of any size, never resized; at most 8 x 8 windows, evenly spread. Direction: log of horizontal over
    vertical, and of diagonal over both. Lines: log of the power at periods of 2 and 4 pixels, across and down, over
    that of the frequencies two beside it. The same numbers also read how a file was coded (JPEG halves chroma), so
    compare pictures of one coding, or `--match`; see `docs/methods.md`.

    Examples
    --------
    >>> features = Spectrum()([np.zeros((32, 48, 3), np.uint8)])
    >>> {name: layer.shape for name, layer in features.items()}
    {'spectrum.luma': (1, 20), 'spectrum.chroma': (1, 40), 'spectrum.between': (1, 15)}
    """

    outputs = (LUMA, CHROMA, BETWEEN)
    levels: Mapping[str, tuple[str, ...]] = {"low": outputs}

    def identity(self) -> Mapping[str, Any]:
        return {"extractor": "spectrum", "version": VERSION, "resize": "none"}

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """All the work, one picture: uint8 (h, w, 3) -> float32 (75,)."""
        return spectrum_statistics(pixels)

    def run(self, prepared: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        rows = np.stack(list(prepared))
        parts = np.split(rows, [20, 60], axis=1)
        return {name: np.ascontiguousarray(part) for name, part in zip(self.outputs, parts, strict=True)}

    def __call__(self, pixels: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return self.run([self.prepare(p) for p in pixels])


def spectrum_statistics(pixels: np.ndarray) -> np.ndarray:
    """The 75 numbers of one picture uint8 (h, w, 3), float32: luma, blue - luma, red - luma, and between them."""
    found = np.fft.rfft2(windows(pixels), axes=(2, 3))  # (3, n, 32, 17)
    real, imaginary = found.real.astype(np.float64), found.imag.astype(np.float64)
    powers = (real**2 + imaginary**2).mean(axis=1) / _taper()[1] + FLOOR
    numbers = [plane_numbers(power) for power in powers]
    rings = _rings(WIDE)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        cross = (real[a] * real[b] + imaginary[a] * imaginary[b]).mean(axis=0) / _taper()[1]
        numbers.append([cross[r].sum() / np.sqrt(powers[a][r].sum() * powers[b][r].sum()) for r in rings])
    return np.concatenate(numbers).astype(np.float32)


def windows(pixels: np.ndarray) -> np.ndarray:
    """Luma and both chroma planes in tapered windows without their mean, float32 (3, n, 32, 32)."""
    short = [max(0, WINDOW - side) for side in pixels.shape[:2]]
    if any(short):
        pixels = np.pad(pixels, ((0, short[0]), (0, short[1]), (0, 0)), mode="symmetric")
    tops, lefts = map(starts, pixels.shape[:2])
    cut = np.stack([pixels[top : top + WINDOW, left : left + WINDOW] for top in tops for left in lefts])
    planes = np.empty((3, *cut.shape[:3]), np.float32)
    for plane, weights in zip(planes, PLANES, strict=True):
        np.multiply(cut[..., 0], weights[0], out=plane)
        for channel in (1, 2):
            plane += np.multiply(cut[..., channel], weights[channel], dtype=np.float32)
    planes -= planes.mean(axis=(2, 3), keepdims=True)
    planes *= _taper()[0]
    return planes


def starts(side: int) -> list[int]:
    """Where windows begin along a side: half a window apart, or evenly spread where that would be more than 8.

    >>> starts(64), starts(256)
    ([0, 16, 32], [0, 32, 64, 96, 128, 160, 192, 224])
    """
    count = min(MOST, 1 + (side - WINDOW) // (WINDOW // 2))
    return [round(i * (side - WINDOW) / max(1, count - 1)) for i in range(count)]


def plane_numbers(power: np.ndarray) -> list[float]:
    """Log power in rings, directions in the fine ones, and lines, of one plane's mean power (32, 17)."""
    down, across, _ = _frequencies()
    numbers = [float(np.log(power[ring].mean())) for ring in _rings(RINGS)]
    for ring in _rings(FINE):
        flat, steep = ring & (across >= 2 * down), ring & (down >= 2 * across)
        slanted = ring & ~flat & ~steep
        horizontal, vertical, diagonal = (np.log(power[part].mean()) for part in (flat, steep, slanted))
        numbers += [float(horizontal - vertical), float(diagonal - (horizontal + vertical) / 2)]
    for line in LINES:
        for axis, far in ((across, 16), (down, 16)):
            beside = (np.abs(axis - line) == 2) & (axis <= far)
            numbers.append(float(np.log(power[axis == line].mean() / power[beside].mean())))
    return numbers


@lru_cache
def _taper() -> tuple[np.ndarray, float]:
    """A Hann window (32, 32), and the sum of its squares: white noise of variance v has a mean power of v."""
    row = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(WINDOW) + 0.5) / WINDOW)
    taper = np.outer(row, row).astype(np.float32)
    return taper, float(np.square(taper, dtype=np.float64).sum())


@lru_cache
def _frequencies() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cycles a window down and across, without sign, and along the diagonal of both, each (32, 17)."""
    down = np.minimum(np.arange(WINDOW), WINDOW - np.arange(WINDOW))[:, None] + np.zeros((1, WINDOW // 2 + 1))
    across = np.arange(WINDOW // 2 + 1)[None] + np.zeros((WINDOW, 1))
    return down, across, np.hypot(down, across)


@lru_cache
def _rings(edges: tuple[int, ...]) -> list[np.ndarray]:
    """Which frequencies lie in each ring [low, high), bool (32, 17) each."""
    radius = _frequencies()[2]
    return [(radius >= low) & (radius < high) for low, high in pairwise(edges)]
