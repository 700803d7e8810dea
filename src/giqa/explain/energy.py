"""Where a picture is unlike real ones: the energy of every window of its maps, against that of reals at that place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..errors import BadShape, BadSpec, NotFitted
from ..scorers.density import principal_directions
from ..scorers.mixture import shrunk_to_round
from ..scorers.products import ROWS_AT_ONCE, standardiser
from ..scorers.scale import FEWEST, FOLDS
from ..stats import conformal_percentile, robust_sd
from ..threads import one_blas_thread

FLOOR = 0.02  # added to energies before the logarithm: differences far below it are nothing
LEARN_FROM = 100  # pictures from which a layer's directions are learned
MOST_DIRECTIONS = 96
OVERLAP = 9  # windows that share a cell: so many fewer count as different ones
KEPT, KEPT_DIRECTIONS = 256, 16  # reals, and directions of the deepest layer, by which nearest patches are found
SHARES = (0.5, 0.1, 0.01, 0.001)  # of the places of held-out reals; where their z ends is kept
COMBINED = "combined"
SHARPNESS = "sharpness"  # the map for which less is worse: 25 filters of the grey picture, by frequency
COARSE = np.add.outer(np.arange(5), np.arange(5)).ravel() < 2  # of them; down, then across


def cell_sums(values: np.ndarray, grid: int) -> np.ndarray:
    """Sum over each cell of a grid: (h, w, c) -> (g, g, c); where a side is shorter than the grid, it is repeated.

    >>> cell_sums(np.arange(8.).reshape(2, 4, 1), 2)[..., 0].tolist()
    [[1.0, 5.0], [9.0, 13.0]]
    """
    for axis in (0, 1):
        side = values.shape[axis]
        if side < grid:
            values, side = np.take(values, np.arange(grid) * side // grid, axis=axis), grid
        if side > grid:
            values = np.add.reduceat(values, np.arange(grid) * side // grid, axis=axis)
    return values


def neighbourhood(values: np.ndarray, reach: int) -> np.ndarray:
    """Sum over the cells at most `reach` away, down and across, as far as there are any: (g, g, c) -> the same."""
    h, w = values.shape[:2]
    wide = np.pad(values, ((reach, reach), (reach, reach), (0, 0)))
    down = sum(wide[i : i + h] for i in range(2 * reach + 1))
    return sum(down[:, i : i + w] for i in range(2 * reach + 1))


def energies(values: np.ndarray, grid: int, reach: int) -> np.ndarray:
    """log(root mean square + .02) of each channel in the window around each cell: (h, w, c) -> float32 (g, g, c)."""
    values = values.reshape(1, 1, -1) if values.ndim == 1 else values
    return window_energies(cell_sums(values * values, grid), values.shape[:2], reach)


def window_energies(squares: np.ndarray, shape: tuple[int, ...], reach: int) -> np.ndarray:
    """`energies` from the sums of squares over the cells, (g, g, c), of values (h, w) = shape."""
    count = neighbourhood(cell_sums(np.ones((*shape, 1), np.float32), len(squares)), reach)
    mean = neighbourhood(squares, reach) / count
    return np.log(np.sqrt(np.maximum(mean, 0)) + FLOOR).astype(np.float32)


class Windows(dict[str, np.ndarray]):
    """Energies of the windows of one picture, layer -> float32 (g, g, c): what `Places` takes in place of maps."""


@dataclass(frozen=True)
class _Sums:
    """Of projected pictures: how many, their sum at each place (g, g, q + 1), and of yy' over places (q, q)."""

    n: int
    first: np.ndarray
    second: np.ndarray

    @classmethod
    def of(cls, projected: np.ndarray) -> Self:
        q = projected.shape[-1] - 1
        second = np.zeros((q, q))
        with one_blas_thread():
            for picture in projected:
                flat = picture[..., :-1].reshape(-1, q)
                second += flat.T @ flat
        return cls(len(projected), projected.sum(axis=0, dtype=np.float64), second)


class LayerPlaces:
    """One layer: a mean at each place, one covariance for all, and the scale of held-out reals at each place.

    d = sqrt(|W (y - m_uv)|² + |rest|² / variance of the rest), y the projection of the standardised energies on their
    principal directions; z = (median - d) / 1.4826 MAD of held-out reals at that place: 0 = like a typical real there,
    -3 = three robust standard deviations worse. All that is learned is in arrays whose names end in `_`.
    """

    def learn_directions(self, some: np.ndarray) -> Self:
        """From energies (n, g, g, c): what is typical at each place, and the directions in which places vary."""
        self.centre_ = some.mean(axis=0)
        x = (some - self.centre_).reshape(-1, some.shape[3])
        self.spread_ = standardiser(x)[1].astype(np.float32)
        x /= self.spread_
        self.directions_ = principal_directions(x[:: max(1, len(x) // ROWS_AT_ONCE)], min(MOST_DIRECTIONS, x.shape[1]))
        return self

    def project(self, energy: np.ndarray) -> np.ndarray:
        """One picture's energies (g, g, c) in the directions, and in a last column the square of the rest; float32."""
        x = (energy - self.centre_) / self.spread_
        with one_blas_thread():  # always one picture of one shape: the same bits whatever the batch
            y = x @ self.directions_.T.astype(np.float32)
        rest = np.maximum((x * x).sum(axis=2) - (y * y).sum(axis=2), 0)
        return np.concatenate([y, rest[..., None]], axis=2)

    def fit(self, projected: np.ndarray, folds: np.ndarray) -> np.ndarray:
        """From all reals (n, g, g, q + 1); returns z of each while its fold was held out, (n, g, g)."""
        sums = [_Sums.of(projected[folds == fold]) for fold in range(FOLDS)]
        held_out = np.empty(projected.shape[:3])
        for fold in range(FOLDS):
            self._moments([s for i, s in enumerate(sums) if i != fold])
            held_out[folds == fold] = self._distance(projected[folds == fold])
        self._moments(sums)
        self.median_, self.deviation_ = place_scale(held_out)
        z = (self.median_ - held_out) / self.deviation_
        self.limits_ = np.quantile(z, SHARES)
        return z

    def z(self, energy: np.ndarray) -> np.ndarray:
        """z at each place of one picture, float64 (g, g)."""
        return (self.median_ - self._distance(self.project(energy)[None])[0]) / self.deviation_

    def whitened(self, projected: np.ndarray) -> np.ndarray:
        """Projected places with unit covariance, the direction in which they vary most first."""
        with one_blas_thread():
            return (projected[..., :-1] - self.mean_) @ self.whiten_.T

    def _moments(self, sums: Sequence[_Sums]) -> None:
        """From the sums over the folds that are learned from."""
        n = sum(s.n for s in sums)
        mean = sum(s.first for s in sums) / n  # (g, g, q + 1)
        self.mean_ = mean[..., :-1].astype(np.float32)
        flat = mean[..., :-1].reshape(-1, mean.shape[-1] - 1)
        covariance = sum(s.second for s in sums) / (n * len(flat)) - flat.T @ flat / len(flat)
        values, vectors = np.linalg.eigh(shrunk_to_round(covariance, n * len(flat) / OVERLAP))
        self.whiten_ = (vectors / np.sqrt(np.maximum(values, 1e-9))).T[::-1].astype(np.float32)
        self.rest_ = max(float(mean[..., -1].mean()), 1e-6)

    def _distance(self, projected: np.ndarray) -> np.ndarray:
        distances = np.empty(projected.shape[:-1])
        for i, picture in enumerate(projected):
            whitened = self.whitened(picture)
            squares = (whitened * whitened).sum(axis=-1)
            distances[i] = np.sqrt(
                squares + (picture[..., -1] * (self.rest_width / self.rest_) if self.rest_width else 0)
            )
        return distances

    @property
    def channels(self) -> int:
        """Of the map."""
        return len(self.spread_)

    @property
    def rest_width(self) -> int:
        """How many dimensions the directions leave out."""
        return len(self.spread_) - len(self.directions_)


class SharpnessPlaces:
    """How much fine detail a place has, given how much there is that is coarse; only too little of it is bad.

    r = mean log energy of the fine filters - w · log energies of the coarse ones, each less what is typical at that
    place, w by least squares over reals and places; z = (r - median) / 1.4826 MAD of reals at that place. A blurred
    patch keeps what is coarse: it stands out, and a smooth wall does not. Same methods as `LayerPlaces`.
    """

    def learn_directions(self, some: np.ndarray) -> Self:
        """From energies (n, g, g, 25): what is typical at each place, and what the coarse predicts of the fine."""
        self.centre_ = some.mean(axis=0)
        x = (some - self.centre_).reshape(-1, len(COARSE)).astype(np.float64)
        with one_blas_thread():
            self.weights_ = np.linalg.lstsq(x[:, COARSE], x[:, ~COARSE].mean(axis=1), rcond=None)[0]
        return self

    def project(self, energy: np.ndarray) -> np.ndarray:
        """One picture's energies (g, g, 25) to r, (g, g, 1)."""
        x = (energy - self.centre_).astype(np.float64)
        return x[..., ~COARSE].mean(axis=2, keepdims=True) - (x[..., COARSE] * self.weights_).sum(axis=2, keepdims=True)

    def fit(self, projected: np.ndarray, folds: np.ndarray) -> np.ndarray:
        """From all reals (n, g, g, 1); returns their z (n, g, g). Three weights and a median: nothing to hold out."""
        self.median_, self.deviation_ = place_scale(projected[..., 0])
        z = (projected[..., 0] - self.median_) / self.deviation_
        self.limits_ = np.quantile(z, SHARES)
        return z

    def z(self, energy: np.ndarray) -> np.ndarray:
        """z at each place of one picture, float64 (g, g)."""
        return (self.project(energy)[..., 0] - self.median_) / self.deviation_

    @property
    def channels(self) -> int:
        """Of the map."""
        return self.centre_.shape[2]


def layer_places(name: str) -> LayerPlaces | SharpnessPlaces:
    """An unfitted layer."""
    return SharpnessPlaces() if name == SHARPNESS else LayerPlaces()


def place_scale(held_out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median at each place of the held-out reals, (n, g, g) -> (g, g), and 1.4826 MAD, evened out among neighbours."""
    median = np.median(held_out, axis=0)
    mad = robust_sd(held_out, axis=0)
    count = neighbourhood(np.ones((*mad.shape, 1)), 1)
    even = (neighbourhood(mad[..., None], 1) / count)[..., 0]
    return median, np.maximum(even, 1e-6 + 0.1 * even.mean())


class Places:
    """How each place of a picture compares with reals at that place, a layer at a time and combined.

    Every layer is cut into `grid` x `grid` cells; a window is a cell and those at most `reach` away; what is looked at
    is the energy of each channel in each window. A layer named "sharpness" is one-sided (`SharpnessPlaces`), and is not
    the last one: that one finds nearest reals. The combined map is, at each place, the worst layer, each in units of
    where the worst 1 % of the places of held-out reals begin, brought to z again.

    Parameters
    ----------
    grid : int
        Cells of a side, 2 to 256.
    reach : int
        From 0.
    seed : int
        Of the folds.

    Raises
    ------
    BadShape
        With fewer than 20 reals.
    NotFitted
        When it is asked before it is fitted.

    Notes
    -----
    Memory while fitting: about 4 g² 97 bytes a picture and layer.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> reals = [{"mid": rng.normal(size=(8, 8, 4))} for _ in range(40)]
    >>> places = Places(grid=8).fit(reals)
    >>> damaged = rng.normal(size=(8, 8, 4)) * np.where(np.arange(8) == 6, 5, 1)[:, None, None]
    >>> int(places.z({"mid": damaged})["combined"].mean(axis=1).argmin()) in (5, 6, 7)
    True
    """

    def __init__(self, grid: int = 24, reach: int = 1, seed: int = 0):
        self.grid = grid
        self.reach = reach
        self.seed = seed

    def fit(self, maps: Iterable[Mapping[str, np.ndarray]]) -> Self:
        """From the maps of reals, layer -> (h, w, c), or their `Windows`; read once and in order."""
        if not 2 <= self.grid <= 256 or self.reach < 0:
            raise BadSpec(f"Places takes a grid of 2 to 256 and a reach from 0, got {self.grid} and {self.reach}.")
        with one_blas_thread():  # once for all: to set it for every picture takes longer than its products
            self._fit(iter(maps))
        return self

    def z(self, maps: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """z at each place of one picture: layer, and last "combined", -> float64 (g, g); negative = worse."""
        self._check(maps)
        windows = self.windows(maps)
        z = {name: layer.z(windows[name]) for name, layer in self.layers_.items()}
        return {**z, COMBINED: (self._worst(z) - self.median_) / self.deviation_}

    def limit(self, layer: str, share: float = 0.01) -> float:
        """The z below which only that share of the places of held-out reals lies: .5, .1, .01 or .001."""
        limits = self.limits_ if layer == COMBINED else self.layers_[layer].limits_
        return float(limits[SHARES.index(share)])

    def peak_percentile(self, z: np.ndarray) -> float:
        """Share of held-out reals whose worst place is no better than that of this map, in (0, 1]; conformal."""
        return float(conformal_percentile(z.min(), self.peaks_))

    def nearest(
        self, maps: Mapping[str, np.ndarray], place: tuple[int, int], k: int = 5
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the k reals that are most alike in the deepest layer at a place, and how far, both (k,)."""
        self._check(maps)
        name, layer = list(self.layers_.items())[-1]
        own = layer.whitened(layer.project(self.windows(maps)[name]))[place][:KEPT_DIRECTIONS]
        distances = np.linalg.norm(self.kept_[:, place[0], place[1]].astype(np.float64) - own, axis=1)
        order = np.argsort(distances, kind="stable")[:k]
        return self.kept_rows_[order], distances[order]

    def _fit(self, maps: Iterator[Mapping[str, np.ndarray]]) -> None:
        projected = self._projected(maps)
        n = len(next(iter(projected.values()), []))
        if n < FEWEST:
            raise BadShape(
                f"At least {FEWEST} real pictures are needed to fix the scale of maps, got {n}; add pictures."
            )
        folds = np.random.default_rng(self.seed).permutation(n) % FOLDS
        held_out = {name: layer.fit(projected[name], folds) for name, layer in self.layers_.items()}
        worst = self._worst(held_out)
        self.median_, self.deviation_ = (-1 * place_scale(-worst)[0], place_scale(-worst)[1])
        combined = (worst - self.median_) / self.deviation_
        self.limits_ = np.quantile(combined, SHARES)
        self.peaks_ = np.sort(combined.min(axis=(1, 2)))
        deepest = list(self.layers_)[-1]
        self.kept_rows_ = np.unique(np.linspace(0, n - 1, min(n, KEPT)).round().astype(int))
        kept = self.layers_[deepest].whitened(projected[deepest][self.kept_rows_])
        self.kept_ = kept[..., :KEPT_DIRECTIONS].astype(np.float16)

    def _projected(self, maps: Iterator[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Learn the directions from the first pictures, and project them all: layer -> float32 (n, g, g, q + 1)."""
        waiting: list[dict[str, np.ndarray]] = []
        rows: dict[str, list[np.ndarray]] = {}
        self.layers_: dict[str, LayerPlaces | SharpnessPlaces] = {}

        def settle() -> None:
            if not self.layers_ and waiting:
                self.layers_ = {
                    name: layer_places(name).learn_directions(np.stack([energy[name] for energy in waiting]))
                    for name in waiting[0]
                }
            for energy in waiting:
                for name, layer in self.layers_.items():
                    rows.setdefault(name, []).append(layer.project(energy[name]))
            waiting.clear()

        for picture in maps:
            waiting.append(self.windows(picture))
            if self.layers_ or len(waiting) == LEARN_FROM:
                settle()
        settle()
        return {name: np.stack(arrays) for name, arrays in rows.items()}

    def windows(self, maps: Mapping[str, np.ndarray]) -> Windows:
        """The energies of the windows of one picture's maps."""
        if isinstance(maps, Windows):
            return maps
        return Windows({name: energies(values, self.grid, self.reach) for name, values in maps.items()})

    def _worst(self, z: Mapping[str, np.ndarray]) -> np.ndarray:
        """The worst layer at each place, each in units of its own limit of the worst 1 %: -1 is at that limit."""
        return np.min([z[name] / -min(self.limit(name), -1e-6) for name in self.layers_], axis=0)

    def _check(self, maps: Mapping[str, np.ndarray]) -> None:
        if "kept_" not in vars(self):
            raise NotFitted("Call fit(maps) before asking where a picture is unlike the reals.")
        for name, layer in self.layers_.items():
            c = layer.channels
            if name not in maps or maps[name].shape[-1] != c:
                got = maps[name].shape if name in maps else "nothing"
                raise BadShape(f"Places was fitted on a map {name} of {c} channels, got {got}.")
