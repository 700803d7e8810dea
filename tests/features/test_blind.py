from math import gamma, sqrt

import numpy as np
import pytest

from giqa.errors import BadImage, BadSpec
from giqa.features.blind import PATCH, UPPER, BrisqueStatistics, NiqeStatistics, halve_cubic
from giqa.features.extract import extract
from giqa.features.nss import NSS
from giqa.testing import check_extractor


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def keys(t):
    """The cubic convolution kernel with a = -.75 at distance t, by its definition."""
    t, a = abs(t), -0.75
    return (a + 2) * t**3 - (a + 3) * t**2 + 1 if t <= 1 else a * (t**3 - 5 * t**2 + 8 * t - 4) if t < 2 else 0


@pytest.mark.parametrize(("shape", "halved"), [((6, 8), (3, 4)), ((7, 9), (4, 4)), ((5, 11), (2, 6))])
def test_half_is_cubic_convolution_between_pixels(shape, halved):
    """At (i + 1/2) 2 - 1/2 of each axis, weights from the kernel, edges repeated, sizes rounded to even."""
    plane = np.random.default_rng(0).normal(size=shape)
    expected = np.zeros(halved)
    for y in range(halved[0]):
        for x in range(halved[1]):
            for j in range(2 * y - 1, 2 * y + 3):
                for i in range(2 * x - 1, 2 * x + 3):
                    weight = keys(2 * y + 0.5 - j) * keys(2 * x + 0.5 - i)
                    expected[y, x] += weight * plane[min(max(j, 0), shape[0] - 1), min(max(i, 0), shape[1] - 1)]
    assert halve_cubic(plane) == pytest.approx(expected)


def test_first_scale_is_that_of_nss_without_logarithms():
    """Shapes and variances of `nss` are logarithms of the same numbers, the means the same."""
    picture = noise(40, 52)
    found, logs = BrisqueStatistics()([picture])["brisque"][0, :18], NSS()([picture])["nss.1"][0]
    means = [3, 7, 11, 15]
    others = [i for i in range(18) if i not in means]
    assert found[means] == pytest.approx(logs[means], abs=1e-6)
    assert np.log(found[others] + 1e-4) == pytest.approx(logs[others], abs=2e-3)


def test_antialiased_half_is_that_of_nss():
    picture = noise(40, 52)
    found, logs = BrisqueStatistics("antialias")([picture])["brisque"][0], NSS()([picture])["nss.2"][0]
    assert found[18 + 3] == pytest.approx(logs[3], abs=1e-6)
    assert not np.allclose(found[18:], BrisqueStatistics()([picture])["brisque"][0, 18:], rtol=0.01)


def test_contract():
    check_extractor(BrisqueStatistics)
    check_extractor(NiqeStatistics, sizes=((96, 96), (200, 290), (100, 193)))


def test_niqe_is_mean_and_covariance_over_patches():
    """Two patches with known numbers each: their mean, and half their squared difference."""
    left, right = noise(96, 96), noise(96, 96, seed=1) // 4
    both = NiqeStatistics()([np.concatenate([left, right], axis=1)])
    covariance = np.zeros((36, 36))
    covariance[UPPER] = both["niqe.covariance"][0]
    spread = np.sqrt(np.diag(covariance) * 2)  # |a - b|
    first, second = both["niqe.mean"][0] + spread / 2, both["niqe.mean"][0] - spread / 2
    alone = [NiqeStatistics()([tile])["niqe.mean"][0] for tile in (left, right)]
    inside = np.abs(alone[0] - alone[1]) > 0.2  # the seam changes a few pixels of each
    assert inside.any()
    assert np.maximum(*alone)[inside] == pytest.approx(np.maximum(first, second)[inside], rel=0.1)
    assert (NiqeStatistics()([left])["niqe.covariance"] == 0).all()


def test_width_of_a_gaussian_is_its_deviation_times_a_constant():
    """A shape of 2 has the width sqrt(2) times the deviation: gamma(1/2) / gamma(3/2) = 2."""
    from giqa.features.blind import _with_widths

    rng = np.random.default_rng(0)
    shape, mean, left, right = _with_widths(rng.normal(0, 0.5, 200_000).astype(np.float32))
    assert shape == pytest.approx(2, rel=0.02) and gamma(0.5) / gamma(1.5) == pytest.approx(2)
    assert (left, right) == pytest.approx((0.5 * sqrt(2),) * 2, rel=0.02) and mean == pytest.approx(0, abs=0.01)


def test_too_small_is_said_by_name_and_costs_one_row():
    """A picture below a patch gets a reason, the others their features."""
    done = extract([noise(PATCH, PATCH), noise(PATCH, PATCH - 1)], "niqe", store=False)
    assert len(done.features) == 1 and list(done.failures.values()) == [
        "NIQE needs 96 pixels a side, the picture has 96 x 95"
    ]
    with pytest.raises(BadImage, match="BRISQUE needs 16"):
        BrisqueStatistics()([noise(15, 40)])
    with pytest.raises(BadSpec, match="cubic or antialias"):
        BrisqueStatistics("nearest").identity()
