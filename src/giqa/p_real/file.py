"""Human models in files: whether a file is one, what it says of itself, and the model that it holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, registry
from ..errors import BadModel, BadShape, BadSpec, GiqaError, MissingSource
from ..files import as_path, is_whole
from ..model.file import checked, head_of, restore
from ..model.out_of_domain import Content
from ..scorers.human import HumanModel
from ..scorers.judgements import JudgementModel
from ..scorers.scale import Scale
from ..types import INFO
from .columns import digest_of
from .distances import LayerDistances
from .domain import Voted
from .model import FORMAT, KEY, OF_JUDGEMENTS, SEALED, Realism

NO_VOTED = digest_of({})  # of files of an earlier giqa


def is_realism(path: str | Path) -> bool:
    """Whether a file is one that `giqa train human` wrote; nothing but its head is read.

    Parameters
    ----------
    path : path
        Any file.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_realism("no such file.giqa")
    False
    """
    return as_path(path).is_file() and KEY in head_of(path)


def read_realism_header(path: str | Path) -> dict[str, Any]:
    """What such a file says of itself, without loading its arrays."""
    if not as_path(path).is_file():
        raise MissingSource(f"There is no model file {path}; make one with: giqa train human VOTES.csv --real REALS.")
    head = head_of(path)
    if KEY not in head and "giqa" in head:
        raise BadModel(f"{path} is a model of real pictures, not of people: give it as model= (--model).")
    try:
        header = dict(json.loads(head[KEY]))
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise BadModel(
            f"{path} is no human model, or is cut short ({type(error).__name__}); `giqa train human` makes one."
        ) from None
    if header.get("format") not in (1, FORMAT, OF_JUDGEMENTS):
        raise BadModel(f"{path} has another format than this giqa, {__version__}, reads; train it again.")
    return checked(path, header)


def load_realism(path: str | Path) -> Realism:
    """Read what `Realism.save` wrote; the references are mapped, read once and let go; every byte is checked.

    Parameters
    ----------
    path : path
        A `.giqa` file.

    Returns
    -------
    Realism

    Raises
    ------
    MissingSource
        When there is no such file.
    BadModel
        When it is another kind of file, of another version, or damaged.

    Examples
    --------
    What `giqa train human votes.csv --real reals/ -o people.giqa` wrote::

        human = load_realism("people.giqa")

    >>> load_realism("no.giqa")
    Traceback (most recent call last):
    giqa.errors.MissingSource: There is no model file no.giqa; make one with: giqa train human VOTES.csv --real REALS.
    """
    from safetensors import safe_open

    header = read_realism_header(path)
    try:
        distances = LayerDistances.open(path) if header["references_sha256"] else None
        with safe_open(path, framework="numpy") as file:
            every = {n: file.get_tensor(n) for n in file.keys() if n.startswith(SEALED)}  # noqa: SIM118
            of_distances = {key: text for key, text in file.metadata().items() if key != KEY}
        arrays, dense, voted = (
            {n.removeprefix(part): array for n, array in every.items() if n.startswith(part)} for part in SEALED[:3]
        )
        held_out, families = every.get("scale.held_out"), header.get("families")
        kind = HumanModel if families is None else JudgementModel
        human = Realism(
            kind.restored(arrays, header["human"]),
            distances,
            header["extractor"] if distances else _network_of(path, header["extractor"]),
            tuple(header["taps"]),
            header["references_sha256"],
            header["match"],
            None if held_out is None else Scale(held_out, header["seed"]),
            header["made_by"],
            _densities(header, dense),
            _voted(header, voted),
            None if families is None else tuple(families),
        )
        whole = human.digest == header["digest"]
        if header["format"] > 1 or "sha256" in header:
            whole = whole and is_whole(header, every) and header.get("distances") == of_distances
        else:
            of_voted = digest_of({f"voted.{n}": a for n, a in voted.items()})
            whole = whole and of_voted == header.get("voted_sha256", NO_VOTED)
        if distances and whole:
            references, squares = distances.digests()
            whole = references == human.references and squares == header.get("squares_sha256", squares)
    except (MemoryError, ImportError):
        raise
    except Exception as error:  # a file that somebody made by hand may hold anything
        if isinstance(error, GiqaError) and not isinstance(error, BadShape | BadSpec):
            raise
        raise BadModel(f"{path} is damaged ({type(error).__name__}: {error}); train it again.") from None
    if not whole:
        raise BadModel(
            f"{path} is damaged: what it learned does not have the digest it was saved with; train it again."
        )
    return human


def _network_of(path: str | Path, extractor: str) -> str:
    """The network that learned from votes, where it lies now: NAME.safetensors, next to NAME.giqa, moves with it."""
    file = Path(path).with_suffix(".safetensors").resolve()
    name, parameters = registry.parse(extractor)
    if not file.is_file():
        return extractor
    return registry.canonical("extractor", registry.make("extractor", name, **parameters | {"weights": str(file)}))


def _densities(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Any:
    if header["densities"] is None:
        return None
    densities = registry.make_again("scorer", header["densities"])
    restore(densities, arrays | header["learned"])
    return densities


def _voted(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Voted | None:
    """The pictures with votes; None in files of an earlier giqa."""
    if "info" not in arrays:
        return None
    content = None
    if "contents" in arrays:
        content = Content()
        learned = {n.removeprefix("content."): a for n, a in arrays.items() if n.startswith("content.")}
        restore(content, learned | header["voted"])
    return Voted(np.frombuffer(arrays["info"].tobytes(), INFO), arrays.get("contents"), content)
