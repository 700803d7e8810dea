"""The best and worst pictures at a glance, rows of a table, and one picture in whatever form."""

import io
import pickle

import numpy as np
import pytest
from PIL import Image

import giqa
from giqa.errors import BadImage, BadSpec


def picture(seed, shift=0):
    values = np.random.default_rng(seed).integers(0, 120, (24, 24, 3)) + shift
    return values.astype(np.uint8)


@pytest.fixture(scope="module")
def model():
    return giqa.fit([picture(seed) for seed in range(24)], extractor="statistics(scales=1)", scorer="knn")


@pytest.fixture(scope="module")
def scores(model):
    fakes = {"<b>.png": picture(50), "dark.png": picture(51) // 4, "light.png": picture(52, 100)}
    return model.score(fakes, store=False)


def test_rows_are_dicts_and_tables(scores):
    """A number gives a row, a slice or a mask a table; iteration goes row by row; a name gives a column."""
    assert scores[0]["id"] == "<b>.png" and scores[-1] == scores.rows()[2] and list(scores) == scores.rows()
    assert list(scores[1:].id) == ["dark.png", "light.png"] and list(scores[scores.z == scores.z.max()].id)
    order = [scores.id[row] for row in scores.ranked()]
    assert list(scores.best(2).id) == order[:2] and list(scores.worst(2).id) == order[:0:-1]
    assert scores.worst(99).columns == scores.columns and scores.worst(1).made_by == scores.made_by
    with pytest.raises(KeyError, match="no column 'q'"):
        scores["q"]


def test_a_notebook_shows_headline_and_pictures(scores):
    """With the pictures in it and names as text; without pictures only what is known."""
    page = scores._repr_html_()
    assert "within the range of reals" in page and page.count("data:image/webp;base64,") == 3
    assert "&lt;b&gt;.png" in page and "<b>.png" not in page
    features = giqa.score(np.zeros((3, 2)), real=np.random.default_rng(0).normal(size=(30, 2)), scorer="knn")
    assert "<img" not in features._repr_html_()


def test_a_choice_says_what_it_is(scores):
    """Its own order under its own heading, and no share of a generator: the worst two say nothing of that."""
    worst = scores.worst(2)
    page, first = worst._repr_html_(), worst.id[0]
    assert "Worst first, by score" in page and "within the range" not in page and "Best" not in page
    assert page.index(f"alt='{worst.id[0]}'") < page.index(f"alt='{worst.id[1]}'")
    assert repr(worst).startswith(f"<giqa.Scores of the 2 worst by score: {first} (z ")
    assert "Best first, by detail" in scores.best(1, by="detail")._repr_html_()
    assert f"detail {scores.best(1, by='detail').detail[0]:.3g}" in scores.best(1, by="detail")._repr_html_()
    assert "Best first" in scores._repr_html_() and "within the range" in scores[:3]._repr_html_()
    many = giqa.Scores.joined([scores] * 5, scores.made_by).worst(13)
    assert "12 of 13 are shown" in many._repr_html_()


@pytest.mark.parametrize(("name", "form"), [("s.png", "PNG"), ("s.PNG", "PNG"), ("s.jpg", "JPEG")])
def test_a_contact_sheet_is_what_its_name_says(tmp_path, scores, name, form):
    with Image.open(scores.contact_sheet(tmp_path / name)) as sheet:
        assert sheet.format == form


def test_a_contact_sheet_shows_the_pictures_in_their_order(tmp_path, scores):
    sheet = Image.open(scores.worst(2).contact_sheet(tmp_path / "worst.png"))
    pixels = np.asarray(sheet.convert("RGB"), float)
    first, second = pixels[8:32, 8:32].mean(), pixels[8:32, 176:200].mean()
    shown = {"dark.png": 15, "light.png": 160, "<b>.png": 60}
    wanted = [shown[name] for name in scores.worst(2).id]
    assert [first, second] == pytest.approx(wanted, abs=8)
    with pytest.raises(BadSpec, match=r"\.png or \.jpg"):
        scores.contact_sheet(tmp_path / "worst.gif")
    with pytest.raises(BadSpec, match="not at hand"):
        pickle.loads(pickle.dumps(scores)).contact_sheet(tmp_path / "worst.png")


def test_a_table_from_a_file_is_told_where_its_pictures_are(tmp_path, scores):
    """The sheet is the same as that of the table at hand; a folder that has none of them is named."""
    (tmp_path / "fakes").mkdir()
    for name, pixels in {"dark.png": picture(51) // 4, "light.png": picture(52, 100)}.items():
        Image.fromarray(pixels).save(tmp_path / "fakes" / name)
    two = scores[[name != "<b>.png" for name in scores.id]]
    read = giqa.read_scores(two.write(tmp_path / "scores.csv"))
    assert read.pictures is None
    sheet = read.worst(2).contact_sheet(tmp_path / "a.png", images=tmp_path / "fakes")
    assert sheet.read_bytes() == two.worst(2).contact_sheet(tmp_path / "b.png").read_bytes()
    with pytest.raises(BadSpec, match=r"not in .*a.png.*images="):
        read.contact_sheet(tmp_path / "c.png", images=tmp_path / "a.png")


@pytest.mark.parametrize("form", ["array", "Pillow", "bytes", "BytesIO", "float", "list"])
def test_one_picture_just_works(model, form):
    """In every form the same score."""
    pixels, file = picture(60), io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    file.seek(0)
    forms = {
        "array": pixels,
        "Pillow": Image.fromarray(pixels),
        "bytes": file.getvalue(),
        "BytesIO": file,
        "float": pixels / np.float32(255),
        "list": [pixels],
    }
    assert model.score(forms[form], store=False).z.tolist() == model.score([pixels], store=False).z.tolist()


def test_pixels_of_another_range_are_refused_with_the_remedy(model):
    """From -1 to 1, or 0 to 255 as floats: where no picture can be scored, an error and no empty table."""
    pixels = np.stack([picture(60), picture(61)])
    with pytest.raises(BadImage, match=r"None of the 2 pictures.*\(x \+ 1\) / 2"):
        model.score(pixels / np.float32(127.5) - 1, store=False)
    with pytest.raises(BadImage, match="x / 255"):
        giqa.score(pixels.astype(np.float32), model=model, store=False)
