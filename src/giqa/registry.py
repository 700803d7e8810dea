"""The table of names, and the spec strings that call them: `knn(k=5, preset='paper')`."""

from __future__ import annotations

import ast
import importlib
import inspect
import math
import numbers
import operator
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import copy
from fractions import Fraction
from pathlib import Path
from types import MethodType, NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from .errors import BadSpec

# kind -> name -> "module:attribute". Listing imports nothing; third parties add theirs by the entry points
# `giqa.extractors`, `giqa.scorers` and `giqa.metrics`, and cannot take a name that is here.
BUILTIN: dict[str, dict[str, str]] = {
    "extractor": {
        "embedded": "giqa.features.embedded:Embedded",
        "statistics": "giqa.features.statistics:Statistics",
        "nss": "giqa.features.nss:NSS",
        "inception": "giqa.features.inception:Inception",
        "hub": "giqa.features.hub:Hub",
        "onnx": "giqa.features.own_network:Onnx",
        "brisque": "giqa.features.blind:BrisqueStatistics",
        "niqe": "giqa.features.blind:NiqeStatistics",
        "spectrum": "giqa.features.spectrum:Spectrum",
        "detail": "giqa.features.detail:Detail",
        "learned": "giqa.features.learned:Learned",
        "iqa": "giqa.features.iqa:IQA",
        "joined": "giqa.features.joined:Joined",
    },
    "scorer": {
        "gmm": "giqa.scorers.gmm:GMM",
        "sgm": "giqa.scorers.gmm:SGM",
        "knn": "giqa.scorers.knn:KNN",
        "multilayer": "giqa.scorers.multilayer:MultiLayer",
        "mbc": "giqa.scorers.learned:MBC",
        "bc": "giqa.scorers.learned:BC",
        "ir": "giqa.scorers.learned:IR",
        "rank": "giqa.scorers.learned:Rank",
        "brisque": "giqa.scorers.brisque:BRISQUE",
        "niqe": "giqa.scorers.niqe:NIQE",
        "iqa": "giqa.scorers.fixed:IQA",
        "value": "giqa.scorers.fixed:Value",
    },
    "metric": {
        "qs": "giqa.compare.quality:Quality",
        "ds": "giqa.metrics.quality:Diversity",
        "fd": "giqa.metrics.frechet:Frechet",
        "fd_infinity": "giqa.metrics.frechet:FrechetInfinity",
        "kd": "giqa.metrics.kernel:Kernel",
        "cmmd": "giqa.metrics.kernel:CMMD",
        "precision": "giqa.metrics.prdc:Precision",
        "recall": "giqa.metrics.prdc:Recall",
        "density": "giqa.metrics.prdc:Density",
        "coverage": "giqa.metrics.prdc:Coverage",
        "authenticity": "giqa.metrics.prdc:Authenticity",
        "vendi": "giqa.metrics.vendi:Vendi",
        "inception_score": "giqa.metrics.inception:InceptionScore",
    },
}
PRESETS = ("paper", "released", "recommended")
# kind -> the class whose defaults complete what third parties make
BASES = {"scorer": "giqa.scorers.scorer:BaseScorer", "metric": "giqa.metrics.metric:Metric"}
# kind -> what an object that is given instead of a name must have
NEEDED = {"scorer": ("fit", "score_samples"), "metric": ("__call__",), "extractor": ("identity", "prepare", "run")}
# annotation of a parameter -> what a spec string may hold for it, and how that is called
LITERALS: dict[Any, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "True or False"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    str: ((str,), "a text"),
    Path: ((str, os.PathLike), "a path"),
    Sequence: ((list, tuple), "a list"),
    NoneType: ((NoneType,), "None"),
}
LARGEST = 2**63  # whole numbers that arrays can hold are smaller
_MISSING = object()


def names(kind: str) -> dict[str, str]:
    """Every registered name of a kind and where it is, without importing any of it.

    Parameters
    ----------
    kind : {"extractor", "scorer", "metric"}
        The kind.

    Returns
    -------
    dict of str to str
        Name -> "module:attribute"; those of third parties come from entry points.

    Raises
    ------
    BadSpec
        If there is no such kind.

    Examples
    --------
    >>> names("scorer")["knn"]
    'giqa.scorers.knn:KNN'
    """
    from importlib.metadata import entry_points

    if kind not in BUILTIN:
        raise BadSpec(f"There is no kind {kind!r}; there are {', '.join(BUILTIN)}.")
    return {point.name: point.value for point in entry_points(group=f"giqa.{kind}s")} | BUILTIN[kind]


def summary(where: str) -> str:
    """First paragraph of the docstring of "module:attribute", read without importing what the module imports.

    Parameters
    ----------
    where : str
        As in the registry.

    Returns
    -------
    str
        On one line; "" where there is none.
    """
    from importlib.util import find_spec

    module, _, attribute = where.partition(":")
    package, *inside = module.split(".")
    found = find_spec(package)  # of the package alone: to look for a module would import what it lies in
    if found is None or not found.origin:
        return ""
    path = Path(found.origin).parent.joinpath(*inside).with_suffix(".py") if inside else Path(found.origin)
    if not path.is_file():
        path = path.with_suffix("") / "__init__.py"
    if not path.is_file():
        return ""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == attribute:
            return " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
    return ""


def parse(spec: str) -> tuple[str, dict[str, Any]]:
    """A spec string as name and parameters; values are Python literals, nothing is evaluated.

    Parameters
    ----------
    spec : str
        "name" or "name(key=value, ...)".

    Returns
    -------
    name : str
    parameters : dict of str to object

    Raises
    ------
    BadSpec
        If the string cannot be read.

    Examples
    --------
    >>> parse("knn(k=5, preset='paper')")
    ('knn', {'k': 5, 'preset': 'paper'})
    >>> parse("gmm")
    ('gmm', {})
    """
    if not isinstance(spec, str):
        raise BadSpec(f"A spec is a string such as 'knn(k=5)', got {spec!r}.")
    advice = f"Cannot read the spec {spec!r}; write name(key=value, ...) with Python literals, such as knn(k=5)."
    try:
        tree = ast.parse(spec.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise BadSpec(advice) from None
    if isinstance(tree, ast.Name):
        return tree.id, {}
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise BadSpec(advice)
    if tree.args:
        raise BadSpec(f"{advice} Every value needs its key.")
    parameters: dict[str, Any] = {}
    for keyword in tree.keywords:
        if keyword.arg is None:
            raise BadSpec(advice)
        if keyword.arg in parameters:
            raise BadSpec(f"{advice} {keyword.arg!r} is there twice.")
        try:
            parameters[keyword.arg] = ast.literal_eval(keyword.value)
        except (ValueError, TypeError, RecursionError, MemoryError):  # TypeError: {[]: 1}
            raise BadSpec(f"{advice} The value of {keyword.arg!r} is not a literal.") from None
    return tree.func.id, parameters


def load(kind: str, name: str) -> Any:
    """The class or function behind a name.

    Parameters
    ----------
    kind : {"extractor", "scorer", "metric"}
        The kind.
    name : str
        A registered name.

    Returns
    -------
    type or callable

    Raises
    ------
    BadSpec
        If there is no such name; the error names the nearest one.
    """
    table = BUILTIN.get(kind, {})
    if name not in table:  # reading what is installed takes 30 ms
        table = names(kind)
    if name not in table:
        import difflib

        close = difflib.get_close_matches(name, table, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise BadSpec(f"There is no {kind} {name!r}; there are {', '.join(sorted(table))}.{hint}")
    return imported(table[name])


def imported(where: str) -> Any:
    """What "module:attribute" names; its module is imported now."""
    module, _, attribute = where.partition(":")
    return getattr(importlib.import_module(module), attribute)


def make(kind: str, spec: Any, **defaults: Any) -> Any:
    """The object that a spec string names.

    Parameters
    ----------
    kind : {"extractor", "scorer", "metric"}
        The kind.
    spec : str or object
        A spec string. An object is taken as it is, so that Python users can give their own.
    **defaults
        Fill in what the string leaves out and the object accepts; None is no default.

    Returns
    -------
    object
        With everything that its kind may offer, see `complete`.

    Raises
    ------
    BadSpec
        If there is no such name or parameter, or `preset` is given with an object.

    Examples
    --------
    >>> make("scorer", "knn(k=5)", preset="paper").preset
    'paper'
    """
    if not isinstance(spec, str):
        checked(kind, spec)
        if defaults.get("preset"):
            raise BadSpec(f"preset={defaults['preset']!r} goes with a name; {type(spec).__name__} is made already.")
        return complete(kind, spec)
    name, parameters = parse(spec)
    build = load(kind, name)
    accepted = inspect.signature(build).parameters
    unknown = [key for key in parameters if key not in accepted]
    if unknown:
        raise BadSpec(
            f"{name} has no parameter {unknown[0]!r}; it has {', '.join(accepted) or 'none'} (spec {spec!r})."
        )
    filled = {key: value for key, value in defaults.items() if key in accepted and value is not None}
    filled |= parameters
    if name in BUILTIN[kind]:
        _check_values(name, build, filled)
    return complete(kind, build(**filled))


def checked(kind: str, made: Any) -> Any:
    """An object that Python users give instead of a name, as it is; `BadSpec` where it lacks what its kind needs."""
    needed = NEEDED.get(kind, ())
    if isinstance(made, type) or not all(hasattr(made, name) for name in needed):
        raise BadSpec(f"A {kind} is a spec string or an object that has {' and '.join(needed)}, got {made!r:.80}.")
    return made


def _fits(value: Any, types: tuple[type, ...]) -> bool:
    """Whether a literal is one of these types, and no text, number or list that only makes trouble later."""
    if isinstance(value, (list, tuple)):
        return list in types and all(_fits(item, (str, int, float)) for item in value)
    if isinstance(value, bool) or not isinstance(value, types):
        return isinstance(value, bool) and bool in types
    if isinstance(value, float):
        return math.isfinite(value)  # 1e999 is infinite, which no spec can say again
    return "\0" not in value if isinstance(value, str) else not isinstance(value, int) or abs(value) < LARGEST


def as_seed(seed: Any) -> int:
    """A seed as Python's whole number; the only place that says what a seed may be.

    Raises
    ------
    BadSpec
        If it is no whole number, below 0, or larger than files and arrays hold.

    Examples
    --------
    >>> as_seed(3)
    3
    """
    try:
        number = operator.index(seed)
    except TypeError:
        number = -1
    if not 0 <= number < LARGEST:
        raise BadSpec(f"A seed is a whole number from 0 to 2**63 - 1, got {seed!r:.80}.")
    return number


def as_whole(value: Any, name: str, least: int = 1, most: int = LARGEST - 1) -> int:
    """A whole number as Python's; True and False are none. The only place that says what one may be.

    Parameters
    ----------
    value : int
        What was given.
    name : str
        What an error calls it.
    least, most : int
        The lowest and the highest that it may be.

    Raises
    ------
    BadSpec
        If it is no whole number, below `least` or above `most`.

    Examples
    --------
    >>> as_whole(3, "k")
    3
    """
    try:
        number = least - 1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = least - 1
    if not least <= number <= most:
        to = "" if most == LARGEST - 1 else f" to {most:,}"
        raise BadSpec(f"{name} is a whole number from {least}{to}, got {value!r:.80}.")
    return number


def as_flag(value: Any, name: str) -> bool:
    """True or False as Python's.

    Raises
    ------
    BadSpec
        If it is anything else.
    """
    if not isinstance(value, bool) and type(value).__name__ not in ("bool", "bool_"):  # of NumPy
        raise BadSpec(f"{name} is True or False, got {value!r:.80}.")
    return bool(value)


def as_preset(value: Any) -> str | None:
    """A preset's name, or None.

    Raises
    ------
    BadSpec
        If it is anything else.
    """
    if value is not None and str(value) not in PRESETS:
        raise BadSpec(f"preset is one of {', '.join(PRESETS)}, got {value!r:.80}.")
    return None if value is None else str(value)


def is_number(value: Any) -> bool:
    """Whether it is one finite real number that arrays can hold; True and False are none.

    >>> is_number(1.5), is_number(float("nan")), is_number("1"), is_number(True), is_number(10**400)
    (True, False, False, False, False)
    """
    real = isinstance(value, numbers.Real) and not isinstance(value, (bool, Fraction))
    with suppress(OverflowError):  # of Python's whole numbers some are larger than any float
        return real and math.isfinite(value)
    return False


def make_again(kind: str, spec: str) -> Any:
    """The object that a file names; earlier versions wrote `2.0` where a whole number is asked for.

    Parameters
    ----------
    kind : {"extractor", "scorer", "metric"}
        The kind.
    spec : str
        From the header of a file.

    Returns
    -------
    object
        As `make` gives it.

    Raises
    ------
    BadSpec
        As `make` does.

    Examples
    --------
    >>> make_again("extractor", "statistics(scales=2.0)").scales
    2
    """
    name, given = parse(spec)
    build = load(kind, name)
    for key, value in given.items():
        if isinstance(value, float) and value.is_integer():
            known = [types for types, _ in filter(None, _literals_of(build, key))]
            if key == "seed" or (any(int in types for types in known) and not any(float in types for types in known)):
                given[key] = int(value)
    return make(kind, f"{name}({', '.join(f'{key}={value!r}' for key, value in given.items())})")


def _literals_of(build: Any, key: str) -> list[tuple[tuple[type, ...], str] | None]:
    """For each type of a parameter's annotation the literals that fit; None where any may."""
    maker: Any = build
    hint = get_type_hints(maker.__init__ if isinstance(build, type) else maker).get(key, Any)
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return [LITERALS.get(get_origin(kind) or kind) for kind in kinds]


def _check_values(name: str, build: Any, values: Mapping[str, Any]) -> None:
    """Raise where a parameter is of another type than its annotation says; its default always fits."""
    signature = inspect.signature(build).parameters
    for key, value in values.items():
        if key == "seed":
            as_seed(value)
            continue
        found = _literals_of(build, key)
        plain = [literals for literals in found if literals is not None]
        default = signature[key].default
        if len(plain) < len(found) or (type(value) is type(default) and value == default):
            continue
        if not any(_fits(value, types) for types, _ in plain):
            raise BadSpec(f"{name}({key}=...) takes {' or '.join(said for _, said in plain)}, got {value!r:.80}.")


def check_arguments(build: Any, **values: Any) -> None:
    """Raise `BadSpec` where an argument of a function, or a field of a dataclass, is of another type than annotated."""
    _check_values(build.__name__, build, {key: _literal(value) for key, value in values.items()})


def complete(kind: str, made: Any) -> Any:
    """An object with everything that its kind may offer; the only place where those of third parties get defaults.

    Parameters
    ----------
    kind : {"extractor", "scorer", "metric"}
        The kind.
    made : object
        A scorer with `fit` and `score_samples`, a metric that is called as (real, fake), or an extractor.

    Returns
    -------
    object
        A `BaseScorer`, a `Metric` or an extractor as it is; of anything else a copy, which has the defaults of
        `BaseScorer` or `Metric` for what it lacks. Its class, and so its name in files, stays.

    Examples
    --------
    >>> class Shift:
    ...     def __call__(self, real, fake):
    ...         return float(abs(real.mean() - fake.mean()))
    >>> made = complete("metric", Shift())
    >>> made.is_distance, made.by_size, made.trouble(10, 10, 4)
    (False, True, '')
    """
    if kind not in BASES or isinstance(made, base := imported(BASES[kind])):
        return made
    made = copy(made)
    for name, default in vars(base).items():
        if not name.startswith("_") and not hasattr(made, name):
            default = MethodType(default, made) if callable(default) else default
            object.__setattr__(made, name, default)  # also if it is frozen
    return made


def parameters(made: Any) -> dict[str, Any]:
    """The constructor parameters of an object, as it stores them (scikit-learn's convention).

    Parameters
    ----------
    made : object
        A scorer, an extractor or a metric.

    Returns
    -------
    dict of str to object
        Sorted by name.

    Raises
    ------
    BadSpec
        If it does not store one of them under its own name.
    """
    kept = {name: getattr(made, name, _MISSING) for name in sorted(inspect.signature(type(made)).parameters)}
    for name, value in kept.items():
        if value is _MISSING:
            kind = type(made).__name__
            raise BadSpec(f"{kind} does not keep its parameter {name!r}; store it in __init__ under its own name.")
    return kept


def canonical(kind: str, made: Any) -> str:
    """The full spec string of an object: defaults filled in, keys sorted; the identity used in files and caches.

    Parameters
    ----------
    kind : {"extractor", "scorer", "metric"}
        The kind.
    made : object
        What `make` returns.

    Returns
    -------
    str
        "name(key=value, ...)", with "module:class" in place of a name that is not registered.

    Examples
    --------
    >>> canonical("scorer", make("scorer", "knn"))
    "knn(k=None, preset='recommended')"
    """
    place = f"{type(made).__module__}:{type(made).__qualname__}"
    name = next((name for name, where in BUILTIN[kind].items() if where == place), None)  # as in `load`
    name = name or next((name for name, where in names(kind).items() if where == place), place)
    return f"{name}({', '.join(f'{key}={_literal(value)!r}' for key, value in parameters(made).items())})"


def is_own(spec: str) -> bool:
    """Whether what `canonical` gave is of an object without a registered name, which `make` cannot make again.

    Parameters
    ----------
    spec : str
        From `canonical`.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_own("knn(k=5)"), is_own("my_module:MyScorer(k=5)")
    (False, True)
    """
    return ":" in spec.partition("(")[0]


def _literal(value: Any) -> Any:
    """What `parse` can read back: a path as text, a numpy number as Python's."""
    import numpy as np

    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (list, tuple)):
        return type(value)(map(_literal, value))
    return value.item() if isinstance(value, (np.generic, np.ndarray)) and value.ndim == 0 else value
