"""One layer by itself: as a density, and in the place of the layer that sees content."""

import numpy as np

from benchmarks.accuracy._measures import _AsContent
from benchmarks.accuracy.few_reals import alone
from benchmarks.accuracy.unseen_domains import slowed
from benchmarks.data import Sets
from giqa.types import Features

NAMES = tuple(map(str, range(60)))


def drawn(levels):
    rng = np.random.default_rng(0)
    layers = {name: rng.normal(size=(60, 2)).astype(np.float32) for name in ("taps.low", "taps.mid", "high")}
    return Features(NAMES, layers, made_by={"levels": levels})


def test_a_layer_that_sees_no_content_is_judged_as_one():
    """Both of its outputs side by side; what is declared as content stays as it is."""
    whole = drawn({"low": ["taps.low", "taps.mid"], "high": ["high"]})
    sets = Sets([], None, kept={("here", None): whole, "made": whole})
    both = _AsContent(sets, ("taps.low", "taps.mid"), "sgm").take("here")
    assert list(both.layers) == ["seen"] and both.made_by["levels"] == {"high": ["seen"]}
    assert np.array_equal(both.layers["seen"], np.c_[whole.layers["taps.low"], whole.layers["taps.mid"]])
    high = _AsContent(sets, ("high",), "sgm").made("made", list)
    assert list(high.layers) == ["high"] and high.made_by["levels"] == {"high": ["high"]}


def test_a_layer_alone_reads_no_other():
    """Far off in another layer changes nothing, far off in its own does."""
    reals = drawn({})
    score = alone(("taps.low",), reals)
    for name, moves in {"high": False, "taps.low": True}.items():
        other = Features(NAMES, {k: x + 50 * (k == name) for k, x in reals.layers.items()}, made_by={})
        assert (not np.array_equal(score(other), score(reals))) == moves


def test_a_logarithm_begins_where_it_is_told():
    """-10 from -8: -8 - ln 3; what is nearer stays."""
    assert np.allclose(slowed(np.array([1.0, -8.0, -10.0]), -8.0), [1, -8, -8 - np.log(3)])
