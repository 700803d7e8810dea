"""Which way of a metric is better, and what is said where no difference is shown."""

from __future__ import annotations

from typing import Any

SAME = "cannot be told apart"


def way_of(metric: Any) -> int:
    """1 where more is better, -1 where less is, 0 where the metric ranks nothing."""
    if not metric.ranks:
        return 0
    return -1 if metric.is_distance else 1
