"""Scorers as estimators of scikit-learn: Pipeline, GridSearchCV, clone.

from giqa.integrations.sklearn import Pictures, RealsOnly, Typical
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from ..errors import BadShape, BadSpec, MissingExtra
from ..features.reader import Reader
from ..features.select import layer_names
from ..model.fit import fit
from ..registry import as_seed
from ..types import Features

try:
    from sklearn.base import BaseEstimator, OutlierMixin, TransformerMixin
    from sklearn.utils.validation import check_is_fitted, validate_data
except ModuleNotFoundError as error:
    if error.name != "sklearn":
        raise
    raise MissingExtra("giqa.integrations.sklearn needs scikit-learn 1.6 or later: pip install scikit-learn.") from None


class Typical(OutlierMixin, BaseEstimator):
    """How typical of the reals, as a detector of outliers: learns from reals, `score_samples` is z.

    Parameters
    ----------
    scorer : str
        A spec such as "sgm" or "knn(k=5)"; one string, so that a grid is a list of strings.
    contamination : float
        Share of held-out reals that `predict` calls outliers, above 0, at most 0.5.
    seed : int
        Of folds and starts.

    Attributes
    ----------
    model_ : giqa.Model
    offset_ : float
        z below which a picture is an outlier.
    n_features_in_ : int

    Notes
    -----
    `fit(X, y=None)` learns from all rows and leaves y alone, as scikit-learn's detectors do: X must be reals. The
    threshold is that of held-out reals, so among the rows of `fit` fewer than `contamination` are called outliers.

    Examples
    --------
    ::

        search = GridSearchCV(Typical(), {"scorer": ["sgm", "knn(k=5)"]}, scoring="roc_auc", cv=RealsOnly(5))
        search.fit(features, is_real)
    """

    def __init__(self, scorer: str = "sgm", contamination: float = 0.05, seed: int = 0):
        self.scorer = scorer
        self.contamination = contamination
        self.seed = seed

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from features of reals (n, d), at least 20 different ones."""
        if isinstance(self.contamination, str) or not 0 < self.contamination <= 0.5:
            raise BadSpec(f"Typical(contamination=...) is above 0 and at most 0.5, got {self.contamination!r}.")
        matrix = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        self.model_ = fit(matrix, scorer=self.scorer, seed=self.seed)
        held_out = self.model_.scale.held_out
        self.offset_ = float(np.quantile(self.model_.scale.z(held_out), self.contamination))
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """z of each row, (n,): 0 is a typical held-out real, -3 three robust standard deviations worse."""
        return self._columns(X)["z"]

    def percentile(self, X: Any) -> np.ndarray:
        """Share of held-out reals that are no better, (n,)."""
        return self._columns(X)["percentile"]

    def decision_function(self, X: Any) -> np.ndarray:
        """z above the threshold, (n,); negative for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """1 for what is within the range of reals, -1 for outliers, (n,)."""
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def _columns(self, X: Any) -> dict[str, Any]:
        check_is_fitted(self)
        matrix = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return self.model_.columns(Features(tuple(map(str, range(len(matrix)))), {"features": matrix}))


class Pictures(TransformerMixin, BaseEstimator):
    """Pictures to features, the first step of a pipeline; nothing is learned.

    Parameters
    ----------
    extractor : str
        A spec such as "embedded" or "hub(model='facebook/dinov2-small')".
    layers : str or None
        Names or levels, with commas; None: the deepest layer that the extractor calls high.
    store : bool
        Whether features are kept, so that a grid search computes them once.
    """

    def __init__(self, extractor: str = "embedded", layers: str | None = None, store: bool = True):
        self.extractor = extractor
        self.layers = layers
        self.store = store

    def fit(self, X: Any, y: Any = None) -> Self:
        """Nothing to learn."""
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Features (n, d) of n pictures: paths, arrays, Pillow images, a table, a source."""
        found = Reader(self.extractor, store=self.store).features(X if isinstance(X, str) else _listed(X))
        if found.failures:
            name, reason = next(iter(found.failures.items()))
            raise BadShape(
                f"{len(found.failures)} pictures cannot be read; the first, {name}: {reason}. Leave them out."
            )
        features = found.features
        return np.concatenate([features.layers[name] for name in layer_names(features, self.layers)], axis=1)

    def __sklearn_is_fitted__(self) -> bool:
        return True


class RealsOnly:
    """Folds for a search over labelled pictures: each part learns from reals alone and is judged on reals and fakes.

    Parameters
    ----------
    n_splits : int
        Number of folds, from 2.
    seed : int
        Of the folds.

    Examples
    --------
    ::

        [(train, test)] = list(RealsOnly(2).split(X, y))[:1]
    """

    def __init__(self, n_splits: int = 5, seed: int = 0):
        if isinstance(n_splits, bool) or not isinstance(n_splits, (int, np.integer)) or n_splits < 2:
            raise BadSpec(f"RealsOnly(n_splits=...) is a whole number from 2, got {n_splits!r}.")
        self.n_splits, self.seed = int(n_splits), as_seed(seed)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Number of folds."""
        return self.n_splits

    def split(self, X: Any, y: Any, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Rows to learn from and rows to judge; y is 1 for reals, and 0 or -1 for fakes."""
        y = np.asarray(y)
        if not set(np.unique(y)) <= {-1, 0, 1} or not (y == 1).any() or (y == 1).all():
            raise BadSpec(f"y is 1 for reals, and 0 or -1 for fakes, both there; got {np.unique(y)[:5].tolist()}.")
        fewest = int(min((y == 1).sum(), (y != 1).sum()))
        if fewest < self.n_splits:
            raise BadSpec(f"{self.n_splits} folds need as many reals and as many fakes, got {fewest} of one of them.")
        folds = np.empty(len(y), int)
        rng = np.random.default_rng(self.seed)
        for rows in (np.flatnonzero(y == 1), np.flatnonzero(y != 1)):
            folds[rng.permutation(rows)] = np.arange(len(rows)) % self.n_splits
        for fold in range(self.n_splits):
            yield np.flatnonzero((y == 1) & (folds != fold)), np.flatnonzero(folds == fold)


def _listed(pictures: Any) -> Any:
    """Rows of an array as scikit-learn cuts them: an array of objects or texts as a list."""
    return list(pictures) if isinstance(pictures, np.ndarray) and pictures.dtype.kind in "OUS" else pictures
