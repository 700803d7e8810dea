import csv
import os
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from giqa.errors import BadShape, BadSpec, BadTable
from giqa.images import open_source
from giqa.train.snapshots import Snapshots, as_pixels

EXAMPLES = Path(__file__).parents[2] / "examples"


def table(folder):
    with open(folder / "snapshots.csv", newline="") as file:
        return list(csv.DictReader(file))


def picture(value, n=2):
    return np.full((n, 4, 6, 3), value, np.uint8)


def test_writes_pictures_and_the_manifest(tmp_path):
    """Due iterations only; the table is a source of pictures, with the manifest's columns."""
    snapshots, asked = Snapshots(tmp_path, run="a", every=2), []
    snapshots.write_reals(picture(200, n=1))
    for iteration in range(5):
        snapshots(iteration, lambda i=iteration: (asked.append(i), picture(10 * i))[1])
    assert asked == [0, 2, 4] == snapshots.iterations
    rows = table(tmp_path)
    assert list(rows[0]) == ["image", "kind", "run", "iteration"]
    assert [(r["kind"], r["run"], r["iteration"]) for r in rows] == [
        ("real", "a", ""),
        *(("generated", "a", str(i)) for i in (0, 0, 2, 2, 4, 4)),
    ]
    source = open_source(f"{tmp_path}/snapshots.csv[iteration=4]")
    assert len(source) == 2
    assert (np.asarray(Image.open(source.path(1))) == 40).all()


def test_a_resumed_run_writes_what_is_missing(tmp_path):
    """What is there is neither sampled nor written again; another run of the same folder joins the table."""
    for _ in range(2):
        snapshots = Snapshots(tmp_path, run="a", every=1)
        snapshots.write_reals(picture(1))
        for iteration in range(3):
            snapshots(iteration, lambda: picture(0))
    Snapshots(tmp_path, run="a", every=1)(1, lambda: pytest.fail("sampled again"))
    Snapshots(tmp_path, run="b", every=1)(1, lambda: picture(0))
    assert len(table(tmp_path)) == 2 + 3 * 2 + 2
    assert len({r["image"] for r in table(tmp_path)}) == 10


@pytest.mark.parametrize("killed_at", range(3))
def test_killed_between_files_the_table_names_only_what_exists(tmp_path, monkeypatch, killed_at):
    """Whichever rename fails, the table is whole and its pictures are there; the next run completes it."""
    Snapshots(tmp_path, every=1)(0, lambda: picture(0))
    renamed, replace = [], os.replace

    def killed(*paths):
        renamed.append(paths)
        if len(renamed) > killed_at:
            raise KeyboardInterrupt
        replace(*paths)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        Snapshots(tmp_path, every=1)(1, lambda: picture(0))
    monkeypatch.setattr(os, "replace", replace)
    assert {r["iteration"] for r in table(tmp_path)} == {"0"}
    assert all((tmp_path / r["image"]).is_file() for r in table(tmp_path))
    Snapshots(tmp_path, every=1)(1, lambda: picture(0))
    assert [r["iteration"] for r in table(tmp_path)] == ["0", "0", "1", "1"]
    assert len(list(tmp_path.rglob("*.png"))) == 4 and not list(tmp_path.rglob(".*"))


def test_tensors_of_a_generator_become_pixels():
    """(n, 3, h, w) from -1 to 1: -1 is 0, 0 rounds to 128, 1 is 255, beyond is clipped; grey is repeated."""
    torch = pytest.importorskip("torch")
    made = torch.zeros(1, 3, 2, 2)
    made[0, 0, 0], made[0, 1, 1], made[0, 2] = -1, 1, 5
    pixels = as_pixels(made.requires_grad_())
    assert pixels.tolist() == [[[[0, 128, 255]] * 2, [[128, 255, 255]] * 2]]
    assert as_pixels(torch.full((1, 1, 2, 2), 0.25), low=0)[0, 0, 0].tolist() == [64] * 3
    assert as_pixels(torch.full((1, 3, 2, 2), 7, dtype=torch.uint8))[0, 0, 0].tolist() == [7] * 3


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        (np.zeros((3, 8, 8), np.uint8), r"\(n, h, w, 3\) as an array.*\(3, 8, 8\)"),
        (np.zeros((1, 8, 8, 3), int), "uint8 or floats, got int64"),
        (np.full((1, 8, 8, 3), np.nan), "finite; has the training diverged"),
    ],
)
def test_what_is_no_picture_is_refused(pictures, message):
    with pytest.raises(BadShape, match=message):
        as_pixels(pictures)


def test_parameters_and_tables_are_checked(tmp_path):
    with pytest.raises(BadSpec, match="from 1, got 0"):
        Snapshots(tmp_path, every=0)
    with pytest.raises(BadSpec, match="without slashes"):
        Snapshots(tmp_path, run="a/b")
    (tmp_path / "snapshots.csv").write_text("image,epoch\n")
    with pytest.raises(BadTable, match="no table of snapshots"):
        Snapshots(tmp_path)


def test_the_plain_example_runs(tmp_path, monkeypatch):
    """A plain PyTorch loop leaves snapshots of each tenth iteration."""
    pytest.importorskip("torch")
    monkeypatch.setattr(sys, "argv", ["snapshots_plain.py", str(tmp_path)])
    runpy.run_path(str(EXAMPLES / "snapshots_plain.py"), run_name="__main__")
    assert sorted({int(r["iteration"]) for r in table(tmp_path) if r["kind"] == "generated"}) == [0, 10, 20]


def test_the_lightning_example_runs(tmp_path, monkeypatch):
    """The same from a Lightning callback."""
    pytest.importorskip("lightning", reason="the example is of Lightning, which is no dependency of giqa")
    monkeypatch.setattr(sys, "argv", ["snapshots_lightning.py", str(tmp_path)])
    runpy.run_path(str(EXAMPLES / "snapshots_lightning.py"), run_name="__main__")
    assert sorted({int(r["iteration"]) for r in table(tmp_path) if r["kind"] == "generated"}) == [10, 20]


@pytest.mark.parametrize(
    ("values", "low", "words"),
    [([0.2, 0.8], -1, "none is below 0"), ([0, 255], -1, "none is below 0"), ([-1, 0, 0.5, 1], 0, "25% lie beyond")],
)
def test_floats_in_another_range_are_warned_of(values, low, words):
    """Pictures from 0 to 1 that are taken as -1 to 1 come out washed."""
    with pytest.warns(UserWarning, match=words):
        as_pixels(np.array(values, float).reshape(1, 1, -1, 1), low, 1)
