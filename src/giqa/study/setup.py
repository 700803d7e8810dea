"""From pictures to a study in the store: what is held out for tutorial and controls, what is asked."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import BadSpec
from ..files import as_png
from ..tables.names import join_names
from .pairing import draw_pairs, how_many
from .presentation import common_size, in_form, shuffled
from .questions import Check
from .store import Store, Study
from .study import Item, Open, Settings, Shown, choose

SITTING = 100  # answers of a rater, unless asked otherwise
SESSIONS = 20  # drawn, to see how many pairs without a picture in common there are
COUNTED = (("controls", "control"), ("tutorial", "tutorial"))  # settings that count the items of a part


@dataclass(frozen=True)
class Given:
    """A picture to judge: its name, `generator` ("" for a real one), and a function that reads its uint8 RGB pixels."""

    name: str
    generator: str
    read: Callable[[], np.ndarray]

    @property
    def kind(self) -> str:
        return "generated" if self.generator else "real"


@dataclass(frozen=True)
class Wanted:
    """What a study is made of besides its pictures; see `make_study`."""

    easy: Sequence[Given] = ()
    pairs: Sequence[tuple[str, str]] | None = None
    number: int | None = None
    size: int | None = None
    seed: int = 0


def make_study(
    store: Store, name: str, settings: Settings, fakes: Sequence[Given], reals: Sequence[Given] = (), **wanted: Any
) -> Study:
    """A study of `fakes` and `reals`, kept under a name.

        part      hype, hype-time                        pairs                               rating
        tutorial  reals and fakes, with the answer       real and a shuffled real            real; shuffled real
        control   reals and easy fakes                   real and an easy fake               real; easy fake
        main      all others, half real, half generated  pairs given, or drawn across groups all others

    What tutorial and controls use is asked nowhere else.

    Parameters
    ----------
    store : Store
        See `giqa.study.open_store`.
    name : str
        Of the study.
    settings : Settings
        `sitting=0` asks a rater at most 100.
    fakes, reals : sequence of Given
        Pictures to judge.
    **wanted
        `easy`: fakes (Given) that no rater should miss, for the controls; without them, reals cut into tiles and
        shuffled. `pairs`: names (left, right) to compare; without them `number` (as many as fakes) are drawn by the
        rule of
        `giqa.study.pairing.draw_pairs` from reals and each generator. `size`: pixels of the longer side, else the
        smallest picture's, at most 512. `seed` (0): of all that is random.

    Returns
    -------
    Study

    Raises
    ------
    BadSpec
        When there are too few pictures.

    Examples
    --------
    >>> import tempfile
    >>> from giqa.study import open_store
    >>> pixels = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    >>> fakes, reals = ([Given(f"{kind}{i}", kind, lambda: pixels) for i in range(8)] for kind in ("gan", ""))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = open_store(f"{folder}/votes.db")
    ...     study = make_study(store, "faces", Settings("hype", controls=2, tutorial=2, sitting=4), fakes, reals)
    ...     store.close()
    >>> study.name, study.paused
    ('faces', False)
    """
    texts = {"name": name, **{key: text for key, text in vars(settings).items() if isinstance(text, str)}}
    for key, text in texts.items():
        if not isinstance(text, str) or text != text.encode("utf-8", "replace").decode():
            raise BadSpec(f"{key} is a text in UTF-8, got {text!r:.80}.")
    wanted = Wanted(**wanted)
    rng = np.random.default_rng(wanted.seed)
    plan = _Plan(settings, list(fakes), list(reals), list(wanted.easy), random.Random(wanted.seed))
    plan.own_checks({name for pair in wanted.pairs or () for name in pair})
    plan.hold_out()
    plan.ask(wanted.pairs, wanted.number)
    size = common_size([picture.read().shape[:2] for picture, _ in plan.used], wanted.size)
    shown = list(_in_form(plan.used, size, rng))
    return store.add_study(name, plan.settings, shown, plan.items)


def _in_form(used: Sequence[tuple[Given, bool]], size: tuple[int, int], rng: np.random.Generator) -> Iterator[Shown]:
    for picture, spoil in used:
        pixels = in_form(picture.read(), size)
        if spoil:
            yield Shown(f"{picture.name} (shuffled)", "generated", "shuffled", as_png(shuffled(pixels, rng)))
        else:
            yield Shown(picture.name, picture.kind, picture.generator, as_png(pixels))


class _Plan:
    """Pictures used so far, (given, whether to shuffle it), and the items that ask for them by position."""

    def __init__(self, settings: Settings, fakes: list, reals: list, easy: list, rng: random.Random):
        self.settings, self.fakes, self.reals, self.easy, self.rng = settings, fakes, reals, easy, rng
        self.used: list[tuple[Given, bool]] = []
        self.items: list[Item] = []
        self.units = 0
        for pictures in (fakes, reals, easy):
            rng.shuffle(pictures)

    def use(self, picture: Given, spoil: bool = False) -> int:
        self.used.append((picture, spoil))
        return len(self.used) - 1

    def real(self, spoil: bool = False) -> int:
        if not self.reals:
            raise BadSpec(
                f"Too few reals: tutorial={self.settings.tutorial} and controls={self.settings.controls} take theirs "
                "before the study's own; give more --real pictures or lower these."
            )
        return self.use(self.reals.pop(), spoil)

    def broken(self) -> int:
        return self.use(self.easy.pop()) if self.easy else self.real(spoil=True)

    def add(self, part: str, left: int, right: int | None = None, truth: str = "") -> None:
        """An item, or one for each question of one's own; the truth is that of the questions that name no controls."""
        own = {q.name: (q.truth(truth), "") for q in self.settings.asked if q and q.automatic and truth}
        self.unit(Item(part, left, right, truth), own)

    def unit(self, item: Item, own: Mapping[str, tuple[str, str]]) -> None:
        """The item, or one for each question of one's own with its (truth, say), if it has any."""
        if not self.settings.questionnaire:
            self.items.append(item)
            return
        self.units += 1
        for question in self.settings.questionnaire.questions:
            truth, say = own.get(question.name, ("", ""))
            self.items.append(replace(item, truth=truth, question=question.name, unit=self.units, say=say))

    def own_checks(self, spared: Set[str]) -> None:
        """Examples and attention checks that the questions bring; what they name is taken out of the pictures.

        An instruction takes none of those to spare, which pairs are asked about.
        """
        if not self.settings.questionnaire:
            return
        checks: dict[Any, dict[str, Check]] = {}  # part and pictures -> question -> what is right
        for question in self.settings.questionnaire.questions:
            for part, each in (("tutorial", question.examples), ("control", question.controls)):
                for at, check in enumerate(each):
                    key = (part, check.pictures or (question.name, at), bool(check.pictures))
                    checks.setdefault(key, {})[question.name] = check
        for part, names, named in sorted(checks, key=lambda key: not key[2]):  # before any are taken at random
            pictures = self.named(names) if named else self.any(spared)
            own = {
                name: (",".join(check.answers), json.dumps(check.say) if check.say else "")
                for name, check in checks[part, names, named].items()
            }
            self.unit(Item(part, *pictures), own)
        automatic = any(question.automatic for question in self.settings.questionnaire.questions)
        self.settings = self.settings if automatic else replace(self.settings, controls=0, tutorial=0)

    def named(self, names: Sequence[str]) -> list[int]:
        """Pictures of a check, by name."""
        pools = (self.fakes, self.reals, self.easy)
        there = [picture.name for pool in pools for picture in pool]
        place, lost = join_names(names, there, "the checks", "the study", error=BadSpec, need=False)
        if lost:
            raise BadSpec(
                f"A check of the questions names {lost[0]!r}: it is not there, or in another check already; name "
                f"pictures of the fakes, --real or --easy; there are {', '.join(map(repr, there[:3])) or 'none left'}."
            )
        found = [there[place[name]] for name in names]
        taken = {name: pool.pop(at) for pool in pools for at, name in _at(pool, found)}
        return [self.use(taken[name]) for name in found]

    def any(self, spared: Set[str]) -> list[int]:
        """Pictures for an instruction: of a pair a fake and a real, as far as there are both."""
        taken = []
        for pools in ((self.fakes, self.reals), (self.reals, self.fakes))[: 2 if self.settings.task == "pairs" else 1]:
            free = [(pool, at) for pool in pools for at, picture in enumerate(pool) if picture.name not in spared]
            if not free:
                raise BadSpec("Too few pictures for the attention checks of the questions; give more.")
            pool, at = free[0]
            taken.append(self.use(pool.pop(at)))
        return taken

    def hold_out(self) -> None:
        task = self.settings.task
        for part, number in (("tutorial", self.settings.tutorial), ("control", self.settings.controls)):
            for place in range(number):
                if task == "pairs":
                    self.add(part, self.real(), self.broken(), "left")
                elif place % 2 == 0:
                    self.add(part, self.real(), truth="high" if task == "rating" else "real")
                elif task == "rating" or part == "control":
                    self.add(part, self.broken(), truth="low" if task == "rating" else "fake")
                elif self.fakes:
                    self.add(part, self.use(self.fakes.pop()), truth="fake")

    def ask(self, pairs: Sequence[tuple[str, str]] | None, number: int | None) -> None:
        task = self.settings.task
        if not self.fakes:
            raise BadSpec(
                f"No generated pictures are left to ask about; the tutorial takes {self.settings.tutorial // 2}."
            )
        everything = self.fakes + self.reals
        if task == "pairs":
            position = {id(picture): self.use(picture) for picture in everything}
            if pairs is None:
                groups: dict[str, list[int]] = {}
                for picture in everything:
                    groups.setdefault(picture.generator, []).append(position[id(picture)])
                drawn = draw_pairs(groups, number or min(len(self.fakes), how_many(groups)), self.rng)
            else:
                drawn = _named(pairs, {picture.name: position[id(picture)] for picture in everything})
            for left, right in drawn:
                self.add("main", left, right)
            most = len(drawn)
            as_open = [Open(place, pair, "", 0) for place, pair in enumerate(drawn)]
            whole = replace(self.settings, sitting=most)  # a rater sees no picture twice: the longest of some sessions
            reach = max(len(choose(as_open, whole, random.Random(draw))) for draw in range(SESSIONS))
        elif task == "rating":
            for picture in everything:
                self.add("main", self.use(picture))
            most = len(everything)
        else:
            self.items += [
                Item("main", self.use(picture), truth="fake" if picture.generator else "real") for picture in everything
            ]
            most = 2 * min(len(self.fakes), len(self.reals))
        if not most:
            raise BadSpec(f"{task} needs reals besides those of tutorial and controls; give more --real pictures.")
        if self.settings.sitting > most:
            raise BadSpec(
                f"sitting={self.settings.sitting}: besides what tutorial and controls take there are {len(self.fakes)} "
                f"fakes and {len(self.reals)} reals, enough for {most} answers a rater; lower it or give more pictures."
            )
        questions = len(self.settings.asked)
        asked = self.settings.sitting or min(max(1, SITTING // questions), most)
        counts = {"sitting": min(asked, reach) if task == "pairs" else asked}
        if self.settings.questionnaire:
            parts = [item.part for item in self.items]
            counts |= {name: parts.count(part) // questions for name, part in COUNTED}
        self.settings = replace(self.settings, **counts)


def _at(pool: Sequence[Given], names: Sequence[str]) -> list[tuple[int, str]]:
    """Where pictures of these names are, the last first, so that one can be taken after the other."""
    return [(at, picture.name) for at, picture in reversed(list(enumerate(pool))) if picture.name in names]


def _named(pairs: Sequence[tuple[str, str]], known: dict[str, int]) -> list[tuple[int, int]]:
    names = list(known)
    place, unknown = join_names(
        [name for pair in pairs for name in pair], names, "the pairs", "the study", error=BadSpec, need=False
    )
    if unknown:
        raise BadSpec(
            f"{len(unknown)} pictures of the pairs are not there, or in the tutorial, such as {unknown[0]!r}; the "
            f"study has {names[0]!r}."
        )
    return [(known[names[place[left]]], known[names[place[right]]]) for left, right in pairs]
