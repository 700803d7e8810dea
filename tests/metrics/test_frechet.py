import numpy as np
import pytest
from scipy.linalg import sqrtm

from giqa.errors import BadShape, BadSpec
from giqa.metrics.frechet import Frechet, frechet_distance, frechet_infinity
from giqa.metrics.moments import Moments


def textbook(a, b):
    """The formula with scipy's root of the product, in float64."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    ca, cb = np.cov(a.T), np.cov(b.T)
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca + cb - 2 * sqrtm(ca @ cb).real)


def correlated(n, d, seed, dtype=np.float32):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) / np.sqrt(d) + rng.normal(size=d)).astype(dtype)


def test_gaussians_in_closed_form():
    """N(0, diag(1, 4)) and N((3, 4), diag(9, 4)): 25 + (1 - 3)^2 + 0 = 29; turned by any angle, the same."""
    a = Moments.from_statistics([0, 0], np.diag([1.0, 4.0]))
    for angle in (0.0, 0.7, 2.0):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        b = Moments.from_statistics(turn @ [3, 4], turn @ np.diag([9.0, 4.0]) @ turn.T)
        turned = Moments.from_statistics(turn @ [0, 0], turn @ np.diag([1.0, 4.0]) @ turn.T)
        assert frechet_distance(turned, b) == pytest.approx(29)
    assert frechet_distance(a, a) == 0


@pytest.mark.parametrize(
    ("n", "m", "d"), [(300, 200, 12), (30, 25, 12), (2100, 2050, 20), (300, 60, 100), (60, 90, 100)]
)
def test_equals_the_formula_with_sqrtm(n, m, d):
    """Agrees with scipy's square root of the product to 1e-4 of its value, above one block of rows too."""
    a, b = correlated(n, d, 0), correlated(m, d, 1)
    assert frechet_distance(a, b) == pytest.approx(textbook(a, b), rel=1e-4)


def test_fewer_pictures_than_columns_take_another_road_to_the_same_number():
    """20 + 15 pictures in 60 columns: by the nuclear norm as by the moments; sqrtm's product is singular here."""
    a, b = correlated(20, 60, 0), correlated(15, 60, 1)
    by_moments = frechet_distance(Moments.of(a), Moments.of(b))
    assert frechet_distance(a, b) == pytest.approx(by_moments, rel=1e-4)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("d", [6, 200])
def test_what_does_not_matter_and_what_does(d):
    """Order and rotation change nothing, a common shift nothing, a scale of 3 makes 9 times the distance."""
    a, b = correlated(90, d, 0, float), correlated(80, d, 1, float)
    rng = np.random.default_rng(2)
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    whole = frechet_distance(a, b)
    assert frechet_distance(rng.permutation(a), rng.permutation(b)) == pytest.approx(whole, rel=1e-9)
    assert frechet_distance(a @ turn, b @ turn) == pytest.approx(whole, rel=1e-9)
    assert frechet_distance(a + 7, b + 7) == pytest.approx(whole, rel=1e-9)
    assert frechet_distance(3 * a, 3 * b) == pytest.approx(9 * whole, rel=1e-9)
    assert frechet_distance(b, a) == pytest.approx(whole, rel=1e-9)


def test_moments_of_a_stream_are_those_of_the_whole():
    """Chunks of any size, far from zero in float32: mean and covariance of numpy in float64."""
    x = (correlated(5000, 7, 0) + 300).astype(np.float32)
    parts = np.split(x, [1, 800, 801, 4000])
    streamed = sum((Moments.of(part) for part in parts[1:]), Moments.of(parts[0]))
    assert streamed.n == 5000
    np.testing.assert_allclose(streamed.mean, x.mean(axis=0, dtype=float), rtol=1e-9)
    np.testing.assert_allclose(streamed.covariance, np.cov(x.T.astype(float)), rtol=1e-5, atol=1e-6)


def test_collapse_and_noise_both_raise_it():
    """Ten steps of shrinking to one point, and ten of more noise: each step farther than the last."""
    a, b = correlated(400, 5, 0), correlated(400, 5, 0)[::-1]
    rng = np.random.default_rng(1)
    noise = rng.normal(size=b.shape)
    shrunk = [frechet_distance(a, b.mean(0) + (b - b.mean(0)) * s) for s in np.linspace(1, 0, 10)]
    noisy = [frechet_distance(a, b + noise * s) for s in np.linspace(0, 2, 10)]
    assert np.all(np.diff(shrunk) > 0) and np.all(np.diff(noisy) > 0)


def test_extrapolation_takes_most_of_the_bias_away():
    """400 fakes of the very distribution of the reals, 8 columns: FD is about 8 / 400 too high, FD-infinity is not."""
    rng = np.random.default_rng(0)
    reals = rng.normal(size=(20_000, 8))
    plain, infinite = [], []
    for _ in range(20):
        fakes = rng.normal(size=(400, 8))
        plain.append(frechet_distance(reals, fakes))
        infinite.append(frechet_infinity(reals, fakes))
    assert np.mean(plain) > 0.03
    assert abs(np.mean(infinite)) < 0.4 * np.mean(plain)
    assert frechet_infinity(reals, fakes, seed=3) == frechet_infinity(reals, fakes, seed=3)
    assert frechet_infinity(reals, fakes, seed=3) != frechet_infinity(reals, fakes, seed=4)


def test_mistakes_are_named():
    a = np.zeros((5, 3))
    with pytest.raises(BadShape, match="3 columns, the fakes 2"):
        frechet_distance(a, np.zeros((5, 2)))
    with pytest.raises(BadShape, match="3 columns, the fakes 2"):
        frechet_distance(Moments.of(a), Moments.of(np.zeros((5, 2))))
    with pytest.raises(BadShape, match="row 4 of the fake"):
        frechet_distance(a, np.r_[np.zeros((4, 3)), [[0, np.nan, 0]]])
    with pytest.raises(BadShape, match="At least 2 fake"):
        frechet_distance(a, a[:1])
    with pytest.raises(BadShape, match="symmetric"):
        Moments.from_statistics([0, 0], [[1, 2], [0, 1]])
    with pytest.raises(BadShape, match=r"\(2,\)"):
        Moments.from_statistics([0, 0], np.eye(3))
    with pytest.raises(BadShape, match=r"got \(0,\), \(0, 0\)"):
        Moments.from_statistics(np.empty(0), np.empty((0, 0)))
    with pytest.raises(BadSpec, match="points"):
        frechet_infinity(np.zeros((30, 2)), np.zeros((30, 2)), points=1)


@pytest.mark.parametrize(("n", "m", "d"), [(120, 90, 40), (120, 90, 100), (60, 90, 160), (2, 90, 12)])
def test_choices_of_the_same_fakes_share_one_product(n, m, d):
    """Of any rows, fewer than columns or more, near the reals or far: the distance of those rows alone."""
    real, fake = correlated(n, d, 0), correlated(m, d, 1)
    fake[:30] = (real[np.arange(30) % n] * 1.001).astype(np.float32)
    of = Frechet().among(real, fake)
    rng = np.random.default_rng(2)
    for rows in (np.arange(30), np.arange(m), rng.permutation(m)[:50], rng.permutation(m)[:7]):
        assert of(rows) == pytest.approx(frechet_distance(real, fake[rows]), rel=1e-6)


@pytest.mark.parametrize(("mean", "variance"), [(1e300, 1.0), (0.0, 1e300), (0.0, 1e308)])
def test_numbers_whose_products_have_no_float64_are_named(mean, variance):
    """The square of a mean; the product of two covariances; the trace of one."""
    large = Moments.from_statistics([mean, 0], variance * np.eye(2))
    other = Moments.from_statistics([0, 0], min(variance, 1e300) * np.eye(2))
    with np.errstate(all="ignore"), pytest.raises(BadShape, match="products exceed float64"):
        frechet_distance(large, other)
