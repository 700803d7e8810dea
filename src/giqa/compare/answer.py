"""What a comparison says first, in one sentence, for the page and the terminal; it only reads the verdicts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..model.headline import Headline, percents
from ..pages.axes import number
from .ways import SAME, way_of

TOPICS = {"qs": "quality", "ds": "diversity"}  # metrics of the headline, by their name in the registry
SURE = " (95 %)"  # all verdicts of a page hold together at this level
NAMED = 4  # sets in a sentence; more are counted
MOST_PICTURES = 20_000  # that somebody may still make to tell two sets apart
ABOUT = "\0"  # where a phrase says what it is about; no name of a set has it


def headline(comparison: Any) -> dict[str, str]:
    """Metrics that the sentences are about, each once however it is written, and what each says something of.

    Several of a kind, such as QS by two scorers, are called by their specs.
    """
    first: dict[str, str] = {}
    for label, spec in comparison.made_by.get("metrics", {}).items():
        first.setdefault(spec, label)
    return {label: TOPICS[name] for spec, label in first.items() if (name := spec.partition("(")[0]) in TOPICS}


def aspects(comparison: Any) -> dict[str, str]:
    """Metrics that decide, with their preposition: of `headline`, or without one every metric that ranks.

    Returns
    -------
    dict of str to str
        Label of the metric to words such as "in quality" or "by fd".
    """
    topics = headline(comparison)
    twice = len(set(topics.values())) < len(topics)
    words = {label: f"in {topic} by {label}" if twice else f"in {topic}" for label, topic in topics.items()}
    return words or {label: f"by {label}" for label, metric in comparison.metrics.items() if way_of(metric)}


def answer(comparison: Any) -> str:
    """Which generator is better, and in what: one sentence from the verdicts, which hold together at 95 %.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    str
        Of two: better, worse, mixed, or that they cannot be distinguished. Of more: the best, and who is as good. Of
        one: its numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from giqa.compare import compare
    >>> rng = np.random.default_rng(0)
    >>> real, good = rng.normal(size=(300, 4)).astype("f4"), rng.normal(size=(200, 4)).astype("f4")
    >>> answer(compare(real, {"good": good, "off": good + 3}, metrics="qs", scorer="sgm"))
    'good is better than off in quality (95 %).'
    """
    known, names = aspects(comparison), [g.name for g in comparison.generators]
    if not known:
        return "No metric of this comparison ranks generators; see the table."
    if len(names) == 1:
        return _alone(comparison, known)
    if len(names) > 2:
        return _many(comparison, known, names)
    verdicts = {(v.metric): v for v in comparison.verdicts if v.metric in known}
    return of_two(*names, {known[label]: verdicts[label] for label in known if label in verdicts})


def of_two(left: str, right: str, verdicts: Mapping[str, Any]) -> str:
    """The sentence on two sets from their verdicts, (left, right), by what each is about ("in quality")."""
    for_left = [words for words, v in verdicts.items() if v.says == "better"]
    for_right = [words for words, v in verdicts.items() if v.says == "worse"]
    unknown = [words for words, v in verdicts.items() if v.why]
    same = [words for words, v in verdicts.items() if v.says == SAME and not v.why]
    if len(unknown) == len(verdicts):
        why = next((v.why for v in verdicts.values()), "they have no metric in common")
        return f"Nothing can be said of {left} and {right}: {why}."
    rest = f"; {together(same)} they cannot be distinguished" if same else ""
    rest += f"; nothing can be said {together(unknown)}" if unknown else ""
    if for_left and for_right:
        return f"Mixed: {left} is better {together(for_left)}, {right} {together(for_right)}{SURE}{rest}."
    if for_left or for_right:
        better, worse, of = (left, right, for_left) if for_left else (right, left, for_right)
        return f"{better} is better than {worse} {together(of)}{SURE}{rest}."
    gap = f"; nothing can be said {together(unknown)}" if unknown else ""
    pictures = max(v.pictures for v in verdicts.values() if not v.why)
    n = f"{pictures[0]}" if pictures[0] == pictures[1] else f"{pictures[0]} and {pictures[1]}"
    words, least = min(((words, verdicts[words].would_tell) for words in same), key=lambda known: known[1])
    more = max(pictures) < least <= MOST_PICTURES
    hint = f"; if the difference {words} stays, about {round_up(least):,} of each would show it" if more else ""
    return f"{left} and {right} cannot be distinguished {together(same, 'or')} with {n} pictures{hint}{gap}."


def round_up(number: float) -> int:
    """
    >>> round_up(64.2), round_up(1234)
    (65, 1300)
    """
    unit: int = 10 ** max(0, math.floor(math.log10(max(number, 1))) - 1)
    return math.ceil(number / unit) * unit


def _many(comparison: Any, known: Mapping[str, str], names: Sequence[str]) -> str:
    """Of three or more sets: the best of each aspect, and those that cannot be distinguished from it."""
    found: dict[str, list[str]] = {}
    for label, words in known.items():
        best = comparison.best(label)
        others = [g.name for g in comparison.generators if label in g.values and g.name != best]
        verdicts = {name: comparison.verdict(label, best, name) for name in others} if best is not None else {}
        judged = [name for name, v in verdicts.items() if not v.why]
        alike = [name for name in judged if verdicts[name].says == SAME]
        lost = [name for name in names if name != best and name not in judged]
        if not judged:
            says = f"nothing can be said {ABOUT}: too few pictures"
        elif len(alike) == len(judged):
            says = f"no set is shown to be better than another {ABOUT}"
        elif alike:
            says = f"{best} is best {ABOUT}{SURE}, and {listed(alike)} cannot be distinguished from it"
        else:
            says = f"{best} is better than every other set {ABOUT}{SURE}"
        if lost and judged:
            says += f", where {listed(lost)} cannot be judged"
        found.setdefault(says, []).append(words)
    return f"{merged(found)}."


def merged(phrases: Mapping[str, Sequence[str]]) -> str:
    """Phrases that say the same of several aspects, each with all of them in the place of `ABOUT`."""
    text = "; ".join(says.replace(ABOUT, together(words)) for says, words in phrases.items())
    starts = ("no set ", "nothing ", "in ", "by ")
    return text[0].upper() + text[1:] if text.startswith(starts) else text


def standing(sets: Mapping[str, Headline]) -> str:
    """How good sets are in themselves, whichever is better: two that tie may both be poor.

    Parameters
    ----------
    sets : mapping of str to Headline
        By the name of the set.

    Returns
    -------
    str
        One sentence, and one on sets whose pictures all repeat reals. Of more than four the lowest and the highest.

    Examples
    --------
    >>> from giqa.stats import Estimate
    >>> few = Headline(Estimate(0.04, 0.01, 0.1, 60), Estimate(0.02, 0.01, 0.1, 60), None, 60)
    >>> standing({"A": few, "B": few}).partition(" are within")[0]
    'Both are far from the reals: 4 % [1, 10] of A and 4 % [1, 10] of B'
    """
    known = {name: headline for name, headline in sets.items() if headline.known}
    without = [name for name in sets if name not in known]
    why = "each repeats a real one (are they the same pictures?) or has no score"
    none = f"No picture of {listed(without)} can be judged: {why}." if without else ""
    if not known:
        return none
    by_words: dict[str, list[str]] = {}
    for name, headline in known.items():
        by_words.setdefault(headline.standing, []).append(name)
    its = "its pictures" if len(known) == 1 else None
    shares = {name: f"{percents(headline.within)} of {its or name}" for name, headline in known.items()}
    if len(known) > NAMED:
        ordered = sorted(known, key=lambda name: known[name].within.value)
        of = f"between {shares[ordered[0]]} and {shares[ordered[-1]]}"
    else:
        of = joined(list(shares.values()))
    if len(by_words) == 1:
        whose = {1: f"{next(iter(known))} is", 2: "Both are"}.get(len(known), "All are")
        says = f"{whose} {next(iter(by_words))}"
    else:
        says = "; ".join(
            f"{listed(some)} {'is' if len(some) == 1 else 'are'} {words}" for words, some in by_words.items()
        )
    return f"{says}: {of} are within the range of reals (a perfect generator: 95 %). {none}".rstrip()


def standing_of(comparison: Any) -> str:
    """`standing` of all sets of a comparison."""
    return standing({g.name: g.scores.headline() for g in comparison.generators})


def _alone(comparison: Any, known: Mapping[str, str]) -> str:
    (only,) = comparison.generators
    reals = float(comparison.held_out_z.mean()) if len(comparison.held_out_z) else 0.0
    parts = []
    for label, words in known.items():
        if label in only.values:
            estimate = only.values[label]
            low, high = estimate.interval()
            ends = f", {number(low)} to {number(high)}" if low == low else ""
            of = f"{words.split(' ')[1]} " if words.startswith("in ") else ""
            parts.append(f"{of}{label.upper() if label in TOPICS else label} {number(estimate.value)}{ends}")
    mean = f" The mean z of held-out reals is {number(reals)}." if "in quality" in known.values() else ""
    return f"{only.name}: {'; '.join(parts)}.{mean}"


def together(words: Iterable[str], join: str = "and") -> str:
    """Words such as "in quality" in a row, the preposition once.

    >>> together(["in quality", "in diversity"]), together(["by fd"]), together(["by fd", "by kd"], "or")
    ('in quality and diversity', 'by fd', 'by fd or kd')
    """
    first, *others = words
    preposition = first.partition(" ")[0]
    return joined([first, *(w.removeprefix(f"{preposition} ") for w in others)], join)


def joined(names: Sequence[str], join: str = "and") -> str:
    """
    >>> joined(["a"]), joined(["a", "b"]), joined(["a", "b", "c"], "or")
    ('a', 'a and b', 'a, b or c')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {join} {names[-1]}"


def listed(names: Sequence[str]) -> str:
    """All of a few names; of more the first ones and a count.

    >>> listed(["a", "b", "c", "d"]), listed(["a", "b", "c", "d", "e", "f"])
    ('a, b, c and d', 'a, b, c and 3 others')
    """
    shown = list(names) if len(names) <= NAMED else [*names[: NAMED - 1], f"{len(names) - NAMED + 1} others"]
    return joined(shown)
