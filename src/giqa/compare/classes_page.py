"""The HTML page of a comparison class by class: means, a chart a metric, and every class in a table."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from ..model.headline import percents, stratified
from ..pages import drawing
from ..pages.page import write_html
from ..stats import NORMAL, Estimate, difference, normal
from .answer import ABOUT, NAMED, SURE, TOPICS, aspects, headline, joined, listed, merged, standing
from .page import ARROWS, NARROW, STYLES, WIDE, details, numbers_of
from .result import LEVEL, Verdict
from .ways import way_of

CHANCE = "% chance that a picture beats a random real of its class"
DECIDES = (
    "This decides which class is the weakest in quality: by differences that hold at 95 % for all pairs of classes "
    "together, so that lines may be apart and the difference is still not shown."
)
NOT_THIS = (
    "The chance above decides: far from the reals this one depends on the few worst of them, and its lines are long."
)
MOST = 40  # classes in a chart: of more, the lowest and the highest half of it


def write_classes(path: str | os.PathLike[str], result: Any, by: str) -> Path:
    """One HTML file of a comparison class by class that opens offline.

    Parameters
    ----------
    path : path
        Its folder is made where it is not there.
    result : ByClass
    by : str
        What the classes are called by.

    Returns
    -------
    Path
    """
    first = next(iter(result.classes.values()))
    names, metrics = [g.name for g in first.generators], first.metrics
    chances = chance_rows(result)
    charts = [_chart(CHANCE, ARROWS[1], chances, DECIDES)] if chances else []
    for label, metric in metrics.items():
        not_this = NOT_THIS if chances and label in headline(first) and headline(first)[label] == TOPICS["qs"] else ""
        charts.append(_chart(label, ARROWS[way_of(metric)], chart_rows(result, label), not_this))
    return write_html(
        path,
        "compare/classes.html",
        STYLES,
        title=" · ".join(names),
        answer=answer(result),
        standing=standing_of_all(result),
        by=by,
        names=[(name, i % drawing.COLOURS) for i, name in enumerate(names)],
        left_out=result.left_out,
        cautions=cautions(result),
        sentences=sentences(result),
        means=[(label, [_numbers(result.mean(label, name)) for name in names]) for label in metrics],
        charts=charts,
        metrics=list(metrics),
        classes=table_rows(result),
        made_by=details({key: value for key, value in first.made_by.items() if key != "reals"}),
    )


def _chart(name: str, way: str, rows: Sequence[Any], about: str) -> dict[str, Any]:
    """What the template needs of a chart, with the sentences below it."""
    shown = rows if len(rows) <= MOST else [*rows[: MOST // 2], *rows[-MOST // 2 :]]
    part = "" if shown is rows else f"The {MOST // 2} lowest and the {MOST // 2} highest of {len(rows)} classes."
    draws = [drawing.dots(shown, name, width) for width in (WIDE, NARROW)]
    return {"name": name, "way": way, "draws": draws, "part": f"{about} {part}".strip()}


def answer(result: Any) -> str:
    """In how many classes which generator is better, in one sentence from the verdicts, which hold together at 95 %.

    Parameters
    ----------
    result : ByClass

    Returns
    -------
    str
        Of two generators with the names of few classes; of more, the one that wins most; of one, its weakest class, and
        those as weak.
    """
    first = next(iter(result.classes.values()))
    names = [g.name for g in first.generators]
    parts: dict[str, list[str]] = {}
    for label, words in aspects(first).items():
        verdicts = {name: [v for v in c.verdicts if v.metric == label] for name, c in result.classes.items()}
        says = _weakest(result, label, list(aspects(first))) if len(names) == 1 else _wins(names, verdicts)
        parts.setdefault(says, []).append(words)
    if not parts:
        return "No metric of this comparison ranks generators; see the table."
    left_out = f" Left out, see why below: {listed(list(result.left_out))}." if result.left_out else ""
    return f"{merged(parts)}{SURE if len(names) > 1 else ''}.{left_out}"


def _wins(names: Sequence[str], verdicts: Mapping[str, Sequence[Verdict]]) -> str:
    """What the verdicts of every class say of one metric; the generator that wins most comes first."""
    won: dict[str, list[str]] = {name: [] for name in names}
    lost = dict.fromkeys(names, 0)
    for label, every in verdicts.items():
        for v in every:
            if v.says in ("better", "worse"):
                winner, loser = (v.left, v.right) if v.says == "better" else (v.right, v.left)
                won[winner].append(label)
                lost[loser] += 1
    total = sum(map(len, verdicts.values()))
    top, second = sorted(names, key=lambda name: (-len(won[name]), lost[name]))[:2]
    number_won = f"{len(won[top])} of {total}"
    if not won[top]:
        return f"{ABOUT} {listed(names)} cannot be distinguished in any of {len(verdicts)} classes"
    if len(names) > 2:
        return f"{top} is better {ABOUT} in {number_won} comparisons of two sets in a class, worse in {lost[top]}"
    few = f" ({joined(won[top])})" if len(won[top]) <= NAMED else ""
    rest = f"{second} in {lost[top]}" if lost[top] else "worse in none"
    return f"{top} is better than {second} {ABOUT} in {number_won} classes{few}, {rest}"


def _weakest(result: Any, label: str, about: Sequence[str]) -> str:
    """Of one generator the lowest class, where it is shown to be lower than others.

    Classes are independent: the interval of a difference is that of Zou and Donner, at a level for all pairs of classes
    by all metrics together. Quality is judged by the chance to beat a real of the class: its interval is
    shorter than those of QS and of the share within the range of reals, which depend on the worst reals.
    """
    first = next(iter(result.classes.values()))
    level = 1 - (1 - LEVEL) / (len(about) * max(1, math.comb(len(result.classes), 2)))
    if headline(first).get(label) == TOPICS["qs"]:
        known = {name: c.generators[0].scores.headline().beats for name, c in result.classes.items()}
        each = {name: _at_level(share, level) for name, share in known.items()}
    else:
        way = way_of(first.metrics[label])
        values = {name: c.generators[0].values.get(label) for name, c in result.classes.items()}
        known = {name: value for name, value in values.items() if value is not None}
        each = {n: Estimate(way * v.value, *sorted(way * e for e in v.interval(level)), v.n) for n, v in known.items()}
    names = sorted((name for name, one in each.items() if one.value == one.value), key=lambda name: each[name].value)
    if not names:
        return f"{ABOUT} no class can be judged"
    lowest, *others = names
    alike = [name for name in others if not difference(each[lowest], each[name]).high < 0]
    if len(alike) == len(others):
        return f"{ABOUT} no difference between classes is shown"
    if alike:
        return f"{ABOUT} {lowest} is the weakest class{SURE}, and {listed(alike)} cannot be distinguished from it"
    return f"{ABOUT} {lowest} is weaker than every other class{SURE}"


def _at_level(share: Estimate, level: float) -> Estimate:
    """A share with an interval at a higher level than 95 %, never narrower than Wilson's: by the square of z."""
    wider = max(1.0, (normal(level) / NORMAL) ** 2)
    low, high = share.value - wider * (share.value - share.low), share.value + wider * (share.high - share.value)
    return Estimate(share.value, max(0.0, low), min(1.0, high), share.n)


def cautions(result: Any) -> list[str]:
    """What to be careful about, each point once with its classes; the first ones of many."""
    classes: dict[str, list[str]] = {}
    for name, comparison in result.classes.items():
        for note in comparison.warnings:
            classes.setdefault(note, []).append(name)
    notes = [f"{listed(names)}: {note}" for note, names in classes.items()]
    return notes[:MOST] + ([f"and {len(notes) - MOST:,} more of the same kinds"] if len(notes) > MOST else [])


def standing_of_all(result: Any) -> str:
    """How good each generator is in itself, over all classes, each picture against the reals of its own class."""
    parts: dict[str, list[Any]] = {}
    for comparison in result.classes.values():
        for g in comparison.generators:
            parts.setdefault(g.name, []).append(g.scores.headline())
    says = standing({name: stratified(some) for name, some in parts.items()})
    known = {name: h.beats for name, h in zip(result.classes, next(iter(parts.values())), strict=True) if h.known}
    if len(parts) > 1 or len(known) < 2:
        return says
    lowest = min(known, key=lambda name: known[name].value)
    chance = f"{percents(known[lowest])} is the chance that a picture of {lowest} beats a random real of its class"
    return f"{says} {chance} (a perfect generator: 50 %), the lowest of all classes."


def sentences(result: Any) -> list[str]:
    """Of each two generators and each metric: in how many classes one is better, worse, or cannot be told apart."""
    first = next(iter(result.classes.values()))
    words = []
    for left, right in combinations((g.name for g in first.generators), 2):
        for label in first.metrics:
            known = [v for c in result.classes.values() for v in c.verdicts if v.metric == label]
            says = Counter(v.says for v in known if {v.left, v.right} == {left, right})
            if says:
                each = ", ".join(
                    f"{word} in {says[word]}" for word in ("better", "worse", "higher", "lower") if says[word]
                )
                apart = says["cannot be told apart"]
                each += (", " if each else "") + f"not to be distinguished in {apart}" if apart else ""
                words.append(f"{left} against {right} by {label}: {each} of {says.total()} classes.")
    return words


def chart_rows(result: Any, label: str) -> list[tuple[str, list[tuple[float, float, float, int]]]]:
    """Classes from the lowest to the highest mean, each with value, interval and colour of every generator."""
    rows = [
        (name, [(*numbers_of(g, label), i) for i, g in enumerate(comparison.generators) if label in g.values])
        for name, comparison in result.classes.items()
    ]
    return sorted((row for row in rows if row[1]), key=lambda row: sum(mark[0] for mark in row[1]) / len(row[1]))


def chance_rows(result: Any) -> list[tuple[str, list[tuple[float, float, float, int]]]]:
    """Of one generator the number that decides which class is the weakest in quality, in percent; else nothing."""
    first = next(iter(result.classes.values()))
    if len(first.generators) > 1 or TOPICS["qs"] not in headline(first).values():
        return []
    known = {name: c.generators[0].scores.headline() for name, c in result.classes.items()}
    each = {name: said.beats for name, said in known.items() if said.known}
    rows = [(name, [(100 * one.value, 100 * one.low, 100 * one.high, 0)]) for name, one in each.items()]
    return sorted(rows, key=lambda row: row[1][0][0])


def table_rows(result: Any) -> list[tuple[str, int, str, Sequence[tuple[float, float, float]]]]:
    """Class, its number of reals, metric, and the numbers of every generator."""
    return [
        (name, comparison.made_by["reals"], label, [numbers_of(g, label) for g in comparison.generators])
        for name, comparison in result.classes.items()
        for label in comparison.metrics
    ]


def _numbers(estimate: Any) -> tuple[float, float, float]:
    return (estimate.value, *estimate.interval())
