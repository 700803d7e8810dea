"""Where a network computes: the device that a name means, and one thread a picture on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ..errors import BadSpec, MissingExtra

if TYPE_CHECKING:
    import torch

_assigned: list[str] = []  # at most one: the device that was given to this process
CHUNK = {"cpu": 1, "cuda": 32, "mps": 8}  # pictures in one call of the network, always, padded with zeros


def assign_device(name: str) -> None:
    """From now on every network of this process computes on this device, whatever its spec says."""
    _assigned[:] = [name]


def find_device(name: str, extractor: str, extra: str = "torch") -> torch.device:
    """The device that a name means, once it has been tried.

    Parameters
    ----------
    name : str
        "cpu", or "cuda" or "mps" where there is one.
    extractor : str
        Who asks, for messages.
    extra : str
        What of giqa to install where torch is missing.

    Returns
    -------
    torch.device

    Raises
    ------
    MissingExtra
        Without torch.
    BadSpec
        When the device is not there.

    Examples
    --------
    >>> from giqa.errors import GiqaError
    >>> try:
    ...     device = find_device("abacus", "inception")
    ... except GiqaError as error:
    ...     print(str(error).partition("(")[0])
    inception
    """
    try:
        import torch
    except ModuleNotFoundError as error:
        if error.name != "torch":  # a broken torch shows itself
            raise
        raise MissingExtra(f"The extractor {extractor} needs PyTorch: pip install 'giqa[{extra}]'.") from None
    try:
        name = _assigned[0] if _assigned else name
        device = torch.device(name)
        CHUNK[device.type]
        torch.zeros(1, device=device)
    except (RuntimeError, KeyError, AssertionError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise BadSpec(
            f"{extractor}(device=...) is cpu, or cuda or mps if there is one; got {name!r} ({reason})."
        ) from None
    return device


def one_thread_each(work: Callable, items: Sequence[int]) -> list[Any]:
    """`map` with every item on one thread of its own: an operation that is shared among threads sums in another order
    for another number of them (seen with oneDNN), and stalls when a core is busy with something else."""
    import torch

    threads = torch.get_num_threads()

    def alone() -> None:
        torch.get_num_threads()  # torch sets a thread up at its first question, and would undo the next line
        torch.set_num_threads(1)

    try:
        with ThreadPoolExecutor(min(threads, len(items)), initializer=alone) as pool:
            return list(pool.map(work, items))
    finally:
        torch.set_num_threads(threads)  # what a worker sets for itself is also what later threads begin with
