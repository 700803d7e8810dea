"""What is wrong, or will be: with this machine (`environment`) and with two sets of pictures (`sets`).

Pure functions that return findings; the command line prints them.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from ..errors import BadWeights, MissingWeights
from ..features import weights
from ..images.match import Match, choose_match
from ..images.profile import ALPHA, PROFILE, Profile, differences
from ..images.sharpness import Sharpness, driven
from ..images.traces import SOFT
from ..scorers.products import check_products

Level = Literal["ok", "note", "warn", "bad"]
EXTRAS = {  # extra -> (module, what for)
    "torch": ("torch", "the Inception features and learned scorers"),
    "parquet": ("pyarrow", "Parquet tables, in and out"),
}
SLOW_PRODUCTS = "nothing for the scores; for speed, a NumPy built with OpenBLAS (`pip install --force-reinstall numpy`)"


@dataclass(frozen=True)
class Finding:
    """One thing the doctor saw: how bad, about what, what it is, and what to do about it."""

    level: Level
    topic: str
    what: str
    remedy: str = ""


def environment(deep: bool = False) -> list[Finding]:
    """Python, dependencies, extras, machine, home, weights; `deep` also imports the extras and reads the weights."""
    version = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info < (3, 11)
    python = Finding("bad" if old else "ok", "python", f"Python {version}", "giqa needs 3.11 or later" if old else "")
    extras = [_extra(extra, module, purpose, deep) for extra, (module, purpose) in EXTRAS.items()]
    return [python, *_packages(), *extras, _machine(), _products(), _home(), *_weights(deep)]


def _packages() -> list[Finding]:
    """giqa and its core dependencies, as its own metadata lists them."""
    try:
        found = [Finding("ok", "giqa", f"giqa {metadata.version('giqa')}")]
        needs = metadata.requires("giqa") or []
    except metadata.PackageNotFoundError:
        return [Finding("bad", "giqa", "giqa runs from a folder and is not installed", "pip install giqa")]
    for need in needs:
        match = re.match(r"([\w.-]+)\s*(?:>=([\d.]+))?[^;]*$", need)
        if not match:  # "; extra == ..."
            continue
        name, least = match.groups()
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            found.append(Finding("bad", name, f"{name} is not installed", f'pip install "{need}"'))
            continue
        old = bool(least) and _number(version) < _number(least)
        what = f"{name} {version}" + (f", older than {least}" if old else "")
        found.append(Finding("bad" if old else "ok", name, what, f'pip install --upgrade "{need}"' if old else ""))
    return found


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+")[0])[:3])


def _extra(extra: str, module: str, purpose: str, deep: bool) -> Finding:
    install = f'pip install "giqa[{extra}]"'
    if find_spec(module) is None:
        return Finding("note", extra, f"{module} is not installed; {purpose} need it", install)
    try:
        version = metadata.version(module)
    except metadata.PackageNotFoundError:
        version = "of unknown version"
    device = ""
    if deep:
        try:
            made = import_module(module)
        except Exception as error:  # whatever a broken install raises is the finding
            what = f"{module} {version} is installed and does not import: {type(error).__name__}: {error}"
            return Finding("bad", extra, what, f"pip install --force-reinstall {module}")
        if module == "torch":
            device = f", {'CUDA ' + made.version.cuda if made.cuda.is_available() else 'on the CPU'}"
    return Finding("ok", extra, f"{module} {version}{device}")


def _machine() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = _memory()
    what = f"{cores} core{'s' * (cores > 1)}, " + (f"{memory / 2**30:.1f} GB of memory" if memory else "memory unknown")
    if memory and memory < 2 * 2**30:
        return Finding("warn", "machine", what, "with under 2 GB, prefer small pictures and the extractor 'statistics'")
    return Finding("ok", "machine", what)


def _products() -> Finding:
    """Whether this machine's BLAS gives a picture the same bits alone and in company, and what is done where not."""
    found = check_products()
    slow = any(n < found.tiles for n in found.steady.values())
    return Finding("note" if slow else "ok", "same bits", str(found), SLOW_PRODUCTS if slow else "")


def _memory() -> int | None:
    """Bytes that this process may use: the machine's, or the container's if that is less."""
    try:
        limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    except (AttributeError, ValueError, OSError):  # Windows
        return None
    for place in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            limits.append(int(Path(place).read_text()))
        except (OSError, ValueError):  # not there, or "max"
            continue
    return min(limits)


def _home() -> Finding:
    """The folder of features and weights: whether it can be written, and its space."""
    folder = weights.home()
    there = next((place for place in (folder, *folder.parents) if place.is_dir()), None)
    move = "set GIQA_HOME to a folder that you can write to"
    if there is None:
        return Finding("bad", "home", f"{folder} is on a disk that is not here", move)
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        return Finding("bad", "home", f"cannot write to {there}: {error.strerror or error}", move)
    free = shutil.disk_usage(there).free
    what = f"{folder}{'' if there == folder else ' (not made yet)'}, {free / 2**30:.1f} GB free"
    if free < 2**30:
        return Finding("warn", "home", what, f"free some space, run `giqa cache`, or {move}")
    return Finding("ok", "home", what)


def _weights(deep: bool) -> list[Finding]:
    """Which networks are here; `deep` also reads them and compares digests."""
    found = []
    try:
        for entry in weights.listing():
            if not entry.present and entry.name in weights.KNOWN:
                pull = f"giqa weights pull {entry.name}"
                found.append(Finding("note", "weights", f"{entry.name} is not here ({entry.what})", pull))
                continue
            if deep or not entry.present:
                entry.check(again=True)
            what = f"{entry.name}, {entry.bytes / 1e6:.0f} MB" + (", digest right" if deep else "")
            found.append(Finding("ok", "weights", what))
    except (BadWeights, MissingWeights) as error:
        found.append(Finding("bad", "weights", str(error), "giqa weights verify"))
    return found


def sets(
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
        found += _readable(side) if side else []
    if not fakes or not reals.looks or not fakes.looks:
        found += [Finding("ok", "files", f"{reals.name}: {reals.saved()}")] * bool(reals.looks)
        return found + _own_colours(reals)
    n_fake = fakes.n if n_fake is None else n_fake
    if n_fake < 30:
        what = f"{n_fake} generated pictures: each is scored as well as among many; their mean is uncertain"
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
    first = "; ".join(f"{name}: {reason}" for name, reason in side.unreadable[:5])
    what = f"{side.name}: {len(side.unreadable)} of {seen} looked at cannot be read ({first})"
    return [Finding("warn" if side.looks else "bad", "unreadable", what, "remove or repair them; they get no score")]


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
