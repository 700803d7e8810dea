"""What costs a picture most: one word, from the picture's own numbers."""

import numpy as np
import pytest

import giqa
from giqa.model.reason import reasons, texture_of, with_detail, words_of_layers
from giqa.types import Features

LEVELS = {"low": ["texture.1", "taps.low"], "mid": ["taps.mid"], "high": ["deep"], "taught": ["artefacts"]}


def features(rows, **layers):
    return Features(tuple(map(str, range(rows))), layers, made_by={"levels": LEVELS})


def texture(rng, n):
    return rng.normal(size=(n, 18)).astype(np.float32)


def test_a_layer_is_called_by_the_deepest_of_its_levels():
    """`taps` is low and mid: structure. What no extractor declares has no word."""
    words = words_of_layers(["texture.1", "taps.low", "taps.mid", "deep", "artefacts", "other"], LEVELS)
    assert words == {"texture": "grain", "taps": "structure", "deep": "content", "artefacts": "artefacts"}
    assert words_of_layers(["a"], {}) == {}


def off_by(grey, colour):
    """A row a pair: one statistic of grey and one of colour are as far off as that, all others 0."""
    rows = np.zeros((len(grey), 18), np.float32)
    rows[:, 3], rows[:, 11] = grey, colour
    return features(len(grey), **{"texture.1": rows, "taps.mid": np.zeros((len(grey), 2), np.float32)})


# three reals whose statistics have median 0 and, 1.4826 * 0.6745 being 1, a robust standard deviation of 1
THREE = features(
    3,
    **{
        "texture.1": np.repeat([[-0.6745], [0.0], [0.6745]], 18, axis=1).astype(np.float32),
        "taps.mid": np.zeros((3, 2), np.float32),
    },
)


@pytest.mark.parametrize("layer, enough", [("texture", 3), ("taps", 5)])
def test_texture_has_a_direction(layer, enough):
    """The first 6 of 18 statistics are of grey. 3 sd are enough where texture is worst, 5 where another layer is."""
    more, less = enough + 0.1, enough - 0.1
    some = off_by([more, -more, less, less, -less, -more], [less, -9, more, less, -more, 0])
    words = {"texture": "grain", "taps": "structure"}
    said = reasons([layer] * 6, words, some, texture_of(THREE))
    assert said == ["noise or sharpening", "softness", "colour", words[layer], "colour", "softness"]


def test_a_layer_without_statistics_of_texture_keeps_its_word():
    some = features(1, nss=np.full((1, 18), 99, np.float32))
    assert reasons(["nss"], {"nss": "grain"}, some, texture_of(some)) == ["grain"]


def test_reals_without_colour_make_every_colour_far_off():
    """Grey reals: their statistics of colour do not vary, and a picture with colour differs in nothing else."""
    grey = features(3, **{"texture.1": THREE.layers["texture.1"] * (np.arange(18) < 6)})
    some = features(1, **{"texture.1": np.repeat([0, 0.5], [6, 12])[None].astype(np.float32)})
    assert reasons(["texture"], {"texture": "grain"}, some, texture_of(grey)) == ["colour"]


def test_detail_gives_texture_a_direction_and_structure_none():
    said = with_detail(
        ["grain", "colour", "artefacts", "grain", "grain", "structure", "content", ""],
        np.array([-2.1, 2.1, -9.0, 1.9, np.nan, -9.0, -9.0, -9.0]),
    )
    assert said == ["softness", "colour", "softness", "grain", "grain", "structure", "content", ""]


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    layers = {"texture.1": texture(rng, 100), "taps.mid": texture(rng, 100), "deep": texture(rng, 100)}
    return giqa.fit(features(100, **layers))


def shifted(fitted, layer, by=8.0):
    """Six pictures like reals, but for one layer of the last."""
    rng = np.random.default_rng(1)
    layers = {name: texture(rng, 6) for name in fitted.reals.layers}
    layers[layer][-1] += by
    return features(6, **layers)


@pytest.mark.parametrize("layer, word", [("taps.mid", "structure"), ("texture.1", "noise or sharpening")])
def test_the_layer_with_the_lowest_z_is_named(fitted, layer, word):
    """Also after the model was saved, and alike for one picture and for six."""
    some = shifted(fitted, layer)
    scores = fitted.score(some)
    assert scores.reason[-1] == word
    assert all((reason == "") == (p > 0.05) for reason, p in zip(scores.reason, scores.percentile, strict=True))
    assert list(fitted.score(some.rows([5])).reason) == [word]


def test_it_stays_in_the_file_and_in_the_table(fitted, tmp_path):
    some = shifted(fitted, "taps.mid")
    scores = giqa.score(some, model=fitted.save(tmp_path / "m.giqa"))
    assert list(scores.reason) == list(fitted.score(some).reason) and scores.columns[-1] == "reason"
    for ending in ("csv", "jsonl"):
        assert giqa.model.table.read_scores(scores.write(tmp_path / f"scores.{ending}")).rows() == scores.rows()


def test_a_single_density_is_called_by_the_level_of_its_last_layer():
    rng = np.random.default_rng(0)
    model = giqa.fit(features(100, deep=texture(rng, 100)), scorer="sgm")
    far = features(2, deep=np.stack([np.full(18, 9), np.zeros(18)]).astype(np.float32))
    assert list(model.score(far).reason) == ["content", ""]


def test_plain_arrays_have_no_such_column():
    """Nobody said what a nameless layer sees; nor do tables of an earlier giqa have it."""
    scores = giqa.fit(texture(np.random.default_rng(0), 40)).score(np.zeros((2, 18), np.float32))
    assert scores.reason is None and scores.detail is None
    assert scores.columns[-4:] == ("duplicate_of", "out_of_domain", "error", "notes")
