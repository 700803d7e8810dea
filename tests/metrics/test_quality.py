import numpy as np
import pytest

from giqa.errors import BadShape, BadSpec
from giqa.metrics.quality import LOG_DENSITY, Diversity, diversity_score, quality, quality_score
from giqa.registry import make


def log_density():
    return make("scorer", LOG_DENSITY)


def distance():
    return make("scorer", "sgm")


def gauss(n, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def test_quality_by_hand():
    """Held-out 1..9: median 5, spread 1.4826 x 2. Scores 5, 2.0348, 0: z 0, -1, -5 / 2.9652; percentiles .6, .3, .1."""
    found = quality([5, 5 - 1.4826 * 2, 0], range(1, 10))
    assert found.mean_z == pytest.approx((0 - 1 - 5 / 2.9652) / 3)
    assert found.median_z == pytest.approx(-1)
    assert found.mean_score == pytest.approx((5 + 2.0348 + 0) / 3)
    assert found.median_percentile == pytest.approx(0.3)
    assert (found.share_below_worst_5_percent, found.n) == (0, 3)
    assert quality([0.0], range(1, 30)).share_below_worst_5_percent == 1  # 1 / 30
    assert quality_score([7, 7], range(1, 10)) == pytest.approx(2 / 2.9652)


def test_quality_of_nothing_is_refused():
    with pytest.raises(BadShape, match="QS needs scores"):
        quality([], [1.0])
    assert np.isnan(quality_score([1.0], [2.0, 2.0, 2.0]))


def one_split(real, fake, order):
    """Eq. 10 once more: Gaussians in float64 on rows chosen by hand, log-densities by their formula."""
    judged, fitted = real[order[0]], real[order[1]]

    def log_p(x, on):
        c = np.cov(on.T, bias=True)
        away = x - on.mean(axis=0)
        return -0.5 * (np.einsum("ij,jk,ik->i", away, np.linalg.inv(c), away) + np.linalg.slogdet(c)[1])

    ours, theirs = log_p(judged, fitted), log_p(judged, fake)
    return (theirs - ours).mean() / (1.4826 * np.median(np.abs(ours - np.median(ours))))


class Gauss:
    """A Gaussian without any shrinking."""

    def fit(self, x):
        self.on = x
        return self

    def score_samples(self, x):
        c = np.cov(self.on.T, bias=True)
        away = x - self.on.mean(axis=0)
        return -0.5 * (np.einsum("ij,jk,ik->i", away, np.linalg.inv(c), away) + np.linalg.slogdet(c)[1])


def test_diversity_is_equation_10_on_other_reals():
    """One split: the same as a second implementation on the halves that the keys make; a linear map changes nothing."""
    from giqa.metrics.blocks import keys

    real, fake = gauss(300), gauss(400, seed=1) * [1, 0.5, 1, 1, 1]
    (drawn,), (theirs,) = keys(real, 1, 0).T, keys(fake, 1, 0).T
    half = (drawn < 0.5).sum()
    order = np.argsort(drawn)
    wanted = one_split(real, fake[np.argsort(theirs)[:half]], (order[half:], order[:half]))
    assert diversity_score(real, fake, Gauss, splits=1) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("make_scorer", [log_density, distance])
def test_fresh_reals_are_a_perfect_generator(make_scorer):
    """Half of the reals against the other half: 0 within the spread over draws."""
    found = [diversity_score(gauss(400, seed=2 * s), gauss(200, seed=2 * s + 1), make_scorer) for s in range(12)]
    assert abs(np.mean(found)) < 0.1 and np.std(found) < 0.2


def test_mode_collapse_in_ten_steps():
    """Ever narrower around one point: DS falls at every step."""
    real, fake = gauss(600), gauss(300, seed=1)
    found = [diversity_score(real, fake[0] + (fake - fake[0]) * s, log_density) for s in np.linspace(1, 0.05, 10)]
    assert np.all(np.diff(found) < 0) and found[0] > -0.5 and found[-1] < -5


def test_lost_modes_lower_it():
    rng = np.random.default_rng(0)
    modes = rng.normal(size=(4, 5)) * 6
    real = np.concatenate([mode + rng.normal(size=(150, 5)) for mode in modes])
    found = [
        diversity_score(real, modes[rng.integers(left, size=300)] + rng.normal(size=(300, 5)), log_density)
        for left in (4, 3, 2, 1)
    ]
    assert np.all(np.diff(found) < 0)


def test_why_the_score_is_a_log_density():
    """Three times too wide a generator: the log-density says that it is wrong, a distance that it is perfect."""
    real, wide = gauss(600), gauss(300, seed=1) * 3
    assert diversity_score(real, wide, log_density) < -1
    assert diversity_score(real, wide, distance) > 0


def test_order_and_company_do_not_move_the_split():
    """Shuffled sets give the same; without one far picture the split of the others stays."""
    real, fake = gauss(200), gauss(120, seed=1)
    rng = np.random.default_rng(3)
    whole = diversity_score(real, fake, log_density)
    assert diversity_score(rng.permutation(real), rng.permutation(fake), log_density) == pytest.approx(whole)
    assert diversity_score(real, fake, log_density, seed=1) != whole
    assert diversity_score(real[1:], fake, log_density) == pytest.approx(whole, abs=0.1)


@pytest.mark.parametrize(("n", "m", "fitted"), [(198, 500, 99), (400, 60, 60), (200, 100, None)])
def test_few_pictures_a_density_are_said(n, m, fitted):
    """Half of the reals, and as many fakes: below 100."""
    said = f"the densities are fitted on {fitted} pictures each" if fitted else ""
    assert Diversity().trouble(n, m, 8) == said


def test_mistakes_are_named():
    with pytest.raises(BadShape, match="got 5 of 5 fakes"):
        diversity_score(gauss(100), gauss(5), log_density)
    with pytest.raises(BadSpec, match="splits"):
        diversity_score(gauss(100), gauss(50), log_density, splits=17)


def test_choices_of_the_same_fakes_are_projected_once():
    """Of any rows in any order, the DS of those rows alone."""
    real, fake = gauss(80), gauss(60, seed=1) * 0.8
    of = Diversity(splits=2).among(real, fake)
    for rows in (np.arange(60), np.arange(60)[::-1], np.arange(5, 33)):
        assert of(rows) == pytest.approx(Diversity(splits=2)(real, fake[rows]), rel=1e-9)


def test_random_splits_do_not_depend_on_how_features_are_kept():
    """DS of float64 features is that of the same in float32, and 0 and -0 are one."""
    from giqa.metrics.blocks import keys

    x = np.random.default_rng(0).normal(size=(60, 3))
    x[0] = 0
    assert np.array_equal(keys(x, 2, 0), keys(x.astype(np.float32), 2, 0))
    assert np.array_equal(keys(-x[:1], 2, 0), keys(x[:1], 2, 0))
    sets = x, x[:30] * 0.5
    assert Diversity()(*sets) == pytest.approx(Diversity()(*(y.astype(np.float32) for y in sets)), rel=1e-4)
