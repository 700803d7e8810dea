"""The tensors of a weights file: read as data only, batch norm folded into the convolutions."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np

from ..errors import BadWeights, MissingExtra
from . import weights as weights_home
from .weights import Resolved

BATCH_NORM_EPS = 0.001  # of the TensorFlow Inception networks


def load(weights: Resolved) -> dict[str, np.ndarray]:
    """The tensors of a resolved file, batch norm folded; in the home, the folded copy is kept for the next time."""
    given = _read(weights.path)
    arrays = fold(given)
    folded_now = weights.path.suffix != ".safetensors" or arrays.keys() != given.keys()
    if weights.name and weights.path.parent == weights_home.folder() and folded_now:
        with contextlib.suppress(OSError):  # a home that cannot be written only costs time
            _keep_folded(weights, arrays)
    return arrays


def fold(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Each convolution with the batch norm behind it as one: w' = w g/√(v+ε), b' = β + (b - μ) g/√(v+ε)."""
    folded = {name: array for name, array in arrays.items() if ".bn." not in name}
    for bn in sorted(name.removesuffix(".running_var") for name in arrays if name.endswith(".bn.running_var")):
        conv = bn.removesuffix("bn") + "conv"
        try:
            var, mean, gain, shift = (
                arrays[f"{bn}.{part}"].astype(np.float64) for part in ("running_var", "running_mean", "weight", "bias")
            )
            weight, bias = arrays[f"{conv}.weight"], arrays.get(f"{conv}.bias", np.zeros_like(mean))
        except KeyError as missing:
            raise BadWeights(f"The weights have a batch norm {bn} but no {missing.args[0]}.") from None
        scale = gain / np.sqrt(var + BATCH_NORM_EPS)
        folded[f"{conv}.weight"] = (weight * scale.reshape(-1, 1, 1, 1)).astype(np.float32)
        folded[f"{conv}.bias"] = (shift + (bias - mean) * scale).astype(np.float32)
    return folded


def _read(path: Path) -> dict[str, np.ndarray]:
    """Tensors by name from safetensors, or from a PyTorch file read as data only."""
    if path.suffix.lower() == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            return load_file(path)
        except SafetensorError as error:
            raise BadWeights(f"{path} is no readable safetensors file: {error}.") from None
    try:
        import torch
    except ModuleNotFoundError as error:
        if error.name != "torch":  # a broken torch shows itself
            raise
        raise MissingExtra(f"Reading {path.name} needs PyTorch: pip install 'giqa[torch]'.") from None
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
        return {name: tensor.float().numpy() for name, tensor in tensors.items()}
    except Exception as error:  # what torch raises here differs with its version and with the damage
        raise BadWeights(f"{path} is no PyTorch file of plain tensors: {str(error).splitlines()[0]}") from error


def _keep_folded(weights: Resolved, arrays: dict[str, np.ndarray]) -> None:
    from safetensors.numpy import save

    arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}  # save does not look at strides
    made = {"made_from_sha256": weights.sha256, "made_by": "giqa.features.tensors.fold"}
    weights_home.keep_folded(weights.name, save(arrays, made))
