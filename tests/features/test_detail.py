"""Detail of one picture: values worked out by hand, and against SciPy in float64."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from giqa.features.detail import Detail, detail_scalars, gradient_percentile, luma
from giqa.images.toy import landscape


def grey(plane):
    return np.repeat(np.asarray(plane, np.uint8)[..., None], 3, axis=2)


def drawn(seed, size=96):
    return landscape(np.random.default_rng(seed), size)


def test_a_ramp_has_its_slope():
    """Five grey levels a pixel across, and three across with four down: lengths 5 and 5."""
    y, x = np.mgrid[:30, :30]
    assert gradient_percentile(grey(5 * x)) == 5
    assert gradient_percentile(grey(3 * x + 4 * y)) == 5
    assert detail_scalars(grey(5 * x))[0] == pytest.approx(np.log(5.25))


def test_a_flat_picture_is_at_the_floor():
    assert detail_scalars(np.full((40, 20, 3), 77, np.uint8)) == pytest.approx(np.log([0.25]))


def test_a_checkerboard_of_single_pixels_is_invisible_to_central_differences():
    """Pixels two apart are equal; with cells of two they differ by 24, across and down: |g| = sqrt(2) 24 / 2."""
    y, x = np.mgrid[:64, :64]
    assert gradient_percentile(grey(100 + 24 * ((x + y) % 2))) == 0
    assert gradient_percentile(grey(100 + 24 * ((x // 2 + y // 2) % 2))) == pytest.approx(np.sqrt(2) * 12, abs=1e-6)


def test_one_pixel_in_twenty_decides():
    """Of 96 columns 72 lie inside blocks. An edge of 200 makes two of them 100 steep: two are 5.6 %, one 2.8 %."""
    columns = np.arange(96)
    two, one = np.where((columns < 4) | (columns >= 44), 0, 200), np.where(columns < 44, 0, 200)
    assert gradient_percentile(grey(np.tile(two, (24, 1)))) == 100
    assert gradient_percentile(grey(np.tile(one, (24, 1)))) == 0


def test_edges_between_the_blocks_of_a_jpeg_do_not_count():
    """Blocks of 8 pixels, each of one grey level: as flat as a flat picture."""
    levels = np.random.default_rng(0).integers(0, 256, (5, 6))
    assert gradient_percentile(grey(np.kron(levels, np.ones((8, 8))))) == 0


def test_luma_is_that_of_jpeg():
    """0.299 R + 0.587 G + 0.114 B within a sixteenth, and exactly the grey level of grey."""
    pixels = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    expected = pixels @ np.array([0.299, 0.587, 0.114])
    assert np.abs(luma(pixels) / 16 - expected).max() < 0.6
    assert luma(grey(np.arange(256).reshape(16, 16))).ravel().tolist() == [16 * i for i in range(256)]


@pytest.mark.parametrize("seed", range(3))
def test_it_is_that_of_scipy(seed):
    """scipy.ndimage in float64 on unrounded luma, and NumPy's percentile."""
    ndimage = pytest.importorskip("scipy.ndimage")
    pixels = drawn(seed)
    y = pixels.astype(float) @ np.array([77, 150, 29]) / 256
    across, down = (ndimage.correlate1d(y, [-0.5, 0, 0.5], axis=axis) for axis in (1, 0))
    inside = np.arange(96) % 8 % 7 != 0  # neither the first nor the last of a block
    expected = np.percentile(np.hypot(across, down)[np.ix_(inside, inside)], 95, method="lower")
    assert gradient_percentile(pixels) == pytest.approx(expected, abs=0.15)


def changed(pixels, kind):
    picture, coded = Image.fromarray(pixels), io.BytesIO()
    if kind == "noise":
        return np.clip(pixels + np.random.default_rng(0).normal(0, 12, pixels.shape), 0, 255).astype(np.uint8)
    if kind == "JPEG 10":
        picture.save(coded, "JPEG", quality=10)
        return np.asarray(Image.open(coded))
    filters = {
        "blur": ImageFilter.GaussianBlur(1.5), "median": ImageFilter.MedianFilter(5),
        "sharpening": ImageFilter.UnsharpMask(2, 150, 0),
    }  # fmt: skip
    return np.asarray(picture.filter(filters[kind]))


@pytest.mark.parametrize("kind, rises", [("blur", 0), ("median", 0), ("JPEG 10", 0), ("noise", 1), ("sharpening", 1)])
def test_damage_moves_it_as_it_is_called(kind, rises):
    for seed in range(4):
        before, after = (detail_scalars(p)[0] for p in (drawn(seed), changed(drawn(seed), kind)))
        assert (after > before) == bool(rises), (seed, before, after)


def test_size_alone_changes_little_and_enlarging_softens():
    """A picture beside itself has the same detail; twice as large it is softer."""
    pixels = drawn(5)
    twice = np.asarray(Image.fromarray(pixels).resize((192, 192), Image.Resampling.BICUBIC))
    assert detail_scalars(np.tile(pixels, (2, 2, 1)))[0] == pytest.approx(detail_scalars(pixels)[0], abs=0.15)
    assert detail_scalars(twice)[0] < detail_scalars(pixels)[0] - 0.2


def test_of_a_tiny_picture_nothing_is_said():
    assert np.isnan(detail_scalars(np.zeros((15, 40, 3), np.uint8))).all()
    features = Detail()([np.zeros((16, 16, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)])["detail"]
    assert features.shape == (2, 1) and features.dtype == np.float32 and np.isnan(features[:, 0]).tolist() == [0, 1]
