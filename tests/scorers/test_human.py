"""The human model: against scikit-learn, by hand, and against a truth that is known."""

import numpy as np
import pytest

from giqa.errors import BadModel, BadShape, BadSpec, MissingSource, NotFitted
from giqa.scorers.human import STRENGTHS, HumanModel, cross_validated
from giqa.stats import fit_logistic, log_likelihood, sigmoid
from giqa.types import Features


def simulated(n=300, voters=3, seed=0, weights=(-1.5, 0.5, 0.0)):
    """Distances, votes by a known logistic function of log(1 + distance), and the true probability."""
    rng = np.random.default_rng(seed)
    distances = rng.lognormal(1.0, 0.6, size=(n, len(weights)))
    p = sigmoid((np.log1p(distances) - 1.3) @ np.array(weights) * 2 + 0.3)
    return distances, np.c_[np.full(n, voters), rng.binomial(voters, p)], p


@pytest.mark.parametrize("C", [0.05, 1.0, np.inf])
def test_the_fit_is_that_of_another_implementation(C):
    """scikit-learn, one row a vote."""
    linear = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    x, votes = rng.normal(size=(80, 4)), rng.integers(1, 5, 80).astype(float)
    real = rng.binomial(votes.astype(int), sigmoid(x[:, 0] - 0.5 * x[:, 2])).astype(float)
    rows, labels = np.r_[x, x], np.r_[np.ones(80), np.zeros(80)]
    other = linear.LogisticRegression(C=C, tol=1e-10, max_iter=10_000)
    other.fit(rows, labels, sample_weight=np.r_[real, votes - real])
    found = fit_logistic(x, real, votes, C)
    assert found[1:] == pytest.approx(other.coef_[0], abs=2e-4) and found[0] == pytest.approx(
        other.intercept_[0], abs=2e-4
    )


def test_without_columns_it_is_the_share():
    assert sigmoid(fit_logistic(np.empty((2, 0)), np.array([1.0, 2.0]), np.array([2.0, 6.0]))[0]) == pytest.approx(
        3 / 8
    )


def test_separable_votes_end_somewhere():
    w = fit_logistic(np.array([[-1.0], [1.0]]), np.array([0.0, 1.0]), np.ones(2))
    assert np.isfinite(w).all() and sigmoid(w[0] + w[1]) > 0.99


@pytest.mark.slow
def test_the_truth_is_found_and_lies_in_the_interval():
    """40 simulations, 150 pictures of 3 votes: on average over pictures at least .90 of the 95 % intervals hold p.

    p is a function of the distances here, so that the narrow intervals, of pictures like it, are to hold it already.
    """
    held, errors = [], []
    for seed in range(40):
        distances, y, p = simulated(150, seed=seed)
        found, low, high = HumanModel(resamples=100).fit(distances, y).p_real(distances, own=False)
        held.append(np.mean((low <= p) & (p <= high)))
        errors.append(np.abs(found - p).mean())
    assert np.mean(held) >= 0.88 and np.mean(errors) < 0.06  # benchmarks/p_real/simulated_votes.py: .90


def known_in_part(n, voters, seed, spread=1.0):
    """One distance that says some of it, and a deviation of the picture's own, in logits."""
    rng = np.random.default_rng(seed)
    distances = rng.lognormal(1.0, 0.6, size=(n, 1))
    p = sigmoid(-2 * (np.log1p(distances[:, 0]) - 1.3) + spread * rng.normal(size=n))
    return distances, np.c_[np.full(n, voters), rng.binomial(voters, p)], p


@pytest.mark.slow
@pytest.mark.parametrize("voters", [1, 3, 30])
def test_the_own_p_of_new_pictures_lies_in_the_interval(voters):
    """30 simulations, 150 pictures; .95 of the intervals should hold it, and those of pictures like it cannot."""
    held, held_like, widths = [], [], []
    for seed in range(30):
        model = HumanModel(resamples=60).fit(*known_in_part(150, voters, seed)[:2])
        distances, _, p = known_in_part(200, voters, 1000 + seed)
        _, low, high = model.p_real(distances)
        held.append(np.mean((low <= p) & (p <= high)))
        widths.append(np.mean(high - low))
        _, low, high = model.p_real(distances, own=False)
        held_like.append(np.mean((low <= p) & (p <= high)))
    assert 0.91 <= np.mean(held) <= 0.99 and np.mean(held_like) < 0.5
    assert 0.5 < np.mean(widths) < 0.75  # of a spread of 1 around a half it is .752


def test_many_votes_find_the_spread_and_one_says_nothing_of_it():
    for spread in (0.4, 1.0, 2.0):
        model = HumanModel(resamples=60).fit(*known_in_part(800, 20, 1, spread)[:2])
        assert model.spreads_.mean() == pytest.approx(spread, rel=0.15)
        alone = HumanModel(resamples=60).fit(*known_in_part(800, 1, 1, spread)[:2])
        assert alone.spreads_.mean() == pytest.approx(0.7 * np.sqrt(np.pi / 2), abs=0.05)  # mean of the prior


def test_pictures_that_nobody_labelled_are_ranked():
    distances, y, _ = simulated(400)
    fresh, _, p = simulated(500, seed=9)
    score = HumanModel().fit(distances, y).score_samples(fresh)
    ranks = [np.argsort(np.argsort(v)) for v in (score, p)]
    assert np.corrcoef(*ranks)[0, 1] > 0.95


def test_weights_have_the_sign_of_the_truth_and_an_interval():
    weights = HumanModel(preset="paper").fit(*simulated(800)[:2]).weights()
    (first, low, high), (second, *_), (_, none_low, none_high) = weights.values()
    assert low < first < high < 0 < second and none_low < 0 < none_high


@pytest.mark.parametrize("seed", range(4))
def test_what_is_estimated_lies_in_its_interval(seed):
    """Strong shrinkage: the fit is shrunk a hundred times more than the resampled ones, and stays near the constant."""
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(40, 1))
    x = np.exp(base + 0.3 * rng.normal(size=(40, 3)))
    real = rng.binomial(5, 1 / (1 + np.exp(0.6 + base[:, 0] + 0.2 * x[:, 0])))
    model = HumanModel(C=1e-3, resamples=50).fit(x, np.c_[np.full(40, 5), real])
    assert all(low <= weight <= high for weight, low, high in model.weights().values())
    for own in (True, False):
        p, low, high = model.p_real(x * 3, own)
        assert (low <= p).all() and (p <= high).all()


def test_paper_does_not_shrink_and_recommended_chooses():
    distances, y, _ = simulated(60, voters=1)
    paper, chosen = (HumanModel(preset, resamples=5).fit(distances, y) for preset in ("paper", "recommended"))
    assert np.isinf(paper.C_) and chosen.C_ in STRENGTHS
    assert np.linalg.norm(chosen.coefficients_[1:]) < np.linalg.norm(paper.coefficients_[1:])
    assert HumanModel(C=0.5, resamples=5).fit(distances, y).C_ == 0.5
    noise = np.random.default_rng(0).binomial(1, 0.5, 60)
    assert HumanModel(resamples=5).fit(distances, noise).C_ <= 0.1  # nothing to learn: strong shrinkage


def test_groups_stay_whole():
    """Two pictures of one group with opposite votes: every draw has both or neither, so the share stays at a half."""
    distances = np.random.default_rng(0).uniform(1, 2, (40, 1)).repeat(2, axis=0)
    model = HumanModel(C=1.0, resamples=20).fit(distances, np.tile([0, 1], 40), groups=np.arange(40).repeat(2))
    assert np.allclose(model.p_real(distances, own=False), 0.5, atol=1e-6)
    free = HumanModel(C=1.0, resamples=20).fit(distances, np.tile([0, 1], 40)).p_real(distances, own=False)
    assert np.ptp(free[2] - free[1]) > 0 and (free[2] > 0.55).any()


def test_cross_validation_by_hand():
    """Two folds without a column that tells anything: each is judged by the share of the other."""
    real, votes = np.array([3.0, 1.0]), np.array([4.0, 4.0])
    expected = (3 * np.log(1 / 4) + np.log(3 / 4) + np.log(3 / 4) + 3 * np.log(1 / 4)) / 8
    assert cross_validated(np.zeros((2, 1)), real, votes, np.array([0, 1]), 1.0) == pytest.approx(expected, abs=1e-5)
    assert log_likelihood(np.array([1.0]), np.array([0.0]), np.array([1.0])) > -30  # certain and wrong, yet finite


def test_other_columns_are_taken_as_they_are():
    """Layers not called a distance may be negative."""
    distances, y, _ = simulated(100)
    names = tuple(map(str, range(100)))
    features = Features(names, {"mid.distance": distances[:, :1], "z": -distances[:, 1:]})
    model = HumanModel(resamples=5).fit(features, y)
    assert model.names_ == ("mid.distance", "z.0", "z.1") and model.is_distance_.tolist() == [True, False, False]
    assert not model.is_z_.any()
    with pytest.raises(BadShape, match=r"fitted on mid.distance, z.0, z.1; got"):
        model.score_samples(Features(names, {"z": distances}))
    with pytest.raises(BadShape, match="at least 0"):
        model.score_samples(Features(names, {"mid.distance": -distances[:, :1], "z": distances[:, 1:]}))


def test_z_of_layers_go_in_as_their_signed_logarithm():
    """The same as another column that holds the logarithms, a third as wide; not the same as the z themselves."""
    _, y, _ = simulated(100)
    z = np.random.default_rng(3).normal(-3, 4, (100, 1))
    logs = np.sign(z) * np.log(1 + np.abs(z))
    names = tuple(map(str, range(100)))
    model, by_hand = (
        HumanModel(C=C, resamples=5).fit(Features(names, {name: x}), y)
        for name, x, C in (("mid.z", z, 1.0), ("logs", logs, 9.0))
    )
    assert model.coefficients_[1] == pytest.approx(by_hand.coefficients_[1] / 3, rel=1e-6)


def test_a_file_gives_the_same(tmp_path):
    distances, y, _ = simulated(60)
    model = HumanModel(preset="paper", resamples=20).fit(distances, y)
    loaded = HumanModel.load(model.save(tmp_path / "people.human"))
    assert all(np.array_equal(a, b) for a, b in zip(model.p_real(distances), loaded.p_real(distances), strict=True))
    assert np.isinf(loaded.C_) and loaded.weights() == model.weights()
    whole = (tmp_path / "people.human").read_bytes()
    for broken in (b"nothing", whole.replace(model.draws_.tobytes(), (-model.draws_).tobytes())):
        (tmp_path / "people.human").write_bytes(broken)
        with pytest.raises(BadModel, match="cut short or damaged"):
            HumanModel.load(tmp_path / "people.human")
    with pytest.raises(MissingSource):
        HumanModel.load(tmp_path / "none")


def test_errors_say_what_was_given():
    distances, y, _ = simulated(30)
    for call, error, words in (
        (lambda: HumanModel("released").fit(distances, y), BadSpec, "paper or recommended"),
        (lambda: HumanModel().score_samples(distances), NotFitted, "before asking"),
        (lambda: HumanModel().fit(distances, y[:5]), BadShape, "for 30 pictures"),
        (lambda: HumanModel().fit(distances, y[:, ::-1] + [0, 1]), BadShape, "more who said real"),
        (lambda: HumanModel().fit(distances, np.ones(30)), BadShape, "30 of 30 votes say real"),
        (lambda: HumanModel().fit(distances[:9], y[:9]), BadShape, "needs 20 pictures"),
        (lambda: HumanModel().fit(distances, y, groups=[1]), BadShape, "30 pictures and groups of shape"),
    ):
        with pytest.raises(error, match=words):
            call()


def test_an_infinite_strength_is_no_penalty():
    """As the paper's preset has it."""
    distances, y = np.random.default_rng(0).uniform(0, 1, (60, 2)), np.tile([0, 1, 1], 20)
    free = HumanModel(C=float("inf"), resamples=0).fit(distances, y)
    assert free.coefficients_.tolist() == HumanModel("paper", resamples=0).fit(distances, y).coefficients_.tolist()
    with pytest.raises(BadSpec, match="C above 0"):
        HumanModel(C=float("nan")).fit(distances, y)
