import json

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import spearmanr

from giqa.cli import main
from giqa.compare.diff import diff
from giqa.errors import BadTable
from giqa.model.table import Scores
from giqa.stats import spearman


def scores(z, made_by=None):
    blank = [""] * len(z)
    values = np.array(list(z.values()), float)
    return Scores(list(z), values, values, values, values, values, blank, blank, blank, blank, made_by or {})


def test_by_hand():
    """a 0 -> 1, b 1 -> 1, c 2 -> 0: changes 1, 0, -2; mean -1/3; c moved farthest, b not at all."""
    found = diff(scores({"a": 0, "b": 1, "c": 2, "old": 5}), scores({"new": 1, "c": 0, "b": 1, "a": 1}))
    assert found.ids == ("a", "b", "c")
    assert found.change.tolist() == [1, 0, -2]
    mean, low, high = found.mean_change()
    half = 4.302653 * np.std([1, 0, -2], ddof=1) / np.sqrt(3)
    assert (mean, low, high) == pytest.approx((-1 / 3, -1 / 3 - half, -1 / 3 + half))
    assert [found.ids[row] for row in found.moved()] == ["c", "a"] and found.moved(1) == [2]
    assert (found.only_before, found.only_after) == (("old",), ("new",))
    assert found.rank_agreement == pytest.approx(spearmanr([0, 1, 2], [1, 1, 0])[0])


def test_pictures_without_a_score_are_on_one_side_only():
    found = diff(scores({"a": 0, "b": np.nan}), scores({"a": 0, "b": 1}))
    assert found.ids == ("a",) and found.only_after == ("b",)
    assert np.isnan(found.mean_change()[1])


def test_a_change_that_all_share_is_sure(tmp_path):
    """All moved by 1: the mean is 1 to 1. The command says what cannot be computed in words, never nan."""
    found = diff(scores({"a": 0, "b": 2}), scores({"a": 1, "b": 3}))
    assert found.mean_change() == (1, 1, 1)
    for name, pictures in {
        "one": {"a": 0},
        "other": {"a": 1},
        "two": {"a": 0, "b": 2},
        "moved": {"a": 1, "b": 3},
    }.items():
        scores(pictures).write(tmp_path / f"{name}.csv")
    for pair, said in (
        (("one", "other"), "1 picture in both: mean change of z +1.000 (no interval"),
        (("two", "moved"), "(+1.000 to +1.000)"),
    ):
        result = CliRunner().invoke(main, ["diff", *(str(tmp_path / f"{name}.csv") for name in pair)])
        assert said in result.output and "nan" not in result.output


def test_what_was_done_otherwise_is_said():
    """Another scorer, other reals; what did not change, or is not known, is not spoken of."""
    before = {"scorer": "knn", "extractor": "x", "reals_digest": "1", "seed": 0}
    after = {"scorer": "sgm", "extractor": "x", "reals_digest": "2", "seed": 0}
    assert diff(scores({"a": 0}, before), scores({"a": 0}, after)).changed == ("scorer: knn -> sgm", "other reals")
    assert diff(scores({"a": 0}), scores({"a": 0}, after)).changed == ()


@pytest.mark.parametrize("seed", range(5))
def test_spearman_is_scipys(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 8, 40), rng.normal(size=40)
    assert spearman(a, b) == pytest.approx(spearmanr(a, b)[0])
    assert np.isnan(spearman([1, 1], [1, 2]))


def test_nothing_in_common_is_refused():
    with pytest.raises(BadTable, match="the first ids are 'a' and 'x/b'"):
        diff(scores({"a": 0}), scores({"x/b": 0}))


def test_ids_of_a_subfolder_are_the_same_pictures():
    """One run scored out/, the other out/gan/; a name that could be two is refused."""
    found = diff(scores({"gan/a": 0, "gan/b": 1}), scores({"a": 1, "b": 1, "c": 2}))
    assert found.ids == ("gan/a", "gan/b") and found.change.tolist() == [1, 0] and found.only_after == ("c",)
    with pytest.raises(BadTable, match="'a' could be 2 pictures: 'gan/a', 'vae/a'"):
        diff(scores({"gan/a": 0, "vae/a": 1}), scores({"a": 1}))


def test_the_command(tmp_path):
    """What moved on stdout, the whole on stderr, JSON on request; one sentence for a missing file."""
    from test_cli import giqa

    scores({"a": 0, "b": 1, "c": 2}, {"scorer": "knn"}).write(tmp_path / "a.csv")
    scores({"a": 1, "b": 1, "c": 2}, {"scorer": "sgm"}).write(tmp_path / "b.csv")
    status, out, err = giqa("diff", tmp_path / "a.csv", tmp_path / "b.csv")
    assert status == 0 and out.splitlines()[1:] == ["a\t+0.000\t+1.000\t+1.000"]
    assert "3 pictures in both: mean change of z +0.333" in err and "scored otherwise: scorer: knn -> sgm" in err
    whole = json.loads(giqa("diff", tmp_path / "a.csv", tmp_path / "b.csv", "--json")[1])
    assert whole["in_both"] == 3 and [row["id"] for row in whole["moved"]] == ["a"]
    assert giqa("diff", tmp_path / "a.csv", tmp_path / "no.csv")[0] == 2
