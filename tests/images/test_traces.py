"""What pixels and tables tell: each number is known because the picture was made that way."""

import io

import numpy as np
import pytest
from image_samples import photograph
from PIL import Image, JpegImagePlugin

from giqa.images import traces


def jpeg_file(pixels, quality, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, **options)
    return file.getvalue()


def jpeg(pixels, quality, **options):
    return np.asarray(Image.open(io.BytesIO(jpeg_file(pixels, quality, **options))))


def scaled(pixels, factor, how):
    height, width = pixels.shape[:2]
    return np.asarray(Image.fromarray(pixels).resize((round(width * factor), round(height * factor)), how))


def test_quality_of_every_pillow_file_is_exact():
    """Every quality that Pillow can write is read back from the tables, and known to be standard."""
    pixels = photograph(0, 16, 16)
    for quality in range(1, 101):
        with Image.open(io.BytesIO(jpeg_file(pixels, quality))) as file:
            assert traces.jpeg_quality(file.quantization[0]) == (quality, True)


def test_other_tables_get_the_nearest_quality():
    """Tables that are not libjpeg's give an approximate quality and say so."""
    table = JpegImagePlugin.Image.open(io.BytesIO(jpeg_file(photograph(0), 60))).quantization[0]
    quality, standard = traces.jpeg_quality([step + 1 if i % 2 else step for i, step in enumerate(table)])
    assert not standard
    assert abs(quality - 60) <= 3


@pytest.mark.parametrize("quality", [20, 50, 75, 90])
@pytest.mark.parametrize("size", [64, 128])
def test_pixels_remember_their_jpeg(quality, size):
    """Pixels that were once JPEG name its quality, without any file."""
    assert {traces.jpeg_past(jpeg(photograph(seed, size, size), quality)) for seed in range(5)} == {quality}


def test_clipped_pictures_remember_too():
    """Black and white, where clipping moved the coefficients off the comb, do not hide the rest."""
    hard = [np.clip(photograph(seed, 192, 192) * 2.5 - 192, 0, 255).astype(np.uint8) for seed in range(5)]
    assert all((p == 255).mean() > 0.04 for p in hard)
    assert {traces.jpeg_past(jpeg(p, 50)) for p in hard} == {50}


def test_no_past_where_there_was_none():
    """Untreated, upscaled, pixel-doubled, flat, drawn and tiny pictures were never JPEG."""
    whole = [photograph(seed) for seed in range(5)]
    for how in (Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC):
        whole += [scaled(p, 2, how) for p in whole[:5]]
    rng = np.random.default_rng(0)
    for cell, step in [(cell, step) for cell in (2, 4, 8) for step in (5, 8, 10, 16, 20, 24, 50, 80, 100)]:
        for rows in (1, 128 // cell):  # stripes and chequers of two levels, in cells that fit the grid
            cells = rng.integers(0, 2, (rows, 128 // cell, 1)) * step + 20
            whole.append(np.kron(cells, np.ones((128 // rows, cell, 3))).astype(np.uint8))
    whole += [np.full((64, 64, 3), 90, np.uint8), np.zeros((64, 64, 3), np.uint8), photograph(0, 7, 40)]
    assert [traces.jpeg_past(p) for p in whole] == [None] * len(whole)


def test_a_new_size_hides_the_past():
    """A JPEG that was shrunk by 7/8 has no grid any more: that is what `match` relies on."""
    assert traces.jpeg_past(scaled(jpeg(photograph(1), 60), 7 / 8, Image.Resampling.BICUBIC)) is None


@pytest.mark.parametrize("how", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS])
def test_upscaled_pictures_lack_their_finest_octave(how):
    """Detail is below `SOFT` in pictures upscaled 2x, and above it in sharp ones, coded ones included."""
    for seed in range(5):
        sharp = photograph(seed)
        assert traces.detail(scaled(sharp, 2, how)) < traces.SOFT
        assert traces.detail(sharp) > 2 * traces.SOFT
        assert traces.detail(jpeg(sharp, 50)) > traces.SOFT


def test_detail_is_unknown_without_texture():
    """A flat picture and one under 16 pixels have no measurable detail."""
    assert np.isnan(traces.detail(np.full((64, 64, 3), 7, np.uint8)))
    assert np.isnan(traces.detail(photograph(0, 15, 64)))


def test_grey_counts_coded_grey_and_not_pale_colour():
    """Grey saved as colour JPEG is grey; a faint tint is not."""
    grey = photograph(0)[:, :, :1].repeat(3, axis=2)
    assert traces.is_grey(grey)
    assert traces.is_grey(jpeg(grey, 60))
    assert not traces.is_grey(np.clip(grey + np.array([0, 0, 6]), 0, 255).astype(np.uint8))
