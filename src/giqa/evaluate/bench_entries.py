"""What is put to the test, as text: scorers, fitted models, tables of scores, and sweeps of one parameter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import registry
from ..compare.compare import split_specs
from ..errors import BadSpec
from ..images.sets import name_and_place
from ..train.heads import LEARNED

SHORT = {"M": ("gmm", "n_components"), "K": ("knn", "k"), "N": ("mbc", "n_heads")}  # the papers' letters
TABLES = (".csv", ".tsv", ".jsonl", ".parquet")
MODEL = ".giqa"


@dataclass(frozen=True)
class Entry:
    """A row of the table.

    Parameters
    ----------
    label : str
        Its name.
    kind : str
        "scorer", "learned" (from snapshots), "model" or "table".
    what : str
        A spec or a path.
    column : str
        Of a table: which holds the scores.
    sign : int
        -1 where lower scores are better.
    """

    label: str
    kind: str
    what: str
    column: str = ""
    sign: int = 1


@dataclass(frozen=True)
class Sweep:
    """One parameter of one scorer at several values, an entry each."""

    label: str
    parameter: str
    values: tuple[str, ...]
    entries: tuple[Entry, ...]


def parse_entry(text: str) -> Entry:
    """`[LABEL=]SCORER`, `[LABEL=]MODEL.giqa` or `[LABEL=]SCORES.csv[column]`; `[-column]` where lower is better.

    >>> parse_entry("Ours=knn(k=5)")
    Entry(label='Ours', kind='scorer', what='knn(k=5)', column='', sign=1)
    >>> parse_entry("niqe=metrics.csv[-niqe]").sign
    -1
    """
    text = text.strip()
    label, what = map(str.strip, name_and_place(text, barred="()[]/\\"))
    table = re.fullmatch(r"(.+?)\[(-?)([^\[\]]+)\]", what)
    path = Path(table[1] if table else what)
    if path.suffix.lower() in TABLES:
        column, sign = (table[3].strip(), -1 if table[2] else 1) if table else ("", 1)
        return Entry(label or (column if table else path.stem), "table", str(path), column, sign)
    if path.suffix.lower() == MODEL:
        return Entry(label or path.stem, "model", what)
    name, parameters = registry.parse(what)
    spec = spec_of(name, parameters)
    registry.make("scorer", spec)  # a mistake in a name or a parameter shows before the work
    return Entry(label or _said(name, parameters), "learned" if name in LEARNED else "scorer", spec)


def parse_sweep(text: str) -> Sweep:
    """`M=1,5,10`, `K=...`, `N=...`, or any scorer with one parameter that has several values: `gmm(pca=32, M=1,5)`.

    >>> parse_sweep("K=1,30").entries[1].what, parse_sweep("gmm(preset='paper', M=5,10)").values
    ('knn(k=30)', ('5', '10'))
    """
    advice = f'Cannot read the sweep {text!r}; write M=1,5,10 or K=1,30 or N=1,8 or such as "gmm(pca=32, M=1,5)".'
    short = re.fullmatch(r"\s*([MKN])\s*=(.*)", text, flags=re.S)
    whole = f"{SHORT[short[1]][0]}({short[1]}={short[2]})" if short else text.strip()
    called = re.fullmatch(r"(\w+)\((.*)\)", whole, flags=re.S)
    if not called:
        raise BadSpec(advice)
    values: dict[str, list[str]] = {}
    for part in split_specs(called[2]):
        named = re.fullmatch(r"(\w+)\s*=\s*(.+)", part, flags=re.S)
        if named:
            values[named[1]] = [named[2]]
        elif not values:
            raise BadSpec(advice)
        else:
            values[next(reversed(values))].append(part)
    swept = [name for name, given in values.items() if len(given) > 1] or list(values)[-1:]
    if len(swept) != 1:
        raise BadSpec(f"{advice} One parameter at a time: {' and '.join(swept) or 'none'} has several values.")
    fixed = [f"{_long(called[1], name)}={given[0]}" for name, given in values.items() if name != swept[0]]
    inside = ", ".join(f"{name}={given[0]}" for name, given in values.items() if name != swept[0])
    head = f"{called[1]}({inside})" if inside else called[1]
    entries = []
    for value in values[swept[0]]:
        entry = parse_entry(f"{called[1]}({', '.join([*fixed, f'{_long(called[1], swept[0])}={value}'])})")
        entries.append(Entry(f"{head} {swept[0]}={value}", entry.kind, entry.what))
    if len({entry.what for entry in entries}) < len(entries):
        raise BadSpec(f"The sweep {text!r} has a value twice.")
    return Sweep(f"{swept[0]} of {head}", swept[0], tuple(values[swept[0]]), tuple(entries))


def parse_entries(texts: Sequence[str]) -> list[Entry]:
    """Entries, several in a text if commas part them; each label is there once."""
    entries = [parse_entry(part) for text in texts for part in split_specs(text)]
    labels = [entry.label for entry in entries]
    for label in labels:
        if labels.count(label) > 1:
            raise BadSpec(f"Two entries are called {label!r}; name one of them: OTHER={label}.")
    return entries


def spec_of(name: str, parameters: dict[str, object], short: bool = False) -> str:
    """A spec string of a name and its parameters, the papers' letters spelled out unless `short`."""
    inside = ", ".join(f"{key if short else _long(name, key)}={value!r}" for key, value in parameters.items())
    return f"{name}({inside})" if inside else name


def _said(name: str, parameters: dict[str, object]) -> str:
    """The spec for a reader: without the files that it names."""
    files = [key for key, value in parameters.items() if isinstance(value, str) and re.search(r"[/\\.]", value)]
    return spec_of(name, {key: value for key, value in parameters.items() if key not in files}, short=True)


def _long(scorer: str, parameter: str) -> str:
    """The constructor's name of a parameter that may be one of the papers' letters."""
    return SHORT[parameter][1] if parameter in SHORT and SHORT[parameter][0] == scorer else parameter
