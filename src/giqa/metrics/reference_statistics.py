"""Reference statistics as files: mean and covariance of features, made once, as the world of FID passes them around."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, registry
from ..errors import BadSource, BadSpec, MissingSource
from ..features.extract import as_match, extract_steps, make_extractor
from ..features.select import layer_names
from ..files import replace_file
from ..images import open_source
from ..types import Features, Progress
from .frechet import Moments, frechet_distance

DECIDES = ("extractor", "layers", "match", "features")  # of `made_by`: what must be alike for a distance to mean much


@dataclass(frozen=True, eq=False)
class Statistics:
    """Moments of a set of pictures, and how their features were made (empty where a file does not say)."""

    moments: Moments
    made_by: Mapping[str, Any] = field(default_factory=dict)

    def write(self, path: str | Path) -> Path:
        """An .npz with `mu`, `sigma`, `n` and `made_by` (JSON), which other FID tools read too; whole or not at all."""
        path = Path(path)
        if path.suffix.lower() != ".npz":
            raise BadSpec(f"Statistics are written as NAME.npz, got {path.name!r}.")
        packed = io.BytesIO()
        parts = {"mu": self.moments.mean, "sigma": self.moments.covariance, "n": np.array(self.moments.n)}
        np.savez(packed, **parts, made_by=np.frombuffer(json.dumps(dict(self.made_by)).encode(), np.uint8))
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, packed.getvalue())
        return path


def statistics(
    where: Any,
    extractor: Any = None,
    *,
    layers: Any = None,
    match: Any = None,
    store: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Statistics:
    """Moments of a source of pictures, 64 pictures at a time, so that memory does not grow with their number.

    `layers`: as in `giqa.compare.compare`; taken as they are, never standardised.
    """
    source, extractor, match = open_source(where), make_extractor(extractor), as_match(match)
    moments, names, done, failed = None, [], 0, 0
    levels = {"levels": {level: list(found) for level, found in getattr(extractor, "levels", {}).items()}}
    for step in extract_steps(source, extractor, match=match, store=store, workers=workers):
        done, failed = done + len(step.features) + len(step.failures), failed + len(step.failures)
        if len(step.features):
            names = names or layer_names(
                Features((), dict.fromkeys(step.features.layers, np.empty((0, 1))), None, levels), layers
            )
            part = Moments.of(np.concatenate([step.features.layers[name] for name in names], axis=1))
            moments = part if moments is None else moments + part
        if progress:
            progress("statistics", done, len(source))
    if moments is None or moments.n < 2:
        raise BadSource(f"Statistics need at least 2 pictures that can be read; {source.name} has {done - failed}.")
    if failed:
        warnings.warn(f"{failed} pictures could not be read and are left out", stacklevel=2)
    how = {"giqa": __version__, "extractor": registry.canonical("extractor", extractor), "layers": names}
    how |= {"match": match.spec() if match else None, "features": dict(extractor.identity()), "failed": failed}
    return Statistics(moments, how)


def read_statistics(path: str | Path) -> Statistics:
    """Statistics from a file: an .npz with `mu` and `sigma`, as other tools write it, or an array of features (n, d).

    Nothing pickled is ever loaded. Errors: `MissingSource`, `BadSource`, `BadShape`.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingSource(f"There is no file {path}; make one with: giqa statistics make REALS -o {path.name}")
    try:
        loaded = np.load(path, allow_pickle=False)
        arrays = {"": loaded} if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise BadSource(f"{path} is no .npz or .npy of plain arrays ({error}).") from None
    if {"mu", "sigma"} <= arrays.keys():
        made_by = json.loads(arrays["made_by"].tobytes()) if "made_by" in arrays else {}
        return Statistics(Moments.from_statistics(arrays["mu"], arrays["sigma"], int(arrays.get("n", 0))), made_by)
    features = [a for a in arrays.values() if a.ndim == 2 and a.dtype.kind == "f"]
    if len(features) != 1:
        raise BadSource(
            f"{path} holds {', '.join(name or 'one array' for name in arrays)}; wanted are mu and sigma, or one array "
            "(n, d) of features."
        )
    return Statistics(Moments.of(features[0]))


def distance(one: Statistics, other: Statistics) -> float:
    """Fréchet distance of two statistics; warns when they say that they were made in different ways."""
    for key in DECIDES if one.made_by and other.made_by else ():
        if one.made_by.get(key) != other.made_by.get(key):
            warnings.warn(f"the statistics were made in different ways: {key} differs", stacklevel=2)
            break
    return frechet_distance(one.moments, other.moments)
