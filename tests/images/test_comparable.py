"""Findings about the number of pictures, and about how two sets were saved."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from giqa.images import open_source
from giqa.images.comparable import comparable
from giqa.images.match import parse_match
from giqa.images.profile import Look, Profile, profile


def pictures(n, height=64, width=64, seed=0):
    """Colour noise with the 1/f spectrum of photographs."""
    rng = np.random.default_rng(seed)
    f = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    f[0, 0] = 1
    noise = np.fft.ifft2(np.fft.fft2(rng.normal(size=(n, 3, height, width))) / f).real
    noise = noise[:, :1] + 0.3 * noise[:, 1:].repeat(2, axis=1)[:, :3]
    return np.clip(128 + 30 * noise / noise.std(), 2, 253).astype(np.uint8).transpose(0, 2, 3, 1)


def look(folder, images, ending="png", **options):
    folder.mkdir()
    for i, pixels in enumerate(images):
        Image.fromarray(pixels).save(folder / f"{folder.name}{i:03d}.{ending}", **options)
    return profile(open_source(str(folder)))


def by_topic(findings):
    return {finding.topic: finding for finding in findings}


def levels(findings):
    return {finding.topic: finding.level for finding in findings}


def count(n):
    """A profile whose number alone matters."""
    return Profile("reals", n, ())


@pytest.mark.parametrize(("n", "level"), [(19, "bad"), (20, "warn"), (49, "warn"), (50, "ok"), (5000, "ok")])
def test_number_of_reals(n, level):
    """Fewer than 20 reals are bad, fewer than 50 a warning; the step of the percentile is 1/(n + 1)."""
    found = by_topic(comparable(count(n)))["reals"]
    assert found.level == level
    assert f"{1 / (n + 1):.2g}" in found.what


@pytest.mark.parametrize(
    ("n", "dimension", "components", "level"),
    [(400, 10, 20, "ok"), (399, 10, 20, "warn"), (200, 10, 20, "bad"), (201, 10, 20, "warn"), (7000, 2048, 7, "bad")],
)
def test_number_of_reals_for_a_mixture(n, dimension, components, level):
    """n/M of 2 D or more is enough; of D or less, no covariance has an inverse."""
    assert levels(comparable(count(n), dimension=dimension, n_components=components))["mixture"] == level


def test_the_remedies_of_a_mixture_work():
    """Each number that is proposed makes the same check content."""
    found = by_topic(comparable(count(1000), dimension=100, n_components=20))["mixture"]
    assert "5,150 parameters a component" in found.what  # 100 * 103 / 2
    assert found.remedy == "one of: n_components=5, pca=25, 4,000 real pictures, the scorer 'knn'"
    for n, dimension, components in ((1000, 100, 5), (1000, 25, 20), (4000, 100, 20)):
        assert levels(comparable(count(n), dimension=dimension, n_components=components))["mixture"] == "ok"


def test_sets_saved_alike_are_ok(tmp_path):
    """Two halves of one set: nothing to worry about, and it says what was looked at."""
    a = look(tmp_path / "a", pictures(60))
    b = look(tmp_path / "b", pictures(60, seed=1))
    assert levels(comparable(a, b)) == {"reals": "ok", "files": "ok"}
    assert "100% PNG" in by_topic(comparable(a, b))["files"].what


def test_jpeg_against_png_of_another_size(tmp_path):
    """The most common case: both differences are bad, and the remedy is one usable spec."""
    reals = look(tmp_path / "a", pictures(60, 128, 128), "jpg", quality=75)
    fakes = look(tmp_path / "b", pictures(60, seed=1))
    found = by_topic(comparable(reals, fakes))
    assert (found["coding"].level, found["size"].level) == ("bad", "bad")
    assert "100% JPEG, quality 75, 4:2:0" in found["coding"].what
    assert "128×128" in found["size"].what and "64×64" in found["size"].what
    spec = found["coding"].remedy.split('"')[1]
    assert spec == found["size"].remedy.split('"')[1]
    assert parse_match(spec).size == 64


def test_png_that_was_jpeg_is_reported(tmp_path):
    """Reals saved as PNG after JPEG against untouched fakes: same format, other coding."""
    reals = []
    for pixels in pictures(30):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=50)
        reals.append(np.asarray(Image.open(file)))
    found = by_topic(comparable(look(tmp_path / "a", reals), look(tmp_path / "b", pictures(30, seed=1))))
    assert found["coding"].level == "bad"
    assert "quality 50" in found["once JPEG"].what
    assert "match(coding='jpeg', quality=50, size=None)" in found["once JPEG"].remedy


def test_upscaled_fakes_are_reported(tmp_path):
    """Fakes upscaled 2x to the size of the reals lack detail."""
    small = pictures(30, 32, 32, seed=1)
    fakes = [np.asarray(Image.fromarray(p).resize((64, 64), Image.Resampling.BICUBIC)) for p in small]
    found = by_topic(comparable(look(tmp_path / "a", pictures(30)), look(tmp_path / "b", fakes)))["detail"]
    assert found.level == "warn"
    assert "the fakes have far less fine detail" in found.what


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "topic"),
    [
        (lambda p: p[:, :48], "aspect"),
        (lambda p: p[:, :, :1].repeat(3, axis=2), "grey"),
        (lambda p: np.dstack([p, np.full(p.shape[:2], 99, np.uint8)]), "alpha"),
    ],
)
def test_other_differences_warn_with_a_remedy(tmp_path, change, topic):
    """Aspect, grey and transparency cannot be matched; the doctor says what to do instead."""
    found = comparable(look(tmp_path / "a", pictures(60)), look(tmp_path / "b", [change(p) for p in pictures(60)]))
    assert by_topic(found)[topic].level == "warn"
    assert by_topic(found)[topic].remedy


def test_copies_are_reported(tmp_path):
    """The same pixels on both sides, whatever the files: all of them is bad, a few a warning."""
    reals = look(tmp_path / "a", pictures(40))
    again = look(tmp_path / "b", pictures(40), "bmp")
    assert by_topic(comparable(reals, again))["copies"].level == "bad"
    some = look(tmp_path / "c", [*pictures(40)[:4], *pictures(36, seed=1)])
    assert by_topic(comparable(reals, some))["copies"].what.startswith("10%")
    assert by_topic(comparable(reals, some))["copies"].level == "warn"


def test_unreadable_pictures_are_named_five_at_most(tmp_path):
    """The first five broken files are named with the reason; the others are only counted."""
    folder = tmp_path / "a"
    look(folder, pictures(50))
    for i in range(7):
        (folder / f"zbroken{i}.png").write_bytes(b"no picture")
    found = by_topic(comparable(profile(open_source(str(folder)))))["unreadable"]
    assert found.level == "warn"
    assert "7 of 57" in found.what
    assert found.what.count("zbroken") == 5


def test_strays_are_named(tmp_path):
    """Two of another size among 18, of which one is grey; a set of mixed sizes has no strays."""
    images = [*pictures(18), *pictures(1, 32, 48), np.full((40, 40, 3), 90, np.uint8)]
    found = [f for f in comparable(look(tmp_path / "set", images)) if f.topic == "strays"]
    assert [f.level for f in found] == ["note"] * 2 and all(f.remedy for f in found)
    assert found[0].what.endswith(
        "2 of 20 looked at are unlike the others in size, 64×64 (set018.png: 48×32, set019.png: 40×40)"
    )
    assert found[1].what.endswith("1 of 20 looked at is unlike the others in colour, coloured (set019.png: grey)")
    mixed = look(tmp_path / "mixed", [*pictures(10), *pictures(10, 32)])
    assert "strays" not in by_topic(comparable(mixed))


def test_nothing_readable_is_bad(tmp_path):
    """A set without a single picture that can be read is said to be so, on either side, and nothing is compared."""
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "x.png").write_bytes(b"no picture")
    broken, good = profile(open_source(str(folder))), look(tmp_path / "b", pictures(50))
    for found in (comparable(broken, good), comparable(good, broken), comparable(broken)):
        assert by_topic(found)["unreadable"].level == "bad"
    assert by_topic(comparable(count(0)))["unreadable"].level == "bad"


def of_colours(*colours):
    """A set of pictures that say these colour spaces, in equal parts."""
    one = Look("x", "PNG", None, False, None, None, 64, 64, (), None, 1.0, False, b"")
    looks = tuple(replace(one, colour=colours[i % len(colours)]) for i in range(60))
    return Profile("a set", len(looks), looks)


@pytest.mark.parametrize(
    ("reals", "fakes", "level", "words"),
    [
        ([None], ["Display P3"], "bad", "reals: none in another space than sRGB; fakes: 100% in Display P3"),
        (["sRGB"], ["Adobe RGB", None], "bad", "fakes: 50% in Adobe RGB"),
        ([None], ["Display P3", None, None, None], "warn", "fakes: 25% in Display P3"),
        (["Display P3"], ["Adobe RGB"], "bad", "reals: 100% in Display P3; fakes: 100% in Adobe RGB"),
        ([None], ["a profile that cannot be read"], "bad", "fakes: 100% in a profile that cannot be read"),
        (["Display P3"], ["Display P3"], "note", "only sets in the same space can be compared"),
        (["Display P3", None], ["Display P3", None], "warn", "mixed (50% in Display P3)"),
        (["sRGB"], [None], None, ""),
    ],
)
def test_colour_profiles_that_differ_are_reported(reals, fakes, level, words):
    """Numbers are read and profiles not applied, so the same colours in another space are other pictures."""
    found = by_topic(comparable(of_colours(*reals), of_colours(*fakes)))
    assert ("colour profile" in found) == (level is not None)
    if level:
        assert found["colour profile"].level == level and words in found["colour profile"].what
        assert "applies no profile" in found["colour profile"].what and "sRGB" in found["colour profile"].remedy
        assert ("files" in found) == (level == "note")


def test_mixed_profiles_of_the_reals_alone_are_reported():
    found = by_topic(comparable(of_colours("Display P3", None, None)))
    assert found["colour profile"].level == "warn" and "33% in Display P3" in found["colour profile"].what


def test_few_fakes_are_a_note(tmp_path):
    """A score needs no other pictures, a mean does."""
    reals, fakes = look(tmp_path / "a", pictures(50)), look(tmp_path / "b", pictures(10, seed=1))
    assert levels(comparable(reals, fakes))["fakes"] == "note"
    assert "fakes" not in levels(comparable(reals, fakes, n_fake=30))


def test_every_complaint_has_a_remedy(tmp_path):
    """Whatever is not ok says what to do."""
    a, b = look(tmp_path / "a", pictures(10, 96, 64), "jpg", quality=40), look(tmp_path / "b", pictures(10))
    found = comparable(a, b, dimension=50)
    assert any(finding.level == "bad" for finding in found)
    assert all(finding.remedy for finding in found if finding.level != "ok")
    assert all("\n" not in finding.what for finding in found)
