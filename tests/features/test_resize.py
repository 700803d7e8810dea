import numpy as np
import pytest
from PIL import Image

from giqa.errors import BadShape, BadSpec
from giqa.features.resize import PREPROCESSING, resize


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(64, 64), (500, 333), (299, 64), (300, 298), (1, 1)])
def test_antialias_is_pillows_float_resize(shape):
    """Within .01 of 255 of the float resize, channel by channel; worked out here through whole-picture planes."""
    given = picture(*shape)
    planes = [Image.fromarray(plane.astype(np.float32), mode="F") for plane in given.transpose(2, 0, 1)]
    expected = np.stack([np.asarray(p.resize((299, 299), Image.Resampling.BICUBIC)) for p in planes], axis=2)
    assert np.abs(resize(given, 299) - expected).max() < 0.01


@pytest.mark.parametrize("shape", [(64, 48), (400, 333), (299, 64)])
def test_antialias_is_torchs_antialiased_bicubic(shape):
    """A second implementation, which shares no code with Pillow."""
    torch = pytest.importorskip("torch")
    given = picture(*shape)
    chw = torch.from_numpy(given.transpose(2, 0, 1).astype(np.float32))[None]
    expected = torch.nn.functional.interpolate(chw, (299, 299), mode="bicubic", antialias=True, align_corners=False)
    assert np.abs(resize(given, 299) - expected[0].permute(1, 2, 0).numpy()).max() < 0.01


@pytest.mark.parametrize("shape", [(64, 48), (500, 333), (1, 7), (299, 300), (1080, 1920)])
def test_released_is_torchs_bilinear(shape):
    torch = pytest.importorskip("torch")
    given = picture(*shape)
    chw = torch.from_numpy(given.transpose(2, 0, 1).astype(np.float32))[None]
    expected = torch.nn.functional.interpolate(chw, (299, 299), mode="bilinear", align_corners=False)
    assert np.abs(resize(given, 299, "released") - expected[0].permute(1, 2, 0).numpy()).max() < 1e-3


def test_released_by_hand():
    """Doubling [0, 4]: centres at -1/4, 1/4, 3/4, 5/4 of the old grid, the ends held."""
    ramp = np.repeat(np.array([[[0], [4]]], np.uint8), 3, axis=2)
    assert resize(ramp, (1, 4), "released")[0, :, 0].tolist() == [0, 1, 3, 4]


def test_released_does_not_look_between_its_two_neighbours_and_antialias_does():
    """Stripes of one pixel, at a quarter of the width: antialiasing sees grey, the released way sees chance."""
    stripes = np.zeros((64, 256, 3), np.uint8)
    stripes[:, ::4] = 255
    inner = slice(2, -2)  # at the border the kernel sees fewer stripes
    assert np.abs(resize(stripes, 64)[:, inner] - 255 / 4).max() < 1
    assert resize(stripes, 64, "released").max() == 0


def test_nothing_is_clipped():
    edge = np.zeros((32, 32, 3), np.uint8)
    edge[:, 16:] = 255
    assert resize(edge, 299).max() > 256
    assert resize(edge, 299).min() < -1


@pytest.mark.parametrize("mode", ["antialias", "released"])
def test_the_right_size_passes_unchanged_and_untouched(mode):
    given = picture(20, 30).astype(np.float32) + 0.25
    out = resize(given, (20, 30), mode)
    assert np.array_equal(out, given) and out is not given and out.dtype == np.float32


@pytest.mark.parametrize("mode", ["antialias", "released"])
def test_size_is_height_then_width_and_input_is_kept(mode):
    given = picture(20, 30)
    before = given.copy()
    out = resize(given[:, ::-1], (7, 11), mode)  # a view with a negative stride is a picture too
    assert out.shape == (7, 11, 3) and out.dtype == np.float32
    assert np.array_equal(given, before)


@pytest.mark.parametrize("bad", [np.zeros((4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 3), bool)])
def test_what_is_no_picture(bad):
    with pytest.raises(BadShape, match="uint8 or float"):
        resize(bad, 8)


def test_modes_and_sizes_that_mean_nothing():
    with pytest.raises(BadSpec, match="antialias, released"):
        resize(picture(4, 4), 8, "bicubic")
    with pytest.raises(BadSpec, match="at least 1"):
        resize(picture(4, 4), 0)


def test_the_arithmetic_has_a_name():
    assert PREPROCESSING == "resize-1"
