import itertools
import re

import numpy as np
import pytest

from giqa.pages.axes import Axis, axis_of, marks_of, number, roomy_axis, roomy_marks, ticks
from giqa.pages.drawing import Point, distributions, dots, line, lines, plane


@pytest.mark.parametrize(
    ("low", "high", "most", "wanted"),
    [
        (0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-7, 23, 4, [0, 10, 20]),
        (3, 3, 4, [3]),
        (0, 0.034, 4, [0, 0.01, 0.02, 0.03]),
    ],
)
def test_ticks_are_round_and_inside(low, high, most, wanted):
    assert ticks(low, high, most) == pytest.approx(wanted)


def test_an_axis_maps_ends_to_ends_and_clips():
    axis = Axis(-2, 2, 100, 500)
    assert [axis(v) for v in (-2, 0, 2, 99)] == [100, 300, 500, 500]


def test_one_far_value_does_not_squash_the_rest():
    """Ten values in a row and one 50 times as far: on a linear axis they share 2 % of it, here more than 30 %."""
    near = [float(v) for v in range(10)]
    axis = roomy_axis([*near, 500.0], 0, 100)
    assert axis(9.0) - axis(0.0) > 30 and axis(500.0) < 100
    places = [axis(v) for v in (*near, 100.0, 500.0)]
    assert places == sorted(places)
    marks = roomy_marks(axis, 4, 10)
    assert any(0 <= m <= 9 for m in marks) and any(m > 100 for m in marks)
    assert all(abs(axis(a) - axis(b)) >= 10 for a in marks for b in marks if a != b)
    assert roomy_axis(near, 0, 100).warp is float


def test_numbers_for_people():
    assert [number(v) for v in (0, -3.14159, 99.96, float("inf"))] == ["0.000", "−3.14", "100.0", "∞"]


def test_distributions_hold_every_picture():
    """The outline's steps add up to 1: nothing falls outside, however far out it lies."""
    text = distributions({"A": np.r_[np.zeros(50), -300.0]}, np.random.default_rng(0).normal(size=200), 800, 240)
    outline = re.search(r'class="line s0" d="([^"]*)"', text)[1]
    heights = [float(y) for y in re.findall(r",([\d.]+)", outline)][1:-1:2]
    top, bottom = 12, 200
    shares = (bottom - np.array(heights)) / (bottom - top)
    assert sum(shares) / max(shares) == pytest.approx(51 / 50, abs=0.02)
    assert "A: median 0" in text


def test_names_are_escaped():
    hostile = '<script>alert(1)</script>&"'
    point = Point(hostile, (0, -1, 1), (0, float("nan"), float("nan")))
    for text in (plane([point], ("QS", "DS"), 500), distributions({hostile: np.zeros(9)}, np.zeros(9), 500)):
        assert "<script>" not in text and "&lt;script&gt;" in text


def test_a_line_marks_the_best_and_leaves_out_what_is_unknown():
    values = np.array([1.0, np.nan, 3.0, 2.0])
    text = line([0, 1, 2, 3], values, values - 1, values + 1, 2, 400)
    assert text.count("<circle") == 1 + 3  # a ring, and a dot for each known value
    assert len(re.findall("L", re.search(r'class="line s0" d="([^"]*)"', text)[1])) == 2
    assert line([0, 1], np.full(2, np.nan), values[:2], values[:2], None, 400) == ""
    assert plane([Point("a", (float("nan"),) * 3, (0, 0, 0))], ("x", "y"), 400) == ""


def test_labels_of_long_iterations_are_whole_and_apart():
    """At 7 pixels a digit the last label ends within the chart, and no two touch."""
    places = [100_000.0 * k for k in range(1, 31)]
    drawn = str(line(places, np.arange(30.0), np.full(30, np.nan), np.full(30, np.nan), None, 300))
    marks = [(float(at), 7 * len(text)) for at, text in re.findall(r'<text x="([\d.]+)" y="172"[^>]*>([^<]+)<', drawn)]
    assert len(marks) > 2 and marks[0][1] == 7 * len("3000000")
    assert max(at + wide / 2 for at, wide in marks) <= 300
    ends = sorted((at - wide / 2, at + wide / 2) for at, wide in marks)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(ends))


def test_lines_share_their_axes_and_leave_out_what_is_unknown():
    """Places and heights are the same for both lines; a point without a value is not drawn."""
    nan = float("nan")
    text = lines({"a": [(0.5, 1, 0, 2), (1.0, 3, 2, 4)], "<b>": [(0.5, 3, nan, nan), (1.0, nan, nan, nan)]}, 400)
    spots = {colour: (x, y) for colour, x, y in re.findall(r'<circle class="(s\d)" cx="([\d.]+)" cy="([\d.]+)"', text)}
    first = re.search(r'<circle class="s0" cx="([\d.]+)"', text)[1]
    assert text.count("<circle") == 3 and spots["s1"][0] == first and spots["s1"][1] == spots["s0"][1]
    assert text.count('class="band') == 1 and "&lt;b&gt;: 3.00 at 0.5" in text
    assert lines({"a": [(1.0, nan, nan, nan)]}, 400) == ""


def test_a_compressed_axis_is_marked_by_powers():
    """Far from 0 the marks are 0, 1, 3, 10, ... of either sign, as far as there is room."""
    axis = axis_of([-1000.0, 5.0], 0, 600)
    marks = marks_of(axis, 40)
    assert {0.0, -10.0, -100.0} <= set(marks) and not {-200.0, -400.0} & set(marks)


def test_short_names_of_rows_are_written_out():
    """Names of every length from one letter stand whole; a long one is cut only where it would take a third."""
    for length in range(1, 20):
        name = "m" * length
        assert f">{name}</text>" in dots([(name, [(0.5, 0.2, 0.8, 0)])], "qs", 600)
    assert "…" in dots([("m" * 40, [(0.5, 0.2, 0.8, 0)])], "qs", 600)
