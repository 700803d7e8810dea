import warnings

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from giqa.errors import BadShape, BadSpec
from giqa.scorers.density import principal_directions
from giqa.scorers.gmm import GMM, SGM
from giqa.scorers.mixture import (
    Mixture,
    component_log_densities,
    log_density,
    log_density_at_modes,
    oas_shrinkage,
    responsibilities,
)
from giqa.scorers.model_selection import ALONE
from giqa.testing import check_reference_scorer

TWO = Mixture(np.array([0.25, 0.75]), np.array([[0.0], [4.0]]), np.array([[[1.0]], [[0.5]]]))  # deviations 1 and 2


def blobs(n=400, d=5, m=3, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(m, d)) * 5
    shapes = rng.normal(size=(m, d, d)) * 0.7
    return np.concatenate([c + rng.normal(size=(n, d)) @ s for c, s in zip(centres, shapes, strict=True)])


def test_density_is_equation_5():
    """p(x) = sum_m w_m N(x; mean_m, covariance_m), by hand at x = 0 and x = 4 for deviations 1 and 2."""
    normal = 1 / np.sqrt(2 * np.pi)
    at_0 = 0.25 * normal + 0.75 * normal / 2 * np.exp(-2)
    at_4 = 0.25 * normal * np.exp(-8) + 0.75 * normal / 2
    assert np.exp(log_density(np.array([[0.0], [4.0]]), TWO)) == pytest.approx([at_0, at_4])


def test_responsibilities_are_bayes_rule():
    """Share of the first component at x = 0 by hand: .25 / (.25 + .75 / 2 e^-2)."""
    expected = 0.25 / (0.25 + 0.375 * np.exp(-2))
    assert responsibilities(np.array([[0.0]]), TWO)[0] == pytest.approx([expected, 1 - expected])


def test_log_density_agrees_with_scikit_learn():
    """1e-6 relative at the same parameters (it comes to 1e-13)."""
    x = blobs()
    theirs = GaussianMixture(3, random_state=0).fit(x)
    ours = Mixture(theirs.weights_, theirs.means_, np.stack([p.T for p in theirs.precisions_cholesky_]))
    assert log_density(x, ours) == pytest.approx(theirs.score_samples(x), rel=1e-6)
    assert responsibilities(x, ours) == pytest.approx(theirs.predict_proba(x), abs=1e-9)


def test_paper_is_the_density_and_released_its_logarithm():
    """Equation 6 under `paper`; `released` without projection is its logarithm."""
    x = blobs()
    paper = GMM(n_components=3, preset="paper").fit(x).score_samples(x[:20])
    released = GMM(n_components=3, pca=None, preset="released").fit(x).score_samples(x[:20])
    assert np.log(paper) == pytest.approx(released)


def test_single_gaussian_by_hand():
    """Mean 0 and variance 1 (+ ridge 1e-6): log p(0) = -log(2 pi 1.000001) / 2, log p(2) = that - 2 / 1.000001."""
    x = np.array([[-1.0], [1.0]] * 50)
    at_0, at_2 = SGM(preset="released", pca=None).fit(x).score_samples(np.array([[0.0], [2.0]]))
    assert at_0 == pytest.approx(-0.5 * np.log(2 * np.pi * 1.000001))
    assert at_2 == pytest.approx(at_0 - 2 / 1.000001)


def test_recommended_with_one_component_is_minus_mahalanobis_distance():
    """score = -|x - mean| in the metric of the shrunk covariance, by a second implementation."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4)) @ rng.normal(size=(4, 4))
    sgm = SGM(pca=None, shrinkage=1.0).fit(x)
    standard = (x - x.mean(axis=0)) / x.std(axis=0)
    covariance = np.cov(standard.T, bias=True)
    a = oas_shrinkage(covariance, 300)
    covariance = (1 - a) * covariance + a * np.trace(covariance) / 4 * np.eye(4)
    expected = -np.sqrt(np.einsum("ij,jk,ik->i", standard, np.linalg.inv(covariance), standard))
    assert sgm.score_samples(x) == pytest.approx(expected, rel=1e-5)


def test_one_gaussian_is_shrunk_as_little_as_held_out_reals_allow():
    """Two directions a hundred times thinner than the others, 400 reals: 1 % of the OAS rounding; 24 reals: not less
    than what is likelier. Both against the likelihood of other pictures of the same kind."""
    rng = np.random.default_rng(0)
    thin = np.diag([1, 1, 1, 1, 0.01, 0.01]) @ rng.normal(size=(6, 6))
    many, few, others = (rng.normal(size=(n, 6)) @ thin for n in (400, 24, 2000))
    for x in (many, few):
        chosen = SGM(pca=None).fit(x).log_density(others).mean()
        tried = [SGM(pca=None, shrinkage=s).fit(x).log_density(others).mean() for s in ALONE]
        assert chosen >= max(tried) - 0.5
    assert (
        SGM(pca=None).fit(many).log_density(others).mean()
        > SGM(pca=None, shrinkage=1.0).fit(many).log_density(others).mean() + 0.5
    )


def test_recommended_measures_what_lies_outside_the_directions():
    """log p = Gaussian in q directions + isotropic Gaussian of the measured variance in the d - q others."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 10)) * np.array([5.0] * 3 + [1.0] * 7)
    sgm = SGM(pca=3).fit(x)
    inside = (x - sgm.mean_[0]) / sgm.spread_[0] @ sgm.directions_[0].T
    rest = (((x - sgm.mean_[0]) / sgm.spread_[0]) ** 2).sum(axis=1) - (inside**2).sum(axis=1)
    expected = log_density(inside, Mixture(sgm.weights_[0], sgm.means_[0], sgm.factors_[0]))
    expected -= 0.5 * (rest / sgm.outside_ + 7 * np.log(2 * np.pi * sgm.outside_))
    assert sgm.log_density(x) == pytest.approx(expected)
    assert (np.argsort(sgm.score_samples(x)) == np.argsort(sgm.log_density(x))).all()


def test_no_density_is_above_the_ceiling():
    """The bound that the distance is measured from: components at their own means, added up."""
    ceiling = log_density_at_modes(TWO)
    assert ceiling == pytest.approx(np.log(0.25 / np.sqrt(2 * np.pi) + 0.375 / np.sqrt(2 * np.pi)))
    assert (log_density(np.linspace(-9, 9, 500)[:, None], TWO) <= ceiling).all()


def test_shrinkage_by_hand():
    """OAS (Chen et al. 2010, eq. 23) in 2 dimensions, S = diag(3, 1), n = 16: 16 / (16 (10 - 8)) = 1/2."""
    assert oas_shrinkage(np.diag([3.0, 1.0]), 16) == pytest.approx(0.5)
    assert oas_shrinkage(np.eye(2), 16) == 1.0


def test_number_of_components_is_found():
    """Three well separated blobs: held-out likelihood chooses 3; one blob: 1. The choice is seeded."""
    three, one = blobs(n=300), np.random.default_rng(0).normal(size=(600, 5))
    assert GMM().fit(three).weights_.shape[1] == 3
    assert GMM().fit(one).weights_.shape[1] == 1
    assert (GMM(seed=5).fit(three).score_samples(three) == GMM(seed=5).fit(three).score_samples(three)).all()


def test_directions_are_the_principal_ones():
    """Against numpy's SVD, for more rows than columns and fewer; a share of variance takes as many as it needs."""
    rng = np.random.default_rng(0)
    for shape in ((50, 6), (5, 20)):
        x = rng.normal(size=shape) * np.linspace(5, 1, shape[1])
        x -= x.mean(axis=0)
        rows = principal_directions(x, 3)
        expected = np.linalg.svd(x, full_matrices=False)[2][:3]
        assert np.abs(np.sum(rows * expected, axis=1)) == pytest.approx(np.ones(3))
    shares = np.cumsum(np.linalg.svd(x)[1] ** 2) / np.sum(np.linalg.svd(x)[1] ** 2)
    assert len(principal_directions(x, 0.8)) == np.sum(shares < 0.8) + 1


def test_warns_when_a_full_covariance_would_memorise():
    """7 full covariances in 60 dimensions from 200 reals: fewer than two reals a dimension and component."""
    x = np.random.default_rng(0).normal(size=(200, 60))
    with pytest.warns(UserWarning, match="200 reals for 7 full covariances in up to 60 dimensions"):
        GMM(preset="released", pca=None).fit(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        GMM().fit(x)


def test_refuses_fewer_reals_than_components_can_use():
    with pytest.raises(BadShape, match="needs at least 14 real pictures, got 10"):
        GMM(preset="released", pca=None).fit(np.random.default_rng(0).normal(size=(10, 2)))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"n_components": 0}, "whole number"),
        ({"n_components": "7"}, "whole number"),
        ({"covariance": "round"}, "'full' or 'diag'"),
        ({"pca": 1.5}, "share between 0 and 1"),
        ({"pca": 0}, "share between 0 and 1"),
        ({"shrinkage": 2}, "from 0 to 1"),
        ({"reg": -1}, "from 0"),
        ({"n_init": 0}, "whole number"),
        ({"preset": "x"}, "paper, released, recommended"),
    ],
)
def test_refuses_senseless_parameters(given, wanted):
    with pytest.raises(BadSpec, match=wanted):
        GMM(**given).fit(np.zeros((50, 2)))


def test_component_logs_sum_to_the_density():
    x = np.linspace(-3, 7, 11)[:, None]
    assert np.log(np.exp(component_log_densities(x, TWO)).sum(axis=1)) == pytest.approx(log_density(x, TWO))


@pytest.mark.parametrize("preset", ["paper", "released", "recommended"])
@pytest.mark.parametrize("make", [SGM, GMM, lambda preset: GMM(n_components=3, covariance="diag", preset=preset)])
def test_contract(preset, make):
    """Every preset keeps the promises of a reference scorer in 6 dimensions, where no density underflows."""
    check_reference_scorer(lambda: make(preset=preset))


@pytest.mark.filterwarnings("ignore:GMM. 30 reals for 1 full covariances")
@pytest.mark.parametrize("make", [SGM, GMM, lambda: SGM(preset="released")])
def test_reals_that_lose_rank_in_a_fold(make):
    """A feature that only one real has, fewer reals than dimensions: all folds take the directions of the poorest."""
    rng = np.random.default_rng(0)
    rare = np.zeros((100, 6))
    rare[:, :3], rare[7, 5] = rng.normal(size=(100, 3)), 4.0
    for x in (rare, rng.normal(size=(30, 200))):
        folds = np.arange(len(x)) % 5
        scorer = make().fit(x, folds=folds)
        assert np.isfinite(scorer.score_samples(x)).all() and np.isfinite(scorer.held_out_).all()
        assert scorer.score_folds(x).shape == (len(x), 5)


def test_shrinkage_is_what_was_asked():
    """One component: 0 leaves the covariance as it is, 1 is the OAS estimate, 1/2 lies half way."""
    x = np.random.default_rng(0).normal(size=(40, 5)) * np.arange(1, 6)

    def covariance(shrinkage):
        (factor,) = SGM(preset="released", pca=None, shrinkage=shrinkage, reg=0.0).fit(x).factors_[0]
        inverse = np.linalg.inv(factor)
        return inverse @ inverse.T

    own = np.cov(x.T, bias=True)
    a = oas_shrinkage(own, 40)
    round_ = (1 - a) * own + a * np.trace(own) / 5 * np.eye(5)
    for shrinkage, expected in ((None, own), (0.0, own), (1.0, round_), (0.5, (own + round_) / 2)):
        assert covariance(shrinkage) == pytest.approx(expected)


def test_fit_has_the_same_bits_with_any_number_of_threads():
    """Refitted with 1 or 2 BLAS threads, 577 dimensions: the same scores, bit for bit."""
    x = np.random.default_rng(0).normal(size=(300, 577)).astype(np.float32)
    scores = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            scores.append(GMM().fit(x).score_samples(x))
    assert np.array_equal(*scores)
