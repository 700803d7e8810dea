"""Where work is done: in this process, in several of this machine, or on a Ray cluster; the same bytes everywhere."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    runner="make_runner",
    local="Processes",
    ray="Ray",
    score="score_in_shards",
    plan="Measured Plan measure plan",
    constants="Constants measure_machine read_constants",
)
