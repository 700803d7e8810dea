"""One rule for quality control: in the table of gates, behind --gate, in a study and in its export."""

import numpy as np
import pytest
from people_samples import votes

from giqa.errors import BadSpec
from giqa.study import progress, study
from giqa.votes import gate
from giqa.votes.findings import findings
from giqa.votes.gate_table import gate_table


def table():
    """Four raters, ten pictures each: `good` 4 of 4 controls right, `bad` 1 of 4, `some` 1 of 1, `none` asked none."""
    rows = []
    for rater, controls, right in (("good", 4, 4), ("bad", 4, 1), ("some", 1, 1), ("none", 0, 0)):
        for i in range(10):
            real = i % 2 == 0
            rows.append((f"i{i}", rater, real, real, False))
        rows += [(f"c{i}", rater, i < right, True, True) for i in range(controls)]
    image, rater, said, real, control = zip(*rows, strict=True)
    kind = np.where(real, "real", "generated")
    return votes(image, rater, said, kind=kind, generator=np.where(real, "", "g"), control=control)


def test_who_was_asked_nothing_counts_and_is_counted():
    """Asked nothing gives no ground to be left out; the same people pass in the table of gates and behind --gate."""
    judged = table()
    assert gate.controls(judged) == {"good": (4, 4), "bad": (1, 4), "some": (1, 1), "none": (0, 0)}
    assert gate.control_accuracy(judged) == {"good": 1, "bad": 0.25, "some": 1}
    for share, left in ((0.25, 4), (0.65, 3)):
        (row,) = gate_table(judged, [share])
        found = findings(judged, gate=share, resamples=100)
        assert (row.evaluators, row.without_controls) == (left, 1)
        assert (found.evaluators, found.without_controls, found.gated_out) == (left, 1, 4 - left)
        assert found.hype[0].error.n == row.error.n == left
        assert any("no quality control" in line and line.endswith(" 1 raters") for line in found.cautions())


def test_controls_of_unknown_kind_are_no_questions():
    judged = table()
    judged.kind[judged.control & (judged.rater == "bad")] = ""
    assert gate.controls(judged)["bad"] == (0, 0) and gate.without_controls(judged) == 2


def test_without_any_control_there_is_no_gate():
    judged = table().rows(~table().control)
    assert gate_table(judged) == [] and findings(judged, resamples=100).without_controls is None
    with pytest.raises(BadSpec, match="quality-control"):
        findings(judged, gate=0.5)
    with pytest.raises(BadSpec, match=r"No rater passes a gate of 0\.9"):
        findings(table().rows(table().rater == "bad"), gate=0.9)


def test_one_evaluator_of_three_generators_is_one():
    """Of each evaluator the mean over generators: rates of .1, .2, .3 in fakes alone are one person's, not three."""
    n = 60
    image = [f"i{i}" for i in range(n)] * 3
    made_by = np.tile(np.repeat(["a", "b", "c", ""], 15), 3)
    real = made_by == ""
    said = real | np.tile(np.arange(n) % 15 < np.repeat([3, 6, 9, 0], 15), 3)
    judged = votes(
        image, np.repeat(["x", "y", "z"], n), said, kind=np.where(real, "real", "generated"), generator=made_by,
        control=np.arange(3 * n) % n == n - 1,
    )  # fmt: skip
    (row,) = gate_table(judged, [0.0])
    assert row.evaluators == row.error.n == 3 and row.error.value == pytest.approx((0.2 + 0.4 + 0.6) / 3 / 2)


def test_it_is_the_only_rule():
    """The study, the table of gates and the statistics ask one and the same function."""
    assert study.passes is progress.passes is gate.passes
    assert gate.passes(0, 0, 1.0) and gate.passes(0.1 + 0.2, 1, 0.3) and not gate.passes(12, 20, 0.65)
