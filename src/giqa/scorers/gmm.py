"""GMM-GIQA: a picture is good when a mixture of Gaussians fitted on real pictures finds it likely (GIQA, eq. 5-6)."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple, Self

import numpy as np

from ..errors import BadShape, BadSpec, NotFitted
from ..registry import PRESETS
from .mixture import (
    Mixture,
    estimate,
    fit_mixture,
    log_density,
    log_density_at_modes,
    responsibilities,
    shrunk_to_round,
)
from .products import ROWS_AT_ONCE, as_matrix, standardiser, steady_product
from .scale import jackknife


class Settings(NamedTuple):
    """What a preset decides, and what `recommended` chooses by the likelihood of held-out reals."""

    n_components: int
    covariance: str  # "full" or "diag"
    pca: float | int | None  # share of variance, number of directions, or None for no projection
    shrinkage: float | None  # towards the covariance of all reals, itself shrunk by OAS; None for none
    reg: float
    n_init: int
    standardise: bool


class Density(NamedTuple):
    """log p(x): standardise, project, mixture; what is left outside the projection is an isotropic Gaussian."""

    mean: np.ndarray  # (d,)
    spread: np.ndarray  # (d,)
    directions: np.ndarray  # (q, d), orthonormal rows; (0, d) stands for no projection
    weights: np.ndarray
    means: np.ndarray
    factors: np.ndarray

    @property
    def mixture(self) -> Mixture:
        return Mixture(self.weights, self.means, self.factors)


FIXED = {
    "paper": Settings(7, "full", None, None, 1e-6, 1, False),
    "released": Settings(7, "full", 0.95, None, 1e-6, 1, False),
    "recommended": Settings(1, "full", 64, 0.0, 1e-9, 3, True),
}
COMPONENTS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100)  # tried by `recommended` while n / (2 q) allows
SHRINKAGES = (0.1, 0.3, 0.6)  # tried with more than one component
RESERVED = 0.25  # of the reals, for choosing


class GMM:
    """GMM-GIQA: how likely a picture's features are under a mixture of Gaussians fitted on reals.

    ============= =============== ============ =========================================================
    preset        score           M            projection and covariance
    ============= =============== ============ =========================================================
    paper         p(x)   (eq. 6)  7            none; full, ridge 1e-6
    released      log p(x)        7            PCA 95 % of variance; full, ridge 1e-6
    recommended   -distance       1 to 100     standardised; PCA 64 and an isotropic Gaussian outside;
                                               full or diagonal, shrunk; chosen by held-out likelihood
    ============= =============== ============ =========================================================

    The distance is sqrt(2 (c - log p(x))), c the sum of all components at their own means: with one component exactly
    Mahalanobis'. It has the order of log p, but reals spread evenly in it where log p has a long tail, so that z
    stays readable (`docs/accuracy.md`); `log_density` gives log p itself.

    `recommended` keeps what lies outside the 64 directions, where weak generators give themselves away, as an
    isotropic Gaussian whose variance is measured on reals that the directions have not seen. A parameter that is
    given replaces the preset's. Under `paper` a density in hundreds of dimensions under- or overflows.

    >>> reals = np.random.default_rng(0).normal(size=(500, 2))
    >>> gmm = GMM(n_components=1, pca=None, preset="released").fit(reals)
    >>> near, far = gmm.score_samples(np.array([[0., 0.], [5., 5.]]))
    >>> bool(near > far)
    True

    `features`: (n, d) array or `Features`. Range: below 0 (`released`: any number, `paper`: above 0). Seeded by `seed`.
    Errors: `BadShape` for fewer reals than components or a singular covariance; a warning when a full covariance has
    fewer than two reals a component for each of its dimensions.
    """

    def __init__(
        self,
        n_components: int | None = None,
        covariance: str | None = None,
        pca: float | int | str | None = "preset",
        shrinkage: float | None = None,
        reg: float | None = None,
        n_init: int | None = None,
        seed: int = 0,
        preset: str = "recommended",
    ):
        self.n_components = n_components
        self.covariance = covariance
        self.pca = pca
        self.shrinkage = shrinkage
        self.reg = reg
        self.n_init = n_init
        self.seed = seed
        self.preset = preset

    def fit(self, features: Any, y: Any = None, folds: np.ndarray | None = None) -> Self:
        """Learn the density; `folds` (n,) of 0..F-1 also learns it without each fold (`score_folds`, `held_out_`)."""
        matrix = as_matrix(features)
        settings = self._settings()
        self.n_features_in_ = matrix.shape[1]
        self.outside_ = 1.0
        if self.preset == "recommended":
            settings, self.outside_ = _choose(matrix, settings, self._given(), np.random.default_rng(self.seed))
        self.chosen_ = np.array([settings.n_components, settings.covariance == "diag", settings.shrinkage or 0.0])
        _check_enough(matrix, settings)
        folds = np.zeros(len(matrix), int) if folds is None else np.asarray(folds)
        kept = [folds != f for f in range(folds.max() + 1) if folds.max()]
        whole = _fit_density(matrix, settings, np.random.default_rng(self.seed))
        if settings.pca is not None:  # a share of variance may ask for another number of directions in a fold
            settings = settings._replace(pca=len(whole.directions))
        # each fold's EM starts where that of all reals ended: folds then differ by their pictures, not by luck
        shares = responsibilities(_inside(matrix, whole), whole.mixture)
        parts = [_fit_density(matrix[keep], settings, None, shares[keep]) for keep in kept]
        densities = [whole, *parts]
        for name, values in zip(Density._fields, zip(*densities, strict=True), strict=True):
            setattr(self, f"{name}_", np.stack(values))
        self.held_out_ = np.full(len(matrix), np.nan)
        for f in range(len(parts)):
            self.held_out_[folds == f] = self._score(matrix[folds == f], f + 1)
        return self

    def score_samples(self, features: Any) -> np.ndarray:
        """One score a picture, float64 (n,)."""
        return self._score(self._checked(features), 0)

    def score_folds(self, features: Any) -> np.ndarray:
        """The score under the density without each fold in turn, float64 (n, F)."""
        matrix = self._checked(features)
        return np.stack([self._score(matrix, part) for part in range(1, len(self.mean_))], axis=1)

    def score_with_deviation(self, features: Any) -> tuple[np.ndarray, np.ndarray]:
        """Scores, and how much each would vary with other reals (jackknife over the folds), both float64 (n,)."""
        return self.score_samples(features), jackknife(self.score_folds(features))

    def _checked(self, features: Any) -> np.ndarray:
        if not hasattr(self, "mean_"):
            raise NotFitted("Call fit(reals) before asking for scores.")
        return as_matrix(features, self.n_features_in_)

    def _score(self, matrix: np.ndarray, part: int) -> np.ndarray:
        density = self._density(part)
        steps = range(0, len(matrix), ROWS_AT_ONCE)
        logs = [_log_density(matrix[i : i + ROWS_AT_ONCE], density, self._outside()) for i in steps]
        log_p = np.concatenate(logs) if logs else np.empty(0)
        if self.preset == "recommended":
            return -np.sqrt(2 * np.maximum(_ceiling(density, self._outside()) - log_p, 0.0))
        with np.errstate(over="ignore", under="ignore"):
            return np.exp(log_p) if self.preset == "paper" else log_p

    def log_density(self, features: Any) -> np.ndarray:
        """log p(x) whatever the preset's score is, float64 (n,)."""
        matrix = self._checked(features)
        return _log_density(matrix, self._density(0), self._outside())

    def _density(self, part: int) -> Density:
        return Density(*(getattr(self, f"{name}_")[part] for name in Density._fields))

    def _outside(self) -> float | None:
        return self.outside_ if self.preset == "recommended" else None

    def _given(self) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in ("n_components", "covariance", "shrinkage", "reg", "n_init")}
        return {name: value for name, value in given.items() if value is not None}

    def _settings(self) -> Settings:
        if self.preset not in PRESETS:
            raise BadSpec(f"gmm has the presets {', '.join(PRESETS)}, got {self.preset!r}.")
        settings = FIXED[self.preset]._replace(**self._given())
        if self.pca != "preset":
            settings = settings._replace(pca=self.pca)
        pca = settings.pca
        whole = (int, np.integer)
        checks = {
            "n_components": (
                isinstance(settings.n_components, whole) and settings.n_components >= 1,
                "a whole number from 1",
            ),
            "covariance": (settings.covariance in ("full", "diag"), "'full' or 'diag'"),
            "pca": (
                pca is None
                or (isinstance(pca, float) and 0 < pca < 1)
                or (isinstance(pca, whole) and pca >= 1 and pca is not True),
                "a share between 0 and 1, a whole number from 1, or None",
            ),
            "shrinkage": (settings.shrinkage is None or 0 <= settings.shrinkage <= 1, "a number from 0 to 1"),
            "reg": (settings.reg >= 0, "a number from 0"),
            "n_init": (isinstance(settings.n_init, whole) and settings.n_init >= 1, "a whole number from 1"),
        }
        for name, (good, wanted) in checks.items():
            if not good:
                raise BadSpec(f"gmm({name}=...) takes {wanted}, got {getattr(settings, name)!r}.")
        return settings


class SGM(GMM):
    """SGM-GIQA: one Gaussian, `GMM` with `n_components=1` (GIQA, Table 1).

    >>> SGM(preset="released", pca=None).fit(np.random.default_rng(0).normal(size=(50, 2))).weights_
    array([[1.]])
    """

    def __init__(
        self,
        covariance: str | None = None,
        pca: float | int | str | None = "preset",
        shrinkage: float | None = None,
        reg: float | None = None,
        seed: int = 0,
        preset: str = "recommended",
    ):
        super().__init__(1, covariance, pca, shrinkage, reg, None, seed, preset)


def _fit_density(
    matrix: np.ndarray, settings: Settings, rng: np.random.Generator | None, shares: np.ndarray | None = None
) -> Density:
    if settings.standardise:
        mean, spread = standardiser(matrix)
    else:
        mean, spread = matrix.mean(axis=0, dtype=np.float64), np.ones(matrix.shape[1])
    x = (matrix - mean) / spread
    directions = np.empty((0, x.shape[1]))
    if settings.pca is not None:
        directions = principal_directions(x, settings.pca)
        x = x @ directions.T
    target = None
    if settings.shrinkage is not None:
        target = shrunk_to_round(x.T @ x / len(x), len(x))
        if settings.covariance == "diag":
            target = np.diag(np.diagonal(target))
    if settings.n_components == 1 and target is not None:  # the shrunk covariance of all reals is already the answer
        mixture = estimate(x, np.ones((len(x), 1)), diagonal=False, shrinkage=1.0, target=target, reg=settings.reg)
    else:
        mixture, settled = fit_mixture(
            x,
            settings.n_components,
            rng=rng,
            shares=shares,
            diagonal=settings.covariance == "diag",
            shrinkage=settings.shrinkage or 0.0,
            target=target,
            reg=settings.reg,
            n_init=settings.n_init,
        )
        if not settled:
            warnings.warn(
                "GMM: EM did not settle in 100 steps; more pictures or fewer components would help.", stacklevel=4
            )
    return Density(mean, spread, directions, *mixture)


def principal_directions(x: np.ndarray, wanted: float | int) -> np.ndarray:
    """Orthonormal rows (q, d): a share of the variance (0 < wanted < 1) or a number of directions, of centred `x`."""
    n, d = x.shape
    if n > d:
        variances, vectors = np.linalg.eigh(x.T @ x)
        variances, rows = variances[::-1], vectors.T[::-1]
    else:
        _, singular, rows = np.linalg.svd(x, full_matrices=False)
        variances = singular**2
    usable = int(np.sum(variances > 1e-10 * variances[0])) if variances[0] > 0 else 1
    if isinstance(wanted, float):
        q = int(np.searchsorted(np.cumsum(variances) / variances.sum(), wanted) + 1)
    else:
        q = wanted
    rows = rows[: max(1, min(q, usable))]
    signs = np.sign(
        rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)]
    )  # the same everywhere: largest entry positive
    return np.ascontiguousarray(rows * signs[:, None])


def _log_density(matrix: np.ndarray, density: Density, outside: float | None) -> np.ndarray:
    """log p(x); with `outside` also of the part outside the directions, isotropic with that variance."""
    q, d = density.directions.shape
    inside = _inside(matrix, density)
    log_p = log_density(inside, density.mixture)
    if outside is None or not 0 < q < d:
        return log_p
    x = (matrix - density.mean) / density.spread
    rest = np.maximum(np.einsum("ij,ij->i", x, x) - np.einsum("ij,ij->i", inside, inside), 0.0)
    return log_p - 0.5 * (rest / outside + (d - q) * np.log(2 * np.pi * outside))


def _ceiling(density: Density, outside: float | None) -> float:
    """No picture's log p(x) is above this: every component at its own mean, added up."""
    q, d = density.directions.shape
    modes = log_density_at_modes(density.mixture)
    return modes if outside is None or not 0 < q < d else modes - 0.5 * (d - q) * float(np.log(2 * np.pi * outside))


def _inside(matrix: np.ndarray, density: Density) -> np.ndarray:
    """Standardised and projected, (n, q)."""
    x = (matrix - density.mean) / density.spread
    return steady_product(x, density.directions) if len(density.directions) else x


def _choose(
    matrix: np.ndarray, settings: Settings, given: dict[str, Any], rng: np.random.Generator
) -> tuple[Settings, float]:
    """The settings under which reals that were set aside are likeliest, and the variance outside the directions.

    Not more components than leave two reals for each direction; what the user gave is not tried otherwise.
    """
    order = rng.permutation(len(matrix))
    aside, rest = np.split(matrix[order], [max(1, int(RESERVED * len(matrix)))])
    if settings.pca is not None and not isinstance(settings.pca, float):
        settings = settings._replace(pca=int(min(settings.pca, matrix.shape[1], max(1, len(rest) // 2))))
    single = settings._replace(n_components=1, shrinkage=settings.shrinkage or 0.0)
    first = _fit_density(rest, single, rng)
    x = (aside - first.mean) / first.spread
    q, d = first.directions.shape
    inside = x @ first.directions.T if q else x
    outside = float(np.mean((x**2).sum(axis=1) - (inside**2).sum(axis=1)) / (d - q)) if 0 < q < d else 1.0
    outside = outside if outside > 1e-12 else 1.0  # nothing is left outside
    most = max(1, len(rest) // (2 * max(q or d, 1)))
    best, best_logs, fails = single, _held_out_logs(rest, aside, single, outside, rng), 0
    for m in [given["n_components"]] if "n_components" in given else [m for m in COMPONENTS if m <= most]:
        better = False
        for covariance in [given["covariance"]] if "covariance" in given else ["full", "diag"]:
            for shrinkage in [given["shrinkage"]] if "shrinkage" in given else [0.0] if m == 1 else SHRINKAGES:
                tried = settings._replace(n_components=m, covariance=covariance, shrinkage=shrinkage)
                gain = (logs := _held_out_logs(rest, aside, tried, outside, rng)) - best_logs
                # the simpler one stays unless the gain is above its own standard error
                if gain.mean() > gain.std() / np.sqrt(len(gain)) or best.n_components != m == given.get("n_components"):
                    best, best_logs, better = tried, logs, True
        fails = 0 if better else fails + 1
        if fails == 2:
            break
    return best, outside


def _held_out_logs(
    rest: np.ndarray, aside: np.ndarray, settings: Settings, outside: float, rng: np.random.Generator
) -> np.ndarray:
    density = _fit_density(rest, settings._replace(n_init=1), rng)
    return _log_density(aside, density, outside)


def _check_enough(matrix: np.ndarray, settings: Settings) -> None:
    n, m = len(matrix), settings.n_components
    if n < 2 * m:
        raise BadShape(
            f"gmm(n_components={m}) needs at least {2 * m} real pictures, got {n}; lower n_components or add pictures."
        )
    q = (
        matrix.shape[1]
        if settings.pca is None
        else settings.pca
        if not isinstance(settings.pca, float)
        else min(n, matrix.shape[1])
    )
    if settings.covariance == "full" and settings.shrinkage is None and m * 2 * q > n:
        warnings.warn(
            f"GMM: {n} reals for {m} full covariances in up to {q} dimensions is fewer than two a dimension and "
            "component: the density memorises them. preset='recommended' shrinks; or lower n_components, set pca=, "
            "add pictures.",
            stacklevel=3,
        )
