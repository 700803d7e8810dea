"""Error rates behind a gate."""

import numpy as np
from people_samples import study, votes

from giqa.votes.gate_table import gate_table


def test_gate_leaves_out_those_below_it():
    """Two careful raters and one who answers by lot: the gate lets the careful ones pass, and the error falls."""
    image = [f"i{i}" for i in range(40)] * 3
    real = np.array([i % 2 == 0 for i in range(40)] * 3)
    rater = np.repeat(["a", "b", "lot"], 40)
    said = np.where(rater == "lot", np.random.default_rng(0).random(120) < 0.5, real)
    made = votes(
        image, rater, said, kind=np.where(real, "real", "generated"), generator=np.where(real, "", "g"),
        control=np.array([i < 20 for i in range(40)] * 3),
    )  # fmt: skip
    table = {gate.gate: gate for gate in gate_table(made, (0.0, 0.9))}
    assert (table[0.0].evaluators, table[0.9].evaluators) == (3, 2)
    assert table[0.9].error.value == 0 < table[0.0].error.value
    assert gate_table(made.rows(~made.control)) == []


def test_gate_table_of_a_study_is_ordered():
    rows = gate_table(study())
    assert [row.evaluators for row in rows] == sorted((row.evaluators for row in rows), reverse=True)
