"""Measures of maps, each against the published definition written as plain loops, and against cases done by hand."""

import math
from itertools import pairwise

import numpy as np
import pytest

from giqa.errors import BadShape
from giqa.evaluate.map_measures import NAMES, centre_prior, measure_map, resized


def drawn(seed, h=9, w=7):
    """A computed map with ties, and a soft human map of which a part is 0."""
    rng = np.random.default_rng(seed)
    computed = np.round(rng.random((h, w)), 1) + 0.05
    human = np.maximum(0, rng.random((h, w)) - 0.6)
    return computed, human


def loops(computed, human, threshold):
    """Bylinskii et al. 2019 and the code of the MIT saliency benchmark, one pixel after the other."""
    p, q = [float(v) for v in computed.ravel()], [float(v) for v in human.ravel()]
    n = len(p)
    mean_p, mean_q = sum(p) / n, sum(q) / n
    covariance = sum((a - mean_p) * (b - mean_q) for a, b in zip(p, q, strict=True)) / n
    sd_p = math.sqrt(sum((a - mean_p) ** 2 for a in p) / n)
    sd_q = math.sqrt(sum((b - mean_q) ** 2 for b in q) / n)
    sum_p, sum_q, eps = sum(p), sum(q), 2.0**-52
    kld = similar = 0.0
    for a, b in zip(p, q, strict=True):
        a, b = a / sum_p, b / sum_q
        kld += b * math.log(eps + b / (a + eps))
        similar += a if a < b else b
    marked = [b > 0 for b in q]
    sample_sd = math.sqrt(sum((a - mean_p) ** 2 for a in p) / (n - 1))
    nss = sum((a - mean_p) / sample_sd for a, m in zip(p, marked, strict=True) if m) / sum(marked)
    both = either = 0
    for a, b in zip(p, q, strict=True):
        one, other = a >= threshold * max(p), b > 0 and b >= threshold * max(q)
        both, either = both + (one and other), either + (one or other)
    return {
        "CC": covariance / (sd_p * sd_q),
        "KLD": kld,
        "SIM": similar,
        "NSS": nss,
        "AUC-Judd": swept(p, marked),
        "mIoU": both / either,
    }


def swept(p, marked):
    """Judd et al. 2009: a threshold at each different value of a marked pixel, from the highest down; trapezia."""
    points = [(0.0, 0.0)]
    for level in sorted({a for a, m in zip(p, marked, strict=True) if m}, reverse=True):
        hits = sum(a >= level for a, m in zip(p, marked, strict=True) if m)
        alarms = sum(a >= level for a, m in zip(p, marked, strict=True) if not m)
        points.append((alarms / (len(p) - sum(marked)), hits / sum(marked)))
    points.append((1.0, 1.0))
    return sum((x - x0) * (y + y0) / 2 for (x0, y0), (x, y) in pairwise(points))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("threshold", [0.3, 0.5, 1.0])
def test_every_measure_is_its_published_definition(seed, threshold):
    computed, human = drawn(seed)
    found, wanted = measure_map(computed, human, threshold), loops(computed, human, threshold)
    assert list(found) == list(NAMES) == list(wanted)
    for name in NAMES:
        assert found[name] == pytest.approx(wanted[name], abs=1e-12), name


def test_a_case_done_by_hand():
    """P = 4 2 1 1, Q = 1 0 1 0.

    CC: P - 2 = 2 0 -1 -1, Q - .5 = .5 -.5 .5 -.5; product 1 - 0 - .5 + .5 = 1; norms sqrt 6 and 1.
    KLD: Q = .5 0 .5 0, P = .5 .25 .125 .125: .5 log 1 + .5 log 4 = log 2. SIM: .5 + .125. NSS: sd = sqrt(6 / 3);
    (2 - 1) / 2 / sqrt 2. AUC: thresholds 4 and 1: (0, 0), (0, .5), (1, 1): .75. IoU at .5: {1, 2} and {1, 3}: 1 of 3.
    """
    found = measure_map(np.array([[4.0, 2.0], [1.0, 1.0]]), np.array([[1.0, 0.0], [1.0, 0.0]]), 0.5)
    wanted = (1 / math.sqrt(6), math.log(2), 0.625, 1 / (2 * math.sqrt(2)), 0.75, 1 / 3)
    assert tuple(found.values()) == pytest.approx(wanted, abs=1e-12)


def test_the_human_map_itself_is_the_best_and_a_flat_map_is_chance():
    _, human = drawn(3)
    best = measure_map(human, human)
    assert best["CC"] == pytest.approx(1) and best["SIM"] == pytest.approx(1) and best["AUC-Judd"] == 1
    assert best["KLD"] == pytest.approx(0, abs=1e-12) and best["mIoU"] == 1
    for flat in (np.zeros((9, 7)), np.full((9, 7), 0.3)):
        found = measure_map(flat, human)
        assert (found["CC"], found["NSS"], found["AUC-Judd"]) == (0, 0, 0.5)
        assert found["KLD"] == pytest.approx(np.sum(human / human.sum() * np.log(63 * human / human.sum() + 1e-300)))
    assert measure_map(np.zeros((9, 7)), human)["mIoU"] == 0  # it marks nothing


def test_opposites_correlate_by_minus_1_and_rounding_goes_no_further():
    """P = 2 - Q and P = 3 Q, of 20 maps."""
    for seed in range(20):
        human = np.random.default_rng(seed).random((9, 7))
        against, along = (measure_map(computed, human)["CC"] for computed in (2 - human, 3 * human))
        assert -1 <= against == pytest.approx(-1) and 1 >= along == pytest.approx(1)


def test_what_scale_a_map_has_does_not_matter():
    """All but KLD and SIM are also free of an offset; these two take the smallest value away if it is below 0."""
    computed, human = drawn(1)
    once, scaled = measure_map(computed, human), measure_map(7 * computed, human / 3)
    assert scaled == pytest.approx(once)
    below = measure_map(computed - computed.min() - 2, human)
    assert below == pytest.approx(measure_map(computed - computed.min(), human))
    assert [below[name] for name in ("CC", "NSS", "AUC-Judd")] == pytest.approx(
        [once[name] for name in ("CC", "NSS", "AUC-Judd")]
    )


def test_a_map_is_brought_to_the_size_of_the_human_one():
    """Linear between the middles: 0 and 4 over four columns lie at 0, 1, 3, 4; a picture all marked has no AUC."""
    assert resized(np.array([[0.0, 4.0]]), (2, 4)).tolist() == [[0, 1, 3, 4]] * 2
    found = measure_map(np.array([[0.0, 4.0]]), np.ones((2, 4)))
    assert math.isnan(found["AUC-Judd"]) and found["mIoU"] == 0.5


def test_what_is_no_human_map():
    for human in (np.zeros((2, 2)), np.array([[-1.0, 1.0]])):
        with pytest.raises(BadShape, match="0 or more and marks something"):
            measure_map(np.ones((2, 2)), human)


def test_the_centre_prior_is_a_gaussian_of_a_quarter_of_the_sides():
    prior = centre_prior((4, 8))
    x, y = 4 * ((5 + 0.5) / 8 - 0.5), 4 * ((0 + 0.5) / 4 - 0.5)
    assert prior[0, 5] == pytest.approx(math.exp(-(x * x + y * y) / 2)) and prior.argmax() in (11, 12, 19, 20)


def test_a_mask_is_a_human_map_and_an_empty_one_is_none():
    computed, mask = np.random.default_rng(0).random((6, 6)), np.eye(6, dtype=bool)
    assert measure_map(computed, mask) == measure_map(computed, mask.astype(float))
    with pytest.raises(BadShape, match="at least one value"):
        measure_map(np.zeros((0, 4)), np.zeros((0, 4)))
