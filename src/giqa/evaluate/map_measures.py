"""How well a map agrees with what people marked: the measures of the saliency benchmarks, each one a formula.

P is a computed map and Q a human map of the same size, larger = worse, Q >= 0. Where Q marks nothing no measure is
defined. A measure that needs P >= 0 takes the smallest value of P away first if that is below 0.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from ..errors import BadShape, BadSpec
from ..registry import is_number
from ..types import as_numbers

EPS = float(np.finfo(float).eps)  # 2.2e-16, as of MATLAB, in which the benchmark's own code is written
NAMES = ("CC", "KLD", "SIM", "NSS", "AUC-Judd", "mIoU")
SMALLER_IS_BETTER = "KLD"
RANGES = {"CC": (-1.0, 1.0), "KLD": (0.0, np.inf), "SIM": (0.0, 1.0), "AUC-Judd": (0.0, 1.0), "mIoU": (0.0, 1.0)}


def measure_map(computed: np.ndarray, human: np.ndarray, threshold: float = 0.5) -> dict[str, float]:
    """All measures of one picture, by name; the computed map is brought to the size of the human one first.

    Parameters
    ----------
    computed : float array (g, g')
        P, larger = worse.
    human : float array (h, w)
        Q, from 0, or a mask; at least one value above 0.
    threshold : float, default 0.5
        Of mIoU, above 0 and at most 1.

    Returns
    -------
    dict of str to float
        CC, KLD, SIM, NSS, AUC-Judd and mIoU; all higher = better but KLD, which is a distance.

    Raises
    ------
    BadShape
        When nothing is marked, or a value of the human map is below 0.

    Examples
    --------
    >>> human = np.zeros((4, 4))
    >>> human[0] = 1
    >>> found = measure_map(human, human)
    >>> found["CC"], found["KLD"], found["SIM"], found["AUC-Judd"], found["mIoU"]
    (1.0, 0.0, 1.0, 1.0, 1.0)
    """
    if not is_number(threshold) or not 0 < threshold <= 1:
        raise BadSpec(f"threshold is a share of a map's maximum, above 0 to 1, got {threshold!r:.80}.")
    computed, human = (as_numbers(values, "Values of a map", 2, "fiub") for values in (computed, human))
    computed, human = (values.astype(float) if values.dtype == bool else values for values in (computed, human))
    if not human.size or not computed.size:
        raise BadShape(f"A map has at least one value, got the shapes {computed.shape} and {human.shape}.")
    if human.min() < 0 or not human.any():
        raise BadShape(f"A human map is 0 or more and marks something, got {human.min():g} to {human.max():g}.")
    computed = resized(computed, human.shape)
    return {
        "CC": correlation(computed, human),
        "KLD": divergence(computed, human),
        "SIM": similarity(computed, human),
        "NSS": scanpath_saliency(computed, human > 0),
        "AUC-Judd": auc_judd(computed, human > 0),
        "mIoU": intersection_over_union(computed, human, threshold),
    }


def resized(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A map (h, w) at another size: linear between the middles of its cells, and with their means where it shrinks."""
    if values.shape == shape:
        return values
    image = Image.fromarray(values.astype(np.float32))
    return np.asarray(image.resize(shape[::-1], Image.Resampling.BILINEAR), np.float64)


def correlation(computed: np.ndarray, human: np.ndarray) -> float:
    """CC, Pearson's correlation over pixels: cov(P, Q) / (sd(P) sd(Q)), -1 to 1; 0 where either is flat.

    Bylinskii et al., "What Do Different Evaluation Metrics Tell Us About Saliency Models?", TPAMI 2019.

    >>> correlation(np.array([[0.0, 2.0]]), np.array([[1.0, 2.0]]))
    1.0
    """
    p, q = (_level(values) for values in (computed, human))
    norm = np.sqrt((p * p).sum() * (q * q).sum())
    return float(np.clip((p * q).sum() / norm, -1, 1)) if norm > 0 else 0.0


def divergence(computed: np.ndarray, human: np.ndarray) -> float:
    """KLD, a distance: sum of Q log(e + Q / (e + P)), P and Q summing to 1, e = 2.2e-16; 0 where P = Q.

    Bylinskii et al., TPAMI 2019, with the e of their code; other code takes 1e-8, which matters for maps
    that are exactly 0 where people marked.

    >>> round(divergence(np.array([[1.0, 1.0]]), np.array([[1.0, 0.0]])), 4)  # log 2
    0.6931
    """
    p, q = _density(computed), _density(human)
    return max(0.0, float((q * np.log(EPS + q / (EPS + p))).sum()))


def similarity(computed: np.ndarray, human: np.ndarray) -> float:
    """SIM, the common part of two histograms: sum of min(P, Q), P and Q summing to 1; 0 to 1.

    Bylinskii et al., TPAMI 2019; Judd, Durand, Torralba, "A Benchmark of Computational Models of Saliency to
    Predict Human Fixations", 2012.

    >>> similarity(np.array([[1.0, 1.0]]), np.array([[1.0, 0.0]]))
    0.5
    """
    return float(np.minimum(_density(computed), _density(human)).sum())


def scanpath_saliency(computed: np.ndarray, marked: np.ndarray) -> float:
    """NSS: the mean over marked pixels of (P - mean(P)) / sd(P), sd with n - 1; 0 = chance, also for a flat map.

    Peters et al., "Components of Bottom-up Gaze Allocation in Natural Images", Vision Research 2005; Bylinskii et al.,
    TPAMI 2019. What counts as looked at there is marked here: where the human map is above 0.

    >>> round(scanpath_saliency(np.array([[3.0, 1.0, 1.0, 1.0]]), np.array([[1, 0, 0, 0]], bool)), 6)
    1.5
    """
    p = _level(computed)
    deviation = np.sqrt((p * p).sum() / max(p.size - 1, 1))
    return float(p[marked].mean() / deviation) if deviation > 0 else 0.0


def auc_judd(computed: np.ndarray, marked: np.ndarray) -> float:
    """AUC-Judd: area below the curve of (share of unmarked, share of marked pixels) at or above each marked value.

    The thresholds are the values of P at marked pixels, the curve begins at (0, 0) and ends at (1, 1), and the area is
    that of trapezia. Judd et al., "Learning to Predict Where Humans Look", ICCV 2009; Bylinskii et al., TPAMI
    2019. Their code adds noise of 1e-7 to break ties, here equal values pass a threshold together: a flat map
    has 0.5. Where everything is marked it is not defined, NaN.

    >>> auc_judd(np.array([[4.0, 3.0, 2.0, 1.0]]), np.array([[1, 0, 1, 0]], bool))  # (0, 0), (0, .5), (.5, 1), (1, 1)
    0.875
    """
    inside, outside = np.sort(computed[marked]), np.sort(computed[~marked])
    if not len(inside) or not len(outside):
        return float("nan")
    levels = np.unique(inside)[::-1]
    hits = np.r_[0, 1 - np.searchsorted(inside, levels) / len(inside), 1]
    alarms = np.r_[0, 1 - np.searchsorted(outside, levels) / len(outside), 1]
    return float((np.diff(alarms) * (hits[1:] + hits[:-1]) / 2).sum())


def intersection_over_union(computed: np.ndarray, human: np.ndarray, threshold: float = 0.5) -> float:
    """IoU of the area that a map marks: |A and B| / |A or B|, A and B where P and Q reach `threshold` x their maximum.

    Its mean over pictures is called mIoU here: of the marked class alone, so that an answer "nothing" has 0. Papers on
    segmentation may average the IoU of the unmarked class in, and then have higher figures. Jaccard 1912; Everingham et
    al., "The Pascal Visual Object Classes (VOC) Challenge", IJCV 2010.

    >>> intersection_over_union(np.array([[9.0, 5.0, 1.0]]), np.array([[1.0, 0.0, 1.0]]))
    0.3333333333333333
    """
    a, b = ((v > 0) & (v >= threshold * v.max()) for v in (_positive(computed), human))
    return float((a & b).sum() / max((a | b).sum(), 1))


def _level(values: np.ndarray) -> np.ndarray:
    """Less the mean, and exactly 0 where all are equal."""
    return values - values.mean() if np.ptp(values) > 0 else np.zeros(values.shape)


def _positive(values: np.ndarray) -> np.ndarray:
    return values - min(float(values.min()), 0.0)


def _density(values: np.ndarray) -> np.ndarray:
    """Values from 0 that sum to 1; all equal where all are 0."""
    positive = _positive(values)
    total = positive.sum()
    return positive / total if total > 0 else np.full(values.shape, 1 / values.size)


def centre_prior(shape: tuple[int, int]) -> np.ndarray:
    """exp(-(x² + y²) / 2), x and y from the middle in quarters of the sides: it marks the middle, whatever is there."""
    across, down = (4 * ((np.arange(n) + 0.5) / n - 0.5) for n in shape[::-1])
    return np.exp(-0.5 * np.add.outer(down**2, across**2))
