"""A model from its file: checked whole, and tried out, so that parts that do not fit together show themselves now."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import registry
from ..errors import BadModel, BadShape, GiqaError
from ..features.detail import VERSION as DETAIL_VERSION
from ..scorers.scale import Scale
from ..types import INFO, Features
from .file import read_model, restore
from .made_by import MadeBy
from .model import Model
from .out_of_domain import Content


def load(path: str | Path) -> Model:
    """Read a `.giqa` file; every byte of it is checked.

    Parameters
    ----------
    path : path
        A file that `Model.save` or `giqa fit` wrote.

    Returns
    -------
    Model

    Raises
    ------
    MissingSource
        When there is no such file.
    BadModel
        When it is not a giqa model, is damaged, or was written by a giqa whose format this one does not read.

    Examples
    --------
    >>> import tempfile
    >>> from giqa.model.fit import fit
    >>> model = fit(np.random.default_rng(0).normal(size=(40, 3)).astype("f4"), scorer="knn")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load(model.save(f"{folder}/reals.giqa")).digest == model.digest
    True
    """
    header, arrays = read_model(path)
    try:
        model = _model(header, arrays)
        whole = model.digest == header["digest"]
        if whole:
            _try_out(model)
    except (MemoryError, ImportError):
        raise
    except Exception as error:  # a file that somebody made by hand may hold anything
        if isinstance(error, GiqaError) and not isinstance(error, BadShape):
            raise
        raise BadModel(f"{path} is damaged ({type(error).__name__}: {error}); fit it again.") from None
    if not whole:
        raise BadModel(f"{path} is damaged: what it learned does not have the digest it was saved with; fit it again.")
    return model


def _try_out(model: Model) -> None:
    """Ask for the columns of the first real, so that parts that do not fit together show themselves now."""
    first = replace(model.reals.rows(slice(1)), info=None)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        columns = model.columns(first)
    if any(len(cells) != 1 for cells in columns.values()):
        raise ValueError("one picture does not get one row")
    if np.isnan(columns["score"]).any() or np.isnan(model.scale.held_out).any():  # of a copy it may be infinite
        raise ValueError("a real has a score that is no number")
    if not isinstance(model.identity, Mapping):
        raise ValueError("identity is no JSON object")
    if model.reals.info is not None and len(model.reals.info) != len(model.reals):
        raise ValueError(f"of {len(model.reals.info)} reals it is known how they look, of {len(model.reals)} what")
    if model.detail is not None and not (
        model.detail.size and model.detail.ndim == 1 and model.detail.dtype.kind == "f"
    ):
        raise ValueError("detail is no list of numbers")
    if not isinstance(model.extractor, str | None) or not isinstance(model.match, str | None):
        raise ValueError("extractor and match are texts")
    if name := MadeBy.misfit(model.made_by):
        raise ValueError(f"{name} in made_by is {model.made_by[name]!r:.80}")
    _ = model.how, model.scale.shared


def _model(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Model:
    scorer = registry.make_again("scorer", header["scorer"])
    learned = {name.removeprefix("scorer."): value for name, value in arrays.items() if name.startswith("scorer.")}
    restore(scorer, learned | header["learned"])
    content = None
    if header["content"]:  # none, where no layer sees content
        content = Content(header["seed"])
        learned = {name.removeprefix("content."): value for name, value in arrays.items() if name[:8] == "content."}
        restore(content, learned | header["content"])
    info = np.frombuffer(arrays["reals.info"].tobytes(), INFO) if "reals.info" in arrays else None
    matrix = arrays["reals.matrix"]
    layers, start = {}, 0
    for name, width in header["layers"].items():
        layers[name] = matrix[:, start : start + width]
        start += width
    thumbnails = None
    if "reals.thumbnails" in arrays:
        if (arrays["reals.thumbnail_rows"] < 0).any():
            raise ValueError("a thumbnail of less than no bytes")
        packed, end = arrays["reals.thumbnails"].tobytes(), 0
        thumbnails = {
            int(row): packed[end - size : end] for row, size in arrays["reals.thumbnail_rows"] if (end := end + size)
        }
    reals = Features(tuple(json.loads(arrays["reals.ids"].tobytes())), layers, info)
    how = header["extractor"], header["identity"], header["match"], header["made_by"]
    detail = arrays.get(f"reals.detail_{DETAIL_VERSION}")  # of another version it would be on another scale
    scale = Scale(arrays["scale.held_out"], header["seed"])
    return Model(scorer, scale, reals, matrix, *how, thumbnails, content, detail)
