"""One picture explained: the file of maps, words, heat map, page and command."""

import shlex
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import giqa
from giqa.cli import main
from giqa.errors import BadModel, BadShape, BadSource, BadSpec, MissingSource
from giqa.explain.heat import COLOURS, heat, heat_map, on_own_scale
from giqa.explain.map_files import read_map_folder
from giqa.explain.maps import Explanation, fit_maps, load_maps
from giqa.explain.picture import Patch, corners_of, cut, explained, map_model, sentence, write_page


def picture(seed, side=48):
    """Grey noise, of one strength everywhere."""
    return np.clip(128 + 12 * np.random.default_rng(seed).normal(size=(side, side, 3)), 0, 255).astype(np.uint8)


def damaged(seed, box=np.s_[28:44, 4:20]):
    """The same with one part smoothed away."""
    pixels = picture(seed).copy()
    pixels[box] = 128
    return pixels


@pytest.fixture(scope="module")
def maps():
    return fit_maps([picture(i) for i in range(40)], taps=["grain"])


@pytest.fixture
def page(maps, tmp_path):
    found = maps.explain(damaged(99))
    patches = [Patch(name, picture(int(name))) for name in found.nearest]
    return write_page(tmp_path / "p.html", maps, "<b>odd</b>.png", damaged(99), found, patches)


def test_damage_is_where_it_is_said_to_be(maps):
    found = maps.explain(damaged(99))
    y, x = ((p + 0.5) * 48 / 24 for p in found.place)
    assert 28 <= y < 44 and 4 <= x < 20
    assert found.layer == "grain" and found.percentile == pytest.approx(1 / 41)
    assert 0.04 < found.beyond < 0.25  # the part is 11 % of the picture
    assert len(found.nearest) == 5 and found.nearest[0] == maps.ids[found.rows[0]]
    assert maps.explain(picture(98)).percentile > 1 / 41


def test_the_words_say_what_was_found():
    z = {"combined": np.zeros((9, 9))}
    odd = sentence(Explanation(z, (8, 0), "mid", 1 / 401, 0.123), 400)
    assert odd == (
        "The worst place is at the bottom left: there its parts and their texture is unlike the real pictures. Of the "
        "400 real pictures, none has a place as bad. 12 % of its area is worse than the same place of 99 % of real "
        "pictures."
    )
    assert "3 % have a place as bad" in sentence(Explanation(z, (4, 4), "Mixed_6b", 0.03, 0), 400)
    assert "at the middle: there the layer Mixed_6b" in sentence(Explanation(z, (4, 4), "Mixed_6b", 0.03, 0), 400)
    plain = sentence(Explanation(z, (4, 4), "mid", 0.4, 0.001), 400)
    assert (
        plain.startswith("No place stands out: 40 % of the 400 real pictures have one")
        and "Less than 1 % of its area" in plain
    )


def test_where_nearly_all_is_far_off_the_map_shows_its_own_worst_places(maps):
    """A black picture is worse than 99 % of reals almost everywhere: colours vary, and the words say both."""
    black = np.zeros_like(picture(0))
    black[10:20, 10:20] = picture(0)[10:20, 10:20]
    found = maps.explain(black)
    assert found.beyond >= 0.5 and on_own_scale(maps, found)
    drawn = heat_map(maps, black, found)
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 50  # a solid colour would be one
    assert sentence(found, 40).startswith("Nearly all of it is unlike the real pictures, most at the ")
    near = maps.explain(damaged(99))
    assert not on_own_scale(maps, near) and sentence(near, 40).startswith("The worst place is at the ")


def test_one_real_in_twenty_is_where_a_place_begins_to_stand_out():
    """1 / 20 among 19 reals stands out, 1 / 19 among 18 does not."""
    z = {"grain": np.array([[-9.0, 0.0], [0.0, 0.0]])}
    said = [sentence(Explanation(z, (0, 0), "grain", 1 / (n + 1), 0.25), n) for n in (19, 18)]
    assert said[0].startswith("The worst place is at the top left") and said[1].startswith("No place stands out: none")


@pytest.mark.parametrize(("shape", "shown"), [((1024, 600), (512, 300)), ((512, 30), (512, 30)), ((20, 10), (20, 10))])
def test_a_map_is_drawn_512_pixels_long(shape, shown):
    """A larger picture is made smaller, and one of less than 24 pixels is not made larger."""
    pixels = np.zeros((*shape, 3), np.uint8)
    assert heat(pixels, np.zeros((3, 3)), (0.0, -1.0, -2.0, -3.0)).shape == (*shown, 3)


def test_colours_stand_at_their_limits():
    """Flat grey of 512 px, and a map that lies at one limit everywhere: the stated mix of grey and colour."""
    grey, limits = np.full((512, 512, 3), 100, np.uint8), (0.0, -1.0, -2.0, -3.0)
    for limit, colour, strength in zip(limits, COLOURS, (0, 0.3, 0.62, 0.85), strict=True):
        expected = 100 * (1 - strength) + colour * strength
        assert heat(grey, np.full((3, 3), limit), limits)[9, 9] == pytest.approx(expected, abs=0.51)
    assert (heat(grey, np.full((3, 3), 5.0), limits) == 100).all()
    assert (heat(grey, np.full((3, 3), -50.0), limits) == heat(grey, np.full((3, 3), -3.0), limits)).all()


@pytest.mark.parametrize(
    ("z", "expected"), [(0.0, (200, 100, 0)), (-0.5, (185, 117, 33)), (-1, (178, 134, 58)), (-9, (131, 15, 54))]
)
def test_a_picture_loses_its_own_colours_under_those_of_the_map(z, expected):
    """(200, 100, 0) moved to its mean of 100 by .55 min(1, s / .3), then to the colour by s = 0, .15, .3 and .85."""
    pixels = np.full((512, 512, 3), (200, 100, 0), np.uint8)
    assert heat(pixels, np.full((3, 3), z), (0.0, -1.0, -2.0, -3.0))[9, 9].tolist() == list(expected)


def test_red_lies_over_the_damage(maps):
    """Redness (red minus green) over the part, and elsewhere."""
    drawn = heat_map(maps, damaged(99), maps.explain(damaged(99))).astype(float)
    red, scale = drawn[..., 0] - drawn[..., 1], drawn.shape[0] / 48
    inside = red[int(32 * scale) : int(40 * scale), int(8 * scale) : int(16 * scale)]
    outside = red[: int(20 * scale)]
    assert inside.mean() > 80 and outside.mean() < 15


def test_patches_are_cut_at_the_place_and_never_outside():
    pixels = np.arange(40 * 80).reshape(40, 80, 1).repeat(3, axis=2)
    assert cut(pixels, (0, 0), (4, 4))[0, 0, 0] == 0 and cut(pixels, (0, 0), (4, 4)).shape == (10, 20, 3)
    assert cut(pixels, (3, 3), (4, 4))[-1, -1, 0] == 40 * 80 - 1
    assert cut(pixels, (1, 1), (4, 4))[0, 0, 0] == 10 * 80 + 20  # cell 1 of 4 is pixels 10 to 20 and 20 to 40


def test_the_frame_of_a_patch_is_a_quarter_of_each_side():
    """Top, left, bottom, right: around the middle of cell 1 of 4, at 3 / 8, and in a corner."""
    assert corners_of((1, 1), (4, 4), (512, 256)) == (128, 64, 256, 128)
    assert corners_of((0, 3), (4, 4), (512, 256)) == (0, 192, 128, 256)


def test_a_file_of_maps_gives_the_same_bits(maps, tmp_path):
    path = maps.save(tmp_path / "reals.maps")
    loaded = load_maps(path)
    first, second = maps.explain(damaged(99)), loaded.explain(damaged(99))
    assert all(np.array_equal(first.z[name], second.z[name]) for name in first.z)
    assert first.percentile == second.percentile and list(first.nearest) == list(second.nearest)
    assert [p.name for p in tmp_path.iterdir()] == ["reals.maps"] and path.stat().st_size < 8e6
    path.write_bytes(path.read_bytes()[:999])
    with pytest.raises(BadModel, match="cut short"):
        load_maps(path)
    with pytest.raises(MissingSource, match="give the reals"):
        load_maps(tmp_path / "none.maps")


def test_maps_of_the_embedded_network(toy):
    """The default: grain, sharpness and mid, on toy pictures; matched pictures are matched."""
    maps = fit_maps(toy[0], match="match(size=24)")
    assert maps.taps == ("grain", "sharpness", "mid") and maps.match.endswith("size=24)")
    assert maps.maps(np.zeros((96, 96, 3), np.uint8))["grain"].shape == (24, 24, 75)
    found = maps.explain(np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8))
    assert list(found.z) == ["grain", "sharpness", "mid", "combined"] and found.percentile == pytest.approx(1 / 61)


def test_the_page_stands_alone(page):
    text = page.read_text()
    assert "&lt;b&gt;odd" in text and "<b>odd" not in text
    assert "http:" not in text and "https:" not in text and "<script" not in text
    assert text.count("data:image/png") == 2 + 1 + 6  # picture and map, one layer, six patches


def test_a_png_is_the_heat_map(maps, tmp_path):
    found = maps.explain(damaged(99))
    write_page(tmp_path / "p.png", maps, "odd.png", damaged(99), found)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "p.png")), heat_map(maps, damaged(99), found))
    with pytest.raises(BadSpec, match=r"\.html or \.png, got 'p.gif'"):
        write_page(tmp_path / "p.gif", maps, "odd.png", damaged(99), found)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """reals/, odd.png and a fitted reals.giqa, as the command finds them."""
    (tmp_path / "reals").mkdir()
    for i in range(24):
        Image.fromarray(picture(i)).save(tmp_path / "reals" / f"{i}.png")
    Image.fromarray(damaged(99)).save(tmp_path / "odd.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command(folder):
    """Words on stdout, both files; the maps are kept beside the model and used without the reals."""
    giqa.fit("reals", extractor="statistics", scorer="sgm").save("m.giqa")
    run = CliRunner().invoke(
        main, shlex.split("explain odd.png --model m.giqa --real reals -o e.html -o e.png -q"), catch_exceptions=False
    )
    assert run.exit_code == 0 and run.output.startswith("The worst place is at the bottom left: there its grain")
    assert (folder / "e.html").is_file() and (folder / "e.png").is_file() and (folder / "m.maps").is_file()
    shutil.rmtree("reals")
    again = CliRunner().invoke(main, shlex.split("explain odd.png --model m.giqa -q"))
    assert again.output == run.output


def test_the_maps_of_many_pictures_go_into_a_folder(folder, maps):
    """An array for each picture, named after it; a picture that cannot be read is a warning."""
    maps.save("m.maps")
    giqa.fit("reals", extractor="statistics", scorer="sgm").save("m.giqa")
    (folder / "fakes" / "in").mkdir(parents=True)
    Image.fromarray(damaged(99)).save(folder / "fakes" / "in" / "a.png")
    Image.fromarray(picture(98)).save(folder / "fakes" / "b.png")
    (folder / "fakes" / "c.png").write_bytes(b"no picture")
    run = CliRunner().invoke(main, shlex.split("explain fakes --model m.giqa -o found/"), catch_exceptions=False)
    assert run.exit_code == 0 and "wrote 2 maps into found" in run.output and "warning: c.png" in run.output
    kept = read_map_folder("found")
    assert kept.names == ["b.png", "in/a.png"]
    assert np.allclose(kept.read(1), maps.anomaly_map(damaged(99)), rtol=1e-6)
    assert maps.anomaly_map(damaged(99)).max() > 3 > maps.anomaly_map(picture(98)).max() / 2
    twice = CliRunner().invoke(main, shlex.split("explain fakes --model m.giqa -o found -o a.png"))
    assert twice.exit_code == 2 and "Into a folder go maps alone" in twice.output


def test_an_anomaly_map_is_the_softplus_of_minus_z(maps):
    """log 2 = 0.69 where z is 0, and about -z where it is far below."""
    z, found = maps.explain(damaged(99)).z["combined"], maps.anomaly_map(damaged(99))
    assert np.allclose(np.exp(found) - 1, np.exp(-z)) and found.min() > 0


def test_the_command_says_what_is_missing(folder):
    giqa.fit("reals", extractor="statistics", scorer="sgm").save("m.giqa")
    for arguments, words in (
        ("explain odd.png", "Compare with what"),
        ("explain odd.png --model m.giqa", "no m.maps of such maps next to m.giqa"),
        ("explain odd.png --real reals -o e.jpg", "written as .html or .png"),
        ("explain odd.png --real reals --extractor statistics", "has no maps"),
    ):
        run = CliRunner().invoke(main, arguments.split())
        assert run.exit_code == 2 and words in run.output, run.output
    with pytest.raises(BadSource, match=r"One picture .* 'reals' has 24"):
        explained(map_model(None, "reals", taps=["grain"]), "reals")
    with pytest.raises(BadShape, match="At least 20"):
        fit_maps([picture(0)], taps=["grain"])


def test_reals_that_are_not_found_are_named_without_a_picture(maps):
    _, pixels, found, patches, words = explained(
        maps, [damaged(99)], [picture(int(maps.explain(damaged(99)).nearest[0]))]
    )
    assert pixels.shape == (48, 48, 3) and words == sentence(found, 40)
    assert [p.name for p in patches] == list(found.nearest) and sum(p.pixels is not None for p in patches) <= 1
