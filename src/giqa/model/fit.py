"""Learn what real looks like: pictures or features of reals to a fitted model."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import __version__, registry
from ..errors import BadSpec
from ..features.detail import Detail
from ..features.extracted import as_features
from ..features.reader import Reader, features_together, make_extractor
from ..images import open_source
from ..images.pictures import as_pictures
from ..images.sharpness import look_at_sharpness
from ..scorers.products import check_products
from ..scorers.scale import Scale
from ..types import Features, Progress, Runner, as_progress, columns_of
from .detail import values_of, values_of_reals
from .folds import fit_in_order
from .made_by import MadeBy
from .model import Model
from .reals import describe_groups, describe_strays, describe_twins, parse_leave_out, record_groups, subgroups

DEFAULT_SCORER = "multilayer"
PAPERS_SCORER = "gmm"  # what `preset="paper"` and "released" mean where no scorer is named


def make_scorer(spec: Any = None, preset: str | None = None, seed: int | None = None) -> Any:
    """The scorer that a spec string names; objects pass through."""
    papers = registry.as_preset(preset) not in (None, "recommended")
    spec = (PAPERS_SCORER if papers else DEFAULT_SCORER) if spec is None else spec
    return registry.make("scorer", spec, preset=preset, seed=seed)


def fit(
    real: Any,
    extractor: Any = None,
    scorer: Any = None,
    *,
    preset: str | None = None,
    match: Any = None,
    flip: bool = False,
    seed: int = 0,
    leave_out: str | Collection[str] | None = None,
    group: str | None = None,
    store: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
    runner: Runner | None = None,
) -> Model:
    """Learn what real looks like.

    The order of the reals does not matter: folds and sums follow what the pictures are, and the model is the same bits.

    Parameters
    ----------
    real : path, array, source, Features or float array (n, d)
        The reals: pictures (see `giqa.images.open_source`), or features that were computed before.
    extractor, scorer : str, object or None
        A spec string such as "inception" or "knn(k=5)", or an object; None: what is recommended.
    preset : "paper", "released", "recommended" or None
        Whose parameters the extractor and the scorer take where the spec string names none.
    match : str, Match or None
        What is done to pixels before any feature: "match(size=64)"; see `giqa.images.match`.
    flip : bool
        Mirrored copies of the reals join the reference.
    seed : int
        Of folds, starts and resamples.
    leave_out : "twins", "strays", "twins,strays" or None
        Keep one of each group of twins; fit once more without the strays. Both are warned of otherwise: `twins` are
        reals with the same pixels or nearly the same thumbnail, `strays` show what is foreign to the other reals
        (`giqa.model.out_of_domain`), or, where no layer sees content, score more than 8 robust standard deviations
        below the median when held out.
    group : str or None
        A column of a source that is a table: warn of groups that score systematically lower though real.
    store, workers, progress, runner
        See `giqa.features.Reader`.

    Returns
    -------
    Model
        Scores any picture (`Model.score`) and can be saved in one file (`Model.save`).

    Raises
    ------
    BadShape
        With fewer than 20 different reals.
    BadSource, BadSpec, MissingWeights

    Examples
    --------
    >>> reals = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    >>> model = fit(reals, scorer="knn(k=1)")
    >>> len(model.reals), model.made_by["scorer"]
    (200, "knn(k=1, preset='recommended')")
    """
    seed, leave_out = registry.as_seed(seed), parse_leave_out(leave_out)
    scorer = make_scorer(scorer, preset, seed)
    given, progress = as_features(real), as_progress(progress) or (lambda what, done, total: None)
    flip = registry.as_flag(flip, "flip")
    if given is None:
        extractor = make_extractor(scorer.default_extractor if extractor is None else extractor, preset)
        reading: dict[str, Any] = {"store": store, "workers": workers, "progress": progress, "runner": runner}
        known = _read(real, Reader(extractor, match, **reading), flip, group)
    elif flip or any(given is not None for given in (extractor, match, group)):
        raise BadSpec("extractor, match, flip and group are for pictures; they cannot be asked of features.")
    else:
        known = _Reals(given, dict(given.made_by))
    progress("fit", 0, len(known.features))
    fitted, twins, strays = fit_in_order(scorer, known.features, known.mirrored, seed, leave_out)
    progress("fit", len(fitted.features), len(fitted.features))
    _warn(describe_twins(twins))
    _warn(describe_strays(strays, fitted.content is not None))
    features, reals = fitted.features, fitted.reals
    order: dict[str, Any] = {"twins": twins.record(), "strays": strays.record()}
    if known.labels and group is not None:
        z = fitted.scale.z(fitted.scale.held_out)
        groups = subgroups(z, [known.labels[name] for name in features.ids])
        order["groups"] = record_groups(groups, group)
        _warn(describe_groups(groups, group))
    made_by = MadeBy(
        giqa=__version__,
        extractor=known.extractor,
        features=known.identity,
        scorer=registry.canonical("scorer", scorer),
        chosen=fitted.scorer.chosen(),
        match=known.match,
        flip=flip,
        seed=seed,
        reals=len(features),
        reals_failed=known.failed,
        reals_digest=_digest(features),
        products=check_products().record(),
        reals_look=known.look,
        **order,
        layers=fitted.scorer.layer_names(reals.layers),
        levels=reals.made_by.get("levels"),
    )
    _warn(describe_scale(fitted.scale))
    how = known.extractor, known.identity, known.match, made_by.to_dict()
    detail = values_of_reals(known.detail, features.ids)
    own = extractor if known.extractor and registry.is_own(known.extractor) else None
    matrix = reals.matrix()
    return Model(fitted.scorer, fitted.scale, reals, matrix, *how, content=fitted.content, detail=detail, own=own)


def describe_scale(scale: Scale) -> str:
    """A sentence where z cannot be computed, or nothing."""
    if np.isfinite(scale.spread):
        return ""
    return (
        "More than half of the held-out reals have one and the same score, so z cannot be computed: the density "
        "underflows, or the reals are duplicates. percentile still can; or use preset='recommended'."
    )


@dataclass(frozen=True)
class _Reals:
    """Reals as features, and what is known of the pictures that they were."""

    features: Features
    identity: Mapping[str, Any]
    mirrored: Features | None = None
    extractor: str | None = None
    match: str | None = None
    labels: Mapping[str, str] | None = None
    look: Mapping[str, Any] | None = None
    failed: int = 0
    detail: Mapping[str, float] | None = None


def _read(real: Any, reader: Reader, flip: bool, group: str | None) -> _Reals:
    """Reals, and their mirror images on request, in one pass."""
    pictures = as_pictures(open_source(real))
    labels = _labels(pictures, group)
    look = look_at_sharpness(pictures, reader.match, workers=reader.workers).record()
    readers = [reader, replace(reader, extractor=Detail()), *([replace(reader, flip=True)] if flip else [])]
    straight, detailed, *mirrored = features_together(pictures, readers, "reals")
    return _Reals(
        straight.needed("reals", warn=True),
        dict(reader.extractor.identity()),
        mirrored[0].features if flip else None,
        registry.canonical("extractor", reader.extractor),
        reader.match and reader.match.spec(),
        labels,
        look,
        len(straight.failures),
        dict(zip(detailed.features.ids, values_of(detailed.features), strict=True)) if len(detailed.features) else {},
    )


def _warn(text: str) -> None:
    """A warning that points to who called `fit`, if there is anything to say."""
    if text:
        warnings.warn(text, stacklevel=3)


def _labels(source: Any, group: str | None) -> dict[str, str] | None:
    """The value of the column `group` for each id; none without one."""
    if group is None:
        return None
    columns = columns_of(source)
    if not isinstance(group, str) or group not in columns:
        has = f"has the columns {', '.join(columns)}" if columns else "is no table"
        raise BadSpec(f"group={group!r} names a column of the table of reals; {source.name!r} {has}.")
    return dict(zip(source.ids, columns[group], strict=True))


def _digest(features: Features) -> str:
    """SHA-256 over the reals: their pixels where known, else their features; in any order."""
    rows = features.matrix() if features.info is None else features.info["digest"]
    return hashlib.sha256(b"".join(sorted(np.ascontiguousarray(row).tobytes() for row in rows))).hexdigest()
