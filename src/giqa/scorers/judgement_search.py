"""What cross-validation decides for `JudgementModel`: families of columns, levels of groups, the penalty."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..stats import JudgementFit, fit_judgements
from ..stats.likelihoods import Likelihood

PENALTIES = tuple(10.0 ** (e / 2) for e in range(8, -4, -1))  # from strong to weak: each fit begins at the last one
UNIT_PENALTY = 10.0  # of the fits that compare kinds of judgements
UNITS = (0.25, 4.0)
LEVEL_PENALTY = 0.01  # on the level of a group: nearly free
DIRECTIONS = 256  # main directions of the columns that are kept, at most
FOLDS = 5


@dataclass(frozen=True)
class Choice:
    """What cross-validation decides: families of columns, whether groups have levels of their own, the penalty."""

    families: tuple[str, ...]
    centred: bool
    penalty: float


@dataclass(frozen=True, eq=False)
class Space:
    """Columns as a fit sees them: main directions of some families, and a level of each group where it is centred."""

    x: np.ndarray  # (n, k + groups)
    directions: np.ndarray  # (d, k): of all columns, 0 where the family is left out

    def penalty(self, strength: float) -> np.ndarray:
        """Of each column of x."""
        k = self.directions.shape[1]
        return np.r_[np.full(k, strength), np.full(self.x.shape[1] - k, LEVEL_PENALTY)]

    def weights(self, w: np.ndarray) -> np.ndarray:
        """Weights of the columns of pictures, (d, ...); a new group has the level 0."""
        return self.directions @ w[: self.directions.shape[1]]


class Search:
    """Cross-validation over sets of families, levels of groups and penalties.

    Parameters
    ----------
    x : float array (n, d)
        Standardised columns.
    owner : str array (d,)
        The family of each.
    kinds : list of Likelihood
        Judgements.
    groups, folds : int array (n,)
        Of each picture.
    """

    def __init__(
        self, x: np.ndarray, owner: np.ndarray, kinds: Sequence[Likelihood], groups: np.ndarray, folds: np.ndarray
    ):
        self.x, self.owner, self.kinds, self.groups, self.folds = x, owner, list(kinds), groups, folds

    def space(self, choice: Choice) -> Space:
        mine = np.isin(self.owner, choice.families)
        u, s, v = np.linalg.svd(self.x[:, mine], full_matrices=False)
        kept = (s > 1e-6 * s[0]) & (np.arange(len(s)) < DIRECTIONS)
        directions = np.zeros((len(mine), int(kept.sum())))
        directions[mine] = v[kept].T
        levels = np.eye(self.groups.max() + 1)[self.groups] if choice.centred else np.empty((len(self.x), 0))
        return Space(np.c_[(u * s)[:, kept], levels], directions)

    @cached_property
    def units(self) -> np.ndarray:
        """What t is multiplied by for each kind of judgement, 1 for the first: raters of one kind may tell pictures
        apart better than those of another. By the slopes of held-out t, since t of the fit itself follows the noise of
        the kind that says most."""
        units = np.ones(len(self.kinds))
        if len(units) < 2 or len(np.unique(self.folds)) < 2:
            return units
        space = self.space(Choice(tuple(np.unique(self.owner)), False, UNIT_PENALTY))
        t = np.empty(len(self.x))
        for fold in np.unique(self.folds):
            out = self.folds == fold
            rest = [without(kind, out) for kind in self.kinds]
            t[out] = space.x[out] @ fit_judgements(space.x, rest, space.penalty(UNIT_PENALTY)).w
        slopes = np.array([fit_judgements(t[:, None], [kind], np.zeros(1)).w[0] for kind in self.kinds])
        return np.clip(slopes / slopes[0], *UNITS) if slopes.min() > 0 else units

    def fit(
        self, space: Space, kinds: Sequence[Likelihood], strength: float, start: JudgementFit | None = None
    ) -> JudgementFit:
        """The fit to some of the judgements."""
        return fit_judgements(space.x, kinds, space.penalty(strength), self.units, start)

    def best(self, sets: Sequence[tuple[str, ...]]) -> tuple[Choice, float]:
        """The choice, and its held-out gain in nats a judgement over a constant answer."""
        if len(np.unique(self.folds)) < 2:
            warnings.warn("All pictures are of one group, so nothing can be chosen; the penalty is 1.", stacklevel=4)
            return Choice(sets[-1], False, 1.0), float("nan")
        found = []
        for families in sets:
            for is_centred in (False, True) if self._may_be_centred() else (False,):
                values = np.concatenate(self._values(Choice(families, is_centred, 1.0)))
                place = int(values.sum(axis=0).argmax())
                found.append((Choice(families, is_centred, PENALTIES[place]), values[:, place]))
        most = max((values for _, values in found), key=np.sum)
        choice, values = next(one for one in found if self._as_good(one[1], most))
        constant = np.concatenate([self._constant(kind) for kind in self.kinds])
        judgements = sum(kind.counts().sum() for kind in self.kinds)
        return choice, float((values - constant).sum() / judgements)

    def held_out(self, choice: Choice) -> list[np.ndarray]:
        """t of each row of each kind, by the fit without its fold, in the unit of that kind."""
        t, _ = self._by_fold(choice, (choice.penalty,))
        return [kind.rows(at[:, 0]) for kind, at in zip(self.kinds, t, strict=True)]

    def _may_be_centred(self) -> bool:
        """Whether groups have several pictures each, and judgements compare groups."""
        across = (np.ptp([self.groups[rows] for rows in kind.touched()], axis=0).any() for kind in self.kinds)
        return self.groups.max() + 1 <= len(self.groups) / 2 and (any(k.size for k in self.kinds) or any(across))

    def _as_good(self, values: np.ndarray, most: np.ndarray) -> bool:
        """Whether the log-likelihood of all judgements is less than a standard error below the best one."""
        owner = np.concatenate([self.groups[kind.touched()[0]] for kind in self.kinds])
        below = np.bincount(owner, most - values)
        return bool(below.sum() <= np.sqrt(len(below)) * below.std())

    def _constant(self, kind: Likelihood) -> np.ndarray:
        """Log-likelihood of each row by a constant answer, which has seen them."""
        return kind.values(np.zeros(len(kind.counts())), kind.start())

    def _values(self, choice: Choice) -> list[np.ndarray]:
        """Log-likelihood of each row of each kind when its fold is held out, (m, penalties)."""
        t, own = self._by_fold(choice, PENALTIES)
        found = []
        for i, kind in enumerate(self.kinds):
            rows, fold = kind.rows(t[i]), self.folds[kind.touched()[0]]
            values = np.empty_like(rows)
            for f in np.unique(fold):
                here = kind.take(fold == f)
                for p in range(len(PENALTIES)):
                    values[fold == f, p] = here.values(rows[fold == f, p], own[f][p][i])
            found.append(values)
        return found

    def _by_fold(self, choice: Choice, penalties: Sequence[float]) -> tuple[list[np.ndarray], dict[int, list]]:
        """For each kind t of pictures by the fit without their fold, (n, penalties); own parameters by fold."""
        space, n = self.space(choice), len(self.x)
        t, own = [np.empty((n, len(penalties))) for _ in self.kinds], {}
        for fold in np.unique(self.folds):
            out = self.folds == fold
            rest = [without(kind, out) for kind in self.kinds]
            fit: JudgementFit | None = None
            own[fold] = []
            for p, strength in enumerate(penalties):
                fit = self.fit(space, rest, strength, fit)
                own[fold].append(fit.own)
                for at, unit in zip(t, self.units, strict=True):
                    at[out, p] = unit * (space.x[out] @ fit.w)
        return t, own


def without(kind: Likelihood, out: np.ndarray) -> Likelihood:
    """The judgements that touch none of the pictures `out`, a mask (n,)."""
    return kind.take(~np.any([out[pictures] for pictures in kind.touched()], axis=0))


def folds_of_groups(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The fold of each picture, groups whole: each group for itself where there are at most 10, else five folds."""
    names, place = np.unique(groups, return_inverse=True)
    number = len(names) if len(names) <= 2 * FOLDS else FOLDS
    return rng.permutation(np.arange(len(names)) % number)[place]
