"""A network that learned quality (`giqa train`), as an extractor whose only feature is its score."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadSpec, BadWeights
from ..files import read_sealed
from . import weights as weights_home
from .devices import CHUNK, find_device, one_thread_each
from .resize import PREPROCESSING, resize

if TYPE_CHECKING:
    import torch

KEY = "giqa-learned"  # in the metadata of the safetensors file
FORMAT = 1
NETWORKS = ("small", "vgg19bn")


class Learned:
    """The score of a network that `giqa train` wrote to NAME.safetensors: one number a picture.

        giqa score FAKES --real REALS --extractor "learned(weights='NAME.safetensors')" --scorer value

    Parameters
    ----------
    weights : str or path
        That file, its name among `giqa weights list`, or `sha256:HEX`.
    device : str
        "cpu", or "cuda" or "mps" where there is one.

    Raises
    ------
    MissingExtra, MissingWeights, BadWeights, BadSpec
        At the first use, since the constructor only stores.

    Notes
    -----
    Pictures are resized to the side that the network was trained on; the score is that of the middle crop (`released`,
    `paper`) or the mean over five crops, as the file says. A picture's score is the same bits whatever the other
    pictures in the batch.

    Examples
    --------
    >>> Learned("mbc.safetensors").outputs
    ('score',)
    """

    outputs = ("score",)

    def __init__(self, weights: str | Path | None = None, device: str = "cpu"):
        self.weights = weights
        self.device = device

    def identity(self) -> Mapping[str, Any]:
        """What decides the score; needs no torch."""
        found = self._found()
        recipe = read_recipe(found.path)
        return {
            "extractor": "learned",
            "version": 1,
            "kind": recipe["kind"],
            "preprocessing": PREPROCESSING,
            "weights_sha256": found.sha256,
        }

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """One picture for the network: uint8 (h, w, 3) to its crops, float32 (crops, 3, crop, crop)."""
        recipe = read_recipe(self._found().path)
        return crops_of(resize(pixels, recipe["load"]), recipe)

    def run(self, prepared: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Prepared pictures to their scores, {"score": float32 (n, 1)}."""
        import torch

        device, found = find_device(self.device, "learned"), self._found()
        network, recipe = load(found.path, found.sha256, str(device))
        size = CHUNK[device.type]

        def one(start: int) -> np.ndarray:
            part = prepared[start : start + size]
            chunk = np.zeros((size, *part[0].shape), np.float32)
            chunk[: len(part)] = part
            with torch.inference_mode():
                outputs = network(torch.from_numpy(chunk).flatten(0, 1).to(device)).float().cpu()
            heads = activated(outputs, recipe).reshape(size, part[0].shape[0], -1).mean(1).numpy()
            return score_of(heads.astype(np.float64), recipe)[: len(part)]

        starts = range(0, len(prepared), size)
        if not starts:
            return {"score": np.empty((0, 1), np.float32)}
        scores = one_thread_each(one, starts) if device.type == "cpu" else [one(start) for start in starts]
        return {"score": np.concatenate(scores).astype(np.float32)[:, None]}

    def __call__(self, pixels: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return self.run([self.prepare(picture) for picture in pixels])

    def _found(self) -> weights_home.Resolved:
        if self.weights is None:
            raise BadSpec("learned(weights='NAME.safetensors') needs a network that `giqa train` wrote.")
        return weights_home.resolve(self.weights)


def read_recipe(path: Path) -> dict[str, Any]:
    """What the file says of the network: kind, trunk, heads, sizes, mean and deviation of its input."""
    return _recipe(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _recipe(path: Path, modified: int) -> dict[str, Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            recipe = dict(json.loads((file.metadata() or {})[KEY]))
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise BadWeights(
            f"{path} is no network that `giqa train` wrote, or is cut short ({type(error).__name__})."
        ) from None
    if recipe.get("format") != FORMAT or recipe.get("network") not in NETWORKS:
        raise BadWeights(f"{path} has the format {recipe.get('format')}; this giqa reads {FORMAT}. Train it again.")
    return recipe


@lru_cache(maxsize=4)
def load(path: Path, sha256: str, device: str) -> tuple[torch.nn.Module, dict[str, Any]]:
    """The network in evaluation mode, its weights frozen, and its recipe."""
    import torch
    from safetensors import SafetensorError

    from .learned_network import build

    recipe = read_recipe(path)
    network = build(recipe["network"], recipe["n_heads"], recipe["crop"])
    try:
        weights = read_sealed(path, KEY)[1]
        network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    except (SafetensorError, KeyError, TypeError, OSError, RuntimeError, ValueError) as error:
        raise BadWeights(f"{path} does not hold the weights of its network ({str(error).splitlines()[0]}).") from None
    return network.eval().requires_grad_(False).to(device), recipe


def frozen_scorer(weights: str | Path, device: str = "cpu") -> Any:
    """The network as a function for a training loop: tensors (n, 3, h, w) from -1 to 1 to scores (n,), no gradient.

    It is outside the graph and in evaluation mode; pictures are looked at in their middle, one crop each. With
    `giqa.train.ohem_weights` its scores become weights of the discriminator's loss.

    Parameters
    ----------
    weights : str or path
        As of `Learned`.
    device : str
        Where it computes.

    Returns
    -------
    callable
        The whole batch is computed at once, so that the last bits of a score may depend on its size; the extractor's do
        not.
    """
    import torch
    from torch.nn import functional

    where, found = find_device(device, "learned"), weights_home.resolve(weights)
    network, recipe = load(found.path, found.sha256, str(where))
    mean, deviation = (torch.tensor(recipe[name], device=where)[:, None, None] for name in ("mean", "deviation"))
    load_side, crop = recipe["load"], recipe["crop"]
    first = (load_side - crop) // 2

    @torch.no_grad()
    def score(pictures: torch.Tensor) -> torch.Tensor:
        x = pictures.to(where).float() * 127.5 + 127.5
        if x.shape[-2:] != (load_side, load_side):
            x = functional.interpolate(x, (load_side, load_side), mode="bicubic", antialias=True)
        x = (x[:, :, first : first + crop, first : first + crop] - mean) / deviation
        heads = activated(network(x), recipe).double().cpu().numpy()
        return torch.from_numpy(score_of(heads, recipe)).to(where)

    return score


def crops_of(pixels: np.ndarray, recipe: Mapping[str, Any]) -> np.ndarray:
    """A picture float32 (load, load, 3) as the crops that are scored, standardised, (crops, 3, crop, crop)."""
    side, crop = recipe["load"], recipe["crop"]
    middle, end = (side - crop) // 2, side - crop
    corners = ((0, 0), (0, end), (end, 0), (end, end))
    places = ((middle, middle), *corners) if recipe["five_crops"] and end else ((middle, middle),)
    x = (pixels - np.array(recipe["mean"], np.float32)) / np.array(recipe["deviation"], np.float32)
    return np.stack([x[y : y + crop, left : left + crop].transpose(2, 0, 1) for y, left in places])


def activated(outputs: torch.Tensor, recipe: Mapping[str, Any]) -> torch.Tensor:
    """A network's outputs as its heads are read: probabilities of MBC, labels of IR, else as they are."""
    return outputs.sigmoid() if recipe["kind"] in ("mbc", "ir") else outputs


def score_of(heads: np.ndarray, recipe: Mapping[str, Any]) -> np.ndarray:
    """Heads (n, N) to a score (n,), by the preset of the recipe; eq. 4 for MBC, as `giqa.scorers.labels.combined`."""
    if recipe["kind"] != "mbc":
        return heads[:, 0]
    if recipe["preset"] == "released":
        return np.trunc(heads.sum(axis=1) * 1e6)
    return (np.minimum.accumulate(heads, axis=1) if recipe["preset"] == "recommended" else heads).mean(axis=1)
