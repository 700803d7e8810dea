import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from test_cli import giqa

from giqa.compare.classes import ByClass, compare_by_class, labels_of
from giqa.compare.classes_page import MOST, chart_rows, write_classes
from giqa.errors import BadSpec
from giqa.images import open_source
from giqa.metrics.jackknife import Jackknife
from giqa.metrics.metric import Metric
from giqa.model.headline import Headline
from giqa.stats import UNKNOWN


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    """Two classes, faint and strong noise; B makes the strong ones faint, C has no strong ones; a class of three."""
    root = tmp_path_factory.mktemp("classes")
    rng = np.random.default_rng(0)
    levels = {"faint": 6, "strong": 40, "rare": 20}
    lines = ["image,set,kind"]
    for name in ("reals", "A", "B", "C"):
        for label, level in levels.items():
            if (name == "C" and label == "strong") or (label == "rare" and name == "C"):
                continue
            (root / name / label).mkdir(parents=True)
            shown = levels["faint"] if (name, label) == ("B", "strong") else level
            for i in range({"reals": 40}.get(name, 24) if label != "rare" else 3):
                pixels = np.clip(128 + shown * rng.normal(size=(24, 24, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(root / name / label / f"{i}.png")
                lines.append(f"{name}/{label}/{i}.png,{name},{label}")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root


def test_labels_are_a_column_or_the_first_folder(classes):
    by_folder = labels_of(open_source(classes / "A"), "folder")
    by_column = labels_of(open_source(f"{classes / 'labels.csv'}[set=A]"), "kind")
    assert sorted(by_folder.values()) == sorted(by_column.values()) and len(by_folder) == 51
    with pytest.raises(BadSpec, match="is no table"):
        labels_of(open_source(classes / "A"), "kind")
    with pytest.raises(BadSpec, match="has the columns image, set, kind"):
        labels_of(open_source(classes / "labels.csv"), "class")


def test_a_class_is_judged_against_its_own_reals(classes):
    """Faint ones in the class "strong" are bad there, though the reals as a whole hold many like them."""
    sets = {"A": classes / "A", "B": classes / "B"}
    with pytest.warns(UserWarning, match="class 'rare' left out: At least 20"):
        found = compare_by_class(
            classes / "reals", sets, "folder", metrics="qs,kd", extractor="statistics", layers="all"
        )
    assert list(found.classes) == ["faint", "strong"] and set(found.left_out) == {"rare"}
    assert found.classes["faint"].verdict("kd", "A", "B").says == "cannot be told apart"
    for metric in ("qs", "kd"):
        assert found.classes["strong"].verdict(metric, "B", "A").says == "worse"
    low, high = found.mean("qs", "A").interval()
    assert low < found.mean("qs", "A").value < high
    values = [found.classes[c].generators[0].values["qs"].value for c in ("faint", "strong")]
    assert found.mean("qs", "A").value == pytest.approx(np.mean(values))
    json.dumps(found.to_json(), allow_nan=False)


def test_a_class_that_a_set_lacks_is_named(classes):
    with pytest.warns(UserWarning, match="class 'strong' left out: there is none in C"):
        found = compare_by_class(classes / "reals", {"C": classes / "C"}, "folder", metrics="qs", extractor="nss")
    assert list(found.classes) == ["faint"]


def test_the_mean_varies_less_than_its_parts():
    """Two classes with variance 1 each: the mean's variance is 1 / 2."""
    part = np.tile([-1.0, 1.0], 5) / np.sqrt(9)  # jackknife variance 9 / 10 x 10 / 9 = 1

    class One:
        name, values = "A", {"qs": Jackknife(2.0, np.empty(0), part)}

    class Class:
        generators = (One(),)

    mean = ByClass({"a": Class(), "b": Class()}, {}).mean("qs", "A")
    alone = One.values["qs"].interval()
    low, high = mean.interval()
    assert mean.value == 2 and (high - low) / (alone[1] - alone[0]) == pytest.approx(np.sqrt(0.5))


def test_the_mean_of_shares_is_a_share():
    """Shares of 30 and 60 pictures: an interval within 0 and 1, no narrower than Wilson's of 4 / (1/30 + 1/60) = 80."""
    part = np.tile([-0.3, 0.3], 5)

    def a_class(n):
        values = {"recall": Jackknife(0.05, np.empty(0), part, n, n)}
        return type("Class", (), {"generators": (type("One", (), {"name": "A", "values": values}),)})

    mean = ByClass({"a": a_class(30), "b": a_class(60)}, {}).mean("recall", "A")
    low, high = mean.interval()
    assert mean.share_of == 80 and low == 0 and 0.3 < high <= 1


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_command(classes, tmp_path):
    command = ["compare", "--real", f"{classes / 'labels.csv'}[set=reals]", f"A={classes / 'labels.csv'}[set=A]"]
    command += ["--class", "kind", "--metrics", "qs", "--extractor", "statistics"]
    status, out, err = giqa(*command, "-o", tmp_path / "c.json", "--report", tmp_path / "one.html")
    page = (tmp_path / "one.html").read_text()
    assert page.count("<svg") == 4 and "This decides which class is the weakest" in page  # its chart comes before QS
    assert page.index("chance that a picture beats a random real of its class</h2>") < page.index("<h2>qs</h2>")
    rows = [line.split("\t") for line in out.splitlines()]
    assert status == 0 and rows[0] == ["class", "metric", "A"]
    assert [row[:2] for row in rows[1:]] == [["faint", "qs"], ["strong", "qs"], ["mean of classes", "qs"]]
    assert "warning: class 'rare' left out" in err
    assert set(json.loads((tmp_path / "c.json").read_text())["classes"]) == {"faint", "strong"}
    status, _, err = giqa(*command, f"<b>B={classes / 'labels.csv'}[set=B]", "--report", tmp_path / "c.html")
    assert status == 0 and "A against <b>B by qs: better in 1, not to be distinguished in 1 of 2 classes." in err
    page = (tmp_path / "c.html").read_text()
    assert "<b>B" not in page and "rare: At least 20" in page and page.count("<svg") == 2


def many_classes(n):
    """n classes whose QS is their number, and half of it less for B; no interval."""

    class One:
        def __init__(self, name, value):
            self.name, self.values = name, {"qs": Jackknife(value)}
            self.scores = SimpleNamespace(headline=lambda: Headline(UNKNOWN, UNKNOWN, None, 0))

    class Class:
        verdicts, metrics, made_by, warnings = (), {"qs": Metric()}, {"reals": 30}, ("few <pictures>",)

        def __init__(self, i):
            self.generators = (One("A", float(i)), One("B", i / 2))

    return ByClass({f"class {i}": Class(i) for i in range(n)}, {})


def test_charts_of_many_classes_show_both_ends(tmp_path):
    """Classes are ordered by their mean; of more than 40 the 20 lowest and the 20 highest are drawn, all are listed."""
    found = many_classes(50)
    rows = chart_rows(found, "qs")
    assert [name for name, _ in rows] == [f"class {i}" for i in range(50)]
    assert [mark[0] for mark in rows[3][1]] == [3.0, 1.5] and [mark[3] for mark in rows[3][1]] == [0, 1]
    page = write_classes(tmp_path / "p.html", found, "kind").read_text()
    assert "class 0, class 1, class 2 and 47 others: few &lt;pictures&gt;" in page
    chart = page[page.index('aria-label="qs of each class"') : page.index('id="table"')]
    assert chart.count(">class 19<") == 2 and chart.count(">class 20<") == 0 and chart.count(">class 30<") == 2
    assert f"The {MOST // 2} lowest and the {MOST // 2} highest of 50 classes." in chart
    assert 'scope="row">class 20<' in page[page.index('id="table"') :]
