"""All simulations, by the command that prints their intervals."""

from __future__ import annotations

from benchmarks.coverage import _people, _pictures, _scores, _sets

CASES = {**_pictures.CASES, **_sets.CASES, **_people.CASES, **_scores.CASES}
