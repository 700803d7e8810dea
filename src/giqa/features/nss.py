"""Natural scene statistics of the luminance (BRISQUE, Mittal et al. 2012; NIQE, Mittal et al. 2013): no network.

Divided by its local contrast, the luminance of a photograph is distributed much the same whatever it shows; blur, noise
and coding change that. Written from the papers' formulas.
"""

from __future__ import annotations

from math import exp, lgamma, sqrt

import numpy as np

from . import compiled
from .statistics import ByScale

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
WINDOW = np.exp(-0.5 * (np.arange(4) / (7 / 6)) ** 2)  # the middle and one side of 7 taps
WINDOW = (WINDOW / (2 * WINDOW.sum() - WINDOW[0])).tolist()
HALF = (111 / 256, 29 / 256, -9 / 256, -3 / 256)  # cubic convolution (a = -.5), stretched twice: one side of 8 taps
NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))  # (dy, dx): across, down, and the two diagonals
SMALLEST = 4  # pixels; anything smaller is padded, so that every neighbour exists at every scale
DEAD = 1e-3  # grey levels; below is rounding, whose sign would decide what counts as left and right
TINY = 1e-8  # far below what one grey level can make; a flat picture has the smallest shape instead of 0 / 0
MEANS = slice(3, None, 4)  # where the numbers of a scale are no logarithms
FLOOR = 1e-4  # keeps the logarithm of a flat picture's variances finite


def moment_ratio(shape: float) -> float:
    """E|x|^2 / E x^2 of a generalised Gaussian: gamma(2/a)^2 / (gamma(1/a) gamma(3/a)), rising with a.

    >>> round(moment_ratio(2) * np.pi, 6), round(moment_ratio(1), 6)
    (2.0, 0.5)
    """
    return exp(2 * lgamma(2 / shape) - lgamma(1 / shape) - lgamma(3 / shape))


LOG_SHAPES = np.linspace(np.log(0.2), np.log(10), 2000)  # the papers' range; linear between: 1e-6 of the shape
RATIOS = np.array([moment_ratio(exp(a)) for a in LOG_SHAPES])


def generalised_gaussian(x: np.ndarray, size: int | None = None) -> tuple[float, float]:
    """Shape and variance of a zero-mean generalised Gaussian with the E|x| and E x^2 of the sample.

    `size` is how many numbers there are if not all, the others being 0.
    """
    size = size or x.size
    ratio, variance = ratio_and_variance(total(np.abs(x)) / size, total(np.square(x)) / size)
    return shapes_of([ratio])[0], variance


def ratio_and_variance(absolute: float, square: float) -> tuple[float, float]:
    """The moment ratio and the variance of numbers with these E|x| and E x^2."""
    return absolute**2 / (square + TINY), square


def shapes_of(ratios: list[float]) -> list[float]:
    """The shapes that have these moment ratios."""
    return [exp(shape) for shape in np.interp(ratios, RATIOS, LOG_SHAPES).tolist()]


def total(x: np.ndarray) -> float:
    """The sum of a plane (h, w): rows in its own precision, their sums in float64."""
    return float(np.sum(x.sum(axis=-1), dtype=np.float64))


def asymmetric_gaussian(x: np.ndarray, size: int | None = None) -> tuple[float, float, float, float]:
    """Shape, mean, left and right variance of an asymmetric generalised Gaussian with mode 0, by moments.

    With g = left / right deviation and R = E|x|^2 / E x^2 (g^3 + 1)(g + 1) / (g^2 + 1)^2, the shape a is where the
    moment ratio is R, and the mean (right - left deviation) gamma(2/a) / sqrt(gamma(1/a) gamma(3/a)), whose factor is
    sqrt(R).

    Parameters
    ----------
    x : float array
        Zeros are on neither side.
    size : int or None
        How many numbers there are if not all are given, the others being 0.

    Returns
    -------
    tuple of four floats
    """
    squares, negative, size = np.square(x), x < 0, size or x.size
    n_left, n_right = np.count_nonzero(negative), np.count_nonzero(x > 0)
    both = total(squares)
    below = total(np.multiply(squares, negative, out=squares))
    absolute = total(np.abs(x, out=squares))
    ratio, *moments = asymmetric_moments(absolute, both, below, (n_left, n_right), size)
    return shapes_of([ratio])[0], *moments


def asymmetric_moments(
    absolute: float, both: float, below: float, sides: tuple[int, int], size: int
) -> tuple[float, float, float, float]:
    """Moment ratio, mean, left and right variance, from sums of |x|, x^2, x^2 where x < 0, and how many are where."""
    n_left, n_right = sides
    left, right = below / max(n_left, 1), (both - below) / max(n_right, 1)
    g = sqrt((left + TINY) / (right + TINY))
    ratio = (absolute / size) ** 2 / (both / size + TINY)
    ratio *= (g**3 + 1) * (g + 1) / (g**2 + 1) ** 2
    ratio = min(max(ratio, float(RATIOS[0])), float(RATIOS[-1]))
    return ratio, (sqrt(right) - sqrt(left)) * sqrt(ratio), left, right


def luminance(pixels: np.ndarray) -> np.ndarray:
    """uint8 (h, w, 3) -> float32 (h, w), 0 to 255, not rounded."""
    grey = np.zeros(pixels.shape[:2], np.float32)
    for i in range(3):
        grey += np.multiply(pixels[..., i], LUMA[i], dtype=np.float32)
    return grey


def smooth(padded: np.ndarray) -> np.ndarray:
    """The Gaussian window of 7 x 7 (sigma 7/6) as two passes, (h + 6, w + 6) -> (h, w + 6), the last six columns void.

    The plane is taken as one row, which is twice as fast as row by row.
    """
    h, width = padded.shape[0] - 6, padded.shape[1]
    down, pair = np.zeros(h * width + 6, np.float32), np.empty(h * width, np.float32)
    across = np.empty_like(pair)
    for given, made, step in ((padded.ravel(), down[: h * width], width), (down, across, 1)):
        parts = [given[k * step : k * step + h * width] for k in range(7)]
        np.multiply(parts[3], WINDOW[0], out=made)
        for i in (1, 2, 3):  # one buffer: fresh memory costs more than the sums
            np.add(parts[3 - i], parts[3 + i], out=pair)
            made += np.multiply(pair, WINDOW[i], out=pair)
    return across.reshape(h, width)


def normalised(grey: np.ndarray) -> np.ndarray:
    """(grey - local mean) / (local deviation + 1), float32 (h, w); beyond the border its pixels go on.

    >>> float(normalised(np.full((5, 5), 200, np.float32)).max())
    0.0
    """
    return np.ascontiguousarray(normalised_and_void(grey)[:, : grey.shape[1]])


def normalised_and_void(grey: np.ndarray) -> np.ndarray:
    """`normalised` and six columns of 0, (h, w + 6), so that rows may follow each other in one long row."""
    (h, w), width = grey.shape, grey.shape[1] + 6
    padded = np.pad(grey - 128, 3, mode="edge")  # around 0, float32 loses less of the variance
    mean = smooth(padded)
    middle = np.empty(h * width, np.float32)
    middle[:-6] = padded.ravel()[3 * width + 3 : (3 + h) * width - 3]  # each pixel where its mean is
    middle[-6:] = 0
    result = middle.reshape(h, width)
    result -= mean
    deviation = smooth(np.square(padded, out=padded))
    deviation -= np.square(mean, out=mean)
    np.sqrt(np.abs(deviation, out=deviation), out=deviation)
    deviation += 1
    result *= np.abs(result, out=mean) >= DEAD
    result /= deviation
    result[:, w:] = 0
    return result


def halve_antialiased(plane: np.ndarray) -> np.ndarray:
    """Half the size, rounded up, by bicubic interpolation with antialias; mirrored at the border."""
    h, w = ((side + 1) // 2 for side in plane.shape)
    padded = np.pad(plane, [(3, 3 + side % 2) for side in plane.shape], mode="symmetric")
    down = sum(HALF[i] * (padded[3 - i :: 2][:h] + padded[4 + i :: 2][:h]) for i in range(4))
    return sum(HALF[i] * (down[:, 3 - i :: 2][:, :w] + down[:, 4 + i :: 2][:, :w]) for i in range(4))


def scene_statistics(grey: np.ndarray) -> np.ndarray:
    """The 18 numbers of one luminance plane float32 (h, w): two of its coefficients, four of each neighbours' product.

    >>> bool(np.allclose(scene_statistics(np.full((8, 8), 7, np.float32))[:2], np.log([0.2, 1e-4])))
    True
    """
    h, w = grey.shape
    coefficients = normalised_and_void(grey)  # (h, w + 6)
    flat, products = coefficients.ravel(), np.zeros(coefficients.shape, np.float32)
    shape, variance = generalised_gaussian(coefficients, grey.size)
    fits = []
    for dy, dx in NEIGHBOURS:  # what wraps around the sides meets a 0
        step = dy * coefficients.shape[1] + dx
        np.multiply(flat[step:], flat[:-step], out=products.reshape(-1)[:-step])
        fits.append(asymmetric_gaussian(products[: h - dy], (h - dy) * (w - abs(dx))))
    return numbers_of(shape, variance, fits)


def numbers_of(shape: float, variance: float, fits: list[tuple[float, float, float, float]]) -> np.ndarray:
    """The 18 numbers of a scale."""
    row = [shape, variance + FLOOR]
    for shape, _, left, right in fits:
        row += [shape, 1.0, left + FLOOR, right + FLOOR]
    numbers = np.log(row)
    numbers[MEANS] = [mean for _, mean, _, _ in fits]
    return numbers.astype(np.float32)


class NSS(ByScale):
    """Natural scene statistics of BRISQUE and NIQE, at full and half size: 18 numbers a scale.

    First of the contrast-normalised luminance: log shape and log variance of a generalised Gaussian. Then of its
    products with the next pixel, across, down and along both diagonals: log shape, mean, log left variance and log
    right variance of an asymmetric one.

    Parameters
    ----------
    scales : int
        How many: the picture as it is, its half, and so on.

    Raises
    ------
    BadSpec
        For another number of scales, at the first use.

    Notes
    -----
    Input: uint8 RGB of any size, never resized. Logarithms because shapes and variances are skewed and one Gaussian is
    to fit them; the mean has both signs and is left as it is. Range: shapes log(.2) to log(10), variances from
    log(1e-4). The half is bicubic with antialias. Deviations from the released scripts: luminance is not rounded, and
    neighbours do not wrap around the border.

    References
    ----------
    Mittal, Moorthy, Bovik, "No-Reference Image Quality Assessment in the Spatial Domain", 2012; Mittal, Soundararajan,
    Bovik, "Making a 'Completely Blind' Image Quality Analyzer", 2013.

    Examples
    --------
    >>> extract = NSS()
    >>> features = extract([np.zeros((32, 48, 3), np.uint8)])
    >>> {name: layer.shape for name, layer in features.items()}
    {'nss.1': (1, 18), 'nss.2': (1, 18)}
    """

    name, prefix, version, smallest = "nss", "nss", 2, SMALLEST
    planes, halved, described = map(staticmethod, (luminance, halve_antialiased, scene_statistics))

    def compiled(self, pixels: np.ndarray, scales: int) -> np.ndarray:
        """uint8 (h, w, 3) to float32 (scales, 18)."""
        (h, w), rows = pixels.shape[:2], []
        totals, counts = compiled.nss_totals(pixels, scales, (*LUMA, *WINDOW, *HALF, DEAD))
        for (absolute, square, *sums), signs in zip(totals.tolist(), counts.tolist(), strict=True):
            ratio, variance = ratio_and_variance(absolute / (h * w), square / (h * w))
            fits = []
            for i, (dy, dx) in enumerate(NEIGHBOURS):
                a, both, below = sums[3 * i : 3 * i + 3]
                side = (signs[2 * i], signs[2 * i + 1])
                fits.append(asymmetric_moments(a, both, below, side, (h - dy) * (w - abs(dx))))
            shape, *shapes = shapes_of([ratio, *(fit[0] for fit in fits)])
            fits = [(one, *fit[1:]) for one, fit in zip(shapes, fits, strict=True)]
            rows.append(numbers_of(shape, variance, fits))
            h, w = (h + 1) // 2, (w + 1) // 2
        return np.stack(rows)
