"""Where two sets of pictures differ as files, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from .profile import ALPHA, PROFILE, Look, Profile


def moved(a: np.ndarray, b: np.ndarray, at_least: float) -> bool:
    """Whether two sorted samples have medians `at_least` apart, and not by chance (Kolmogorov-Smirnov, p < .001)."""
    if not len(a) or not len(b) or abs(np.median(a) - np.median(b)) <= at_least:
        return False
    both = np.union1d(a, b)
    distance = np.abs(np.searchsorted(a, both, "right") / len(a) - np.searchsorted(b, both, "right") / len(b)).max()
    return bool(distance == 1 or distance > 1.95 * np.sqrt(1 / len(a) + 1 / len(b)))


def differences(a: Profile, b: Profile) -> tuple[str, ...]:
    """What tells the files of two sets apart: of coding, quality, sampling, size, aspect, grey, alpha, detail, profile.

    Medians must differ by 5 (quality), 2 % (size), 5 % (aspect) or a factor of 3 (detail), shares by 10 points, and
    each by more than samples of this size differ by chance.
    """

    def uneven(of: Callable[[Look], bool]) -> bool:
        if not a.looks or not b.looks:
            return False
        p, q, n, m = a.share(of), b.share(of), len(a.looks), len(b.looks)
        pooled = (p * n + q * m) / (n + m)
        return abs(p - q) > max(0.1, 2 * np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m)))

    def apart(of: Callable[[Look], float | None], at_least: float) -> bool:
        return moved(a.values(of), b.values(of), at_least)

    short = min(side.median(lambda look: look.shorter) or 0 for side in (a, b))
    subsampled = [[look.sampling != "4:4:4" for look in side.looks if look.sampling] for side in (a, b)]
    spaces = {look.wide for side in (a, b) for look in side.looks} - {None}
    found = {
        "coding": uneven(lambda look: look.coded) or uneven(lambda look: look.coding_quality is not None),
        "quality": apart(lambda look: look.coding_quality, 5),
        "sampling": all(subsampled) and abs(np.mean(subsampled[0]) - np.mean(subsampled[1])) > 0.5,
        "size": apart(lambda look: look.shorter, 0.02 * short),
        "aspect": apart(lambda look: np.log(look.width / look.height), 0.05),
        "grey": uneven(lambda look: look.grey),
        "alpha": uneven(lambda look: ALPHA in look.notes),
        "detail": apart(lambda look: np.log(max(look.detail, 1e-9)), np.log(3)),
        PROFILE: any(uneven(lambda look, name=name: look.wide == name) for name in spaces),
    }
    return tuple(topic for topic, differs in found.items() if differs)


def advice(topics: Collection[str]) -> str:
    """What to do about `differences`: a match evens out all but colour profiles.

    >>> advice(["size"])
    "match='auto' (--match) evens it out"
    """
    others = [topic for topic in topics if topic != PROFILE]
    return "; ".join(
        ["match='auto' (--match) evens it out"] * bool(others)
        + ["colour profiles are not applied, so convert both sets to sRGB first"] * (PROFILE in topics)
    )
