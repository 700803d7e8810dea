"""From many judgements to one label or one scale: majority, Dawid-Skene, Bradley-Terry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import BadShape, BadSpec
from ..registry import as_whole, check_arguments
from ..stats import NORMAL, sigmoid
from .labels import Pairs, Votes

SMOOTHING = 0.01  # answers added to each cell of a rater's confusion matrix, so that no estimate is exactly 0

LARGEST_PRIOR = 1e6  # votes for and against each


@dataclass(frozen=True, eq=False)
class Consensus:
    """One row a picture, in the order of their names: the probability that it "is real" to these raters.

    Parameters
    ----------
    image : str array (n,)
        Names.
    p_real : float array (n,)
        From 0 to 1.
    raters : str array (r,)
        Names of the raters; empty for the majority.
    sensitivity, specificity : float array (r,)
        Of each rater, how often real and fake (as the model has it) are called so; empty for the majority.
    """

    image: np.ndarray
    p_real: np.ndarray
    raters: np.ndarray
    sensitivity: np.ndarray
    specificity: np.ndarray


def majority(votes: Votes) -> Consensus:
    """The share of votes that said real; above one half it is the majority's label, one half is a draw.

    Parameters
    ----------
    votes : Votes
        Single votes.

    Returns
    -------
    Consensus

    Examples
    --------
    >>> from giqa.tables.table import Table
    >>> from giqa.votes import as_labels
    >>> table = Table("votes", {"image": ["a", "a", "b"], "rater": ["r", "s", "r"], "said_real": [1, 0, 1]})
    >>> majority(as_labels(table)).p_real.tolist()
    [0.5, 1.0]
    """
    if not isinstance(votes, Votes):
        raise BadSpec(f"Votes of single raters are needed, see giqa.votes.read_labels; got {votes!r:.80}.")
    images, place = np.unique(votes.image, return_inverse=True)
    share = np.bincount(place, votes.said_real, len(images)) / np.bincount(place, minlength=len(images))
    return Consensus(images, share, np.empty(0, np.str_), np.empty(0), np.empty(0))


def dawid_skene(votes: Votes, most: int = 200, tolerance: float = 1e-6) -> Consensus:
    """Labels weighed by how good each rater is, both learned from the votes alone, by EM from the majority.

    Parameters
    ----------
    votes : Votes
        Single votes.
    most : int
        Steps at most.
    tolerance : float
        It ends when no probability moves by more than this.

    Returns
    -------
    Consensus

    Notes
    -----
    It assumes that there is a right answer which raters see more or less well. For "does it look real?" on pictures
    that divide raters, the share of votes says more. Raters who all agree on what is wrong are taken to be right.

    References
    ----------
    Dawid and Skene 1979.

    Examples
    --------
    >>> from giqa.tables.table import Table
    >>> from giqa.votes import as_labels
    >>> images, raters, said = "aaabbbccc", "rstrstrst", [1, 1, 0, 0, 0, 1, 1, 1, 1]
    >>> table = Table("votes", {"image": [*images], "rater": [*raters], "said_real": said})
    >>> dawid_skene(as_labels(table)).p_real.round(1).tolist()  # t disagrees, and counts for little
    [1.0, 0.0, 1.0]
    """
    check_arguments(dawid_skene, most=as_whole(most, "most"), tolerance=tolerance)
    p = majority(votes).p_real
    images, i = np.unique(votes.image, return_inverse=True)
    raters, r = np.unique(votes.rater, return_inverse=True)
    said = votes.said_real.astype(float)
    for _ in range(most):
        prior = float(np.clip(p.mean(), 1e-6, 1 - 1e-6))
        right = [_share(r, w, says, len(raters)) for w, says in ((p[i], said), (1 - p[i], 1 - said))]
        real_odds = said * np.log(right[0])[r] + (1 - said) * np.log1p(-right[0])[r]
        fake_odds = said * np.log1p(-right[1])[r] + (1 - said) * np.log(right[1])[r]
        odds = np.log(prior / (1 - prior)) + np.bincount(i, real_odds - fake_odds, len(images))
        before, p = p, sigmoid(odds)
        if np.abs(p - before).max() < tolerance:
            break
    return Consensus(images, p, raters, *right)


def _share(rater: np.ndarray, weight: np.ndarray, right: np.ndarray, n: int) -> np.ndarray:
    hits = np.bincount(rater, weight * right, n) + SMOOTHING
    return hits / (np.bincount(rater, weight, n) + 2 * SMOOTHING)


@dataclass(frozen=True, eq=False)
class Strengths:
    """One row a picture (or generator), best first: log-strength with mean 0 and its 95 % interval.

    Parameters
    ----------
    name : str array (n,)
        Names.
    strength : float array (n,)
        A difference d between two means that the stronger is chosen with probability 1 / (1 + exp(-d)).
    low, high : float array (n,)
        Of the strength against the mean of all, from the curvature of the likelihood; votes count as independent.
    votes : float array (n,)
        Comparisons that each was in.
    """

    name: np.ndarray
    strength: np.ndarray
    low: np.ndarray
    high: np.ndarray
    votes: np.ndarray


def bradley_terry(pairs: Pairs, prior: float = 0.1, most: int = 10_000, tolerance: float = 1e-9) -> Strengths:
    """Strengths from pairs, P(i is chosen over j) = s_i / (s_i + s_j), by minorisation.

    Parameters
    ----------
    pairs : Pairs
        A tie is half a vote to each.
    prior : float
        Wins and losses of each against an opponent of average strength, which keeps those finite that never won or
        never lost. With 0 such a table is refused.
    most : int
        Steps at most.
    tolerance : float
        It ends when no log-strength moves by more than this.

    Returns
    -------
    Strengths
        Best first.

    Raises
    ------
    BadShape
        Without votes between two pictures; with `prior=0` when some never won, or never lost, against the others.

    References
    ----------
    Hunter 2004, MM algorithms for generalized Bradley-Terry models.

    Examples
    --------
    >>> names = (["a", "b", "a"], ["b", "c", "c"])
    >>> pairs = Pairs(*map(np.array, (*names, [3.0, 2.0, 4.0], [1.0, 2.0, 0.0], [""] * 3)))
    >>> bradley_terry(pairs).name.tolist()
    ['a', 'b', 'c']
    """
    if not isinstance(pairs, Pairs):
        raise BadSpec(f"Comparisons of two pictures are needed, see giqa.votes.read_labels; got {pairs!r:.80}.")
    check_arguments(bradley_terry, prior=prior, most=as_whole(most, "most"), tolerance=tolerance)
    if not 0 <= prior <= LARGEST_PRIOR:
        raise BadSpec(f"prior is a number from 0 to {LARGEST_PRIOR:g}, got {prior!r}.")
    names, place = np.unique(np.concatenate([pairs.left, pairs.right]), return_inverse=True)
    left, right = np.split(place, 2)
    k = len(names)
    wins = np.zeros((k, k))
    np.add.at(wins, (left, right), pairs.votes_left)
    np.add.at(wins, (right, left), pairs.votes_right)
    np.fill_diagonal(wins, 0)
    played, won = wins + wins.T, wins.sum(axis=1)
    if k < 2 or not played.any():
        raise BadShape("Strengths need votes between at least two pictures.")
    if not prior and not _connected(wins):
        raise BadShape("Some pictures never lost to, or never won against, the others: give prior= above 0, say 0.1.")
    s = np.ones(k)
    for _ in range(most):
        faced = (played / (s[:, None] + s)).sum(axis=1) + 2 * prior / (s + 1)
        new = (won + prior) / faced
        new /= np.exp(np.log(new).mean())
        moved, s = np.abs(np.log(new) - np.log(s)).max(), new
        if moved < tolerance:
            break
    strength = np.log(s)
    p = s[:, None] / (s[:, None] + s)
    information = -played * p * p.T
    ghost = 2 * prior * s / (1 + s) ** 2
    np.fill_diagonal(information, ghost - (information.sum(axis=1) - np.diag(information)))
    centre = np.eye(k) - 1 / k
    half = NORMAL * np.sqrt(np.maximum(np.diag(centre @ np.linalg.pinv(information) @ centre), 0))
    order = np.argsort(-strength, kind="stable")
    columns = (names, strength, strength - half, strength + half, played.sum(axis=1))
    return Strengths(*(column[order] for column in columns))


def _connected(wins: np.ndarray) -> bool:
    """Whether every one has beaten every other, directly or by way of others."""
    reached = (wins > 0) | np.eye(len(wins), dtype=bool)
    for _ in range(int(np.ceil(np.log2(len(wins)))) + 1):
        reached = (reached.astype(np.float32) @ reached.astype(np.float32)) > 0
    return bool(reached.all())


def groups_of(pairs: Pairs) -> int:
    """How many groups of pictures there are between which there is no vote.

    >>> groups_of(Pairs(*map(np.array, (["a", "c"], ["b", "d"], [1.0, 1.0], [0.0, 0.0], ["", ""]))))
    2
    """
    voted = pairs.rows(pairs.votes_left + pairs.votes_right > 0)
    names, place = np.unique(np.concatenate([voted.left, voted.right]), return_inverse=True)
    left, right = np.split(place, 2)
    group, before = np.arange(len(names)), None
    while before is None or (group != before).any():  # the lowest number that is reached
        before = group.copy()
        np.minimum.at(group, left, before[right])
        np.minimum.at(group, right, before[left])
        group = group[group]
    return len(np.unique(group))


def unanimous(pairs: Pairs) -> Pairs:
    """Only the pairs on which all raters agree, as LGIQA keeps them; a row a pair."""
    summed = sum_pairs(pairs)
    return summed.rows((summed.votes_left == 0) != (summed.votes_right == 0))


def sum_pairs(pairs: Pairs) -> Pairs:
    """One row a pair, whichever side its pictures were on: the votes of all rows."""
    swap = pairs.left > pairs.right
    left, right = np.where(swap, pairs.right, pairs.left), np.where(swap, pairs.left, pairs.right)
    key, place = np.unique(np.rec.fromarrays([left, right]), return_inverse=True)
    for_left = np.where(swap, pairs.votes_right, pairs.votes_left)
    for_right = np.where(swap, pairs.votes_left, pairs.votes_right)
    sums = [np.bincount(place, column, len(key)) for column in (for_left, for_right)]
    columns = list(key.dtype.names)
    return Pairs(key[columns[0]], key[columns[1]], *sums, np.full(len(key), "", np.str_))
