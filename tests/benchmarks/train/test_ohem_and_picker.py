"""What the benchmark of Table 4 computes by itself, by hand."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchmarks.train import _tables, ohem_and_picker  # noqa: E402 - they need torch


def test_a_score_by_chance_is_spread_evenly_and_stays_with_its_picture():
    """A fifth lies below .2; the same picture has the same score in any company; brightness says nothing of it."""
    pictures = torch.rand(1000, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    scores = ohem_and_picker.by_chance(pictures)
    assert np.histogram(scores, 5, (0, 1))[0].tolist() == pytest.approx([200] * 5, abs=50)  # 4 standard errors
    assert torch.equal(scores[:7], ohem_and_picker.by_chance(pictures[:7]))
    assert abs(np.corrcoef(scores, pictures.mean((1, 2, 3)))[0, 1]) < 0.13


def test_grid_puts_pictures_in_rows(tmp_path):
    from PIL import Image

    pixels = np.zeros((5, 2, 2, 3), np.uint8)
    pixels[1], pixels[2] = 10, 20
    _tables.grid(pixels, tmp_path / "g.png", across=2)  # the fifth fills no row
    found = np.asarray(Image.open(tmp_path / "g.png"))
    assert found.shape == (12, 12, 3)
    assert [found[y, x, 0] for y in (0, 6) for x in (0, 6)] == [0, 10, 20, 0]
