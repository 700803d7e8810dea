"""Which picture a name means: tables, folders and services write the same picture's name in different ways."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote

from ..errors import BadTable

PICTURE = re.compile(
    r"(?s).+\.(png|jpe?g|jpe|jfif|webp|bmp|tiff?|gif|avif|hei[cf]|jp2|jxl|svg|psd|exr|hdr|p[pgn]m|tga|ico|dng)",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"[a-z][a-z0-9+.\-]*://[^/]*/?(.*)", re.IGNORECASE | re.DOTALL)
ODD = re.compile(r"[%?\\]|://|upload/")  # what may be read in more than one way
UPLOADED = re.compile(r"(?s)[0-9a-f]{8}-(.+)")  # Label Studio's name of an uploaded file
NOT_THERE = "is not there"


def looks_like_picture(text: str) -> bool:
    """Whether a text ends as the name of a picture does, also of a format that is not read.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    bool
        True for "x/a.PNG".

    Examples
    --------
    >>> looks_like_picture("x/a.PNG"), looks_like_picture("a red ball")
    (True, False)
    """
    return bool(PICTURE.fullmatch(text.strip()))


def as_texts(names: Any) -> list[str]:
    """Names as a list; `BadTable` where they are no texts."""
    found = list(names) if isinstance(names, Iterable) and not isinstance(names, (str, bytes)) else [None]
    if not all(isinstance(name, str) for name in found):
        raise BadTable(f"Names of pictures are texts, such as those of a column, got {names!r:.80}.")
    return found


def match_names(names: Iterable[str], ids: Sequence[str]) -> tuple[dict[str, int], dict[str, str]]:
    """The position among `ids` of each name, and for the names that have none the reason.

    This is the only place where it is decided that two names mean one picture; every command joins its tables by it.

    Parameters
    ----------
    names : iterable of str
        Names as a table, a folder or a service writes them.
    ids : sequence of str
        Names of the pictures, all different.

    Returns
    -------
    found : dict of str to int
        Position of each name.
    missing : dict of str to str
        Why a name has none.

    Notes
    -----
    A name is an id; else one is the end of the other (`a.png` and `set/a.png`, in either direction), and no second
    picture could be meant. A name, or an id, without a picture's ending may lack just that; JPG is jpg. An address
    (`https://host/x/a.png?v=1`, `s3://bucket/x/a.png`) means its path, `/data/upload/1/3f2a91bc-a.png` of Label Studio
    `a.png`; backslashes are slashes, `%20` is a blank, and accents are the same however they are encoded.

    Examples
    --------
    >>> match_names(["a.png", "x/b.png", "c", "https://host/d.png?v=1"], ["cats/a.png", "b.png", "c.jpg", "e.png"])
    ({'a.png': 0, 'x/b.png': 1, 'c': 2}, {'https://host/d.png?v=1': 'is not there'})
    """
    exact = {name: place for place, name in enumerate(ids)}
    names = list(dict.fromkeys(as_texts(names)))
    if all(name in exact for name in names):
        return {name: exact[name] for name in names}, {}
    wholes, ends = _index(ids)

    def without_ending(name: str) -> list[int]:
        """Ids that have no picture's ending may lack just that."""
        forms = [form for form in _forms(name) if looks_like_picture(form[-1])]
        stems = [[*form[:-1], form[-1].rpartition(".")[0]] for form in forms]
        return [place for place in _meant(stems, wholes, ends) if not looks_like_picture(ids[place])]

    found: dict[str, int] = {}
    missing: dict[str, str] = {}
    for name in names:
        places = [exact[name]] if name in exact else _meant(_forms(name), wholes, ends) or without_ending(name)
        if len(places) == 1:
            found[name] = places[0]
        elif places:
            others = f" and {len(places) - 2} more" if len(places) > 2 else ""
            missing[name] = f"could be {len(places)} pictures: {ids[places[0]]!r}, {ids[places[1]]!r}{others}"
        else:
            missing[name] = NOT_THERE
    return _one_name_each(found, exact, missing)


def join_names(
    names: Iterable[str],
    ids: Sequence[str],
    here: str,
    there: str,
    *,
    error: type[Exception] = BadTable,
    need: bool = True,
) -> tuple[dict[str, int], list[str]]:
    """`match_names` where a doubt is an error.

    Parameters
    ----------
    names : iterable of str
        Names as a table, a folder or a service writes them.
    ids : sequence of str
        Names of the pictures, all different.
    here, there : str
        Where the names and the ids are, for errors.
    error : type, default BadTable
        What is raised.
    need : bool, default True
        At least one name must be there.

    Returns
    -------
    found : dict of str to int
        Position of each name.
    missing : list of str
        Names that are not there.

    Raises
    ------
    BadTable
        If a name could mean several pictures, or none is there and `need`.

    Examples
    --------
    >>> join_names(["a.png", "z.png"], ["cats/a.png"], "votes.csv", "FAKES")
    ({'a.png': 0}, ['z.png'])
    """
    found, missing = match_names(names, ids)
    doubtful = {name: why for name, why in missing.items() if why != NOT_THERE}
    if doubtful:
        name, why = next(iter(doubtful.items()))
        more = f" (and {len(doubtful) - 1} more names)" if len(doubtful) > 1 else ""
        raise error(f"{here}: {name!r} {why}{more}. Write the names so that each means one picture of {there}.")
    if need and missing and not found:
        first, other = next(iter(missing)), ids[0] if len(ids) else "no name at all"
        raise error(
            f"No picture of {here} is in {there}: the first has {short(first)}, the second {short(other)}. A name "
            "should be the id, or one the end of the other (a.png, set/a.png)."
        )
    return found, list(missing)


def short(name: str, most: int = 120) -> str:
    """A name in quotes, cut where it is long.

    Parameters
    ----------
    name : str
        Any text.
    most : int, default 120
        Letters that are kept.
    """
    return repr(name if len(name) <= most else f"{name[:most]}...")


def _forms(name: str, uploads: bool = True) -> list[list[str]]:
    """What a name may mean, as parts of a path, the likeliest first: as it stands, then read as an address."""
    plain = unicodedata.normalize("NFC", name.strip())
    if looks_like_picture(plain):
        stem, dot, ending = plain.rpartition(".")
        plain = stem + dot + ending.lower()
    if not ODD.search(plain):  # nearly all
        whole = [part for part in plain.split("/") if part not in ("", ".")]
        return [whole] if whole else []
    texts, address = [plain], ADDRESS.fullmatch(plain)
    path, mark, query = (address[1] if address else plain).partition("?")
    if address:
        path = path.partition("#")[0]
    if address or (mark and (looks_like_picture(path) or path.startswith("/"))):
        texts.append(path)
        if not looks_like_picture(path):
            texts += [value for _, value in parse_qsl(query) if looks_like_picture(value)]
    texts += [unquote(text) for text in texts if "%" in text]
    parts = [[part for part in text.replace("\\", "/").split("/") if part not in ("", ".")] for text in texts]
    forms = parts
    if uploads:
        loaded = (UPLOADED.fullmatch(form[-1]) for form in parts if "upload" in form[-3:-1])
        forms = parts + [[found[1]] for found in loaded if found]
    return [form for at, form in enumerate(forms) if form and form not in forms[:at]]


def _index(ids: Sequence[str]) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Positions by whole name, and by every end of it; each also without the picture's ending."""
    wholes: dict[str, list[int]] = {}
    ends: dict[str, list[int]] = {}
    for place, name in enumerate(ids):
        for form in _forms(name):
            ending = f".{form[-1].rpartition('.')[2]}" if looks_like_picture(form[-1]) else ""
            for at in range(len(form)):
                end = "/".join(form[at:])
                for key in (end, end.removesuffix(ending)) if ending else (end,):
                    for known in (ends, wholes) if at == 0 else (ends,):
                        places = known.setdefault(key, [])
                        if not places or places[-1] != place:
                            places.append(place)
    return wholes, ends


def _meant(forms: Sequence[list[str]], wholes: dict[str, list[int]], ends: dict[str, list[int]]) -> list[int]:
    """Positions of ids that are the name or end in it, else of whole ids that the name ends in."""
    for form in forms:
        whole = "/".join(form)
        if places := wholes.get(whole) or ends.get(whole):
            return places
    for form in forms:
        for at in range(1, len(form)):
            if places := wholes.get("/".join(form[at:])):
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
        others = [other for other in wanted[place] if other != name and not _same(name, other)]
        if others and name not in exact:
            own = next((other for other in others if other in exact), None)
            missing[name] = NOT_THERE if own else f"may be the picture that {others[0]!r} is"
            del found[name]
    return found, missing


def _same(one: str, other: str) -> bool:
    """Whether two names differ in writing alone, such as `./a.png` and `a.png`, or `a%20b.png` and `a b.png`."""
    return any(form in _forms(other, uploads=False) for form in _forms(one, uploads=False))
