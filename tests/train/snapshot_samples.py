"""Snapshots of a generator that learns: toy landscapes whose damage shrinks with the iteration."""

import csv

import numpy as np
from PIL import Image

from giqa.images.toy import damaged, landscape


def write_snapshots(folder, run="a", iterations=6, each=8, reals=24, size=24, seed=0):
    """`folder/snapshots.csv`: checkerboards and noise from strength 1 at iteration 0 down to .1 at the last."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for iteration in [None, *range(iterations)]:
        for number in range(reals if iteration is None else each):
            rng = np.random.default_rng([seed, 99 if iteration is None else iteration, number])
            pixels = landscape(rng, size)
            if iteration is not None:
                strength = 1 - 0.9 * iteration / (iterations - 1)
                pixels = damaged(damaged(pixels, "checkerboard", strength, rng), "noise", strength / 2, rng)
            name = f"{run}_{'real' if iteration is None else iteration}_{number}.png"
            Image.fromarray(pixels).save(folder / name)
            rows.append(
                (name, "real" if iteration is None else "generated", run, "" if iteration is None else iteration)
            )
    with open(folder / "snapshots.csv", "w", newline="") as file:
        csv.writer(file).writerows([("image", "kind", "run", "iteration"), *rows])
    return folder / "snapshots.csv"
