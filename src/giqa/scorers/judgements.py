"""How good people find a picture, learned from votes, pairs and ratings together: one ridge regression on many columns.

Columns come in families: `layers` (distances to references and z of layers), `pooled` (features of the network),
`size`, and what else is given by name. Each family has a total variance of 1, whatever its number of columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from ..errors import BadShape, BadSpec
from ..registry import as_seed, as_whole
from ..stats import TAILS, covariance, sigmoid
from ..stats.likelihoods import Likelihood
from ..types import Features
from .human import DISTANCE, FEWEST, MOST_RESAMPLES, Z
from .judgement_search import Choice, Search, folds_of_groups
from .random_effect import SPREADS, centred, drawn_spreads, effects, posterior, spread_likelihood
from .scale import as_groups
from .scorer import called, check_fitted

FORMAT = 1
OUTPUTS = {"votes": "p_real", "pairs": "p_preferred", "ratings": "rating"}
LAYERS = "layers"  # the family of distances and z
FAR = 4.0  # standard deviations of the judged pictures, to which each column is clipped
ARRAYS = ("mean_", "spread_", "far_", "centre_", "weights_", "draws_", "steps_")
OF_A_PAIR = np.sqrt(0.5)  # own deviation of a picture, of that of a difference of two


class JudgementModel:
    """t = w x of a picture, by which people vote, prefer and rate; see `giqa.stats.likelihoods`.

    Parameters
    ----------
    families : sequence of sequence of str or None, default None
        Sets of families that cross-validation chooses from; None: each family alone, and all together.
    resamples : int, default 200
        Draws of the parameters, for intervals; 0: none.
    seed : int, default 0
        Of folds and draws.

    Raises
    ------
    BadShape
        In `fit`: fewer than 20 pictures have judgements.

    Notes
    -----
    Penalty, set of families, and whether each group has a level of its own (columns are then compared within groups
    alone) are chosen together, by the held-out likelihood of judgements, groups whole. The largest set is taken unless
    another is better by more than one standard error: choosing among near equals costs more than it gains.

    Examples
    --------
    >>> from giqa.stats import PairLikelihood
    >>> rng = np.random.default_rng(0)
    >>> x = Features(tuple(map(str, range(60))), {"pooled": rng.normal(size=(60, 4))})
    >>> left, right = rng.integers(60, size=(2, 300))
    >>> wins = rng.binomial(1, sigmoid(2 * (x.layers["pooled"][left, 0] - x.layers["pooled"][right, 0])))
    >>> model = JudgementModel().fit(x, {"pairs": PairLikelihood(left, right, wins, np.ones(300))})
    >>> p, low, high = model.predict(x)["pairs"]
    >>> bool(np.corrcoef(p, x.layers["pooled"][:, 0])[0, 1] > 0.9), bool((low < p).all() and (p < high).all())
    (True, True)
    """

    def __init__(self, families: Sequence[Sequence[str]] | None = None, resamples: int = 200, seed: int = 0):
        self.families = families
        self.resamples = resamples
        self.seed = seed

    def __repr__(self) -> str:
        return called(self)

    def fit(
        self, features: Features, judgements: Mapping[str, Likelihood], groups: Any = None, steps: Any = None
    ) -> Self:
        """Learn from judged pictures.

        Parameters
        ----------
        features : Features
            Layers of n pictures, each of them judged. Names that end in ".distance" or ".z" are of the family "layers";
            of others the family is what stands before the last ":", if there is one.
        judgements : mapping
            "votes", "pairs" and "ratings" -> likelihood, whose pictures are rows of `features`.
        groups : array-like of shape (n,) or None, default None
            Pictures that belong together: folds take them whole.
        steps : array-like of shape (K,) or None, default None
            What each level of the ratings stands for; None: 1 to K.

        Returns
        -------
        JudgementModel
            Itself.
        """
        if not isinstance(judgements, Mapping) or not judgements:
            raise BadSpec(
                f"judgements are likelihoods by name, such as votes, pairs or ratings, got {judgements!r:.80}."
            )
        as_whole(self.resamples, "resamples", 0, MOST_RESAMPLES)
        self.kinds_ = tuple(judgements)
        if len(features) < FEWEST:
            raise BadShape(f"A human model needs {FEWEST} pictures with judgements, got {len(features)}.")
        levels = judgements["ratings"].size + 1 if "ratings" in judgements else 0
        self.steps_ = np.arange(1.0, levels + 1) if steps is None else np.asarray(steps, float)
        matrix, self.names_, owner = _columns(features)
        self._standardise(matrix, owner)
        x = self._x(matrix)
        groups, rng = as_groups(groups, len(x)), np.random.default_rng(as_seed(self.seed))
        search = Search(x, owner, list(judgements.values()), groups, folds_of_groups(groups, rng))
        self.choice_, self.gain_ = search.best(self._sets(owner))
        self._learn(search, rng)
        return self

    def _sets(self, owner: np.ndarray) -> list[tuple[str, ...]]:
        """Sets of families, the largest first."""
        known = tuple(dict.fromkeys(owner.tolist()))
        if self.families is not None:
            good = isinstance(self.families, (list, tuple)) and all(isinstance(s, (list, tuple)) for s in self.families)
            if not good or not self.families or not all(set(known).intersection(one) for one in self.families):
                raise BadSpec(f"families are lists of {', '.join(known)}, or None, got {self.families!r:.80}.")
        sets = self.families or [known, *((name,) for name in known if len(known) > 1)]
        return sorted((tuple(one) for one in sets), key=len, reverse=True)

    def _learn(self, search: Search, rng: np.random.Generator) -> None:
        """The fit to all judgements, draws of its parameters, and the spread of what the columns do not say."""
        space = search.space(self.choice_)
        fit = search.fit(space, search.kinds, self.choice_.penalty)
        sizes = [kind.size for kind in search.kinds]
        self.weights_ = space.weights(fit.w)
        self.own_, self.units_ = fit.own, fit.units
        self.spreads_ = np.empty((len(self.kinds_), 0))
        self.draws_ = np.empty((0, sum(sizes) + len(self.weights_)))
        if not self.resamples:
            return
        spread = covariance(space.x, search.kinds, space.penalty(self.choice_.penalty), fit)
        values, vectors = np.linalg.eigh(spread)
        root = vectors * np.sqrt(np.maximum(values, 0))
        drawn = np.concatenate([*fit.own, fit.w]) + rng.normal(size=(self.resamples, len(spread))) @ root.T
        own = _ordered(drawn[:, : sum(sizes)], self.kinds_, sizes)
        self.draws_ = np.c_[own, space.weights(drawn[:, sum(sizes) :].T).T]
        w = drawn[:, sum(sizes) :]
        held = search.held_out(self.choice_)
        scale = fit.units * [np.sqrt(len(kind.touched())) for kind in search.kinds]  # two deviations add up in a pair
        log = np.zeros(len(SPREADS))
        for kind, unit, own, t, times in zip(search.kinds, fit.units, fit.own, held, scale, strict=True):
            variance = unit**2 * (kind.rows(space.x) @ w.T).var(axis=1)
            log += spread_likelihood(t, variance, _given_own(kind, own), times * SPREADS)
        self.spreads_ = scale[:, None] * drawn_spreads(posterior(log), self.resamples, rng)

    def score_samples(self, features: Features) -> np.ndarray:
        """t: 0 of the typical judged picture, higher = better, in log odds of the first kind; float64 (n,)."""
        return np.einsum("ij,j->i", self._given(features), self.weights_)

    def score_interval(self, features: Features) -> tuple[np.ndarray, np.ndarray]:
        """The 95 % interval of t as far as the fit is uncertain, (n,) each; NaN with `resamples=0`."""
        if not len(self.draws_):
            return tuple(np.full((2, len(features)), np.nan))
        t = np.einsum("ij,kj->ik", self._given(features), self.draws_[:, len(np.concatenate(self.own_)) :])
        low, high = np.percentile(t, TAILS, axis=1)
        value = self.score_samples(features)
        return np.minimum(low, value), np.maximum(high, value)

    def predict(self, features: Features) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """What people would say of each picture, and its 95 % interval.

        Parameters
        ----------
        features : Features
            As in `fit`.

        Returns
        -------
        dict
            "votes" -> probability that a person says real, "pairs" -> that a person prefers the picture to the typical
            one of those judged, "ratings" -> expected rating; each value, low and high, (n,).
        """
        x, found, start = self._given(features), {}, 0
        t = np.einsum("ij,j->i", x, self.weights_)
        drawn = np.einsum("ij,kj->ik", x, self.draws_[:, len(np.concatenate(self.own_)) :])
        for i, kind in enumerate(self.kinds_):
            mine = slice(start, start + len(self.own_[i]))
            start = mine.stop
            value = self._said(kind, self.units_[i] * t, self.own_[i][:, None])
            if len(self.draws_):
                points = self._points(kind, i, drawn, self.draws_[:, mine].T)
                low, high = np.percentile(points.reshape(len(x), -1), TAILS, axis=1)
                found[kind] = (value, np.minimum(low, value), np.maximum(high, value))
            else:
                found[kind] = (value, *np.full((2, len(x)), np.nan))
        return found

    def _points(self, kind: str, i: int, drawn: np.ndarray, own: np.ndarray) -> np.ndarray:
        """What people may say, (n, times, draws): by every draw, with what the columns do not say added."""
        spreads = self.spreads_[i]
        deviation = effects(spreads * (OF_A_PAIR if kind == "pairs" else 1.0))
        points = centred(self.units_[i] * drawn, spreads)[:, None] + deviation
        return self._said(kind, points, centred(own, spreads))

    def _said(self, kind: str, t: np.ndarray, own: np.ndarray) -> np.ndarray:
        if kind == "pairs":
            return sigmoid(t)
        if kind == "votes":
            return sigmoid(t + own[0])
        above = [sigmoid(t - threshold) for threshold in own]  # P(rating above the level)
        return self.steps_[0] + sum(step * p for step, p in zip(np.diff(self.steps_), above, strict=True))

    def record(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """All that was learned, as arrays and as JSON can hold it; `restored` takes it."""
        header = {
            "kind": "judgements",
            "format": FORMAT,
            "parameters": {"families": self.families, "resamples": self.resamples, "seed": self.seed},
            "names": list(self.names_),
            "kinds": list(self.kinds_),
            "sizes": [len(own) for own in self.own_],
            "choice": [list(self.choice_.families), self.choice_.centred, self.choice_.penalty],
            "gain": self.gain_,
        }
        arrays = {name: np.ascontiguousarray(getattr(self, name)) for name in (*ARRAYS, "units_", "spreads_")}
        return arrays | {"own_": np.concatenate(self.own_)}, header

    @classmethod
    def restored(cls, arrays: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> Self:
        """The model that `record` describes."""
        if header["format"] != FORMAT:
            raise ValueError("another version")
        model = cls(**header["parameters"])
        model.names_, model.kinds_, model.gain_ = tuple(header["names"]), tuple(header["kinds"]), header["gain"]
        families, is_centred, penalty = header["choice"]
        model.choice_ = Choice(tuple(families), is_centred, penalty)
        for name, value in arrays.items():
            setattr(model, name, value)
        model.own_ = np.split(arrays["own_"], np.cumsum(header["sizes"])[:-1])
        return model

    def _standardise(self, matrix: np.ndarray, owner: np.ndarray) -> None:
        """Learn mean and spread of each column; a family's spread grows with its number of columns."""
        self.mean_, self.spread_ = np.nanmean(matrix, axis=0), np.nanstd(matrix, axis=0)
        still = self.spread_ <= 1e-9 * np.maximum(1, np.abs(self.mean_))
        self.spread_[still] = 1
        many = np.array([np.sqrt((owner == name).sum()) for name in owner])
        self.spread_ = self.spread_ * many
        self.far_ = FAR / many
        self.centre_ = np.zeros(len(self.mean_))
        self.centre_ = self._x(matrix).mean(axis=0)

    def _x(self, matrix: np.ndarray) -> np.ndarray:
        """Standardised columns; what is missing (NaN) is typical."""
        x = np.clip((matrix - self.mean_) / self.spread_, -self.far_, self.far_) - self.centre_
        return np.where(np.isnan(x), 0, x)

    def _given(self, features: Features) -> np.ndarray:
        check_fitted(self, "weights_", "Call fit(features, judgements) before asking what people would say.")
        matrix, names, _ = _columns(features)
        if names != self.names_:
            raise BadShape(f"The model was fitted on {', '.join(self.names_)}; got {', '.join(names)}.")
        return self._x(matrix)


def family_of(layer: str) -> str:
    """The family of a layer's columns."""
    return LAYERS if layer.endswith((DISTANCE, Z)) else layer.rpartition(":")[0] or layer


def _columns(features: Features) -> tuple[np.ndarray, tuple[str, ...], np.ndarray]:
    """Columns (n, d), with distances and z as sign(x) log(1 + |x|); their names and families."""
    parts, names, owner = [], [], []
    for name, layer in features.layers.items():
        x, width = np.asarray(layer, np.float64), layer.shape[1]
        family = family_of(name)
        parts.append(np.sign(x) * np.log1p(np.abs(x)) if family == LAYERS else x)
        names += [name] if width == 1 else [f"{name}.{i}" for i in range(width)]
        owner += [family] * width
    return np.concatenate(parts, axis=1), tuple(names), np.array(owner)


def _ordered(own: np.ndarray, kinds: Sequence[str], sizes: Sequence[int]) -> np.ndarray:
    """Draws of own parameters, with the thresholds of ratings in rising order."""
    parts = np.split(own, np.cumsum(sizes)[:-1], axis=1)
    return np.concatenate([np.sort(part, axis=1) for part in parts], axis=1) if kinds else own


def _given_own(kind: Likelihood, own: np.ndarray) -> Callable[[np.ndarray, float], np.ndarray]:
    """Log-likelihood of rows, for `spread_likelihood`: own parameters move away from 0 as t does."""
    return lambda t, times: kind.values(t, own * times)
