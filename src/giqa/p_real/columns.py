"""What the human model is given of a picture: distances to references by layer, and z of pooled layers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import BadSpec
from ..features.reader import make_extractor
from ..model.file import learned_of
from ..scorers.human import DISTANCE, Z
from ..types import has_maps
from .distances import LayerDistances

TAPS = {
    "embedded": ("mid", "high"),  # "low" costs more than both and adds nothing: benchmarks/human_layers.py
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
    """

    def __init__(
        self,
        distances: LayerDistances,
        extractor: Any,
        taps: Sequence[str],
        digest: str | None = None,
        densities: Any = None,
        content: Any = None,
    ):
        self.distances, self.extractor, self.taps = distances, make_extractor(extractor), tuple(taps)
        self.digest, self.densities = digest or distances.digest(), densities
        self.content = None if content is None else make_extractor(content)

    def identity(self) -> Mapping[str, Any]:
        """What decides the sums."""
        return {
            "extractor": "sums of distances",
            "version": 1,
            "taps": list(self.taps),
            "references_sha256": self.digest,
            "densities_sha256": digest_of(learned_of(self.densities)) if self.densities is not None else None,
            "maps": dict(self.extractor.identity()),
        } | ({} if self.content is None else {"content": dict(self.content.identity())})

    def prepare(self, pixels: np.ndarray) -> tuple[Mapping[str, np.ndarray], Any, Any]:
        """The maps of one picture, and what its pooled features and its content are made from."""
        pooled = None if self.densities is None else self.extractor.prepare(pixels)
        content = None if self.content is None else self.content.prepare(pixels)
        return self.extractor.maps(pixels, self.taps), pooled, content

    def run(self, prepared: Sequence[tuple[Mapping[str, np.ndarray], Any, Any]]) -> dict[str, np.ndarray]:
        """Prepared pictures to column -> float32 (n, 1), and the content, float32 (n, c)."""
        sums = self.distances.sums([maps for maps, *_ in prepared])
        numbers = dict(zip((f"{tap}{DISTANCE}" for tap in self.distances.layers), sums.T, strict=True))
        if self.densities is not None:
            layers = self.extractor.run([pooled for _, pooled, _ in prepared])
            z = self.densities.layer_z(np.concatenate(list(layers.values()), axis=1))
            numbers |= {f"{name}{Z}": z[:, i] for i, name in enumerate(self.densities.layer_names(layers))}
        columns = {name: column[:, None].astype(np.float32) for name, column in numbers.items()}
        return columns if self.content is None else columns | self.content.run([content for *_, content in prepared])


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
