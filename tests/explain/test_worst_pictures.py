"""Maps in the report: for the worst pictures and the best, on the scale that shows something."""

import io

import numpy as np
import pytest
from PIL import Image

from giqa.api import fit, score
from giqa.errors import BadSpec
from giqa.explain.maps import fit_maps
from giqa.explain.worst_pictures import BEST, MOST, explain_pictures, extreme_ids, maps_for
from giqa.images import open_source
from giqa.model.load_model import load


@pytest.fixture(scope="module")
def maps(toy):
    return fit_maps(toy[0], taps=["grain"])


def test_the_worst_and_the_best_are_chosen():
    """Of 100 values 0 to 99: 24 from below, 3 from above; of 25, all and none twice."""
    names = [f"{i}" for i in range(100)]
    assert extreme_ids(names, np.arange(100.0)) == [*names[:MOST], *names[100 - BEST :]]
    assert extreme_ids(names[:25], np.arange(25.0)) == names[:25]
    assert extreme_ids(names[:2], np.array([np.nan, np.nan])) == []


def test_each_has_a_picture_and_a_sentence(toy, maps):
    source = open_source(toy[1])
    found = explain_pictures(maps, toy[1], [*source.ids[:3], "absent.png"])
    assert list(found) == list(source.ids[:3])
    for one in found.values():
        assert Image.open(io.BytesIO(one.heat)).size[0] <= 256 and "real pictures" in one.sentence


def test_a_picture_that_is_all_wrong_is_measured_by_itself(maps):
    """Noise everywhere, strongest in a corner: there is three times the heat of the corner that is farthest from it."""
    rng = np.random.default_rng(0)
    noise = rng.integers(90, 160, (32, 32, 3)).astype(np.uint8)
    noise[:10, :10] = rng.integers(0, 256, (10, 10, 3))
    (one,) = explain_pictures(maps, [noise], ["0"]).values()
    assert one.sentence.endswith("The colours show its own worst places.")
    heat = np.asarray(Image.open(io.BytesIO(one.heat)).convert("RGB")).astype(float)
    red = heat[..., 0] - heat[..., 1:].mean(axis=2)
    side = len(red) // 3
    assert red[:side, :side].mean() > max(40, 3 * red[-side:, -side:].mean())


@pytest.mark.slow
def test_maps_are_kept_beside_a_model_and_then_taken_by_themselves(toy, tmp_path):
    file = fit(toy[0]).save(tmp_path / "reals.giqa")
    assert maps_for(file, toy[0], None, None) is None and maps_for(None, toy[0], None, None) is None
    assert len(maps_for(file, toy[0], None, True).ids) == 60
    assert (tmp_path / "reals.maps").is_file()
    assert maps_for(file, None, None, None) is not None and maps_for(file, None, None, False) is None
    page = tmp_path / "r.html"
    score(toy[1], model=file, report=page)
    text = page.read_text()
    assert text.count("unlike the real pictures") + text.count("No place stands out") >= 10
    score(toy[1], model=load(file), report=page, maps=False)
    assert "With a map" not in page.read_text()


def test_what_may_not_leave_the_house_stays(toy, tmp_path):
    """Without thumbnails there is no heat map either, but the sentence stays."""
    bare, full = tmp_path / "bare.html", tmp_path / "full.html"
    reals, fakes = (sorted(map(str, folder.iterdir()))[:24] for folder in toy)
    for page, shown in ((bare, False), (full, True)):
        score(fakes[:6], reals, report=page, maps=True, show_thumbnails=shown, show_reals=False)
    assert "UklGR" not in bare.read_text() and "UklGR" in full.read_text()  # how a WebP begins
    assert "real pictures" in bare.read_text()


def test_maps_without_a_report_or_reals_are_refused(toy):
    with pytest.raises(BadSpec, match="--report"):
        score(toy[1], toy[0], maps=True)
    with pytest.raises(BadSpec, match="--real"):
        maps_for(None, None, None, True)
