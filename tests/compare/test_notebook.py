"""What a notebook and a prompt show: the answer first, and never the arrays behind it."""

import numpy as np

from giqa.compare import compare
from giqa.compare.classes import ByClass
from giqa.compare.track import Track


def test_results_say_their_answer_first():
    """B is three standard deviations off; the mean of the values, and not of the arrays, is what stands there."""
    rng = np.random.default_rng(0)
    real, good = rng.normal(size=(200, 4)).astype("f4"), rng.normal(size=(60, 4)).astype("f4")
    found = compare(real, {"<A>": good, "B": good + 3}, metrics="qs", scorer="sgm")
    said = "<A> is better than B in quality (95 %)."
    assert repr(found) == f"<giqa.compare.Comparison: {said}>"
    page = found._repr_html_()
    assert page.startswith("<div><p style='margin:2px 0'><b>&lt;A&gt; is better than B in quality (95 %).</b></p>")
    assert "qs: &lt;A&gt; against B: better" in page and "B is far from the reals" in page and page.count("<td>") == 2
    run, classes = Track((1.0, 2.0), found), ByClass({"cat": found}, {})
    assert (
        repr(run).startswith("<giqa.compare.Track of 2 checkpoints: Use checkpoint 1; it is better")
        and len(repr(run)) < 200
    )
    assert (
        "<b>Use checkpoint 1; it is better than every other" in run._repr_html_()
        and run._repr_html_().count("<td>") == 2
    )
    assert "of 1 classes: &lt;A&gt;" not in repr(classes) and "<b>&lt;A&gt; is better" in classes._repr_html_()
