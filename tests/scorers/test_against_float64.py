"""Reference scorers against slow second implementations in float64: clusters, copies, scales, far from 0."""

import itertools

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from giqa import registry
from giqa.scorers.gmm import GMM
from giqa.scorers.knn import KNN

CASES = list(itertools.product((1.0, 0.1, 1e-2, 1e-3, 1e-4), (1, 8)))


def clusters(spread, copies, seed, n=320, d=6):
    rng = np.random.default_rng(seed)
    places = rng.normal(size=(8, d))
    some = rng.integers(8, size=n // copies)
    reals = np.repeat(places[some] + spread * rng.normal(size=(n // copies, d)), copies, axis=0)
    return reals, places[rng.integers(8, size=20)] + spread * rng.normal(size=(20, d))


@pytest.mark.parametrize("k", [1, 5, 150])
def test_knn_is_the_mean_of_float64_distances(k):
    """-log of the mean of the k smallest, to what standardised features carry that are kept as float32."""
    for seed, (spread, copies) in enumerate(CASES):
        reals, fakes = clusters(spread, copies, seed)
        mean, sd = reals.mean(axis=0), reals.std(axis=0)
        near = np.sort(cdist((fakes - mean) / sd, (reals - mean) / sd), axis=1)[:, :k]
        knn = KNN(k=k).fit(reals)
        wanted = -np.log(np.maximum(near, knn.floor_).mean(axis=1))  # nearer than the floor counts as the floor
        assert knn.score_samples(fakes) == pytest.approx(wanted, abs=1e-5 + 5e-7 / spread)


@pytest.mark.parametrize("n_components", [1, 3])
def test_gmm_is_the_sum_of_its_gaussians(n_components):
    """log p by a loop over components with numpy's solve and determinant, of what was fitted; copies and clusters."""
    for seed, (spread, copies) in enumerate(CASES[:8]):
        reals, fakes = clusters(spread, copies, seed)
        gmm = GMM(n_components, pca=None, preset="released").fit(reals)
        density = gmm._density(0)
        x, total = (fakes - density.mean) / density.spread, 0.0
        for weight, mean, factor in zip(density.weights, density.means, density.factors, strict=True):
            covariance = np.linalg.inv(factor.T @ factor)
            far = np.einsum("ij,ij->i", x - mean, np.linalg.solve(covariance, (x - mean).T).T)
            total = total + weight * np.exp(-0.5 * (far + np.linalg.slogdet(2 * np.pi * covariance)[1]))
        usual = total > 1e-200
        assert gmm.score_samples(fakes)[usual] == pytest.approx(np.log(total[usual]), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("spec", ["sgm", "knn", "knn(k=5)", "multilayer"])
def test_scale_and_origin_do_not_matter_to_scorers_that_standardise(spec):
    """Features times .001 or 1,000, or 1,000 spreads from 0: the same z, for reals with copies too."""

    def z(change, reals, fakes, folds):
        scorer = registry.make("scorer", spec).fit(change(reals), folds=folds)
        middle = np.median(scorer.held_out_)
        return (scorer.score_samples(change(fakes)) - middle) / np.median(np.abs(scorer.held_out_ - middle))

    for spread, copies in ((1.0, 1), (0.1, 4)):
        reals, fakes = clusters(spread, copies, 0, n=80)
        folds = np.arange(80) // copies % 5
        whole = z(lambda x: x, reals, fakes, folds)
        for change in (lambda x: x * 1e-3, lambda x: x * 1e3, lambda x: x + 1e3):
            assert z(change, reals, fakes, folds) == pytest.approx(whole, rel=1e-4, abs=1e-4)
