import numpy as np
import pytest

from giqa.errors import BadSpec
from giqa.metrics.kernel import Kernel, cmmd, kernel_distance
from giqa.metrics.together import Together
from giqa.metrics.vendi import Vendi, vendi_score


def loops(a, b, kernel, unbiased):
    """Every pair by itself."""

    def mean(x, y, same):
        pairs = [kernel(p, q) for i, p in enumerate(x) for j, q in enumerate(y) if not (same and unbiased and i == j)]
        return np.mean(pairs)

    return mean(a, a, True) + mean(b, b, True) - 2 * mean(a, b, False)


def sets(n, m, d, away=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(m, d)) + away


def test_kid_by_hand():
    """Reals 0 and 0, fakes 1 and 1, one column: k(0,0) = 1, k(1,1) = 8, k(0,1) = 1, so 1 + 8 - 2 = 7."""
    assert kernel_distance(np.zeros((2, 1)), np.ones((2, 1))) == pytest.approx(7)


def test_kid_is_the_sum_over_pairs():
    a, b = sets(7, 5, 3, 0.5)
    wanted = loops(a, b, lambda x, y: (x @ y / 3 + 1) ** 3, unbiased=True)
    assert kernel_distance(a, b) == pytest.approx(wanted, rel=1e-5)
    quadratic = loops(a, b, lambda x, y: (x @ y / 3 + 1) ** 2, unbiased=True)
    assert kernel_distance(a, b, degree=2) == pytest.approx(quadratic, rel=1e-5)


def test_blocks_make_no_difference():
    """Above one block of 2,048 rows: dense float64 products give the same."""
    a, b = sets(2100, 2060, 4, 0.1)
    kernel = lambda x, y: (x @ y.T / 4 + 1) ** 3  # noqa: E731

    def alone(x):
        return ((x**2).sum(axis=1) / 4 + 1) ** 3

    n, m = len(a), len(b)
    wanted = (kernel(a, a).sum() - alone(a).sum()) / (n * n - n) + (kernel(b, b).sum() - alone(b).sum()) / (m * m - m)
    wanted -= 2 * kernel(a, b).mean()
    assert kernel_distance(a, b) == pytest.approx(wanted, rel=1e-3)

    x, y = (s / np.linalg.norm(s, axis=1, keepdims=True) for s in (a, b))
    gauss = lambda p, q: np.exp(-((p[:, None] - q) ** 2).sum(-1) / 200)  # noqa: E731
    wanted = 1000 * (gauss(x, x).mean() + gauss(y, y).mean() - 2 * gauss(x, y).mean())
    assert cmmd(a, b) == pytest.approx(wanted, rel=1e-3)


def test_kid_of_one_distribution_is_zero_on_average():
    """Unbiased: over 300 draws of 10 against 14 pictures its mean is within 4 standard errors of 0, some below it."""
    found = np.array([kernel_distance(*sets(10, 14, 3, seed=s)) for s in range(300)])
    assert abs(found.mean()) < 4 * found.std() / np.sqrt(len(found))
    assert (found < 0).any()


def test_subsets_are_seeded_and_near_the_whole():
    a, b = sets(400, 300, 4, 0.7)
    whole = kernel_distance(a, b)
    some = kernel_distance(a, b, subsets=60, size=100, seed=1)
    assert some == kernel_distance(a, b, subsets=60, size=100, seed=1) != kernel_distance(a, b, subsets=60, size=100)
    assert some == pytest.approx(whole, rel=0.1)
    assert kernel_distance(b[:100], b[:100], subsets=1, size=500) == pytest.approx(kernel_distance(b[:100], b[:100]))


def test_cmmd_is_the_sum_over_pairs_of_directions():
    """Rows to length 1, exp(-|x - y|^2 / 200), a picture with itself counts, times 1000; length does not matter."""
    a, b = sets(6, 5, 3, 1.0)
    x, y = (s / np.linalg.norm(s, axis=1, keepdims=True) for s in (a, b))
    wanted = 1000 * loops(x, y, lambda p, q: np.exp(-((p - q) ** 2).sum() / 200), unbiased=False)
    assert cmmd(a, b) == pytest.approx(wanted, rel=1e-4)
    assert cmmd(5 * a, b * np.arange(1, 6)[:, None]) == pytest.approx(wanted, rel=1e-4)
    assert cmmd(a, a) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("away", [0.0, 0.1, 1.0, 5.0])
def test_cmmd_of_many_pictures_by_its_series(away):
    """400 and 300 pictures of 6 columns take the series: within 3 in 10,000 of all pairs in float64, near and far."""
    a, b = sets(400, 300, 6, away)
    x, y = (s / np.linalg.norm(s, axis=1, keepdims=True) for s in (a, b))
    gauss = lambda p, q: np.exp(-((p[:, None] - q) ** 2).sum(-1) / 200).mean()  # noqa: E731
    wanted = 1000 * (gauss(x, x) + gauss(y, y) - 2 * gauss(x, y))
    assert cmmd(a, b) == pytest.approx(wanted, rel=3e-4)
    assert cmmd(-b, b) == pytest.approx(1000 * 2 * (gauss(y, y) - gauss(-y, y)), rel=3e-4)
    assert cmmd(np.r_[a, np.zeros((1, 6))], b) > 0  # a row of zeros has no direction: all pairs


@pytest.mark.parametrize("metric", [kernel_distance, cmmd])
def test_order_and_rotation_do_not_matter_and_distance_grows(metric):
    a, b = sets(60, 50, 5, 0.5)
    rng = np.random.default_rng(1)
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    assert metric(rng.permutation(a), rng.permutation(b)) == pytest.approx(metric(a, b), rel=1e-4)
    assert metric(a @ turn, b @ turn) == pytest.approx(metric(a, b), rel=1e-3)
    away = [metric(a, a[::-1] + step) for step in np.linspace(0, 3, 10)]
    assert np.all(np.diff(away) > 0)


def test_mistakes_are_named():
    for wrong in ({"subsets": 0}, {"degree": 0}, {"degree": "a"}, {"size": 1, "subsets": 2}, {"subsets": True}):
        with pytest.raises(BadSpec, match=f"{next(iter(wrong))} is a whole number from"):
            kernel_distance(*sets(5, 5, 2), **wrong)
    with pytest.raises(BadSpec, match="seed"):
        kernel_distance(*sets(5, 5, 2), subsets=2, seed=-1)
    with pytest.raises(BadSpec, match="sigma"):
        cmmd(*sets(5, 5, 2), sigma=0)


def test_degree_one_by_hand():
    """Reals 0 and 0, fakes 1 and 1, one column: k(0,0) = 1, k(1,1) = 2, k(0,1) = 1, so 1 + 2 - 2 = 1."""
    assert kernel_distance(np.zeros((2, 1)), np.ones((2, 1)), degree=1) == pytest.approx(1)


@pytest.mark.parametrize("degree", [1, 3, 4])
def test_without_each_group_it_is_what_it_is_of_the_rest(degree):
    """The sums over pairs of groups give what every choice gives when it is computed anew; rows may stay always."""
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(70, 5)) + 3, (rng.normal(size=(50, 5)) + 3).astype(np.float32)
    kept = [[np.arange(70) // 20 != group for group in range(3)], [np.arange(50) % 5 != group for group in range(5)]]
    metric = Kernel(degree=degree)
    found = metric.left_out(real, fake, kept)
    wanted = [[metric(real[rows], fake) for rows in kept[0]], [metric(real, fake[rows]) for rows in kept[1]]]
    for some, others in zip(found, wanted, strict=True):
        assert some == pytest.approx(others, rel=1e-4, abs=1e-7)
    together = Together([Vendi(), metric]).left_out(real, fake, kept)
    assert all(np.array_equal(both[:, 1], own) for both, own in zip(together, found, strict=True))
    assert together[0][:, 0] == pytest.approx(vendi_score(fake)) and together[1][2, 0] == vendi_score(fake[kept[1][2]])


@pytest.mark.parametrize("sigma", [None, "10", float("nan"), 0])
def test_a_width_that_is_none_is_named(sigma):
    with pytest.raises(BadSpec, match="sigma above 0"):
        cmmd(np.eye(3), np.eye(3), sigma=sigma)


def test_a_set_with_itself_is_what_it_is_with_a_copy():
    """Unbiased, it is below 0: pairs of a row with itself count across, and only there."""
    x = np.random.default_rng(0).normal(size=(60, 16)).astype(np.float32)
    assert kernel_distance(x, x) == kernel_distance(x, x.copy()) < 0
    with pytest.raises(BadSpec, match="degree up to 1000, got 1001"):
        kernel_distance(x, x, degree=1001)
