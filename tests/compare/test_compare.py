import json
import sys

import numpy as np
import pytest
from PIL import Image, ImageFilter
from test_cli import giqa

from giqa.api import fit, score
from giqa.compare.compare import DEFAULT_METRICS, compare, quality_estimate, split_specs
from giqa.errors import BadShape, BadSource, BadSpec
from giqa.features.extracted import as_features
from giqa.metrics.metric import Metric
from giqa.metrics.together import evaluate
from giqa.model.folds import content_order
from giqa.registry import make

FAST = {"scorer": "sgm", "metrics": "qs,ds,fd,kd,precision,recall,coverage"}


def gauss(n, d=4, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


@pytest.fixture(scope="module")
def found():
    """Four sets against the same reals: two good ones, one off, one collapsed."""
    reals = gauss(400)
    one = gauss(1, seed=9)
    sets = {
        "good": gauss(250, seed=1),
        "fresh": gauss(250, seed=2),
        "off": gauss(250, seed=3) + 2,
        "collapsed": one * 0.2 + 0.1 * gauss(250, seed=4),
    }
    return compare(reals, sets, **FAST)


@pytest.mark.filterwarnings("ignore::UserWarning")
class TestVerdicts:
    @pytest.mark.slow
    def test_equal_generators_cannot_be_told_apart(self, found):
        says = {found.verdict(m, "good", "fresh").says for m in found.metrics}
        assert says == {"cannot be told apart"}

    def test_a_bad_one_is_worse_in_everything_about_quality(self, found):
        for metric in ("qs", "precision", "fd", "kd"):
            assert found.verdict(metric, "good", "off").says == "better", metric
            assert found.verdict(metric, "off", "good").says == "worse", metric

    def test_a_collapsed_one_is_worse_in_diversity_and_not_in_quality(self, found):
        for metric in ("ds", "recall", "coverage", "fd"):
            assert found.verdict(metric, "collapsed", "good").says == "worse", metric
        assert found.verdict("qs", "collapsed", "good").says == "better"
        assert found.verdict("precision", "collapsed", "good").says != "worse"

    def test_a_turned_verdict_is_the_same(self, found):
        one, other = found.verdict("fd", "good", "off"), found.verdict("fd", "off", "good")
        assert (other.difference, other.low, other.high) == (-one.difference, -one.high, -one.low)
        with pytest.raises(BadSpec, match="no verdict"):
            found.verdict("fd", "good", "nobody")

    def test_the_level_is_shared_by_all_metrics_and_pairs(self, found):
        """Six pairs and seven metrics: what is clear falls at 1 - .05 / 42, the rest by what is then open."""
        values = {g.name: g.values["fd"] for g in found.generators}
        verdict = found.verdict("fd", "good", "off")
        assert verdict.level == 1 - 0.05 / 42
        assert (verdict.low, verdict.high) == values["good"].minus(values["off"], verdict.level)[1:]
        undecided = {v.level for v in found.verdicts if v.says == "cannot be told apart"}
        apart = sum(v.says != "cannot be told apart" for v in found.verdicts)
        assert undecided == {1 - 0.05 / (42 - apart)}

    def test_json_says_it_all(self, found):
        whole = json.loads(json.dumps(found.to_json(), allow_nan=False))
        assert whole["generators"]["good"]["pictures"] == 250
        fd = whole["generators"]["off"]["metrics"]["fd"]
        assert fd["low"] < fd["value"] < fd["high"]
        assert len(whole["verdicts"]) == 6 * 7


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_values_are_those_of_the_metrics_alone():
    """The set metrics on the chosen features; QS as `giqa.score` has it."""
    reals, fakes = gauss(200), gauss(150, seed=1) + 0.3
    found = compare(reals, {"A": fakes}, **FAST)
    names = ["ds", "fd", "kd", "precision", "recall", "coverage"]
    ordered = (x[content_order(as_features(x))] for x in (reals, fakes))  # sums go by what the pictures are
    wanted = evaluate([make("metric", name) for name in names], *ordered)
    assert [found.generators[0].values[name].value for name in names] == wanted.tolist()
    mean_z = score(fakes, real=reals, scorer="sgm").summary()["mean_z"]
    assert found.generators[0].values["qs"].value == pytest.approx(mean_z)


@pytest.mark.slow
def test_the_interval_of_qs_holds_its_mean():
    """60 draws of 100 reals and 60 fakes: the interval holds the typical QS in most of them."""
    rng = np.random.default_rng(0)
    values, ends = [], []
    for _ in range(60):
        reals, fakes = rng.normal(size=(100, 3)).astype("f4"), rng.normal(size=(60, 3)).astype("f4") + 0.5
        model = fit(reals, scorer="sgm")
        estimate = quality_estimate(model, as_features(fakes), model.score(fakes))
        values.append(estimate.value)
        ends.append(estimate.interval())
    typical = np.median(values)
    assert sum(low <= typical <= high for low, high in ends) >= 51


def test_unequal_few_and_what_cannot_be_computed_is_noted():
    """Nine pictures are too few for DS: it is left out, the rest is there, and each warning is one sentence."""
    with pytest.warns(UserWarning):
        found = compare(gauss(100), {"few": gauss(9, seed=1), "more": gauss(100, seed=2)}, **FAST)
    assert "ds" not in found.generators[0].values and "ds" in found.generators[1].values
    text = "\n".join(found.warnings)
    assert "few: ds left out: DS needs 10 pictures to fit on" in text
    assert "not equally large (few 9, more 100)" in text
    assert "100 reals and 9 fakes are not equally many" in text
    assert found.verdict("recall", "few", "more").unequal and not found.verdict("qs", "few", "more").unequal
    assert not [v for v in found.verdicts if v.metric == "ds"]


def test_as_many_of_each_on_request():
    with pytest.warns(UserWarning):
        found = compare(gauss(100), {"A": gauss(60, seed=1), "B": gauss(90, seed=2)}, pictures=50, **FAST)
    assert [g.n for g in found.generators] == [50, 50] and "equally" not in "\n".join(found.warnings)
    assert len(found.generators[1].scores) == 90  # QS is of all


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_another_generator_beside_it_changes_no_number():
    a, b = gauss(60, seed=1), gauss(80, seed=2)
    alone, beside = (compare(gauss(100), sets, **FAST).generators[0] for sets in ({"A": a}, {"A": a, "B": b}))
    for name, estimate in alone.values.items():
        assert (estimate.value, estimate.interval()) == (beside.values[name].value, beside.values[name].interval())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"generators": {}}, "at least one set"),
        ({"metrics": "fid"}, "no metric 'fid'"),
        ({"metrics": ""}, "Which metrics"),
        ({"layers": "mid"}, "no layer or level"),
        ({"extractor": "statistics"}, "are for pictures"),
        ({"generators": {"A": "somewhere/"}}, "not both kinds"),
    ],
)
def test_mistakes_are_named(arguments, says):
    given = {"generators": {"A": gauss(30)}, **FAST, **arguments}
    with pytest.raises(BadSpec, match=says):
        compare(gauss(60), given.pop("generators"), **given)


def test_metrics_of_ones_own():
    """A third party's metric: any callable of two sets, by an object or an entry point."""

    class Gap:
        """Distance of the means."""

        def __init__(self, power=1):
            self.power = power

        def __call__(self, real, fake):
            return float(np.linalg.norm(real.mean(axis=0) - fake.mean(axis=0)) ** self.power)

    found = compare(gauss(60), {"A": gauss(60, seed=1) + 1}, metrics=["qs", Gap()], scorer="sgm")
    assert list(found.generators[0].values)[1].endswith("Gap(power=1)")


def test_specs_come_apart_at_commas_outside_brackets():
    assert split_specs("fd, kd(subsets=2,size=3) ,x(a=[1, 2])") == ["fd", "kd(subsets=2,size=3)", "x(a=[1, 2])"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """60 toy reals; sharp fakes of the same kind, the same blurred, and one of them 24 times with a little noise."""
    from giqa.images.toy import write_toy

    root = tmp_path_factory.mktemp("sets")
    reals, _ = write_toy(root / "toy", n_real=90, n_fake=4, size=32)
    rng = np.random.default_rng(0)
    for name in ("reals", "sharp", "blurred", "collapsed"):
        (root / name).mkdir()
    every = sorted(reals.iterdir())
    for path in every[:60]:
        Image.open(path).save(root / "reals" / path.name)
    first = np.asarray(Image.open(every[60]), float)
    for path in every[60:84]:
        Image.open(path).save(root / "sharp" / path.name)
        Image.open(path).filter(ImageFilter.GaussianBlur(1.5)).save(root / "blurred" / path.name)
        noisy = np.clip(first + rng.normal(size=first.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(root / "collapsed" / path.name)
    return root


@pytest.mark.slow
def test_the_command_on_pictures(pictures, tmp_path):
    """Blur lowers QS, collapse lowers recall and coverage; table, JSON and page; reals among the fakes are named."""
    (tmp_path / "copies").mkdir()
    for path in sorted((pictures / "reals").iterdir())[:6]:
        Image.open(path).save(tmp_path / "copies" / path.name)
    sets = [f"{name}={pictures / name}" for name in ("sharp", "blurred", "collapsed")]
    metrics = "qs,precision,recall(k=3),coverage"
    status, out, err = giqa(
        "compare", "--real", pictures / "reals", *sets, tmp_path / "copies", "--metrics", metrics, "--layers", "low",
        "-o", tmp_path / "c.json", "--report", tmp_path / "c.html",
    )  # fmt: skip
    assert status == 0, err
    lines = [line.split("\t") for line in out.splitlines()]
    assert lines[0] == ["metric", "sharp", "blurred", "collapsed", "copies"]
    assert [line[0] for line in lines[1:]] == ["qs", "precision", "recall(k=3)", "coverage"]
    whole = json.loads((tmp_path / "c.json").read_text())
    value = {n: {m: v["value"] for m, v in g["metrics"].items()} for n, g in whole["generators"].items()}
    assert value["blurred"]["qs"] < value["sharp"]["qs"] - 1
    assert value["blurred"]["precision"] < value["sharp"]["precision"]
    for metric in ("recall(k=3)", "coverage"):
        assert value["collapsed"][metric] < value["sharp"][metric]
    assert "warning: copies: 6 of 6 pictures repeat a real one" in err
    assert "sharp against blurred: sharp is better in quality" in err
    assert whole["made_by"]["layers"][0] == "pixels.texture" and whole["made_by"]["standardised"]
    page = (tmp_path / "c.html").read_text()
    assert page.count("data:image/webp") == 3 * 24 + 6 and str(tmp_path) not in page and "<script" not in page


def test_switches_of_the_page(pictures, tmp_path):
    """--no-thumbnails: no picture; --no-paths: no file name; both need a page."""
    name = next((pictures / "sharp").iterdir()).name
    command = ["compare", "--real", pictures / "reals", f"A={pictures / 'sharp'}", "--metrics", "qs", "-q"]
    for switches, has_name, has_pictures in (
        ([], True, True),
        (["--no-paths"], False, True),
        (["--no-thumbnails"], False, False),
    ):
        assert giqa(*command, "--report", tmp_path / "p.html", *switches)[0] == 0
        page = (tmp_path / "p.html").read_text()
        assert (name in page, "data:image/webp" in page) == (has_name, has_pictures)
    status, _, err = giqa(*command, "--no-paths")
    assert status == 2 and "give --report FILE too" in err


def test_sets_saved_differently_are_warned_of_and_matched(pictures, tmp_path):
    """JPEG against PNG: a warning a set; --match finds one coding for all."""
    (tmp_path / "jpeg").mkdir()
    for path in (pictures / "sharp").iterdir():
        Image.open(path).save(tmp_path / "jpeg" / f"{path.stem}.jpg", quality=50)
    command = ["compare", "--real", pictures / "reals", f"A={tmp_path / 'jpeg'}", "--metrics", "qs"]
    assert "warning: A and the reals are saved differently (coding" in giqa(*command)[2]
    status, _, err = giqa(*command, "--match", "match(coding='jpeg', quality=50)")
    assert status == 0 and "saved differently" not in err


def test_unreadable_pictures_are_counted(pictures, tmp_path):
    for path in (pictures / "sharp").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "broken.png").write_bytes(b"no")
    with pytest.warns(UserWarning, match="A: 1 pictures could not be read; the first: not an image"):
        found = compare(pictures / "reals", {"A": tmp_path}, metrics="qs")
    assert found.generators[0].scores.summary()["failed"] == 0 and found.generators[0].n == 24
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "broken.png").write_bytes(b"no")
    with pytest.raises(BadSource, match="Not one of the 1 pictures of A could be read"):
        compare(pictures / "reals", {"A": tmp_path / "none"}, metrics="qs")


@pytest.mark.parametrize(
    ("sets", "says"),
    [
        (["{sharp}", "{sharp}"], "Two sets are called 'sharp'"),
        (["A={missing}"], "There is no"),
        (["A={empty}"], "No pictures"),
    ],
)
def test_mistakes_on_the_command_line(pictures, tmp_path, sets, says):
    (tmp_path / "empty").mkdir()
    places = {"sharp": pictures / "sharp", "missing": tmp_path / "nowhere", "empty": tmp_path / "empty"}
    status, out, err = giqa("compare", "--real", pictures / "reals", *(s.format(**places) for s in sets))
    assert (status, out) == (2, "") and says in err and len(err.strip().splitlines()) == 1


def test_all_metrics_are_the_registered_ones():
    from giqa.registry import names

    assert set(DEFAULT_METRICS) <= set(names("metric"))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_huge_value_leaves_out_the_metrics_that_cannot_bear_it():
    """A feature of 1e30 is named with its row; metrics of scores stay, and so do the other generators."""
    huge = gauss(50, seed=1)
    huge[3, 2] = 1e30
    found = compare(gauss(100), {"a": huge, "b": gauss(50, seed=2)}, scorer="sgm", metrics="qs,fd,kd,precision")
    first, second = found.generators
    assert set(first.values) == {"qs", "precision"}
    assert set(second.values) == {"qs", "fd", "kd", "precision"}
    assert any("fd left out: Features beyond 1e+12 cannot" in note and "holds 1e+30" in note for note in found.warnings)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_of_very_many_pictures_some_are_compared(tmp_path, monkeypatch):
    """Those whose names have the smallest hashes, the same names of all sets; `pictures` raises the bound."""
    from giqa.images import open_source
    from giqa.images.pictures import as_pictures
    from giqa.images.subset import Subset

    draw = np.random.default_rng(0)
    sets = {name: draw.integers(0, 256, (64, 8, 8, 3), np.uint8) for name in "ra"}
    how = {"extractor": "statistics(scales=1)", "scorer": "knn", "metrics": "qs,precision", "store": False}
    some = {n: as_pictures(open_source(images)).sample(40) for n, images in sets.items()}
    assert some["r"] == some["a"]
    by_hand = {n: Subset(open_source(images), sorted(some[n])) for n, images in sets.items()}
    monkeypatch.setattr(sys.modules["giqa.compare.compare"], "LARGEST", 40)
    found, same = (compare(s["r"], {"a": s["a"]}, **how) for s in (sets, by_hand))
    values = [{label: each.value for label, each in one.generators[0].values.items()} for one in (found, same)]
    assert values[0] == values[1] and found.generators[0].n == 40
    assert [note[:21] for note in found.warnings[:2]] == ["reals: 40 of 64 pictu", "a: 40 of 64 pictures "]
    whole = compare(sets["r"], {"a": sets["a"]}, **how, pictures=64)
    assert whole.generators[0].n == 64 and not any("of 64 pictures" in note for note in whole.warnings)


class Picky(Metric):
    """1, unless the first picture of the whole set is missing: one group can be left out, another cannot."""

    by_size = False

    def __call__(self, real, fake):
        if len(fake) == 24:
            self.first = fake[0]
        if not (fake == self.first).all(1).any():
            raise BadShape("the first picture is missing")
        return 1.0


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_metric_that_cannot_do_without_one_group_has_no_interval_and_costs_the_others_nothing():
    """Its value stays; qs and precision keep value and interval."""
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(60, 4)).astype("f4"), rng.normal(size=(24, 4)).astype("f4")
    found = compare(real, {"A": fake}, metrics=["qs", "precision", Picky()], scorer="sgm")
    qs, precision, picky = found.generators[0].values.values()
    assert qs.known and precision.known and (picky.value, picky.known) == (1.0, False)
    assert any(note.endswith("has no interval: the first picture is missing") for note in found.warnings)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_metric_that_cannot_do_at_the_common_number_costs_the_others_nothing():
    """DS of 20 pictures with 30 reals can be computed, but not without each group: 20 against 40 have no verdict."""
    rng = np.random.default_rng(0)
    real = rng.normal(size=(30, 2))
    sets = {"a": rng.normal(size=(20, 2)), "b": rng.normal(size=(40, 2))}
    found = compare(real, sets, metrics="ds,vendi", scorer="sgm")
    assert found.verdict("ds", "a", "b").why == "ds has no interval with so few pictures"
    assert found.verdict("vendi", "a", "b").pictures == (20, 20) and not found.verdict("vendi", "a", "b").why
