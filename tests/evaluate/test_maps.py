"""`evaluate_maps` and `giqa evaluate --maps`: damage at known places, found by maps that were fitted on reals."""

import json
import shlex

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from giqa.cli import main
from giqa.errors import BadSource, BadSpec
from giqa.evaluate.map_measures import measure_map
from giqa.evaluate.maps import evaluate_maps, laplacian_map
from giqa.explain.maps import fit_maps
from giqa.stats import student_mean

SIDE = 48


def picture(seed, box=None):
    """Grey noise of one strength everywhere, with one part smoothed away; where that is."""
    pixels = np.clip(128 + 12 * np.random.default_rng(seed).normal(size=(SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
    mask = np.zeros((SIDE, SIDE))
    if box:
        pixels[box] = 128
        mask[box] = 1
    return pixels, mask


@pytest.fixture(scope="module")
def model():
    return fit_maps([picture(i)[0] for i in range(40)], taps=["grain"])


@pytest.fixture(scope="module")
def cases():
    """Eight damaged pictures and two whole ones, by name."""
    boxes = [np.s_[4 * i : 4 * i + 14, 30 - 4 * i : 44 - 4 * i] for i in range(8)]
    made = {f"{i}.png": picture(100 + i, box) for i, box in enumerate([*boxes, None, None])}
    return {name: one[0] for name, one in made.items()}, {name: one[1] for name, one in made.items()}


def test_fitted_maps_find_what_was_damaged_and_chance_does_not(model, cases):
    """Pictures without a mark are counted apart; the mean is that of the measures of single pictures."""
    pictures, masks = cases
    found = evaluate_maps(model, masks, images=pictures)
    assert (found.marked, found.unmarked, found.without_map) == (8, 2, 0)
    assert list(found.figures) == ["maps", "Laplacian", "centre", "chance"]
    own, chance = found.figures["maps"], found.figures["chance"]
    assert own["AUC-Judd"].low > 0.9 > chance["AUC-Judd"].high and own["CC"].low > 0.5 > chance["CC"].high
    assert found.figures["Laplacian"]["CC"].high < 0  # what is smooth has no detail
    single = [measure_map(model.anomaly_map(pictures[name]), masks[name]) for name in masks if masks[name].any()]
    for name, estimate in own.items():
        wanted = student_mean(np.array([one[name] for one in single]))
        assert estimate.value == pytest.approx(wanted.value) and estimate.n == 8
    assert found.peaks.value == 1  # every damaged picture has a higher peak than both whole ones


def test_the_order_of_pictures_does_not_matter(model, cases):
    pictures, masks = cases
    back = dict(reversed(masks.items()))
    once, again = (evaluate_maps(model, m, images=pictures).figures["chance"]["CC"].value for m in (masks, back))
    assert once == pytest.approx(again, abs=1e-12)


def test_laplacian_of_a_step_is_at_the_step():
    """Grey 0 | 90: the two columns at the step have a Laplacian of 90, the others 0; a window is 3 cells of 1 pixel."""
    pixels = np.zeros((24, 24, 3), np.uint8)
    pixels[:, 12:] = 90
    found = laplacian_map(pixels)
    assert found[5, 9] == 0 and found[5, 10] == pytest.approx(30) and found[5, 11] == pytest.approx(60)


@pytest.fixture
def folder(model, cases, tmp_path, monkeypatch):
    """fakes/, marks/ and r.maps."""
    monkeypatch.chdir(tmp_path)
    for name in ("fakes", "marks"):
        (tmp_path / name).mkdir()
    for name, pixels in cases[0].items():
        Image.fromarray(pixels).save(tmp_path / "fakes" / name)
        Image.fromarray((255 * cases[1][name]).astype(np.uint8)).save(tmp_path / "marks" / name)
    model.save(tmp_path / "r.maps")
    return tmp_path


def run(line):
    return CliRunner().invoke(main, shlex.split(line), catch_exceptions=False)


def test_the_command(folder, cases, model):
    """Maps that are made, and maps from a folder that `giqa explain` wrote, have the same figures."""
    made = run("evaluate --maps r.maps --human-maps marks --images fakes -o made.json")
    assert made.exit_code == 0 and "8 pictures with marks, 2 without; 0 without a map" in made.output
    assert made.output.splitlines()[0] == "map\tCC\tKLD\tSIM\tNSS\tAUC-Judd\tmIoU"
    (folder / "r.giqa").write_bytes(b"")
    (folder / "maps").mkdir()
    for name, pixels in cases[0].items():
        np.save(folder / "maps" / f"{name}.npy", model.anomaly_map(pixels).astype(np.float32))
    kept = run("evaluate --maps maps --human-maps marks -o kept.json -q")
    assert kept.exit_code == 0
    one, other = (json.loads((folder / f"{name}.json").read_text()) for name in ("made", "kept"))
    assert list(other["figures"]) == ["maps", "centre", "chance"]  # without pictures no Laplacian
    for name, figure in one["figures"]["maps"].items():
        assert other["figures"]["maps"][name]["value"] == pytest.approx(figure["value"], abs=1e-5)


def test_what_cannot_be_compared(folder):
    for line, words in (
        ("evaluate", "Give SCORES and --labels, or --maps and --human-maps"),
        ("evaluate --maps r.maps", "give both --maps and --human-maps"),
        ("evaluate s.csv --maps r.maps --human-maps marks", "s.csv is compared in another run"),
        ("evaluate --maps r.maps --human-maps marks", "give them (--images)"),
        ("evaluate --maps r.giqa --human-maps marks", "'r.giqa' is neither"),
    ):
        found = run(line)
        assert found.exit_code == 2 and words in found.output, found.output
    with pytest.raises(BadSpec, match="above 0 and at most 1, got 2"):
        evaluate_maps({}, {}, threshold=2)
    with pytest.raises(BadSource, match="Nothing is marked in any of 1"):
        evaluate_maps({"a": np.ones((2, 2))}, {"a.png": np.zeros((2, 2))})
    with pytest.raises(BadSource, match="No picture of the mapping"):
        evaluate_maps({"a": np.ones((2, 2))}, {"b": np.ones((2, 2))})
