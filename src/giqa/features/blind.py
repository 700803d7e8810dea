"""What BRISQUE and NIQE see of a picture: natural scene statistics in the order of their published parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import lgamma
from typing import Any

import numpy as np

from ..errors import BadImage, BadSpec
from .nss import NEIGHBOURS, asymmetric_gaussian, generalised_gaussian, halve_antialiased, luminance, normalised

SMALLEST = 16  # pixels; below, half a picture has no neighbours worth counting
CUBIC = (-0.09375, 0.59375, 0.59375, -0.09375)  # cubic convolution (a = -.75) midway between two pixels
PATCH = 96  # pixels
NUMBERS = 36
UPPER = np.triu_indices(NUMBERS)


class BrisqueStatistics:
    """The 36 numbers of BRISQUE, as the published support vector machine takes them.

    Scales: the picture as it is, and its half. Of each, shape and variance of the contrast-normalised luminance; then
    of its products with the next pixel (across, down, along both diagonals) shape, mean, left and right variance. As
    `nss`, but not in logarithms.

    Parameters
    ----------
    half : "cubic" or "antialias"
        How the half is made: "cubic" without antialias is what the parameters that come with OpenCV were learned on,
        "antialias" is MATLAB's.

    Raises
    ------
    BadImage
        For a picture with a side below 16 pixels.

    Notes
    -----
    Input: uint8 RGB; never resized.

    References
    ----------
    Mittal, Moorthy, Bovik, "No-Reference Image Quality Assessment in the Spatial Domain", 2012.

    Examples
    --------
    >>> {name: layer.shape for name, layer in BrisqueStatistics()([np.zeros((32, 48, 3), np.uint8)]).items()}
    {'brisque': (1, 36)}
    """

    outputs = ("brisque",)

    def __init__(self, half: str = "cubic"):
        self.half = half

    @property
    def levels(self) -> Mapping[str, tuple[str, ...]]:
        """All of it is about texture."""
        return {"low": self.outputs}

    def identity(self) -> Mapping[str, Any]:
        if self.half not in ("cubic", "antialias"):
            raise BadSpec(f"brisque(half=...) is cubic or antialias, got {self.half!r}.")
        return {"extractor": "brisque", "version": 1, "half": self.half, "resize": "none"}

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """All the work, one picture: uint8 (h, w, 3) -> float32 (36,)."""
        _check_size(pixels, SMALLEST, "BRISQUE")
        grey = luminance(pixels)
        halved = (halve_cubic if self.half == "cubic" else halve_antialiased)(grey)
        return np.concatenate([_variances(normalised(plane)) for plane in (grey, halved)]).astype(np.float32)

    def run(self, prepared: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return {"brisque": np.stack(prepared) if len(prepared) else np.empty((0, NUMBERS), np.float32)}

    def __call__(self, pixels: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return self.run([self.prepare(p) for p in pixels])


class NiqeStatistics:
    """Mean and covariance over patches of 96 pixels of the 36 numbers of NIQE.

    As in `nss`, with the widths of the Gaussians in place of their variances, of each patch and of the same patch in
    the half (bicubic, antialiased). The covariance is its upper triangle, row by row; with a single patch it is 0.

    Raises
    ------
    BadImage
        For a picture smaller than a patch; NIQE says little of one that has only a few.

    Notes
    -----
    What is left over to the right and below is not looked at.

    References
    ----------
    Mittal, Soundararajan, Bovik, "Making a 'Completely Blind' Image Quality Analyzer", 2013.

    Examples
    --------
    >>> noise = np.random.default_rng(0).integers(0, 256, (96, 300, 3), dtype=np.uint8)
    >>> {name: layer.shape for name, layer in NiqeStatistics()([noise]).items()}
    {'niqe.mean': (1, 36), 'niqe.covariance': (1, 666)}
    """

    outputs = ("niqe.mean", "niqe.covariance")

    @property
    def levels(self) -> Mapping[str, tuple[str, ...]]:
        """All of it is about texture."""
        return {"low": self.outputs}

    def identity(self) -> Mapping[str, Any]:
        return {"extractor": "niqe", "version": 1, "patch": PATCH, "resize": "none"}

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """All the work, one picture: uint8 (h, w, 3) -> float32 (702,)."""
        _check_size(pixels, PATCH, "NIQE")
        down, across = (side // PATCH for side in pixels.shape[:2])
        grey = np.rint(luminance(pixels[: down * PATCH, : across * PATCH]))
        scales = []
        for plane, side in ((grey, PATCH), (halve_antialiased(grey), PATCH // 2)):
            coefficients = normalised(plane)
            tiles = coefficients.reshape(down, side, across, side).swapaxes(1, 2).reshape(-1, side, side)
            scales.append(np.stack([_widths(tile) for tile in tiles]))
        patches = np.concatenate(scales, axis=1)  # (patches, 36)
        covariance = np.cov(patches.T) if len(patches) > 1 else np.zeros((NUMBERS, NUMBERS))
        return np.r_[patches.mean(axis=0), covariance[UPPER]].astype(np.float32)

    def run(self, prepared: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        rows = np.stack(prepared) if len(prepared) else np.empty((0, NUMBERS + len(UPPER[0])), np.float32)
        return {"niqe.mean": rows[:, :NUMBERS].copy(), "niqe.covariance": rows[:, NUMBERS:].copy()}

    def __call__(self, pixels: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return self.run([self.prepare(p) for p in pixels])


def halve_cubic(plane: np.ndarray) -> np.ndarray:
    """Half the size (an odd number is rounded to even) by cubic interpolation without antialias, edges repeated.

    >>> halve_cubic(np.arange(8, dtype=np.float32)[None].repeat(2, 0))[0].tolist()
    [0.40625, 2.5, 4.5, 6.59375]
    """
    for axis in (0, 1):
        size = round(plane.shape[axis] / 2)
        padded = np.moveaxis(np.pad(plane, [(1, 3) if a == axis else (0, 0) for a in (0, 1)], mode="edge"), axis, 0)
        plane = np.moveaxis(sum(weight * padded[k::2][:size] for k, weight in enumerate(CUBIC)), 0, axis)
    return np.ascontiguousarray(plane)


def _variances(coefficients: np.ndarray) -> list[float]:
    """18 numbers of one scale, as BRISQUE orders them; neighbours do not wrap around the border."""
    row = [*generalised_gaussian(coefficients)]
    h, w = coefficients.shape
    for dy, dx in NEIGHBOURS:
        here = coefficients[: h - dy, max(-dx, 0) : w - max(dx, 0)]
        row += asymmetric_gaussian(here * coefficients[dy:, max(dx, 0) : w + min(dx, 0)])
    return row


def _widths(tile: np.ndarray) -> list[float]:
    """18 numbers of one patch, as NIQE orders them; neighbours wrap around the patch, as in the published parameters.

    The width of a Gaussian of shape a and deviation s is s sqrt(gamma(1/a) / gamma(3/a)).
    """
    shape, _, left, right = _with_widths(tile)
    row = [shape, (left + right) / 2]
    for dy, dx in NEIGHBOURS:
        row += _with_widths(tile * np.roll(tile, (dy, dx), (0, 1)))
    return row


def _with_widths(values: np.ndarray) -> tuple[float, float, float, float]:
    shape, _, left, right = asymmetric_gaussian(values)
    factor = np.exp(0.5 * (lgamma(1 / shape) - lgamma(3 / shape)))
    left, right = np.sqrt(left) * factor, np.sqrt(right) * factor
    return shape, float((right - left) * np.exp(lgamma(2 / shape) - lgamma(1 / shape))), float(left), float(right)


def _check_size(pixels: np.ndarray, smallest: int, name: str) -> None:
    height, width = pixels.shape[:2]
    if min(height, width) < smallest:
        raise BadImage(f"{name} needs {smallest} pixels a side, the picture has {height} x {width}")
