"""A scorer and its scale, fitted on reals, each fold of them held out in turn; reals left out on request."""

from __future__ import annotations

import hashlib
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadShape
from ..features.extracted import joined
from ..images.copies import twins
from ..scorers.scale import Scale, assign_folds
from ..scorers.scorer import Folded
from ..types import Features, HoldsOut
from .out_of_domain import Content, content_columns
from .reals import Found, absurd, found, spare_twins

LOOKED_AT = 8  # columns of features that order rows; the rest only where these are equal


@dataclass(frozen=True)
class Fitted:
    """What fitting makes: `features` are the reals it counts, `reals` these and their mirrored copies."""

    scorer: Any
    content: Content | None
    scale: Scale
    features: Features
    reals: Features


def fit_in_order(
    scorer: Any, features: Features, mirrored: Features | None, seed: int, leave_out: frozenset[str]
) -> tuple[Fitted, Found, Found]:
    """Fit, and fit again if strays are to be left out; also which reals are twins, and which are strays.

    The order of the reals does not matter: they are fitted in the order of `content_order`, and kept in it.
    """
    order = content_order(features)
    features, mirrored = features.rows(order), None if mirrored is None else mirrored.rows(order)
    groups = _groups(features)
    spare = spare_twins(groups)
    repeated = found(features.ids, spare, "twins" in leave_out)
    kept = np.delete(np.arange(len(features)), spare) if repeated.left_out else np.arange(len(features))

    def fit_kept() -> Fitted:
        some = features if len(kept) == len(features) else features.rows(kept)
        flipped = None if mirrored is None else mirrored.rows(kept)
        return fit_held_out(deepcopy(scorer), some, flipped, groups[kept], seed)  # the caller's object stays as it is

    fitted = fit_kept()
    content, scale = fitted.content, fitted.scale
    odd = absurd(scale.z(scale.held_out)) if content is None else content.strays()
    strays = found(fitted.features.ids, np.flatnonzero(odd), "strays" in leave_out)
    if strays.left_out and strays.count:
        kept = kept[~odd]
        fitted = fit_kept()
    return fitted, repeated, strays


def fit_held_out(scorer: Any, features: Features, mirrored: Features | None, groups: np.ndarray, seed: int) -> Fitted:
    """Fitted on all reals and without each fold; twins and mirrored copies stay in one fold."""
    reals = features
    if mirrored is not None:
        named = Features(tuple(f"{i}#flip" for i in mirrored.ids), mirrored.layers, mirrored.info)
        reals, groups = joined([features, named], features.made_by), np.r_[groups, groups]
    folds = assign_folds(groups, seed)
    scorer = (scorer if isinstance(scorer, HoldsOut) else Folded(scorer)).fit(reals, folds=folds)
    content = None
    if content_columns(reals) is not None:
        content = Content(seed).fit(reals, folds=folds)
        content.held_out_ = content.held_out_[: len(features)]  # a mirrored copy is no second opinion
    return Fitted(scorer, content, Scale(scorer.held_out_[: len(features)], seed), features, reals)


def content_order(features: Features) -> np.ndarray:
    """Rows (n,) in an order that follows what the pictures are, not where they stand in a list.

    By the digest of their pixels where known; else by their features, column after column, so that another unit or
    origin changes nothing. Folds, starts and sums go by the order of rows, so whatever is fitted takes this one: the
    same reals in another order are the same reals, to the bit.
    """
    if features.info is not None:
        return np.argsort(_numbers(np.ascontiguousarray(features.info["digest"])), kind="stable")
    rows = features.matrix()
    if not rows.shape[1]:
        raise BadShape("Features are at least one number a picture; these have no columns.")
    first = rows[:, :LOOKED_AT]
    order = np.lexsort(first.T[::-1])
    tied = (first[order[1:]] == first[order[:-1]]).all(axis=1)
    tied = np.r_[tied, False] | np.r_[False, tied] if len(rows) else np.zeros(0, bool)
    rest = np.zeros(len(rows), ">u8")  # what tells rows apart that begin alike
    digests = [hashlib.sha256(np.ascontiguousarray(row).tobytes()).digest() for row in rows[order[tied]]]
    rest[order[tied]] = _numbers(np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32))
    return np.lexsort([rest, *first.T[::-1]])


def _numbers(digests: np.ndarray) -> np.ndarray:
    """The first 8 bytes of each digest as a number, (n,)."""
    return digests[:, :8].copy().view(">u8").ravel()


def folds_of(features: Features, seed: int) -> np.ndarray:
    """The fold of each real, (n,), where all of them are fitted, without mirrored copies."""
    order, folds = content_order(features), np.empty(len(features), int)
    folds[order] = assign_folds(_groups(features.rows(order)), seed)
    return folds


def _groups(features: Features) -> np.ndarray:
    return equal_rows(features.matrix()) if features.info is None else twins(features.info)


def equal_rows(matrix: np.ndarray) -> np.ndarray:
    """Group number of each row, (n,); equal rows share one."""
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(row.tobytes(), i) for i, row in enumerate(np.ascontiguousarray(matrix))])
