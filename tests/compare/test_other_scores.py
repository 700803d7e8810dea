import json
import math

import numpy as np
import pytest
from scipy import stats
from test_cli import giqa
from test_compare import pictures  # noqa: F401 - the toy sets

from giqa.compare.compare import compare
from giqa.compare.other_scores import agreement, mean_of, named
from giqa.compare.page import shown_rows, write_page
from giqa.errors import BadSpec, BadTable
from giqa.types import Features


def gauss(n, seed=0, shift=0.0, prefix=""):
    x = np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32) + np.float32(shift)
    return Features(tuple(f"{prefix}{i}.png" for i in range(n)), {"layer": x})


def test_names_are_the_specs_or_given():
    assert named("knn(k=2)") == {"knn(k=2)": "knn(k=2)"}
    assert named(["a.csv:nima", "x=b.tsv:-niqe"]) == {"nima": "a.csv:nima", "x": "b.tsv:-niqe"}
    assert named({"n": "knn"}) == {"n": "knn"}
    with pytest.raises(BadSpec, match=r"Two other scores are called 'nima'; .* NAME=b.csv:nima"):
        named(["a.csv:nima", "b.csv:nima"])
    with pytest.raises(BadSpec, match="nonsense"):
        named(["nonsense"])


def test_mean_and_agreement_are_the_textbooks():
    """Student's interval of scipy (the quantile is within 1.5 %), Spearman of scipy, Fieller's interval by formula."""
    rng = np.random.default_rng(0)
    one = rng.normal(size=40)
    other = one + rng.normal(size=40)
    low, high = stats.t.interval(0.95, 39, one.mean(), stats.sem(one))
    assert mean_of(np.r_[one, np.nan]) == pytest.approx((one.mean(), low, high), rel=0.02)
    rho, low, high = agreement(np.r_[one, np.nan], np.r_[other, 1.0])
    assert rho == pytest.approx(stats.spearmanr(one, other)[0])
    half = 1.96 * math.sqrt(1.06 / 37)
    wanted = [math.tanh(math.atanh(rho) - half), math.tanh(math.atanh(rho) + half)]
    assert [low, high] == pytest.approx(wanted, abs=1e-4)
    assert all(map(math.isnan, agreement(one[:4], other[:4]))) and math.isnan(mean_of(np.array([np.nan]))[0])


def test_a_scorer_beside_ours():
    """Another scorer on the same features: its raw scores, and those of held-out reals."""
    sets = {"near": gauss(60, 1), "far": gauss(60, 2, 4.0)}
    found = compare(gauss(200), sets, metrics="qs", scorer="sgm", beside=["knn"])
    (other,) = found.beside
    assert other.name == "knn" and len(other.reals) == 200 and len(other.values["far"]) == 60
    assert other.means["far"][2] < other.means["near"][1]  # the intervals do not meet
    assert other.agreements["far"][0] > 0.5
    best = shown_rows(found.generators[1], found.beside)["by knn: best"][0]
    assert other.values["far"][best].min() >= np.sort(other.values["far"])[-8]
    content = json.loads(json.dumps(found.to_json(), allow_nan=False))["beside"]["knn"]
    assert content["generators"]["near"]["mean"]["value"] == pytest.approx(other.values["near"].mean())


def test_a_column_of_a_table_beside_ours(tmp_path):
    """Joined on ids; a sign turned; an id of two sets needs the name of its set; missing ones are unknown."""
    sets = {"A": gauss(30, 1, prefix="a"), "B": gauss(30, 2, prefix="b"), "C": gauss(30, 3, prefix="c")}
    rows = [f"a{i}.png,{i}" for i in range(30)] + [f"B/b{i}.png,{2 * i}" for i in range(20)]
    (tmp_path / "s.csv").write_text("\n".join(["image,niqe", *rows, "b29.png,", "real0.png,7"]) + "\n")
    reals = gauss(60, prefix="real")
    found = compare(reals, sets, metrics="qs", scorer="sgm", beside=[f"{tmp_path / 's.csv'}:-niqe"])
    (other,) = found.beside
    assert other.name == "niqe" and set(other.values) == {"A", "B"} and other.reals.tolist() == [-7]
    assert other.values["A"].tolist() == [-i for i in range(30)]
    assert np.isfinite(other.values["B"]).sum() == 20 and other.means["B"][0] == -19
    named_so = {"reals": sets["A"], "B": sets["B"]}  # such as the other half of the reals
    (other,) = compare(reals, named_so, metrics="qs", scorer="sgm", beside=[f"{tmp_path / 's.csv'}:niqe"]).beside
    assert other.values["reals"].tolist() == list(range(30)) and other.reals.tolist() == [7]
    with pytest.raises(BadTable, match=r"'a0.png', which is in A and in B; write A/a0.png"):
        compare(reals, {"A": sets["A"], "B": sets["A"]}, metrics="qs", beside=[f"{tmp_path / 's.csv'}:niqe"])
    with pytest.raises(BadTable, match="has no column 'nima'; it has image, niqe"):
        compare(reals, sets, metrics="qs", beside=[f"{tmp_path / 's.csv'}:nima"])
    with pytest.raises(BadTable, match=r"names no picture of the sets; its first is 'a0.png', theirs 'z0.png'"):
        compare(reals, {"Z": gauss(30, prefix="z")}, metrics="qs", beside=[f"{tmp_path / 's.csv'}:niqe"])
    (tmp_path / "t.csv").write_text("image,niqe\na0.png,bad\n")
    with pytest.raises(BadTable, match="line 2, column 'niqe': 'bad' is no number"):
        compare(reals, sets, metrics="qs", beside=[f"{tmp_path / 't.csv'}:niqe"])


def test_the_command_and_the_page(pictures, tmp_path):  # noqa: F811
    """A scorer with an extractor of its own and a column: rows on stdout, sections and galleries on the page."""
    names = sorted(path.name for path in (pictures / "sharp").iterdir())
    table = "\n".join(["id,<nima>", *(f"{side}/{name},{i}" for side in ("A", "B") for i, name in enumerate(names))])
    (tmp_path / "n.csv").write_text(table + "\n")
    status, out, err = giqa(
        "compare", "--real", pictures / "reals", f"A={pictures / 'sharp'}", f"B={pictures / 'blurred'}", "--metrics",
        "qs", "--other-scores", "own=value", "--beside", f"{tmp_path / 'n.csv'}:<nima>",
        "--report", tmp_path / "c.html",
    )  # fmt: skip
    assert status == 0, err
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in out.splitlines()}
    assert rows["<nima>: mean"][0].startswith("11.5 [") and "own: Spearman with z" in rows
    page = (tmp_path / "c.html").read_text()
    assert "<nima>" not in page and "by &lt;nima&gt;: best" in page and "by z: best to worst" in page
    assert page.index("&lt;nima&gt;</h2>") < page.index("Pictures of A")


def test_a_score_that_nobody_has_is_not_drawn(tmp_path):
    """One set of two in the table: its colour stays its own, and the page is whole."""
    (tmp_path / "s.csv").write_text("\n".join(["id,v", *(f"b{i}.png,1" for i in range(30))]) + "\n")
    sets = {"A": gauss(30, 1, prefix="a"), "B": gauss(30, 2, prefix="b")}
    found = compare(gauss(60, prefix="r"), sets, metrics="qs", scorer="sgm", beside=[f"{tmp_path / 's.csv'}:v"])
    page = write_page(tmp_path / "p.html", found).read_text()
    section = page[page.index("Scores by v") : page.index("What the numbers mean")]
    assert "dot s1" in section and "dot s0" not in section
