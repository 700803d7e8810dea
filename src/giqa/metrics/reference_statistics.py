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
from ..features.reader import Reader
from ..features.select import layer_names
from ..files import replace_file
from ..images import open_source
from ..types import Features, Progress
from .frechet import Moments, frechet_distance

DECIDES = ("extractor", "layers", "match", "features")  # of `made_by`: what must be alike for a distance to mean much


@dataclass(frozen=True, eq=False)
class Statistics:
    """Moments of a set of pictures, and how their features were made.

    Parameters
    ----------
    moments : Moments
        Number, mean and scatter of the features.
    made_by : mapping, default empty
        Extractor, layers and matching; empty where a file does not say.
    """

    moments: Moments
    made_by: Mapping[str, Any] = field(default_factory=dict)

    def write(self, path: str | Path) -> Path:
        """Write an .npz with `mu`, `sigma`, `n` and `made_by` (JSON), which other FID tools read too; atomic.

        Parameters
        ----------
        path : str or Path
            NAME.npz; its folder is made.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        BadSpec
            If the name does not end in .npz.
        """
        path = Path(path)
        if path.suffix.lower() != ".npz":
            raise BadSpec(f"Statistics are written as NAME.npz, got {path.name!r}.")
        packed = io.BytesIO()
        parts = {"mu": self.moments.mean, "sigma": self.moments.covariance, "n": np.array(self.moments.n)}
        np.savez(packed, **parts, made_by=np.frombuffer(json.dumps(dict(self.made_by)).encode(), np.uint8))
        return replace_file(path, packed.getvalue())


def statistics(
    where: Any,
    extractor: Any = None,
    *,
    layers: Any = None,
    match: Any = None,
    progress: Progress | None = None,
    **reading: Any,
) -> Statistics:
    """Moments of the features of a source of pictures, in memory that does not grow with their number.

    Parameters
    ----------
    where : str, Path, Source or array
        The pictures, as `giqa.images.open_source` takes them; 64 are read at a time.
    extractor : str, Extractor or None, default None
        What makes the features; None: giqa's own.
    layers : str, sequence of str or None, default None
        As in `giqa.compare.compare`; taken as they are, never standardised.
    match : str, Match or None, default None
        Size, crop and format that pictures are brought to; None: as they are.
    progress : callable or None, default None
        Called as (what, done, total).
    **reading
        `store` and `workers` of `giqa.features.Reader`.

    Returns
    -------
    Statistics
        Their moments, and how they were made.

    Raises
    ------
    BadSource
        If fewer than 2 pictures can be read.

    Examples
    --------
    >>> pictures = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
    >>> statistics(pictures, "statistics", store=False).moments.n
    4
    """
    source, reader = open_source(where), Reader(extractor, match, **reading)
    moments, names, done, failed = None, [], 0, 0
    for step in reader.steps(source):
        done, failed = done + len(step.features) + len(step.failures), failed + len(step.failures)
        if len(step.features):
            names = names or layer_names(
                Features((), dict.fromkeys(step.features.layers, np.empty((0, 1))), None, reader.made_by), layers
            )
            part = Moments.of(np.concatenate([step.features.layers[name] for name in names], axis=1))
            moments = part if moments is None else moments + part
        if progress:
            progress("statistics", done, len(source))
    if moments is None or moments.n < 2:
        raise BadSource(f"Statistics need at least 2 pictures that can be read; {source.name} has {done - failed}.")
    if failed:
        warnings.warn(f"{failed} pictures could not be read and are left out", stacklevel=2)
    how = {"giqa": __version__, "extractor": registry.canonical("extractor", reader.extractor), "layers": names}
    how |= {"match": reader.made_by["match"], "features": dict(reader.extractor.identity()), "failed": failed}
    return Statistics(moments, how)


def read_statistics(path: str | Path) -> Statistics:
    """Statistics from a file: an .npz with `mu` and `sigma`, as other tools write it, or an array of features (n, d).

    Parameters
    ----------
    path : str or Path
        An .npz or .npy; nothing pickled is ever loaded.

    Returns
    -------
    Statistics
        With an empty `made_by` where the file does not say.

    Raises
    ------
    MissingSource
        If there is no such file.
    BadSource
        If it holds neither `mu` and `sigma` nor one array of features.
    BadShape
        If its mean and covariance do not fit.

    Examples
    --------
    >>> import tempfile
    >>> path = Statistics(Moments.of(np.eye(4))).write(f"{tempfile.mkdtemp()}/reals.npz")
    >>> read_statistics(path).moments.mean.tolist()
    [0.25, 0.25, 0.25, 0.25]
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
    """Fréchet distance of two statistics; warns when they say that they were made in different ways.

    Parameters
    ----------
    one, other : Statistics
        Of reals and of fakes.

    Returns
    -------
    float
        See `frechet_distance`.
    """
    for key in DECIDES if one.made_by and other.made_by else ():
        if one.made_by.get(key) != other.made_by.get(key):
            warnings.warn(f"the statistics were made in different ways: {key} differs", stacklevel=2)
            break
    return frechet_distance(one.moments, other.moments)
