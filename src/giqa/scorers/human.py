"""The probability that a person calls a picture real, learned from votes: logistic regression on distances by layer."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from .. import __version__
from ..errors import BadModel, BadShape, BadSpec, MissingSource
from ..files import read_sealed, replace_file, sealed
from ..registry import as_seed, as_whole, is_number
from ..stats import TAILS, fit_logistic, log_likelihood, sigmoid
from ..types import Features, as_numbers
from .products import as_matrix
from .random_effect import drawn_spreads, own_interval, spread_posterior
from .scale import as_groups
from .scorer import called, check_fitted

FORMAT = 2
PRESETS = ("paper", "recommended")
STRENGTHS = tuple(10.0**e for e in range(-4, 4))  # of C, tried by `recommended`
FOLDS = 5
FEWEST = 20  # pictures with votes
MOST_RESAMPLES = 100_000  # a fit for each
LOOSER = 100.0  # C of the resampled fits: a penalty pulls all of them one way, and intervals hold the truth too seldom
OTHERS_SHRUNK = 3.0  # columns that are neither distances nor z are this much smaller, so shrunk nine times as strongly
ARRAYS = ("is_distance_", "is_z_", "mean_", "spread_", "coefficients_", "draws_", "spreads_")
DISTANCE, Z = ".distance", ".z"


class HumanModel:
    """p(a person says real) = 1 / (1 + exp(-(b + w x))), x = log(1 + distance) of each layer, standardised.

    ============= ==========================================================================================
    preset        C, the inverse strength of the penalty |w|²/2
    ============= ==========================================================================================
    paper         infinite: no penalty (section 2.3 states none)
    recommended   by 5-fold cross-validation of the likelihood, groups whole
    ============= ==========================================================================================

    Parameters
    ----------
    preset : {"recommended", "paper"}, default "recommended"
        See the table.
    C : float or None, default None
        Inverse strength of the penalty; None: the preset's.
    resamples : int, default 200
        Number of fits to groups drawn with replacement; 0: no intervals.
    seed : int, default 0
        Decides on folds and resamples.

    Raises
    ------
    BadSpec
        In `fit`: a parameter has no meaning.
    BadShape
        If features or votes do not fit, or there are too few votes.
    NotFitted
        If probabilities are asked for before `fit`.

    Notes
    -----
    p is the share of real votes on pictures with such features, by people who saw what these saw. The interval (95 %)
    is that of the picture's own probability: it holds what the features do not say (`spreads_`, in logits, learned from
    pictures with several votes: `giqa.scorers.random_effect`) and how far the fit would move with other pictures and
    voters. With `own=False` it is the latter alone.

    References
    ----------
    Kolchinski et al., "Approximating Human Judgment of Generated Image Quality", 2019.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> distances = rng.uniform(1, 9, size=(300, 1))
    >>> real = rng.binomial(5, 1 / (1 + np.exp(distances[:, 0] - 5)))
    >>> model = HumanModel().fit(distances, np.c_[np.full(300, 5), real])
    >>> p, low, high = model.p_real(np.array([[2.0], [8.0]]))
    >>> bool(p[0] > 0.8 and p[1] < 0.2 and low[0] < p[0] < high[0])
    True
    """

    def __init__(self, preset: str = "recommended", C: float | None = None, resamples: int = 200, seed: int = 0):
        self.preset = preset
        self.C = C
        self.resamples = resamples
        self.seed = seed

    def __repr__(self) -> str:
        return called(self)

    def fit(self, features: Any, y: Any, groups: Any = None) -> Self:
        """Learn from pictures with votes.

        Parameters
        ----------
        features : ndarray of shape (n, layers) or Features
            Distances, as `LayerDistances.sums` gives them. Of `Features`, layers named "….distance" are distances,
            those named "….z" are on the scale of held-out reals (`MultiLayer.layer_z`) and go in as sign(z) log(1 +
            |z|); all others are taken as they are and shrunk more.
        y : array-like of shape (n, 2) or (n,)
            How many voted and how many of them said real; or 0 and 1.
        groups : array-like of shape (n,) or None, default None
            Pictures that belong together (one scene, one generator): folds and resamples take them whole.

        Returns
        -------
        HumanModel
            Itself.
        """
        as_whole(self.resamples, "resamples", 0, MOST_RESAMPLES)
        if str(self.preset) not in PRESETS or not (self.C is None or _is_strength(self.C)):
            raise BadSpec(
                f"HumanModel takes preset={' or '.join(PRESETS)} and C above 0, got {self.preset!r}, {self.C!r}."
            )
        matrix, kinds, self.names_ = _columns(features)
        self.is_distance_, self.is_z_ = kinds == DISTANCE, kinds == Z
        votes, real = _votes(y, len(matrix))
        groups = as_groups(groups, len(matrix))
        rng, raw = np.random.default_rng(as_seed(self.seed)), self._logged(matrix)
        self.mean_, self.spread_ = raw.mean(axis=0), raw.std(axis=0)
        self.spread_[self.spread_ <= 1e-9 * np.maximum(1, np.abs(self.mean_))] = 1
        x = self._standardised(raw)
        folds = _folds(groups, rng)
        self.C_ = self.C or (np.inf if self.preset == "paper" else chosen_strength(x, real, votes, folds))
        self.coefficients_ = fit_logistic(x, real, votes, self.C_)
        self.constant_ = float(real.sum() / votes.sum())
        draws = [_resampled(x, real, votes, groups, LOOSER * self.C_, rng) for _ in range(self.resamples)]
        self.draws_ = np.stack(draws) if draws else np.empty((0, len(self.coefficients_)))
        if not draws:
            self.spreads_ = np.empty(0)
            return self
        unseen = held_out(x, real, votes, folds, self.C_)
        posterior = spread_posterior(unseen, self._drawn(x).var(axis=1), real, votes)
        self.spreads_ = drawn_spreads(posterior, self.resamples, rng)
        return self

    def score_samples(self, features: Any) -> np.ndarray:
        """log(p / (1 - p)), higher = more often called real, float64 (n,); also of pictures that nobody labelled."""
        return np.einsum("ij,j->i", self._x(features), self.coefficients_[1:]) + self.coefficients_[0]

    def p_real(self, features: Any, own: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The probability that a person calls each picture real, and its 95 % interval.

        Parameters
        ----------
        features : ndarray of shape (n, layers) or Features
            Columns as in `fit`.
        own : bool, default True
            Interval of the picture's own p; False: of the mean p of pictures like it.

        Returns
        -------
        p, low, high : float64 ndarray of shape (n,)
            0 to 1; ends are NaN with `resamples=0`.
        """
        draws = self._drawn(self._x(features))
        if not len(self.spreads_):
            low, high = np.full((2, len(draws)), np.nan)
        elif own:
            low, high = own_interval(draws, self.spreads_)
        else:
            low, high = sigmoid(np.percentile(draws, TAILS, axis=1)) if len(draws) else np.empty((2, 0))
        p = sigmoid(self.score_samples(features))
        return p, np.minimum(low, p), np.maximum(high, p)  # which is shrunk more than the draws

    def weights(self) -> dict[str, tuple[float, float, float]]:
        """Weight of each standardised column and its 95 % interval; below 0: the farther, the less often real.

        The resampled fits are shrunk less than the weight; an interval reaches to the weight where theirs does not.
        """
        low, high = np.percentile(self.draws_, TAILS, axis=0)
        low, high = np.minimum(low, self.coefficients_), np.maximum(high, self.coefficients_)
        rows = zip(self.names_, self.coefficients_[1:], low[1:], high[1:], strict=True)
        return {name: (float(w), float(a), float(b)) for name, w, a, b in rows}

    def save(self, path: str | Path) -> Path:
        """Write one file (safetensors with a JSON header); atomic."""
        arrays, header = self.record()
        return replace_file(path, sealed(header, arrays, "giqa.human"))

    def record(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """All that was learned, as arrays and as JSON can hold it; `restored` takes it."""
        header = {
            "format": FORMAT,
            "giqa": __version__,
            "parameters": {"preset": self.preset, "C": self.C, "resamples": self.resamples, "seed": self.seed},
            "names": list(self.names_),
            "C": str(self.C_),
            "constant": self.constant_,
        }
        return {name: np.ascontiguousarray(getattr(self, name)) for name in ARRAYS}, header

    @classmethod
    def restored(cls, arrays: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> Self:
        """The model that `record` describes."""
        if header["format"] != FORMAT:
            raise ValueError("another version")
        model = cls(**header["parameters"])
        model.names_, model.C_, model.constant_ = tuple(header["names"]), float(header["C"]), header["constant"]
        for name, value in arrays.items():
            setattr(model, name, value)
        return model

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote."""
        from safetensors import SafetensorError

        if not Path(path).is_file():
            raise MissingSource(f"There is no file {path}; HumanModel.save makes one.")
        try:
            header, arrays = read_sealed(Path(path), "giqa.human")
            return cls.restored({name: arrays[name] for name in ARRAYS}, header)
        except (SafetensorError, KeyError, ValueError, TypeError, OSError) as error:
            raise BadModel(
                f"{path} is not a human model, or is cut short or damaged ({type(error).__name__})."
            ) from None

    def _x(self, features: Any) -> np.ndarray:
        check_fitted(self, "coefficients_", "Call fit(distances, votes) before asking for probabilities.")
        matrix, _, names = _columns(features)
        named = isinstance(features, Features)
        if matrix.shape[1] != len(self.mean_) or (named and names != self.names_):
            raise BadShape(f"The model was fitted on {', '.join(self.names_)}; got {', '.join(names)}.")
        return self._standardised(self._logged(matrix))

    def _drawn(self, x: np.ndarray) -> np.ndarray:
        """Logits of the resampled fits, (n, resamples)."""
        return np.einsum("ij,kj->ik", x, self.draws_[:, 1:]) + self.draws_[:, 0]

    def _logged(self, matrix: np.ndarray) -> np.ndarray:
        matrix = matrix.astype(np.float64)
        if (matrix[:, self.is_distance_] < 0).any():
            raise BadShape("Distances are at least 0; one is below.")
        logged = self.is_distance_ | self.is_z_
        matrix[:, logged] = np.sign(matrix[:, logged]) * np.log1p(np.abs(matrix[:, logged]))
        return matrix

    def _standardised(self, raw: np.ndarray) -> np.ndarray:
        return (raw - self.mean_) / self.spread_ / np.where(self.is_distance_ | self.is_z_, 1, OTHERS_SHRUNK)


def _folds(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The fold of each picture, groups whole; with fewer than 5 groups there are as many folds as groups."""
    names, place = np.unique(groups, return_inverse=True)
    return rng.permutation(np.arange(len(names)) % min(FOLDS, len(names)))[place]


def chosen_strength(x: np.ndarray, real: np.ndarray, votes: np.ndarray, folds: np.ndarray) -> float:
    """The C whose held-out likelihood is best.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        Standardised columns.
    real, votes : ndarray of shape (n,)
        How many of the votes say real, and how many there are.
    folds : int ndarray of shape (n,)
        Fold of each picture.
    """
    if len(np.unique(folds)) < 2:
        warnings.warn("HumanModel: all pictures are of one group, so C cannot be chosen; it is 1.", stacklevel=3)
        return 1.0
    gains = [cross_validated(x, real, votes, folds, c) for c in STRENGTHS]
    return STRENGTHS[int(np.argmax(gains))]


def cross_validated(x: np.ndarray, real: np.ndarray, votes: np.ndarray, folds: np.ndarray, C: float) -> float:
    """Mean log-likelihood of a vote on pictures of the fold that was held out, in nats.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        Standardised columns.
    real, votes : ndarray of shape (n,)
        How many of the votes say real, and how many there are.
    folds : int ndarray of shape (n,)
        Fold of each picture.
    C : float
        Inverse strength of the penalty.
    """
    return log_likelihood(sigmoid(held_out(x, real, votes, folds, C)), real, votes) / float(votes.sum())


def held_out(x: np.ndarray, real: np.ndarray, votes: np.ndarray, folds: np.ndarray, C: float) -> np.ndarray:
    """log(p / (1 - p)) of each picture, by a fit without its fold; of a single fold by the fit to all.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        Standardised columns.
    real, votes : ndarray of shape (n,)
        How many of the votes say real, and how many there are.
    folds : int ndarray of shape (n,)
        Fold of each picture.
    C : float
        Inverse strength of the penalty.
    """
    names, logits = np.unique(folds), np.empty(len(x))
    for fold in names:
        out = folds == fold
        rest = ~out if len(names) > 1 else out
        w = fit_logistic(x[rest], real[rest], votes[rest], C)
        logits[out] = x[out] @ w[1:] + w[0]
    return logits


def _resampled(
    x: np.ndarray, real: np.ndarray, votes: np.ndarray, groups: np.ndarray, C: float, rng: np.random.Generator
) -> np.ndarray:
    """Coefficients fitted to as many groups, drawn with replacement."""
    names, place = np.unique(groups, return_inverse=True)
    times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))[place]
    return fit_logistic(x, real * times, votes * times, C)


def _columns(features: Any) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """The matrix, of what kind each of its columns is (`DISTANCE`, `Z` or ""), and their names."""
    matrix = as_matrix(features)
    if not isinstance(features, Features):
        width = matrix.shape[1]
        return matrix, np.full(width, DISTANCE), tuple(f"layer {i}" for i in range(width))
    names: list[str] = []
    kinds: list[str] = []
    for name, layer in features.layers.items():
        width = layer.shape[1]
        names += [name] if width == 1 else [f"{name}.{i}" for i in range(width)]
        kinds += [next((kind for kind in (DISTANCE, Z) if name.endswith(kind)), "")] * width
    return matrix, np.array(kinds), tuple(names)


def _is_strength(C: Any) -> bool:
    """Whether it is a number above 0; infinity is no penalty."""
    return (is_number(C) and C > 0) or (isinstance(C, float) and np.inf == C)


def _votes(y: Any, n: int) -> tuple[np.ndarray, np.ndarray]:
    """How many voted and how many said real, both float64 (n,)."""
    y = as_numbers(y, "Votes", None, "fiub").astype(np.float64)
    votes, real = (y[:, 0], y[:, 1]) if y.ndim == 2 and y.shape[1] == 2 else (np.ones(len(y)), y)
    if real.shape != (n,) or not np.isfinite(y).all() or (real < 0).any() or (real > votes).any():
        raise BadShape(
            f"Votes are (n, 2), voters and how many of them said real, or (n,) of 0 and 1, for {n} pictures; "
            f"got {y.shape}{' with more who said real than voted' if real.shape == (n,) else ''}."
        )
    if (votes > 0).sum() < FEWEST or not 0 < real.sum() < votes.sum():
        raise BadShape(
            f"A human model needs {FEWEST} pictures with votes, of both kinds; got {int((votes > 0).sum())} pictures, "
            f"{int(real.sum())} of {int(votes.sum())} votes say real."
        )
    return votes, real
