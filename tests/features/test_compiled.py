from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

import hatch_build
from giqa.features import compiled
from giqa.features.detail import gradient_percentile
from giqa.features.nss import NSS
from giqa.features.resize import resize
from giqa.features.statistics import Statistics

needs_library = pytest.mark.skipif(compiled.library() is None, reason="no C compiler when this giqa was built")
SIZES = [(3, 5), (8, 8), (16, 24), (33, 47), (64, 64), (100, 7), (130, 259), (255, 256), (300, 40)]


def pictures(h, w):
    rng = np.random.default_rng(h * 1000 + w)
    ramp = (np.add.outer(np.arange(h), np.arange(w))[..., None] * [1, 2, 3]) % 256
    smooth = np.clip(128 + 6 * np.cumsum(rng.normal(size=(h, w, 3)), axis=1), 0, 255)
    noise, flat = rng.integers(0, 256, (h, w, 3)), np.full((h, w, 3), rng.integers(256))
    return [x.astype(np.uint8) for x in (noise, flat, ramp, smooth, 255 * (noise > 127))]


def numbers(pixels):
    h, w = pixels.shape[:2]
    found = [Statistics(scales=3).prepare(pixels), NSS(scales=3).prepare(pixels)]
    if min(h, w) >= 16:
        found.append(gradient_percentile(pixels))
    sizes = [(192, 192), (20, 30), (h, 50), (40, w), (max(1, h // 2), max(1, w - 1)), (299, max(1, w // 3))]
    return found + [resize(pixels, size) for size in sizes]


def equal(a, b):
    return all(np.array_equal(one, other) for one, other in zip(a, b, strict=True))


@needs_library
@pytest.mark.parametrize(("h", "w"), SIZES)
def test_the_library_has_the_bits_of_numpy_and_pillow(h, w, monkeypatch):
    made = [numbers(pixels) for pixels in pictures(h, w)]
    monkeypatch.setattr(compiled, "library", lambda: None)
    assert all(equal(a, numbers(pixels)) for a, pixels in zip(made, pictures(h, w), strict=True))


@needs_library
def test_views_and_threads_change_no_bit():
    """Mirrored, cropped and transposed pictures are views of others; several threads share the library."""
    whole = pictures(130, 259)[3]
    views = [whole[:, ::-1], whole[5:90, 3:200], whole.transpose(1, 0, 2), whole[::2, ::3]]
    alone = [numbers(view.copy()) for view in views]
    with ThreadPoolExecutor(4) as pool:
        assert all(equal(a, b) for a, b in zip(alone * 5, pool.map(numbers, views * 5), strict=True))


@needs_library
def test_only_bytes_of_three_channels_go_to_the_library():
    """More rows than 8,192 are summed by NumPy in another order."""
    assert compiled.usable(np.zeros((8192, 4, 3), np.uint8))
    for other in (np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8), np.zeros((8193, 4, 3), np.uint8)):
        assert not compiled.usable(other)


@needs_library
def test_another_resizer_than_pillows_is_left_to_pillow(monkeypatch):
    """The order of the passes is found out by looking; where neither has Pillow's bits, Pillow resizes."""
    compiled._order.cache_clear()
    assert compiled._order() is not None
    right = Image.Image.resize
    monkeypatch.setattr(Image.Image, "resize", lambda self, size, *_: right(self, size, Image.Resampling.LANCZOS))
    compiled._order.cache_clear()
    assert compiled._order() is None and not compiled.resizes(np.zeros((8, 8, 3), np.uint8))
    monkeypatch.undo()
    compiled._order.cache_clear()


def test_an_older_library_is_not_used(monkeypatch):
    monkeypatch.setattr(compiled, "VERSION", compiled.VERSION + 1)
    compiled.library.cache_clear()
    assert compiled.library() is None
    monkeypatch.undo()
    compiled.library.cache_clear()


def test_without_a_compiler_nothing_is_made(monkeypatch, tmp_path):
    monkeypatch.setattr(hatch_build, "HERE", tmp_path)
    monkeypatch.setenv("CC", str(tmp_path / "none"))
    assert hatch_build.compiled() is None and not list(tmp_path.iterdir())
