"""Toy pictures with known quality, and pairs of them."""

import csv

import numpy as np
from PIL import Image

from giqa.votes.labels import Pairs


def pairs_of(rows):
    """Pairs from (left, right, votes left, votes right)."""
    left, right, a, b = zip(*rows, strict=True)
    return Pairs(np.array(left), np.array(right), np.array(a, float), np.array(b, float), np.full(len(rows), ""))


def write_pictures(folder, n, damage, seed=0):
    """Smooth pictures with a gradient; `damage`: how strong the noise on picture i is."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:24, 0:24] / 24
    for i in range(n):
        a, b, c = rng.uniform(60, 180, 3)
        plain = np.stack([a + 60 * x, b + 60 * y, c + 40 * x * y], axis=2)
        noisy = plain + damage(i) * rng.normal(size=plain.shape)
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / f"p{i:02d}.png")


def write_pairs(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("left", "right", "votes_left", "votes_right"))
        writer.writerows(rows)
