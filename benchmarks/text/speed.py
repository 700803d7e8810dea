"""What looking for text costs: a picture without any, and one with five lines, on one thread, decoding excluded.

    python -m benchmarks.text.speed

Needs: giqa[text], and fontconfig with the font packages of training/README.md.
Takes: about a minute.

Pictures of 1,024 x 1,024 pixels; five lines of one or two words, type of 40 px, in fonts of the test half. The detector
sees the longer side at 640 or at 1,024; lines are cut out at their native size. Ways are timed in turns, in
milliseconds of the processor, which other work on the machine moves less than those of the clock: medians, and ranges
over the rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.shared import command, head, interleaved, median_range, results, row
from benchmarks.text._type import cases, typeset
from giqa.text import find_text, models
from giqa.text.damage import damage_of
from giqa.text.detect import boxes_of, detector_input

SIDE = 1024


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """A texture, and the same with five lines; both (1024, 1024, 3)."""
    texture = np.kron(typeset.textures()[1][:512, :512], np.ones((2, 2, 1), np.uint8))
    plain = (texture * 0.3 + 60).astype(np.uint8)
    full = plain.copy()
    for number, case in enumerate(cases("melted", 5, 1, "la")):
        ink = case.line.ink()[:180, : SIDE - 80]
        size = [round(length * 40 / 56) for length in ink.shape[::-1]]
        mask = np.clip(np.asarray(typeset.Image.fromarray(ink).resize(size)), 0, 1)[..., None]
        part = full[60 + 190 * number :, 40:][: mask.shape[0], : mask.shape[1]]
        part[:] = np.round(part * (1 - mask) + 250 * mask)
    return plain, full


def detector_alone(picture: np.ndarray, side: int) -> None:
    x = detector_input(picture, side)
    boxes_of(models.network(models.DETECTOR).run(None, {"x": x})[0][0, 0], picture.shape[:2])


def processor(work: Callable[[], object]) -> float:
    """Seconds of the processor that one call takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    plain, full = pictures()
    crop = full[60:130, 60:400]
    work = {"a crop of 70 x 340 pixels through the network of giqa": partial(damage_of, crop)}
    for side in (640, 1024):
        lines = len(find_text(full, side))
        work[f"detector and boxes, at {side}"] = partial(detector_alone, plain, side)
        work[f"a picture without text, at {side}"] = partial(find_text, plain, side)
        work[f"a picture with {lines} lines, at {side}"] = partial(find_text, full, side)
    with results(options):
        head("work", "ms", "range")
        clocks = {name: partial(processor, task) for name, task in work.items()}
        for name, seconds in interleaved(clocks, options.rounds).items():
            row(name, *median_range([1000 * value for value in seconds], ".1f"))


if __name__ == "__main__":
    main()
