"""How often each 95 % interval that giqa prints holds the truth: simulations in which that is known.

    python -m benchmarks.coverage.coverage
    python -m benchmarks.coverage.coverage --only track,compare --runs 100

Needs: nothing.
Takes: about an hour of processor time.

A row an interval. "Known": the truth is a number of the simulation, or that of 20,000 pictures or more. "Mean (median)
of all runs": the interval is for the value that sets of this size give, so the mean (median) of the value over all runs
is the truth; what a metric is biased by at this size is no part of it. Below, above: shares of intervals that lie
wholly below or above the truth. Width: the median. With 400 runs a share of 0.95 has itself a standard error of 0.011.
The docstring of each simulation says what is drawn.
"""

from __future__ import annotations

import json
import time
import warnings
from collections import defaultdict
from pathlib import Path

from benchmarks.coverage import _people, _pictures, _scores, _sets
from benchmarks.coverage._shared import Seen, summary
from benchmarks.shared import command, head, names, results, row, say

LEAST, MOST = 0.93, 0.97
CASES = {**_pictures.CASES, **_sets.CASES, **_people.CASES, **_scores.CASES}  # by the command that prints them


def measured(case: str, runs: int) -> dict[str, dict[str, float | str]]:
    """What each interval of a case comes to."""
    seen: dict[str, list[Seen]] = defaultdict(list)
    start = time.process_time()
    for seed in range(runs):
        for name, one in CASES[case](seed):
            seen[name].append(one)
    say(f"{case}: {time.process_time() - start:.0f} s of processor time")
    return {name: {**summary(of), "runs": len(of)} for name, of in seen.items()}


def main() -> None:
    parser = command(__file__, __doc__, "json")
    parser.add_argument("--runs", type=int, default=400, help="simulations of each case (%(default)s)")
    parser.add_argument("--only", type=names(*CASES), default=list(CASES), metavar="CASES")
    parser.add_argument("--kept", type=Path, metavar="FOLDER", help="keep each case here, and take what is kept")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with results(options):
        head("printed by", "interval", "held", "below", "above", "width", "no interval", "truth", "runs")
        inside = total = 0
        for case in options.only:
            kept = options.kept / f"{case.replace(' ', '_')}.json" if options.kept else None
            if kept and kept.exists():
                found = json.loads(kept.read_text())
            else:
                found = measured(case, options.runs)
                if kept:
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    kept.write_text(json.dumps(found))
            for name, of in found.items():
                mark = "" if LEAST <= round(of["held"], 3) <= MOST else " *"
                inside, total = inside + (not mark), total + 1
                shares = (f"{of[side]:.3f}" for side in ("below", "above"))
                none = f"{of['none']:.3f}" if of["none"] else ""
                row(case, name, f"{of['held']:.3f}{mark}", *shares, f"{of['width']:.3g}", none, of["truth"], of["runs"])
            options.figures[case] = found
        print(f"\n{inside} of {total} within {LEAST} to {MOST}; the others have a star.")


if __name__ == "__main__":
    main()
