import numpy as np
import pytest

from giqa.api import score
from giqa.compare.classes import ByClass, _decided_together
from giqa.compare.compare import compare
from giqa.errors import BadSpec
from giqa.features.extracted import as_features
from giqa.model.folds import content_order
from giqa.registry import make
from giqa.types import Features

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def features(n, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    layers = {name: (rng.normal(size=(n, 3)) + shift).astype("f4") for name in ("one", "two")}
    return Features(tuple(f"{i}.png" for i in range(n)), layers)


@pytest.fixture(scope="module")
def sets():
    return features(60, 0), features(30, 1, 0.5)


@pytest.mark.parametrize("scorer", [None, "sgm", "knn(k=3)"])
def test_qs_is_the_mean_z_of_score(sets, scorer):
    """By the comparison's scorer where the spec names none, on all layers whatever --layers says."""
    reals, fakes = sets
    found = compare(reals, {"A": fakes}, metrics="qs", scorer=scorer, layers="one")
    wanted = score(fakes, real=reals, scorer=scorer).summary()["mean_z"]
    assert found.generators[0].values["qs"].value == pytest.approx(wanted, abs=1e-12)


def test_one_spec_is_one_number_however_it_is_written(sets):
    """qs, qs(), with the seed and with the scorer spelled out: the same number, the same name, one question."""
    reals, fakes = sets
    specs = ["qs", "qs()", "qs(seed=2)", "qs(scorer='knn')", "qs(scorer='knn', seed=2)"]
    found = compare(reals, {"A": fakes, "B": fakes.rows(np.arange(20))}, metrics=specs, scorer="knn", seed=2)
    assert len({found.generators[0].values[spec].value for spec in specs}) == 1
    assert len({found.made_by["metrics"][spec] for spec in specs}) == len({c.key for c in found.contrasts}) == 1
    other = compare(reals, {"A": fakes}, metrics="qs(scorer='knn'),qs", scorer="sgm", seed=2)
    named, own = (other.generators[0].values[label].value for label in other.metrics)
    assert named == found.generators[0].values["qs"].value != own
    assert other.made_by["metrics"]["qs"].startswith('qs(scorer="sgm(')


SPECS = ("qs", "ds(splits=1)", "ds(splits=1, scorer='knn')", "fd", "kd(subsets=2, size=9)", "precision(k=3)", "recall",
         "coverage(k=2)", "authenticity", "vendi", "cmmd", "fd_infinity(points=5)")  # fmt: skip


@pytest.mark.parametrize("seed", [0, 7])
def test_the_canonical_form_makes_the_same_number_again(seed):
    """`made_by.metrics` holds all that decides a number: asked for anew, and as a function of two arrays."""
    rng = np.random.default_rng(0)
    reals, fakes = rng.normal(size=(50, 3)).astype("f4"), rng.normal(size=(40, 3)).astype("f4")
    found = compare(reals, {"A": fakes}, metrics=SPECS, scorer="sgm", seed=seed)
    ordered = [x[content_order(as_features(x))] for x in (reals, fakes)]  # sums go by what the pictures are
    for label, spec in found.made_by["metrics"].items():
        assert make("metric", spec)(*ordered) == found.generators[0].values[label].value, label
        if label in ("qs", "ds(splits=1)", "kd(subsets=2, size=9)"):
            assert f"seed={seed}" in spec
    again = compare(reals, {"A": fakes}, metrics=list(found.made_by["metrics"].values())[:3], scorer="knn")
    for label, spec in list(found.made_by["metrics"].items())[:3]:
        assert again.generators[0].values[spec].value == found.generators[0].values[label].value


def test_a_scorer_of_ones_own_is_the_comparisons(sets):
    """An object has no spec to be read again, and still is what qs is made with."""

    class Near:
        def __init__(self, power=1):
            self.power = power

        def fit(self, x):
            self.middle_ = x.mean(axis=0)
            return self

        def score_samples(self, x):
            return -(np.linalg.norm(x - self.middle_, axis=1) ** self.power)

    reals, fakes = sets
    found = compare(reals, {"A": fakes}, metrics="qs", scorer=Near())
    wanted = score(fakes, real=reals, scorer=Near()).z.mean()
    assert found.generators[0].values["qs"].value == pytest.approx(wanted, rel=1e-4)


def test_a_scorer_with_features_of_its_own_is_refused(sets):
    with pytest.raises(BadSpec, match=r"qs\(scorer='brisque'\) looks at features of its own; .* \(--other-scores\)"):
        compare(sets[0], {"A": sets[1]}, metrics="qs(scorer='brisque')", scorer="sgm")


def test_classes_share_the_level(sets):
    """What one class tells apart at 95 % alone has to do so at 1 - .05 / 20 in the company of twenty."""
    reals, fakes = sets
    other = features(30, 4, 0.75)
    one = compare(reals, {"A": fakes, "B": other}, metrics="qs", scorer="sgm")
    together = ByClass(_decided_together({str(i): one for i in range(20)}), {})
    assert one.verdicts[0].says == "better" and one.verdicts[0].level == 0.95
    gap, low, high = one.contrasts[0].at(1 - 0.05 / 20)
    wanted = "better" if low > 0 else "cannot be told apart"
    found = together.classes["7"].verdicts[0]
    assert (found.says, found.level) == (wanted, pytest.approx(1 - 0.05 / 20)) and found.difference == gap
    assert (found.low, found.high) == (low, high)
