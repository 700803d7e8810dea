import json

import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy import stats
from test_cli import giqa

from giqa.compare.compare import compare
from giqa.compare.paired import Paired, keys_of, pair_verdicts
from giqa.errors import BadSpec
from giqa.images.arrays import ArraySource
from giqa.types import Features


def gauss(n, seed=0, prefix="", ending=".png"):
    x = np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)
    return Features(tuple(f"{prefix}{i}{ending}" for i in range(n)), {"layer": x})


def moved(features, by, ending=".png"):
    names = tuple(name.replace(".png", ending) for name in features.ids)
    return Features(names, {"layer": features.layers["layer"] + np.asarray(by, np.float32)})


def test_numbers_by_hand():
    """Gaps -1, 0, 1, 2: mean 1/2, three of four no worse; interval by scipy's t (our quantile is within 1.5 %)."""
    names = ("a", "b", "c", "d")
    gap = np.array([-1.0, 0.0, 1.0, 2.0])
    found = Paired("A", names, names, gap + 5, np.full(4, 5.0), {"low": np.array([1.0, 1.0, 2.0, 2.0])}).numbers()
    low, high = stats.t.interval(0.95, 3, 0.5, stats.sem(gap))
    assert found["z less the target's"] == pytest.approx((0.5, low, high), rel=0.02)
    assert found["as good as the target"][0] == 0.75 and found["distance, low"][0] == 1.5


def test_verdicts_are_of_common_inputs():
    """A is .1 below B on every input, though inputs differ by 10: told apart; C has one common input more, far off."""
    inputs = np.arange(0.0, 200.0, 10.0)
    rng = np.random.default_rng(0)
    noise = 0.01 * rng.normal(size=20)
    names = tuple(map(str, range(20)))
    a, b = (Paired(n, names, names, z, inputs, {}) for n, z in (("A", inputs - 0.1 + noise), ("B", inputs)))
    c = Paired("C", ("x", "0"), ("x", "0"), np.array([-99.0, 0.0]), np.zeros(2), {})
    first, second, third = pair_verdicts([a, b, c], 0.95)
    assert (first.left, first.right, first.n, first.says) == ("A", "B", 20, "worse")
    assert first.difference == pytest.approx(-0.1 + noise.mean())
    level = 1 - 0.05 / 3  # for three couples together
    low, high = stats.t.interval(level, 19, -0.1 + noise.mean(), stats.sem(noise))
    assert (first.low, first.high) == pytest.approx((low, high), rel=0.02)
    assert (second.n, third.n) == (1, 1) and second.says == third.says == "cannot be told apart"


@pytest.mark.parametrize("scorer", ["knn", "sgm", "multilayer"])
def test_an_output_that_is_its_target_loses_nothing(scorer):
    """Both are scored by the model that has not seen the target; the plain z of the copy is another one."""
    reals = gauss(120)
    found = compare(reals, {"same": reals}, metrics="qs", scorer=scorer, paired="name")
    (pairs,) = found.paired
    np.testing.assert_allclose(pairs.gap, 0, atol=1e-9)
    assert np.abs(found.generators[0].scores.z - pairs.z).max() > 0.01
    assert not pairs.unmatched and not pairs.missing
    assert pairs.distances["layer"].max() == 0


def test_distances_are_in_spreads_of_the_reals():
    """Each column moved by its own spread: distance 1; one of three by two: the root of 4/3; fresh ones: 1.41."""
    reals = gauss(400)
    spread = reals.layers["layer"].std(axis=0)
    sets = {"one": moved(reals, spread), "two": moved(reals, [0, 2 * spread[1], 0]), "fresh": gauss(400, 9)}
    one, two, fresh = compare(reals, sets, metrics="qs", scorer="sgm", paired="name").paired
    np.testing.assert_allclose(one.distances["layer"], 1, rtol=1e-5)
    np.testing.assert_allclose(two.distances["layer"], np.sqrt(4 / 3), rtol=1e-5)
    assert np.sqrt(np.mean(fresh.distances["layer"] ** 2)) == pytest.approx(np.sqrt(2), rel=0.1)


def test_pairs_tell_apart_what_sets_cannot():
    """B is a little farther out than A, input by input: 60 pictures of each cannot tell, 60 pairs can."""
    reals = gauss(200)
    inputs = reals.rows(np.arange(60))
    sets = {"A": moved(inputs, 0.0, ".jpg"), "B": moved(inputs, 0.03 * inputs.layers["layer"], ".jpg")}
    found = compare(reals, sets, metrics="qs", scorer="sgm", paired="name")
    assert found.verdict("qs", "A", "B").says == "cannot be told apart"
    assert found.pair_verdicts[0].says == "better" and found.pair_verdicts[0].n == 60
    assert len(found.paired[0].missing) == 140 and "140 targets without a picture (60.png, 61.png, 62.png, ...)" in (
        found.paired[0].says()
    )
    content = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert content["paired"]["A"]["pairs"] == 60 and content["pair_verdicts"][0]["says"] == "better"


def test_names_columns_folders_and_several_outputs(tmp_path):
    assert keys_of("name", None, ["a/b.c.png", "d"]) == {"a/b.c.png": "a/b.c", "d": "d"}

    table = ArraySource(np.zeros((3, 8, 8, 3), np.uint8), ["x.png", "y.png", "z.png"], "t.csv")
    table.columns = {"image": [], "of": ["1", "2", ""]}
    assert keys_of("of", table, table.ids) == {"x.png": "1", "y.png": "2"}
    with pytest.raises(BadSpec, match=r"paired by 'name' or by a column of tables; 't.csv' has the columns image, of"):
        keys_of("by", table, table.ids)
    reals = gauss(40, prefix="val/")
    flat = Features(tuple(f"{i}.jpg" for i in range(40)), reals.layers)  # other folders, the same names
    (pairs,) = compare(reals, {"A": flat}, metrics="qs", scorer="sgm", paired="name").paired
    assert len(pairs.z) == 40 and pairs.outputs[3] == "3.jpg" and pairs.targets[3] == "val/3.png"
    strange = Features(tuple(f"s{i}.png" for i in range(40)), reals.layers)
    with pytest.raises(BadSpec, match=r"has a target among the reals by 'name': its own are called 's0', \.\.\."):
        compare(reals, {"A": strange}, metrics="qs", scorer="sgm", paired="name")


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """60 toy reals; A blurs each of the first 30 and has one more, B twice as much and two outputs an input."""
    from giqa.images.toy import write_toy

    root = tmp_path_factory.mktemp("paired")
    reals, _ = write_toy(root / "toy", n_real=60, n_fake=4, size=32)
    rows = ["image,set,input"]
    for name in ("A", "B", "reals"):
        (root / name).mkdir()
    for i, path in enumerate(sorted(reals.iterdir())):
        picture = Image.open(path)
        picture.save(root / "reals" / path.name)
        rows.append(f"reals/{path.name},reals,{i}")
        if i < 30:
            picture.filter(ImageFilter.GaussianBlur(0.5)).save(root / "A" / path.name)
            rows.append(f"A/{path.name},A,{i}")
            for k, radius in enumerate((1.5, 1.5)):
                picture.filter(ImageFilter.GaussianBlur(radius)).save(root / "B" / f"{k}_{path.name}")
                rows.append(f"B/{k}_{path.name},B,{i}")
    picture.save(root / "A" / "extra.png")
    rows.append("A/extra.png,A,")
    (root / "t.csv").write_text("\n".join(rows) + "\n")
    return root


def test_the_command(sets, tmp_path):
    """By a column: rows on stdout, who has no partner, the verdict, and pairs of pictures on the page."""
    table = sets / "t.csv"
    command = ["compare", "--real", f"{table}[set=reals]", f"A={table}[set=A]", f"B={table}[set=B]", "--metrics", "qs"]
    status, out, err = giqa(*command, "--paired", "input", "--report", tmp_path / "p.html", "-o", tmp_path / "p.json")
    assert status == 0, err
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in out.splitlines()}
    gaps = [float(cell.split(" ")[0]) for cell in rows["paired: z less the target's"]]
    assert gaps[1] < gaps[0] < 0.5 and "paired: distance, low" in rows
    assert "A: 30 pairs; 1 pictures without a target (A/extra.png); 30 targets without a picture" in err
    assert "A against B, input by input (30 of both): A is better in quality" in err
    content = json.loads((tmp_path / "p.json").read_text())["paired"]
    assert content["B"]["pairs"] == 30 and content["A"]["unmatched"] == ["A/extra.png"]
    page = (tmp_path / "p.html").read_text()
    assert page.count('alt="target of') == 16 and "Input by input" in page
    status, _, err = giqa(*command, "--paired", "set")
    assert status == 2 and "Two reals belong to 'reals'" in err and "one target each" in err
    status, _, err = giqa(*command, "--paired", "input", "--class", "set")
    assert status == 2 and "--other-scores and --paired are for whole sets" in err
