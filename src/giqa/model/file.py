"""The `.giqa` file of a fitted model: arrays and a header in JSON, under one checksum.

Format 3 is format 2 and `sha256` in the header, which covers everything in the file (`giqa.files.seal`). Files of
format 2 are still read; of them only what the model learned is checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..errors import BadModel, MissingSource
from ..files import as_path, is_whole, replace_file, seal
from ..registry import imported
from ..types import HasParts
from .made_by import MadeBy
from .trust import human_part, learned

FORMAT = 3
READ = (2, 3)
# what stands in the head of a file -> what reads it
KINDS = {"giqa": "giqa.model.load_model:load", "giqa.people": "giqa.p_real.file:load_realism"}


def open_model(path: str | Path) -> Any:
    """What a `.giqa` file holds, whatever made it: `giqa fit`, `giqa train`, or `giqa train human`."""
    try:
        kind = next((kind for kind in KINDS if kind in head_of(path)), "giqa")
    except BadModel:
        kind = "giqa"  # which says what is wrong
    return imported(KINDS[kind])(path)


def head_of(path: str | Path) -> dict[str, str]:
    """The texts in the head of a safetensors file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(as_path(path), framework="numpy") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise BadModel(f"{path} is not a giqa model, or is cut short ({type(error).__name__}).") from None


def write_model(
    path: str | Path, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray], key: str = "giqa"
) -> Path:
    """Write one safetensors file atomically, with the header as JSON under a key of its head, and one checksum."""
    from safetensors.numpy import save

    path = as_path(path)
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    sealed = seal(json.loads(json.dumps({"format": FORMAT, **header})), arrays)
    return replace_file(path, save(arrays, metadata={key: json.dumps(sealed)}))


def read_model(path: str | Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The header and the arrays of a file, checked."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    header = read_header(path)
    try:
        arrays = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise BadModel(f"{path} is damaged ({type(error).__name__}: {error}); fit it again.") from None
    if (header["format"] > 2 or "sha256" in header) and not is_whole(header, arrays):
        raise BadModel(f"{path} is damaged: it does not have the checksum it was saved with; fit it again.")
    return header, arrays


def read_header(path: str | Path) -> dict[str, Any]:
    """What a `.giqa` file says of itself, without loading its arrays.

    Parameters
    ----------
    path : path
        A file that `Model.save` or `giqa fit` wrote.

    Returns
    -------
    dict
        `format`, `scorer`, `extractor`, `match`, `layers`, `made_by`, `digest` and `sha256` among others.

    Raises
    ------
    MissingSource
        When there is no such file.
    BadModel
        When it is not a giqa model, or has a format that this giqa does not read.

    Examples
    --------
    >>> import tempfile
    >>> from giqa.model.fit import fit
    >>> model = fit(np.random.default_rng(0).normal(size=(40, 3)).astype("f4"), scorer="knn(k=1)")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_header(model.save(f"{folder}/reals.giqa"))["scorer"]
    "knn(k=1, preset='recommended')"
    """
    from safetensors import SafetensorError, safe_open

    path = as_path(path)
    if path.is_dir():
        raise BadModel(
            f"{path} is a folder; a model is a file, NAME.giqa. To learn one from it: giqa fit {path} -o NAME.giqa"
        )
    if not path.is_file():
        raise MissingSource(f"There is no model file {path}; make one with: giqa fit REALS -o {path.name}")
    try:
        with safe_open(path, framework="numpy") as file:
            header = dict(json.loads((file.metadata() or {})["giqa"]))
    except (SafetensorError, KeyError, ValueError, TypeError, OSError, RecursionError) as error:
        raise BadModel(f"{path} is not a giqa model, or is cut short ({type(error).__name__}); fit it again.") from None
    if header.get("format") not in READ:
        made_by = header.get("made_by")
        written = made_by.get("giqa", "unknown") if isinstance(made_by, dict) else "unknown"
        raise BadModel(
            f"{path} has file format {header.get('format')!r:.20}, written by giqa {written!s:.20}; this is giqa "
            f"{__version__}, which reads formats {' and '.join(map(str, READ))}. Fit it again, or use that version."
        )
    return checked(path, header)


def checked(path: str | Path, header: dict[str, Any]) -> dict[str, Any]:
    """A header whose `made_by` says what giqa writes there, in which the verdict on a human model can be read."""
    try:
        made_by = header["made_by"]
        if name := MadeBy.misfit(made_by):
            raise ValueError(f"{name} is {made_by[name]!r:.80}")
        if part := human_part(made_by):
            learned(part)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadModel(
            f"{path} is damaged: made_by is nothing that giqa writes ({type(error).__name__}: {error}); make it again."
        ) from None
    return header


def learned_of(scorer: Any) -> dict[str, np.ndarray]:
    """What `fit` learned, by scikit-learn's convention; what is not one array of numbers is an array of objects."""
    learned = {}
    for name, value in vars(scorer).items():
        if name == "parts_" and isinstance(scorer, HasParts):
            for i, part in enumerate(value):
                learned |= {f"parts_.{i}.{inner}": array for inner, array in learned_of(part).items()}
        elif name.endswith("_") and not name.startswith("_"):
            try:
                learned[name] = np.asarray(value)
            except ValueError:  # lists of different lengths
                learned[name] = np.asarray(None)
    return learned


def restore(scorer: Any, learned: Mapping[str, Any]) -> None:
    """The other way round of `learned_of`."""
    parts = {int(name.split(".")[1]) for name in learned if name.startswith("parts_.")}
    if parts:
        scorer.parts_ = scorer.blank_parts(len(parts))
    for name, value in learned.items():
        owner, name = (scorer.parts_[int(name.split(".")[1])], name.split(".", 2)[2]) if "." in name else (scorer, name)
        setattr(owner, name, value)
