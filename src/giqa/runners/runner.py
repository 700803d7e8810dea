"""The runner that the command line names."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import BadSpec
from ..types import Runner

NAMES = ("local", "ray")


def make_runner(name: str = "local", address: str | None = None, devices: Sequence[str] | None = None) -> Runner | None:
    """The runner of this name.

    Parameters
    ----------
    name : "local" or "ray"
        This machine, or a Ray cluster.
    address : str or None
        Of the cluster: "auto", "host:port" or "ray://host:port"; None: Ray is started on this machine.
    devices : sequence of str or None
        A process for each, whose networks compute there: "cuda:0", "cuda:1", or "cpu" several times. With ray only the
        kind: "cuda" gives every worker a GPU.

    Returns
    -------
    Runner or None
        None: in this process.

    Raises
    ------
    BadSpec
        When there is no such runner, or what is given does not go with it.

    Examples
    --------
    >>> make_runner() is None, make_runner(devices=["cpu", "cpu"])
    (True, Processes(devices=('cpu', 'cpu')))
    """
    if not isinstance(name, str) or name not in NAMES:
        raise BadSpec(f"The runners are {' and '.join(NAMES)}, got {name!r}.")
    if devices is not None and not (isinstance(devices, (list, tuple)) and all(isinstance(d, str) for d in devices)):
        raise BadSpec(f"devices are names such as ['cuda:0', 'cuda:1'], or None, got {devices!r:.80}.")
    if name == "ray" and devices and len(set(devices)) > 1:
        raise BadSpec(f"With ray every worker has the same kind of device, such as cuda; got {', '.join(devices)}.")
    if name == "local" and address:
        raise BadSpec(f"address={address!r} is that of a Ray cluster; give runner='ray' (--runner ray) too.")
    if name == "ray":
        from .ray import Ray

        return Ray(address, devices[0] if devices else None)
    if devices:
        from .local import Processes

        return Processes(tuple(devices))
    return None
