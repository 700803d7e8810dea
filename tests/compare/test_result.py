from statistics import NormalDist

import numpy as np
import pytest

from giqa.compare.compare import compare
from giqa.compare.page import sentences, table_rows
from giqa.compare.result import Contrast, common_number, common_numbers, decided

SAME = "cannot be told apart"
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def gauss(n, seed=0, d=3):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def contrast(z, key, way=1):
    """A difference of z standard errors."""

    def at(level):
        half = NormalDist().inv_cdf((1 + level) / 2)
        return z, z - half, z + half

    return Contrast("m", "A", "B", at, key, way)


def test_verdicts_are_those_of_holm():
    """p = .0027, .0143, .0214, .317: .05 / 4, / 3, / 2 let three pass, of which Bonferroni's .05 / 4 knows one."""
    found = decided([contrast(1.0, "d"), contrast(2.3, "c"), contrast(3.0, "a"), contrast(-2.45, "b")])
    assert [v.says for v in found] == [SAME, "better", "better", "worse"]
    assert [v.level for v in found] == pytest.approx([0.95, 1 - 0.05 / 2, 1 - 0.05 / 4, 1 - 0.05 / 3])
    assert all((v.low > 0 or v.high < 0) == (v.says != SAME) for v in found)
    stopped = decided([contrast(2.0, "c"), contrast(3.0, "a"), contrast(2.2, "b")])  # .0278 is above .05 / 2
    assert [v.says for v in stopped] == [SAME, "better", SAME]


def test_a_hopeless_one_stops_what_comes_after_it():
    """p = .03 and .04: neither is below .05 / 2, though each alone would be told apart."""
    assert [v.says for v in decided([contrast(2.17, "a"), contrast(2.05, "b")])] == [SAME, SAME]
    assert [v.says for v in decided([contrast(2.17, "a")])] == ["better"]


def test_one_question_counts_once_and_what_cannot_be_asked_not_at_all():
    """The same metric written twice, and one without an interval, take nothing from the others."""
    unknown = Contrast("m", "A", "B", lambda level: (5.0, np.nan, np.nan), "z", why="too few")
    alone, twin, none = decided([contrast(2.0, "a"), contrast(2.0, "a"), unknown])
    assert alone.says == twin.says == "better" and alone.level == 0.95
    assert none.says == SAME and none.why == "too few" and np.isnan(none.low)


def test_what_ranks_nothing_is_higher_or_lower():
    assert [v.says for v in decided([contrast(5.0, "a", 0), contrast(-5.0, "b", 0), contrast(5.0, "c", -1)])] == [
        "higher", "lower", "worse",
    ]  # fmt: skip


def test_numbers_that_sets_are_compared_at():
    """The smaller number; of many nearly equal ones a step below it; none below five pictures, none above 4,000."""
    assert common_numbers({"a": 200, "b": 30}) == {"a": [30], "b": [30]}
    assert common_numbers({"a": 30, "b": 30, "c": 3}) == {}
    assert common_number(64, 66, [60, 64, 66]) == 60 and common_number(50_000, 10_000, [50_000, 10_000]) == 4000
    assert common_numbers({"a": 9000, "b": 9000}) == {}


class Count:
    """The number of fakes: a metric that is nothing but its dependence on it."""

    by_size = True

    def __call__(self, real, fake):
        return float(len(fake))


class Each:
    """A mean over fakes."""

    by_size = False

    def __call__(self, real, fake):
        return float(fake.mean())


def test_what_depends_on_the_number_is_compared_at_equal_numbers():
    """Values are those of the whole sets; the verdict on 60 against 12 pictures compares 12 with 12."""
    sets = {"A": gauss(60, 1), "B": gauss(12, 2), "C": gauss(60, 3)}
    found = compare(gauss(40), sets, metrics=[Count(), Each()], scorer="sgm")
    count, each = found.metrics
    assert [g.values[count].value for g in found.generators] == [60, 12, 60]
    verdict = found.verdict(count, "A", "B")
    assert (verdict.difference, verdict.pictures, verdict.unequal, verdict.says) == (0, (12, 12), True, SAME)
    assert found.verdict(count, "A", "C").pictures == (60, 60) and not found.verdict(count, "A", "C").unequal
    mean = found.verdict(each, "B", "A")
    assert mean.pictures == (12, 60) and not mean.unequal
    assert mean.difference == pytest.approx(sets["B"].mean() - sets["A"].mean(), abs=1e-6)
    assert "verdicts compare equally many (the mean of 5 seeded draws" in "\n".join(found.warnings)


@pytest.mark.parametrize("sizes", [(1, 1), (1, 200), (2, 2), (4, 3), (3, 100)])
def test_fewer_than_five_pictures_have_values_and_no_verdict(sizes):
    """No interval, no verdict, and it is said why, also where the larger set is large and far off."""
    sets = {"A": gauss(sizes[0], 1), "B": gauss(sizes[1], 2) + 9}
    found = compare(gauss(40), sets, metrics="qs,kd,vendi,authenticity,coverage", scorer="sgm")
    assert {v.says for v in found.verdicts} == {SAME} and all(np.isnan(v.low) for v in found.verdicts)
    few = found.generators[int(sizes[1] < sizes[0])]
    assert all(np.isnan(e.interval()).all() for e in few.values.values()) and np.isfinite(few.values["qs"].value)
    assert "in quality nothing can be said: too few pictures (" in sentences(found)[0]
    assert "are too few for an interval or a verdict; it takes 5" in "\n".join(found.warnings)
    assert not any(cell["best"] or cell["alike"] for row in table_rows(found) for cell in row["cells"])


@pytest.mark.parametrize("sizes", [(5, 5), (40, 6)])
def test_equal_generators_are_seldom_told_apart(sizes):
    """12 draws, any metric: at 5 % more than 2 come by chance once in 50; 40 against 6 pictures were 10 of 12."""
    wrong = 0
    for seed in range(12):
        rng = np.random.default_rng([3, seed])
        sets = {str(i): rng.normal(size=(n, 3)).astype("f4") for i, n in enumerate(sizes)}
        found = compare(rng.normal(size=(30, 3)).astype("f4"), sets, metrics="qs,coverage,vendi", scorer="sgm")
        wrong += any(v.says != SAME for v in found.verdicts)
    assert wrong <= 2


def test_different_generators_still_are_told_apart():
    """A mean that moved by one standard deviation, 60 pictures of each: in quality and in distance."""
    found = compare(gauss(80), {"A": gauss(60, 1), "B": gauss(60, 2) + 1}, metrics="qs,fd,kd,precision", scorer="sgm")
    assert [found.verdict(m, "A", "B").says for m in ("qs", "fd", "kd")] == ["better"] * 3


def test_best_is_only_what_a_verdict_calls_better():
    """Two alike: no mark. A third that is off: the best of the two, and the other one as good."""
    reals, sets = gauss(80), {"A": gauss(60, 1), "B": gauss(60, 2)}
    (row,) = table_rows(compare(reals, sets, metrics="fd", scorer="sgm"))
    assert [(cell["best"], cell["alike"]) for cell in row["cells"]] == [(False, False)] * 2
    found = compare(reals, {**sets, "off": gauss(60, 3) + 3}, metrics="fd", scorer="sgm")
    (row,) = table_rows(found)
    marks = {g.name: (c["best"], c["alike"]) for g, c in zip(found.generators, row["cells"], strict=True)}
    assert sorted(marks.values()) == [(False, False), (False, True), (True, False)] and marks["off"] == (False, False)
    assert marks[found.best("fd")] == (True, False)


def test_the_best_of_unequal_sets_is_the_best_at_equal_numbers():
    """Vendi grows with the number of pictures: 100 of a narrower generator do not beat 20 of a wider one."""
    wide = np.abs(gauss(20, 1, d=30)) + 0
    narrow = 1 + 0.6 * np.abs(gauss(100, 2, d=30))
    found = compare(np.abs(gauss(60, d=30)), {"wide": wide, "narrow": narrow}, metrics="vendi", scorer="sgm")
    assert found.best("vendi") == "wide"
