"""Which iteration of a training run a picture is of: from a column of a table, or from names as tools write them.

The one place where iterations are read; where it is not clear what they are, nothing is guessed.
"""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import BadSource, BadSpec
from ..tables import cells
from ..types import columns_of
from .listing import is_picture

COLUMNS = ("iteration", "iter", "global_step", "step", "kimg", "epoch")
# words next to a number that make it an iteration, the finest count first
FAMILIES = {
    "step": ("step", "steps", "globalstep", "gs", "iter", "iters", "iteration", "iterations", "it", "its", "itr"),
    "kimg": ("kimg", "kimgs", "tick", "ticks"),
    "checkpoint": ("checkpoint", "checkpoints", "ckpt", "ckpts", "snapshot", "snapshots", "fakes", "milestone"),
    "epoch": ("epoch", "epochs", "ep"),
}
_FAMILY = {word: family for family, words in FAMILIES.items() for word in words}
# "denoising step 10" is a step within one picture
_OTHER_STEPS = {"denoise", "denoising", "diffusion", "ddim", "ddpm", "sampling", "sampler", "inference", "noise"}
_OTHER_STEPS |= {"solver", "euler", "heun", "lms", "plms", "pndm", "dpm", "dpmpp", "unipc", "lcm"}
# plain numbers below these are no iterations
_CONTENT = {"class", "classes", "label", "labels", "prompt", "prompts", "seed", "seeds", "rank", "ranks", "subject"}
_CONTENT |= {"subjects", "concept", "concepts", "sample", "fold", "folds", "person", "persons"}
_RUNS = {"run", "trial", "exp", "experiment"}
_DIGITS = r"[1-9]\d{0,2}(?:,\d{3})+(?!\d)|[1-9]\d{0,2}(?:_\d{3})+(?![_\d])|\d+"
_NUMBER = rf"(?:{_DIGITS})(?:\.\d+)?(?:[eE]\+?\d{{1,2}}(?![A-Za-z0-9]))?(?:[kKmM](?=steps?|iters?|[^A-Za-z0-9]|$))?"
_TOKENS = re.compile(rf"(?P<number>(?<![\d.]){_NUMBER})|(?P<word>[A-Za-z]+)|(?P<gap>[-_=. :#]+)|.", re.DOTALL)
_UNITS = {"k": 3, "m": 6}
_SHORT = re.compile(r"0|[1-9]\d{0,2}")  # behind these may stand thousands, as in 1 000, or decimals, as in 1_5k
_BEHIND_SHORT = re.compile(r"['’ \u00a0\u202f]\d{3}(?!\d)|[_-]\d+[kKmM](?![A-Za-z0-9])")


def number(text: str) -> float | None:
    """A count as people write it; None for anything else.

    >>> [number(text) for text in ("000200", "1e3", "2.5k", "10M", "1_000", "1,000", "last", "nan", "-1")]
    [200.0, 1000.0, 2500.0, 10000000.0, 1000.0, 1000.0, None, None, None]
    """
    text = text.strip()
    if len(text) > 30 or not re.fullmatch(_NUMBER, text):
        return None
    power = _UNITS.get(text[-1].lower(), 0)
    digits = (text[:-1] if power else text).replace(",", "").replace("_", "")
    return float(Decimal(digits).scaleb(power))  # exact: 1.005k is 1005


def iteration_column(columns: Iterable[str]) -> str | None:
    """The column of a table that says the iteration; of several the finest, and the others are named in a warning."""
    known = {re.sub(r"[\s-]+", "_", name.strip().lower()): name for name in columns}
    found = [known[name] for name in COLUMNS if name in known]
    if len(found) > 1:
        warnings.warn(f"iterations are those of the column {found[0]}, not {' or '.join(found[1:])}", stacklevel=1)
    return found[0] if found else None


def iterations_of(source: Any, pattern: str | None = None) -> dict[str, float]:
    """The iteration of each id that has one.

    Parameters
    ----------
    source : Source
        Of a training run.
    pattern : str or None
        Where the number stands in a path, such as "step_{}" or "{}/samples" (`*` is anything within a name). None: of a
        table, a column of `COLUMNS`; of names, the number next to a word of `FAMILIES` in the name of a folder, else of
        a file; else the only folders that are plain numbers.

    Returns
    -------
    dict of str to float

    Raises
    ------
    BadSource
        Where it is not clear, with what could be meant.
    BadSpec
        For a pattern that fits nothing, and a cell that is no number.
    """
    columns = columns_of(source)
    if pattern is not None:
        return _by_pattern(source, pattern)
    column = iteration_column(columns)
    return _by_column(source, columns, column) if column else _by_names(source)


def _by_column(source: Any, columns: Mapping[str, Sequence[str]], column: str) -> dict[str, float]:
    kinds = columns.get("kind", [""] * len(source.ids))
    found: dict[str, float] = {}
    empty = 0
    for name, text, kind in zip(source.ids, columns[column], kinds, strict=True):
        if kind.strip().lower() == "real":
            continue
        if cells.nothing(text):
            empty += 1
            continue
        value = number(text)
        if value is None:
            raise BadSpec(f"The column {column} of {source.name} has {text!r}, which is no number (row {name!r}).")
        found[name] = value
    if odd := _of_thousands(columns[column][row] for row, name in enumerate(source.ids) if name in found):
        raise BadSpec(
            f"The column {column} of {source.name} has {odd!r} and whole numbers: write {odd} without a point if it "
            "means thousands, else all with decimals."
        )
    if empty:
        warnings.warn(f"{source.name}: left out, since {column} is empty: {empty} rows", stacklevel=1)
    if "run" in columns:
        runs = {run for name, run in zip(source.ids, columns["run"], strict=True) if name in found}
        if len(runs) > 1:
            named = ", ".join(map(repr, sorted(runs)[:5]))
            table = source.name.split("[")[0]
            raise BadSource(
                f"{source.name} has {len(runs)} runs ({named}), whose iterations are not one line; track each by "
                f"itself, such as '{table}[run={min(runs)}]'."
            )
    if coarse := next((name for name in columns if name != column and name.strip().lower() == "epoch"), None):
        epochs = {name: number(text) for name, text in zip(source.ids, columns[coarse], strict=True)}
        if at := _begins_again(found, {name: epoch for name, epoch in epochs.items() if epoch is not None}):
            raise BadSource(
                f"{source.name}: {column} {at} begins again in each {coarse}, so that it is no line of iterations. "
                "Write a column iteration that counts through the whole run."
            )
    return found


def _of_thousands(texts: Iterable[str], whole: bool = False) -> str:
    """A number that may have a point for thousands, as 1.500 next to 900, or where all are `whole` numbers."""
    texts = sorted(texts)
    grouped = next((text for text in texts if re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", text.strip())), "")
    return grouped if whole or any(re.fullmatch(r"\d+", text.strip()) for text in texts) else ""


def _begins_again(fine: Mapping[str, float], coarse: Mapping[str, float]) -> str:
    """Where an earlier epoch has a later step, in words; nothing where the two counts agree."""
    known = sorted((fine[name], coarse[name]) for name in fine.keys() & coarse.keys())
    last, at = float("-inf"), 0.0
    for step, pairs in itertools.groupby(known, key=lambda pair: pair[0]):
        epochs = [epoch for _, epoch in pairs]
        if epochs[0] < last:
            return f"(such as {at:.12g} in {last:.12g} and {step:.12g} in {epochs[0]:.12g})"
        if epochs[-1] > last:
            last, at = epochs[-1], step
    return ""


class _Mark(NamedTuple):
    """A number in a path."""

    word: str  # next to it, in lower case; "" for none
    family: str | None  # of `FAMILIES`
    value: float
    text: str
    words: str  # the number with its word
    pattern: str  # for `iterations_of`
    whole: bool  # whether it is the whole name of a folder
    place: str = ""  # "folder" or "file"
    level: int = 0
    until: str = ""  # the path up to its folder; of a file: the folder, the word and the number


def _marks(name: str) -> list[_Mark]:
    """Every number in a path, outermost folder first."""
    *folders, file = name.split("/")
    stem = file[: file.rindex(".")] if is_picture(file) else file
    found = []
    for level, part in enumerate(folders):
        for n in _numbers(part):
            word, family = n.word, n.family
            if n.whole and level and folders[level - 1].isalpha():  # "steps/1000"
                word = folders[level - 1].lower()
                family = _FAMILY.get(word)
            pattern = n.pattern + "/*" * (len(folders) - level) * n.whole
            where = {"place": "folder", "level": level, "until": "/".join(folders[: level + 1])}
            found.append(n._replace(word=word, family=family, pattern=pattern, **where))
    for n in _numbers(stem):
        pattern = n.pattern + file[len(stem) :] if n.pattern.endswith("{}") and not n.word else n.pattern
        where = {"place": "file", "level": len(folders), "until": "/".join([*folders, n.words])}
        found.append(n._replace(pattern=pattern, whole=False, **where))
    return found


@lru_cache(1 << 16)  # names of folders and files repeat themselves
def _numbers(part: str) -> tuple[_Mark, ...]:
    tokens = [(m.lastgroup or "", m[0]) for m in _TOKENS.finditer(part)]
    solid = [i for i, (kind, _) in enumerate(tokens) if kind != "gap"]
    found = []
    for at, i in enumerate(solid):
        if tokens[i][0] != "number":
            continue
        first, last = _with_word(tokens, solid, at)
        before, after = ("".join(text for _, text in tokens[a:b]) for a, b in ((first, i), (i + 1, last + 1)))
        word = tokens[first if first < i else last][1].lower() if first < last else ""
        ahead = at - 2 if first < i else at - 1  # the word before "step" and its number, or before "20 steps"
        if word in ("step", "steps") and ahead >= 0 and (earlier := tokens[solid[ahead]][1].lower()) in _OTHER_STEPS:
            word = f"{earlier} {word}"
        text, pattern = tokens[i][1], f"{before}{{}}{after}"
        if not word:  # what is around it, as far as it shows which number is meant
            lead = f"*{tokens[i - 1][1] * (tokens[i - 1][0] == 'gap')}" if i else ""
            trail = f"{tokens[i + 1][1] * (tokens[i + 1][0] == 'gap')}*" if i + 1 < len(tokens) else ""
            pattern = lead + pattern + trail
        value, family = number(text) or 0.0, None if _in_doubt(tokens, i) else _FAMILY.get(word)
        found.append(_Mark(word, family, value, text, before + text + after, pattern, len(tokens) == 1))
    return tuple(found)


def _in_doubt(tokens: Sequence[tuple[str, str]], at: int) -> bool:
    """Whether a number may be another one than it looks: -1, part of 1a2b, 3B or 1.234.567, or the 1 of 1_5k."""
    kind, text = tokens[at + 1] if at + 1 < len(tokens) else ("", "")
    glued = kind == "word" and text.lower() not in {"ema", *_FAMILY, *_OTHER_STEPS}
    cut = _is_cut(tokens[at][1], "".join(text for _, text in tokens[at + 1 : at + 12]))
    return glued or cut or (at > 0 and bool(re.search("[_=:#]-$", tokens[at - 1][1])))


def _is_cut(text: str, rest: str) -> bool:
    """Whether a number may be but the beginning of one: 1.234.567 and 1 000 as people group it, 1_5k for 1.5k."""
    return bool(re.match(r"\.\d", rest) or (_SHORT.fullmatch(text) and _BEHIND_SHORT.match(rest)))


def _with_word(tokens: Sequence[tuple[str, str]], solid: Sequence[int], at: int) -> tuple[int, int]:
    """From where to where a number and the word that says what it counts reach: the word before, or a known one behind.

    A word between two numbers belongs to the second, as in "3_step_200", or to the one that it touches: "200steps_3".
    """

    def touches_first(word: int) -> bool:
        """Whether a word, by its place in `solid`, touches the number before it alone."""
        apart = word + 1 == len(solid) or solid[word + 1] > solid[word] + 1
        return tokens[solid[word] - 1][0] == "number" and tokens[solid[word]][1].lower() in _FAMILY and apart

    place = solid[at]
    before = solid[at - 1] if at and tokens[solid[at - 1]][0] == "word" else place
    before = place if before < place and at > 1 and touches_first(at - 1) else before
    after = solid[at + 1] if at + 1 < len(solid) else place
    of_next = at + 2 < len(solid) and tokens[solid[at + 2]][0] == "number" and not touches_first(at + 1)
    if tokens[before][1].lower() not in _FAMILY and tokens[after][1].lower() in _FAMILY and not of_next:
        return place, after
    return before, place


def _by_names(source: Any) -> dict[str, float]:
    if (table := Path(source.name) / "snapshots.csv").is_file():
        raise BadSource(f"{source.name} has a table that says which picture is of when; give {table}.")
    marks = {name: _marks(name) for name in source.ids}
    for place in ("folder", "file"):
        for family in FAMILIES:
            found = _one_each(marks, lambda mark: mark.place == place and mark.family == family)  # noqa: B023
            if found is None:
                raise _unclear(source, marks, f"there are several numbers next to words for a {family}")
            if len({mark.value for mark in found.values()}) > 1:
                return _checked(source, marks, found, family)
    found = _one_each(marks, lambda mark: mark.whole and mark.word not in _CONTENT)
    if found is None:
        raise _unclear(source, marks, "folders within folders are numbers")
    if len({mark.value for mark in found.values()}) > 1:
        if _goes_on(found):
            raise _unclear(source, marks, "files are numbered on from folder to folder, as in one set laid in parts")
        return _checked(source, marks, found, "")
    alone = {m.until for ms in marks.values() for m in ms if m.place == "folder" and m.family}
    if len(alone) == 1:
        raise BadSource(f"{source.name} has pictures of 1 iterations ({alone.pop()}); at least two are needed.")
    raise _unclear(source, marks, "no number stands next to a word such as step, iter, kimg, checkpoint or epoch")


def _one_each(marks: Mapping[str, list[_Mark]], wanted: Callable[[_Mark], bool]) -> dict[str, _Mark] | None:
    """The wanted mark of each id that has one; where some have several, those that never change do not count.

    None where several are left that differ.
    """
    marks = {name: [mark for mark in ms if wanted(mark)] for name, ms in marks.items()}
    if any(len(ms) > 1 for ms in marks.values()):
        values: dict[tuple[str, int], set[float]] = {}
        for mark in itertools.chain(*marks.values()):
            values.setdefault((mark.word, mark.level), set()).add(mark.value)
        marks = {name: [m for m in ms if len(values[m.word, m.level]) > 1] for name, ms in marks.items()}
    if any(len({m.value for m in ms}) > 1 for ms in marks.values()):
        return None
    return {name: ms[-1] for name, ms in marks.items() if ms}


def _checked(
    source: Any, marks: Mapping[str, list[_Mark]], found: Mapping[str, _Mark], family: str
) -> dict[str, float]:
    """The iterations, where each is of one folder and nothing else could be meant; what is left out is said."""
    _refuse_several_runs(source, marks, found)
    grouped = [mark for mark in found.values() if "_" in mark.text]
    if any(not mark.text.endswith("0") for mark in grouped):
        raise _unclear(source, marks, "1_001 may be 1001, or 1 and 001")
    if grouped and not any(mark.text.endswith("_000") and mark.place == "folder" for mark in grouped):
        raise _unclear(source, marks, f"{grouped[0].text} may be one number, or two")
    if odd := _of_thousands((mark.text for mark in found.values()), family == "step"):
        raise _unclear(source, marks, f"{odd} may have a point for thousands")
    parts = [m.text for m in found.values() if m.place == "file" and family in ("step", "checkpoint") and m.value % 1]
    if parts:
        raise _unclear(source, marks, f"{parts[0]} may be an iteration and the number of a picture")
    left = [name for name in source.ids if name not in found]
    cut = [name for name in left for m in marks[name] if _is_cut(m.text, name.partition(m.words)[2])]
    if cut:
        raise _unclear(source, marks, f"{cut[0]!r} has a number that may be read in several ways")
    if any(mark.family for name in left for mark in marks[name] if mark.place == "folder"):
        raise _unclear(source, marks, f"some names have a {family or 'plain number'}, and some another word")
    values: dict[tuple[str, str], set[float]] = {}
    for mark in itertools.chain(*(marks[name] for name in found)):
        values.setdefault((mark.place, mark.family or ""), set()).add(mark.value)
    others = [other for other in FAMILIES if other != family and len(values.get(("folder", other), ())) > 1]
    order = list(FAMILIES)
    finer = order[: order.index(family)] if family else []
    in_files = any(len(values.get(("file", other), ())) > 1 for other in finer)
    if in_files and next(iter(found.values())).place == "folder":
        raise _unclear(source, marks, f"folders are named by {family}, files in them by a finer count")
    if family and "epoch" in order[order.index(family) + 1 :]:  # other words may number the pictures
        coarse = {name: of[0].value for name in found if (of := [m for m in marks[name] if m.family == "epoch"])}
        if at := _begins_again({name: mark.value for name, mark in found.items()}, coarse):
            raise _unclear(source, marks, f"the {family} {at} begins again in each epoch")
    if left:
        warnings.warn(f"left out, since they name no iteration: {len(left)} (such as {left[0]!r})", stacklevel=1)
    if others:
        warnings.warn(f"iterations are those next to {family}, not {' or '.join(others)}", stacklevel=1)
    if not family:
        some = ", ".join(sorted({mark.until for mark in found.values()})[:3])
        warnings.warn(f"iterations are the folders that are numbers ({some}, ...)", stacklevel=1)
    return {name: mark.value for name, mark in found.items()}


def _refuse_several_runs(source: Any, marks: Mapping[str, list[_Mark]], found: Mapping[str, _Mark]) -> None:
    """Two folders of one iteration, or folders of iterations in several folders, may be several runs."""
    until: dict[float, set[str]] = {}
    for mark in found.values():
        until.setdefault(mark.value, set()).add(mark.until)
    above = {}
    for name, mark in found.items():
        of_run = tuple(other.words for other in marks[name] if other.word in _RUNS and other.place == mark.place)
        above[_above(mark, marks[name]), of_run] = mark.until
    value, several = next(((v, places) for v, places in until.items() if len(places) > 1), (None, set()))
    if several:
        what = f"iteration {value:.12g} is in {len(several)} places ({', '.join(map(repr, sorted(several)[:4]))})"
    elif len(above) > 1:
        runs = sorted({word for _, of in above for word in of})
        which, some = ("runs", runs) if runs else ("folders", list(above.values()))
        what = f"iterations lie in {len(above)} {which} (such as {', '.join(map(repr, some[:2]))})"
    else:
        return
    raise BadSource(
        f"{source.name}: {what}. If these are several runs, track each by itself; if they are one, "
        f"--iteration '{next(iter(found.values())).pattern}' takes them together."
    )


def _above(mark: _Mark, marks: Sequence[_Mark]) -> str:
    """The folder that holds the folders of the checkpoints, without counts: steps may lie in folders by epoch."""
    parts = mark.until.split("/")[:-1]
    for other in marks:
        if other.level < len(parts) and other.family:
            parts[other.level] = other.word
    return "/".join(parts)


def _goes_on(found: Mapping[str, _Mark]) -> bool:
    """Whether files of several a folder are numbered on through the folders: 000/0.png ... 001/1000.png ..."""
    spans: dict[float, list[float]] = {}
    for name, mark in found.items():
        numbers = [m.value for m in _marks(name) if m.place == "file"]
        if not numbers:
            return False
        spans.setdefault(mark.value, []).append(numbers[-1])
    ordered = [spans[value] for value in sorted(spans)]
    if min(map(len, ordered[:-1])) < 2:
        return False
    return all(max(one) < min(other) for one, other in itertools.pairwise(ordered))


def _unclear(source: Any, marks: Mapping[str, list[_Mark]], why: str) -> BadSource:
    """The refusal: which numbers there are, and the option that chooses."""
    choices: dict[str, dict[float, str]] = {}
    every = [(mark, name) for name, ms in marks.items() for mark in ms]
    for mark, name in sorted(every, key=lambda one: one[0].place == "file"):  # folders first
        choices.setdefault(mark.pattern, {}).setdefault(mark.value, name)
    choices = {pattern: values for pattern, values in choices.items() if len(values) > 1}
    shown = "; ".join(
        f"--iteration '{pattern}' ({', '.join(f'{v:.12g}' for v in sorted(values)[:3])}{', ...' * (len(values) > 3)}: "
        f"{next(iter(values.values()))})"
        for pattern, values in list(choices.items())[:6]
    )
    return BadSource(
        f"{source.name} does not say which picture is of which iteration: {why}. "
        + (f"Numbers in the names: {shown}. " if shown else "No number changes from name to name. ")
        + "Choose with --iteration, name folders such as iter_002000/, or give a table with the columns image and "
        "iteration."
    )


def _by_pattern(source: Any, pattern: str) -> dict[str, float]:
    left, braces, right = pattern.partition("{}") if isinstance(pattern, str) else ("", "", "")
    if not braces or "{}" in right:
        raise BadSpec(f"--iteration says with {{}} where the number stands, as in 'step_{{}}'; got {pattern!r}.")

    def literal(text: str) -> str:
        return "[^/]*".join(map(re.escape, text.split("*")))

    start = r"(?<![^/])" if not left else r"(?<![A-Za-z0-9])" if left[0].isalnum() else ""
    end = r"(?=/)" if not left and not right else r"(?![A-Za-z0-9])" if not right or right[-1].isalnum() else ""
    end = r"(?![^/])" if right.endswith("*") else end
    # looked ahead, since one fit may begin within another: "{}/*" in "1000/0/a.png"
    rule = re.compile(rf"{start}(?={literal(left)}(?P<number>(?<![\d.]){_NUMBER}){literal(right)}{end})")
    found, until = {}, {}
    for name in source.ids:
        hits = [hit for hit in rule.finditer(name) if right or not _is_cut(hit["number"], name[hit.end("number") :])]
        hits = [hit for hit in hits if "/" in name[hit.end("number") :]] or hits  # folders first
        if hits:
            value = number(hits[-1]["number"])
            found[name] = value
            rest = name.find("/", hits[-1].end("number"))
            until.setdefault(value, set()).add(name[:rest] if rest >= 0 else name[: hits[-1].end("number")])
    if not found:
        raise BadSpec(f"--iteration {pattern!r} fits no name of {source.name}, such as {source.ids[0]!r}.")
    together = {value: sorted(places) for value, places in until.items() if len(places) > 1}
    if together:
        value, places = next(iter(together.items()))
        text = f"iteration {value:.12g} is taken from {len(places)} places ({', '.join(map(repr, places[:3]))})"
        more = f", and {len(together) - 1} others likewise" if len(together) > 1 else ""
        warnings.warn(text + more, stacklevel=1)
    if left := [name for name in source.ids if name not in found]:
        warnings.warn(f"left out, since {pattern!r} does not fit: {len(left)} (such as {left[0]!r})", stacklevel=1)
    return found
