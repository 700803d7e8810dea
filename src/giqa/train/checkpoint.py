"""A training on the disk: tensors by part, and what it was, in one safetensors file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import BadModel


def stored(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Tensors as safetensors keeps them: copies on the CPU, contiguous."""
    return {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}


def by_part(flat: Mapping[str, Any], separator: str) -> dict[str, dict[str, Any]]:
    """Names cut at their first separator.

    >>> by_part({"a.x": 1, "a.y.z": 2, "b.x": 3}, ".")
    {'a': {'x': 1, 'y.z': 2}, 'b': {'x': 3}}
    """
    parts: dict[str, dict[str, Any]] = {}
    for name, value in flat.items():
        part, _, rest = name.partition(separator)
        parts.setdefault(part, {})[rest] = value
    return parts


def restore_optimiser(optimiser: Any, flat: Mapping[str, Any], separator: str) -> None:
    """Give an optimiser its state back, whose names begin with the number of the parameter."""
    state = {int(number): values for number, values in by_part(flat, separator).items()}
    optimiser.load_state_dict(optimiser.state_dict() | {"state": state})


def read_checkpoint(path: Path, key: str, command: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a training says of itself, and its tensors by name.

    Parameters
    ----------
    path : Path
        The file.
    key : str
        Of the metadata.
    command : str
        Which command writes such files.

    Returns
    -------
    tuple of dict

    Raises
    ------
    BadModel
        When it is another kind of file, or cut short.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            said = json.loads((file.metadata() or {})[key])
            return said, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise BadModel(f"{path} is no checkpoint of `{command}` ({type(error).__name__}); delete it.") from None
