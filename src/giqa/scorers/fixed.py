"""Scorers that learn nothing from the reals: they only place them on the scale."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np

from ..errors import BadShape
from .products import as_matrix
from .scale import as_folds
from .scorer import BaseScorer, check_fitted


class Fixed(BaseScorer, ABC):
    """Scorers that learn nothing from the reals: all of these are held out, and scores do not vary with them.

    A subclass gives `_read()`, which sets what it needs (names ending in `_`), and `_scores(matrix)`, (n, width_).
    """

    def fit(self, features: Any, y: Any = None, folds: np.ndarray | None = None) -> Self:
        """Read the parameters; the reals fix the scale and nothing else.

        Parameters
        ----------
        features : ndarray of shape (n, d) or Features
            Features of reals.
        y : ignored
            For scikit-learn's convention.
        folds : int ndarray of shape (n,) or None, default None
            Fold of each real, from 0; only their number matters.

        Returns
        -------
        Fixed
            Itself.
        """
        matrix = as_matrix(features)
        self._read(matrix)
        self.width_ = matrix.shape[1]
        self.folds_ = 1 + int(as_folds(folds, len(matrix)).max(initial=0))
        self.held_out_ = self.score_samples(matrix)
        return self

    def score_samples(self, features: Any) -> np.ndarray:
        """One score a picture, float64 (n,); higher is better."""
        check_fitted(self, "width_", "Call fit(reals) before asking for scores; it reads the parameters.")
        return self._scores(as_matrix(features, int(self.width_)).astype(np.float64))

    def score_folds(self, features: Any) -> np.ndarray:
        """The same score for each fold, float64 (n, F)."""
        return np.repeat(self.score_samples(features)[:, None], int(self.folds_), axis=1)

    def score_with_deviation(self, features: Any) -> tuple[np.ndarray, np.ndarray]:
        """Scores, and zeros: no real decides them."""
        scores = self.score_samples(features)
        return scores, np.zeros(len(scores))

    @abstractmethod
    def _read(self, matrix: np.ndarray) -> None:
        """Set what the scores need."""

    @abstractmethod
    def _scores(self, matrix: np.ndarray) -> np.ndarray:
        """Scores of float64 (n, width_), (n,)."""


class Value(Fixed):
    """The mean of the features as it is: for extractors whose features are scores already, such as `learned`.

    Examples
    --------
    >>> Value().fit(np.ones((20, 1))).score_samples(np.array([[0.25], [4.0]])).tolist()
    [0.25, 4.0]
    """

    def _read(self, matrix: np.ndarray) -> None:
        pass

    def _scores(self, matrix: np.ndarray) -> np.ndarray:
        return matrix.mean(axis=1)


class IQA(Value):
    """The opinion of a metric of pyiqa as it is, higher being better: the feature of the extractor `iqa`.

        giqa score FAKES --real REALS --scorer "iqa(metric='nima')"

    Parameters
    ----------
    metric : str, default "nima"
        Name of the metric in pyiqa.
    device : str, default "cpu"
        Where it runs.

    Raises
    ------
    BadShape
        If features are not the one number of the extractor `iqa`.
    NotFitted
        If scores are asked for before `fit`.

    Notes
    -----
    NIMA (`nima`) and DeepIQA (`wadiqam_nr`) are baselines of the GIQA paper's Table 1: they know photographs and
    people's opinions of them, not your reals.

    Examples
    --------
    >>> IQA(metric="nima").default_extractor
    "iqa(metric='nima', device='cpu')"
    """

    def __init__(self, metric: str = "nima", device: str = "cpu"):
        self.metric = metric
        self.device = device

    @property
    def default_extractor(self) -> str:
        """The extractor whose only feature is the metric."""
        return f"iqa(metric={self.metric!r}, device={self.device!r})"

    def _read(self, matrix: np.ndarray) -> None:
        if matrix.shape[1] != 1:
            raise BadShape(f"The scorer iqa takes the one number of the extractor iqa, got {matrix.shape[1]}.")
