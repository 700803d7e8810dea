"""Pictures in the one form in which raters see them."""

import io

import numpy as np
import pytest
from PIL import Image

from giqa.errors import BadSpec
from giqa.files import as_png
from giqa.study.presentation import common_size, in_form, padded, padded_length, shuffled


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("shapes", "size", "expected"),
    [
        ([(64, 64)] * 3, None, (64, 64)),
        ([(1024, 2048)] * 2, None, (256, 512)),
        ([(1024, 2048)] * 2, 1000, (500, 1000)),
        ([(64, 64)] * 2, 256, (64, 64)),  # nothing is enlarged
        ([(100, 300), (200, 150)], None, (100, 100)),
    ],
)
def test_one_size_for_all(shapes, size, expected):
    assert common_size(shapes, size) == expected


def test_a_study_without_pictures_is_said():
    with pytest.raises(BadSpec, match="there are none"):
        common_size([])
    with pytest.raises(BadSpec, match="size=4: pictures are shown with 16 to 4096"):
        common_size([(64, 64)], 4)


def test_the_middle_is_cut():
    """Of a wide picture the central square stays, pixel by pixel where the size is the height."""
    wide = noise(20, 60)
    assert (in_form(wide, (20, 20)) == wide[:, 20:40]).all()
    assert in_form(wide, (20, 60)) is wide


def test_a_rounding_does_not_cut_beyond_the_picture():
    """19 x (21 / 19) is more than 21 in float64: the cut is the whole height all the same."""
    assert 19 * (21 / 19) > 21
    pixels = np.full((21, 41, 3), 7, np.uint8)
    for picture in (pixels, pixels.transpose(1, 0, 2)):
        shown = in_form(picture, (19, 19))
        assert shown.shape == (19, 19, 3) and (shown == 7).all()


def test_padding_changes_the_length_and_nothing_else():
    """Two PNGs of different lengths become equally long and keep their pixels; Pillow checks every chunk's CRC."""
    pixels = [noise(32, 32), np.zeros((32, 32, 3), np.uint8)]
    files = [as_png(one) for one in pixels]
    length = padded_length([len(file) for file in files])
    assert len(files[0]) != len(files[1]) and length % 1024 == 0
    for file, one in zip(files, pixels, strict=True):
        made = padded(file, length)
        assert len(made) == length
        opened = Image.open(io.BytesIO(made))
        opened.verify()
        assert (np.asarray(Image.open(io.BytesIO(made))) == one).all()


def test_shuffling_moves_every_tile_somewhere():
    """The same pixels, in another order; a tile of 8 x 8 stays whole."""
    pixels = noise(32, 32)
    made = shuffled(pixels, np.random.default_rng(0))
    assert not (made == pixels).all()
    tiles = [
        {one[y : y + 8, x : x + 8].tobytes() for y in range(0, 32, 8) for x in range(0, 32, 8)}
        for one in (pixels, made)
    ]
    assert tiles[0] == tiles[1]
    with pytest.raises(BadSpec, match="too small to judge"):
        shuffled(pixels[:3], np.random.default_rng(0))
