"""Set metrics as others compute them, on the same features: whole packages where installed, else published definitions.

torch-fidelity, pytorch-fid and clean-fid import torchvision for their networks, of which nothing is used here: where it
is not installed, an empty stand-in takes its place. `prdc`, `sqrtm` (scipy) and `rbf` (scikit-learn) need none.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import sys
import types
from collections.abc import Callable
from importlib import metadata
from typing import Any

import numpy as np

Peer = Callable[[np.ndarray, np.ndarray], Any]
K = 5


class Absent(types.ModuleType):
    """A module in which every name is another one, and every capital one a class."""

    __path__: list[str] = []  # noqa: RUF012 - what makes it a package

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {}) if name[0].isupper() else Absent(f"{self.__name__}.{name}")


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds torchvision and all in it, empty."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        return importlib.machinery.ModuleSpec(name, self) if name.split(".")[0] == "torchvision" else None

    def create_module(self, spec: Any) -> types.ModuleType:
        return Absent(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def package(name: str) -> Any:
    """A module of a package that may look for torchvision."""
    if importlib.util.find_spec("torchvision") is None:
        sys.meta_path.append(Finder())
    return importlib.import_module(name)


def installed(name: str) -> str | None:
    """`name version`, or None."""
    with contextlib.suppress(metadata.PackageNotFoundError):
        return f"{name} {metadata.version(name)}"
    return None


# --- Fréchet


def fd_fidelity(real: np.ndarray, fake: np.ndarray) -> float:
    fid, torch = package("torch_fidelity.metric_fid"), importlib.import_module("torch")
    sides = [fid.fid_features_to_statistics(torch.from_numpy(x)) for x in (fake, real)]
    return float(fid.fid_statistics_to_metric(*sides, False)["frechet_inception_distance"])


def fd_sqrtm(real: np.ndarray, fake: np.ndarray) -> float:
    """float64 covariances and scipy's root of their product: what FID tools have done since 2017."""
    from scipy.linalg import sqrtm

    a, b = (np.cov(x, rowvar=False) for x in (real, fake))
    gap = real.mean(axis=0, dtype=float) - fake.mean(axis=0, dtype=float)
    return float(gap @ gap + np.trace(a) + np.trace(b) - 2 * np.trace(sqrtm(a @ b).real))


def fd_of(module: str, name: str) -> Peer:
    """The distance function of pytorch-fid or clean-fid, of numpy's means and covariances."""

    def distance(real: np.ndarray, fake: np.ndarray) -> float:
        compute = getattr(package(module), name)
        return float(compute(*(s for x in (fake, real) for s in (x.mean(axis=0), np.cov(x, rowvar=False)))))

    return distance


def infinity_of(points: int, seed: int = 0) -> Peer:
    """FD-infinity as published: draws of each size, torch-fidelity's statistics and distance of each, a line."""

    def compute(real: np.ndarray, fake: np.ndarray) -> float:
        fid, torch = package("torch_fidelity.metric_fid"), importlib.import_module("torch")
        rng = np.random.default_rng(seed)
        sizes = np.linspace(0.1 * len(fake), len(fake), points).astype(int)
        reals, found = fid.fid_features_to_statistics(torch.from_numpy(real)), []
        for size in sizes:
            drawn = torch.from_numpy(fake[rng.choice(len(fake), size, replace=False)])
            fakes = fid.fid_features_to_statistics(drawn)
            found.append(fid.fid_statistics_to_metric(fakes, reals, False)["frechet_inception_distance"])
        return float(np.polyfit(1 / sizes, found, 1)[1])

    return compute


# --- kernels


def kd_fidelity(subsets: int = 100, size: int = 1000) -> Peer:
    def compute(real: np.ndarray, fake: np.ndarray) -> float:
        kid, torch = package("torch_fidelity.metric_kid"), importlib.import_module("torch")
        options = {"kid_subsets": subsets, "kid_subset_size": min(size, len(real), len(fake)), "verbose": False}
        return float(
            kid.kid_features_to_metric(*map(torch.from_numpy, (fake, real)), **options)[
                "kernel_inception_distance_mean"
            ]
        )

    return compute


def kd_clean(subsets: int = 100, size: int = 1000) -> Peer:
    def compute(real: np.ndarray, fake: np.ndarray) -> float:
        return float(package("cleanfid.fid").kernel_distance(real, fake, subsets, size))

    return compute


def kd_definition(subsets: int = 100, size: int = 1000) -> Peer:
    """scikit-learn's kernel on subsets."""

    def compute(real: np.ndarray, fake: np.ndarray) -> float:
        from sklearn.metrics.pairwise import polynomial_kernel

        rng, found, m = np.random.default_rng(0), [], min(size, len(real), len(fake))
        for _ in range(subsets):
            x, y = (s[rng.choice(len(s), m, replace=False)] for s in (real, fake))
            xx, yy, xy = (polynomial_kernel(a, b, degree=3, coef0=1) for a, b in ((x, x), (y, y), (x, y)))
            found.append(((xx.sum() - np.trace(xx)) + (yy.sum() - np.trace(yy))) / (m * (m - 1)) - 2 * xy.mean())
        return float(np.mean(found))

    return compute


def cmmd_sklearn(real: np.ndarray, fake: np.ndarray) -> float:
    """scikit-learn's kernel over all pairs of directions."""
    from sklearn.metrics.pairwise import rbf_kernel

    x, y = (s / np.linalg.norm(s, axis=1, keepdims=True) for s in (real, fake))
    sums = [rbf_kernel(a, b, gamma=1 / 200).mean(dtype=float) for a, b in ((x, x), (y, y), (x, y))]
    return float(1000 * (sums[0] + sums[1] - 2 * sums[2]))


# --- neighbours and the rest


def prdc_package(real: np.ndarray, fake: np.ndarray) -> list[float]:
    with contextlib.redirect_stdout(io.StringIO()):
        found = package("prdc").compute_prdc(real, fake, K)
    return [float(found[name]) for name in ("precision", "recall", "density", "coverage")]


def prdc_definition(real: np.ndarray, fake: np.ndarray) -> list[float]:
    """Whole tables of scikit-learn's distances, as the prdc package has them."""
    from sklearn.metrics import pairwise_distances

    rr, ff, rf = (pairwise_distances(a, b) for a, b in ((real, real), (fake, fake), (real, fake)))
    radius, other = (np.partition(x, K, axis=1)[:, K] for x in (rr, ff))
    held = rf < radius[:, None]
    found = held.any(0).mean(), (rf < other).any(1).mean(), held.sum(0).mean() / K, (rf.min(1) < radius).mean()
    return [float(x) for x in found]


def authenticity_definition(real: np.ndarray, fake: np.ndarray) -> float:
    """Share of fakes farther from their nearest real than that one is from its own (Alaa et al. 2022)."""
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(algorithm="brute").fit(real.astype(float))
    spacing = index.kneighbors(n_neighbors=1)[0][:, 0]
    distance, nearest = index.kneighbors(fake.astype(float), 1)
    return float((distance[:, 0] > spacing[nearest[:, 0]]).mean())


def realism_definition(real: np.ndarray, fake: np.ndarray, k: int = 3) -> np.ndarray:
    """Highest radius over distance, of the half of the reals with smaller radii (Kynkäänniemi et al. 2019)."""
    from sklearn.metrics import pairwise_distances

    real, fake = real.astype(float), fake.astype(float)
    radius = np.sort(pairwise_distances(real), axis=1)[:, k]
    small = radius <= np.median(radius)
    return (radius[small, None] / pairwise_distances(real[small], fake)).max(axis=0)


def pr_fidelity(real: np.ndarray, fake: np.ndarray) -> list[float]:
    prc, torch = package("torch_fidelity.metric_prc"), importlib.import_module("torch")
    options = {"prc_neighborhood": K, "prc_batch_size": 10_000, "save_cpu_ram": True, "verbose": False}
    found = prc.prc_features_to_metric(*map(torch.from_numpy, (fake, real)), **options)
    return [float(found["precision"]), float(found["recall"])]


def vendi_dual(real: np.ndarray, fake: np.ndarray) -> float:
    """exp of the entropy of scipy's eigenvalues of the products of directions."""
    from scipy.linalg import eigvalsh

    x = fake / np.linalg.norm(fake, axis=1, keepdims=True)
    values = eigvalsh(x.T @ x / len(x))
    values = values[values > 0]
    return float(np.exp(-(values * np.log(values)).sum()))


def vendi_package(real: np.ndarray, fake: np.ndarray) -> float:
    return float(package("vendi_score.vendi").score_dual(fake, normalize=True))


def is_fidelity(splits: int) -> Peer:
    def compute(real: np.ndarray, fake: np.ndarray) -> float:
        isc, torch = package("torch_fidelity.metric_isc"), importlib.import_module("torch")
        found = isc.isc_features_to_metric(torch.from_numpy(fake), splits=splits)
        return float(found["inception_score_mean"])

    return compute


def is_definition(splits: int) -> Peer:
    def compute(real: np.ndarray, fake: np.ndarray) -> float:
        x = fake.astype(float)
        p = np.exp(x - x.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        log_p = np.log(np.maximum(p, 1e-300))
        parts = np.array_split(np.random.default_rng(2020).permutation(len(p)), splits)
        return float(np.mean([np.exp((p[i] * (log_p[i] - np.log(p[i].mean(axis=0)))).sum(1).mean()) for i in parts]))

    return compute


def usual(name: str, points: int) -> tuple[str, Peer] | None:
    """The implementation that speed is measured against, and what it is called."""
    fidelity, prdc = installed("torch-fidelity"), installed("prdc")
    return {
        "fd": (fidelity, fd_fidelity) if fidelity else ("scipy's sqrtm", fd_sqrtm),
        "fd (sqrtm)": ("scipy's sqrtm", fd_sqrtm),
        "fd_infinity": (fidelity, infinity_of(points)) if fidelity else None,
        "kd": (fidelity, kd_fidelity()) if fidelity else ("scikit-learn's kernel", kd_definition()),
        "prdc": (prdc, prdc_package) if prdc else ("scikit-learn's distances", prdc_definition),
        "precision + recall": (fidelity, pr_fidelity) if fidelity else None,
        "cmmd": ("scikit-learn's kernel", cmmd_sklearn),
        "vendi": ("numpy and scipy", vendi_dual),
        "inception_score": (fidelity, is_fidelity(10)) if fidelity else ("numpy", is_definition(10)),
    }.get(name)
