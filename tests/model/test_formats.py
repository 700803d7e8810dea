"""Files of every earlier version are read, and say what their own version said of the same pictures."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save

import giqa
from giqa.errors import BadModel
from giqa.files import seal
from giqa.registry import make_again

FORMATS = Path(__file__).parents[1] / "data" / "formats"
VERSIONS = {"2_35535c2": 2, "2_0a4d959": 2, "3_3cb2610": 3}
NUMBERS = ("score", "z", "percentile", "z_low", "z_high")


def picture(n):
    """The n-th fake, by whole numbers only, so that it is the same with any version of anything."""
    y, x = np.mgrid[:24, :24]
    a, b, c = 3 + n * 7 % 11, 5 + n * 5 % 13, n * 29 % 97
    planes = [(x * a + y * b + c) % 251, (x * y * a + c * 3) % 241, (x * x + y * y * b + n * 17) % 239]
    return (np.stack(planes, axis=-1) // (2 + n) * (2 + n) // 2 + 20 * n).astype(np.uint8)


@pytest.mark.parametrize("name", ["knn", "gmm", "layers"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_model_says_what_its_own_version_said(version, name):
    """Score, z and percentile to the last digits; the ends of the interval to five: Student's t once had seven."""
    where = FORMATS / version
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        then = giqa.read_scores(where / f"{name}.csv")
        model = giqa.load(where / f"{name}.giqa")
    assert giqa.model.read_header(where / f"{name}.giqa")["format"] == VERSIONS[version]
    now = model.score([picture(n) for n in range(4)], store=False)
    assert list(then.id) == ["00.png", "01.png", "02.png", "03.png"] and then.made_by["model_digest"] == model.digest
    for number in NUMBERS[:3]:
        assert np.allclose(getattr(now, number), getattr(then, number), rtol=1e-9), number
    for number in NUMBERS[3:]:
        assert np.allclose(getattr(now, number), getattr(then, number), rtol=1e-5), number


@pytest.mark.parametrize("version", VERSIONS)
def test_a_model_is_saved_in_the_format_of_today(version, tmp_path):
    """The way to bring a file up to date: load it and save it. Nothing that it learned changes."""
    old = giqa.load(FORMATS / version / "knn.giqa")
    new = old.save(tmp_path / "new.giqa")
    assert giqa.model.read_header(new)["format"] == 3 and giqa.load(new).digest == old.digest


def test_a_model_of_format_1_is_refused_with_what_to_do():
    """The same names meant other scores: to read it would give wrong numbers."""
    with pytest.raises(BadModel, match=r"file format 1, written by giqa 0\.1\.0.*reads formats 2 and 3\. Fit it again"):
        giqa.load(FORMATS / "1_76f5ebf" / "knn.giqa")


def test_whole_numbers_that_a_file_writes_with_a_point_are_whole_numbers(tmp_path):
    """`statistics(scales=1.0)` and `knn(k=1.0)` in the head of a file; typed by a user they are refused."""
    path = FORMATS / "3_3cb2610" / "knn.giqa"
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["giqa"])
    header["scorer"] = header["scorer"].replace("k=1,", "k=1.0,")
    header["extractor"] = header["extractor"].replace("scales=1", "scales=1.0")
    arrays = load_file(path)
    sealed = seal({key: value for key, value in header.items() if key != "sha256"}, arrays)
    other = tmp_path / "other.giqa"
    other.write_bytes(save(arrays, metadata={"giqa": json.dumps(sealed)}))
    assert "k=1.0" in sealed["scorer"] and "scales=1.0" in sealed["extractor"]
    pictures = [picture(n) for n in range(4)]
    scores = giqa.load(other).score(pictures, store=False)
    assert np.array_equal(scores.z, giqa.load(path).score(pictures, store=False).z)


def test_a_share_of_one_stays_a_number():
    """What takes any number keeps it; a seed is whole."""
    made = make_again("scorer", "gmm(seed=1.0, shrinkage=1.0, n_components=2.0)")
    assert (made.seed, made.shrinkage, made.n_components) == (1, 1.0, 2)
    assert isinstance(made.shrinkage, float) and isinstance(made.n_components, int)
