import numpy as np
import pytest

from giqa.errors import BadShape, BadSpec
from giqa.features.select import ChosenLayers, layer_names
from giqa.types import Features

LEVELS = {"levels": {"low": ["texture"], "high": ["deep.mean", "deep.std"]}}


def features(n=6, levels=None, seed=0):
    rng = np.random.default_rng(seed)
    layers = {
        "texture": rng.normal(size=(n, 2)) * 100 + 7,
        "deep.mean": rng.normal(size=(n, 3)),
        "deep.std": rng.random((n, 3)),
    }
    layers = {name: layer.astype(np.float32) for name, layer in layers.items()}
    return Features(tuple(map(str, range(n))), layers, None, levels if levels is not None else LEVELS)


@pytest.mark.parametrize(
    ("layers", "levels", "names"),
    [
        (None, LEVELS, ["deep.mean"]),
        (None, {}, ["texture", "deep.mean", "deep.std"]),
        (None, {"levels": {"high": ["texture", "deep.std"]}}, ["deep.std"]),
        ("deep", LEVELS, ["deep.mean", "deep.std"]),
        ("high, low", LEVELS, ["texture", "deep.mean", "deep.std"]),
        (["deep.std", "texture"], LEVELS, ["texture", "deep.std"]),
        ("all", LEVELS, ["texture", "deep.mean", "deep.std"]),
    ],
)
def test_names_stems_and_levels(layers, levels, names):
    """By default the deepest high layer's mean; else what is named, in the order of the features."""
    assert layer_names(features(levels=levels), layers) == names


def test_an_unknown_layer_is_refused():
    with pytest.raises(BadSpec, match="no layer or level 'mid'; there are low, high, texture"):
        layer_names(features(), "mid")


def test_one_layer_is_taken_as_it_is_and_several_on_the_scale_of_the_reals():
    """So fd on one layer is the published number, and side by side a layer of large numbers does not decide alone."""
    reals, fakes = features(50), features(20, seed=1)
    one = ChosenLayers(reals, "texture", None, 0)
    np.testing.assert_array_equal(one.real, reals.layers["texture"])
    np.testing.assert_array_equal(one.fake(fakes), fakes.layers["texture"])
    several = ChosenLayers(reals, "all", None, 0)
    np.testing.assert_allclose(several.real.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(several.real.std(axis=0), 1, rtol=1e-5)
    x = np.concatenate(list(reals.layers.values()), axis=1).astype(float)
    y = np.concatenate(list(fakes.layers.values()), axis=1)
    np.testing.assert_allclose(several.fake(fakes), (y - x.mean(axis=0)) / x.std(axis=0), rtol=1e-4, atol=1e-5)


def test_so_many_pictures_of_each_seeded():
    reals = features(50)
    some = ChosenLayers(reals, "texture", 20, 0)
    assert len(some.real) == 20 and len(some.fake(features(30))) == 20 and len(some.fake(features(5))) == 5
    np.testing.assert_array_equal(some.real, ChosenLayers(reals, "texture", 20, 0).real)
    assert not np.array_equal(some.real, ChosenLayers(reals, "texture", 20, 1).real)
    assert {tuple(row) for row in some.real} <= {tuple(row) for row in reals.layers["texture"]}


def test_a_generator_without_the_layer_is_refused():
    with pytest.raises(BadShape, match=r"'deep.mean'"):
        ChosenLayers(features(), None, None, 0).fake(Features(("a",), {"texture": np.zeros((1, 2), np.float32)}))
