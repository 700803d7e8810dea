import json

import numpy as np
from click.testing import CliRunner

from giqa.cli import main
from giqa.compare.paper_minmax import paper_minmax


def test_minimum_and_maximum_are_over_all_generators_together():
    """By hand: -4 is 0 and 4 is 1, whoever made them."""
    found = paper_minmax({"a": [-4.0, 0.0], "b": [2.0, 4.0, 0.0]})
    assert found["a"].tolist() == [0.0, 0.5] and found["b"].tolist() == [0.75, 1.0, 0.5]


def test_it_is_not_portable():
    """A third generator moves the numbers of the other two, which is why z is the scale of everything else."""
    two, three = ({"a": [0.0, 1.0], "b": [2.0]}, {"a": [0.0, 1.0], "b": [2.0], "c": [10.0]})
    assert paper_minmax(two)["a"].tolist() == [0.0, 0.5]
    assert paper_minmax(three)["a"].tolist() == [0.0, 0.1]


def test_an_infinite_score_and_equal_scores_are_unknown():
    """`knn(preset='paper')` scores an exact copy infinite."""
    found = paper_minmax({"a": [0.0, np.inf, np.nan], "b": [4.0, 1.0]})
    assert np.isnan(found["a"][1:]).all() and found["b"].tolist() == [1.0, 0.25]
    assert np.isnan(paper_minmax({"a": [3.0, 3.0]})["a"]).all()


def test_the_command_prints_it_and_says_that_it_is_not_portable(tmp_path):
    rng = np.random.default_rng(0)
    for name, off in (("real", 0), ("a", 1), ("b", 3)):
        layers = rng.normal(off, 1, (60, 24, 24, 3)) * 20 + 100
        np.save(tmp_path / f"{name}.npy", layers.clip(0, 255).astype(np.uint8))
    places = [f"{name}={tmp_path / name}.npy" for name in "ab"]
    out = tmp_path / "c.json"
    asked = ["compare", "--real", str(tmp_path / "real.npy"), *places, "--metrics", "qs", "--no-store", "-o", str(out)]
    asked += ["--extractor", "statistics", "--scorer", "sgm"]
    plain = CliRunner().invoke(main, asked)
    result = CliRunner().invoke(main, [*asked, "--paper-minmax"])
    assert plain.exit_code == result.exit_code == 0, result.output
    assert "paper_minmax" not in plain.output
    assert "Not portable" in result.output and "paper_minmax (not portable)" in result.output
    means = json.loads(out.read_text())["paper_minmax"]
    assert set(means) == {"a", "b"} and all(0 <= mean <= 1 for mean in means.values())


def test_it_is_for_whole_sets(tmp_path):
    result = CliRunner().invoke(main, ["compare", "--real", ".", "A=.", "--class", "kind", "--paper-minmax"])
    assert result.exit_code == 2 and "--paper-minmax" in result.output
