"""The doctor: findings about the machine, the number of pictures, and how two sets were saved."""

import io
import subprocess
import sys
from dataclasses import replace
from importlib import metadata

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save

from giqa.cli import doctor_checks as doctor
from giqa.cli.doctor_checks import Finding
from giqa.images import open_source
from giqa.images.match import parse_match
from giqa.images.profile import Look, Profile, profile
from giqa.scorers.products import Steadiness


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
    """A profile of which only the number matters."""
    return Profile("reals", n, ())


def test_environment_speaks_of_everything_that_giqa_needs():
    """Python, giqa, each core dependency with its version, each extra, the machine, the home and the weights."""
    found = by_topic(doctor.environment())
    core = ["python", "giqa", "numpy", "pillow", "safetensors", "click", "rich", "jinja2"]
    assert {*core, *doctor.EXTRAS, "machine", "home", "weights"} <= {topic.lower() for topic in found}
    assert metadata.version("numpy") in found["numpy"].what
    assert all(finding.level == "ok" for topic, finding in found.items() if topic.lower() in core)


def test_every_extra_is_one_that_pip_knows():
    """What the doctor tells people to install exists in the package's metadata."""
    assert set(doctor.EXTRAS) <= set(metadata.metadata("giqa").get_all("Provides-Extra"))


def test_a_missing_extra_is_a_note_with_the_command(monkeypatch):
    """Without torch the doctor says what it is for and the exact command; it is not an illness."""
    monkeypatch.setattr(doctor, "find_spec", lambda module: None)
    found = by_topic(doctor.environment())
    assert found["torch"].level == "note"
    assert found["torch"].remedy == 'pip install "giqa[torch]"'


def test_a_broken_extra_shows_itself_when_looked_at_deeply(monkeypatch):
    """An extra that is installed and does not import is bad, with the error, and only `deep` imports it."""

    def broken(module):
        raise OSError("libcudart.so is missing")

    monkeypatch.setattr(doctor, "import_module", broken)
    monkeypatch.setattr(doctor, "find_spec", lambda module: True)
    monkeypatch.setattr(doctor.weights, "listing", list)
    assert by_topic(doctor.environment())["torch"].level != "bad"
    found = by_topic(doctor.environment(deep=True))["torch"]
    assert found.level == "bad"
    assert "libcudart.so is missing" in found.what


def test_an_old_dependency_is_bad(monkeypatch):
    """A version below the one the package asks for is named with the command that mends it."""
    needs = ["numpy>=99.1", 'torch>=2; extra == "torch"', "nowhere"]
    monkeypatch.setattr(doctor.metadata, "requires", lambda name: needs)
    found = by_topic(doctor._packages())
    assert set(found) == {"giqa", "numpy", "nowhere"}
    assert found["numpy"].remedy == 'pip install --upgrade "numpy>=99.1"'
    assert found["nowhere"].level == "bad"


def test_looking_imports_nothing_heavy():
    """The doctor sees torch and pyarrow without importing them."""
    code = "import sys; from giqa.cli.doctor_checks import environment; environment()"
    code += "; print({'torch', 'pyarrow'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_home_is_not_made_by_looking(tmp_path, monkeypatch):
    """A home that is not there yet is fine when its folder can be made, and it is not made."""
    monkeypatch.setenv("GIQA_HOME", str(tmp_path / "a" / "b"))
    found = by_topic(doctor.environment())["home"]
    assert found.level == "ok"
    assert "not made yet" in found.what
    assert list(tmp_path.iterdir()) == []


def test_home_that_cannot_be_written_is_bad(tmp_path, monkeypatch):
    """The doctor really writes (and removes) a file; a refusal is the finding."""

    def refuse(dir):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setenv("GIQA_HOME", str(tmp_path))
    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    found = by_topic(doctor.environment())["home"]
    assert found.level == "bad"
    assert "Permission denied" in found.what
    assert "GIQA_HOME" in found.remedy


def test_weights_are_named_whether_here_or_not(tmp_path, monkeypatch):
    """Absent weights come with the command; a damaged list of weights is bad and not a crash."""
    monkeypatch.setenv("GIQA_HOME", str(tmp_path))
    assert Finding("note", "weights", *_said(doctor.environment())) in doctor.environment()
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "weights.json").write_text("{")
    assert by_topic(doctor.environment())["weights"].level == "bad"


def test_weights_are_read_again_when_looked_at_deeply(tmp_path, monkeypatch):
    """A file that changed since it was imported is found by `deep`, which compares digests."""
    monkeypatch.setenv("GIQA_HOME", str(tmp_path))
    monkeypatch.setattr(doctor, "EXTRAS", {})
    (tmp_path / "own.safetensors").write_bytes(save({"w": np.zeros(3, np.float32)}))
    doctor.weights.import_file(tmp_path / "own.safetensors", "own")
    said = [finding.what for finding in doctor.environment(deep=True) if finding.topic == "weights"]
    assert any(what.startswith("own") and what.endswith("digest right") for what in said)
    (tmp_path / "weights" / "own.safetensors").write_bytes(save({"w": np.ones(3, np.float32)}))
    assert "bad" not in levels(doctor.environment()).values()
    assert by_topic(doctor.environment(deep=True))["weights"].level == "bad"


def _said(findings):
    found = by_topic(findings)["weights"]
    assert "inception-fid is not here" in found.what
    assert found.remedy == "giqa weights pull inception-fid"
    return found.what, found.remedy


@pytest.mark.parametrize(("n", "level"), [(19, "bad"), (20, "warn"), (49, "warn"), (50, "ok"), (5000, "ok")])
def test_number_of_reals(n, level):
    """Fewer than 20 reals are bad, fewer than 50 a warning; the step of the percentile is 1/(n + 1)."""
    found = by_topic(doctor.sets(count(n)))["reals"]
    assert found.level == level
    assert f"{1 / (n + 1):.2g}" in found.what


@pytest.mark.parametrize(
    ("n", "dimension", "components", "level"),
    [(400, 10, 20, "ok"), (399, 10, 20, "warn"), (200, 10, 20, "bad"), (201, 10, 20, "warn"), (7000, 2048, 7, "bad")],
)
def test_number_of_reals_for_a_mixture(n, dimension, components, level):
    """n/M of 2 D or more is enough; of D or less, no covariance has an inverse."""
    assert levels(doctor.sets(count(n), dimension=dimension, n_components=components))["mixture"] == level


def test_the_remedies_of_a_mixture_work():
    """Each number that the doctor proposes makes the same doctor content."""
    found = by_topic(doctor.sets(count(1000), dimension=100, n_components=20))["mixture"]
    assert "5,150 parameters a component" in found.what  # 100 * 103 / 2
    assert found.remedy == "one of: n_components=5, pca=25, 4,000 real pictures, the scorer 'knn'"
    for n, dimension, components in ((1000, 100, 5), (1000, 25, 20), (4000, 100, 20)):
        assert levels(doctor.sets(count(n), dimension=dimension, n_components=components))["mixture"] == "ok"


def test_sets_saved_alike_are_ok(tmp_path):
    """Two halves of one set: nothing to worry about, and it says what was looked at."""
    a = look(tmp_path / "a", pictures(60))
    b = look(tmp_path / "b", pictures(60, seed=1))
    assert levels(doctor.sets(a, b)) == {"reals": "ok", "files": "ok"}
    assert "100% PNG" in by_topic(doctor.sets(a, b))["files"].what


def test_jpeg_against_png_of_another_size(tmp_path):
    """The case that the doctor is for: both differences are bad, and the remedy is one usable spec."""
    reals = look(tmp_path / "a", pictures(60, 128, 128), "jpg", quality=75)
    fakes = look(tmp_path / "b", pictures(60, seed=1))
    found = by_topic(doctor.sets(reals, fakes))
    assert (found["coding"].level, found["size"].level) == ("bad", "bad")
    assert "100% JPEG, quality 75, 4:2:0" in found["coding"].what
    assert "128×128" in found["size"].what and "64×64" in found["size"].what
    spec = found["coding"].remedy.split('"')[1]
    assert spec == found["size"].remedy.split('"')[1]
    assert parse_match(spec).size == 64


def test_png_that_was_jpeg_is_told(tmp_path):
    """Reals saved as PNG after JPEG against untouched fakes: same format, other coding."""
    reals = []
    for pixels in pictures(30):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=50)
        reals.append(np.asarray(Image.open(file)))
    found = by_topic(doctor.sets(look(tmp_path / "a", reals), look(tmp_path / "b", pictures(30, seed=1))))
    assert found["coding"].level == "bad"
    assert "quality 50" in found["once JPEG"].what
    assert "match(coding='jpeg', quality=50, size=None)" in found["once JPEG"].remedy


def test_upscaled_fakes_are_told(tmp_path):
    """Fakes upscaled 2x to the size of the reals lack detail."""
    small = pictures(30, 32, 32, seed=1)
    fakes = [np.asarray(Image.fromarray(p).resize((64, 64), Image.Resampling.BICUBIC)) for p in small]
    found = by_topic(doctor.sets(look(tmp_path / "a", pictures(30)), look(tmp_path / "b", fakes)))["detail"]
    assert found.level == "warn"
    assert "the fakes have far less fine detail" in found.what


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
    found = doctor.sets(look(tmp_path / "a", pictures(60)), look(tmp_path / "b", [change(p) for p in pictures(60)]))
    assert by_topic(found)[topic].level == "warn"
    assert by_topic(found)[topic].remedy


def test_copies_are_told(tmp_path):
    """The same pixels on both sides, whatever the files: all of them is bad, a few a warning."""
    reals = look(tmp_path / "a", pictures(40))
    again = look(tmp_path / "b", pictures(40), "bmp")
    assert by_topic(doctor.sets(reals, again))["copies"].level == "bad"
    some = look(tmp_path / "c", [*pictures(40)[:4], *pictures(36, seed=1)])
    assert by_topic(doctor.sets(reals, some))["copies"].what.startswith("10%")
    assert by_topic(doctor.sets(reals, some))["copies"].level == "warn"


def test_unreadable_pictures_are_named_five_at_most(tmp_path):
    """The first five broken files are named with the reason; the others are only counted."""
    folder = tmp_path / "a"
    look(folder, pictures(50))
    for i in range(7):
        (folder / f"zbroken{i}.png").write_bytes(b"no picture")
    found = by_topic(doctor.sets(profile(open_source(str(folder)))))["unreadable"]
    assert found.level == "warn"
    assert "7 of 57" in found.what
    assert found.what.count("zbroken") == 5


def test_nothing_readable_is_bad(tmp_path):
    """A set without a single picture that can be read is said to be so, on either side, and nothing is compared."""
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "x.png").write_bytes(b"no picture")
    broken, good = profile(open_source(str(folder))), look(tmp_path / "b", pictures(50))
    for found in (doctor.sets(broken, good), doctor.sets(good, broken), doctor.sets(broken)):
        assert by_topic(found)["unreadable"].level == "bad"
    assert by_topic(doctor.sets(count(0)))["unreadable"].level == "bad"


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
def test_colour_profiles_that_differ_are_told(reals, fakes, level, words):
    """Numbers are read and profiles not applied, so the same colours in another space are other pictures."""
    found = by_topic(doctor.sets(of_colours(*reals), of_colours(*fakes)))
    assert ("colour profile" in found) == (level is not None)
    if level:
        assert found["colour profile"].level == level and words in found["colour profile"].what
        assert "applies no profile" in found["colour profile"].what and "sRGB" in found["colour profile"].remedy
        assert ("files" in found) == (level == "note")


def test_mixed_profiles_of_the_reals_alone_are_told():
    found = by_topic(doctor.sets(of_colours("Display P3", None, None)))
    assert found["colour profile"].level == "warn" and "33% in Display P3" in found["colour profile"].what


def test_few_fakes_are_a_note(tmp_path):
    """A score needs no company, a mean does."""
    reals, fakes = look(tmp_path / "a", pictures(50)), look(tmp_path / "b", pictures(10, seed=1))
    assert levels(doctor.sets(reals, fakes))["fakes"] == "note"
    assert "fakes" not in levels(doctor.sets(reals, fakes, n_fake=30))


def test_every_complaint_has_a_remedy(tmp_path):
    """Whatever is not ok says what to do."""
    a, b = look(tmp_path / "a", pictures(10, 96, 64), "jpg", quality=40), look(tmp_path / "b", pictures(10))
    found = [*doctor.sets(a, b, dimension=50), *doctor.environment()]
    assert any(finding.level == "bad" for finding in found)
    assert all(finding.remedy for finding in found if finding.level != "ok")
    assert all("\n" not in finding.what for finding in found)


def test_the_doctor_says_whether_bits_are_the_same_in_any_company(monkeypatch):
    """One line: the BLAS, and that its products were tried; where some fail, a note and what is done about it."""
    found = by_topic(doctor.environment())["same bits"]
    assert found.level == "ok" and "12 sizes tried" in found.what
    uneven = Steadiness("some blas 1.0", 12, {"float32": 10, "float64": 12})
    monkeypatch.setattr(doctor, "check_products", lambda: uneven)
    found = by_topic(doctor.environment())["same bits"]
    assert found.level == "note" and "2 of 12 in float32" in found.what and "one by one" in found.what
