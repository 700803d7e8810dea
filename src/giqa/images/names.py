"""Pictures by the names that tables give them, which need not be written as the source writes its ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from .listing import is_picture


def match_names(names: Iterable[str], ids: Sequence[str]) -> tuple[dict[str, int], dict[str, str]]:
    """The position among `ids` of each name, and for the names that have none the reason.

    A name is an id; else one is the end of the other (`a.png` and `set/a.png`, in either direction), and no second
    picture could be meant. A name without a picture's ending may lack just that.

    >>> match_names(["a.png", "x/b.png", "c", "d.png"], ["cats/a.png", "b.png", "c.jpg"])
    ({'a.png': 0, 'x/b.png': 1, 'c': 2}, {'d.png': 'is not there'})
    """
    exact = {name: place for place, name in enumerate(ids)}
    ends: dict[str, list[int]] = {}
    for place, name in enumerate(ids):
        for end in _ends(name):
            ends.setdefault(end, []).append(place)
            bare = str(PurePosixPath(end).with_suffix("")) if is_picture(end) else end
            if bare != end:
                ends.setdefault(bare, []).append(place)
    found: dict[str, int] = {}
    missing: dict[str, str] = {}
    for name in dict.fromkeys(names):
        places = [exact[name]] if name in exact else _meant(name, ids, ends)
        if len(places) == 1:
            found[name] = places[0]
        else:
            missing[name] = f"could be {len(places)} pictures" if places else "is not there"
    return _one_name_each(found, exact, missing)


def _ends(name: str) -> list[str]:
    """`a/b/c.png` as itself, `b/c.png` and `c.png`."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    return ["/".join(parts[at:]) for at in range(len(parts))]


def _meant(name: str, ids: Sequence[str], ends: dict[str, list[int]]) -> list[int]:
    """Places of ids that end in the name, else of whole ids that the name ends in."""
    whole, *shorter = _ends(name) or [name]
    if whole in ends:
        return ends[whole]
    for end in shorter:
        places = [place for place in ends.get(end, []) if len(_ends(ids[place])) == len(_ends(end))]
        if places:
            return places
    return []


def _one_name_each(
    found: dict[str, int], exact: dict[str, int], missing: dict[str, str]
) -> tuple[dict[str, int], dict[str, str]]:
    """Two names are two pictures: where one was found twice, only its own id may have it."""
    wanted: dict[int, list[str]] = {}
    for name, place in found.items():
        wanted.setdefault(place, []).append(name)
    for name, place in list(found.items()):
        if len(wanted[place]) > 1 and name not in exact:
            missing[name] = f"may be the picture that {next(n for n in wanted[place] if n != name)!r} is"
            del found[name]
    return found, missing
