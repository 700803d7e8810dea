"""One rater's session: joining, what comes next, and keeping what they answer."""

from __future__ import annotations

import hashlib
import json
import random
import secrets as random_secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from ..votes.staircase import Staircase
from . import tables as t
from .progress import open_items
from .store import Store, Study
from .study import choose, flipped_answer, flipped_truth, in_order, is_right

AHEAD = 3  # pictures that a browser is given in advance, so that a lost network is not noticed at once


@dataclass(frozen=True)
class Trial:
    """One question to one rater; `pictures` in the order in which they are shown."""

    id: str
    place: int
    part: str
    pictures: tuple[int, ...]
    truth: str
    flipped: bool
    question: str = ""
    say: str = ""  # JSON, language -> what is read instead of the question
    shown: str = ""  # the first trial with the same pictures: their address, so that a browser loads them once


@dataclass(frozen=True)
class Rater:
    """Who answers: a random id, and everything they will be asked, in order; it never changes."""

    id: str
    study: int
    trials: tuple[Trial, ...]
    language: str = ""


def session_digest(cookie: str) -> str:
    """What the store keeps of a cookie: with its contents one cannot answer as another rater."""
    return hashlib.sha256(cookie.encode()).hexdigest()


def join(store: Store, study: Study, cookie: str, rng: random.Random | None = None, language: str = "") -> str | None:
    """A new rater with a plan of their own; their id, or None when the study needs no more votes."""
    rng = rng or random.SystemRandom()
    if study.settings.questionnaire:
        language = study.settings.questionnaire.language(language)
    with store.write() as connection:  # the lock makes two who join at once see each other's plan
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(t.studies.c.id).where(t.studies.c.id == study.id).with_for_update())
        main = choose(open_items(connection, study, store), study.settings, rng)
        main = main or choose(open_items(connection, study, store, begun=True), study.settings, rng)
        if not main:
            return None
        parts: dict[str, list[int]] = {"tutorial": [], "control": []}
        where = (t.items.c.study == study.id) & (t.items.c.part != "main")
        first = sa.select(sa.func.min(t.items.c.id).label("id"), t.items.c.part).where(where)
        unit = sa.func.coalesce(t.items.c.unit, -t.items.c.id)
        for row in connection.execute(first.group_by(unit, t.items.c.part).order_by("id")):
            parts[row.part].append(row.id)
        order = in_order(parts["tutorial"], parts["control"], [item.id for item in main], rng)
        rater = {"id": random_secrets.token_hex(8), "study": study.id, "session": session_digest(cookie)}
        connection.execute(sa.insert(t.raters).values(rater | {"joined": time.time(), "language": language}))
        pairs = study.settings.task == "pairs"
        flips = {item: pairs and rng.random() < 0.5 for item in order}
        asked = _each_question(connection, study, order, rng)
        rows = [
            {"id": random_secrets.token_urlsafe(16), "rater": rater["id"], "item": item, "place": place}
            | {"flipped": flips[first] and not instructed}
            for place, (first, item, instructed) in enumerate(asked)
        ]
        connection.execute(sa.insert(t.trials), rows)
    store.here[rater["id"]] = time.monotonic()
    return rater["id"]


def _each_question(
    connection: sa.Connection, study: Study, order: Sequence[int], rng: random.Random
) -> list[tuple[int, int, bool]]:
    """Of every question about what is asked in this order: the first item of its unit, its item, and whether the unit
    has an instruction, whose sides are those on the screen."""
    if not study.settings.questionnaire:
        return [(item, item, False) for item in order]
    names = [question.name for question in study.settings.questionnaire.questions]
    if study.settings.questionnaire.order == "random":
        rng.shuffle(names)
    i = t.items.c
    query = sa.select(i.id, i.unit, i.question, i.say).where(i.study == study.id).order_by(i.id)
    units: dict[int, list[sa.Row]] = {}
    for row in connection.execute(query):
        units.setdefault(row.unit, []).append(row)
    by_first = {rows[0].id: sorted(rows, key=lambda row: names.index(row.question)) for rows in units.values()}
    instructed = {first: any(row.say for row in rows) for first, rows in by_first.items()}
    return [(first, row.id, instructed[first]) for first in order for row in by_first[first]]


def rater_of(store: Store, study: Study, cookie: str) -> Rater | None:
    """Who a cookie belongs to in this study, or None."""
    try:
        return _rater_of(store, study.id, session_digest(cookie))
    except LookupError:
        return None


@lru_cache(maxsize=2000)
def _rater_of(store: Store, study: int, session: str) -> Rater:
    """Raises `LookupError`, which no cache remembers: a rater may join later."""
    with store.read() as connection:
        where = (t.raters.c.session == session) & (t.raters.c.study == study)
        rater = connection.execute(sa.select(t.raters.c.id, t.raters.c.language).where(where)).first()
        if rater is None:
            raise LookupError(session)
        i = t.items.c
        query = (
            sa.select(t.trials, i.part, i.left, i.right, i.truth, i.question, i.unit, i.say)
            .join(t.items, i.id == t.trials.c.item)
            .where(t.trials.c.rater == rater.id)
            .order_by(t.trials.c.place)
        )
        first: dict[Any, str] = {}
        trials = []
        for row in connection.execute(query):
            unit = ("item", row.item) if row.unit is None else row.unit
            trials.append(_trial(row, first.setdefault(unit, row.id)))
        return Rater(rater.id, study, tuple(trials), rater.language)


def _trial(row: sa.Row, shown: str) -> Trial:
    pictures = (row.left,) if row.right is None else (row.left, row.right)
    pictures = pictures[::-1] if row.flipped else pictures
    return Trial(row.id, row.place, row.part, pictures, row.truth, row.flipped, row.question, row.say, shown)


def latest_votes(connection: sa.Connection, rater: str) -> dict[str, sa.Row]:
    """The vote that counts for each trial of a rater: the one with the highest revision."""
    rows = connection.execute(sa.select(t.votes).where(t.votes.c.rater == rater).order_by(t.votes.c.revision))
    return {row.trial: row for row in rows}


def state(store: Store, study: Study, rater: Rater) -> dict[str, Any]:
    """What the browser needs to go on: progress, the next questions, and the last answer, which may be undone.

    A control looks like any other question; `exposure` is there in the timed task, which gives one at a time.
    """
    with store.read() as connection:
        votes = latest_votes(connection, rater.id)
    open_trials = [trial for trial in rater.trials if trial.id not in votes]
    counted = [trial for trial in rater.trials if trial.part != "tutorial"]
    timed = study.settings.task == "hype-time"
    ahead = [] if study.paused else open_trials[: _ahead(study)]
    last = max(votes.values(), key=lambda vote: _place(rater, vote.trial), default=None)
    asked = [_asked(trial, study, rater) for trial in ahead]
    if timed and asked:
        asked[0]["exposure"] = exposure(study, rater, votes)
    return {
        "state": "done" if not open_trials else "paused" if study.paused else "open",
        "answered": sum(trial.id in votes for trial in counted),
        "total": len(counted),
        **({"places": len({trial.shown for trial in counted})} if study.settings.questionnaire else {}),
        "next": asked,
        "last": None
        if last is None
        else _asked(rater.trials[_place(rater, last.trial)], study, rater) | {"revision": last.revision},
    }


def _ahead(study: Study) -> int:
    """How many questions a browser is given in advance."""
    return 1 if study.settings.task == "hype-time" else AHEAD * len(study.settings.asked)


def _place(rater: Rater, trial: str) -> int:
    return next(one.place for one in rater.trials if one.id == trial)


def _asked(trial: Trial, study: Study, rater: Rater) -> dict[str, Any]:
    asked = {
        "trial": trial.id,
        "tutorial": trial.part == "tutorial",
        "pictures": [f"picture/{trial.shown}/{side}" for side in range(len(trial.pictures))],
    }
    if not study.settings.questionnaire:
        return asked
    together = [one.question for one in rater.trials if one.shown == trial.shown]
    says = json.loads(trial.say) if trial.say else study.settings.questionnaire[trial.question].text
    step = [together.index(trial.question) + 1, len(together)]
    place = sum(one.shown == one.id and one.part != "tutorial" and one.place <= trial.place for one in rater.trials)
    return asked | {"question": trial.question, "text": says[rater.language], "step": step, "place": place}


def exposure(study: Study, rater: Rater, votes: Mapping[str, sa.Row]) -> int:
    """Milliseconds for the rater's next picture: the staircase after the last answer outside the tutorial."""
    s = study.settings
    past = [trial for trial in rater.trials if trial.part != "tutorial" and trial.id in votes]
    if not past:
        return s.start
    vote = votes[past[-1].id]
    right = is_right(s.task, past[-1].truth, vote.answer)
    return Staircase(s.start, s.down, s.up, s.floor, s.top).after(vote.exposure_ms or s.start, right)


def keep(store: Store, study: Study, rater: Rater, sent: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Keep votes in one transaction: when this returns, they are safe.

    Parameters
    ----------
    store, study, rater
        Who answers, and where that is kept.
    sent : sequence of mapping
        Votes as the browser sends them.

    Returns
    -------
    list of dict
        For each vote {id, result, ...}. `result` is "kept", also when the very same vote was kept before, or "refused"
        with a `reason`: such a vote will never be kept, and the browser should forget it. A tutorial vote comes back
        with
        `right` and the `truth`.
    """
    with store.write() as connection:
        if connection.dialect.name == "postgresql":  # two tabs of one rater: one after the other
            connection.execute(sa.select(t.raters.c.id).where(t.raters.c.id == rater.id).with_for_update())
        results = [_keep_one(connection, study, rater, vote) for vote in sent]
    store.here[rater.id] = time.monotonic()
    return results


def _keep_one(connection: sa.Connection, study: Study, rater: Rater, vote: Mapping[str, Any]) -> dict[str, Any]:
    votes = latest_votes(connection, rater.id)
    trial = next((one for one in rater.trials if one.id == vote["trial"]), None)
    before = connection.execute(sa.select(t.votes).where(t.votes.c.id == vote["id"])).first()
    if before is not None:
        same = before.rater == rater.id and all(before._mapping[n] == vote[n] for n in ("trial", "revision", "answer"))
        return _kept(study, trial, vote) if same else _refused(vote, "another vote has this id")
    if trial is None:
        return _refused(vote, "no such question")
    if vote["answer"] not in study.settings.answers(trial.question):
        return _refused(vote, "no such answer")
    open_trials = [one.id for one in rater.trials if one.id not in votes]
    if vote["revision"] == 0:
        if trial.id in votes:
            return _refused(vote, "answered before")
        if trial.id not in open_trials[: _ahead(study)]:
            return _refused(vote, "not asked yet")
    elif trial.id not in votes or votes[trial.id].revision != vote["revision"] - 1:
        return _refused(vote, "corrected before")
    elif any(one.place > trial.place and one.id in votes for one in rater.trials):
        return _refused(vote, "only the last answer can be corrected")
    _insert(connection, study, rater, trial, vote, votes)
    return _kept(study, trial, vote)


def _insert(connection: sa.Connection, study: Study, rater: Rater, trial: Trial, vote: Mapping, votes: Mapping) -> None:
    asked = None
    if study.settings.task == "hype-time":
        asked = votes[trial.id].exposure_ms if trial.id in votes else exposure(study, rater, votes)
    row = {name: vote[name] for name in ("id", "revision", "answer", "shown_ms", "response_ms")}
    row |= {"rater": rater.id, "trial": trial.id, "exposure_ms": asked, "at": time.time()}
    connection.execute(sa.insert(t.votes).values(row))


def _refused(vote: Mapping[str, Any], reason: str) -> dict[str, Any]:
    return {"id": vote["id"], "result": "refused", "reason": reason}


def _kept(study: Study, trial: Trial, vote: Mapping[str, Any]) -> dict[str, Any]:
    result = {"id": vote["id"], "result": "kept"}
    if trial.part != "tutorial" or not trial.truth:
        return result
    right = is_right(study.settings.task, trial.truth, flipped_answer(vote["answer"], trial.flipped))
    return result | {"right": right, "truth": flipped_truth(trial.truth, trial.flipped)}
