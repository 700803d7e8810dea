"""What every scorer may offer, with its defaults; and any other scorer fitted without each fold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any, Self, cast

import numpy as np

from ..errors import BadSpec, NotFitted
from ..registry import checked, complete, parameters
from ..stats import jackknife
from ..types import Features, as_numbers
from .scale import as_folds

NO_FOLDS = "No fold was held out; call fit(reals, folds=...) with a fold for each real, 0 to 4, first."


def called(made: Any) -> str:
    """How a scorer was made, as scikit-learn shows it, and whether it is fitted.

    Parameters
    ----------
    made : object
        Keeps its parameters under their own names; of one that does not, its class is shown.

    Examples
    --------
    >>> from giqa.scorers import KNN
    >>> KNN(k=5), KNN(k=5).fit(np.arange(40.0).reshape(20, 2), folds=np.arange(20) % 5)
    (KNN(k=5, preset='recommended'), KNN(k=5, preset='recommended') fitted)
    """
    learned = any(name.endswith("_") and not name.startswith("_") for name in vars(made))
    try:
        given = ", ".join(f"{name}={value!r}" for name, value in parameters(made).items())
    except BadSpec:
        given = "..."
    return f"{type(made).__name__}({given}){' fitted' if learned else ''}"


class BaseScorer:
    """Defaults of everything that a scorer may offer beyond `fit` and `score_samples`; the built-in ones inherit it.

    The only list of them: `giqa.registry.complete` gives them to the scorers of third parties, which inherit nothing.
    A subclass gives `fit(features, y=None, folds=None)`, `score_samples(features)` and `score_folds(features)`; `fit`
    sets `held_out_`, float64 (n,): the score of each real under the model without its fold.

    Examples
    --------
    >>> class Middle(BaseScorer):
    ...     def fit(self, features, y=None, folds=None):
    ...         self.centres_ = np.stack([features[folds != f].mean(axis=0) for f in range(folds.max() + 1)])
    ...         return self
    ...     def score_folds(self, features):
    ...         return -np.linalg.norm(features[:, None] - self.centres_, axis=2)
    ...     def score_samples(self, features):
    ...         return self.score_folds(features).mean(axis=1)
    >>> x = np.arange(8.0).reshape(4, 2)
    >>> scores, deviations = Middle().fit(x, folds=np.array([0, 0, 1, 1])).score_with_deviation(x)
    >>> deviations.round(3).tolist()
    [2.828, 1.414, 1.414, 2.828]
    """

    default_extractor: str | None = None  # spec of the extractor whose features it is made for

    def __repr__(self) -> str:
        return called(self)

    def score_with_deviation(self, features: Any) -> tuple[np.ndarray, np.ndarray]:
        """Scores, and how much each would vary with other reals: the jackknife over the folds.

        Parameters
        ----------
        features : ndarray of shape (n, d) or Features
            Features of the pictures.

        Returns
        -------
        scores, deviations : float64 ndarray of shape (n,)
            Both in the unit of the score.
        """
        own: Any = self  # its subclass has both
        scores, of_folds = own.score_samples(features), own.score_folds(features)
        if of_folds.shape[1] < 2:
            raise NotFitted(NO_FOLDS)
        return scores, jackknife(of_folds)

    def chosen(self) -> dict[str, Any]:
        """What `fit` decided by itself, as JSON can hold it; nothing by default."""
        return {}

    def layer_names(self, outputs: Iterable[str]) -> list[str]:
        """Names of the layers that it scores one by one; [] where it makes no difference between layers.

        Parameters
        ----------
        outputs : iterable of str
            Names of the layers of the features that it was fitted on.
        """
        return []

    def layer_z(self, features: Any) -> np.ndarray:
        """z of each picture in each of its layers, (n, layers); (n, 0) where it makes no difference between layers."""
        return np.empty((len(_matrix(features)), 0))


class Folded(BaseScorer):
    """Any scorer with `fit` and `score_samples`, fitted on all reals and once without each fold.

    Parameters
    ----------
    scorer : object
        It is fitted in place on all reals; copies of it are fitted without each fold. It is given arrays (n, d).

    Examples
    --------
    >>> class Middle:
    ...     def fit(self, x):
    ...         self.centre = x.mean(axis=0)
    ...         return self
    ...     def score_samples(self, x):
    ...         return -np.linalg.norm(x - self.centre, axis=1)
    >>> x = np.arange(8.0).reshape(4, 2)
    >>> Folded(Middle()).fit(x, folds=np.array([0, 0, 1, 1])).held_out_.round(3).tolist()
    [-7.071, -4.243, -4.243, -7.071]
    """

    def __init__(self, scorer: Any):
        self.scorer = scorer

    @property
    def default_extractor(self) -> str | None:  # type: ignore[override]  # it has none of its own
        """That of the scorer."""
        return cast(str | None, complete("scorer", self.scorer).default_extractor)

    def fit(self, features: Any, y: Any = None, folds: np.ndarray | None = None) -> Self:
        """Fit on all reals, and without each fold.

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
        Folded
            Itself.
        """
        matrix = _matrix(features)
        checked("scorer", self.scorer)
        folds = as_folds(folds, len(matrix))
        self.parts_ = [deepcopy(self.scorer).fit(matrix[folds != f]) for f in range(folds.max() + 1) if folds.max()]
        self.held_out_ = np.empty(len(matrix))
        for f, part in enumerate(self.parts_):
            self.held_out_[folds == f] = part.score_samples(matrix[folds == f])
        self.scorer.fit(matrix)
        return self

    def score_samples(self, features: Any) -> np.ndarray:
        """One score a picture, (n,)."""
        return cast(np.ndarray, self.scorer.score_samples(_matrix(features)))

    def score_folds(self, features: Any) -> np.ndarray:
        """The score under the model without each fold in turn, (n, F)."""
        check_fitted(self, "parts_")
        return stacked([part.score_samples(_matrix(features)) for part in self.parts_])

    def blank_parts(self, n: int) -> list[Any]:
        """n copies of the scorer."""
        return [deepcopy(self.scorer) for _ in range(n)]


def stacked(of_folds: Sequence[np.ndarray]) -> np.ndarray:
    """Scores under the model without each fold, (n,) each, as (n, F); `NotFitted` where none was held out."""
    if not of_folds:
        raise NotFitted(NO_FOLDS)
    return np.stack(of_folds, axis=1)


def check_fitted(scorer: Any, learned: str, remedy: str = "Call fit(reals) before asking for scores.") -> None:
    """Raise `NotFitted` where a scorer has not learned yet.

    Parameters
    ----------
    scorer : object
        The scorer.
    learned : str
        Name of an attribute that `fit` sets.
    remedy : str
        What to do.

    Raises
    ------
    NotFitted
        If the attribute is not there.

    Examples
    --------
    >>> check_fitted(BaseScorer(), "mean_")
    Traceback (most recent call last):
    giqa.errors.NotFitted: Call fit(reals) before asking for scores.
    """
    if learned not in vars(scorer):
        raise NotFitted(remedy)


def _matrix(features: Any) -> np.ndarray:
    return features.matrix() if isinstance(features, Features) else as_numbers(features, "Features", 2)
