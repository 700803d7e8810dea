"""How long a picture is shown in the timed task: shorter after a right answer, longer after a wrong one."""

from __future__ import annotations


def next_exposure(
    exposure: int, right: bool, *, down: int = 30, up: int = 10, floor: int = 100, top: int = 1000
) -> int:
    """Milliseconds of the next picture: `exposure - down` after a right answer, else `exposure + up`, within bounds.

    >>> next_exposure(500, True), next_exposure(500, False), next_exposure(110, True), next_exposure(995, False)
    (470, 510, 100, 1000)
    """
    return min(top, max(floor, exposure - down if right else exposure + up))
