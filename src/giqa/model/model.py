"""A fitted model: what real looks like, learned once, kept in one file, usable without the reals."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np

from .. import registry
from ..errors import BadModel, BadShape, MissingWeights
from ..features.detail import VERSION as DETAIL_VERSION
from ..features.extracted import as_features
from ..features.reader import Reader
from ..images.copies import Copies
from ..scorers.knn import KNN
from ..scorers.scale import Scale
from ..scorers.scorer import Folded
from ..types import Extractor, Features, Progress
from .columns import REASON
from .detail import DetailJudge
from .file import learned_of, write_model
from .made_by import MadeBy
from .out_of_domain import Content
from .reason import UNUSUAL, Texture, reasons, texture_of, words_of_layers
from .score import Forgetful, Judge, score_by
from .table import Scores


@dataclass(frozen=True, eq=False)
class Model:
    """A reference scorer, its scale of held-out reals, and how features must be made for it; `giqa.fit` makes one.

    Parameters
    ----------
    scorer : ReferenceScorer
        Fitted on the reals.
    scale : Scale
        The scores of the held-out reals: what z and percentile are measured with.
    reals : Features
        Ids of the reals, their layers and, when known, `info`.
    matrix : float32 array (n, d)
        Their features, all layers side by side, for nearest neighbours.
    extractor : str or None
        Spec string of the extractor; None when fitted on arrays.
    identity : mapping
        Everything that decided the features.
    match : str or None
        What is done to pixels before any feature, as a spec string.
    made_by : mapping
        How the model was made: `giqa.model.made_by.MadeBy` as a dict.
    thumbnails : mapping of int to bytes, or None
        Small copies of the reals by row; only when asked for.
    content : Content or None
        Decides what is out of domain; None where no layer sees content.
    detail : float64 array (n,) or None
        How much detail each real has (`giqa.features.detail`), in order; None where that is not known.
    own : Extractor or None
        The extractor itself where it has no registered name, such as a network of the user's own. It is not kept in a
        file: `dataclasses.replace(giqa.load(file), own=extractor)` gives it back.

    Examples
    --------
    >>> from giqa.model.fit import fit
    >>> fit(np.random.default_rng(0).normal(size=(200, 4)).astype("f4"), scorer="knn(k=1)")
    <giqa.Model knn(k=1, preset='recommended'), 200 reals; model.score(FAKES) scores, model.save("NAME.giqa") keeps it>
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
    detail: np.ndarray | None = None
    own: Extractor | None = None

    def __repr__(self) -> str:
        scorer = MadeBy.from_dict(self.made_by).scorer or type(self.scorer).__name__
        then = 'model.score(FAKES) scores, model.save("NAME.giqa") keeps it'
        return f"<giqa.Model {scorer}, {len(self.reals)} reals; {then}>"

    def score(
        self, fakes: Any, *, store: bool = True, workers: int | None = None, progress: Progress | None = None
    ) -> Scores:
        """One row a picture, on the scale of held-out reals.

        Parameters
        ----------
        fakes : path, array, source, Features or float array (n, d)
            What is scored: pictures (see `giqa.images.open_source`), or features made like those of the reals.
        store, workers, progress
            See `giqa.features.Reader`.

        Returns
        -------
        Scores
            A picture that cannot be read gets a row with `error` and no score.

        Examples
        --------
        >>> from giqa.model.fit import fit
        >>> rng = np.random.default_rng(0)
        >>> reals, fakes = rng.normal(size=(200, 4)).astype("f4"), rng.normal(size=(5, 4)).astype("f4") + 9
        >>> fit(reals, scorer="knn").score(fakes).percentile.max() < .01
        np.True_
        """
        return score_by(self.judges(fakes), fakes, store=store, workers=workers, progress=progress)

    def judge(self) -> ModelJudge:
        """This model for the length of one scoring."""
        return ModelJudge(self)

    def judges(self, fakes: Any) -> list[Judge]:
        """This model, and what it knows of detail, where it knows it and pictures are scored."""
        if self.detail is None or as_features(fakes) is not None:
            return [self.judge()]
        return [self.judge(), DetailJudge(self.detail, self.match)]

    def columns(self, features: Features) -> dict[str, np.ndarray | list[str]]:
        """Columns of `Scores` for pictures that have features; none depends on the other pictures in the batch.

        Parameters
        ----------
        features : Features
            Of n pictures, made like those of the reals.

        Returns
        -------
        dict of str to float64 array (n,) or list of n texts
            score, z, percentile, z_low, z_high, duplicate_of, out_of_domain, and reason where the levels of the layers
            are known.

        Raises
        ------
        BadShape
            When layers, widths or the way in which the features were made are others than those of the reals.
        """
        features = self._given(features)
        matrix = self._matrix(features)
        score, deviation = self.scorer.score_with_deviation(matrix)
        low, high = self.scale.interval(score, deviation)
        repeats = np.full(len(features), -1)
        if features.info is not None and self._copies is not None:
            repeats = self._copies.rows(features.info)
        foreign = [""] * len(features)
        if self.content is not None:
            foreign = ["yes" if outside else "no" for outside in self.content.outside(matrix)]
        percentile = self.scale.percentile(score)
        return {
            "score": score,
            "z": self.scale.z(score),
            "percentile": percentile,
            "z_low": low,
            "z_high": high,
            "duplicate_of": [self.reals.ids[row] if row >= 0 else "" for row in repeats],
            "out_of_domain": foreign,
            **({"reason": self._reasons(features, matrix, percentile)} if self.words else {}),
        }

    @cached_property
    def words(self) -> Mapping[str, str]:
        """Layer -> the word for what it sees; empty where the extractor does not say."""
        return words_of_layers(self.reals.layers, self.made_by.get("levels") or {})

    @cached_property
    def _texture(self) -> Texture:
        return texture_of(self.reals)

    def _reasons(self, features: Features, matrix: np.ndarray, percentile: np.ndarray) -> list[str]:
        said, rows = [""] * len(matrix), np.flatnonzero(percentile <= UNUSUAL)
        if len(rows):
            z, names = self.scorer.layer_z(matrix[rows]), list(self.made_by.get("layers") or self.words)
            worst = [names[i] for i in z.argmin(axis=1)] if z.shape[1] else names[-1:] * len(rows)
            for row, word in zip(rows, reasons(worst, self.words, features.rows(rows), self._texture), strict=True):
                said[row] = word
        return said

    def neighbours(self, features: Features, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
        """The reals that are nearest to each picture, in standardised features.

        Parameters
        ----------
        features : Features or float array (n, d)
            Of n pictures.
        k : int
            How many for each.

        Returns
        -------
        rows : int array (n, k)
            Of the reals, the nearest first.
        distances : float array (n, k)
        """
        return self._nearest.neighbours(self._matrix(self._given(features)), registry.as_whole(k, "k"))

    def _given(self, features: Any) -> Features:
        """What a person passes as features, with the layers of the reals."""
        given = as_features(features)
        if given is None:
            raise BadShape(f"Asked are Features, or a float array (n, d), got {features!r:.80}.")
        self._check_layers(given)
        return given

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
        """Write one `.giqa` file (safetensors with a JSON header under one checksum), atomically.

        Parameters
        ----------
        path : path
            Its folder is made where it is not there.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        BadModel
            When the scorer learned something that is no array of numbers, or has no registered name.
        """
        learned = learned_of(self.scorer)
        own = self.scorer.scorer if isinstance(self.scorer, Folded) else self.scorer
        kind = type(own).__name__
        for name, value in learned.items():
            if value.dtype.kind not in "fiub":
                raise BadModel(
                    f"{kind} cannot be kept in a file: {name} is not a numeric array. To be kept, a scorer needs a "
                    "registered name and what giqa.types.ReferenceScorer asks for; see docs/methods.md."
                )
        spec = registry.canonical("scorer", self.scorer)
        if registry.is_own(spec):
            raise BadModel(f"{kind} cannot be kept in a file: it has no name; add it to the entry points giqa.scorers.")
        arrays = {f"scorer.{name}": value for name, value in learned.items() if value.ndim}
        content = learned_of(self.content) if self.content else {}
        arrays |= {f"content.{name}": value for name, value in content.items() if value.ndim}
        arrays["scale.held_out"] = self.scale.held_out
        arrays |= {} if self.detail is None else {f"reals.detail_{DETAIL_VERSION}": self.detail}
        arrays["reals.matrix"] = self.matrix
        arrays["reals.ids"] = np.frombuffer(json.dumps(list(self.reals.ids)).encode(), np.uint8)
        if self.reals.info is not None:
            arrays["reals.info"] = np.frombuffer(self.reals.info.tobytes(), np.uint8)
        if self.thumbnails:
            arrays["reals.thumbnails"] = np.frombuffer(b"".join(self.thumbnails.values()), np.uint8)
            arrays["reals.thumbnail_rows"] = np.array([(row, len(t)) for row, t in self.thumbnails.items()])
        header = {
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
        return write_model(path, header, arrays)

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


class ModelJudge(Forgetful):
    """A fitted model as a judge."""

    takes_features = True

    def __init__(self, model: Model):
        self.model = model
        self.adds = REASON if model.words else ()

    def reader(self) -> Reader:
        if self.model.extractor is None:
            raise BadShape("The model was fitted on feature arrays; give features (n, d), or fit it on pictures.")
        return Reader(model_extractor(self.model), self.model.match)

    def columns(self, features: Features) -> Mapping[str, Any]:
        return self.model.columns(_named_as(features, self.model))

    def made_by(self) -> Mapping[str, Any]:
        return {**self.model.made_by, "model_digest": self.model.digest, "shared": list(self.model.scale.shared)}


def _named_as(features: Features, model: Model) -> Features:
    """A plain array is accepted wherever features are: one nameless layer takes the model's only name."""
    if list(features.layers) == ["features"] and len(model.reals.layers) == 1:
        return replace(features, layers=dict(zip(model.reals.layers, features.layers.values(), strict=True)))
    return features


def model_extractor(model: Model) -> Extractor:
    """The extractor a model was fitted with; refuses one that would compute other features.

    Weights that are no longer where they were are looked for by their digest among the imported ones.
    """
    spec = model.extractor or ""
    if model.own is None and registry.is_own(spec):
        raise BadModel(
            f"The model was fitted with an extractor that has no registered name, {spec[:60]}; give it back "
            "by dataclasses.replace(model, own=extractor), or add it to the entry points giqa.extractors."
        )
    extractor: Any = model.own or registry.make_again("extractor", spec)  # which may have weights that moved
    try:
        now = dict(extractor.identity())
    except MissingWeights as missing:
        if "weights_sha256" not in model.identity:
            raise
        extractor.weights = f"sha256:{model.identity['weights_sha256']}"
        try:
            now = dict(extractor.identity())
        except MissingWeights:
            raise missing from None
    if now != dict(model.identity):
        key = sorted(k for k in now.keys() | model.identity.keys() if now.get(k) != model.identity.get(k))[0]
        raise BadModel(
            f"The extractor computes other features than when the model was fitted: {key} was "
            f"{model.identity.get(key)!r}, is {now.get(key)!r}. Bring back that file, or fit again."
        )
    return cast(Extractor, extractor)
