"""Labelled pairs for `giqa bench` where nobody was asked: of two pictures of one GAN run, the later one is the better.

    python -m benchmarks.accuracy.epoch_pairs WORK

Needs: lfw-dcgan-progress, cifar10-dcgan-progress and gan-compression-2afc of --data.
Takes: about a second.

Writes to WORK:

- faces.csv: 1,500 pairs of `lfw-dcgan-progress`, both pictures of odd epochs, at least 5 epochs apart;
  faces-snapshots.csv: the even epochs of the same run and its reals, for learned scorers. It is one run of one GAN:
  what they learn of it is the easy case.
- cifar.csv: 1,500 such pairs of the run tiwarim of `cifar10-dcgan-progress`, of any epoch; cifar-snapshots.csv: the
  run hvyd, which is independent of it, and its reals.
- codecs.csv: who made each picture of `gan-compression-2afc`, by the names of its files.

Pairs are drawn with a fixed seed, left or right at random; 3:0 stands for "the later one", nobody was asked. Whether
later is better is for the reader to say: it is what a GAN is trained for, and what the paper's eq. 1 assumes.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np

from benchmarks.data import rows_of
from benchmarks.shared import command

PAIRS, GAP = 1500, 5


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def later_is_better(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Different pairs at least GAP epochs apart, in a fixed order."""
    rng, epoch = np.random.default_rng(0), np.array([int(row["epoch"]) for row in rows])
    drawn: dict[tuple[int, int], None] = {}
    while len(drawn) < PAIRS:
        one, other = rng.integers(len(rows), size=2)
        if abs(epoch[one] - epoch[other]) >= GAP and (other, one) not in drawn:
            drawn[int(one), int(other)] = None
    pairs = []
    for one, other in drawn:
        left = 3 * int(epoch[one] > epoch[other])
        names = rows[one]["image"], rows[other]["image"]
        pairs.append(dict(zip(("left", "right", "votes_left", "votes_right"), (*names, left, 3 - left), strict=True)))
    return pairs


def main() -> None:
    parser = command(__file__, __doc__, "data")
    parser.add_argument("work", type=Path, help="the folder to write")
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    for name, folder, judged, learned in (
        ("faces", "lfw-dcgan-progress", lambda r: int(r["epoch"]) % 2 == 1, lambda r: int(r["epoch"]) % 2 == 0),
        ("cifar", "cifar10-dcgan-progress", lambda r: r["run"] == "tiwarim", lambda r: r["run"] == "hvyd"),
    ):
        rows = rows_of(asked.data / folder / "labels.csv")
        made = [row for row in rows if row["kind"] == "generated"]
        write(asked.work / f"{name}.csv", later_is_better([row for row in made if judged(row)]))
        where = Path(os.path.relpath(asked.data / folder, asked.work))
        reals = [row for row in rows if row["kind"] == "real" and (name == "faces" or learned(row))]
        some = [row for row in made if learned(row)] + reals
        write(
            asked.work / f"{name}-snapshots.csv", [row | {"image": (where / row["image"]).as_posix()} for row in some]
        )
    folder = asked.data / "gan-compression-2afc"
    names = [row["image"] for row in rows_of(folder / "labels.csv")]
    codec = [name.rpartition(".")[0].partition("_")[2].partition("_")[0] for name in names]
    write(asked.work / "codecs.csv", [{"image": n, "generator": c} for n, c in zip(names, codec, strict=True)])


if __name__ == "__main__":
    main()
