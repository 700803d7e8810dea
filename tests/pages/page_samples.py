"""A small page of every kind that giqa writes, for the tests that look at them."""

import warnings

import numpy as np
from people_samples import sittings, study
from test_report import make_report

from giqa.compare.classes import ByClass
from giqa.compare.classes_page import write_classes
from giqa.compare.compare import compare
from giqa.compare.page import write_page as write_comparison
from giqa.compare.picker_curve import picker_curve
from giqa.compare.picker_page import write_curve
from giqa.compare.track import Track, write_track
from giqa.evaluate.bench_entries import Entry, Sweep
from giqa.evaluate.bench_page import write_page as write_bench
from giqa.evaluate.bench_result import ALIKE, Bench, Difference, SetFound
from giqa.explain.maps import fit_maps
from giqa.explain.picture import Patch
from giqa.explain.picture import write_page as write_explanation
from giqa.report.report import write_report
from giqa.stats import Estimate
from giqa.votes.findings import findings
from giqa.votes.page import write_people_report

METRICS = "qs,ds,fd,recall,authenticity"
HOW = {
    "giqa": "0",
    "extractor": "embedded(crops=False)",
    "scorer": "sgm()",
    "reals": "90",
    "seed": "0",
    "match": "null",
}


def gauss(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)


def a_comparison(paired="name"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sets = {"good": gauss(60, 1), "off": gauss(60, 2) + 3}
        return compare(gauss(70), sets, metrics=METRICS, scorer="sgm", beside={"nearest": "knn"}, paired=paired)


def a_bench():
    """Four entries of which one is best, one as good, one at guessing and one worse; and a sweep."""
    values = {"sharp": 0.72, "knn": 0.7, "plain": 0.5, "reversed": 0.3, "knn(K=1)": 0.6, "knn(K=5)": 0.7}
    figures = {name: {"pair accuracy": Estimate(v, v - 0.05, v + 0.05, 90)} for name, v in values.items()}
    names = list(values)[:4]
    gaps = [(a, b, values[a] - values[b]) for i, a in enumerate(names) for b in names[i + 1 :]]
    gaps.append(("knn(K=1)", "knn(K=5)", -0.1))
    differences = tuple(
        Difference(a, b, Estimate(gap, gap - 0.06, gap + 0.06, 90), "better" if gap > 0.06 else ALIKE)
        for a, b, gap in gaps
    )
    kinds = {name: {"gan / vae": Estimate(0.6, 0.5, 0.7, 40)} for name in values}
    more = {"breakdown": kinds, "missing": {"a.png": "is not there"}, "trouble": {}, "skipped": 1, "best": 0.9}
    one = SetFound("faces", "pairs", "pair accuracy", 90, 40, figures, differences, **more)
    sweep = Sweep("knn over K", "K", ("1", "5"), (Entry("knn(K=1)", "", {}), Entry("knn(K=5)", "", {})))
    return Bench(tuple(names), (sweep,), (one,), ("reversed is worse than guessing",), HOW | {"resamples": "500"})


def an_explanation(path, far):
    """Of a picture with one part smoothed away, or (far) of a black one, most of which is unlike the reals."""

    def picture(seed):
        return np.clip(128 + 12 * np.random.default_rng(seed).normal(size=(48, 48, 3)), 0, 255).astype(np.uint8)

    maps, odd = fit_maps([picture(i) for i in range(24)], taps=["grain"]), picture(99)
    odd[28:44, 4:20] = 128
    odd = np.zeros_like(odd) if far else odd
    found = maps.explain(odd)
    patches = [Patch(name, picture(int(name))) for name in found.nearest]
    return write_explanation(path, maps, "odd.png", odd, found, patches)


def write_all(root):
    """Name -> file, of every page that stands alone."""
    found = a_comparison()
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (70, 16, 16, 3), dtype=np.uint8)
    sets = {g.name: pictures[:60] for g in found.generators}
    score = -np.abs(gauss(60, 1)).sum(axis=1)
    points = picker_curve(gauss(70), gauss(60, 1), score, score, shares=(1, 0.5))
    people = [findings(study(), "votes", resamples=100), findings(sittings("gan", [30, 40], [20, 10]), "sittings")]
    return {
        "report": write_report(root / "report.html", make_report(12, 30)),
        "compare": write_comparison(root / "compare.html", found, sources=sets, real=pictures),
        "track": write_track(root / "track.html", Track((1.0, 2.0), found), "run"),
        "classes": write_classes(root / "classes.html", ByClass({"cat": found, "dog": found}, {"eel": "none"}), "kind"),
        "curve": write_curve(root / "curve.html", points, ["FD is on content."], made_by=HOW | {"qs": "knn()"}),
        "bench": write_bench(root / "bench.html", a_bench()),
        "explain": an_explanation(root / "explain.html", far=False),
        "far": an_explanation(root / "far.html", far=True),
        "people": write_people_report(root / "people.html", people),
    }
