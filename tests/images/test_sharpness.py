"""Sharpness by its definition, and when it is said that z follows it."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from giqa.images import open_source
from giqa.images.match import Match
from giqa.images.sharpness import Sharpness, driven, look_at_sharpness, sharpness


def textures(n, size=32, seed=0):
    """Noise of random contrast, softened a little: what photographs are to the measure."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(n, size, size, 3)) * rng.uniform(20, 60, (n, 1, 1, 1)) + 128
    return [
        np.asarray(Image.fromarray(np.clip(p, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.5)))
        for p in noise
    ]


def changed(pixels, change):
    return [np.asarray(change(Image.fromarray(p))) for p in pixels]


def test_sharpness_is_the_variance_of_the_laplacian():
    """ln(variance + .001) of 4 neighbours less 4 times the middle, pixel by pixel."""
    pixels = np.random.default_rng(0).integers(0, 256, (6, 5, 3), np.uint8)
    y = pixels @ np.array([0.299, 0.587, 0.114])
    found = [
        y[i - 1, j] + y[i + 1, j] + y[i, j - 1] + y[i, j + 1] - 4 * y[i, j] for i in range(1, 5) for j in range(1, 4)
    ]
    assert sharpness(pixels) == pytest.approx(np.log(np.var(found) + 0.001))
    assert np.isnan(sharpness(np.zeros((2, 9, 3), np.uint8)))


@pytest.fixture(scope="module")
def reals():
    return look_at_sharpness(open_source(textures(60))).record()


def test_halves_of_one_set_say_nothing(reals):
    assert driven(reals, look_at_sharpness(open_source(textures(60, seed=1)))) == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p.filter(ImageFilter.GaussianBlur(1)), "softer"),
        (lambda p: p.resize((16, 16)).resize((32, 32), Image.Resampling.BICUBIC), "softer"),
        (lambda p: p.filter(ImageFilter.UnsharpMask(2, 400, 0)), "sharper"),
        (lambda p: p.resize((64, 64)), "32 px, that of these pictures 64 px"),
    ],
    ids=["blurred", "upscaled", "sharpened", "another size"],
)
def test_other_sharpness_or_size_is_said(reals, change, words):
    said = driven(reals, look_at_sharpness(open_source(changed(textures(40, seed=2), change))))
    assert words in said and "not what people prefer" in said


def test_a_match_that_brings_both_to_one_size_is_looked_at_after_it():
    large = textures(40, size=64, seed=3)
    match = Match(size=32)
    reals = look_at_sharpness(open_source(large), match).record()
    assert reals["shorter"] == 32
    assert driven(reals, look_at_sharpness(open_source(large), match)) == ""


def test_few_pictures_and_unknown_reals_say_nothing(reals):
    """Below 20 reals or 10 pictures, and of a model that an earlier giqa fitted."""
    blurred = changed(textures(9), lambda p: p.filter(ImageFilter.GaussianBlur(3)))
    assert driven(reals, look_at_sharpness(open_source(blurred))) == ""
    assert Sharpness.of([(9, 1.0, 1.0)] * 19).record() is None
    assert driven(None, look_at_sharpness(open_source(textures(12)))) == ""
