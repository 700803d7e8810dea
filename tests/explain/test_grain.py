import numpy as np
import pytest

from giqa.explain.grain import COLOURS, SIDE, UNIT, cosines, grain


def test_filters_are_orthonormal():
    assert np.allclose(cosines() @ cosines().T, np.eye(SIDE))
    assert np.allclose(COLOURS @ COLOURS.T, np.eye(3))


def test_the_energy_of_a_neighbourhood_is_kept():
    """75 orthonormal filters of 75 numbers: squares add up to those of the pixels, at a pixel away from the border."""
    pixels = np.random.default_rng(0).integers(0, 256, (9, 11, 3), np.uint8)
    around = pixels[2:7, 4:9].astype(float) / UNIT
    assert (grain(pixels)[4, 6].astype(float) ** 2).sum() == pytest.approx((around**2).sum(), rel=1e-5)


def test_one_filter_by_hand():
    """Frequency 1 across, grey: 25 c_j per column of a horizontal ramp, the mirrored border included."""
    ramp = np.broadcast_to(np.arange(0, 70, 10, dtype=np.uint8)[None, :, None], (6, 7, 3))
    kernel = np.sqrt(2 / 5) * np.cos(np.pi * (np.arange(5) + 0.5) / 5)
    expected = np.sqrt(3) * np.sqrt(5) * (kernel * [10, 20, 30, 40, 50]).sum() / UNIT  # grey, and five equal rows
    assert grain(ramp)[3, 3, 3 * 1] == pytest.approx(expected, rel=1e-5)
    left = np.sqrt(3) * np.sqrt(5) * (kernel * [10, 0, 0, 10, 20]).sum() / UNIT
    assert grain(ramp)[3, 0, 3 * 1] == pytest.approx(left, rel=1e-5)


def test_any_size():
    for shape in ((1, 1), (2, 40), (64, 48)):
        response = grain(np.zeros((*shape, 3), np.uint8))
        assert response.shape == (*shape, 75) and response.dtype == np.float32
