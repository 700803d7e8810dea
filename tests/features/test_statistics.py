import numpy as np
import pytest

from giqa.errors import BadSpec
from giqa.features.statistics import Statistics, gradient_statistics, halve, plane_statistics
from giqa.testing import check_extractor


def test_plane_statistics_by_hand():
    """A ramp of 2 grey levels a column: |d| = 2 across, 0 down, 2 on both diagonals, 4 two across; Laplacian 0."""
    ramp = np.tile(np.arange(0, 16, 2, dtype=np.float32), (8, 1))
    expected = np.log(np.array([2, 0, 2, 2, 4, 0]) + 0.05)
    assert plane_statistics(ramp) == pytest.approx(expected.tolist())


def test_laplacian_by_hand():
    """One bright pixel of 9 in 5x5: the inner 3x3 sees |4 x 9| once and |-9| four times: mean 72 / 9 = 8."""
    plane = np.zeros((5, 5), np.float32)
    plane[2, 2] = 9
    assert plane_statistics(plane)[5] == pytest.approx(np.log(8.05))


def test_colour_planes_are_differences_to_grey():
    """Pure red stripes of 3 levels: grey varies by 1, red - grey by 2, blue - grey by 1."""
    pixels = np.zeros((4, 4, 3), np.float32)
    pixels[:, ::2, 0] = 3
    across = gradient_statistics(pixels)[[0, 6, 12]]
    assert across == pytest.approx(np.log(np.array([1, 2, 1]) + 0.05), rel=1e-5)


def test_halve_averages_blocks_of_four():
    """[[0, 4], [8, 12]] becomes 6; an odd row and column are dropped."""
    pixels = np.zeros((3, 3, 3), np.float32)
    pixels[:2, :2, 0] = [[0, 4], [8, 12]]
    assert halve(pixels)[..., 0].tolist() == [[6.0]]


def test_scales_are_layers():
    """Each scale is a layer of 18 numbers, the second that of the halved picture."""
    picture = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    layers = Statistics(scales=3)([picture])
    assert list(layers) == ["texture.1", "texture.2", "texture.4"]
    assert layers["texture.2"][0] == pytest.approx(gradient_statistics(halve(picture.astype(np.float32))))


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 5)])
def test_tiny_pictures_have_finite_statistics(size):
    assert np.isfinite(Statistics()([np.full((*size, 3), 9, np.uint8)])["texture.2"]).all()


@pytest.mark.parametrize("scales", [0, 6, 1.0, True, "2"])
def test_refuses_senseless_scales(scales):
    with pytest.raises(BadSpec, match="takes 1 to 5"):
        Statistics(scales=scales)([np.zeros((8, 8, 3), np.uint8)])


def test_contract():
    """Statistics keeps every promise of an extractor."""
    check_extractor(Statistics)


def test_all_statistics_are_low():
    """They see artefacts; `extract` hands that on, and it is no part of what decides the features."""
    from giqa.features.extract import extract

    assert Statistics(scales=3).levels == {"low": ("texture.1", "texture.2", "texture.4")}
    made_by = extract(np.zeros((1, 8, 8, 3), np.uint8), "statistics", store=False).features.made_by
    assert made_by["levels"] == {"low": ["texture.1", "texture.2"]}
    assert "levels" not in Statistics().identity()
