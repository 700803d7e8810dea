"""Reference statistics as files: mean and covariance of features, made once, as the world of FID passes them around."""

from __future__ import annotations

import io
import json
import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, registry
from ..errors import BadSource, BadSpec, MissingExtra, MissingSource
from ..features.reader import Reader
from ..features.select import layer_names
from ..files import as_path, is_whole, lost_members, replace_file, seal
from ..images import open_source
from ..images.arrays import UNREADABLE, as_array, member
from ..types import Features, Progress
from .frechet import frechet_distance
from .moments import Moments

_reconstruct = np.zeros(0).__reduce__()[0]  # what NumPy makes arrays with; its module has another name in NumPy 1
KEPT = ("mu", "sigma", "n", "made_by", "mu_s", "sigma_s")
MOST = 2**53  # rows, whose number is kept as a number of any kind
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
    spatial : Moments or None, default None
        Of spatial features, for sFID; only from files of ADM (`mu_s`, `sigma_s`), and kept when they are written.
    """

    moments: Moments
    made_by: Mapping[str, Any] = field(default_factory=dict)
    spatial: Moments | None = None

    def write(self, path: str | Path) -> Path:
        """Write an .npz with `mu`, `sigma`, `n` and `made_by` (JSON), which other FID tools read too; atomic.

        Parameters
        ----------
        path : str or Path
            NAME.npz; or NAME.pt, which torch-fidelity reads from its cache. Its folder is made.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        BadSpec
            If the name ends otherwise.
        MissingExtra
            For .pt without torch.
        """
        path = as_path(path)
        parts = {"mu": self.moments.mean, "sigma": self.moments.covariance, "n": np.array(self.moments.n)}
        if self.spatial is not None and path.suffix.lower() == ".npz":
            parts |= {"mu_s": self.spatial.mean, "sigma_s": self.spatial.covariance}
        how, packed = json.dumps(seal(self.made_by, _numbers(parts))).encode(), io.BytesIO()
        if path.suffix.lower() == ".pt":
            _torch().save({**parts, "n": self.moments.n, "made_by": how.decode()}, packed)
        elif path.suffix.lower() == ".npz":
            np.savez(packed, **parts, made_by=np.frombuffer(how, np.uint8))
        else:
            raise BadSpec(f"Statistics are written as NAME.npz, or NAME.pt for torch-fidelity; got {path.name!r}.")
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
    """Statistics from a file: `mu` and `sigma`, as other tools write them, or an array of features (n, d).

    Parameters
    ----------
    path : str or Path
        An .npz of pytorch-fid, clean-fid, EDM or ADM, a .pt from the cache of torch-fidelity, or an .npy. No code in a
        file is run: of a .pt only numbers, texts and arrays are read.

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
    path = as_path(path)
    if path.is_dir():
        raise BadSource(f"{path} is a folder; of its pictures: giqa statistics make {path} -o {path.name}.npz")
    if not path.is_file():
        raise MissingSource(f"There is no file {path}; make one with: giqa statistics make REALS -o {path.name}")
    arrays = _arrays(path)
    if {"mu", "sigma"} <= arrays.keys():
        made_by, n = _made_by(path, arrays)
        moments = Moments.from_statistics(arrays["mu"], arrays["sigma"], n)
        spatial = {"mu_s", "sigma_s"} <= arrays.keys()
        return Statistics(
            moments, made_by, Moments.from_statistics(arrays["mu_s"], arrays["sigma_s"]) if spatial else None
        )
    arrays = {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}
    features = [a for a in arrays.values() if a.ndim == 2 and a.dtype.kind == "f"]
    if len(features) != 1 or arrays.keys() & set(KEPT):
        pictures = any(a.ndim == 4 for a in arrays.values())
        hint = f"; for those of its pictures: giqa statistics make {path.name} -o NAME.npz" if pictures else ""
        raise BadSource(
            f"{path} holds {', '.join(name or 'one array' for name in arrays)}; wanted are mu and sigma, or one array "
            f"(n, d) of features{hint}."
        )
    _refuse_covariance(path, features[0])
    return Statistics(Moments.of(features[0]))


def _refuse_covariance(path: Path, matrix: np.ndarray) -> None:
    """Features are no symmetric square; a covariance under another name would pass for rows of them."""
    n, d = matrix.shape
    if n == d > 1 and (np.diagonal(matrix) >= 0).all() and np.allclose(matrix, matrix.T, atol=0):
        raise BadSource(
            f"{path} holds a symmetric matrix ({n}, {n}), which looks like a covariance and not like features (n, d). "
            "Call the mean mu and the covariance sigma: np.savez(FILE, mu=..., sigma=...)."
        )


def _made_by(path: Path, arrays: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """How statistics were made, and of how many rows; {} and 0 where the file does not say."""
    how = arrays.get("made_by", "{}")
    try:
        made_by, n = json.loads(how if isinstance(how, str) else how.tobytes()), int(arrays.get("n", 0))
        whole = "sha256" not in made_by or is_whole(made_by, _numbers(arrays))
        if not isinstance(made_by, dict) or not 0 <= n < MOST or n != arrays.get("n", 0):
            raise ValueError
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise BadSource(f"{path} does not say as giqa does how it was made (made_by, n); make it again.") from None
    if len(there := [name for name in ("n", "made_by") if name in arrays]) == 1:
        raise BadSource(
            f"{path} has {there[0]}, but giqa writes n and made_by; make it again, or leave {there[0]} out."
        )
    if not whole:
        raise BadSource(f"{path} is damaged: it does not have the checksum it was written with; make it again.")
    return {name: said for name, said in made_by.items() if name != "sha256"}, n


def _numbers(arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """What the checksum covers."""
    return {name: np.asarray(arrays[name], np.float64) for name in KEPT if name in arrays and name != "made_by"}


def _arrays(path: Path) -> Mapping[str, Any]:
    """What a file holds by name, "" of a single array; of statistics with pictures next to them only these."""
    try:
        if path.suffix.lower() == ".pt":
            content = _from_torch(path)
            content = content if isinstance(content, Mapping) else {"": content}
            return {name: as_array(part) for name, part in content.items()}
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"": loaded}
        with loaded:
            if lost_members(path, len(loaded.files)):
                raise ValueError("its list of arrays is damaged")
            wanted = [name for name in KEPT if name in loaded.files] if "mu" in loaded.files else loaded.files
            return {name: member(path, name) for name in wanted}
    except (*UNREADABLE, pickle.UnpicklingError) as error:
        hint = "; pickles are not read, since they can run code" if path.suffix.lower() in (".pkl", ".pickle") else ""
        why = "" if "allow_pickle=`" in str(error) else f" ({error})"  # numpy's guess at any other file
        raise BadSource(f"{path} is no .npz, .npy or .pt of plain arrays{why}{hint}.") from None


def _from_torch(path: Path) -> Any:
    torch = _torch()
    plain = [np.ndarray, np.dtype, _reconstruct, *(type(np.dtype(kind)) for kind in ("f4", "f8", "i8"))]
    with torch.serialization.safe_globals(plain):
        return torch.load(path, map_location="cpu", weights_only=True)


def _torch() -> Any:
    try:
        import torch
    except ModuleNotFoundError:
        raise MissingExtra("Files of torch-fidelity (.pt) need torch: pip install 'giqa[torch]'") from None
    return torch


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
