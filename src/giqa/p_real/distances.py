"""How far each place of a picture is from the same place of real ones: the distances of Kolchinski et al."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, pairwise
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Self

import numpy as np

from ..errors import BadShape, BadSpec, NotFitted
from ..threads import one_blas_thread
from .nearest import Nearest
from .references import Cost, Reference, Shape, cores, metadata, open_reference, read_reference

VARIANTS = ("A", "B", "C")
AT_ONCE = 64  # references collected before they are put in their places
PARTS = 8  # of a block for each thread: one that is held up leaves its share to the others


class LayerDistances:
    """d_uv = min over references i of the Euclidean distance |z_uv - z_uv^(i)|, at every place (u, v) of every layer.

    ======== =============================================================================
    variant  a place's vector is compared with
    ======== =============================================================================
    A        the vectors of all references at the same place
    B        `vectors` vectors of the layer, drawn from all references and places, seeded
    C        as A, at `grid` x `grid` places evenly over layers that have more
    ======== =============================================================================

    Parameters
    ----------
    variant : "A", "B" or "C"
        A row of the table.
    vectors : int
        Of each layer, for B.
    grid : int
        Places a side, for C.
    seed : int
        Of what is drawn, for B.

    Notes
    -----
    A map is what an extractor's `maps` gives for one picture: layer -> (h, w, c), or (c,) for a layer without places.
    References are kept as float16, in memory or, with `fit(..., file=)`, in a memory-mapped file. The search is exact:
    all references are compared through float32 products, |b|²/2 - ab, near ties through float64, and the distance to
    the
    winner is computed directly, so that nothing cancels. A picture's distances do not depend on the other pictures of
    the
    call. All cores work, each on places of its own. `cost` says what it takes. Errors: `BadSpec`, `BadShape`,
    `NotFitted`.

    References
    ----------
    Kolchinski et al. 2019, section 2.2.

    Examples
    --------
    >>> reals = [{"mid": np.full((2, 2, 9), float(i))} for i in range(5)]
    >>> distances = LayerDistances().fit(reals, 5)
    >>> distances.distances([{"mid": np.full((2, 2, 9), 3.5)}])["mid"][0].tolist()
    [[1.5, 1.5], [1.5, 1.5]]
    """

    reference_: Reference | None = None  # what `fit` learns

    def __init__(self, variant: str = "A", vectors: int = 10_000, grid: int = 17, seed: int = 0):
        self.variant = variant
        self.vectors = vectors
        self.grid = grid
        self.seed = seed

    def cost(self, one: Mapping[str, np.ndarray], n: int) -> Cost:
        """Bytes and FLOPs for n references of maps like `one`."""
        return Cost(n, self._shapes(one, n))

    def fit(
        self,
        maps: Iterable[Mapping[str, np.ndarray]],
        n: int,
        file: str | Path | None = None,
        say: Callable[[str], None] | None = None,
    ) -> Self:
        """Keep the maps of n references, read once and in order.

        Parameters
        ----------
        maps : iterable of mapping
            Layer -> map, of each reference.
        n : int
            How many there are.
        file : path or None
            Where they are kept; None: in memory.
        say : callable or None
            Gets the cost as text before anything is kept.

        Returns
        -------
        LayerDistances
            Itself.

        Raises
        ------
        BadShape
            When there are more or fewer than n, or their shapes differ.
        BadSpec
        """
        coming = iter(maps)
        first = next(coming, None)
        if first is None or n < 1:
            raise BadShape("LayerDistances needs at least one reference.")
        shapes = self._shapes(first, n)
        if say:
            say(str(Cost(n, shapes)))
        rng, done = np.random.default_rng(self.seed), 0
        with open_reference(file, shapes, {"n": n, **self._how()}) as reference:
            waiting = [first, *islice(coming, AT_ONCE - 1)]
            while waiting:
                if done + len(waiting) > n:
                    raise BadShape(f"LayerDistances.fit was to get {n} references, and got more.")
                self._keep(reference, waiting, done, n, rng)
                done += len(waiting)
                waiting = list(islice(coming, AT_ONCE))
            if done != n:
                raise BadShape(f"LayerDistances.fit was to get {n} references, and got {done}.")
        self.reference_, self.references_ = reference, n
        return self

    @classmethod
    def open(cls, file: str | Path) -> Self:
        """What `fit(..., file=)` kept, memory-mapped."""
        reference, how = read_reference(file)
        distances = cls(how["variant"], how["vectors"], how["grid"], how["seed"])
        distances.reference_, distances.references_ = reference, how["n"]
        return distances

    def record(self) -> tuple[dict[str, np.ndarray], dict[str, str]]:
        """What `open` reads: tensors, and metadata, of a safetensors file that may go on with other tensors."""
        return self.reference_.tensors(), metadata(self.reference_.shapes, {"n": self.references_, **self._how()})

    def digest(self) -> str:
        """SHA-256 over the references and where they stand; the same digest, the same distances."""
        return self.digests()[0]

    def digests(self) -> tuple[str, str]:
        """`digest`, and SHA-256 over what is computed from the references: whether a file that was read is whole."""
        references, squares = hashlib.sha256(self.record()[1]["giqa.distances"].encode()), hashlib.sha256()
        for name in self.layers:
            for _, vectors, computed in self.reference_.blocks(name):
                references.update(np.ascontiguousarray(vectors))
                squares.update(np.ascontiguousarray(computed))
        return references.hexdigest(), squares.hexdigest()

    def distances(self, maps: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """d_uv of each picture.

        Parameters
        ----------
        maps : sequence of mapping
            Layer -> map, of each picture. The references are read once for all the pictures of a call: 64 or more at a
            time are several times faster than one.

        Returns
        -------
        dict
            Layer -> float32 (n, h, w); (n, g, g) where variant C takes a grid.

        Raises
        ------
        NotFitted, BadShape
        """
        if self.reference_ is None:
            raise NotFitted("Call fit(maps, n) before asking for distances.")
        distances = {}
        for name, shape in self.reference_.shapes.items():
            if len(maps):  # (places, n, c): the pictures of a place side by side
                queries = np.stack([self._vectors(name, one, shape) for one in maps], axis=1, dtype=np.float32)
                distances[name] = self._searched(name, queries).reshape(len(maps), *shape.places)
                del queries  # before those of the next layer are made
            else:
                distances[name] = np.empty((0, *shape.places), np.float32)
        return distances

    def sums(self, maps: Sequence[Mapping[str, np.ndarray]]) -> np.ndarray:
        """d = sum over places of d_uv, one number a layer: float64 (n, layers), in the order of the layers."""
        return np.stack([d.sum(axis=(1, 2), dtype=np.float64) for d in self.distances(maps).values()], axis=1)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers, in the order of `sums`."""
        return tuple(self.reference_.shapes)

    def _how(self) -> dict[str, Any]:
        return {"variant": self.variant, "vectors": self.vectors, "grid": self.grid, "seed": self.seed}

    def _shapes(self, one: Mapping[str, np.ndarray], n: int) -> dict[str, Shape]:
        if self.variant not in VARIANTS:
            raise BadSpec(f"LayerDistances(variant=...) is one of {', '.join(VARIANTS)}, got {self.variant!r}.")
        shapes = {}
        for name, values in one.items():
            h, w, c = values.shape if values.ndim == 3 else (1, 1, *values.shape)
            places = (min(h, self.grid), min(w, self.grid)) if self.variant == "C" else (h, w)
            pool = self.variant == "B"
            shapes[name] = Shape((h, w), places, c, 1 if pool else places[0] * places[1], self.vectors if pool else n)
        return shapes

    def _keep(self, reference: Reference, maps: Sequence, start: int, n: int, rng: np.random.Generator) -> None:
        """Put the vectors of references start, start + 1, ... in their places."""
        for name, shape in reference.shapes.items():
            vectors = np.stack([self._vectors(name, one, shape) for one in maps], axis=1)  # (places, pictures, c)
            at = slice(start, start + len(maps))
            if self.variant == "B":  # picture i of n gives the vectors i V/n to (i + 1) V/n of the pool
                share = np.arange(start, start + len(maps) + 1) * shape.kept // n
                chosen = [rng.integers(len(vectors), size=size) for size in np.diff(share)]
                rows = [vectors[places, i] for i, places in enumerate(chosen)]
                vectors, at = np.concatenate(rows)[None], slice(share[0], share[-1])
            reference.put(name, at, vectors)

    def _vectors(self, name: str, one: Mapping[str, np.ndarray], shape: Shape) -> np.ndarray:
        """The vectors of a layer that count, (places, c)."""
        values = one.get(name)
        wanted = (*shape.full, shape.channels)
        if values is None or (values.shape if values.ndim == 3 else (1, 1, *values.shape)) != wanted:
            got = "nothing" if values is None else values.shape
            raise BadShape(f"Maps of {name} should be {wanted} as those of the references, got {got}.")
        grid = values.reshape(wanted)
        if shape.places != shape.full:
            rows, columns = (
                ((np.arange(n) + 0.5) * m / n).astype(int) for n, m in zip(shape.places, shape.full, strict=True)
            )
            grid = grid[rows][:, columns]
        if not np.isfinite(grid).all():
            raise BadShape(f"Maps must be finite; one of {name} is not.")
        return grid.reshape(-1, shape.channels)

    def _searched(self, name: str, queries: np.ndarray) -> np.ndarray:
        """Distances of queries (places, n, c) to their nearest references, float32 (n, places)."""
        places, n, c = queries.shape
        distances, threads = np.empty((places, n), np.float32), cores()
        free: SimpleQueue[Nearest] = SimpleQueue()
        for _ in range(threads):
            free.put(Nearest(c))

        def search(work: Sequence[tuple[np.ndarray, ...]]) -> None:
            nearest = free.get()
            try:
                for into, *what in work:
                    into[:] = nearest(*what)
            finally:
                free.put(nearest)

        with one_blas_thread(), ThreadPoolExecutor(threads, "giqa-search") as pool:
            for start, vectors, squares in self.reference_.blocks(name):
                if self.variant == "B":  # one pool for all: the queries are shared out
                    at = np.linspace(0, places * n, threads + 1).astype(int)
                    into, asked = distances.reshape(-1), queries.reshape(-1, c)
                    parts = [[(into[i:j], asked[i:j], vectors[0], squares[0])] for i, j in pairwise(at)]
                else:
                    here = slice(start, start + len(vectors))
                    every = list(zip(distances[here], queries[here], vectors, squares, strict=True))
                    size = -(-len(every) // (PARTS * threads))
                    parts = [every[i : i + size] for i in range(0, len(every), size)]
                list(pool.map(search, parts))
        return distances.T
