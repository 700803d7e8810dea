"""Boxes from the map of a text detector: worked out by hand, and parts against scipy."""

import numpy as np
import pytest
from scipy import ndimage

from giqa.text.detect import LEAST, _parts, _smallest_box, boxes_of, detector_input


def test_parts_are_those_of_scipy():
    """Random masks: as many parts, of as many pixels, in the sense of eight neighbours."""
    rng = np.random.default_rng(0)
    for share in (0.1, 0.35, 0.5, 0.8):
        mask = rng.random((40, 57)) < share
        labels, n = ndimage.label(mask, np.ones((3, 3)))
        expected = sorted(np.bincount(labels.ravel())[1:].tolist())
        assert sorted(part.pixels for part in _parts(mask)) == expected and n == len(expected)
    assert _parts(np.zeros((5, 5), bool)) == []


def test_a_level_box_grows_by_area_over_perimeter():
    """A core of 40 x 8 grows by 1.5 x 320 / 96 = 5 on each side; twice as much in a picture twice as large."""
    probability = np.zeros((64, 96), np.float32)
    probability[20:28, 30:70] = 0.9
    box = boxes_of(probability, (64, 96))[0]
    assert box == pytest.approx(np.array([[25, 15], [75, 15], [75, 33], [25, 33]]))
    assert boxes_of(probability, (128, 192))[0] == pytest.approx(2 * box)


def test_boxes_end_with_the_picture():
    probability = np.zeros((32, 64), np.float32)
    probability[:8] = 0.9
    assert boxes_of(probability, (32, 64))[0].min() >= 0 and boxes_of(probability, (32, 64))[0][:, 0].max() <= 64


@pytest.mark.parametrize("degrees", [-40, -12, 5, 30])
def test_a_turned_box_is_found_turned(degrees):
    """The corners of a rectangle drawn at an angle, from the upper left one on, but for the steps of its edge."""
    angle = np.deg2rad(degrees)
    along, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    middle, half = np.array([60.0, 50.0]), (35.0, 6.0)
    y, x = np.mgrid[:100, :120] + 0.5
    from_middle = np.stack([x, y], -1) - middle
    inside = (np.abs(from_middle @ along) < half[0]) & (np.abs(from_middle @ down) < half[1])
    box = boxes_of(inside.astype(np.float32), (100, 120))[0]
    by = 1.5 * (4 * half[0] * half[1]) / (4 * sum(half))
    expected = [middle + s * (half[0] + by) * along + t * (half[1] + by) * down for s, t in
                ((-1, -1), (1, -1), (1, 1), (-1, 1))]  # fmt: skip
    assert box == pytest.approx(np.array(expected), abs=2.5)


def test_smallest_box_of_a_triangle():
    """One side lies along a side of the triangle: of legs 3 and 40 the area is 120 whichever it is."""
    box = _smallest_box(np.array([[0.0, 0], [40, 0], [0, 3]]))
    assert np.linalg.norm(box[1] - box[0]) * np.linalg.norm(box[3] - box[0]) == pytest.approx(120)


def test_what_is_faint_or_small_is_no_text():
    probability = np.zeros((40, 40), np.float32)
    probability[5:15, 5:35] = 0.5  # above 0.3 a pixel, below 0.6 in the mean
    probability[20 : 20 + LEAST - 1, 5:35] = 0.9
    assert boxes_of(probability, (40, 40)) == []


def test_boxes_stand_from_the_top():
    probability = np.zeros((64, 64), np.float32)
    for y, x in ((40, 5), (10, 30), (10, 4)):
        probability[y : y + 6, x : x + 15] = 0.9
    assert [(box[0, 1] > 30, box[0, 0] > 20) for box in boxes_of(probability, (64, 64))] == [
        (False, False), (False, True), (True, False),
    ]  # fmt: skip


@pytest.mark.parametrize("size, expected", [((100, 200), (96, 192)), ((1280, 640), (640, 320)), ((7, 9), (32, 32))])
def test_detector_sees_multiples_of_32_and_no_enlarged_picture(size, expected):
    """White is (1 - mean) / deviation in blue, green, red order: for the last channel (1 - 0.406) / 0.225 = 2.64."""
    x = detector_input(np.full((*size, 3), (255, 255, 255), np.uint8), 640)
    assert x.shape == (1, 3, *expected) and x.dtype == np.float32
    assert x[0, 2] == pytest.approx(np.full(expected, 2.64), abs=1e-4)
