"""Models of the hub on this machine: found or downloaded, their JSON read, their files named by SHA-256.

    config.json                             which network, and its sizes
    preprocessor_config.json                the picture's size, mean and deviation (newer: inside processor_config.json)
    model.safetensors                       the weights, or
    model.safetensors.index.json, shards    the same in pieces
    tokenizer.json                          how prompts become tokens, where there is a text side

Nothing else is downloaded, no pickle is opened, and no code of a model is run: the network is a class of transformers.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BadSpec, BadWeights, MissingExtra, MissingWeights
from ..files import as_home
from . import weights as weights_home

FILES = ("config.json", "preprocessor_config.json", "processor_config.json", "model.safetensors")
INDEX = "model.safetensors.index.json"
TOKENS = "tokenizer.json"  # of networks with a text side
WANTED = [*FILES, INDEX, TOKENS, "model-*-of-*.safetensors"]
VECTORS = ("cls", "pooled")  # what a family may call its final vector; its other layers are block_1, block_2, ...
EXTRA = "The extractor hub needs transformers: pip install 'giqa[hub]'."


@dataclass(frozen=True)
class Family:
    """Classes of transformers, and what the final vector is called: the class token, or tokens pooled by attention."""

    network: str
    config: str
    vector: str
    registers: bool = False  # whether it has tokens that are neither class nor place
    resizes: bool = False  # whether it moves its places to pictures of another size


CLIP = Family("CLIPVisionModel", "CLIPVisionConfig", "cls")
SIGLIP = Family("SiglipVisionModel", "SiglipVisionConfig", "pooled")
FAMILIES = {  # by model_type of config.json; of CLIP and SigLIP only the part that sees is loaded
    "dinov2": Family("Dinov2Model", "Dinov2Config", "cls", resizes=True),
    "dinov2_with_registers": Family("Dinov2WithRegistersModel", "Dinov2WithRegistersConfig", "cls", True, True),
    "dinov3_vit": Family("DINOv3ViTModel", "DINOv3ViTConfig", "cls", True, True),
    "clip": CLIP,
    "clip_vision_model": CLIP,
    "siglip": SIGLIP,
    "siglip_vision_model": SIGLIP,
    "vit": Family("ViTModel", "ViTConfig", "cls"),
}


@dataclass(frozen=True)
class Preparation:
    """What a model wants done to a picture after resizing: (x * scale - mean) / std, a number for each channel."""

    size: tuple[int, int]  # height, width
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class Found:
    """A model on this machine; `revision` is the commit, when it came from the hub."""

    folder: Path
    name: str
    revision: str | None
    kind: str
    preparation: Preparation

    @property
    def family(self) -> Family:
        return FAMILIES[self.kind]

    def files(self) -> dict[str, str]:
        """The files that decide the network, by name, and their SHA-256 as they are now."""
        weights = _weights(self.folder) or ()
        if not weights:
            raise _no_weights(self.folder, self.name)
        return {name: weights_home.digest(self.folder / name) for name in ("config.json", *weights)}


def find(model: str | os.PathLike[str]) -> Found:
    """A network of the hub on this machine.

    Parameters
    ----------
    model : str or path
        A local folder, or OWNER/NAME of the hub (OWNER/NAME@REVISION), from its cache or downloaded into it.

    Raises
    ------
    MissingWeights
        When it is not here and cannot be had.
    BadWeights
        When it is no network of `FAMILIES`.
    """
    if not isinstance(model, (str, os.PathLike)):
        raise BadSpec(f"hub(model=...) is OWNER/NAME of the hub or a folder, got {model!r}.")
    wanted = os.fspath(model)
    folder = as_home(wanted)
    name, revision = folder.resolve().name, None
    if not wanted or not folder.is_dir():
        if not re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*(@[\w./-]+)?", wanted, re.ASCII):
            raise MissingWeights(
                f"There is no model {wanted!r}: not a folder here, nor OWNER/NAME of the hub such as "
                "facebook/dinov2-small."
            )
        name, _, asked = wanted.partition("@")
        folder = _snapshot(name, asked or None)
        revision = folder.name
    config = _json(folder / "config.json")
    if config is None:
        raise MissingWeights(f"{folder} holds no model: there is no config.json in it.")
    kind = config.get("model_type")
    if kind not in FAMILIES:
        raise BadWeights(f"{wanted} is a model of the kind {kind!r}; hub knows {', '.join(FAMILIES)}.")
    if not _weights(folder):
        raise _no_weights(folder, wanted)
    return Found(folder, name, revision, kind, _preparation(folder))


def _snapshot(name: str, revision: str | None) -> Path:
    """The folder of a model in the hub's cache; the network is asked only when something is missing there."""
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError
    except ModuleNotFoundError as error:
        if error.name != "huggingface_hub":
            raise
        raise MissingExtra(EXTRA) from None
    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=WANTED, local_files_only=True))
        if _json(folder / "config.json") and _weights(folder) and _processor(folder):
            return folder
    except LocalEntryNotFoundError:
        pass
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=WANTED))
    except Exception as error:  # whatever HTTP library it uses this year has errors of its own
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        at = f"@{revision}" if revision else ""
        raise MissingWeights(
            f"The model {name + at!r} is not (or not whole) in the hub's cache and could not be downloaded ({reason}). "
            f"Is the name right, and is there a network? Else run `hf download {name} --local-dir FOLDER` where there "
            "is one, bring the folder here and write hub(model='FOLDER')."
        ) from error


def _weights(folder: Path) -> tuple[str, ...] | None:
    """Names of the weights files, all of which are there; None when they are not."""
    if (folder / "model.safetensors").is_file():
        return ("model.safetensors",)
    index = _json(folder / INDEX)
    shards = sorted(set(index.get("weight_map", {}).values())) if index else []
    return (INDEX, *shards) if shards and all((folder / shard).is_file() for shard in shards) else None


def _no_weights(folder: Path, model: str) -> MissingWeights:
    return MissingWeights(
        f"The model {model!r} has no model.safetensors, whole or in all its pieces, in {folder}; pickled weights are "
        "never loaded. Take a revision that has one (OWNER/NAME@REVISION), or write one where you trust the pickle: "
        "AutoModel.from_pretrained(...).save_pretrained('FOLDER')."
    )


def _json(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise BadWeights(f"{path} cannot be read as JSON ({error}).") from None
    if not isinstance(content, dict):
        raise BadWeights(f"{path} should hold an object, got {type(content).__name__}.")
    return content


def _processor(folder: Path) -> dict[str, Any] | None:
    """How the model wants its pictures; never through transformers' own classes, some of which need torchvision."""
    found = _json(folder / "preprocessor_config.json")
    return found or (_json(folder / "processor_config.json") or {}).get("image_processor")


def _preparation(folder: Path) -> Preparation:
    """Size, scale, mean and deviation; of a processor that crops, the size of the crop, to which all is resized."""
    processor = _processor(folder)
    if not processor:
        raise MissingWeights(
            f"{folder} does not say how pictures are prepared: there is no preprocessor_config.json in it. "
            "Copy it there from where the model came from."
        )
    cropped = processor.get("do_center_crop", "crop_size" in processor) and processor.get("crop_size")
    normalised = processor.get("do_normalize", True)
    try:
        preparation = Preparation(
            _size(cropped or processor["size"]),
            float(processor.get("rescale_factor", 1 / 255)) if processor.get("do_rescale", True) else 1.0,
            tuple(map(float, processor["image_mean"])) if normalised else (0.0,) * 3,
            tuple(map(float, processor["image_std"])) if normalised else (1.0,) * 3,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadWeights(
            f"The preprocessor_config.json of {folder} has no readable size, image_mean and image_std ({error!r})."
        ) from None
    if {len(preparation.mean), len(preparation.std)} != {3} or 0 in preparation.std or min(preparation.size) < 1:
        raise BadWeights(f"The preprocessor_config.json of {folder} is not for pictures of three channels.")
    return preparation


def _size(size: Any) -> tuple[int, int]:
    if isinstance(size, Mapping):
        side = size.get("shortest_edge")
        return (int(size["height"]), int(size["width"])) if "height" in size else (int(side), int(side))
    return (int(size), int(size)) if isinstance(size, int) else (int(size[0]), int(size[1]))


def config(found: Found) -> Any:
    """The network's own settings, with what config.json leaves out filled in by transformers."""
    try:
        import transformers
    except ModuleNotFoundError as error:
        if error.name != "transformers":  # a broken install shows itself
            raise
        raise MissingExtra(EXTRA) from None
    path = found.folder / "config.json"
    try:
        settings = getattr(transformers, found.family.config).from_pretrained(found.folder, local_files_only=True)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtra(EXTRA.replace("transformers", "PyTorch")) from None
    except Exception as error:  # OSError, ValueError, or what checks the fields this year
        reason = " ".join(str(error).split())
        raise BadWeights(f"{path} cannot be read ({reason}).") from error
    if not isinstance(settings.num_hidden_layers, int) or settings.num_hidden_layers < 1:
        raise BadWeights(f"{path} cannot be right: num_hidden_layers is {settings.num_hidden_layers!r}.")
    return settings


def check_size(found: Found, settings: Any) -> None:
    """Only DINOs move their places to another size; a picture of another size would be refused deep inside."""
    wanted = _size(settings.image_size)
    if not found.family.resizes and found.preparation.size != wanted:
        raise BadSpec(
            f"{found.name} takes pictures of {wanted[0]} x {wanted[1]}, but its preprocessor_config.json prepares "
            f"{found.preparation.size[0]} x {found.preparation.size[1]}."
        )
