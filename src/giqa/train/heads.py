"""Heads on features: the cheapest way to learn quality. No torch, seconds once the features are there."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from .. import __version__, registry
from ..errors import BadSpec
from ..features.reader import Reader
from ..images.copies import twins
from ..images.decode import decode
from ..images.degradations import KINDS, LEVELS, degraded
from ..model.made_by import MadeBy
from ..model.model import Model
from ..scorers.labels import FOLDS
from ..scorers.scale import Scale, assign_folds
from ..types import Features
from .manifest import Manifest, read_manifest

LEARNED = ("mbc", "bc", "ir", "rank")
RANKED = 200  # real pictures that are damaged, at most


def train_heads(
    kind: str, manifest: Any, extractor: Any = None, *, preset: str | None = None, seed: int = 0, **options: Any
) -> Model:
    """A model whose score was learned from snapshots; `giqa.score(fakes, model=...)` takes it like any other.

    Parameters
    ----------
    kind : "mbc", "bc", "ir" or "rank"
        What is learned; "rank" learns from damaged reals alone.
    manifest : path
        See `read_manifest`.
    extractor : str, object or None
        As in `giqa.fit`.
    preset : str or None
        Whose parameters the heads have.
    seed : int
        Of folds and starts.
    **options
        `n_heads` of "mbc". `store`, `workers` and `progress`: see `giqa.features.Reader`.

    Returns
    -------
    Model
        z and percentile are read against the manifest's reals, each scored by heads that have not seen it (five folds;
        twins, and pictures of one iteration, stay together).

    Raises
    ------
    BadSpec
        For another kind, or `n_heads` where there is one head.
    BadSource, BadShape

    Examples
    --------
    >>> import tempfile
    >>> from giqa.train import Snapshots
    >>> folder, rng = tempfile.mkdtemp(), np.random.default_rng(0)
    >>> snapshots = Snapshots(folder, every=1)
    >>> snapshots.write_reals(rng.integers(0, 255, (24, 32, 32, 3), np.uint8))
    >>> for iteration in (1, 2, 3, 4, 5):
    ...     snapshots(iteration, lambda: rng.integers(0, 40 * iteration, (4, 32, 32, 3), np.uint8))
    >>> model = train_heads("bc", f"{folder}/snapshots.csv", "statistics", store=False)
    >>> model.made_by["learned_from"]["snapshots"]
    5
    """
    n_heads = options.pop("n_heads", None)
    if str(kind) not in LEARNED:
        raise BadSpec(f"Learned scorers are {', '.join(LEARNED)}; got {kind!r}.")
    if n_heads is not None and kind != "mbc":
        raise BadSpec(f"Only mbc has several heads; {kind} does not take n_heads={n_heads!r}.")
    snapshots = read_manifest(manifest)
    reader = Reader(extractor, **options)
    scorer = registry.make("scorer", kind, preset=preset, seed=seed, n_heads=n_heads)
    fit = _fit_rank if kind == "rank" else _fit_labels
    scorer, reals, held_out, learned_from = fit(scorer, snapshots, reader, seed)
    spec, identity = registry.canonical("extractor", reader.extractor), dict(reader.extractor.identity())
    made_by = MadeBy(
        giqa=__version__,
        extractor=spec,
        features=identity,
        scorer=registry.canonical("scorer", scorer),
        chosen=scorer.chosen(),
        flip=False,
        seed=seed,
        reals=len(reals),
        reals_failed=int(snapshots.real.sum()) - len(reals),
        reals_digest=hashlib.sha256(b"".join(sorted(map(bytes, reals.info["digest"])))).hexdigest(),
        manifest=str(snapshots.source.name),
        learned_from=learned_from,
    )
    return Model(scorer, Scale(held_out, seed), reals, reals.matrix(), spec, identity, None, made_by.to_dict())


def snapshot_folds(snapshots: np.ndarray, info: np.ndarray, seed: int) -> np.ndarray:
    """Fold 0..4 of each picture, (n,): whole snapshots together (numbers from 0), and twins among reals (-1)."""
    rng = np.random.default_rng(seed)
    folds = np.empty(len(snapshots), int)
    real = snapshots < 0
    folds[real] = assign_folds(twins(info[real]), seed)
    known, place = np.unique(snapshots[~real], return_inverse=True)
    folds[~real] = (rng.permutation(len(known)) % FOLDS)[place]
    return folds


def _fit_labels(scorer: Any, snapshots: Manifest, reader: Reader, seed: int) -> tuple:
    features = reader.features(snapshots.source, "snapshots").features
    position = {name: row for row, name in enumerate(snapshots.source.ids)}
    rows = np.array([position[name] for name in features.ids], int)  # without those that could not be read
    real = snapshots.real[rows]
    folds = snapshot_folds(snapshots.snapshots()[rows], features.info, seed)
    scorer.fit(features, snapshots.label[rows], folds=folds)
    counts = {"generated": int((~real).sum()), "snapshots": len(np.unique(snapshots.snapshots()[rows][~real]))}
    return scorer, features.rows(real), scorer.held_out_[real], counts


def _fit_rank(scorer: Any, snapshots: Manifest, reader: Reader, seed: int) -> tuple:
    """Every real as it is and with four kinds of damage at four levels; pairs are made from one picture by one kind."""
    reals = snapshots.rows(snapshots.real)
    if len(reals.label) > RANKED:
        reals = reals.rows(np.sort(np.random.default_rng(seed).permutation(len(reals.label))[:RANKED]))
    whole = reader.features(reals.source, "reals").features
    position = {name: row for row, name in enumerate(reals.source.ids)}
    pixels = [decode(reals.source.raw(position[name])).pixels for name in whole.ids]
    cases = [(row, kind, level) for row in range(len(pixels)) for kind in KINDS for level in range(1, LEVELS + 1)]
    made = [degraded(pixels[row], kind, level, seed=row) for row, kind, level in cases]
    damaged = reader.features(made, "damaged reals").features
    start = [(row, kind, 0) for row in range(len(pixels)) for kind in KINDS]
    matrix = np.concatenate([whole.matrix()[[row for row, *_ in start]], damaged.matrix()])
    row, kind, level = (np.array(column) for column in zip(*start, *cases, strict=True))
    by_picture = assign_folds(twins(whole.info), seed)
    _, groups = np.unique([f"{r} {k}" for r, k in zip(row, kind, strict=True)], return_inverse=True)
    scorer.fit(_named(matrix, whole), -level.astype(float), folds=by_picture[row], groups=groups)
    return scorer, whole, scorer.held_out_[: len(start) : len(KINDS)], {"damaged": len(cases)}


def _named(matrix: np.ndarray, like: Features) -> Features:
    """A matrix with the layers of other features."""
    ends = np.cumsum([layer.shape[1] for layer in like.layers.values()])
    parts = np.split(matrix, ends[:-1], axis=1)
    return Features(tuple(map(str, range(len(matrix)))), dict(zip(like.layers, parts, strict=True)))
