"""How far a study is, and its votes as tables: read from the store, never stored."""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import sqlalchemy as sa

from ..stats import wilson
from ..votes.agreement import share_that_agree
from ..votes.gate import passes
from . import tables as t
from .store import Store, Study
from .study import ANSWERS, Open, flipped_answer, is_right

Controls = dict[tuple[str, str], list[bool]]  # (rater, question; "": that of the task) -> whether each was right
WHAT = {"hype": "generated pictures", "hype-time": "generated pictures", "pairs": "pairs", "rating": "pictures"}
FRESH = 1800  # seconds after their last answer for which a rater is expected to go on
SKEW = 60  # seconds that the clock of another process may be ahead; a time later than that is none

COLUMNS = {
    "hype": ("image", "rater", "said_real", "context"),
    "hype-time": ("image", "rater", "said_real", "context"),
    "pairs": ("left", "right", "rater", "chosen"),
    "rating": ("image", "rater", "rating"),
}
OWN = ("question", "language")  # of a study with questions of its own
MORE = ("kind", "generator", "part", "passed", "exposure_ms", "shown_ms", "response_ms", "order")


def counted(connection: sa.Connection, study: Study) -> list[sa.Row]:
    """Every vote that stands, of every part, in the order of the trials of each rater."""
    later = t.votes.alias()
    stands = ~sa.exists().where((later.c.trial == t.votes.c.trial) & (later.c.revision > t.votes.c.revision))
    return list(connection.execute(_votes(study, stands).order_by(t.votes.c.rater, t.trials.c.place)))


def _votes(study: Study, which: sa.ColumnElement[bool]) -> sa.Select:
    """Votes with their trial and item."""
    return (
        sa.select(t.votes, t.trials.c.place, t.trials.c.flipped, t.items.c.id.label("item"))
        .add_columns(t.items.c.part, t.items.c.left, t.items.c.right, t.items.c.truth, t.items.c.question)
        .join(t.trials, t.trials.c.id == t.votes.c.trial)
        .join(t.items, t.items.c.id == t.trials.c.item)
        .where((t.items.c.study == study.id) & which)
    )


def right(study: Study, row: sa.Row) -> bool:
    return is_right(study.settings.task, row.truth, flipped_answer(row.answer, row.flipped))


def failed(study: Study, controls: Controls) -> set[tuple[str, str]]:
    """(rater, question) that do not pass the gate by the controls that were answered so far."""
    gate = study.settings.gate
    return {who for who, answers in controls.items() if not passes(sum(answers), len(answers), gate)}


def _of_controls(study: Study, rows: Iterable[sa.Row]) -> Controls:
    """Of each (rater, question), which controls were answered right; what has no right answer checks nothing."""
    answers: Controls = defaultdict(list)
    for row in rows:
        if row.part == "control" and row.truth:
            answers[row.rater, row.question].append(right(study, row))
    return answers


def _controls(connection: sa.Connection, study: Study) -> Controls:
    query = _votes(study, t.items.c.part == "control").order_by(t.votes.c.revision)
    return _of_controls(study, {row.trial: row for row in connection.execute(query)}.values())


def _asked_controls(connection: sa.Connection, study: Study) -> dict[str, int]:
    """How many controls a rater is asked, of each question."""
    i = t.items.c
    where = (i.study == study.id) & (i.part == "control") & (i.truth != "")
    return dict(
        map(tuple, connection.execute(sa.select(i.question, sa.func.count()).where(where).group_by(i.question)))
    )


def open_items(connection: sa.Connection, study: Study, store: Store | None = None, begun: bool = False) -> list[Open]:
    """Every main item with the votes it has, or will have from raters who are at it; failed raters do not count.

    With `begun`, of raters who answered at least once: who only joined takes nothing away. The `store` knows who was
    here since it was opened by a clock that nobody can set; who answers another process is known by the time in the
    store, where that is no time to come.

    Who is at it and has controls to come may still pass, and is counted on until then. Items of several questions about
    the same pictures are one, with the votes of the question that has fewest.
    """
    v, tr, r = t.votes.c, t.trials.c, t.raters.c
    last = sa.func.coalesce(sa.func.max(v.at), r.joined)
    seen = sa.select(r.id, last, sa.func.count(v.id)).outerjoin(t.votes, v.rater == r.id)
    raters = connection.execute(seen.where(r.study == study.id).group_by(r.id, r.joined)).all()
    here, now, clock = store.here if store else {}, time.time(), time.monotonic()
    at_it = {rater for rater, when, _ in raters if -SKEW < now - when <= FRESH}  # by this process or another
    at_it |= {rater for rater, when in here.items() if clock - when <= FRESH}
    gone = {rater for rater, _, votes in raters if rater not in at_it or (begun and not votes)}
    controls, all_of = _controls(connection, study), _asked_controls(connection, study)
    bad = failed(study, {who: said for who, said in controls.items() if who[0] in gone or len(said) >= all_of[who[1]]})
    mine = tr.rater.in_(sa.select(r.id).where(r.study == study.id))
    voted = sa.exists().where(v.trial == tr.id)
    expected = sa.or_(voted, tr.rater.not_in(gone)) if gone else sa.true()
    query = sa.select(tr.item, sa.func.count()).group_by(tr.item)
    if study.settings.questionnaire:
        query = query.join(t.items, t.items.c.id == tr.item)
    votes: dict[int, int] = {}
    for question in study.settings.asked:
        name = question.name if question else ""
        of = (t.items.c.question == name) if question else sa.true()
        counts = tr.rater.not_in({rater for rater, about in bad if about == name})
        votes |= dict(map(tuple, connection.execute(query.where(mine & expected & of & counts))))
    where = (t.items.c.study == study.id) & (t.items.c.part == "main")
    units: dict[Any, Open] = {}
    for row in connection.execute(sa.select(t.items).where(where).order_by(t.items.c.id)):
        pictures = (row.left,) if row.right is None else (row.left, row.right)
        one = Open(row.id, pictures, row.truth, votes.get(row.id, 0))
        unit = ("item", row.id) if row.unit is None else row.unit
        first = units.setdefault(unit, one)
        units[unit] = replace(first, votes=min(first.votes, one.votes))
    return list(units.values())


def progress(store: Store, study: Study) -> dict[str, Any]:
    """Numbers for the admin page: raters, votes, how many items have theirs, how far raters agree with the truth."""
    with store.read() as connection:
        joined = connection.scalar(sa.select(sa.func.count()).where(t.raters.c.study == study.id))
        rows = counted(connection, study)
        wanted = set(connection.scalars(sa.select(t.items.c.id).where(_decides(study))))
        query = (
            sa.select(t.trials.c.rater, sa.func.count())
            .join(t.raters, t.raters.c.id == t.trials.c.rater)
            .where(t.raters.c.study == study.id)
            .group_by(t.trials.c.rater)
        )
        planned = {rater: number for rater, number in connection.execute(query)}
    answered: Counter[str] = Counter(row.rater for row in rows)
    controls = _of_controls(study, rows)
    bad = failed(study, controls)
    main = [row for row in rows if row.part == "main" and (row.rater, row.question) not in bad]
    each = Counter(row.item for row in main if row.item in wanted)
    most = study.settings.votes_each
    votes = sum(min(number, most) for number in each.values())
    judged = [answer for answers in controls.values() for answer in answers]
    wrong = [not right(study, row) for row in main if row.truth]
    own = {"questions": _by_question(study, main, controls, bad)} if study.settings.questionnaire else {}
    return own | {
        "paused": study.paused,
        "raters": joined,
        "finished": sum(answered[rater] == number for rater, number in planned.items()),
        "failed_gate": len({rater for rater, _ in bad}),
        "without_controls": len(answered.keys() - {rater for rater, _ in controls}),
        "votes": len(main),
        "votes_wanted": len(wanted) * most,
        "more_raters": math.ceil((len(wanted) * most - votes) / _answers_each(study)),
        "what": WHAT.get("" if study.settings.questionnaire else study.settings.task, "items"),
        "items": len(wanted),
        "items_with_all_votes": sum(number >= most for number in each.values()),
        "done": _of(votes, len(wanted) * most),
        "control_accuracy": _share(judged),
        "control_interval": wilson_of(judged),
        "agreement": agreement(study.settings.task, main),
        "error_rate": _share(wrong),
        "error_interval": wilson_of(wrong),
    }


def _decides(study: Study) -> sa.ColumnElement[bool]:
    """The items whose votes end the study: of real or fake the fakes, since reals are there for the mix alone."""
    main = (t.items.c.study == study.id) & (t.items.c.part == "main")
    return main & (t.items.c.truth == "fake") if study.settings.task.startswith("hype") else main


def _answers_each(study: Study) -> int:
    """Answers of one rater to such items."""
    if study.settings.task.startswith("hype"):
        return max(1, study.settings.sitting // 2)
    return max(1, study.settings.sitting) * len(study.settings.asked)


def _by_question(study: Study, main: list[sa.Row], controls: Controls, bad: set) -> dict[str, dict[str, Any]]:
    """The numbers of each question."""
    found = {}
    for name in (question.name for question in study.settings.questionnaire.questions):
        mine = [row for row in main if row.question == name]
        judged = [answer for (_, about), answers in controls.items() if about == name for answer in answers]
        found[name] = {
            "votes": len(mine),
            "control_accuracy": _share(judged),
            "control_interval": wilson_of(judged),
            "agreement": agreement(study.settings.task, mine),
            "failed_gate": sum(about == name for _, about in bad),
        }
    return found


def _of(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def wilson_of(answers: list[bool]) -> list[float] | None:
    """Wilson's 95 % interval of a share, as if each answer were of another rater; None without any.

    >>> wilson_of([True] * 4 + [False] * 3), wilson_of([])
    ([0.2505, 0.8418], None)
    """
    found = wilson(sum(answers), len(answers))
    return [round(found.low, 4), round(found.high, 4)] if answers else None


def _share(answers: list[bool]) -> float | None:
    return round(sum(answers) / len(answers), 4) if answers else None


def agreement(task: str, rows: list[sa.Row]) -> float | None:
    """Share of pairs of raters, pooled over items, who gave one item the same answer; None without any pair."""
    items = {item: at for at, item in enumerate(dict.fromkeys(row.item for row in rows))}
    said = [flipped_answer(row.answer, row.flipped) for row in rows]
    answers = {answer: at for at, answer in enumerate(dict.fromkeys((*ANSWERS[task], *said)))}
    counts = np.zeros((len(items), len(answers)))
    for row, answer in zip(rows, said, strict=True):
        counts[items[row.item], answers[answer]] += 1
    share = share_that_agree(counts)
    return None if np.isnan(share) else round(share, 4)


def table(store: Store, study: Study, everything: bool = False) -> Iterator[dict[str, Any]]:
    """One row a vote that stands, of main items and raters who passed.

    Columns: `COLUMNS` of the task, `OWN` where the study has questions of its own, then `MORE`. Of a rater there is
    nothing but the random id.

    Parameters
    ----------
    store : Store
        Where it is kept.
    study : Study
        Which one.
    everything : bool
        Also controls and raters who failed.

    Yields
    ------
    dict
    """
    with store.read() as connection:
        rows = counted(connection, study)
        query = sa.select(t.pictures.c.id, t.pictures.c.name, t.pictures.c.kind, t.pictures.c.generator)
        named = {row.id: row for row in connection.execute(query.where(t.pictures.c.study == study.id))}
        speaks = sa.select(t.raters.c.id, t.raters.c.language).where(t.raters.c.study == study.id)
        language = dict(map(tuple, connection.execute(speaks)))
    bad = failed(study, _of_controls(study, rows))
    for row in rows:
        passed = (row.rater, row.question) not in bad
        if row.part == "tutorial" or (not everything and (row.part != "main" or not passed)):
            continue
        timing = {name: row._mapping[name] for name in ("exposure_ms", "shown_ms", "response_ms")}
        standing = {"part": row.part, "passed": int(passed), "order": row.place}
        own = {"question": row.question, "language": language[row.rater]} if study.settings.questionnaire else {}
        yield _row(study, row, named) | own | standing | timing


def _row(study: Study, row: sa.Row, named: dict[int, sa.Row]) -> dict[str, Any]:
    left = named[row.left]
    if study.settings.task == "pairs":
        right_ = named[row.right]
        chosen = left.name if flipped_answer(row.answer, row.flipped) == "left" else right_.name
        kinds = {"kind": f"{left.kind}|{right_.kind}", "generator": f"{left.generator}|{right_.generator}"}
        return {"left": left.name, "right": right_.name, "rater": row.rater, "chosen": chosen} | kinds
    kind = {"kind": left.kind, "generator": left.generator}
    if study.settings.task == "rating":
        return {"image": left.name, "rater": row.rater, "rating": int(row.answer)} | kind
    said = {"said_real": int(row.answer == "real"), "context": study.settings.context}
    return {"image": left.name, "rater": row.rater} | said | kind


def columns(store: Store, study: Study, everything: bool = False, question: str | None = None) -> dict[str, list[Any]]:
    """The votes of a study by column, those of its task, then `MORE`; of one question where it is named."""
    own = OWN if study.settings.questionnaire else ()
    rows = [row for row in table(store, study, everything) if question in (None, row.get("question"))]
    return {name: [row[name] for row in rows] for name in (*COLUMNS[study.settings.task], *own, *MORE)}
