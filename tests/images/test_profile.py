"""What a set looks like as files, and where two sets differ; every file is made here."""

import numpy as np
import pytest
from image_samples import photograph
from PIL import Image

from giqa.images import open_source
from giqa.images.differences import differences, moved
from giqa.images.profile import profile


def write(folder, pictures, ending="png", **options):
    folder.mkdir(parents=True, exist_ok=True)
    for i, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(folder / f"{i:03d}.{ending}", **options)
    return folder


def look(where, **options):
    return profile(open_source(where), **options)


@pytest.fixture(scope="module")
def photographs():
    return [photograph(seed, 64, 80) for seed in range(24)]


def test_files_are_read_as_they_were_written(tmp_path, photographs):
    """Format, quality, sampling and size are those the file was saved with."""
    seen = look(write(tmp_path / "a", photographs, "jpg", quality=83, subsampling="4:2:2"))
    assert seen.counts(lambda picture: picture.format) == {"JPEG": 24}
    assert seen.counts(lambda picture: picture.quality) == {83: 24}
    assert seen.counts(lambda picture: picture.sampling) == {"4:2:2": 24}
    assert seen.saved() == "100% JPEG, quality 83, 4:2:2"
    assert seen.size() == "80×64"


def test_a_png_that_was_jpeg_is_found(tmp_path, photographs):
    """Saving a JPEG as PNG does not hide it."""
    write(tmp_path / "jpg", photographs, "jpg", quality=50)
    again = [np.asarray(Image.open(path)) for path in sorted((tmp_path / "jpg").iterdir())]
    seen = look(write(tmp_path / "png", again))
    assert seen.counts(lambda picture: picture.past) == {50: 24}
    assert seen.share(lambda picture: picture.coded) == 1
    assert look(write(tmp_path / "pristine", photographs)).share(lambda picture: picture.coded) == 0


def test_arrays_have_no_file(photographs):
    """Pixels given as an array are profiled too."""
    seen = look(np.stack(photographs))
    assert seen.counts(lambda picture: picture.format) == {"array": 24}
    assert seen.saved() == "100% array"


def test_lossless_webp_is_not_coded(tmp_path, photographs):
    """WebP is lossy or not; only the lossy one counts as coded."""
    assert look(write(tmp_path / "a", photographs[:3], "webp", lossless=True)).share(lambda p: p.coded) == 0
    assert look(write(tmp_path / "b", photographs[:3], "webp", quality=80)).share(lambda p: p.coded) == 1


def test_unreadable_pictures_are_named(tmp_path, photographs):
    """A broken file is counted with its name and reason, and the rest is measured."""
    folder = write(tmp_path / "a", photographs[:3])
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    seen = look(folder)
    assert len(seen.looks) == 3
    assert [name for name, reason in seen.unreadable] == ["broken.png"]
    assert seen.unreadable[0][1]


def test_the_sample_is_the_same_in_overlapping_folders(tmp_path, photographs):
    """The same sample each time, the smaller in the larger one; a folder and a part of it sample the same names."""
    whole = write(tmp_path / "whole", photographs)
    part = write(tmp_path / "part", photographs[:12])
    names = {picture.id for picture in look(whole, n=8).looks}
    assert names == {picture.id for picture in look(whole, n=8).looks}
    assert {picture.id for picture in look(whole, n=5).looks} < names
    of_part = {picture.id for picture in look(part, n=8).looks}
    assert {name for name in names if int(name[:3]) < 12} <= of_part


def test_one_odd_picture_in_a_few_is_no_difference(tmp_path, photographs):
    """One grey picture of eight is more than 10 %, and may be chance."""
    a = look(write(tmp_path / "a", photographs[:8]))
    b = look(write(tmp_path / "b", [photographs[0][:, :, :1].repeat(3, axis=2), *photographs[1:8]]))
    assert differences(a, b) == ()


def test_halves_of_one_set_do_not_differ(tmp_path):
    """Two samples of one population of ragged sizes and qualities are not told apart."""
    rng = np.random.default_rng(0)
    for side in "ab":
        (tmp_path / side).mkdir()
        for i in range(30):
            pixels = photograph(int(rng.integers(1 << 30)), *rng.integers(40, 100, 2))
            Image.fromarray(pixels).save(tmp_path / side / f"{i}.jpg", quality=int(rng.integers(60, 95)))
    assert differences(look(tmp_path / "a"), look(tmp_path / "b")) == ()


@pytest.mark.parametrize(
    ("change", "options", "topics"),
    [
        (lambda p: p, {"ending": "png"}, {"coding"}),
        (lambda p: p, {"ending": "webp", "quality": 75}, {"coding"}),
        (lambda p: p, {"quality": 80}, set()),
        (lambda p: p, {"quality": 82}, {"quality"}),
        (lambda p: p, {"subsampling": "4:4:4"}, {"sampling"}),
        (lambda p: p[:60, :75], {}, {"size"}),
        (lambda p: p[:, :64], {}, {"aspect"}),
        (lambda p: p[:, :, :1].repeat(3, axis=2), {}, {"grey"}),
    ],
)
def test_each_difference_is_named_alone(tmp_path, photographs, change, options, topics):
    """Against JPEG 75 with 4:2:0 chroma, what was changed is what is found."""
    a = look(write(tmp_path / "a", photographs, "jpg", quality=75))
    b = look(write(tmp_path / "b", [change(p) for p in photographs], **{"ending": "jpg", "quality": 75, **options}))
    assert set(differences(a, b)) == topics
    assert set(differences(b, a)) == topics


def test_transparent_and_upscaled_sets_are_named(tmp_path, photographs):
    """Transparency and a missing finest octave are differences too."""
    plain = look(write(tmp_path / "a", photographs))
    clear = [np.dstack([p, np.full(p.shape[:2], 200, np.uint8)]) for p in photographs]
    assert "alpha" in differences(plain, look(write(tmp_path / "b", clear)))
    soft = [np.asarray(Image.fromarray(p[:32, :40]).resize((80, 64), Image.Resampling.BICUBIC)) for p in photographs]
    assert differences(plain, look(write(tmp_path / "c", soft))) == ("detail",)


def test_moved_needs_both_distance_and_evidence():
    """Medians apart by enough, and more than chance: two values a side prove it only when they do not overlap."""
    assert moved(np.array([1.0, 1]), np.array([9.0, 9]), 2)
    assert not moved(np.array([1.0, 1]), np.array([2.0, 2]), 2)
    assert not moved(np.array([1.0, 9, 9]), np.array([1.0, 1, 9]), 2)
    assert not moved(np.array([]), np.array([1.0]), 2)
