"""How things are shown in a terminal: progress, tables, warnings. Results go to stdout, all else to stderr."""

from __future__ import annotations

import json
import os
import shutil
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NARROW = 100  # a terminal with fewer columns than this
SHOWN = 10  # best and worst pictures in the terminal
STEERING = {  # what moves a cursor, colours or turns text around: a name of a file may hold it
    code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
STEERING_LINES = {code: shown for code, shown in STEERING.items() if chr(code) not in "\n\t"}


def inert(text: str) -> str:
    r"""The text, with what would steer a terminal written out; lines and tabs stay.

    >>> inert("\x1b[31mred.png")
    '\\x1b[31mred.png'
    """
    return text.translate(STEERING_LINES)


def open_streams() -> None:
    """Streams that were closed (`>&-`) are there: what is said is lost, and a result that is printed is an error."""
    if sys.stderr is None:  # `print` would take it for standard output
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  to the end of the process
    if sys.stdout is None:
        sys.stdout = open(os.devnull)  # noqa: SIM115  cannot be written


def say(text: str, quiet: bool = False) -> None:
    """One line for a person, to stderr, unless quiet."""
    if quiet:
        return
    try:
        print(inert(text), file=sys.stderr)  # line by line, so that it fails here if it does
    except OSError:  # closed, or on a full disk: nobody reads it, and the work goes on
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  to the end of the process


def warn(text: str, quiet: bool = False) -> None:
    """A warning in one line to stderr, unless quiet."""
    say(f"warning: {text}", quiet)


def finish(quiet: bool, *files: Path | None, texts: Iterable[str] = (), then: str = "") -> None:
    """The last lines of a command: sentences, which files were written, and one next step; nothing when quiet."""
    for text in (*texts, *(f"wrote {path}" for path in files if path), *([f"Next: {then}"] if then else ())):
        if text:
            say(text, quiet)


def see(page: Path | None, name: str) -> str:
    """The next step of a command that can write a page.

    >>> see(None, "compare.html"), see(Path("a.html"), "compare.html")
    ('add --report compare.html to see it as a page.', 'open a.html in a browser.')
    """
    return f"open {page} in a browser." if page else f"add --report {name} to see it as a page."


@contextmanager
def progress(quiet: bool = False, unit: str = "pictures") -> Iterator[Callable[[str, int, int], None] | None]:
    """Progress bars on stderr, as a function of (what, done, total); None when quiet or when nobody is looking."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what)
            bars.update(tasks[what], completed=done, total=total)

        yield show


@contextmanager
def plain_warnings(quiet: bool = False) -> Iterator[None]:
    """Warnings as one line each on stderr, without file names; none when quiet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if quiet else "default")
        warnings.showwarning = lambda message, *_, **__: say(f"warning: {message}")
        yield


def table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], right: Sequence[int] = (), fold: bool = False
) -> None:
    """A table on stdout; plain tab-separated lines when stdout is not a terminal.

    In a narrow terminal the columns come in `blocks`, or the widest are folded.
    """
    rows = [[str(cell).translate(STEERING) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        print("\t".join(columns))
        for row in rows:
            print("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    for part in [[*range(len(columns))]] if fold else blocks(widths, console.width):
        shown = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
        for i in part:
            shown.add_column(columns[i], justify="right" if i in right else "left", overflow="fold")
        for row in rows:
            shown.add_row(*(Text(row[i]) for i in part))
        console.print(shown)
        title = ""


def blocks(widths: Sequence[int], width: int) -> list[list[int]]:
    """Columns in blocks that fit a terminal, each with the first one; a wide text is folded instead.

    >>> blocks([9, 8, 8, 8], 30), blocks([9, 8, 60], 30)
    ([[0, 1, 2], [0, 3]], [[0, 1, 2]])
    """
    if sum(widths) + 2 * len(widths) <= width or max(widths) > width / 2:
        return [[*range(len(widths))]]
    found = [[0]]
    for i in range(1, len(widths)):
        if len(found[-1]) > 1 and sum(widths[j] + 2 for j in (*found[-1], i)) > width + 2:
            found.append([0])
        found[-1].append(i)
    return found


def as_cells(content: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """A row for each name of a header: its value, lists and mappings as JSON."""
    return [(name, json.dumps(v) if isinstance(v, (dict, list)) else v) for name, v in content.items()]


def ranking(scores: Any) -> None:
    """The best and worst pictures, and the set in one line."""
    from ..model.headline import LOWEST_SHOWN, percentile_in_words, z_in_words
    from ..model.made_by import MadeBy

    ranked = list(enumerate(scores.ranked(), 1))
    chosen = ranked if len(ranked) <= 2 * SHOWN else [*ranked[:SHOWN], None, *ranked[-SHOWN:]]
    people = scores.believed  # else it is in the table that is written, and no headline
    made = MadeBy.from_dict(scores.made_by)
    order, reals = scores.rank_interval() if made.shared else None, made.reals

    def cells(rank: int, row: int) -> tuple[Any, ...]:
        z, low, high = scores.z[row], scores.z_low[row], scores.z_high[row]
        level = f"{low:+.2f} .. {high:+.2f}" if z >= LOWEST_SHOWN else ""
        place = percentile_in_words(scores.percentile[row], reals)
        said = [f"{100 * scores.p_real[row]:.0f} %"] if people else []
        ranks = ["-".join(dict.fromkeys(f"{end[row]}" for end in order))] if order else []
        return rank, *ranks, z_in_words(z), level, place, *said, scores.id[row] + _flags(scores, row)

    columns = ["rank", *(["95 % of rank"] if order else []), "z", "95 % of z", "percentile"]
    columns += [*(["called real"] if people else []), "picture"]
    rows = [("...",) + ("",) * (len(columns) - 1) if pair is None else cells(*pair) for pair in chosen]
    if sys.stdout.isatty() and shutil.get_terminal_size().columns < NARROW:  # room for names and what costs most
        at = columns.index("95 % of z")
        columns, rows = [*columns[:at], *columns[at + 1 :]], [(*row[:at], *row[at + 1 :]) for row in rows]
    table("", columns, rows, right=range(len(columns) - 1), fold=True)


def _flags(scores: Any, row: int) -> str:
    """What stands behind a picture's name."""
    from ..model.reason import content_words

    why = scores.reason[row] if scores.reason else ""
    repeats = f"repeats {scores.duplicate_of[row]}" if scores.duplicate_of[row] else ""
    words = filter(None, (repeats, why, content_words(scores.out_of_domain[row], why)))
    return "".join(f"  ({text})" for text in words)


def summary(scores: Any, classes: Any = None) -> None:
    """What the set looks like as a whole, to stderr; with `ClassScores` also what each class looks like."""
    whole = scores.summary()
    said = (classes or scores).headline()
    for line in said.lines() if whole["median_z"] is not None else ():
        say(line)
    for line in classes.sentences() if classes else ():
        say(line)
    if scores.believed and whole["mean_p_real"] is not None:
        say(f"Mean p_real {100 * whole['mean_p_real']:.0f} %: the probability that a person calls a picture real.")
    elif scores.p_real is not None:
        say("No mean of p_real is shown: see the warnings. The column p_real is in the table.")
    if scores.p_preferred is not None and whole["mean_p_preferred"] is not None:
        percent = 100 * whole["mean_p_preferred"]
        say(f"Mean p_preferred {percent:.0f} %: the probability that a person prefers it to a typical judged one.")
    if scores.rating is not None and whole["mean_rating"] is not None:
        say(f"Mean expected rating {whole['mean_rating']:.2f}.")
    if scores.n_text is not None:
        say(_of_text(scores, whole["mean_text_quality"]))
    if whole["duplicates"]:
        say(f"{whole['duplicates']} repeat a real picture (column duplicate_of).")
    if whole["out_of_domain"]:
        say(_of_content(scores))


def _of_content(scores: Any) -> str:
    """How many pictures show something else, and of how many that cannot be said since they look damaged."""
    from ..model.reason import FOREIGN, UNCLEAR, content_words

    both = zip(scores.out_of_domain, scores.reason or [""] * len(scores), strict=True)
    said = Counter(content_words(flag, reason) for flag, reason in both)
    foreign, unclear = said[FOREIGN], said[UNCLEAR]
    seem = "seems" if foreign == 1 else "seem"
    more = " more" if foreign else ""
    parts = [f"{foreign} {seem} to show something that the reals do not"] if foreign else []
    parts += [f"of {unclear}{more} it cannot be said, since they look damaged"] if unclear else []
    text = "; ".join(parts)
    column = "column out_of_domain: yes for both" if foreign and unclear else "column out_of_domain"
    return f"{text[0].upper()}{text[1:]} ({column})."


def _of_text(scores: Any, quality: float | None) -> str:
    """How many pictures have text, and how it is drawn."""
    n = int((scores.n_text > 0).sum())
    if quality is None:
        return "Text was found in no picture."
    wrong = ""
    if scores.text_error is not None and (known := scores.text_error[scores.text_error == scores.text_error]).size:
        wrong = f"; mean character error rate {known.mean():.2f} in {known.size}"
    return f"Text in {n:,} pictures: mean text_quality {quality:.2f}, 1 = drawn like real type{wrong}."


def failures(reasons: dict[str, str], most: int = 5) -> None:
    """Pictures that got no score, with the reason, as warnings."""
    for name, reason in list(reasons.items())[:most]:
        say(f"warning: {name}: {reason}")
    if len(reasons) > most:
        say(f"warning: ... and {len(reasons) - most} more")
    if reasons:
        say(f"{len(reasons)} warning{'s' if len(reasons) > 1 else ''}: pictures without a score.")


def size(n: float) -> str:
    """Bytes for people.

    >>> size(1536)
    '1.5 kB'
    """
    for unit in ("B", "kB", "MB", "GB"):
        if n < 1024 or unit == "GB":
            return f"{n:.0f} {unit}" if unit == "B" else f"{n:.1f} {unit}"
        n /= 1024
    return ""


def parse_size(text: str) -> int:
    """Bytes that a person wrote.

    >>> parse_size("5GB"), parse_size("200 mb"), parse_size("0")
    (5368709120, 209715200, 0)
    """
    import re

    from ..errors import BadSpec

    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?\s*", text.lower())
    if not found:
        raise BadSpec(f"A size is a number with B, kB, MB, GB or TB, such as 5GB; got {text!r}.")
    return int(float(found[1]) * 1024 ** " kmgt".index(found[2] or " "))
