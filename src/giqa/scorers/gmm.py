"""GMM-GIQA: a picture is good when a mixture of Gaussians fitted on real pictures finds it likely (GIQA, eq. 5-6)."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np

from ..errors import BadShape, BadSpec
from ..registry import PRESETS, as_seed, is_number
from ..threads import one_blas_thread
from .density import Density, Settings, ceiling, fit_density, inside_of, log_density_of
from .mixture import responsibilities
from .model_selection import choose
from .products import ROWS_AT_ONCE, as_matrix
from .scale import as_folds
from .scorer import BaseScorer, check_fitted, stacked

MOST_STARTS = 10_000
FIXED = {
    "paper": Settings(7, "full", None, None, 1e-6, 1, False),
    "released": Settings(7, "full", 0.95, None, 1e-6, 1, False),
    "recommended": Settings(1, "full", 64, 1.0, 1e-9, 3, True),
}


class GMM(BaseScorer):
    """GMM-GIQA: how likely a picture's features are under a mixture of Gaussians fitted on reals.

    ============= =============== ============ =========================================================
    preset        score           M            projection and covariance
    ============= =============== ============ =========================================================
    paper         p(x)   (eq. 6)  7            none; full, ridge 1e-6
    released      log p(x)        7            PCA 95 % of variance; full, ridge 1e-6
    recommended   -distance       1 to 100     standardised; PCA 64 and an isotropic Gaussian outside;
                                               full or diagonal, shrunk; chosen by held-out likelihood
    ============= =============== ============ =========================================================

    Parameters
    ----------
    n_components : int or None, default None
        Number of Gaussians, M; None: the preset's.
    covariance : {"full", "diag"} or None, default None
        Kind of covariance; None: the preset's.
    pca : float, int, None or "preset", default "preset"
        Share of the variance (0 to 1) or number of directions that are kept; None: no projection.
    shrinkage : float or None, default None
        0 to 1, towards the covariance of all reals, itself shrunk by OAS; None: the preset's.
    reg : float or None, default None
        Ridge added to the diagonal of each covariance; None: the preset's.
    n_init : int or None, default None
        Number of starts of EM; None: the preset's.
    seed : int, default 0
        Decides on starts and on the reals that are set aside.
    preset : {"recommended", "released", "paper"}, default "recommended"
        See the table. A parameter that is given replaces the preset's.

    Raises
    ------
    BadSpec
        If a parameter has no meaning.
    BadShape
        In `fit`: fewer reals than two a component, or a singular covariance.
    NotFitted
        If scores are asked for before `fit`.

    Notes
    -----
    The distance is sqrt(2 (c - log p(x))), c the sum of all components at their own means: with one component exactly
    Mahalanobis'. It has the order of log p, but reals lie evenly in it where log p has a long tail, so that z stays
    readable (`docs/accuracy.md`); `log_density` gives log p itself. Scores are below 0 (`released`: any number,
    `paper`: above 0).

    `recommended` keeps what lies outside the 64 directions, where weak generators give themselves away, as an isotropic
    Gaussian whose variance is measured on reals that the directions have not seen. Under `paper` a density in hundreds
    of dimensions under- or overflows. A warning says where a full covariance has fewer than two reals a component for
    each of its dimensions.

    References
    ----------
    Gu et al., "GIQA: Generated Image Quality Assessment", 2020, eq. 5 and 6.

    Examples
    --------
    >>> reals = np.random.default_rng(0).normal(size=(500, 2))
    >>> gmm = GMM(n_components=1, pca=None, preset="released").fit(reals)
    >>> near, far = gmm.score_samples(np.array([[0.0, 0.0], [5.0, 5.0]]))
    >>> bool(near > far)
    True
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
        """Learn the density of all reals, and without each fold.

        Parameters
        ----------
        features : ndarray of shape (n, d) or Features
            Features of reals.
        y : ignored
            For scikit-learn's convention.
        folds : int ndarray of shape (n,) or None, default None
            Fold of each real, from 0; None: no fold is held out.

        Returns
        -------
        GMM
            Itself.
        """
        matrix = as_matrix(features)
        settings = self._settings()
        self.n_features_in_ = matrix.shape[1]
        self.outside_ = 1.0
        folds = as_folds(folds, len(matrix))
        _check_count(len(matrix), settings.n_components)
        with one_blas_thread():  # the same bits with any number of threads
            if self.preset == "recommended":
                settings, self.outside_ = choose(
                    matrix, settings, self._given(), np.random.default_rng(as_seed(self.seed))
                )
            _check_enough(matrix, settings)
            densities = self._fit_parts(matrix, settings, folds)
        for name, values in zip(Density._fields, zip(*densities, strict=True), strict=True):
            setattr(self, f"{name}_", np.stack(values))
        self.held_out_ = np.full(len(matrix), np.nan)
        for f in range(len(densities) - 1):
            self.held_out_[folds == f] = self._score(matrix[folds == f], f + 1)
        return self

    def _fit_parts(self, matrix: np.ndarray, settings: Settings, folds: np.ndarray) -> list[Density]:
        """The density of all reals, and without each fold; all of as many directions as the poorest of them has.

        Each fold's EM starts where that of all reals ended: folds then differ by their pictures, not by luck.
        """
        whole = fit_density(matrix, settings, np.random.default_rng(as_seed(self.seed)))
        kept = [folds != f for f in range(folds.max() + 1) if folds.max()]
        while True:
            if settings.pca is not None:  # a share of variance may ask for another number in a fold
                settings = settings._replace(pca=len(whole.directions))
            shares = responsibilities(inside_of(matrix, whole), whole.mixture)
            parts = [fit_density(matrix[keep], settings, None, shares[keep]) for keep in kept]
            fewest = min(len(part.directions) for part in (whole, *parts))
            if fewest == len(whole.directions):
                return [whole, *parts]
            settings = settings._replace(pca=fewest)
            whole = fit_density(matrix, settings, np.random.default_rng(as_seed(self.seed)))

    def score_samples(self, features: Any) -> np.ndarray:
        """One score a picture, float64 (n,)."""
        return self._score(self._checked(features), 0)

    def score_folds(self, features: Any) -> np.ndarray:
        """The score under the density without each fold in turn, float64 (n, F)."""
        matrix = self._checked(features)
        return stacked([self._score(matrix, part) for part in range(1, len(self.mean_))])

    def _checked(self, features: Any) -> np.ndarray:
        check_fitted(self, "mean_")
        return as_matrix(features, self.n_features_in_)

    def _score(self, matrix: np.ndarray, part: int) -> np.ndarray:
        density = self._density(part)
        steps = range(0, len(matrix), ROWS_AT_ONCE)
        logs = [log_density_of(matrix[i : i + ROWS_AT_ONCE], density, self._outside()) for i in steps]
        log_p = np.concatenate(logs) if logs else np.empty(0)
        if self.preset == "recommended":
            return -np.sqrt(2 * np.maximum(ceiling(density, self._outside()) - log_p, 0.0))
        with np.errstate(over="ignore", under="ignore"):
            return np.exp(log_p) if self.preset == "paper" else log_p

    def chosen(self) -> dict[str, Any]:
        """What `fit` decided: components, and directions kept (None for no projection)."""
        return {"n_components": self.weights_.shape[1], "directions": self.directions_.shape[1] or None}

    def log_density(self, features: Any) -> np.ndarray:
        """log p(x) whatever the preset's score is, float64 (n,)."""
        matrix = self._checked(features)
        return log_density_of(matrix, self._density(0), self._outside())

    def _density(self, part: int) -> Density:
        learned = self.mean_, self.spread_, self.directions_, self.weights_, self.means_, self.factors_
        return Density(*(values[part] for values in learned))

    def _outside(self) -> float | None:
        return self.outside_ if self.preset == "recommended" else None

    def _given(self) -> dict[str, Any]:
        given = {
            "n_components": self.n_components,
            "covariance": self.covariance,
            "shrinkage": self.shrinkage,
            "reg": self.reg,
            "n_init": self.n_init,
        }
        return {name: value for name, value in given.items() if value is not None}

    def _settings(self) -> Settings:
        if str(self.preset) not in PRESETS:
            raise BadSpec(f"gmm has the presets {', '.join(PRESETS)}, got {self.preset!r}.")
        settings = FIXED[self.preset]._replace(**self._given())
        if not isinstance(self.pca, str) or self.pca != "preset":
            settings = settings._replace(pca=self.pca)
        pca = settings.pca
        whole = (int, np.integer)
        checks = {
            "n_components": (
                isinstance(settings.n_components, whole) and settings.n_components >= 1,
                "a whole number from 1",
            ),
            "covariance": (str(settings.covariance) in ("full", "diag"), "'full' or 'diag'"),
            "pca": (
                pca is None
                or (isinstance(pca, float) and 0 < pca < 1)
                or (isinstance(pca, whole) and pca >= 1 and pca is not True),
                "a share between 0 and 1, a whole number from 1, or None",
            ),
            "shrinkage": (
                settings.shrinkage is None or (is_number(settings.shrinkage) and 0 <= settings.shrinkage <= 1),
                "a number from 0 to 1",
            ),
            "reg": (is_number(settings.reg) and settings.reg >= 0, "a number from 0"),
            "n_init": (
                isinstance(settings.n_init, whole) and 1 <= settings.n_init <= MOST_STARTS,
                f"a whole number from 1 to {MOST_STARTS:,}",
            ),
        }
        for name, (good, wanted) in checks.items():
            if not good:
                raise BadSpec(f"gmm({name}=...) takes {wanted}, got {settings._asdict()[name]!r}.")
        return settings


class SGM(GMM):
    """SGM-GIQA: one Gaussian, `GMM` with `n_components=1` (GIQA, Table 1).

    See `GMM`, whose parameters these are.

    Parameters
    ----------
    covariance : {"full", "diag"} or None, default None
        Kind of covariance; None: the preset's.
    pca : float, int, None or "preset", default "preset"
        Share of the variance (0 to 1) or number of directions that are kept; None: no projection.
    shrinkage : float or None, default None
        0 to 1, towards a multiple of the identity; None: the preset's.
    reg : float or None, default None
        Ridge added to the diagonal of the covariance; None: the preset's.
    seed : int, default 0
        Decides on the reals that are set aside.
    preset : {"recommended", "released", "paper"}, default "recommended"
        See `GMM`.

    Examples
    --------
    >>> reals = np.random.default_rng(0).normal(size=(500, 2))
    >>> near, far = SGM().fit(reals).score_samples(np.array([[0.0, 0.0], [5.0, 5.0]]))
    >>> bool(near > far)
    True
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


def _check_count(n: int, m: int) -> None:
    if n < 2 * m:
        raise BadShape(
            f"gmm(n_components={m}) needs at least {2 * m} real pictures, got {n}; lower n_components or add pictures."
        )


def _check_enough(matrix: np.ndarray, settings: Settings) -> None:
    n, m = len(matrix), settings.n_components
    _check_count(n, m)
    q = settings.pca if isinstance(settings.pca, (int, np.integer)) else min(n, matrix.shape[1])
    if settings.covariance == "full" and settings.shrinkage is None and m * 2 * q > n:
        warnings.warn(
            f"GMM: {n} reals for {m} full covariances in up to {q} dimensions is fewer than two a dimension and "
            "component: the density memorises them. preset='recommended' shrinks; or lower n_components, set pca=, "
            "add pictures.",
            stacklevel=3,
        )
