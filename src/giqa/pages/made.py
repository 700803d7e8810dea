"""How a page was made, for a reader: six lines of what matters; the page folds the rest below them."""

from __future__ import annotations

import json
from collections.abc import Sequence

LINES = 6
NAMES = {  # the most important first
    "extractor": "Features",
    "scorer": "Score",
    "qs": "QS by",
    "picked by": "Picked by",
    "metrics": "Metrics",
    "reals": "Reals",
    "match": "Brought to one form",
    "sample": "Pictures measured",
    "resamples": "Resamples",
    "seed": "Seed",
    "giqa": "giqa version",
}
NULL = "null"


def readable(made_by: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """At most six of the rows of how something was made, in words; all of them where there are no more than six.

    Parameters
    ----------
    made_by : sequence of (str, str)
        Names and values; a value that is a mapping is JSON.

    Returns
    -------
    list of (str, str)

    Examples
    --------
    >>> rows = [(k, "null") for k in "abcdef"] + [("scorer", "sgm(reg=None)"), ("metrics", '{"qs": "qs(seed=0)"}')]
    >>> readable(rows), readable([("a", "1")])
    ([('Score', 'sgm'), ('Metrics', 'qs')], [('a', '1')])
    """
    if len(made_by) <= LINES:
        return list(made_by)
    known = {key: _short(value) for key, value in made_by if value not in (NULL, "", "{}")}
    if "match" in dict(made_by):
        known.setdefault("match", "no, pictures are read as they are")
    return [(name, known[key]) for key, name in NAMES.items() if key in known][:LINES]


def _short(value: str) -> str:
    """Of a spec its name, of a mapping its keys, of a list its items."""
    if value[:1] in "{[":
        return ", ".join(map(str, json.loads(value)))
    name, bracket, _ = value.partition("(")
    return name if bracket and name.isidentifier() else value
