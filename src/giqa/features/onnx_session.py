"""A session of ONNX Runtime whose results depend on nothing but the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import BadSpec, BadWeights, MissingExtra

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}  # of ONNX Runtime, by device


def open_session(file: Path, who: str, device: str = "cpu") -> Any:
    """An inference session on one thread: each picture runs alone, so that its bits depend on nothing else.

    Parameters
    ----------
    file : Path
        The network.
    who : str
        The extractor, for messages.
    device : "cpu" or "cuda"
        Where it computes.

    Returns
    -------
    onnxruntime.InferenceSession

    Raises
    ------
    MissingExtra, BadWeights
    BadSpec
        When the device cannot be used.
    """
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingExtra(f"The extractor {who} needs onnxruntime ({error}): pip install onnxruntime") from None
    if device not in PROVIDERS:
        raise BadSpec(f"{who}(device=...) is {' or '.join(PROVIDERS)}, got {device!r}.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # named, since another level rounds otherwise
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    there = [PROVIDERS[device]] if PROVIDERS[device] in onnxruntime.get_available_providers() else []
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=there or [PROVIDERS["cpu"]])
    except Exception as error:  # onnxruntime raises a dozen classes of its own
        raise BadWeights(f"{file} is not an ONNX network, or is cut short ({type(error).__name__}).") from None
    if session.get_providers()[0] != PROVIDERS[device]:  # it takes the CPU in silence where a GPU cannot be used
        raise BadSpec(
            f"{who}(device={device!r}): ONNX Runtime {onnxruntime.__version__} cannot use it here. Install a driver "
            "and onnxruntime-gpu in place of onnxruntime, or take device='cpu'."
        )
    return session
