"""From pictures to a study in the store: what is held out for tutorial and controls, what is asked."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import BadSpec
from ..files import as_png
from ..tables.names import join_names
from .pairing import draw_pairs, how_many
from .presentation import common_size, in_form, shuffled
from .store import Store, Study
from .study import Item, Settings, Shown

SITTING = 100


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
    wanted = Wanted(**wanted)
    rng = np.random.default_rng(wanted.seed)
    plan = _Plan(settings, list(fakes), list(reals), list(wanted.easy), random.Random(wanted.seed))
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

    def hold_out(self) -> None:
        task = self.settings.task
        for part, number in (("tutorial", self.settings.tutorial), ("control", self.settings.controls)):
            for place in range(number):
                if task == "pairs":
                    self.items.append(Item(part, self.real(), self.broken(), "left"))
                elif place % 2 == 0:
                    self.items.append(Item(part, self.real(), truth="high" if task == "rating" else "real"))
                elif task == "rating" or part == "control":
                    self.items.append(Item(part, self.broken(), truth="low" if task == "rating" else "fake"))
                elif self.fakes:
                    self.items.append(Item(part, self.use(self.fakes.pop()), truth="fake"))

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
            self.items += [Item("main", left, right) for left, right in drawn]
            most = len(drawn)
        elif task == "rating":
            self.items += [Item("main", self.use(picture)) for picture in everything]
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
        self.settings = replace(self.settings, sitting=self.settings.sitting or min(SITTING, most))


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
