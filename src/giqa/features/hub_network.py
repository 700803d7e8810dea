"""A vision transformer of the transformers library, for inference: `load` a model, `forward` the layers asked for."""

from __future__ import annotations

import contextlib
import copy
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from ..errors import BadWeights, MissingExtra
from .hub_models import VECTORS, Found

if TYPE_CHECKING:
    import torch


class _Enough(Exception):
    """The deepest layer that was asked for is done."""


@dataclass(frozen=True, eq=False)
class Network:
    """A model of transformers; each block puts its tokens into what the thread has set out for them."""

    model: Any
    vector: str
    first: int  # token of the first place
    wanted: threading.local


@lru_cache(maxsize=2)
def load(found: Found, files: tuple[tuple[str, str], ...], device: torch.device) -> Network:
    """The network in float32; `files` are there so that a folder whose files changed is another one."""
    more = {"add_pooling_layer": False} if found.kind == "vit" else {}  # its weights are often not in the file
    model = load_whole(found, found.family.network, **more).to(device)
    wanted = threading.local()
    for number, block in enumerate(_blocks(model), 1):
        block.register_forward_hook(partial(_keep, wanted, f"block_{number}"))
    first = int(found.family.vector == "cls")  # the class token is no place, and registers are none
    first += model.config.num_register_tokens if found.family.registers else 0
    return Network(model, found.family.vector, first, wanted)


def load_whole(found: Found, name: str, **more: Any) -> Any:
    """A class of transformers with the weights of a folder, in float32, on the CPU, for inference."""
    build = _network_class(name)
    try:
        with _quiet():
            model, report = build.from_pretrained(
                found.folder,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                attn_implementation="eager",  # one arithmetic, whichever kernels torch brings; as fast on a CPU
                output_loading_info=True,
                **more,
            )
    except Exception as error:  # transformers and safetensors raise what they like
        reason = str(error).strip().partition("\n")[0]
        raise BadWeights(f"{found.folder} cannot be loaded as {name} ({reason}).") from error
    if missing := sorted(key for key in report["missing_keys"] if not key.endswith("mask_token")):
        raise BadWeights(
            f"The weights in {found.folder} are not those of {name}: {missing[0]} and {len(missing) - 1} more are not "
            "there."
        )
    model = copy.deepcopy(model)  # else its weights stay mapped to the file, and change with it under way
    return model.float().eval().requires_grad_(False)


def _network_class(name: str) -> Any:
    import transformers

    try:
        network = getattr(transformers, name)
        network.forward  # noqa: B018  where transformers finds no torch it likes, the class is a dummy that says so
        return network
    except Exception as error:  # it imports the network only now, and torchvision with it when that is installed
        cause: BaseException = error
        while cause.__cause__:
            cause = cause.__cause__
        reason = str(cause).strip().partition("\n")[0]
        raise MissingExtra(
            f"transformers cannot bring up {name} ({reason}). torchvision is not needed; uninstall one that does not "
            "fit torch."
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """transformers warns of the half of CLIP that is left out, and draws bars."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _blocks(model: Any) -> Any:
    """The list of blocks, which has a name of its own in each network and each version of transformers."""
    import torch

    n = model.config.num_hidden_layers
    return next(part for part in model.modules() if isinstance(part, torch.nn.ModuleList) and len(part) == n)


def _keep(wanted: threading.local, name: str, block: Any, given: Any, output: Any) -> None:
    if name in wanted.tokens:
        wanted.tokens[name] = output[0] if isinstance(output, tuple) else output
    if name == wanted.last:
        raise _Enough


def forward(network: Network, x: torch.Tensor, layers: Sequence[str]) -> dict[str, torch.Tensor]:
    """Patch tokens (n, places, c) of the blocks and the vector (n, c) asked for, and nothing beyond the deepest."""
    wanted, to_the_end = network.wanted, network.vector in layers
    wanted.tokens = dict.fromkeys(layer for layer in layers if layer not in VECTORS)
    deepest = max(wanted.tokens, key=lambda name: int(name.removeprefix("block_")), default="")
    wanted.last = "" if to_the_end else deepest
    found = {}
    try:
        output = network.model(pixel_values=x, return_dict=True)
        pooled = output.pooler_output
        found[network.vector] = output.last_hidden_state[:, 0] if pooled is None else pooled
    except _Enough:
        pass
    found |= {name: tokens[:, network.first :] for name, tokens in wanted.tokens.items()}
    wanted.tokens = {}
    return found
