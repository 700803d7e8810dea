"""What judgements say first, in one sentence a table, for the page and the terminal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..stats import Estimate, difference, mean_share
from .findings import Findings
from .hype import Hype

EACH_ONCE = ", each picture counting once"  # where some have more votes than others
RELIABLE, TENTATIVE = 0.8, 0.667  # Krippendorff's alpha: rely on it from the first, conclude nothing below the second


def answer(found: Findings) -> str:
    """What one table of judgements says, in one sentence with its 95 % intervals.

    Parameters
    ----------
    found : Findings

    Returns
    -------
    str
        Of votes with known kinds: whether raters recognise the generated pictures. Of counts: how often either kind is
        called real. Of pairs: what is preferred most and least. Of ratings: their mean and how far raters agree.

    Examples
    --------
    >>> error = Estimate(0.3, 0.25, 0.35, 20)
    >>> answer(Findings("", "sittings", 20, 20, hype=(Hype("gan", 900, *[error] * 6),)))
    'Raters recognise gan: they are wrong in 30 % of answers (25 % to 35 %; guessing: 50 %).'
    """
    known = [row for row in found.hype if row.error.value == row.error.value]
    if len(known) > 1:
        return _of_generators(found, known)
    if known:
        return _of_one(known[0])
    if found.strengths is not None and len(found.strengths.name):
        return _of_pairs(found)
    if found.kind == "ratings":
        return _of_ratings(found)
    if found.pictures is not None:
        return _of_counts(found)
    return "These judgements allow no figure; see the cautions."


def _of_one(row: Hype) -> str:
    error, name = row.error, row.generator or "the generator"
    wrong = f"wrong in {percent(error)} of answers ({ends(error)}guessing: 50 %)"
    if error.low != error.low:
        said = f"Raters are wrong in {percent(error)} of answers on {name} (guessing: 50 %)"
        return f"{said}; no interval, so nothing can be said of others."
    if error.high < 0.5:
        return f"Raters recognise {name}: they are {wrong}."
    if error.low > 0.5:
        return f"Pictures of {name} look more real than real ones: raters are {wrong}."
    return f"It is not shown that raters can recognise {name}: they are {wrong}."


def _of_generators(found: Findings, known: Sequence[Hype]) -> str:
    """Two that were compared; else the highest and the lowest error rate, and how many may be at guessing.

    Where the intervals of all others reach that of the highest, none is called highest or lowest.
    """
    if found.comparison:
        gap = found.comparison.difference
        apart = gap.low > 0 or gap.high < 0
        both = f"{found.comparison.first} and {found.comparison.second} cannot be distinguished"
        said = found.comparison.verdict if apart else both
        return f"{said} (difference of error rates {_points(gap)})."
    first, last = known[0], known[-1]
    hardest, easiest = (f"{row.generator} ({percent(row.error)} wrong)" for row in (first, last))
    near = [row for row in known if row.error.high >= 0.5]
    rest = f"{len(near)} of {len(known)} may be at guessing (50 %)" if near else "all are below guessing (50 %)"
    near_first = [row.generator for row in known[1:] if row.error.high >= first.error.low]
    if len(near_first) == len(known) - 1:
        return f"No generator is shown to fool people more than another: from {hardest} to {easiest}; {rest}."
    others = near_first[0] if len(near_first) == 1 else f"{len(near_first)} others"
    doubt = f" (not surely more than {others})" if near_first else ""
    return f"{hardest} fools people most{doubt}, {easiest} least; {rest}."


def _of_counts(found: Findings) -> str:
    table = found.pictures
    shares = {}
    for kind in ("generated", "real", ""):
        of = (table.kind == kind) & (table.n > 0)
        if of.any():
            shares[kind] = mean_share(table.n_real[of] / table.n[of], table.n[of])
    alike = "" if len(np.unique(table.n[table.n > 0])) < 2 else EACH_ONCE
    if {"generated", "real"} <= shares.keys():
        gap = difference(shares["real"], shares["generated"])
        apart = "can be distinguished" if gap.low > 0 else "cannot be distinguished"
        each = (f"{percent(shares[kind])} of the votes on {kind} pictures say real" for kind in ("real", "generated"))
        return f"{', '.join(each)}{alike}: the two {apart} (difference {_points(gap)})."
    kind, share = next(iter(shares.items()), ("", Estimate(np.nan, np.nan, np.nan, 0)))
    what = f"{kind} pictures" if kind else "these pictures"
    return f"{percent(share)} of the votes on {what} say real{alike} ({ends(share)[:-2] or 'no interval'})."


def _of_pairs(found: Findings) -> str:
    s = found.strengths
    if found.groups > 1:
        return f"No picture can be called best: they fall into {found.groups} groups that were never compared."
    top, last = s.name[0], s.name[-1]
    if s.strength[0] - s.strength[-1] < 1e-6:
        return f"All {len(s.name)} pictures are preferred equally often."
    apart = "their intervals do not overlap" if s.low[0] > s.high[-1] else "but their intervals overlap"
    if s.low[0] != s.low[0]:
        apart = "without intervals"
    strengths = f"{s.strength[0]:+.2f} and {s.strength[-1]:+.2f}".replace("-", "−")
    return f"{top} is preferred most often, {last} least (strengths {strengths}; {apart})."


def _of_ratings(found: Findings) -> str:
    mean, alpha = found.effects["mean"], found.effects["alpha (interval)"]
    if alpha != alpha:
        return f"The mean rating is {mean:.2f}; how far raters agree cannot be computed."
    says = (
        "raters agree well"
        if alpha >= RELIABLE
        else "raters agree fairly"
        if alpha >= TENTATIVE
        else "raters agree little"
    )
    return f"The mean rating is {mean:.2f}, and {says} (α {alpha:.2f}; {RELIABLE} and more is reliable)."


def percent(share: Estimate) -> str:
    """
    >>> percent(Estimate(0.304, 0.2, 0.4, 9))
    '30 %'
    """
    return "–" if share.value != share.value else f"{100 * share.value:.0f} %"


def ends(share: Estimate) -> str:
    """Both ends of an interval in percent and "; ", or nothing.

    >>> ends(Estimate(0.3, 0.25, 0.35, 9)), ends(Estimate(0.3, float("nan"), float("nan"), 1))
    ('25 % to 35 %; ', '')
    """
    return "" if share.low != share.low else f"{100 * share.low:.0f} % to {100 * share.high:.0f} %; "


def _points(gap: Estimate) -> str:
    """A difference of two shares in percentage points, with its interval."""
    if gap.low != gap.low:
        return f"{100 * gap.value:.0f} points, no interval".replace("-", "−")
    return f"{100 * gap.value:.0f} points, {100 * gap.low:.0f} to {100 * gap.high:.0f}".replace("-", "−")
