"""Agreement, reliability and ceiling: by hand, against other implementations, in simulation, on published data."""

import numpy as np
import pytest

from giqa.errors import BadShape, BadSpec
from giqa.votes import agreement as a
from giqa.votes.layer6 import read_people


def pairs(labels):
    """All pairs of judgements of one picture, one by one."""
    same = total = 0
    for votes in labels:
        for i in range(len(votes)):
            for j in range(i):
                same, total = same + (votes[i] == votes[j]), total + 1
    return same / total


def simulated(alpha, beta, pictures, votes, seed=0):
    """Counts of pictures with p ~ Beta(alpha, beta), `votes` votes each (or between two numbers)."""
    rng = np.random.default_rng(seed)
    n = rng.integers(*votes, pictures) if isinstance(votes, tuple) else np.full(pictures, votes)
    p = rng.beta(alpha, beta, pictures)
    return n, rng.binomial(n, p), p


def test_agreement_is_that_of_all_pairs_one_by_one():
    rng = np.random.default_rng(0)
    labels = [rng.random(n) < 0.4 for n in rng.integers(1, 7, 50)]
    counts = np.array([(len(v), v.sum()) for v in labels])
    assert a.pairwise_agreement(*counts.T) == pytest.approx(pairs(labels))
    assert np.isnan(a.pairwise_agreement(np.array([1]), np.array([1])))


# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", example D: four observers, twelve units
NAN = float("nan")
OBSERVED = np.array([
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN], [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
    [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN], [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
])  # fmt: skip


@pytest.mark.parametrize(("metric", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_of_the_published_example(metric, published):
    counts = np.array([[np.sum(unit == value) for value in range(1, 6)] for unit in OBSERVED.T])
    assert a.krippendorff_alpha(counts, np.arange(1, 6), metric) == pytest.approx(published, abs=5e-4)


def test_alpha_is_that_of_the_package():
    krippendorff = pytest.importorskip("krippendorff")
    rng = np.random.default_rng(1)
    counts = rng.multinomial(4, [0.2, 0.5, 0.3], size=40)
    for metric in a.METRICS:
        theirs = krippendorff.alpha(
            value_counts=counts, value_domain=np.array([1, 2, 5]), level_of_measurement=metric
        )  # fmt: skip
        assert a.krippendorff_alpha(counts, np.array([1, 2, 5]), metric) == pytest.approx(theirs)
    with pytest.raises(BadSpec):
        a.krippendorff_alpha(counts, metric="ratio")


def test_fit_is_the_maximum_of_the_likelihood():
    """Against the beta-binomial of scipy, maximised by scipy."""
    optimize, stats = pytest.importorskip("scipy.optimize"), pytest.importorskip("scipy.stats")
    n, real, _ = simulated(0.8, 1.7, 400, (1, 6))
    found = optimize.minimize(
        lambda x: -stats.betabinom.logpmf(real, n, *np.exp(x)).sum(), [0, 0], method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-10},
    )  # fmt: skip
    assert a.fit_beta(n, real) == pytest.approx(tuple(np.exp(found.x)), rel=1e-3)


def test_weights_are_repetitions():
    n, real, _ = simulated(1, 2, 60, 4)
    times = np.random.default_rng(5).integers(0, 4, 60)
    for statistic in (a.pairwise_agreement, a.best_accuracy, a.reliability):
        repeated = statistic(np.repeat(n, times), np.repeat(real, times))
        assert statistic(n, real, times.astype(float)) == pytest.approx(repeated, abs=1e-6)


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 1.0), (1.3, 2.9), (0.4, 0.6), (6.0, 3.0)])
def test_ceiling_is_what_the_best_predictor_reaches(alpha, beta):
    """Two votes a picture: the ceiling that is estimated against that of who knows every p, on fresh votes."""
    n, real, p = simulated(alpha, beta, 20_000, (1, 4), seed=7)
    fresh = np.random.default_rng(8).random(len(p)) < p
    reached = np.mean((p > 0.5) == fresh)
    assert a.best_accuracy(n, real) == pytest.approx(reached, abs=0.01)


@pytest.mark.parametrize("k", [3, 5])
def test_reliability_is_the_correlation_with_other_raters(k):
    """The mean of k raters against that of k others, both simulated."""
    n, real, p = simulated(1.3, 2.9, 20_000, (1, 4), seed=9)
    rng = np.random.default_rng(10)
    correlation = np.corrcoef(rng.binomial(k, p), rng.binomial(k, p))[0, 1]
    assert a.reliability(n, real, k=k) == pytest.approx(correlation, abs=0.02)


def test_within_generator_leaves_out_what_generators_differ_by():
    """Two generators, .2 and .8 real, whose own pictures are all alike: reliability high overall, none within."""
    rng = np.random.default_rng(0)
    n = np.full(4000, 3)
    generator = np.repeat(["a", "b"], 2000)
    real = rng.binomial(n, np.where(generator == "a", 0.2, 0.8))
    assert a.reliability(n, real) > 0.6
    assert a.within_generator_reliability(n, real, generator) < 0.1


@pytest.mark.slow
def test_interval_over_pictures_covers():
    """Interval coverage of the ceiling over 60 simulated studies of 400 pictures."""
    truth, held = a.beta_best_accuracy(1.3, 2.9), 0
    for seed in range(60):
        n, real, _ = simulated(1.3, 2.9, 400, 3, seed=seed)
        found = a.with_interval(a.best_accuracy, n, real, resamples=60)
        held += found.low <= truth <= found.high
    assert held >= 50


def test_samples_are_of_as_many_pictures_by_how_often_each_was_drawn():
    """10 of 40 pictures have a share of 1: the sample means are Binomial(40, 1 / 4) / 40, of sd .0685."""
    seen = []

    def share(n, real, weight=None):
        if weight is not None:
            assert weight.sum() == 40 and (weight > 0).all()
            seen.append(np.average(real / n, weights=weight))
        return float(np.average(real / n, weights=weight))

    found = a.with_interval(share, np.full(40, 2.0), np.repeat([2.0, 0.0], [10, 30]), resamples=400)
    assert found.value == 0.25 and len(seen) == 400
    assert np.mean(seen) == pytest.approx(0.25, abs=0.012) and np.std(seen) == pytest.approx(0.0685, abs=0.008)


def test_no_differences_and_total_agreement():
    """Pictures all alike have no reliability; votes that always agree have all of it, and a ceiling of 1."""
    rng = np.random.default_rng(0)
    assert a.reliability(np.full(3000, 4), rng.binomial(4, 0.5, 3000)) < 0.05
    agreed = np.r_[np.zeros(50), np.full(50, 4)]
    assert a.reliability(np.full(100, 4), agreed) > 0.98 and a.best_accuracy(np.full(100, 4), agreed) > 0.97
    with pytest.raises(BadShape, match="two votes"):
        a.fit_beta(np.ones(5), np.ones(5))
    with pytest.raises(BadShape, match="n_real <= n"):
        a.fit_beta(np.array([2]), np.array([3]))


def test_incomplete_beta_is_scipys():
    special = pytest.importorskip("scipy.special")
    rng = np.random.default_rng(0)
    for _ in range(200):
        alpha, beta, x = np.exp(rng.uniform(-4, 6)), np.exp(rng.uniform(-4, 6)), rng.uniform(0.01, 0.99)
        assert a.incomplete_beta(alpha, beta, x) == pytest.approx(special.betainc(alpha, beta, x), abs=1e-10)


def test_reliability_of_ratings_by_simulation():
    """Ratings = picture (sd 1) + noise (sd 1.5), 2 to 5 a picture: that of the mean of 5 is 1 / (1 + 2.25 / 5)."""
    rng = np.random.default_rng(0)
    unit = np.repeat(np.arange(4000), rng.integers(2, 6, 4000))
    rating = rng.normal(0, 1, 4000)[unit] + rng.normal(0, 1.5, len(unit))
    assert a.rating_reliability(unit, rating, k=5) == pytest.approx(1 / (1 + 2.25 / 5), abs=0.02)


def test_disattenuation_undoes_the_noise_of_the_labels():
    rng = np.random.default_rng(0)
    p = rng.beta(1.3, 2.9, 50_000)
    score = p + rng.normal(0, 0.2, len(p))
    noisy = np.corrcoef(score, rng.binomial(5, p))[0, 1]
    reliability = 5 / (1.3 + 2.9 + 5)
    assert a.disattenuate(noisy, reliability) == pytest.approx(np.corrcoef(score, p)[0, 1], abs=0.01)
    with pytest.raises(BadSpec):
        a.disattenuate(0.5, 1.2)


PUBLISHED = {
    "cifar10": (0.654, 0.74, 0.54, 0.38), "ffhq": (0.760, 0.83, 0.58, 0.54),
    "imagenet": (0.701, 0.78, 0.57, 0.55), "lsun": (0.680, 0.77, 0.52, 0.45),
}  # fmt: skip


def test_published_agreement_and_reliability_come_out(shared):
    """To .005, on generated pictures."""
    for data, counts in read_people(shared / "humans" / "layer6-realism" / "per-image").items():
        of = counts.rows(counts.kind == "generated")
        found = (
            a.pairwise_agreement(of.n, of.n_real),
            a.best_accuracy(of.n, of.n_real),
            a.reliability(of.n, of.n_real, k=5),
            a.within_generator_reliability(of.n, of.n_real, of.generator, k=5),
        )
        assert found == pytest.approx(PUBLISHED[data], abs=0.005)
