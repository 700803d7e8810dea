"""`match`: both sets brought to one size and one coding."""

import io

import numpy as np
import pytest
from image_samples import photograph
from PIL import Image

from giqa.errors import BadImage, BadSpec
from giqa.images import open_source
from giqa.images.match import Match, choose_match, parse_match
from giqa.images.profile import profile
from giqa.images.traces import jpeg_past


def jpeg(pixels, quality, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, **options)
    return np.asarray(Image.open(file))


def scaled(pixels, factor, how):
    height, width = pixels.shape[:2]
    return np.asarray(Image.fromarray(pixels).resize((round(width * factor), round(height * factor)), how))


def write(folder, pictures, ending="png", **options):
    folder.mkdir(parents=True, exist_ok=True)
    for i, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(folder / f"{i:03d}.{ending}", **options)
    return folder


def look(where):
    return profile(open_source(where))


@pytest.fixture(scope="module")
def photographs():
    return [photograph(seed, 96, 112) for seed in range(20)]


@pytest.mark.parametrize("match", [Match(), Match(64), Match(None, "jpeg", 30), Match(256, "jpeg444", 95)])
def test_spec_is_read_back(match):
    """The spec string is canonical: what it is parsed to writes it again."""
    assert parse_match(match.spec()) == match
    assert parse_match(match) is match


def test_spec_has_sorted_keys_and_defaults():
    """The string is the identity in caches: all keys, sorted, whatever was written."""
    wanted = "match(coding='jpeg', quality=75, size=64)"
    assert parse_match("match( size=64,quality=75, coding='jpeg')").spec() == wanted
    assert parse_match("match").spec() == "match(coding=None, quality=None, size=None)"


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("resize(size=64)", "match(size="),
        ("match(sise=64)", "'sise'"),
        ("match(size=4)", "got 4"),
        ("match(size=64.5)", "got 64.5"),
        ("match(size=True)", "got True"),
        ("match(coding='png')", "got 'png'"),
        ("match(quality=75)", "needs coding='jpeg'"),
        ("match(coding='jpeg')", "1..95"),
        ("match(coding='jpeg', quality=96)", "got 96"),
        ("match(64)", "needs its key"),
        ("match(size=max(1, 2))", "not a literal"),
    ],
)
def test_bad_specs_say_what_was_given(spec, says):
    """An error names the value and what is wanted."""
    with pytest.raises(BadSpec) as caught:
        parse_match(spec)
    assert says in str(caught.value)


def test_shrinks_the_shorter_side_and_never_enlarges():
    """The shorter side comes to `size`, the aspect stays, and a smaller picture is left as it is."""
    match = Match(48)
    assert match(photograph(0, 96, 144)).shape == (48, 72, 3)
    assert match(photograph(0, 144, 96)).shape == (72, 48, 3)
    small = photograph(0, 40, 200)
    assert match(small) is small
    assert match(photograph(0, 49, 3000)).shape == (48, 2939, 3)


def test_shrinking_is_antialiased():
    """A one-pixel chequerboard shrinks to its mean grey; without antialias it would stay black and white."""
    board = np.indices((64, 64)).sum(axis=0) % 2 * 200 + 20
    shrunk = Match(16)(board.astype(np.uint8)[:, :, None].repeat(3, axis=2))
    assert np.abs(shrunk.astype(int) - 120).max() <= 2


def test_input_is_untouched_and_the_answer_repeatable():
    """A match is a function of pixels: same in, same out, and nothing written to its input."""
    pixels = photograph(3)
    before = pixels.copy()
    pixels.setflags(write=False)
    match = Match(60, "jpeg", 70)
    assert np.array_equal(match(pixels), match(before))
    assert np.array_equal(pixels, before)
    assert match(pixels).dtype == np.uint8


@pytest.mark.parametrize("pixels", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3)), np.zeros((8, 8, 4), np.uint8)])
def test_only_rgb_bytes_are_taken(pixels):
    """What is not uint8 RGB is refused, with its shape."""
    with pytest.raises(BadImage, match=r"\(8, 8"):
        Match()(pixels)


def test_coding_leaves_its_quality_behind():
    """After a match, pixels show the JPEG of that quality and no other."""
    assert jpeg_past(Match(None, "jpeg", 60)(photograph(1))) == 60
    assert jpeg_past(Match(100, "jpeg", 60)(jpeg(photograph(1), 85))) == 60


@pytest.mark.parametrize("quality", [50, 75, 90])
def test_coding_with_the_old_steps_hardly_changes_a_jpeg(quality):
    """Why one history is matched at full size: the second generation equals the first up to rounding."""
    for seed in range(5):
        first = jpeg(photograph(seed), quality)
        second = Match(None, "jpeg", quality)(first).astype(float)
        assert np.abs(second - first).mean() < 0.1 * np.abs(first - photograph(seed).astype(float)).mean()


def test_matched_sets_have_one_spectrum(photographs):
    """JPEG 60 and untouched pictures differ in their finest detail; after the match they do not."""

    def finest(pictures):
        return np.mean([np.abs(np.diff(p.astype(float), n=2, axis=1)).mean() for p in pictures])

    coded = [jpeg(p, 60) for p in photographs]
    match = Match(None, "jpeg", 60)
    before = finest(coded) / finest(photographs)
    after = finest(map(match, coded)) / finest(map(match, photographs))
    assert before < 0.95
    assert abs(after - 1) < 0.01


def test_alike_sets_are_left_alone(tmp_path, photographs):
    """Nothing is done when there is nothing to do."""
    a, b = (look(write(tmp_path / side, photographs, "jpg", quality=75)) for side in "ab")
    assert choose_match(a, b) == Match()
    a, b = (look(write(tmp_path / side, photographs)) for side in "cd")
    assert choose_match(a, b) == Match()


def test_one_history_is_coded_as_it_was_at_full_size(tmp_path, photographs):
    """JPEG against PNG, in either order: the JPEG's own quality, no shrinking; a PNG that was JPEG counts the same."""
    png = look(write(tmp_path / "png", photographs))
    jpg = look(write(tmp_path / "jpg", photographs, "jpg", quality=80))
    past = look(write(tmp_path / "past", [jpeg(p, 80) for p in photographs]))
    wanted = Match(None, "jpeg", 80)
    assert choose_match(jpg, png) == choose_match(png, jpg) == wanted
    assert choose_match(past, png) == wanted


def test_two_histories_leave_the_grid(tmp_path, photographs):
    """Two qualities, or steps that cannot be repeated: both sets are shrunk to 7/8 and covered by 75 or less."""
    at = {q: look(write(tmp_path / f"{q}", photographs, "jpg", quality=q)) for q in (60, 80, 100)}
    png = look(write(tmp_path / "png", photographs))
    assert choose_match(at[60], at[80]) == Match(84, "jpeg", 60)  # 96 * 7/8
    assert choose_match(at[80], at[100]) == Match(84, "jpeg", 75)
    assert choose_match(at[100], png) == Match(84, "jpeg", 75)


def test_sizes_meet_at_the_smaller_set(tmp_path, photographs):
    """Sizes differ: the smaller one; lossless sets stay uncoded, a shrunk JPEG is covered."""
    small = [scaled(p, 0.5, Image.Resampling.BICUBIC) for p in photographs]
    big, little = look(write(tmp_path / "a", photographs)), look(write(tmp_path / "b", small))
    assert choose_match(big, little) == choose_match(little, big) == Match(48)
    coded = look(write(tmp_path / "c", photographs, "jpg", quality=90))
    assert choose_match(coded, little) == Match(48, "jpeg444", 75)
    kept = look(write(tmp_path / "d", small, "jpg", quality=90))  # its grid survives, so its own steps are kept
    assert choose_match(big, kept) == Match(48, "jpeg", 90)


def test_the_more_is_shrunk_the_finer_the_coding(tmp_path):
    """What shrinking has done, coding need not do again: it would only hide the flaws of the fakes."""
    coded = look(write(tmp_path / "a", [photograph(i, 160, 160) for i in range(20)], "jpg", quality=60))
    for side, wanted in ((100, ("jpeg", 60)), (80, ("jpeg444", 60)), (50, ("jpeg444", 85)), (40, ("jpeg444", 90))):
        little = look(write(tmp_path / f"{side}", [photograph(i, side, side) for i in range(20)]))
        assert choose_match(coded, little) == Match(side, *wanted)


def test_whole_chroma_stays_whole(tmp_path, photographs):
    """A set of JPEG files with 4:4:4 chroma is met by the same coding, and changes by rounding only."""
    png = look(write(tmp_path / "png", photographs))
    jpg = look(write(tmp_path / "jpg", photographs, "jpg", quality=80, subsampling="4:4:4"))
    match = choose_match(jpg, png)
    assert match == Match(None, "jpeg444", 80)
    first = jpeg(photographs[0], 80, subsampling="4:4:4").astype(float)
    assert np.abs(match(first.astype(np.uint8)) - first).mean() < 0.2


def test_ragged_sets_meet_where_nine_in_ten_can_follow(tmp_path):
    """In a ragged set the tenth percentile decides, so that few pictures stay smaller than the size."""
    ragged = [photograph(i, 40 + 4 * i, 160) for i in range(20)]  # shorter sides 40, 44, ..., 116
    a = look(write(tmp_path / "a", [photograph(i, 160, 160) for i in range(20)]))
    b = look(write(tmp_path / "b", ragged))
    assert choose_match(a, b) == Match(44)


def test_matched_files_no_longer_differ(tmp_path, photographs):
    """The promise as a whole: what was chosen makes the two sets agree, by the same measure that told them apart."""
    small = [scaled(p, 0.75, Image.Resampling.BICUBIC) for p in photographs]
    reals = look(write(tmp_path / "a", photographs, "jpg", quality=60))
    match = choose_match(reals, look(write(tmp_path / "b", small)))
    one = look(write(tmp_path / "c", [match(jpeg(p, 60)) for p in photographs]))
    other = look(write(tmp_path / "d", [match(p) for p in small]))
    assert choose_match(one, other) == Match()
    assert one.counts(lambda p: p.past) == other.counts(lambda p: p.past) == {60: 20}
