"""From pictures to a study in the store: what is held out for tutorial and controls, what is asked."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

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


def make_study(
    store: Store,
    name: str,
    settings: Settings,
    fakes: Sequence[Given],
    reals: Sequence[Given] = (),
    *,
    easy: Sequence[Given] = (),
    pairs: Sequence[tuple[str, str]] | None = None,
    number: int | None = None,
    size: int | None = None,
    seed: int = 0,
) -> Study:
    """A study of `fakes` and `reals`, kept under `name`.

        part      hype, hype-time                        pairs                               rating
        tutorial  reals and fakes, told which            real beside a shuffled real         real; shuffled real
        control   reals and easy fakes                   real beside an easy fake            real; easy fake
        main      all others, half real, half generated  pairs given, or drawn across groups all others

    What tutorial and controls use is asked nowhere else. `easy`: fakes that nobody should miss, for the controls;
    without them, reals cut into tiles and shuffled. `pairs`: names (left, right) to compare; without them `number`
    (as many as fakes) are drawn by the rule of `giqa.study.pairing.draw_pairs` from reals and each generator.
    `size`: pixels of the longer side, else the smallest picture's, at most 512. `settings.sitting=0` asks at most 100.
    Raises `BadSpec` when there are too few pictures.
    """
    rng = np.random.default_rng(seed)
    plan = _Plan(settings, list(fakes), list(reals), list(easy), random.Random(seed))
    plan.hold_out()
    plan.ask(pairs, number)
    target = common_size([one.read().shape[:2] for one, _ in plan.used], size)
    shown = list(_in_form(plan.used, target, rng))
    return store.add_study(name, plan.settings, shown, plan.items)


def _in_form(used: Sequence[tuple[Given, bool]], size: tuple[int, int], rng: np.random.Generator) -> Iterator[Shown]:
    for one, spoil in used:
        pixels = in_form(one.read(), size)
        if spoil:
            yield Shown(f"{one.name} (shuffled)", "generated", "shuffled", as_png(shuffled(pixels, rng)))
        else:
            yield Shown(one.name, one.kind, one.generator, as_png(pixels))


class _Plan:
    """Pictures used so far, (given, whether to shuffle it), and the items that ask for them by position."""

    def __init__(self, settings: Settings, fakes: list, reals: list, easy: list, lot: random.Random):
        self.settings, self.fakes, self.reals, self.easy, self.lot = settings, fakes, reals, easy, lot
        self.used: list[tuple[Given, bool]] = []
        self.items: list[Item] = []
        for pictures in (fakes, reals, easy):
            lot.shuffle(pictures)

    def use(self, one: Given, spoil: bool = False) -> int:
        self.used.append((one, spoil))
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
            first = {id(one): self.use(one) for one in everything}
            if pairs is None:
                groups: dict[str, list[int]] = {}
                for one in everything:
                    groups.setdefault(one.generator, []).append(first[id(one)])
                drawn = draw_pairs(groups, number or min(len(self.fakes), how_many(groups)), self.lot)
            else:
                drawn = _named(pairs, {one.name: first[id(one)] for one in everything})
            self.items += [Item("main", left, right) for left, right in drawn]
            most = len(drawn)
        elif task == "rating":
            self.items += [Item("main", self.use(one)) for one in everything]
            most = len(everything)
        else:
            self.items += [Item("main", self.use(one), truth=_truth(one)) for one in everything]
            most = 2 * min(len(self.fakes), len(self.reals))
        if not most:
            raise BadSpec(f"{task} needs reals besides those of tutorial and controls; give more --real pictures.")
        if self.settings.sitting > most:
            raise BadSpec(
                f"sitting={self.settings.sitting}: besides what tutorial and controls take there are {len(self.fakes)} "
                f"fakes and {len(self.reals)} reals, enough for {most} answers a rater; lower it or give more pictures."
            )
        self.settings = replace(self.settings, sitting=self.settings.sitting or min(SITTING, most))


def _truth(one: Given) -> str:
    return "fake" if one.generator else "real"


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
