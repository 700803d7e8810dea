"""Which pictures are compared with which: the rule by which pairs are drawn, for LGIQA and for the task `pairs`."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from ..errors import BadSpec

T = TypeVar("T")


def draw_pairs(groups: Mapping[str, Sequence[T]], number: int, rng: random.Random | int = 0) -> list[tuple[T, T]]:
    """`number` pairs to be judged; the rule by which pairs are drawn, for LGIQA and for the task `pairs`.

    Each pair is of two different groups (of the one group, where there is only one). Every two groups have equally many
    pairs, give or take one, as far as their sizes allow. Within a group pictures are taken in random order, each once
    before any is taken again. No pair twice; left or right at random.

    Parameters
    ----------
    groups : mapping
        Name -> pictures: the generators, the reals and the early snapshots, say.
    number : int
        Of pairs.
    rng : random.Random or int
        Or its seed: the same one draws the same pairs.

    Returns
    -------
    list of tuple
        (left, right).

    Raises
    ------
    BadSpec
        When there are not so many.

    Examples
    --------
    >>> pairs = draw_pairs({"gan": ["a", "b"], "real": ["c", "d"]}, 4)
    >>> sorted("".join(sorted(pair)) for pair in pairs)
    ['ac', 'ad', 'bc', 'bd']
    """
    rng = rng if isinstance(rng, random.Random) else random.Random(rng)
    room = _room(groups)
    if not 0 <= number <= sum(room.values()):
        sizes = [len(pictures) for pictures in groups.values()]
        raise BadSpec(f"{number} pairs of groups of {sizes} pictures: there are {sum(room.values())} different ones.")
    decks = {name: _Deck(pictures, rng) for name, pictures in groups.items()}
    drawn: set[frozenset[T]] = set()
    pairs: list[tuple[T, T]] = []
    while len(pairs) < number:
        for a, b in list(room)[: number - len(pairs)]:
            one, other = next(
                (x, y)
                for x in decks[a].offered()
                for y in decks[b].offered()
                if x != y and frozenset((x, y)) not in drawn
            )
            for name, picture in ((a, one), (b, other)):
                decks[name].take(picture)
            drawn.add(frozenset((one, other)))
            pairs.append((one, other) if rng.random() < 0.5 else (other, one))
            room[a, b] -= 1
        room = {groups_of: left for groups_of, left in room.items() if left}
    rng.shuffle(pairs)
    return pairs


def how_many(groups: Mapping[str, Sequence[T]]) -> int:
    """The number of different pairs that can be drawn.

    >>> how_many({"a": [1, 2], "b": [3, 4, 5]}), how_many({"a": [1, 2, 3]})
    (6, 3)
    """
    return sum(_room(groups).values())


def _room(groups: Mapping[str, Sequence[T]]) -> dict[tuple[str, str], int]:
    """Every two groups, and how many pairs there are of them."""
    sizes = {name: len(pictures) for name, pictures in groups.items() if len(pictures)}
    names = list(sizes)
    if len(names) == 1:
        (name,) = names
        return {(name, name): sizes[name] * (sizes[name] - 1) // 2} if sizes[name] > 1 else {}
    return {(a, b): sizes[a] * sizes[b] for at, a in enumerate(names) for b in names[at + 1 :]}


class _Deck(Generic[T]):
    """The pictures of a group in random order; who is taken comes back when all others have been taken too."""

    def __init__(self, pictures: Sequence[T], rng: random.Random):
        self.pictures, self.rng = pictures, rng
        self.left: list[T] = []
        self.before: set[T] = set()  # taken ahead of their turn: not in the next round

    def offered(self) -> Iterator[T]:
        """Those whose turn it is, then the others."""
        if not self.left:
            left = [picture for picture in self.pictures if picture not in self.before] or list(self.pictures)
            self.rng.shuffle(left)
            self.left, self.before = left, set()
        yield from reversed(self.left)
        turn = set(self.left)
        rest = [picture for picture in self.pictures if picture not in turn]
        self.rng.shuffle(rest)
        yield from rest

    def take(self, picture: T) -> None:
        if picture in self.left:
            self.left.remove(picture)
        else:
            self.before.add(picture)
