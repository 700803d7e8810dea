"""How well a picture matches its prompt: the cosine of both embeddings of CLIP or SigLIP, and z against real pairs."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadShape, BadSpec, BadWeights, MissingWeights
from ..images import open_source
from ..images.decode import decode
from ..stats import conformal_percentile, robust_z
from . import hub_models
from .devices import find_device, one_thread_each
from .hub import Hub
from .hub_network import load_whole

WHOLE = {"clip": "CLIPModel", "siglip": "SiglipModel"}  # networks with a text side
FEWEST = 20  # real pairs that a z is measured with
_loading = threading.RLock()


@dataclass(frozen=True, eq=False)
class PromptMatch:
    """How well pictures match their prompts.

    Parameters
    ----------
    cosine : float64 array (n,)
        Of the embeddings of picture and prompt, -1 to 1; means little without real pairs.
    z : float64 array (n,) or None
        Robust z of the cosine against real pairs: 0 is a typical real pair.
    percentile : float64 array (n,) or None
        Share of real pairs that match no better, above 0, at most 1.
    cut : tuple of str
        What of each prompt was not read since the network's text side is short; "" where all was.
    """

    cosine: np.ndarray
    z: np.ndarray | None
    percentile: np.ndarray | None
    cut: tuple[str, ...]


def prompt_match(
    pictures: Any,
    prompts: Sequence[str],
    model: str | Path = "openai/clip-vit-base-patch32",
    pairs: tuple[Any, Sequence[str]] | None = None,
) -> PromptMatch:
    """Cosine of each picture with its prompt, and its z against real pictures with their captions.

    Parameters
    ----------
    pictures : path, array or source
        n pictures, see `giqa.images.open_source`.
    prompts : sequence of str
        n prompts, in the same order.
    model : str or path
        A CLIP or SigLIP of the hub, or a folder with `tokenizer.json`, see `giqa.features.hub.Hub`.
    pairs : (pictures, captions) or None
        Real pictures and their captions, at least 20.

    Returns
    -------
    PromptMatch

    Raises
    ------
    BadShape
        Where numbers of pictures and prompts differ, or there are too few pairs.
    BadSpec, MissingWeights, BadWeights, MissingExtra

    Notes
    -----
    Warns of prompts that are longer than the network reads. Not measured on people: use it to sort, and look.

    Examples
    --------
    ::

        found = prompt_match("fakes/", prompts, pairs=("photos/", captions))
        found.z, found.cut
    """
    network = _network(model)
    cosine, cut = _cosines(network, pictures, prompts)
    _warn_of_cut(cut, network.limit)
    if pairs is None:
        return PromptMatch(cosine, None, None, cut)
    real, _ = _cosines(network, *pairs)
    if len(real) < FEWEST:
        raise BadShape(f"A z takes at least {FEWEST} real pairs, got {len(real)}; give more, or pairs=None.")
    return PromptMatch(cosine, robust_z(cosine, real), conformal_percentile(cosine, real), cut)


@dataclass(frozen=True, eq=False)
class _Network:
    see: Hub
    model: Any
    tokenizer: Any
    limit: int  # tokens that the text side reads
    padding: int | None  # token that fills up to the limit, as SigLIP was trained; None: nothing


def _network(model: str | Path) -> _Network:
    find_device("cpu", "hub", "hub")
    with _loading:
        found = hub_models.find(model)
        if found.kind not in WHOLE:
            raise BadSpec(f"{found.name} has no text side (kind {found.kind!r}); give a CLIP or a SigLIP.")
        if not (found.folder / hub_models.TOKENS).is_file():
            raise MissingWeights(f"{found.folder} has no {hub_models.TOKENS}; copy it from where the model came from.")
        return _loaded(found, tuple(found.files().items()))


@lru_cache(maxsize=1)
def _loaded(found: hub_models.Found, files: tuple[tuple[str, str], ...]) -> _Network:
    from tokenizers import Tokenizer

    model = load_whole(found, WHOLE[found.kind])
    text = model.config.text_config
    try:
        tokenizer = Tokenizer.from_file(str(found.folder / hub_models.TOKENS))
    except Exception as error:  # tokenizers raises a plain Exception
        raise BadWeights(f"{found.folder / hub_models.TOKENS} cannot be read ({error}).") from None
    tokenizer.no_padding()
    limit = text.max_position_embeddings
    tokenizer.enable_truncation(limit)
    padding = text.pad_token_id if found.kind == "siglip" else None
    return _Network(Hub(found.folder), model, tokenizer, limit, padding)


def _cosines(network: _Network, pictures: Any, prompts: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    source = open_source(pictures)
    if isinstance(prompts, str) or len(source) != len(prompts):
        got = "one text" if isinstance(prompts, str) else str(len(prompts))
        raise BadShape(f"Each picture needs a prompt: {source.name} has {len(source)} pictures, got {got}.")
    encoded = [network.tokenizer.encode(prompt) for prompt in prompts]

    def one(row: int) -> float:
        picture = network.see.prepare(decode(source.raw(row)).pixels)
        seen, read = _embeddings(network, picture, encoded[row].ids)
        return float(seen @ read / (np.linalg.norm(seen) * np.linalg.norm(read)))

    cosine = np.array(one_thread_each(one, range(len(source))), np.float64)
    return cosine, tuple(_cut(prompt, each) for prompt, each in zip(prompts, encoded, strict=True))


def _embeddings(network: _Network, picture: np.ndarray, tokens: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Of picture and prompt, float64 (d,)."""
    import torch

    model = network.model
    filled = [*tokens, *([] if network.padding is None else [network.padding] * (network.limit - len(tokens)))]
    with torch.inference_mode():
        pixels = torch.from_numpy(picture.transpose(2, 0, 1)[None].copy())
        seen = model.vision_model(pixel_values=pixels, return_dict=True).pooler_output
        read = model.text_model(input_ids=torch.tensor([filled]), return_dict=True).pooler_output
        if network.padding is None:  # CLIP projects both to one space
            seen, read = model.visual_projection(seen), model.text_projection(read)
    return seen[0].double().numpy(), read[0].double().numpy()


def _cut(prompt: str, encoded: Any) -> str:
    """What of the prompt lies behind the last token that is read."""
    return prompt[max(end for _, end in encoded.offsets) :].strip() if encoded.overflowing else ""


def _warn_of_cut(cut: Sequence[str], limit: int) -> None:
    longer = [text for text in cut if text]
    if longer:
        warnings.warn(
            f"{len(longer)} of {len(cut)} prompts are longer than the {limit} tokens that the network reads; the first "
            f"is cut before {longer[0][:40]!r}. See PromptMatch.cut.",
            stacklevel=3,
        )
