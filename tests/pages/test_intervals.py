"""Plots: marks lie where their numbers are, and everything is text that is safe."""

import re
from xml.etree import ElementTree

import pytest

from giqa.pages.intervals import curve_plot, interval_plot


def places(plot, attribute):
    return [float(x) for x in re.findall(rf'<circle class="dot"[^>]* {attribute}="([-\d.]+)"', plot)]


def test_marks_lie_on_the_scale():
    """Of .2, .4 and .3 the last lies half-way; its interval begins and ends where the others are."""
    plot = interval_plot([("a", 0.2, 0.2, 0.2), ("b", 0.4, 0.4, 0.4), ("c", 0.3, 0.2, 0.4)])
    a, b, c = places(plot, "cx")
    assert c == pytest.approx((a + b) / 2, abs=0.2)
    assert f'x1="{a}" x2="{b}"' in plot


def test_higher_is_higher():
    plot = curve_plot([(1, 0.2, 0.1, 0.3), (2, 0.6, 0.5, 0.7)], x_label="trial", y_label="error", mark=0.5)
    x, y = places(plot, "cx"), places(plot, "cy")
    assert x[0] < x[1] and y[0] > y[1] and plot.count('class="cut"') == 1


def test_it_is_xml_and_says_itself_in_words():
    """Names are escaped; unknown numbers are left out; nothing to draw is no error."""
    nan = float("nan")
    for plot in (
        interval_plot([('<&"', 0.5, nan, nan), ("b", nan, nan, nan)], mark=0.5, mark_label="<"),
        interval_plot([]),
        curve_plot([(1, 0.5, nan, nan)], x_label="<", y_label="&"),
        curve_plot([], x_label="", y_label=""),
    ):
        root = ElementTree.fromstring(plot)
        assert root.attrib["role"] == "img" and "aria-label" in root.attrib and "nan" not in plot
