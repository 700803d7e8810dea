"""Series of crops for the text network: one line of type, clean twice, and with more and more of one kind of damage.

`python training/text_series.py --out DIR --series N --part K` writes shards of what the network sees; series number i
is the same on every run with the same fonts.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from letter_damage import damaged, kinds
from typeset import SEED, Look, Rng, set_in_picture, set_line

from giqa.text.crops import as_input

WIDEST = 320  # of a crop in training; of a longer line a piece is taken
STRENGTHS = ((0.07, 0.14), (0.14, 0.4), (0.4, 1.0))  # one drawn from each
MEMBERS = 2 + len(STRENGTHS)
SHARD = 100  # series
SCALE = 48  # a difference of one deviation in the bytes of a shard


def as_bytes(line: np.ndarray) -> np.ndarray:
    """(1, 1, 48, w) as uint8 (48, w)."""
    return np.clip(np.round(line[0, 0] * SCALE + 128), 0, 255).astype(np.uint8)


def as_floats(stored: np.ndarray) -> np.ndarray:
    return (stored.astype(np.float32) - 128) / SCALE


def series(number: int, tests: bool = False) -> tuple[list[np.ndarray], np.ndarray, str]:
    """Inputs of a series, its strengths (MEMBERS,), and the kind of damage."""
    rng = np.random.default_rng((SEED, number, int(tests)))
    drawn = float(rng.uniform(44, 64))
    line = set_line(rng, tests, drawn)
    able = kinds(line, trained=True)
    kind = able[rng.integers(len(able))]
    native = float(np.exp(rng.uniform(np.log(13), np.log(64))))
    strengths = [0.0, 0.0, *(float(rng.uniform(*ends)) for ends in STRENGTHS)]
    seed, same = int(rng.integers(1 << 30)), int(rng.integers(1 << 30))
    crops = []
    for i, u in enumerate(strengths):
        plain = (i == 0 or rng.random() < 0.3) and i != 1  # of the clean ones, one as it is and one with nuisances
        look = Look(int(rng.integers(1 << 30)) if i == 1 else same, plain, min(1.0, native / drawn))
        line_of_it = as_input(set_in_picture(damaged(line, kind, u, seed), drawn, look))
        crops.append(_piece(line_of_it, np.random.default_rng(same)))
    return crops, np.array(strengths, np.float32), kind


def _piece(line: np.ndarray, rng: Rng) -> np.ndarray:
    spare = line.shape[-1] - WIDEST
    start = int(rng.random() * (spare + 1)) if spare > 0 else 0
    return line[..., start : start + WIDEST]


def shard(first: int, tests: bool = False) -> dict[str, np.ndarray]:
    """SHARD series as arrays: crops one after the other, their widths, strengths and kinds."""
    crops, widths, strengths, names = [], [], [], []
    for number in range(first, first + SHARD):
        some, strength, kind = series(number, tests)
        crops += [as_bytes(crop) for crop in some]
        widths.append([crop.shape[-1] for crop in some])
        strengths.append(strength)
        names.append(kind)
    ink = np.concatenate([crop.T for crop in crops])  # (all widths, 48)
    return {"ink": ink, "widths": np.array(widths), "strengths": np.stack(strengths), "kinds": np.array(names)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--series", type=int, default=20_000)
    parser.add_argument("--part", type=int, default=0, help="of --parts processes, this one")
    parser.add_argument("--parts", type=int, default=1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for first in range(options.part * SHARD, options.series, options.parts * SHARD):
        file = options.out / f"series-{first:06d}.npz"
        if not file.exists():
            half = file.with_suffix(".half.npz")
            np.savez(half, **shard(first))
            half.rename(file)


if __name__ == "__main__":
    main()
