"""Constants of a machine: sums by hand, and a plan that uses them."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from giqa.cli import main
from giqa.errors import BadSource, BadSpec
from giqa.images import open_source
from giqa.runners.constants import Constants, measure_machine, names_of, read_constants
from giqa.runners.plan import plan

FAST = {"extractor": "statistics(scales=1)", "scorer": "knn"}


def constants(**other):
    said = {"giqa": "0.1.0", "date": "2026-11-29", "machine": "a node", "cores": 2, **names_of(**FAST)}
    decoding = {"PNG": (0.001, 0.1), "JPEG": (0.002, 0.05)}
    return Constants(said | other, 2.0, 1.0, 10**8, decoding, (0.004, 1.0), 0.0005, 800)


@pytest.fixture
def folder(tmp_path):
    """Three PNG files of 100 x 100 pixels, a WebP of 200 x 50."""
    for number in range(3):
        Image.new("RGB", (100, 100), (number, 0, 0)).save(tmp_path / f"{number}.png")
    Image.new("RGB", (200, 50)).save(tmp_path / "3.webp")
    return tmp_path


def test_a_picture_costs_its_steps(folder):
    """All have 0.01 megapixels. PNG: 1 + 1 ms; WebP, not measured, as the slower of the two; features: 4 + 10 ms."""
    found = constants().of(open_source(folder))
    assert found.pictures == 4 and found.features == pytest.approx(0.016)
    assert (found.scoring, found.stored, found.start, found.process, found.memory) == (0.0005, 800, 2.0, 1.0, 10**8)
    arrays = np.zeros((5, 100, 100, 3), np.uint8)
    assert constants().of(open_source(arrays)).features == pytest.approx(0.014)  # nothing is decoded
    (folder / "bad").mkdir()
    (folder / "bad" / "0.png").write_bytes(b"no")
    with pytest.raises(BadSource, match="not one of 1 pictures can be read"):
        constants().of(open_source(folder / "bad"))


def test_processes_begin_once(folder):
    """4,096 pictures of 16.5 ms take 67.584 s; alone 2 s more; four processes a quarter and 3 s, of cores 6 s more."""
    found = constants().of(open_source(folder))
    alone, many = plan(found, 4096), plan(found, 4096, nodes=2, cores=2)
    assert alone.hours * 3600 == alone.core_hours * 3600 == pytest.approx(69.584)
    assert many.hours * 3600 == pytest.approx(3 + 67.584 / 4) and many.core_hours * 3600 == pytest.approx(73.584)
    few = plan(found, 1000, nodes=2, cores=2)  # one shard: one process
    assert few.hours * 3600 == few.core_hours * 3600 == pytest.approx(2 + 1 + 16.5)
    assert alone.memory_gb == pytest.approx(0.1 + 4096 * 315e-9)


def test_a_file_gives_them_back(tmp_path):
    constants().write(tmp_path / "a.json")
    assert read_constants(tmp_path / "a.json") == constants()
    for text in ("{}", "[1]", "no", json.dumps({"made_by": {}, "decoding": {"PNG": [1]}})):
        (tmp_path / "b.json").write_text(text)
        with pytest.raises(BadSpec, match=r"b\.json' holds no constants .*giqa doctor --measure"):
            read_constants(tmp_path / "b.json")


def test_this_machine_is_measured():
    """Every step takes some time and less than a second; a larger picture takes more."""
    found = measure_machine(**FAST, cores=1)
    assert found.made_by["cores"] == 1 and found.made_by["extractor"] == names_of(**FAST)["extractor"]
    assert found.stored == 292 and found.memory > 2**25  # as a plan without constants counts the same features
    for each, megapixel in (*found.decoding.values(), found.features):
        assert 0 < each < 1 and 0 < megapixel < 10
    assert 0 < found.scoring < 1 and 0 < found.process < 60 and 0 < found.start < 60


def asked(*given):
    return CliRunner().invoke(main, ["plan", *map(str, given)])


def test_the_command_says_what_it_uses(folder, tmp_path, monkeypatch):
    """A named file; that of this machine; none, or one for another extractor, and then the source is measured."""
    monkeypatch.setenv("GIQA_HOME", str(tmp_path / "home"))
    file, how = tmp_path / "node.json", [a for name, spec in FAST.items() for a in (f"--{name}", spec)]
    constants().write(file)
    found = asked(folder, "--constants", file, *how)
    assert found.exit_code == 0 and f"By the constants in {file} (a node, 2 cores at work" in found.stderr
    plans = json.loads(asked(folder, "--constants", file, *how, "--json").stdout)
    assert plans["constants"]["start"] == 2.0 and plans["measured"]["features"] == pytest.approx(0.016)
    other = asked(folder, "--constants", file, "--scorer", "knn", "--extractor", "statistics(scales=2)")
    assert (
        other.exit_code == 2
        and "are for statistics(scales=1), not for statistics(scales=2); measure again" in other.stderr
    )
    assert "There is no" in asked(folder, "--constants", tmp_path / "none.json", *how).stderr
    pictures = tmp_path / "many.npy"
    np.save(pictures, np.random.default_rng(0).integers(0, 256, (24, 16, 16, 3), dtype=np.uint8))
    assert "Measured here on pictures of the source" in asked(pictures, *how).stderr
    constants(scorer="knn(k=7)").write(tmp_path / "home" / "measured.json")
    assert "measured here on pictures of the source instead" in asked(pictures, *how).stderr
    constants().write(tmp_path / "home" / "measured.json")
    assert "By the constants in" in asked(pictures, *how).stderr
