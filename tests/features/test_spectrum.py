"""The spectrum of native pixels: where each wave lands, worked out by hand, and against SciPy's transform."""

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

import giqa
from giqa.features.spectrum import FLOOR, PLANES, RINGS, Spectrum, spectrum_statistics, starts
from giqa.testing import check_extractor

scipy_fft = pytest.importorskip("scipy.fft")


def grey(plane):
    return np.repeat(np.clip(np.rint(plane), 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def wave(across, down, side=64, size=60):
    """So many cycles in 32 px, around 128."""
    y, x = np.mgrid[:side, :side]
    return grey(128 + size * np.cos(2 * np.pi * (across * x + down * y) / 32 + 0.3))


def test_it_keeps_the_contract_of_extractors():
    check_extractor(Spectrum)


def test_windows_begin_half_a_window_apart_and_reach_both_ends():
    assert starts(32) == starts(40) == [0]
    assert starts(64) == [0, 16, 32]
    assert starts(1000)[0] == 0 and starts(1000)[-1] == 968 and len(starts(1000)) == 8


def test_a_flat_picture_is_at_the_floor():
    """No power at any frequency: log(.05) in every ring; no direction, no line, no correlation."""
    numbers = spectrum_statistics(np.full((64, 64, 3), 90, np.uint8))
    for plane in np.split(numbers[:60], 3):
        assert plane[:10] == pytest.approx(np.log(FLOOR), abs=1e-3)
        assert plane[10:] == pytest.approx(0, abs=1e-3)
    assert numbers[60:] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("cycles, ring", [(3, 2), (7, 4), (11, 6), (13, 7)])
def test_a_wave_stands_out_in_its_ring(cycles, ring):
    """Rings begin at 1, 2, 3, 4, 6, 8, 10, 12, 14 and 16 cycles in 32 px."""
    assert RINGS[ring] <= cycles < RINGS[ring + 1]
    assert np.argmax(spectrum_statistics(wave(cycles, 0))[:10]) == ring


def test_directions_are_told_apart():
    """Number 10 of a plane: horizontal over vertical from 4 to 8 cycles; number 11: diagonal over both."""
    across, down, slanted = (spectrum_statistics(wave(*w)) for w in ((6, 0), (0, 6), (4.5, 4.5)))
    assert across[10] > 5 and down[10] < -5 and abs(slanted[10]) < 2
    assert slanted[11] > 2 > across[11]


def test_a_checkerboard_of_single_pixels_is_in_the_corner():
    """Its only frequency is 16 cycles across and down, radius 22.6: the last ring, and both lines of period 2."""
    y, x = np.mgrid[:64, :64]
    numbers = spectrum_statistics(grey(128 + 12 * ((x + y) % 2 * 2 - 1)))
    assert np.argmax(numbers[:10]) == 9
    assert (numbers[16:18] > 2).all() and numbers[18:20] == pytest.approx(0, abs=0.5)


def test_white_noise_has_its_variance_in_every_ring():
    """Luma of noise of deviation 20 in each channel: variance 400 (.299^2 + .587^2 + .114^2) = 179."""
    noise = np.random.default_rng(0).normal(128, 20, (256, 256, 3))
    numbers = spectrum_statistics(np.clip(np.rint(noise), 0, 255).astype(np.uint8))
    assert numbers[1:10] == pytest.approx(np.log(179), abs=0.15)


def test_noise_of_chroma_alone_leaves_luma_where_it_was():
    """Red up and green down by .299 / .587 of it keep luma; red - luma sees it. Grey noise is in luma alone."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 12, (64, 64))
    chroma = np.stack([128 + noise, 128 - noise * 0.299 / 0.587, np.full_like(noise, 128)], axis=2)
    numbers = spectrum_statistics(np.rint(chroma).astype(np.uint8))
    luma, _, red = np.split(numbers[:60], 3)
    assert luma[9] < 0 < 3 < red[9]
    plain = spectrum_statistics(grey(128 + noise))
    assert plain[9] > 3 and plain[49] == pytest.approx(np.log(FLOOR), abs=0.01)


def test_powers_are_those_of_scipy():
    """One window: the same in float64 by `scipy.fft`, ring by ring."""
    pixels = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    row = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(32) + 0.5) / 32)
    taper = np.outer(row, row)
    frequency = np.abs(scipy_fft.fftfreq(32) * 32)
    radius = np.hypot(frequency[:, None], frequency[None, :17])
    for place, weights in enumerate(PLANES.astype(float)):
        plane = pixels.astype(float) @ weights
        power = np.abs(scipy_fft.fft2((plane - plane.mean()) * taper))[:, :17] ** 2 / (taper**2).sum() + FLOOR
        rings = [np.log(power[(radius >= a) & (radius < b)].mean()) for a, b in pairwise(RINGS)]
        assert spectrum_statistics(pixels)[20 * place : 20 * place + 10] == pytest.approx(rings, abs=1e-3)


def test_small_pictures_are_mirrored_and_scored(tmp_path):
    """From the command line's spec string to a score, pictures of 20 px and of 40 px alike."""
    rng = np.random.default_rng(0)
    reals = [rng.integers(0, 256, (40, 40, 3), np.uint8) for _ in range(25)]
    assert Spectrum()([reals[0][:20, :20]])["spectrum.luma"].shape == (1, 20)
    soft = np.asarray(Image.fromarray(reals[0]).resize((20, 20)).resize((40, 40)))
    model = giqa.fit(np.stack(reals), extractor="spectrum", scorer="sgm")
    scores = model.score(np.stack([soft, reals[1]]))
    assert scores.z[0] < -3 < scores.z[1]
