"""`giqa doctor`: what is wrong with this machine, and whether two sets of pictures can be compared."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import BadSpec, BadWeights, MissingWeights
from ..features import weights
from . import console
from .options import COUNT, JSON, SOURCES, check_writable, options

if TYPE_CHECKING:
    from ..images.comparable import Finding

Row = tuple[str, ...]  # level, topic, what, remedy: a `Finding`, whose module is too heavy for `giqa --help`
EXTRAS = {  # extra -> (module, what for)
    "torch": ("torch", "the Inception features and learned scorers"),
    "parquet": ("pyarrow", "Parquet tables, in and out"),
}
SLOW_PRODUCTS = "nothing for the scores; for speed, a NumPy built with OpenBLAS (`pip install --force-reinstall numpy`)"


@click.command(epilog=SOURCES)
@click.argument("reals", required=False)
@click.argument("fakes", required=False)
@click.option("--dimension", type=COUNT, help="Features a picture, to judge whether the reals are enough.")
@click.option("--components", type=COUNT, help="Components of the mixture, likewise.")
@click.option("--deep", is_flag=True, help="Also import what is installed.")
@click.option("--measure", is_flag=True, help="Instead, measure what a picture costs here, for `giqa plan`.")
@click.option("-o", "--out", type=JSON, help="With --measure: the .json file; default: one in GIQA_HOME.")
@options("extractor", "scorer")
def doctor(
    reals: str | None, fakes: str | None, dimension: int | None, components: int | None, deep: bool, **asked: Any
) -> None:
    """Say what is installed, and whether REALS and FAKES can be compared.

    Pictures saved differently (size, format, JPEG quality, resizing, colour profile) score differently whatever they
    show. The remedy, `--match` or a conversion to sRGB, is spelled out. Exit status: 1 when something is bad, else 0.
    """
    from ..images import open_source
    from ..images.comparable import comparable
    from ..images.profile import profile

    if asked.pop("measure"):
        if reals:
            raise BadSpec("--measure draws its own pictures; leave REALS and FAKES.")
        _measure(**asked)
        return
    if given := next((name for name, value in asked.items() if value is not None), None):
        raise BadSpec(f"--{given} goes with --measure; give that too.")
    found = environment(deep)
    if reals:
        with console.plain_warnings():
            sets = [profile(open_source(where)) for where in (reals, fakes) if where]
        trouble = [f for f in found if f.level in ("warn", "bad")]  # what is well installed is not the question here
        found = comparable(*sets, dimension=dimension, n_components=components) + trouble
    rows, given = [], set()
    for f in found:
        rows.append((f.level, f.topic, f.what + (f" -> {f.remedy}" if f.remedy and f.remedy not in given else "")))
        given.add(f.remedy)
    console.table("", ("", "topic", "finding"), rows)
    if any(f.level == "bad" for f in found):
        raise click.exceptions.Exit(1)


def _measure(out: Path | None, **how: Any) -> None:
    """Write the constants of this machine, and show them."""
    from ..runners.constants import constants_file, measure_machine

    out = out or constants_file()
    check_writable(out)
    found = measure_machine(**how)
    found.write(out)
    steps = {**{f"read {name}": step for name, step in found.decoding.items()}, "features": found.features}
    rows = [
        (name, *(f"{1 / (each + mp * side**2 / 1e6):,.0f}" for side in (64, 512))) for name, (each, mp) in steps.items()
    ]
    rows.append(("score", *2 * (f"{1 / found.scoring:,.0f}",)))
    console.table(found.says(), ("pictures/s of one core", "64 px", "512 px"), rows)
    console.say(f"{found.stored} bytes a picture in the store; a run starts in {found.start:.1f} s")
    console.finish(False, out, then="giqa plan fakes/ --nodes 4 --cores 32")


def environment(deep: bool = False) -> list[Finding]:
    """Python, dependencies, extras, machine, home, weights; `deep` also imports the extras and reads the weights."""
    from ..images.comparable import Finding

    version = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info < (3, 11)
    python = ("bad" if old else "ok", "python", f"Python {version}", "giqa needs 3.11 or later" if old else "")
    extras = [_extra(extra, module, purpose, deep) for extra, (module, purpose) in EXTRAS.items()]
    rows = [python, *_packages(), *extras, _machine(), _products(), _compiled(), _home(), *_weights(deep)]
    return [Finding(*row) for row in rows]


def _packages() -> Iterator[Row]:
    """giqa and its core dependencies, as its own metadata lists them."""
    try:
        yield "ok", "giqa", f"giqa {metadata.version('giqa')}"
        needs = metadata.requires("giqa") or []
    except metadata.PackageNotFoundError:
        yield "bad", "giqa", "giqa runs from a folder and is not installed", "pip install giqa"
        return
    for need in needs:
        match = re.match(r"([\w.-]+)\s*(?:>=([\d.]+))?[^;]*$", need)
        if not match:  # "; extra == ..."
            continue
        name, least = match.groups()
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield "bad", name, f"{name} is not installed", f'pip install "{need}"'
            continue
        if least and _number(version) < _number(least):
            yield "bad", name, f"{name} {version}, older than {least}", f'pip install --upgrade "{need}"'
        else:
            yield "ok", name, f"{name} {version}"


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+")[0])[:3])


def _extra(extra: str, module: str, purpose: str, deep: bool) -> Row:
    install = f"pip install 'giqa[{extra}]'"
    if find_spec(module) is None:
        return "note", extra, f"{module} is not installed; {purpose} need it", install
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
            return "bad", extra, what, f"pip install --force-reinstall {module}"
        if module == "torch":
            device = f", {'CUDA ' + made.version.cuda if made.cuda.is_available() else 'on the CPU'}"
    return "ok", extra, f"{module} {version}{device}"


def _machine() -> Row:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = _memory()
    what = f"{cores} core{'s' * (cores > 1)}, " + (f"{memory / 2**30:.1f} GB of memory" if memory else "memory unknown")
    if memory and memory < 2 * 2**30:
        return "warn", "machine", what, "with under 2 GB, prefer small pictures and the extractor 'statistics'"
    return "ok", "machine", what


def _products() -> Row:
    """Whether this machine's BLAS gives a picture the same bits in any batch, and what is done where not."""
    from ..scorers.products import check_products

    found = check_products()
    slow = any(n < found.tiles for n in found.steady.values())
    return "note" if slow else "ok", "same bits", str(found), SLOW_PRODUCTS if slow else ""


def _compiled() -> Row:
    """Whether pixel statistics are compiled, which changes no score."""
    from ..features import compiled

    if compiled.library() is None:
        what = "pixel statistics run in NumPy: the same scores, at about two thirds of the speed"
        return "note", "compiled", what, "to be faster, install giqa again where there is a C compiler (`cc`)"
    return "ok", "compiled", "pixel statistics are compiled"


def _memory() -> int | None:
    """Bytes that this process may use: the machine's, or the container's if that is less."""
    try:
        limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    except (AttributeError, ValueError, OSError):  # Windows
        return None
    for place in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # not there, or "max"
            limits.append(int(Path(place).read_text()))
    return min(limits)


def _home() -> Row:
    """The folder of features and weights: whether it can be written, and its space."""
    folder = weights.home()
    there = next((place for place in (folder, *folder.parents) if place.is_dir()), None)
    move = "set GIQA_HOME to a folder that you can write to"
    if there is None:
        return "bad", "home", f"{folder} is on a disk that is not here", move
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        return "bad", "home", f"cannot write to {there}: {error.strerror or error}", move
    free = shutil.disk_usage(there).free
    what = f"{folder}{'' if there == folder else ' (not made yet)'}, {free / 2**30:.1f} GB free"
    if free < 2**30:
        return "warn", "home", what, f"free some space, run `giqa cache`, or {move}"
    return "ok", "home", what


def _weights(deep: bool) -> Iterator[Row]:
    """Which networks are here; `deep` also reads them and compares digests."""
    try:
        for entry in weights.listing():
            if not entry.present and entry.name in weights.KNOWN:
                pull = f"giqa weights pull {entry.name}"
                yield "note", "weights", f"{entry.name} is not here ({entry.what})", pull
                continue
            if deep or not entry.present:
                entry.check(again=True)
            yield "ok", "weights", f"{entry.name}, {entry.bytes / 1e6:.0f} MB" + (", digest right" if deep else "")
    except (BadWeights, MissingWeights) as error:
        yield "bad", "weights", str(error), "giqa weights verify"
