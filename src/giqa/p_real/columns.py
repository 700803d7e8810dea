"""What the human model is given of a picture: distances to references by layer, and z of pooled layers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import BadSpec
from ..features.reader import make_extractor
from ..model.file import learned_of
from ..scorers.human import DISTANCE, Z
from ..scorers.judgements import LAYERS, family_of
from ..types import Features, has_maps, prepared_with_maps
from .distances import LayerDistances

POOLED, SIZE = "pooled", "size"  # families of columns, next to `LAYERS`
FAMILIES = (LAYERS, POOLED)  # unless others are asked for
TAPS = {
    "embedded": ("mid", "high"),  # "low" costs more than both and adds nothing: benchmarks/p_real/layers.py
    "inception": ("Conv2d_1a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Mixed_5d", "Mixed_6e", "Mixed_7c", "logits"),
}


class Sums:
    """Distances of a picture to references, summed by layer, and z of its pooled layers where `densities` are given.

    An extractor, so that the feature store keeps what was measured.

    Parameters
    ----------
    distances : LayerDistances
        Fitted on the references' maps.
    extractor : str or object
        Makes the maps.
    taps : sequence of str
        Layers whose maps are measured.
    digest : str or None
        Of the references; None: computed.
    densities : MultiLayer or None
        Fitted on the references' features of the same extractor.
    content : str, object or None
        The extractor whose one layer, `CONTENT`, says what a picture shows, and which stands next to the sums.
    pooled : bool
        Whether the pooled features of `extractor` stand next to them too, as "pooled:NAME".
    more : sequence of str
        Specs of further extractors, whose layers stand next to them as "SPEC:NAME".
    """

    def __init__(
        self,
        distances: LayerDistances,
        extractor: Any,
        taps: Sequence[str],
        digest: str | None = None,
        densities: Any = None,
        content: Any = None,
        pooled: bool = False,
        more: Sequence[str] = (),
    ):
        self.distances, self.extractor, self.taps = distances, make_extractor(extractor), tuple(taps)
        self.digest, self.densities = digest or distances.digest(), densities
        self.content = None if content is None else make_extractor(content)
        self.pooled, self.more = pooled, {spec: make_extractor(spec) for spec in more}

    def identity(self) -> Mapping[str, Any]:
        """What decides the sums."""
        return {
            "extractor": "sums of distances",
            "version": 1,
            "taps": list(self.taps),
            "references_sha256": self.digest,
            "densities_sha256": digest_of(learned_of(self.densities)) if self.densities is not None else None,
            "maps": dict(self.extractor.identity()),
        } | self._others()

    def _others(self) -> dict[str, Any]:
        """What decides the layers next to the sums; nothing where there are none."""
        found: dict[str, Any] = {} if self.content is None else {"content": dict(self.content.identity())}
        found |= {"pooled": True} if self.pooled else {}
        return found | ({"more": [dict(one.identity()) for one in self.more.values()]} if self.more else {})

    def prepare(self, pixels: np.ndarray) -> tuple[Mapping[str, np.ndarray], Any, Any, list]:
        """The maps of one picture, and what its pooled features, its content and the rest are made from."""
        if self.pooled or self.densities is not None:
            pooled, maps = prepared_with_maps(self.extractor, pixels, self.taps)
        else:
            pooled, maps = None, self.extractor.maps(pixels, self.taps)
        if self.content is not None and pooled is not None and self._prepares_content:
            content = {name: pooled[name] for name in self.content.outputs}
        else:
            content = None if self.content is None else self.content.prepare(pixels)
        more = [extractor.prepare(pixels) for extractor in self.more.values()]
        return maps, pooled, content, more

    @cached_property
    def _prepares_content(self) -> bool:
        """Whether the extractor's pooled layers hold the content layer, of the same network."""
        one, other = (
            {name: value for name, value in extractor.identity().items() if name not in ("outputs", "crops")}
            for extractor in (self.extractor, self.content)  # content is of the whole picture, with crops too
        )
        return one == other and set(self.content.outputs) <= set(self.extractor.outputs)

    def run(self, prepared: Sequence[tuple[Mapping[str, np.ndarray], Any, Any, list]]) -> dict[str, np.ndarray]:
        """Prepared pictures to column -> float32 (n, 1), and other layers, float32 (n, c)."""
        sums = self.distances.sums([maps for maps, *_ in prepared])
        numbers = dict(zip((f"{tap}{DISTANCE}" for tap in self.distances.layers), sums.T, strict=True))
        others: dict[str, np.ndarray] = {}
        layers = self.extractor.run([p for _, p, *_ in prepared]) if prepared[0][1] is not None else {}
        if self.pooled:
            others |= {f"{POOLED}:{name}": layer for name, layer in layers.items()}
        for i, (spec, extractor) in enumerate(self.more.items()):
            found = extractor.run([more[i] for *_, more in prepared])
            others |= {f"{spec}:{name}": layer for name, layer in found.items()}
        if self.densities is not None:
            z = self.densities.layer_z(np.concatenate(list(layers.values()), axis=1))
            numbers |= {f"{name}{Z}": z[:, i] for i, name in enumerate(self.densities.layer_names(layers))}
        columns = {name: column[:, None].astype(np.float32) for name, column in numbers.items()}
        content = {} if self.content is None else self.content.run([content for _, _, content, _ in prepared])
        return columns | others | content


def with_size(features: Features) -> Features:
    """The same with the layer "size": log height and log width of each picture as it was decoded, before any match."""
    height, width = (np.log(np.maximum(features.info[name], 1).astype(np.float64)) for name in ("height", "width"))
    layers = {**features.layers, SIZE: np.c_[height, width]}
    return Features(features.ids, layers, features.info, features.made_by)


def check_families(columns: Sequence[str]) -> tuple[str, ...]:
    """The families of columns asked for: "layers", "pooled", "size", or the spec of an extractor, each once."""
    if not isinstance(columns, (list, tuple)) or not all(isinstance(name, str) for name in columns):
        raise BadSpec(f"columns are a list of layers, pooled, size, or extractors, got {columns!r:.80}.")
    for name in columns:
        if name not in (LAYERS, POOLED, SIZE):
            try:
                make_extractor(name)
            except BadSpec as error:
                known = f"{LAYERS}, {POOLED}, {SIZE}"
                raise BadSpec(f"Columns are {known} or the spec of an extractor, got {name!r}. {error}") from None
    if not columns:
        raise BadSpec(f"Which columns? Give some of {LAYERS}, {POOLED}, {SIZE} (--columns).")
    return tuple(dict.fromkeys(columns))


def of_sums(families: Sequence[str] | None) -> dict[str, Any]:
    """What `Sums` is asked for next to its sums, for these families; None: nothing."""
    if families is None:
        return {}
    return {"pooled": POOLED in families, "more": [f for f in families if f not in (LAYERS, POOLED, SIZE)]}


def only_families(features: Features, families: Sequence[str]) -> Features:
    """The layers of these families, in their order."""
    layers = {name: layer for name, layer in features.layers.items() if family_of(name) in families}
    return Features(features.ids, layers, features.info, features.made_by)


def check_maps(extractor: Any, taps: Sequence[str] | None) -> tuple[str, ...]:
    """The layers whose maps are measured: those asked for, or those of the extractor's row in `TAPS`."""
    spec = type(extractor).__name__.lower()
    if not has_maps(extractor):
        raise BadSpec(f"{spec} has no maps; take embedded or inception.")
    if taps:
        return tuple(taps)
    if spec not in TAPS:
        raise BadSpec(f"Which layers of {spec} are to be measured? Name them (--layers).")
    known = extractor.taps() if spec == "inception" else TAPS[spec]  # a file that ends early has fewer
    return tuple(tap for tap in TAPS[spec] if tap in known)


def digest_of(arrays: Mapping[str, Any]) -> str:
    """SHA-256 over named numbers."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        if np.asarray(array).dtype.kind in "fiub":
            value = array if np.ndim(array) else np.asarray(np.asarray(array).item())  # as a file gives it back
            digest.update(name.encode() + np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()
