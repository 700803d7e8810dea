import numpy as np
import pytest
from scipy.stats import norm

import giqa
from giqa.errors import BadSpec
from giqa.scorers.gmm import SGM
from giqa.scorers.multilayer import COMBINE, MultiLayer, _blocks, _weights, log_normal_tail
from giqa.scorers.scale import Scale
from giqa.testing import check_reference_scorer
from giqa.types import Features

RNG = np.random.default_rng(0)


def layered(n, shift=0.0, seed=0):
    """Two layers: "low" of 3 + 3 columns (mean and std) and "deep" of 4, shifted in the low one only."""
    rng = np.random.default_rng(seed)
    layers = {
        "low.mean": rng.normal(size=(n, 3)) + shift,
        "low.std": rng.normal(size=(n, 3)),
        "deep": rng.normal(size=(n, 4)),
    }
    return Features(tuple(map(str, range(n))), {name: layer.astype(np.float32) for name, layer in layers.items()})


REALS, FOLDS = layered(300), np.arange(300) % 5


def test_mean_and_std_of_one_tap_are_one_layer():
    """Widths 6 and 4; a std that stands apart from its mean is a layer of its own."""
    assert MultiLayer().fit(REALS).widths_.tolist() == [6, 4]
    widths = {"a.mean": 2, "b": 3, "a.std": 2}
    assert [list(part) for part in _blocks(widths, np.ones(3, bool), apart=False)] == [[2, 3, 2], [0, 1, 2]]


def test_with_few_reals_the_outputs_of_a_layer_are_independent():
    """By hand: 31 reals, the squares of two outputs' distances add up; 300 reals, one Gaussian on both."""
    few, queries = REALS.rows(slice(31)), layered(20, shift=1.0, seed=1)
    model = MultiLayer(combine="mean").fit(few, folds=FOLDS[:31])
    own = [SGM().fit(few.layers[name], folds=FOLDS[:31]) for name in few.layers]
    low = Scale(-np.hypot(own[0].held_out_, own[1].held_out_))
    scores = [part.score_samples(queries.layers[name]) for part, name in zip(own, few.layers, strict=True)]
    expected = low.z(-np.hypot(scores[0], scores[1])), Scale(own[2].held_out_).z(scores[2])
    assert model.layer_z(queries) == pytest.approx(np.stack(expected, axis=1))
    assert len(model.parts_) == 3 and model.layer_names(few.layers) == ["low", "deep"]
    assert [len(MultiLayer().fit(layered(n)).parts_) for n in (299, 300)] == [3, 2]
    assert len(MultiLayer(density="knn").fit(few).parts_) == 2  # its scores are no distances


@pytest.mark.parametrize("combine", ["mean", "min"])
def test_each_layer_is_read_on_its_own_scale(combine):
    """By hand: one Gaussian a layer, its z by its own held-out scores, then the mean or the minimum."""
    queries = layered(20, shift=2.0, seed=1)
    model = MultiLayer(combine=combine).fit(REALS, folds=FOLDS)
    z = []
    for columns in (slice(0, 6), slice(6, 10)):
        part = SGM().fit(REALS.matrix()[:, columns], folds=FOLDS)
        z.append(Scale(part.held_out_).z(part.score_samples(queries.matrix()[:, columns])))
    expected = np.mean(z, axis=0) if combine == "mean" else np.min(z, axis=0)
    assert model.score_samples(queries) == pytest.approx(expected)
    assert model.layer_z(queries) == pytest.approx(np.stack(z, axis=1))


def test_held_out_scores_combine_held_out_layers():
    """held_out_ is what score_folds says of each real in its own fold."""
    model = MultiLayer().fit(REALS, folds=FOLDS)
    assert model.score_folds(REALS)[np.arange(300), FOLDS] == pytest.approx(model.held_out_)


def test_weights_whiten():
    """Two layers that repeat each other share the weight that an independent third one has alone; none is negative."""
    a, b = np.random.default_rng(0).normal(size=(2, 5000))
    twice = _weights(np.stack([a, a, b], axis=1), "white")
    assert twice == pytest.approx([0.25, 0.25, 0.5], abs=0.03)
    assert _weights(np.stack([a, 3 * a + 0.1 * b], axis=1), "white").min() == 0
    assert _weights(np.stack([a, b], axis=1), "mean").tolist() == [0.5, 0.5]


def test_a_flaw_in_one_layer_is_seen_whatever_the_other_says():
    """Shifted in the low layer only: far below the reals by the minimum, less by the mean."""
    fakes = layered(30, shift=4.0, seed=2)
    z = {c: np.median(MultiLayer(combine=c).fit(REALS, folds=FOLDS).score_samples(fakes)) for c in ("mean", "min")}
    assert z["min"] < z["mean"] < -2


def test_fisher_adds_up_the_logs_of_the_tails():
    """By hand: of z = 0 and z = -1 the tails are .5 and .158655; one layer 9 spreads down outweighs three at -2."""
    model = MultiLayer().fit(REALS, folds=FOLDS)
    z = np.array([[0.0, -1.0]])
    assert model._combined(z) == pytest.approx(-np.sqrt(-2 * (np.log(0.5) + np.log(0.158655))), rel=1e-5)
    assert model._combined(np.array([[0.0, -9.0]])) < model._combined(np.array([[-2.0, -2.0]]))


@pytest.mark.parametrize("z", [5.0, 0.0, -3.0, -11.99, -12.01, -40.0])
def test_the_normal_tail_against_scipy(z):
    with np.errstate(all="raise"):
        assert log_normal_tail(np.array([z])) == pytest.approx(norm.logcdf(z), rel=1e-8)


def test_outputs_that_share_a_name_are_one_layer():
    """Up to the last dot, side by side; apart they are layers of their own."""
    rows = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    names = ("texture.1", "texture.2", "a.mean", "a.std", "plain", "texture.4")
    model = MultiLayer().fit(Features(tuple(map(str, range(60))), dict.fromkeys(names, rows)))
    assert model.layer_names(names) == ["texture", "a", "plain", "texture.4"]


def test_a_layer_without_spread_says_nothing():
    """A layer that is the same for every real (all scores equal) adds 0 instead of NaN."""
    flat = Features(REALS.ids, {**REALS.layers, "flat": np.zeros((300, 2), np.float32)})
    assert np.isfinite(MultiLayer().fit(flat, folds=FOLDS).score_samples(flat)).all()


def test_through_the_pipeline_and_its_file(toy, tmp_path):
    """giqa.fit hands the layers over; the saved model scores the same bits; the deep layer gets no density."""
    model = giqa.fit(toy[0], scorer="multilayer(combine='white')")
    assert model.made_by["layers"] == ["pixels", "taps", "artefacts"]
    path = model.save(tmp_path / "m.giqa")
    direct, loaded = giqa.score(toy[1], model=model), giqa.score(toy[1], model=path)
    assert np.array_equal(direct.z, loaded.z) and np.array_equal(direct.z_low, loaded.z_low)


def test_refuses_an_unknown_way():
    with pytest.raises(BadSpec, match="takes fisher, mean, white, min, got 'max'"):
        MultiLayer(combine="max").fit(REALS)


@pytest.mark.parametrize("combine", COMBINE)
@pytest.mark.parametrize("density", ["sgm", "knn(k=2)", "gmm(n_components=2)"])
def test_contract(combine, density):
    """Every way and density keeps the promises of a reference scorer."""
    check_reference_scorer(lambda: MultiLayer(density, combine), own_scale=True)


def declared(features, **levels):
    return Features(features.ids, features.layers, made_by={"levels": levels})


def test_layers_of_other_levels_are_ignored():
    """By hand: with the deep layer declared high, the score is that of the low one alone, whatever the deep says."""
    reals = declared(REALS, low=["low.mean", "low.std"], high=["deep"])
    model, queries = MultiLayer(combine="mean").fit(reals, folds=FOLDS), layered(20, shift=1.0, seed=1).matrix()
    part = SGM().fit(REALS.matrix()[:, :6], folds=FOLDS)
    assert model.score_samples(queries) == pytest.approx(Scale(part.held_out_).z(part.score_samples(queries[:, :6])))
    moved = queries.copy()
    moved[:, 6:] += 100
    assert np.array_equal(model.score_samples(moved), model.score_samples(queries))
    assert model.layer_z(queries).shape == (20, 1) and model.score_folds(queries).shape == (20, 5)
    assert model.layer_names(REALS.layers) == ["low"] and len(model.weights_) == 1


@pytest.mark.parametrize(
    ("levels", "declaration", "names"),
    [
        (("low", "mid"), {}, ["low", "deep"]),  # nothing declared
        (("low", "mid"), {"low": ["low.mean", "low.std"]}, ["low", "deep"]),  # of the deep one nothing is said
        (("low", "mid"), {"high": ["low.mean", "low.std", "deep"]}, ["low", "deep"]),  # none is of these levels
        (("low", "mid"), {"mid": ["low.mean"], "high": ["deep"]}, ["low"]),
        (("high",), {"low": ["low.mean", "low.std"], "high": ["deep"]}, ["deep"]),
        (None, {"low": ["low.mean", "low.std"], "high": ["deep"]}, ["low", "deep"]),
    ],
)
def test_which_layers_count(levels, declaration, names):
    model = MultiLayer(levels=levels).fit(declared(REALS, **declaration), folds=FOLDS)
    assert model.layer_names(REALS.layers) == names and len(model.parts_) == len(names)


def test_ignored_layers_stay_ignored_through_the_file(tmp_path):
    """The saved model scores the same bits, and the levels are in its spec."""
    reals = declared(REALS, low=["low.mean", "low.std"], high=["deep"])
    model = giqa.fit(reals, scorer="multilayer(levels=['low'])")
    path = model.save(tmp_path / "m.giqa")
    assert np.array_equal(giqa.score(layered(9), model=path).z, giqa.score(layered(9), model=model).z)
    assert model.made_by["layers"] == ["low"] and "levels=['low']" in model.made_by["scorer"]


@pytest.mark.parametrize("levels", ["low", ["deep"], [1]])
def test_refuses_unknown_levels(levels):
    with pytest.raises(BadSpec, match="takes a list of low, mid, high, taught, or None"):
        MultiLayer(levels=levels).fit(REALS)


def test_what_was_taught_counts_down_to_four_spreads():
    """By hand: far off, the taught layer adds -4 to a mean of two, however far; near, its own z."""
    reals = declared(REALS, low=["low.mean", "low.std"], taught=["deep"])
    model = MultiLayer(combine="mean").fit(reals, folds=FOLDS)
    free = MultiLayer(combine="mean").fit(declared(REALS, low=["low.mean", "low.std", "deep"]), folds=FOLDS)
    queries = layered(20, seed=1).matrix()
    queries[:10, 6:] += 100
    z, unbounded = model.layer_z(queries), free.layer_z(queries)
    assert (unbounded[:10, 1] < -4).all() and (z[:10, 1] == -4).all()
    assert np.array_equal(z[10:], np.maximum(unbounded[10:], [-np.inf, -4])) and (unbounded[10:, 1] > -4).any()
    assert np.array_equal(z[:, 0], unbounded[:, 0])
    assert model.score_samples(queries) == pytest.approx(z.mean(axis=1))
