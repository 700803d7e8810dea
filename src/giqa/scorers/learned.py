"""Learned quality: heads that tell early pictures of a generator from late ones and from real ones (GIQA, section 3.1).

Labels are the paper's pseudo labels (`giqa.scorers.labels`), so nobody has to judge a picture.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from ..errors import BadShape
from ..registry import as_seed
from ..stats import logistic_regression, ridge, sigmoid
from .density import principal_directions
from .labels import checked_labels, combined, label_folds, targets, thresholds
from .products import as_matrix, standardiser, steady_product
from .scale import as_folds, as_groups
from .scorer import BaseScorer, check_fitted

STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
DIRECTIONS = 128


class Heads(BaseScorer):
    """What the learned scorers share: linear heads on the principal directions of standardised features.

    How strongly weights are held back (L2) is chosen by the loss on folds that were held out; the models without each
    fold are kept and give `held_out_` and the intervals. Folds are whole iterations, never single pictures.
    """

    seed: int = 0

    def fit(self, features: Any, y: Any = None, folds: np.ndarray | None = None, groups: Any = None) -> Self:
        """Learn from labels.

        Parameters
        ----------
        features : ndarray of shape (n, d) or Features
            Features of pictures, generated and real.
        y : array-like of shape (n,)
            Label of each, higher = better; 1 for reals.
        folds : int ndarray of shape (n,) or None, default None
            Fold of each, from 0; None: whole labels and, for reals, single pictures.
        groups : array-like of shape (n,) or None, default None
            For `Rank`: which pictures may be compared.

        Returns
        -------
        Heads
            Itself.
        """
        matrix = as_matrix(features)
        y = checked_labels(y, len(matrix), type(self).__name__)
        folds = as_folds(folds, len(matrix))
        folds = folds if folds.any() else label_folds(y, self.seed)
        self.centre_, self.spread_ = standardiser(matrix)
        x = (matrix - self.centre_) / self.spread_
        directions = principal_directions(x, min(DIRECTIONS, x.shape[1], max(1, len(x) // 4)))
        x = x @ directions.T
        scale = np.sqrt(np.mean(x**2))
        x = np.c_[x / scale, np.ones(len(x))]
        aims = self._aims(y)  # (n, N)
        rows = self._examples(y, groups)  # (sides, examples)
        best, fold_of = np.inf, folds[rows]
        for strength in STRENGTHS:
            parts, lost = [], []
            for f in range(folds.max() + 1):
                parts.append(self._solve(x, rows[:, (fold_of != f).all(axis=0)], aims, strength))
                lost.append(self._lost(x, rows[:, (fold_of == f).all(axis=0)], aims, parts[-1]))
            if np.mean(lost) < best:
                best, self.strength_, chosen = float(np.mean(lost)), strength, parts
        weights = [self._solve(x, rows, aims, self.strength_), *chosen]  # of all, and without each fold
        weights = np.concatenate(weights, axis=1).T  # ((1 + F) N, k + 1)
        self.weights_ = np.ascontiguousarray(weights[:, :-1] @ directions / scale)
        self.biases_ = weights[:, -1].copy()
        self.folds_ = len(chosen)
        self.held_out_ = self.score_folds(matrix)[np.arange(len(matrix)), folds]
        return self

    def score_samples(self, features: Any) -> np.ndarray:
        """One score a picture, float64 (n,); higher is better."""
        return self._score(self._outputs(features, slice(0, 1))[:, 0])

    def heads(self, features: Any) -> np.ndarray:
        """What each head says, float64 (n, N): probabilities for MBC and BC."""
        return self._heads(self._outputs(features, slice(0, 1))[:, 0])

    def score_folds(self, features: Any) -> np.ndarray:
        """The score under the heads without each fold in turn, float64 (n, F)."""
        outputs = self._outputs(features, slice(1, None))
        return np.stack([self._score(outputs[:, f]) for f in range(outputs.shape[1])], axis=1)

    def chosen(self) -> dict[str, Any]:
        """What `fit` decided."""
        return {"heads": len(self.biases_) // (1 + int(self.folds_)), "strength": float(self.strength_)}

    def _outputs(self, features: Any, which: slice) -> np.ndarray:
        """The heads' linear outputs (n, models, N) of some of the 1 + F models."""
        check_fitted(self, "weights_", f"Call {type(self).__name__}.fit(features, y) before asking for scores.")
        matrix = as_matrix(features, self.weights_.shape[1]).astype(np.float64)
        n_heads = len(self.biases_) // (1 + int(self.folds_))
        weights = self.weights_.reshape(-1, n_heads, self.weights_.shape[1])[which]
        biases = self.biases_.reshape(-1, n_heads)[which]
        x = (matrix - self.centre_) / self.spread_
        return steady_product(x, weights.reshape(-1, weights.shape[2])).reshape(len(x), len(weights), n_heads) + biases

    def _aims(self, y: np.ndarray) -> np.ndarray:
        return y[:, None]

    def _examples(self, y: np.ndarray, groups: Any) -> np.ndarray:
        """Rows that are learned from, (sides, examples): one side, or two that are compared."""
        return np.arange(len(y))[None]

    def _solve(self, x, rows, aims, strength) -> np.ndarray:
        return np.stack([_logistic(x[rows[0]], aim[rows[0]], strength) for aim in aims.T], axis=1)

    def _lost(self, x, rows, aims, weights) -> float:
        outputs = x[rows[0]] @ weights
        return float(np.mean(np.logaddexp(0, outputs) - aims[rows[0]] * outputs))

    def _heads(self, outputs: np.ndarray) -> np.ndarray:
        return outputs

    def _score(self, outputs: np.ndarray) -> np.ndarray:
        return outputs[:, 0]


def _logistic(x: np.ndarray, c: np.ndarray, strength: float, intercept: bool = True) -> np.ndarray:
    """Weights of labels c in 0..1, with the penalty against a mean over rows; none on the last column, an intercept."""
    penalty = np.full(x.shape[1], strength * len(x))
    penalty[-1] *= not intercept
    return logistic_regression(x, c, np.ones(len(x)), penalty)


class MBC(Heads):
    """MBC-GIQA: the mean of N probabilities that a picture is above a threshold of quality (eq. 1-4).

    Parameters
    ----------
    n_heads : int, default 8
        N, number of thresholds.
    preset : {"recommended", "released", "paper"}, default "recommended"
        Chooses thresholds (`giqa.scorers.labels.thresholds`) and score (`giqa.scorers.labels.combined`).
    seed : int, default 0
        Decides on the folds.

    Raises
    ------
    BadSpec
        If there are more heads than iterations.
    BadShape
        If labels are missing or do not fit.
    NotFitted
        If scores are asked for before `fit`.

    Notes
    -----
    Scores are 0 to 1; `released`: 0 to N million. Features are those of any extractor; a network of its own learns in
    `giqa.train`.

    References
    ----------
    Gu et al., "GIQA: Generated Image Quality Assessment", 2020.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(np.linspace(0, 1, 11), 30)  # ten snapshots, and reals
    >>> x = y[:, None] + rng.normal(0, 0.2, (330, 4))
    >>> early, late = MBC(n_heads=4).fit(x, y).score_samples(np.array([[0.1] * 4, [0.9] * 4]))
    >>> bool(early < late)
    True
    """

    def __init__(self, n_heads: int = 8, preset: str = "recommended", seed: int = 0):
        self.n_heads = n_heads
        self.preset = preset
        self.seed = seed

    def _aims(self, y: np.ndarray) -> np.ndarray:
        return targets(y, thresholds(y, self.n_heads, self.preset))

    def _heads(self, outputs: np.ndarray) -> np.ndarray:
        return sigmoid(outputs)

    def _score(self, outputs: np.ndarray) -> np.ndarray:
        return combined(sigmoid(outputs), self.preset)


class BC(Heads):
    """BC-GIQA: the log odds that a picture is real and not generated (GIQA, Table 1).

    Parameters
    ----------
    seed : int, default 0
        Decides on the folds.

    Notes
    -----
    The paper takes the probability, which has the same order but no room between good pictures. Scores are unbounded; 0
    = as likely real as generated, among pictures in the shares that it was trained on.

    Examples
    --------
    >>> y = np.repeat([0.3, 0.6, 1.0], 40)
    >>> x = y[:, None] + np.random.default_rng(0).normal(0, 0.2, (120, 4))
    >>> generated, real = BC().fit(x, y).score_samples(np.array([[0.3] * 4, [1.0] * 4]))
    >>> bool(generated < 0 < real)
    True
    """

    def __init__(self, seed: int = 0):
        self.seed = seed

    def _aims(self, y: np.ndarray) -> np.ndarray:
        return targets(y, np.ones(1))

    def _heads(self, outputs: np.ndarray) -> np.ndarray:
        return sigmoid(outputs)


class IR(Heads):
    """IR-GIQA: the pseudo label itself, by ridge regression (GIQA, Table 1).

    Parameters
    ----------
    seed : int, default 0
        Decides on the folds.

    Notes
    -----
    Scores are about 0 to 1.

    Examples
    --------
    >>> y = np.repeat(np.linspace(0, 1, 11), 30)
    >>> x = y[:, None] + np.random.default_rng(0).normal(0, 0.2, (330, 4))
    >>> early, late = IR().fit(x, y).score_samples(np.array([[0.1] * 4, [0.9] * 4]))
    >>> bool(early < 0.5 < late)
    True
    """

    def __init__(self, seed: int = 0):
        self.seed = seed

    def _solve(self, x, rows, aims, strength) -> np.ndarray:
        return ridge(x[rows[0]], aims[rows[0]], strength)

    def _lost(self, x, rows, aims, weights) -> float:
        return float(np.mean((x[rows[0]] @ weights - aims[rows[0]]) ** 2))


class Rank(Heads):
    """RankIQA: of two pictures of a group, the one with the larger label is to score higher.

    Parameters
    ----------
    seed : int, default 0
        Decides on folds and pairs.

    Notes
    -----
    Labels of `fit` are ranks, such as minus the strength of a damage, and `groups` (n,) say which pictures may be
    compared: those made from one picture by one kind of damage. Without groups, pairs are drawn from all (seeded).
    Learned by the logistic loss of the difference; the hinge of the paper is that of `giqa.train`'s network. Scores are
    unbounded.

    References
    ----------
    Liu, van de Weijer, Bagdanov, "RankIQA: Learning from Rankings for No-reference Image Quality Assessment", 2017.

    Examples
    --------
    >>> y = np.repeat(-np.arange(5.0), 20)  # minus the strength of a damage
    >>> x = y[:, None] + np.random.default_rng(0).normal(0, 0.2, (100, 4))
    >>> bad, good = Rank().fit(x, y).score_samples(np.array([[-4.0] * 4, [0.0] * 4]))
    >>> bool(bad < good)
    True
    """

    PAIRS = 20_000

    def __init__(self, seed: int = 0):
        self.seed = seed

    def _examples(self, y: np.ndarray, groups: Any) -> np.ndarray:
        rng = np.random.default_rng(as_seed(self.seed))
        if groups is None:
            first, second = rng.integers(len(y), size=(2, self.PAIRS))
        else:
            pairs = []
            groups = as_groups(groups, len(y))
            for group in range(groups.max() + 1):
                rows = np.flatnonzero(groups == group)
                pairs += [(a, b) for i, a in enumerate(rows) for b in rows[i + 1 :]]
            first, second = np.array(pairs).T if pairs else np.zeros((2, 0), int)
            some = rng.permutation(len(first))[: self.PAIRS]
            first, second = first[some], second[some]
        unequal = y[first] != y[second]
        better = np.where(y[first] > y[second], first, second)[unequal]
        worse = np.where(y[first] > y[second], second, first)[unequal]
        if not len(better):
            raise BadShape("No two pictures that may be compared have different ranks; nothing can be learned.")
        return np.stack([better, worse])

    def _solve(self, x, rows, aims, strength) -> np.ndarray:
        difference = (x[rows[0]] - x[rows[1]])[:, :-1]  # a constant makes no difference
        return np.r_[_logistic(difference, np.ones(len(difference)), strength, intercept=False), 0.0][:, None]

    def _lost(self, x, rows, aims, weights) -> float:
        return float(np.mean(np.logaddexp(0, -(x[rows[0]] - x[rows[1]]) @ weights)))
