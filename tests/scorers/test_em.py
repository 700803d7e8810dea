import warnings

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

from giqa.errors import BadShape
from giqa.scorers import em
from giqa.scorers.em import estimate, expectation, factor_of, fit_mixture, kmeans
from giqa.scorers.mixture import Mixture, log_density, responsibilities


def clusters(n=300, q=200, seed=0):
    """Pictures of four Gaussians, whose they are, and the Gaussians: the first two overlap, the others lie far off."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(4, q)) * 0.3
    centres[1] = centres[0] + 0.02
    whose = rng.integers(4, size=n)
    root = np.linalg.qr(rng.normal(size=(q, q)))[0] * np.geomspace(3, 0.1, q)
    mixture = Mixture(np.full(4, 0.25), centres, np.stack([factor_of(root @ root.T)] * 4))
    return centres[whose] + rng.normal(size=(n, q)) @ root.T, whose, mixture


def test_em_follows_scikit_learn_step_by_step(monkeypatch):
    """From the same start, 5 steps of EM give scikit-learn's parameters."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(150, 5)) + c for c in rng.normal(size=(3, 5)) * 5])
    start = Mixture(np.full(3, 1 / 3), x[rng.choice(len(x), 3, replace=False)], np.stack([np.eye(5)] * 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn says that 5 steps are few
        theirs = GaussianMixture(
            3,
            weights_init=start.weights,
            means_init=start.means,
            precisions_init=start.factors,
            max_iter=5,
            tol=0,
            reg_covar=1e-6,
        ).fit(x)
    monkeypatch.setattr(em, "STEPS", 4)  # from shares, which are the first
    monkeypatch.setattr(em, "CONVERGED", 0.0)
    ours, settled = fit_mixture(x, 3, rng=rng, shares=responsibilities(x, start), reg=1e-6)
    assert not settled
    assert ours.weights == pytest.approx(theirs.weights_, rel=1e-8)
    assert ours.means == pytest.approx(theirs.means_, rel=1e-8)
    assert log_density(x, ours) == pytest.approx(theirs.score_samples(x), rel=1e-8)


@pytest.mark.parametrize("likely", ["own", "wrong", "all the same"])
def test_expectation_is_bayes_rule_whatever_was_thought_likely(likely):
    """log p(x) and shares as scipy's densities give them, though most pairs are never computed to the end."""
    x, whose, mixture = clusters()
    covariances = [np.linalg.inv(f.T @ f) for f in mixture.factors]
    pairs = zip(mixture.weights, mixture.means, covariances, strict=True)
    logs = np.stack([np.log(w) + multivariate_normal(mean, c).logpdf(x) for w, mean, c in pairs], axis=1)
    guess = {"own": whose, "wrong": (whose + 1) % 4, "all the same": np.zeros(len(x), int)}[likely]
    total, shares = expectation(x, mixture, guess)
    assert total == pytest.approx(logsumexp(logs, axis=1), rel=1e-9)
    assert shares == pytest.approx(np.exp(logs - logsumexp(logs, axis=1, keepdims=True)), abs=1e-9)
    assert (shares == 0).any() and np.sort(shares, axis=1)[:, -2].max() > 0.1  # some are left out, some shared


def test_estimate_is_the_weighted_mean_and_covariance():
    """Against numpy's, with fractional shares and the ridge; a diagonal one keeps the diagonal."""
    rng = np.random.default_rng(1)
    x, shares = rng.normal(size=(60, 150)), rng.dirichlet((1, 1), 60)
    found = estimate(x, shares, reg=0.1)
    flat = estimate(x, shares, reg=0.1, diagonal=True)
    for m in range(2):
        covariance = np.cov(x.T, aweights=shares[:, m], ddof=0)
        assert found.means[m] == pytest.approx(np.average(x, axis=0, weights=shares[:, m]))
        whitened = found.factors[m] @ (covariance + 0.1 * np.eye(150)) @ found.factors[m].T
        assert whitened == pytest.approx(np.eye(150), abs=1e-9)
        assert np.diagonal(flat.factors[m]) == pytest.approx((np.diagonal(covariance) + 0.1) ** -0.5)
    assert found.weights == pytest.approx(shares.mean(axis=0))


def test_a_covariance_is_moved_to_its_target():
    """Three quarters of numpy's and a quarter of the target, and the ridge."""
    rng = np.random.default_rng(2)
    x, target = rng.normal(size=(40, 3)), np.diag([1.0, 2.0, 3.0])
    factor = estimate(x, np.ones((40, 1)), shrinkage=0.25, target=target, reg=0.1).factors[0]
    moved = 0.75 * np.cov(x.T, ddof=0) + 0.25 * target + 0.1 * np.eye(3)
    assert factor @ moved @ factor.T == pytest.approx(np.eye(3))
    assert np.array_equal(estimate(x, np.ones((40, 1)), target=target).factors, estimate(x, np.ones((40, 1))).factors)


@pytest.mark.parametrize(("n_components", "given", "starts"), [(2, False, 3), (1, False, 1), (2, True, 0)])
def test_only_several_components_without_shares_start_several_times(monkeypatch, n_components, given, starts):
    seen, own = [], em.kmeans
    monkeypatch.setattr(em, "kmeans", lambda *how: seen.append(how) or own(*how))
    x, shares = clusters(n=60, q=2)[0], np.eye(2)[np.arange(60) % 2] if given else None
    fit_mixture(x, n_components, rng=np.random.default_rng(0), shares=shares, n_init=3)
    assert len(seen) == starts


def test_it_ends_where_a_step_changes_next_to_nothing():
    """A blob within a wider one, slow to tell apart: another step raises the mean log-density by less than 1e-3."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(150, 2)), rng.normal(size=(150, 2)) * 5])
    mixture, converged = fit_mixture(x, 2, rng=np.random.default_rng(1))
    total, shares = expectation(x, mixture, np.zeros(300, int))
    again = expectation(x, estimate(x, shares), np.zeros(300, int))[0]
    assert converged and 0 <= again.mean() - total.mean() < 1e-3


@pytest.mark.parametrize("q", [1, 128, 129, 300])
def test_factor_whitens_and_is_lower(q):
    root = np.random.default_rng(2).normal(size=(q, q + 5))
    covariance = root @ root.T
    factor = factor_of(covariance)
    assert factor @ covariance @ factor.T == pytest.approx(np.eye(q), abs=1e-6)
    assert not np.triu(factor, 1).any()


def test_a_singular_covariance_is_refused():
    with pytest.raises(BadShape, match="singular"):
        factor_of(np.zeros((2, 2)))


def test_same_bits_with_any_number_of_threads():
    from threadpoolctl import threadpool_limits

    x, whose, _ = clusters(n=2000, q=150)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(fit_mixture(x, 4, rng=None, shares=np.eye(4)[whose], reg=1e-2)[0])
    for one, two in zip(*found, strict=True):
        assert np.array_equal(one, two)


def test_kmeans_leaves_no_cluster_empty_and_finds_blobs():
    """Every label is used, even when points repeat; separated blobs are found."""
    assert set(kmeans(np.repeat(np.arange(3.0), 10)[:, None], 3, np.random.default_rng(0))) == {0, 1, 2}
    assert len(set(kmeans(np.array([[0.0], [0.0], [0.0], [1.0]]), 2, np.random.default_rng(1)))) == 2
    labels = kmeans(np.r_[np.zeros((20, 2)), np.full((20, 2), 9.0)], 2, np.random.default_rng(0))
    assert len(set(labels[:20])) == len(set(labels[20:])) == 1 and labels[0] != labels[-1]
