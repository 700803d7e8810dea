"""How good is the set, in two shares that people can quote, and one sentence of verdict."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..stats import NORMAL, UNKNOWN, WORST, Estimate, plain, wilson

PERFECT_WITHIN, PERFECT_BEATS = 1 - WORST, 0.5
WIDE = 0.3  # interval of a share from which a sentence says so
LOWEST_SHOWN = -10.0  # z; a table keeps the number
ROOM = 0.97  # level of the normal distribution in `beats_real`: shares are skewed, and 95 % shall hold anyway


@dataclass(frozen=True)
class Headline:
    """What is said first of a set of scored pictures; `Scores.headline` makes it.

    Parameters
    ----------
    within : Estimate
        Share of pictures that are better than the worst 5 % of reals; of a perfect generator 0.95.
    beats : Estimate
        Chance that one of the pictures scores higher than a random real; of a perfect generator 0.5.
    median_z : float or None
        z of the middle picture.
    pictures : int
        How many pictures count: those with a score that copy no real.
    reals : int or None
        How many held-out reals they are compared with; None where the table does not say, and there is no interval.
    below_all : int
        How many of the pictures score lower than every held-out real.
    reasons : mapping of str to int
        What costs most, of the pictures that are not within: how often each word, the most frequent first.

    Examples
    --------
    >>> headline = Headline(Estimate(0.23, 0.14, 0.36, 60), Estimate(0.13, 0.08, 0.2, 60), -18.2, 60, 200, 38)
    >>> for line in headline.lines():
    ...     print(line)
    23 % [14, 36] of the pictures are within the range of reals (a perfect generator: 95 %).
    13 % [8, 20] is the chance that one of them beats a random real (a perfect generator: 50 %).
    Most of them are worse than 95 % of reals; 38 of 60 are below all 200 held-out reals.
    """

    within: Estimate
    beats: Estimate
    median_z: float | None
    pictures: int
    reals: int | None = None
    below_all: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Whether there is anything to say."""
        return not math.isnan(self.within.value)

    @property
    def verdict(self) -> str:
        """One sentence, from both shares and their intervals."""
        if not self.known:
            return "No picture can be compared with reals, so nothing can be said."
        if self.pictures == 1:
            place, share = "within" if self.within.value >= 0.5 else "not within", _percent(self.beats.value)
            return f"The picture is {place} the range of reals: it scores higher than {share} of them."
        if math.isnan(self.within.low):
            return "How sure this is, the table does not say: it does not know the number of reals."
        below = ""
        if self.below_all and self.reals:
            below = f"; {self.below_all:,} of {self.pictures:,} are below all {self.reals:,} held-out reals"
        within, beats = self.within, self.beats
        if beats.low > PERFECT_BEATS:
            return "They score higher than reals do: look for copies of reals, and for a lack of variety."
        if within.high >= PERFECT_WITHIN:
            if beats.high >= PERFECT_BEATS:
                return "By this score they cannot be distinguished from reals."
            if self.unsure:
                return f"They score lower than reals; how many of them are in the range of reals is unsure{below}."
            return "They are within the range of reals, but on average lower than reals."
        are = "seem to be" if self.unsure else "are"
        if within.value >= 0.8:
            return f"Most of them {are} like reals; too many are worse than 95 % of reals{below}."
        if within.value >= 0.5:
            return f"More than half of them {are} like reals, the others are worse than 95 % of reals{below}."
        many = "Most" if within.value >= 0.05 else "Almost all"
        return f"{many} of them {are} worse than 95 % of reals{below}."

    @property
    def standing(self) -> str:
        """How good the set is in itself, in a few words that follow "is" or "are"; empty where nothing is known.

        Examples
        --------
        >>> few, half = Estimate(0.04, 0.01, 0.1, 60), Estimate(0.5, 0.4, 0.6, 60)
        >>> Headline(few, few, None, 60).standing, Headline(Estimate(0.94, 0.9, 0.97, 60), half, None, 60).standing
        ('far from the reals', 'like the reals')
        """
        if not self.known:
            return ""
        if self.beats.low > PERFECT_BEATS:
            return "above the reals"
        if self.within.high >= PERFECT_WITHIN and self.unsure:
            return (
                "not shown to be unlike the reals"
                if self.beats.high >= PERFECT_BEATS
                else "below the reals, how far is unsure"
            )
        if self.within.high >= PERFECT_WITHIN:
            return (
                "like the reals"
                if self.beats.high >= PERFECT_BEATS
                else "within the range of reals, but lower on average"
            )
        return "partly like the reals" if self.within.value >= 0.5 else "far from the reals"

    @property
    def why(self) -> str:
        """The most frequent reason of the pictures that are not within, in a sentence; empty where there is none."""
        if not self.reasons:
            return ""
        word, often = next(iter(self.reasons.items()))
        known = sum(self.reasons.values())
        worst = "all of them" if known == self.pictures else f"{known:,} of the worst"
        return f"What is wrong with {worst}: most often {word} ({often:,})."

    @property
    def unsure(self) -> str:
        """A sentence where the interval of `within` is wider than `WIDE`; else empty."""
        if not self.within.high - self.within.low > WIDE:
            return ""
        return (
            "The interval of the first share is wide: there are few pictures, or few reals where the range of reals "
            "ends. More of them narrow it."
        )

    def lines(self) -> list[str]:
        """Both shares, the verdict, the reason, and whether the first share is unsure, a sentence each."""
        if not self.known:
            return [self.verdict]
        if self.pictures == 1:  # a share of one picture says nothing of its generator
            return [self.verdict, *(f"What costs it most: {word}." for word in self.reasons)]
        return [
            f"{percents(self.within)} of the pictures are within the range of reals (a perfect generator: 95 %).",
            f"{percents(self.beats)} is the chance that one of them beats a random real (a perfect generator: 50 %).",
            *filter(None, (self.verdict, self.why, self.unsure)),
        ]

    def to_json(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {**plain(self), "verdict": self.verdict}


def headline(
    percentile: np.ndarray, z: np.ndarray, reals: int | None, twins: int = 0, reason: Sequence[str] = ()
) -> Headline:
    """Both shares from the percentiles of the pictures that count.

    Parameters
    ----------
    percentile, z : float64 array (m,)
        Of pictures with a score; a percentile that is no share, such as NaN, is left out.
    reals : int or None
        Number n of held-out reals, whose percentiles are (1 + k) / (n + 1).
    twins : int
        How many of the reals repeat another one: they are no further evidence.
    reason : sequence of m str
        What costs most, or empty.

    Returns
    -------
    Headline

    Notes
    -----
    A picture's rank r = percentile (n + 1) is 1 + the number of held-out reals that are no better. A fresh real has
    each rank from 1 to n + 1 with the same probability, so that the mean of clip(r - 0.05 (n + 1), 0, 1) is 0.95, and
    that of (r - 1) / n is 0.5, whatever n is. `docs/numbers.md` says how the intervals are computed.
    """
    words = (word for word, place in zip(reason, percentile, strict=bool(len(reason))) if word and place <= WORST)
    counted = dict(Counter(words).most_common())
    known = (percentile >= 0) & (percentile <= 1)
    percentile, z = percentile[known], z[known]
    median_z = float(np.median(z)) if len(z) and not np.isnan(z).any() else None
    if not len(percentile):
        return Headline(UNKNOWN, UNKNOWN, median_z, 0, reals)
    if not reals:
        found = [Estimate(float(x.mean()), math.nan, math.nan, len(x)) for x in (percentile > WORST, percentile)]
        return Headline(*found, median_z, len(percentile), None, 0, counted)
    rank = np.rint(percentile * (reals + 1))
    different = len(np.unique(z)) if median_z is not None else len(z)  # pictures with the same bits are one
    effective = (different, max(1, reals - twins))
    below = int((rank <= 1).sum())
    shares = within_range(rank, reals, *effective), beats_real(rank, reals, *effective)
    return Headline(*shares, median_z, len(rank), reals, below, counted)


def stratified(parts: Sequence[Headline]) -> Headline:
    """One headline of several sets, each of which was compared with reals of its own, so that they are independent.

    Parameters
    ----------
    parts : sequence of Headline
        One a set; those with no picture are left out.

    Returns
    -------
    Headline
        Each share is the mean over all pictures. The ends of its interval are combined as by Zou and Donner (2008):
        their distances from the shares, weighted by the part of the pictures, in quadrature.

    Examples
    --------
    >>> sets = [Headline(Estimate(s, s - 0.1, s + 0.1, 50), Estimate(0.2, 0.1, 0.3, 50), -1.0, 50) for s in (0.4, 0.6)]
    >>> print(stratified(sets).within)
    0.500 [0.429, 0.571]
    """
    parts = [part for part in parts if part.known]
    pictures = sum(part.pictures for part in parts)
    if not pictures:
        return Headline(UNKNOWN, UNKNOWN, None, 0)

    def mean(name: str) -> Estimate:
        every = [(getattr(part, name), part.pictures / pictures) for part in parts]
        share = sum(weight * one.value for one, weight in every)
        down = math.hypot(*(weight * (one.value - one.low) for one, weight in every))
        up = math.hypot(*(weight * (one.high - one.value) for one, weight in every))
        return Estimate(share, max(0.0, share - down), min(1.0, share + up), pictures)

    reasons = sum((Counter(part.reasons) for part in parts), Counter())
    return Headline(mean("within"), mean("beats"), None, pictures, None, 0, dict(reasons.most_common()))


def within_range(rank: np.ndarray, reals: int, pictures: int, different: int) -> Estimate:
    """Share of pictures above the 5 % quantile of reals, with an interval for few pictures and few reals.

    Parameters
    ----------
    rank : float64 array (m,)
        1 + the number of held-out reals that are no better.
    reals : int
        Number of held-out reals.
    pictures, different : int
        How many different pictures and reals there are.

    Returns
    -------
    Estimate
        The quantile lies between two of the ordered reals, by the normal approximation of their binomial distribution,
        corrected for continuity. The share above either of them and Wilson's interval are combined as by Zou and Donner
        (2008).

    Examples
    --------
    >>> print(within_range(np.arange(1.0, 202.0), 200, 201, 200))
    0.950 [0.899, 0.990]
    """

    def above(place: float) -> float:
        return float(np.clip(rank - place, 0, 1).mean())

    place, room = WORST * (reals + 1), (NORMAL * math.sqrt(WORST * (1 - WORST) / different) + 0.5 / different) * reals
    share = above(place)
    sampled = wilson(share * pictures, pictures)
    low = share - math.hypot(share - sampled.low, share - above(place + room))
    high = share + math.hypot(sampled.high - share, above(place - room) - share)
    return Estimate(share, max(0.0, low), min(1.0, high), pictures)


def beats_real(rank: np.ndarray, reals: int, pictures: int, different: int) -> Estimate:
    """Chance that a picture scores higher than a real, with the interval of DeLong in Wilson's form.

    Parameters
    ----------
    rank : float64 array (m,)
        1 + the number of held-out reals that are no better.
    reals : int
        Number of held-out reals.
    pictures, different : int
        How many different pictures and reals there are.

    Returns
    -------
    Estimate
        Its variance is that of DeLong (1988), and never less than that of Hanley and McNeil (1982). The quantile is
        that of 97 %: the variance of a small chance is estimated too low as often as not.

    Examples
    --------
    >>> print(beats_real(np.arange(1.0, 202.0), 200, 201, 200))
    0.500 [0.438, 0.562]
    """
    own = (rank - 1) / reals  # of each picture, the share of reals that it beats
    lower = np.searchsorted(np.sort(rank), np.arange(1, reals + 1), side="right")
    theirs = 1 - lower / len(rank)  # of each real, the share of pictures that beat it
    chance = float(own.mean())
    fewer = min(pictures, different)
    p = (chance * fewer + 0.5) / (fewer + 1)  # half a win and half a loss added
    both, twice = p / (2 - p), 2 * p**2 / (1 + p)
    least = p * (1 - p) + (pictures - 1) * (both - p**2) + (different - 1) * (twice - p**2)
    least /= pictures * different
    variance = max(_variance(own) / pictures + _variance(theirs) / different, least)
    trials = p * (1 - p) / variance
    found = wilson(chance * trials, trials, ROOM)
    return Estimate(chance, found.low, found.high, pictures)


def percents(share: Estimate) -> str:
    """A share with its interval, in percent; the interval as fine as the share, so that it holds what is shown.

    >>> percents(Estimate(0.234, 0.139, 0.361, 60)), percents(Estimate(0.004, float("nan"), float("nan"), 60))
    ('23 % [14, 36]', '0.4 %')
    >>> percents(Estimate(0.9941, 0.985, 0.9949, 9000))
    '99.4 % [98, 99.5]'
    """
    fine = _digits(share.value)
    low, high = (f"{100 * end:.{fine and _digits(end)}f}" for end in (share.low, share.high))
    return _percent(share.value) + ("" if math.isnan(share.low) else f" [{low}, {high}]")


def _percent(share: float) -> str:
    return f"{100 * share:.{_digits(share)}f} %"


def _digits(share: float) -> int:
    """Decimals of a share in percent: one near 0 and near 100."""
    exact = round(100 * share, 1)  # 0.997 is 1, not 1.0 next to the 1 of 1.33
    return int(0 < exact < 1 or 99 < exact < 100)


def _variance(values: np.ndarray) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.25  # the most that a share can vary


def z_in_words(z: float, digits: int = 2) -> str:
    """z as it is shown: far below the reals the number itself says nothing more.

    >>> z_in_words(-0.456), z_in_words(-3.0, 1), z_in_words(-335.2), z_in_words(12.345)
    ('-0.46', '-3.0', 'below -10', '+12.35')
    """
    return f"below {LOWEST_SHOWN:.0f}" if z < LOWEST_SHOWN else f"{z:+.{digits}f}"


def percentile_in_words(percentile: float, reals: int | None) -> str:
    """A percentile as it is shown; the lowest possible one as what it is.

    >>> percentile_in_words(0.333, 200), percentile_in_words(1 / 201, 200), percentile_in_words(0.004, None)
    ('33.3 %', 'below all 200', '0.4 %')
    """
    if reals and round(percentile * (reals + 1)) == 1:
        return f"below all {reals:,}"
    return f"{100 * percentile:.1f} %"
