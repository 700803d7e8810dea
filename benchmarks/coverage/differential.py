"""Our results next to those of other packages, and float32 features next to float64: the largest differences.

    python -m benchmarks.coverage.differential

Needs: scikit-learn, SciPy, faiss-cpu and krippendorff; for rows of their own torch-fidelity, pytorch-fid, clean-fid,
prdc, vendi-score, choix, crowd-kit and statsmodels.
Takes: about 30 seconds.

A row a quantity: the largest difference of seeded data, how much is allowed, and the test that holds it; relative where
it says so. The exit status is 1 where a difference is too large. Metrics: those of `benchmarks.metrics.other_packages`.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np

from benchmarks.shared import command, head, results, row
from giqa import registry, stats
from giqa.scorers import em
from giqa.scorers.density import principal_directions
from giqa.scorers.knn import KNN
from giqa.scorers.mixture import component_log_densities, oas_shrinkage
from giqa.scorers.scale import Scale
from giqa.tables.table import Table
from giqa.votes import agreement, as_labels
from giqa.votes.aggregation import bradley_terry, dawid_skene, majority
from giqa.votes.labels import Pairs

OWN, PEERS = "tests/benchmarks/metrics/test_differential.py", "tests/benchmarks/metrics/test_other_packages.py"
QUANTILES = "tests/stats/test_quantiles.py"
SKLEARN = "scikit-learn"
SCORERS = ("sgm", "gmm(n_components=3)", "knn(k=1)", "knn(k=5)")
METRICS = ("fd", "kd", "cmmd", "precision", "recall", "density", "coverage", "authenticity", "vendi", "ds")


class Row(NamedTuple):
    """A quantity, who else computes it, the largest difference, what is allowed, and the test."""

    quantity: str
    peer: str
    difference: float
    allowed: float
    test: str


def largest(ours: object, theirs: object, relative: bool = False) -> float:
    """The largest difference of two arrays, over their own size where it is relative."""
    a, b = np.asarray(ours, float), np.asarray(theirs, float)
    return float(np.max(np.abs(a - b) / (np.abs(b) if relative else 1.0)))


def of_scorers() -> Iterator[Row]:
    """Neighbours, principal directions, shrinkage."""
    import faiss
    from sklearn.covariance import oas
    from sklearn.decomposition import PCA
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng(0)
    reals, fakes = (rng.normal(size=(n, 64)).astype(np.float32) for n in (5000, 200))
    rows, distances = KNN(preset="paper").fit(reals).neighbours(fakes, k=10)
    index = faiss.IndexFlatL2(64)
    index.add(reals)
    squares, near = index.search(fakes, 10)
    yield Row("10 nearest of 5,000, relative", "FAISS", largest(distances, np.sqrt(squares), True), 1e-5, OWN)
    exact, order = NearestNeighbors(algorithm="brute").fit(reals.astype(float)).kneighbors(fakes.astype(float), 10)
    yield Row("10 nearest of 5,000, relative", SKLEARN, largest(distances, exact, True), 1e-6, OWN)
    yield Row("share of neighbours that differ", "FAISS", float((rows != near).mean()), 1e-3, OWN)
    yield Row("share of neighbours that differ", SKLEARN, float((rows != order).mean()), 0.0, OWN)
    x = rng.normal(size=(80, 12)) @ rng.normal(size=(12, 12))
    x -= x.mean(axis=0)
    ours, theirs = principal_directions(x, 6), PCA(6).fit(x).components_
    yield Row("principal directions, cosines", SKLEARN, largest(np.abs((ours * theirs).sum(axis=1)), 1), 1e-9, OWN)
    x = rng.normal(size=(500, 120)) * np.linspace(2, 0.5, 120)
    x -= x.mean(axis=0)
    apart = largest(oas_shrinkage(x.T @ x / 500, 500), oas(x, assume_centered=True)[1])
    yield Row("OAS shrinkage; scikit-learn leaves out terms with 2 / d, d = 120", SKLEARN, apart, 1e-3, OWN)
    yield from _mixtures(rng)


def _mixtures(rng: np.random.Generator) -> Iterator[Row]:
    """Log-densities of a mixture, and one step of EM from it."""
    from scipy.special import logsumexp
    from scipy.stats import multivariate_normal
    from sklearn.mixture import GaussianMixture

    x = np.concatenate([rng.normal(size=(300, 6)) * 1.5, rng.normal(size=(200, 6)) + 1])
    start = em.estimate(x, rng.dirichlet(np.ones(3), size=500), reg=0.0)
    precisions = np.swapaxes(start.factors, 1, 2) @ start.factors
    parts = zip(start.weights, start.means, np.linalg.inv(precisions), strict=True)
    theirs = np.stack([np.log(w) + multivariate_normal(m, c).logpdf(x) for w, m, c in parts], axis=1)
    apart = largest(component_log_densities(x, start), theirs)
    yield Row("log-densities of a mixture's parts", "SciPy", apart, 1e-9, OWN)
    total, shares = em.expectation(x, start, theirs.argmax(axis=1))
    yield Row("log-density of a mixture", "SciPy", largest(total, logsumexp(theirs, axis=1)), 1e-9, OWN)
    given = {"weights_init": start.weights, "means_init": start.means, "precisions_init": precisions}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one step does not converge
        other = GaussianMixture(3, reg_covar=0.0, max_iter=1, **given).fit(x)
    step = em.estimate(x, shares, reg=0.0)
    covariances = np.linalg.inv(np.swapaxes(step.factors, 1, 2) @ step.factors)
    ours = np.r_[step.weights, step.means.ravel(), covariances.ravel()]
    theirs = np.r_[other.weights_, other.means_.ravel(), other.covariances_.ravel()]
    yield Row("a step of EM: shares, means, covariances", SKLEARN, largest(ours, theirs), 1e-9, OWN)


def of_stats() -> Iterator[Row]:
    """Ranks, quantiles, intervals, regressions."""
    from scipy import stats as scipys
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score, roc_auc_score

    rng = np.random.default_rng(1)
    a, b = rng.integers(40, size=(2, 300)).astype(float)
    said = rng.random(300) < 0.4
    yield Row("Spearman, with ties", "SciPy", largest(stats.spearman(a, b), scipys.spearmanr(a, b)[0]), 1e-12, OWN)
    yield Row("AUROC, with ties", SKLEARN, largest(stats.auroc(a, said), roc_auc_score(said, a)), 1e-12, OWN)
    theirs = scipys.mannwhitneyu(a[said], a[~said], alternative="less", method="asymptotic").pvalue
    ours = stats.mann_whitney(a[said], a[~said])[1]
    yield Row(
        "Mann-Whitney p, with ties", "SciPy", largest(stats.mann_whitney(a[said], a[~said])[1], theirs), 1e-9, OWN
    )
    guess = (a > 20).astype(float)
    ours = stats.balanced_accuracy(guess, said)
    yield Row("balanced accuracy", SKLEARN, largest(ours, balanced_accuracy_score(said, guess)), 1e-12, OWN)
    shares = [(k, n) for n in (1, 7, 60) for k in range(n + 1)]
    ours = [(s.low, s.high) for s in (stats.wilson(k, n) for k, n in shares)]
    theirs = [scipys.binomtest(k, n).proportion_ci(method="wilson") for k, n in shares]
    yield Row("Wilson's interval", "SciPy", largest(ours, [(c.low, c.high) for c in theirs]), 1e-7, OWN)
    ours, theirs = ([of(f) for f in (1, 2.5, 9, 400)] for of in (stats.student, lambda f: scipys.t.ppf(0.975, f)))
    yield Row(
        "Student's quantile, relative", "SciPy", largest(ours, theirs, True), 2e-8, "tests/stats/test_quantiles.py"
    )
    pairs = ((0.5, 3), (4, 4), (30, 200))
    ours, theirs = [stats.beta_interval(*p) for p in pairs], [scipys.beta.ppf([0.025, 0.975], *p) for p in pairs]
    yield Row("beta interval", "SciPy", largest(ours, theirs), 1e-9, QUANTILES)
    welch = scipys.ttest_ind(a[:20], b[:35], equal_var=False).confidence_interval()
    parts = [(float(x.var(ddof=1)) / len(x), len(x) - 1) for x in (a[:20], b[:35])]
    ours = stats.welch_interval(float(a[:20].mean() - b[:35].mean()), parts)
    yield Row(
        "Welch's interval", "SciPy", largest(ours, (welch.low, welch.high)), 1e-6, "tests/stats/test_jackknife.py"
    )
    x = rng.normal(size=(300, 4))
    theirs = LogisticRegression(C=2.0, tol=1e-10, max_iter=1000).fit(x, said)
    ours = stats.fit_logistic(x, said.astype(float), np.ones(300), 2.0)
    apart = largest(ours, np.r_[theirs.intercept_, theirs.coef_[0]])
    yield Row("logistic regression", SKLEARN, apart, 1e-5, "tests/stats/test_logistic.py")
    yield from _intervals(a, x[:, 0], said)


def _intervals(ties: np.ndarray, x: np.ndarray, said: np.ndarray) -> Iterator[Row]:
    """More of ranks, means, shares, calibration."""
    from scipy import special
    from scipy import stats as scipys
    from sklearn.calibration import calibration_curve
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.metrics import log_loss

    yield Row("ranks, with ties", "SciPy", largest(stats.ranks(ties), scipys.rankdata(ties)), 0.0, OWN)
    grid = [(a, b, at) for a in (0.3, 2, 40) for b in (0.7, 3, 90) for at in (0.02, 0.5, 0.9)]
    ours, theirs = ([of(*at) for at in grid] for of in (stats.incomplete_beta, special.betainc))
    yield Row("incomplete beta function", "SciPy", largest(ours, theirs), 1e-9, QUANTILES)
    ends = scipys.ttest_1samp(x, 0).confidence_interval()
    found = stats.student_mean(x)
    yield Row(
        "Student's interval of a mean", "SciPy", largest([found.low, found.high], [ends.low, ends.high]), 1e-9, OWN
    )
    ours = [stats.never(n) for n in (1, 10, 400)]
    theirs = [scipys.binomtest(0, n).proportion_ci(method="exact").high for n in (1, 10, 400)]
    yield Row("upper end of a share of 0 (Clopper, Pearson)", "SciPy", largest(ours, theirs), 1e-9, OWN)
    if find_spec("statsmodels"):
        from statsmodels.stats.proportion import confint_proportions_2indep

        found = stats.difference(stats.wilson(40, 60), stats.wilson(9, 25))
        ends = confint_proportions_2indep(40, 60, 9, 25, method="newcomb", compare="diff")
        yield Row(
            "difference of two shares (Newcombe)", "statsmodels", largest([found.low, found.high], ends), 1e-9, OWN
        )
    z = (x - x.mean()) / x.std()
    other = LogisticRegression(C=1000.0, tol=1e-12, max_iter=1000).fit(z[:, None], said)
    intercept, slope = stats.platt_scaling(x, said)
    p = other.predict_proba(z[:, None])[:, 1]
    yield Row("Platt scaling, probabilities", SKLEARN, largest(stats.sigmoid(intercept + slope * x), p), 1e-6, OWN)
    ours, theirs = -stats.log_likelihood(p, said.astype(float), np.ones(len(p))) / len(p), log_loss(said, p)
    yield Row("log loss", SKLEARN, largest(ours, theirs), 1e-12, OWN)
    shares, means = calibration_curve(said, p, n_bins=7, strategy="quantile")
    ours = [(mean, share) for mean, share, _ in stats.calibration(p, said.astype(float), bins=7)]
    yield Row("calibration curve of 7 bins", SKLEARN, largest(ours, np.c_[means, shares]), 1e-9, OWN)
    design, targets = np.c_[x, x**2, np.ones(len(x))], np.c_[said, x**3]
    other = Ridge(alpha=0.3 * len(x), tol=1e-12).fit(design[:, :2], targets)
    ours = stats.ridge(design, targets, 0.3)
    yield Row("ridge regression", SKLEARN, largest(ours, np.c_[other.coef_, other.intercept_].T), 1e-9, OWN)


def of_votes() -> Iterator[Row]:
    """What people said: agreement, consensus, strengths."""
    import krippendorff
    from scipy import optimize
    from scipy import stats as scipys

    rng = np.random.default_rng(3)
    counts = rng.multinomial(6, [0.4, 0.3, 0.2, 0.1], size=50)
    counts[:20] = rng.multinomial(5, [0.1, 0.1, 0.2, 0.6], size=20)
    for metric in agreement.METRICS:
        ours = agreement.krippendorff_alpha(counts, np.arange(4), metric)
        theirs = krippendorff.alpha(value_counts=counts, value_domain=[0, 1, 2, 3], level_of_measurement=metric)
        yield Row(f"Krippendorff's alpha, {metric}", "krippendorff", largest(ours, theirs), 1e-12, OWN)
    n = rng.integers(1, 12, size=200)
    real = rng.binomial(n, rng.beta(2.0, 3.0, size=200))

    def loss(logs: np.ndarray) -> float:
        return -float(scipys.betabinom.logpmf(real, n, *np.exp(logs)).sum())

    best = optimize.minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-10})
    a, b = np.exp(best.x)
    yield Row("beta of votes, relative", "SciPy", largest(agreement.fit_beta(n, real), (a, b), True), 1e-4, OWN)
    known = scipys.beta(a, b).expect(lambda p: max(p, 1 - p), points=[0.5])
    yield Row("best accuracy", "SciPy", largest(agreement.beta_best_accuracy(a, b), known), 1e-7, OWN)
    ratings = rng.normal(size=(40, 1)) + rng.normal(size=(40, 5))
    f = scipys.f_oneway(*ratings).statistic
    ours = agreement.rating_reliability(np.repeat(np.arange(40), 5), ratings.ravel(), k=5)
    yield Row("reliability of 5 ratings (1 - 1 / F)", "SciPy", largest(ours, 1 - 1 / f), 1e-12, OWN)
    yield Row("Bradley-Terry strengths", SKLEARN, _strengths(rng), 1e-4, "tests/votes/test_aggregation.py")
    yield from _consensus(rng)


def _consensus(rng: np.random.Generator) -> Iterator[Row]:
    if find_spec("choix"):
        import choix

        wins = rng.integers(3, 18, size=(8, 8)).astype(float)
        np.fill_diagonal(wins, 0)
        left, right = np.nonzero(wins)
        pairs = Pairs(left.astype(str), right.astype(str), wins[left, right], np.zeros(56), np.full(56, ""))
        found, theirs = bradley_terry(pairs, prior=0), choix.ilsr_pairwise_dense(wins, tol=1e-12, max_iter=1000)
        ours = found.strength[np.argsort(found.name.astype(int))]
        yield Row("Bradley-Terry strengths", "choix", largest(ours, theirs - theirs.mean()), 1e-6, OWN)
    if find_spec("crowdkit") and find_spec("nltk"):
        import pandas
        from crowdkit.aggregation import DawidSkene, MajorityVote

        truth, skill = rng.random(80) < 0.4, np.linspace(0.6, 0.95, 9)
        said = np.where(rng.random((80, 9)) < skill, truth[:, None], ~truth[:, None]).astype(int).ravel()
        table = {"task": np.repeat(np.arange(80), 9), "worker": np.tile(np.arange(9), 80), "label": said}
        names = {"image": table["task"].astype(str), "rater": table["worker"].astype(str), "said_real": said}
        votes, theirs = as_labels(Table("votes", names)), pandas.DataFrame(table)
        for label, ours, other, allowed in (
            ("share of votes", majority(votes), MajorityVote(), 1e-12),
            ("Dawid-Skene; crowd-kit adds no 0.01 to a cell", dawid_skene(votes), DawidSkene(1000, 1e-9), 1e-2),
        ):
            p = other.fit_predict_proba(theirs)[1].to_numpy()
            yield Row(label, "crowd-kit", largest(ours.p_real[np.argsort(ours.image.astype(int))], p), allowed, OWN)


def _strengths(rng: np.random.Generator) -> float:
    from sklearn.linear_model import LogisticRegression

    left, right = np.triu_indices(6, 1)
    wins = rng.integers(3, 18, size=15).astype(float)
    design = np.eye(6)[left] - np.eye(6)[right]
    other = LogisticRegression(C=1e10, fit_intercept=False, tol=1e-12, max_iter=5000)
    sides = np.r_[np.ones(15), np.zeros(15)]
    theirs = other.fit(np.r_[design, design], sides, np.r_[wins, 20 - wins]).coef_[0]
    found = bradley_terry(Pairs(left.astype(str), right.astype(str), wins, 20 - wins, np.full(15, "")), prior=0)
    return largest(found.strength[np.argsort(found.name.astype(int))], theirs - theirs.mean())


def of_metrics() -> Iterator[Row]:
    """Every metric next to the packages that are installed, and to the definitions by SciPy and scikit-learn."""
    from benchmarks.metrics.other_packages import agreements

    for name, label, ours, theirs, allowed in agreements():
        yield Row(name, label, abs(ours - theirs), allowed, PEERS)


def of_precision() -> Iterator[Row]:
    """The same features as float64 and rounded to float32: z of pictures, and metrics over their own value."""
    rng = np.random.default_rng(2)
    reals, fakes = rng.normal(size=(120, 16)) + 3, rng.normal(size=(80, 16)) * 1.2 + 3.3
    folds = np.arange(120) % 5

    def z(spec: str, dtype: type) -> np.ndarray:
        scorer = registry.make("scorer", spec, seed=0).fit(reals.astype(dtype), folds=folds)
        return Scale(scorer.held_out_).z(scorer.score_samples(fakes.astype(dtype)))

    for spec in SCORERS:
        yield Row(f"z, {spec}", "float32 and float64", largest(z(spec, np.float32), z(spec, np.float64)), 1e-4, OWN)
    for name in METRICS:
        metric = registry.make("metric", name, seed=0)
        single, double = (metric(reals.astype(t), fakes.astype(t)) for t in (np.float32, np.float64))
        apart = abs(single - double) / max(1.0, abs(double))
        yield Row(f"{name}, over its value from 1", "float32 and float64", apart, 1e-4, OWN)


PARTS: dict[str, Callable[[], Iterator[Row]]] = {
    "scorers": of_scorers,
    "stats": of_stats,
    "votes": of_votes,
    "metrics": of_metrics,
    "precision": of_precision,
}
PACKAGES = {"FAISS": "faiss-cpu"} | {
    n: n for n in ("SciPy", SKLEARN, "krippendorff", "statsmodels", "choix", "crowd-kit")
}


def named(peer: str) -> str:
    """With its version, where a package has that name."""
    try:
        return f"{peer} {version(PACKAGES[peer])}"
    except (KeyError, PackageNotFoundError):
        return peer


def main() -> None:
    parser = command(__file__, __doc__)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    wrong = 0
    with results(options):
        head("quantity", "peer", "largest difference", "allowed", "held by")
        for part in PARTS.values():
            for r in part():
                wrong += not r.difference <= r.allowed
                row(r.quantity, named(r.peer), f"{r.difference:.1g}", f"{r.allowed:.1g}", f"`{r.test}`")
        print(f"\nNumPy {np.__version__}.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
