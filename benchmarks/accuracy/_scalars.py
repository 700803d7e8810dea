"""Numbers of one picture at its own size that say how sharp it is; none has seen a real or a vote."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from giqa.features.detail import detail_scalars
from giqa.features.nss import luminance

WINDOW = 64  # pixels, half a window apart
RINGS = np.array([2, 4, 6, 9, 12, 16, 21, 27, 32]) / WINDOW  # edges, in cycles a pixel


def laplacian(pixels: np.ndarray) -> float:
    """ln of the variance of the Laplacian of luma."""
    y = luminance(pixels)
    return float(np.log((y[:-2, 1:-1] + y[2:, 1:-1] + y[1:-1, :-2] + y[1:-1, 2:] - 4 * y[1:-1, 1:-1]).var() + 1e-3))


def gradient(pixels: np.ndarray, share: float = 0.95) -> float:
    """ln of the percentile of the length of the gradient, by central differences."""
    y = luminance(pixels)
    length = np.hypot(y[1:-1, 2:] - y[1:-1, :-2], y[2:, 1:-1] - y[:-2, 1:-1]) / 2
    return float(np.log(np.quantile(length, share) + 0.25))


def rings(pixels: np.ndarray) -> np.ndarray:
    """ln of the mean power of luma in eight rings of frequency, in windows of 64 px, (8,); NaN below 64 px."""
    y = luminance(pixels)
    starts = (range(0, side - WINDOW + 1, WINDOW // 2) for side in y.shape)
    row = np.hanning(WINDOW + 2)[1:-1]
    taper, down, total = np.outer(row, row), np.fft.fftfreq(WINDOW), 0.0
    radius = np.hypot(down[:, None], np.fft.rfftfreq(WINDOW))
    tops, lefts = map(list, starts)
    for top in tops:
        for left in lefts:
            part = y[top : top + WINDOW, left : left + WINDOW]
            total = total + np.abs(np.fft.rfft2((part - part.mean()) * taper)) ** 2
    if not tops or not lefts:
        return np.full(len(RINGS) - 1, np.nan)
    power = total / (len(tops) * len(lefts))
    inside = [(radius >= low) & (radius < high) for low, high in pairwise(RINGS)]
    return np.array([np.log(power[ring].mean() + 1e-3) for ring in inside])


def slope(pixels: np.ndarray) -> float:
    """Slope of ln power over ln frequency."""
    return float(np.polyfit(np.log((RINGS[:-1] + RINGS[1:]) / 2), rings(pixels), 1)[0])


SCALARS: dict[str, Callable[[np.ndarray], float]] = {
    "variance of the Laplacian": laplacian,
    "95th percentile of the gradient": gradient,
    "slope of the spectrum": slope,
    "detail": lambda pixels: float(detail_scalars(pixels)[0]),
}


class Scalars:
    """`SCALARS` as an extractor, a layer each."""

    outputs = tuple(SCALARS)

    def identity(self) -> Mapping[str, Any]:
        return {"extractor": "scalars of benchmarks", "version": 1, "resize": "none"}

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """All the work, one picture."""
        return np.array([number(pixels) for number in SCALARS.values()], np.float32)

    def run(self, prepared: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return dict(zip(self.outputs, np.stack(list(prepared)).T[:, :, None], strict=True))

    def __call__(self, pixels: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return self.run([self.prepare(p) for p in pixels])
