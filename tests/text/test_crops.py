"""Crops: turned level at their native size, and one channel in which letters are bright."""

import numpy as np
import pytest
from PIL import Image

from giqa.text.crops import LONGEST, as_input, rectified


def test_a_level_box_is_cut_out_as_it_is():
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    box = np.array([[5.0, 4], [25, 4], [25, 12], [5, 12]])
    assert np.array_equal(rectified(pixels, box), pixels[4:12, 5:25])
    outside = np.array([[-3.0, -2], [8, -2], [8, 3], [-3, 3]])
    assert np.array_equal(rectified(pixels, outside), pixels[0:3, 0:8])


def test_a_turned_box_is_turned_level():
    """A smooth picture, turned by 20 degrees about its middle and cut out again."""
    y, x = np.mgrid[:80, :120]
    smooth = np.stack([127 + 100 * np.sin(x / 9), 127 + 100 * np.cos(y / 7), 127 + 60 * np.sin((x + y) / 11)], -1)
    pixels = smooth.round().astype(np.uint8)
    angle = np.deg2rad(20)
    turned = np.asarray(Image.fromarray(pixels).rotate(-20, Image.Resampling.BICUBIC))  # clockwise
    along, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    middle = np.array([60.0, 40.0])
    box = np.array([middle + u * 30 * along + v * 10 * down for u, v in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
    crop = rectified(turned, box)
    assert crop.shape == (20, 60, 3)
    assert np.abs(crop.astype(float) - pixels[30:50, 30:90]).mean() < 3


def test_a_column_of_text_is_laid_on_its_side():
    pixels = np.random.default_rng(1).integers(0, 256, (60, 20, 3), dtype=np.uint8)
    box = np.array([[2.0, 5], [12, 5], [12, 55], [2, 55]])
    assert np.array_equal(rectified(pixels, box), np.rot90(pixels[5:55, 2:12]))


def letters(back, front):
    pixels = np.full((40, 90, 3), back, np.uint8)
    pixels[10:30, 20:30] = pixels[10:30, 50:55] = front
    return pixels


COLOURS = [((215, 215, 215), (40, 40, 40)), ((40, 130, 60), (200, 49, 87)), ((215, 210, 90), (50, 60, 120))]


@pytest.mark.parametrize("back, front", COLOURS)
def test_any_colours_look_alike(back, front):
    """Also red on green of the same brightness: 0.299 r + 0.587 g + 0.114 b = 95 for both."""
    expected = as_input(letters((40, 40, 40), (215, 215, 215)))
    found = as_input(letters(back, front))
    assert found.shape == (1, 1, 48, 112) and found.dtype == np.float32
    assert found == pytest.approx(expected, abs=0.15)
    assert found.mean() == pytest.approx(0, abs=1e-5) and found.std() == pytest.approx(1, abs=1e-4)


def test_long_flat_and_tiny_crops():
    assert as_input(np.zeros((10, 4000, 3), np.uint8)).shape[-1] == LONGEST
    assert as_input(np.zeros((200, 3, 3), np.uint8)).shape[-1] == 16
    assert not as_input(np.full((20, 60, 3), 77, np.uint8)).any()
