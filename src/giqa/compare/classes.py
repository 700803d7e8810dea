"""Conditional generators: every class of the fakes against the same class of the reals."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from ..errors import BadSpec, GiqaError
from ..features.reader import take_reader
from ..images import open_source
from ..metrics.jackknife import Jackknife
from ..types import Features, columns_of
from .compare import compare
from .result import Comparison, decided

FOLDER = "folder"
METRICS = "qs,ds"


@dataclass(frozen=True, eq=False)
class ByClass:
    """One `Comparison` a class, in the order of their names.

    Parameters
    ----------
    classes : mapping of str to Comparison
    left_out : mapping of str to str
        Why some classes have none.
    """

    classes: Mapping[str, Comparison]
    left_out: Mapping[str, str]

    def __repr__(self) -> str:
        from .classes_page import answer

        return f"<giqa.compare.ByClass of {len(self.classes)} classes: {answer(self)}>"

    def _repr_html_(self) -> str:
        from .classes_page import answer, sentences, standing_of_all
        from .notebook import as_html

        first = next(iter(self.classes.values()))
        names = [g.name for g in first.generators]
        rows = [(metric, [self.mean(metric, name) for name in names]) for metric in first.metrics]
        said = [answer(self), standing_of_all(self), *sentences(self)]
        return as_html(said, ("mean of classes", *names), rows)

    def mean(self, metric: str, generator: str) -> Jackknife:
        """The mean over the classes that have it, each counting alike; classes vary independently of each other."""
        every = (g for c in self.classes.values() for g in c.generators)
        estimates = [g.values[metric] for g in every if g.name == generator and metric in g.values]
        if not estimates:
            return Jackknife(math.nan)
        value = float(np.mean([estimate.value for estimate in estimates]))
        if not all(e.known for e in estimates):  # a class that nobody knows the spread of leaves none to the mean
            return Jackknife(value)
        sides = [e.real for e in estimates if len(e.real)], [e.fake for e in estimates if len(e.fake)]
        deviations = [_in_quadrature(side, len(estimates)) for side in sides]
        shares, least = _pictures_of_a_mean([e.share_of for e in estimates]), min(e.least for e in estimates)
        return Jackknife(value, *deviations, share_of=shares, least=least)

    def to_json(self) -> dict[str, Any]:
        """Each class as `Comparison.to_json`, and what was left out."""
        return {"classes": {k: c.to_json() for k, c in self.classes.items()}, "left_out": dict(self.left_out)}


def compare_by_class(
    real: Any,
    generators: Mapping[str, Any],
    by: str,
    *,
    metrics: str | Sequence[str] = METRICS,
    **options: Any,
) -> ByClass:
    """Compare generators class by class: a picture of a cat is compared with real cats alone.

    Parameters
    ----------
    real : path, array or source
        The reals.
    generators : mapping of str to the same
        The sets of fakes by name.
    by : str
        A column of the tables that the reals and all generators are, or "folder": the first folder of a picture's path.
    metrics : str or list of str
        As of `giqa.compare.compare`.
    **options
        `layers`, `scorer`, `pictures` and `seed` of `giqa.compare.compare`; `extractor`, `match`, `store`, `workers`
        and `progress` of `giqa.features.Reader`.

    Returns
    -------
    ByClass
        A class that one of the sets lacks, or that has too few pictures, is left out, with a warning. Verdicts hold at
        95 % for all classes, metrics and pairs together.

    Raises
    ------
    BadSpec
        When no class is left.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> rng = np.random.default_rng(0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, low, n in (("reals/cat", 0, 24), ("reals/dog", 99, 24), ("A/cat", 0, 8), ("A/dog", 99, 8)):
    ...         Path(folder, name).mkdir(parents=True)
    ...         for i in range(n):
    ...             picture = Image.fromarray(rng.integers(low, 256, (16, 16, 3), np.uint8))
    ...             picture.save(Path(folder, name, f"{i}.png"))
    ...     how = {"metrics": "qs", "extractor": "statistics", "store": False}
    ...     result = compare_by_class(f"{folder}/reals", {"A": f"{folder}/A"}, "folder", **how)
    >>> list(result.classes), result.mean("qs", "A").value > -3
    (['cat', 'dog'], True)
    """
    if not generators:
        raise BadSpec("Compare what? Give at least one set of generated pictures.")
    reader = take_reader(options)
    parts = {}
    for name, where in {None: real, **generators}.items():
        source = open_source(where)
        labels = labels_of(source, by)
        parts[name] = _apart(reader.features(source, name or "reals").features, labels)
    compared, left_out = {}, {}
    for label in sorted(set().union(*parts.values())):
        lacking = [name or "the reals" for name, classes in parts.items() if label not in classes]
        if lacking:
            left_out[label] = f"there is none in {', '.join(lacking)}"
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a comparison's own are in its `warnings`
                sets = {name: classes[label] for name, classes in parts.items() if name is not None}
                compared[label] = compare(parts[None][label], sets, metrics=metrics, **options)
        except GiqaError as error:
            left_out[label] = str(error)
    for label, why in left_out.items():
        warnings.warn(f"class {label!r} left out: {why}", stacklevel=2)
    if not compared:
        raise BadSpec(f"No class of {by!r} could be compared; {next(iter(left_out.values()), 'there are none')}")
    return ByClass(_decided_together(compared), left_out)


def _decided_together(compared: Mapping[str, Comparison]) -> dict[str, Comparison]:
    """The verdicts anew, at one level for all classes together."""
    every = [replace(c, key=(label, c.key)) for label, comparison in compared.items() for c in comparison.contrasts]
    verdicts = iter(decided(every))
    return {
        label: replace(comparison, verdicts=tuple(next(verdicts) for _ in comparison.contrasts))
        for label, comparison in compared.items()
    }


def labels_of(source: Any, by: str) -> dict[str, str]:
    """The class of each id: a column's value, or the first folder of its path; ids without one are left out."""
    columns = columns_of(source)
    if not isinstance(by, str):
        raise BadSpec(f"The class is the name of a column, or 'folder', got {by!r:.80}.")
    if by in columns:
        return {name: value for name, value in zip(source.ids, columns[by], strict=True) if value}
    if by != FOLDER:
        has = f"has the columns {', '.join(columns)}" if columns else "is no table"
        raise BadSpec(f"The class {by!r} is a column of a table, or 'folder'; {source.name!r} {has}.")
    return {name: PurePosixPath(name).parts[0] for name in source.ids if len(PurePosixPath(name).parts) > 1}


def _apart(features: Features, labels: Mapping[str, str]) -> dict[str, Features]:
    """The features of each class."""
    of = np.array([labels.get(name, "") for name in features.ids], dtype=object)
    return {label: features.rows(np.flatnonzero(of == label)) for label in sorted(set(of) - {""})}


def _pictures_of_a_mean(numbers: Sequence[int]) -> int:
    """Of how many pictures one share would vary as the mean of these shares does; 0 where one of them is no share."""
    return round(len(numbers) ** 2 / sum(1 / n for n in numbers)) if all(numbers) else 0


def _in_quadrature(deviations: Sequence[np.ndarray], classes: int) -> np.ndarray:
    """Deviations whose jackknife variance is that of a mean of `classes` independent values."""
    if not deviations:
        return np.empty(0)
    groups = min(map(len, deviations))
    variance = sum((len(d) - 1) / len(d) * float((d**2).sum()) for d in deviations) / classes**2
    signs = np.where(np.arange(groups) % 2, -1.0, 1.0)
    signs -= signs.mean()
    return signs * math.sqrt(variance * groups / (groups - 1) / float((signs**2).sum())) if groups > 1 else np.empty(0)
