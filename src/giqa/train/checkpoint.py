"""A training on the disk: tensors by part, and what it was, in one safetensors file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import BadModel
from ..files import read_sealed, sealed


def packed(tensors: Mapping[str, Any], said: Mapping[str, Any], key: str) -> bytes:
    """Tensors and what is said of them as a file, under a checksum."""
    return sealed(said, {name: value.detach().cpu().contiguous().numpy() for name, value in tensors.items()}, key)


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


def read_checkpoint(
    path: Path, key: str, command: str, what: str = "checkpoint"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a training says of itself, and its tensors by name.

    Parameters
    ----------
    path : Path
        The file.
    key : str
        Of the metadata.
    command, what : str
        Which command writes such files, and their name.

    Returns
    -------
    tuple of dict

    Raises
    ------
    BadModel
        When it is another kind of file, or damaged.
    """
    import torch
    from safetensors import SafetensorError

    try:
        said, arrays = read_sealed(path, key)
        return said, {name: torch.from_numpy(array) for name, array in arrays.items()}
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise BadModel(
            f"{path} is no {what} of `{command}`, or is damaged ({type(error).__name__}); delete it, and train again."
        ) from None
