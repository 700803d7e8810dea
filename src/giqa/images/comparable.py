"""Whether there are enough pictures, and whether reals and fakes were saved alike: findings about one or two sets.

Pure functions: they take profiles and return findings. `giqa doctor` prints them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Literal

from .differences import differences
from .match import Match, choose_match
from .profile import ALPHA, PROFILE, Look, Profile
from .sharpness import Sharpness, driven
from .traces import SOFT

Level = Literal["ok", "note", "warn", "bad"]
NAMED = 5  # pictures
MOST_ALIKE = 0.8  # share of a set that is alike, from which the rest are strays


@dataclass(frozen=True)
class Finding:
    """How bad (`level`), about what (`topic`), what was found, and what to do about it."""

    level: Level
    topic: str
    what: str
    remedy: str = ""


def comparable(
    reals: Profile,
    fakes: Profile | None = None,
    n_real: int | None = None,
    n_fake: int | None = None,
    dimension: int | None = None,
    n_components: int | None = None,
) -> list[Finding]:
    """Whether there are enough pictures, and whether reals and fakes were saved alike.

    `n_real`, `n_fake`: how many will be used, if not all; `dimension`, `n_components`: D and M of the mixture to fit.
    """
    n_real = reals.n if n_real is None else n_real
    found = [_enough(n_real)]
    if dimension:
        found.append(_parameters(n_real, dimension, n_components or 1))
    for side in (reals, fakes):
        found += [*_readable(side), *_strays(side)] if side else []
    if not fakes or not reals.looks or not fakes.looks:
        found += [Finding("ok", "files", f"{reals.name}: {reals.saved()}")] * bool(reals.looks)
        return found + _own_colours(reals)
    n_fake = fakes.n if n_fake is None else n_fake
    if n_fake < 30:
        what = f"{n_fake} generated pictures: each score is as good as in a larger set; their mean is uncertain"
        found.append(Finding("note", "fakes", what, "add pictures before comparing generators"))
    return found + _copies(reals, fakes) + _files(reals, fakes)


def _enough(n: int) -> Finding:
    """The percentile's steps are 1/(n + 1), and the worst 5 % of the reals are what a bad picture is measured by."""
    what = f"{n} real pictures: a percentile moves in steps of {1 / (n + 1):.2g}"
    if n < 20:
        return Finding("bad", "reals", f"{what}; too few to say what is normal", "add real pictures, 50 or more")
    if n < 50:
        worst = f"{what}; the worst 5 % of them are {math.ceil(n * 0.05)} pictures"
        return Finding("warn", "reals", worst, "add real pictures; from 200 on, percentiles are steady")
    return Finding("ok", "reals", what)


def _parameters(n: int, dimension: int, components: int) -> Finding:
    """A Gaussian with full covariance has D(D+3)/2 parameters; below D pictures its covariance has no inverse."""
    each = n / components
    what = (
        f"{each:,.0f} real pictures a component (n = {n:,}, M = {components}) for D = {dimension:,}: "
        f"{dimension * (dimension + 3) // 2:,} parameters a component"
    )
    if each >= 2 * dimension:
        return Finding("ok", "mixture", what)
    ways = [f"n_components={n // (2 * dimension)}"] * (n >= 2 * dimension)
    ways += [f"pca={int(each / 2)}"] * (each >= 4)
    ways += [f"{2 * dimension * components:,} real pictures", "the scorer 'knn'"]
    problem = "so few that the covariance has no inverse" if each <= dimension else "too few for a full covariance"
    level: Level = "bad" if each <= dimension else "warn"
    return Finding(level, "mixture", f"{what}; {problem}", f"one of: {', '.join(ways)}")


def _readable(side: Profile) -> list[Finding]:
    seen = len(side.looks) + len(side.unreadable)
    if not side.unreadable:
        return [] if seen else [Finding("bad", "unreadable", f"{side.name}: no pictures")]
    first = "; ".join(f"{name}: {reason}" for name, reason in side.unreadable[:NAMED])
    what = f"{side.name}: {len(side.unreadable)} of {seen} looked at cannot be read ({first})"
    return [Finding("warn" if side.looks else "bad", "unreadable", what, "remove or repair them; they get no score")]


def _strays(side: Profile) -> list[Finding]:
    """The few pictures of another size, format or colour than nearly all others of their set, by name.

    >>> from dataclasses import replace
    >>> import numpy as np
    >>> from giqa.images.profile import look_at
    >>> one = look_at("a.png", np.full((4, 4, 3), 9, np.uint8))
    >>> print(_strays(Profile("set", 20, (*[one] * 19, replace(one, id="b.png", width=8))))[0].what)
    set: 1 of 20 looked at is unlike the others in size, 4×4 (b.png: 8×4)
    """
    whats: list[tuple[str, Callable[[Look], Hashable]]] = [
        ("size", lambda look: f"{look.width}×{look.height}"),
        ("format", lambda look: look.format),
        ("colour", lambda look: "grey" if look.grey else "coloured"),
    ]
    found = []
    for what, of in whats:
        usual, often = next(iter(side.counts(of).items()), (None, 0))
        others = [look for look in side.looks if of(look) != usual]
        if others and often >= MOST_ALIKE * len(side.looks):
            named = ", ".join(f"{look.id}: {of(look)}" for look in others[:NAMED])
            more = ", ..." if len(others) > NAMED else ""
            how_many = f"{len(others)} of {len(side.looks)} looked at {'is' if len(others) == 1 else 'are'}"
            text = f"{side.name}: {how_many} unlike the others in {what}, {usual} ({named}{more})"
            found.append(Finding("note", "strays", text, "look whether they belong to the set"))
    return found


def _copies(reals: Profile, fakes: Profile) -> list[Finding]:
    real = {look.digest for look in reals.looks}
    share = fakes.share(lambda look: look.digest in real)
    if not share:
        return []
    what = f"{share:.0%} of the fakes looked at have exactly the pixels of a real"
    if share > 0.5:
        return [Finding("bad", "copies", what, "is the same folder given twice? A copy is not scored as generated")]
    return [Finding("warn", "copies", what, "copies look perfect; take them out, or report them as memorised")]


def _files(reals: Profile, fakes: Profile) -> list[Finding]:
    """What tells the files of the two sets apart, each with what to do about it."""
    topics = differences(reals, fakes)
    match = choose_match(reals, fakes)
    by_match = f'--match "{match.spec()}" when fitting and scoring' if match != Match() else ""
    if match.coding:
        by_match += "; it hides flaws finer than this coding, so pictures that were never coded are better still"
    both = f"reals: {reals.saved()}; fakes: {fakes.saved()}"
    found = []
    if "coding" in topics:
        a, b = (side.share(lambda look: look.coded) for side in (reals, fakes))
        what = f"saved differently ({both}); a score would see the coding before the quality"
        found.append(Finding("bad" if abs(a - b) >= 0.5 else "warn", "coding", what, by_match))
    elif {"quality", "sampling"} & set(topics):
        found.append(Finding("warn", "coding", f"coded at different quality ({both})", by_match))
    for side in (reals, fakes):
        past = side.share(lambda look: look.past is not None and look.quality is None)
        if past > 0.1:
            quality = side.median(lambda look: None if look.quality else look.past)
            what = f"{side.name}: {past:.0%} are no JPEG files, but their pixels once were JPEG (quality {quality:.0f})"
            found.append(Finding("note", "once JPEG", what, by_match or "nothing, as long as both sets share it"))
    if "size" in topics:
        a, b = (side.median(lambda look: look.shorter) for side in (reals, fakes))
        what = f"of different size (reals {reals.size()}, fakes {fakes.size()}); resizing leaves its own traces"
        found.append(Finding("bad" if max(a / b, b / a) >= 1.5 else "warn", "size", what, by_match))
    found += [_OTHER[topic](reals, fakes) for topic in topics if topic in _OTHER]
    found += [] if PROFILE in topics else _own_colours(reals) or _own_colours(fakes)
    found += _sharpness(reals, fakes, by_match)
    if not any(finding.level in ("warn", "bad") for finding in found):
        found.append(Finding("ok", "files", f"saved alike ({both}, {reals.size()})"))
    return found


def _sharpness(reals: Profile, fakes: Profile, by_match: str) -> list[Finding]:
    """Whether z would follow resolution or sharpness rather than quality."""
    real, fake = (Sharpness.of((k.shorter, k.sharpness, k.detail) for k in side.looks) for side in (reals, fakes))
    why = driven(real.record(), fake)
    return [Finding("warn", "sharpness", why, by_match)] if why else []


def _aspect(reals: Profile, fakes: Profile) -> Finding:
    a, b = (side.median(lambda look: look.width / look.height) for side in (reals, fakes))
    what = f"width to height is {a:.2f} in the reals and {b:.2f} in the fakes; extractors squeeze both to a square"
    return Finding("warn", "aspect", what, "crop both sets in the same way")


def _grey(reals: Profile, fakes: Profile) -> Finding:
    a, b = (side.share(lambda look: look.grey) for side in (reals, fakes))
    what = f"{a:.0%} of the reals and {b:.0%} of the fakes are grey"
    return Finding("warn", "grey", what, "leave the grey ones out, or make both sets grey")


def _alpha(reals: Profile, fakes: Profile) -> Finding:
    a, b = (side.share(lambda look: ALPHA in look.notes) for side in (reals, fakes))
    what = f"{a:.0%} of the reals and {b:.0%} of the fakes are transparent in part; that becomes white"
    return Finding("warn", "alpha", what, "put both sets on the same background")


def _detail(reals: Profile, fakes: Profile) -> Finding:
    a, b = (side.median(lambda look: look.detail) for side in (reals, fakes))
    less, low = ("reals", a) if a < b else ("fakes", b)
    what = f"the {less} have far less fine detail (finest octave over the next: reals {a:.2f}, fakes {b:.2f})"
    if low < SOFT:
        what += "; so little is usual after upscaling or blurring"
    remedy = f"if the {less} were upscaled, bring both sets to the size before it, with --match"
    return Finding("warn" if low < SOFT else "note", "detail", what, remedy)


_AS_THEY_ARE = "giqa reads the numbers in the file and applies no profile"
_TO_SRGB = "convert {} to sRGB, for example with Pillow: ImageCms.profileToProfile(picture, its profile, sRGB)"


def _colours(side: Profile) -> str:
    """
    >>> _colours(Profile("a", 0, ()))
    'none in another space than sRGB'
    """
    shares = [f"{n / len(side.looks):.0%} in {name}" for name, n in side.counts(lambda look: look.wide).items()]
    return ", ".join(shares) or "none in another space than sRGB"


def _profiles(reals: Profile, fakes: Profile) -> Finding:
    names = {look.wide for side in (reals, fakes) for look in side.looks} - {None}
    shares = [[side.share(lambda look, name=name: look.wide == name) for side in (reals, fakes)] for name in names]
    what = (
        f"colour profiles differ (reals: {_colours(reals)}; fakes: {_colours(fakes)}); {_AS_THEY_ARE}, so the same "
        "colours get other scores"
    )
    level: Level = "bad" if max(abs(a - b) for a, b in shares) >= 0.5 else "warn"
    return Finding(level, PROFILE, what, _TO_SRGB.format("both sets"))


def _own_colours(side: Profile) -> list[Finding]:
    """Where two sets do not differ: profiles mixed in one, or one that the extractors have not learned on."""
    share = side.share(lambda look: look.wide is not None)
    if share <= 0.05:
        return []
    if share < 0.95 or len(side.counts(lambda look: look.wide)) > 1:
        what = f"{side.name}: colour profiles are mixed ({_colours(side)}); {_AS_THEY_ARE}"
        return [Finding("warn", PROFILE, what, _TO_SRGB.format("all pictures"))]
    what = f"{side.name}: {_colours(side)}; {_AS_THEY_ARE}, so only sets in the same space can be compared with it"
    return [Finding("note", PROFILE, what, _TO_SRGB.format("all sets"))]


_OTHER = {"aspect": _aspect, "grey": _grey, "alpha": _alpha, "detail": _detail, PROFILE: _profiles}
