"""A fitted model: what real looks like, learned once, kept in one file, usable without the reals."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, registry
from ..errors import BadModel, BadShape, GiqaError, MissingSource
from ..files import replace_file
from ..scorers.knn import KNN
from ..scorers.scale import Copies, Scale
from ..types import INFO, Features
from .out_of_domain import Content

FORMAT = 2


@dataclass(frozen=True, eq=False)
class Model:
    """A reference scorer, its scale of held-out reals, and how features must be made for it.

    `extractor` is the spec string (None when fitted on arrays), `identity` everything that decided the features;
    `scorer` is fitted; `reals` holds ids and, when known, `info`; `matrix` their features, for nearest neighbours;
    `content` tells what is out of domain, None where no layer sees content.
    """

    scorer: Any
    scale: Scale
    reals: Features
    matrix: np.ndarray
    extractor: str | None = None
    identity: Mapping[str, Any] = field(default_factory=dict)
    match: str | None = None
    made_by: Mapping[str, Any] = field(default_factory=dict)
    thumbnails: Mapping[int, bytes] | None = None  # of the reals by row; only when asked for
    content: Content | None = None

    def __repr__(self) -> str:
        return f"<giqa.Model {self.made_by.get('scorer', type(self.scorer).__name__)}, {len(self.reals)} reals>"

    def score(self, features: Features) -> dict[str, np.ndarray | list[str]]:
        """Columns of `Scores` for pictures that have features; none depends on the others."""
        self._check_layers(features)
        matrix = self._matrix(features)
        score, deviation = self.scorer.score_with_deviation(matrix)
        low, high = self.scale.interval(score, deviation)
        known = features.info is not None and self._copies is not None
        repeats = self._copies.rows(features.info) if known else np.full(len(features), -1)
        foreign = [""] * len(features)
        if self.content is not None:
            foreign = ["yes" if outside else "no" for outside in self.content.outside(matrix)]
        return {
            "score": score,
            "z": self.scale.z(score),
            "percentile": self.scale.percentile(score),
            "z_low": low,
            "z_high": high,
            "duplicate_of": [self.reals.ids[row] if row >= 0 else "" for row in repeats],
            "out_of_domain": foreign,
        }

    def neighbours(self, features: Features, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the k nearest reals in standardised features, and their distances, both (n, k)."""
        return self._nearest.neighbours(self._matrix(features), k)

    @cached_property
    def _copies(self) -> Copies | None:
        return None if self.reals.info is None else Copies(self.reals.info)

    @cached_property
    def _nearest(self) -> KNN:
        return (
            self.scorer
            if isinstance(self.scorer, KNN) and self.scorer.preset == "recommended"
            else KNN(k=1).fit(self.matrix)
        )

    def _matrix(self, features: Features) -> np.ndarray:
        """All layers side by side, in the order of the reals and not of the mapping."""
        if features.layers.keys() != self.reals.layers.keys():  # a plain array, whose only layer has no name
            return features.matrix()
        return replace(features, layers={name: features.layers[name] for name in self.reals.layers}).matrix()

    def _check_layers(self, features: Features) -> None:
        expected, got = self.reals.layers, {name: layer.shape[1] for name, layer in features.layers.items()}
        if {name: layer.shape[1] for name, layer in expected.items()} != got:
            wanted = ", ".join(f"{name} ({layer.shape[1]})" for name, layer in expected.items())
            raise BadShape(
                f"The model wants the layers {wanted}; got {', '.join(f'{k} ({v})' for k, v in got.items())}."
            )
        how, made = self.how, features.made_by
        # what a layer is used for ("levels") does not decide what it holds
        for key in sorted((how.keys() | made.keys()) - {"levels"}) if how and made else ():
            if how.get(key) != made.get(key):
                raise BadShape(
                    f"The features were made in another way than the model's reals: {key} is {made.get(key)!r}, "
                    f"should be {how.get(key)!r}. Extract them again, or fit on features made alike."
                )

    @property
    def how(self) -> Mapping[str, Any]:
        """Everything that decided the features of the reals; empty when they came as plain arrays."""
        if self.extractor is None:
            return self.identity
        return {**self.identity, "match": self.match, "flip": False}

    def save(self, path: str | Path) -> Path:
        """Write one `.giqa` file (safetensors with a JSON header), whole or not at all."""
        from safetensors.numpy import save

        learned = learned_of(self.scorer)
        kind = type(getattr(self.scorer, "scorer", self.scorer)).__name__  # behind `Folded` stands the user's own
        for name, value in learned.items():
            if value.dtype.kind not in "fiub":
                raise BadModel(
                    f"{kind} cannot be kept in a file: {name} is not a numeric array. To be kept, a scorer needs a "
                    "registered name and what giqa.types.ReferenceScorer asks for; see docs/methods.md."
                )
        spec = registry.canonical("scorer", self.scorer)
        if ":" in spec.partition("(")[0]:
            raise BadModel(f"{kind} cannot be kept in a file: it has no name; add it to the entry points giqa.scorers.")
        arrays = {f"scorer.{name}": value for name, value in learned.items() if value.ndim}
        content = learned_of(self.content) if self.content else {}
        arrays |= {f"content.{name}": value for name, value in content.items() if value.ndim}
        arrays["scale.held_out"] = self.scale.held_out
        arrays["reals.matrix"] = self.matrix
        arrays["reals.ids"] = np.frombuffer(json.dumps(list(self.reals.ids)).encode(), np.uint8)
        if self.reals.info is not None:
            arrays["reals.info"] = np.frombuffer(self.reals.info.tobytes(), np.uint8)
        if self.thumbnails:
            arrays["reals.thumbnails"] = np.frombuffer(b"".join(self.thumbnails.values()), np.uint8)
            arrays["reals.thumbnail_rows"] = np.array([(row, len(t)) for row, t in self.thumbnails.items()])
        header = {
            "format": FORMAT,
            "scorer": spec,
            "learned": {name: value.item() for name, value in learned.items() if not value.ndim},
            "content": {name: value.item() for name, value in sorted(content.items()) if not value.ndim},
            "seed": self.scale.seed,
            "layers": {name: layer.shape[1] for name, layer in self.reals.layers.items()},
            "extractor": self.extractor,
            "identity": dict(self.identity),
            "match": self.match,
            "made_by": dict(self.made_by),
            "digest": self.digest,
        }
        arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, save(arrays, metadata={"giqa": json.dumps(header)}))
        return path

    @property
    def digest(self) -> str:
        """SHA-256 over what the model learned; two models with one digest score alike."""
        digest = hashlib.sha256()
        content = learned_of(self.content) if self.content else {}
        learned = learned_of(self.scorer) | {f"content.{name}": value for name, value in content.items()}
        for name, value in sorted(learned.items()):
            if value.dtype.kind in "fiub":  # the bytes of an object array are addresses
                value = value if value.ndim else np.asarray(value.item())  # as a file gives it back
                digest.update(name.encode() + np.ascontiguousarray(value).tobytes())
        digest.update(self.scale.held_out.tobytes())
        return digest.hexdigest()


def learned_of(scorer: Any) -> dict[str, np.ndarray]:
    """What `fit` learned, by scikit-learn's convention; what is not one array of numbers is an array of objects."""
    learned = {}
    for name, value in vars(scorer).items():
        if name == "parts_" and hasattr(scorer, "blank_parts"):  # a scorer made of scorers
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


def read_header(path: str | Path) -> dict[str, Any]:
    """What a `.giqa` file says of itself, without loading its arrays."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise MissingSource(f"There is no model file {path}; make one with: giqa fit REALS -o {path.name}")
    try:
        with safe_open(path, framework="numpy") as file:
            header = dict(json.loads((file.metadata() or {})["giqa"]))
    except (SafetensorError, KeyError, ValueError, TypeError, OSError) as error:
        raise BadModel(f"{path} is not a giqa model, or is cut short ({type(error).__name__}); fit it again.") from None
    if header.get("format") != FORMAT:
        written = header.get("made_by", {}).get("giqa", "unknown")
        raise BadModel(
            f"{path} has file format {header.get('format')}, written by giqa {written}; this is giqa {__version__}, "
            f"which reads format {FORMAT}. Fit it again, or use that version."
        )
    return header


def load(path: str | Path) -> Model:
    """Read a `.giqa` file; its digest is checked."""
    from safetensors.numpy import load_file

    header = read_header(path)
    try:
        model = _model(header, load_file(path))
        whole = model.digest == header["digest"]
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        if isinstance(error, GiqaError):
            raise
        raise BadModel(f"{path} is damaged ({type(error).__name__}: {error}); fit it again.") from None
    if not whole:
        raise BadModel(f"{path} is damaged: what it learned does not have the digest it was saved with; fit it again.")
    return model


def _model(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Model:
    scorer = registry.make("scorer", header["scorer"])
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
        packed, end = arrays["reals.thumbnails"].tobytes(), 0
        thumbnails = {
            int(row): packed[end - size : end] for row, size in arrays["reals.thumbnail_rows"] if (end := end + size)
        }
    reals = Features(tuple(json.loads(arrays["reals.ids"].tobytes())), layers, info)
    how = header["extractor"], header["identity"], header["match"], header["made_by"]
    return Model(scorer, Scale(arrays["scale.held_out"], header["seed"]), reals, matrix, *how, thumbnails, content)
