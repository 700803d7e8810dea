"""What the doctor finds on this machine."""

import importlib
import subprocess
import sys
from importlib import metadata

import numpy as np
from safetensors.numpy import save

from giqa.images.comparable import Finding
from giqa.scorers.products import Steadiness

doctor = importlib.import_module("giqa.cli.doctor")


def by_topic(findings):
    return {finding.topic: finding for finding in findings}


def levels(findings):
    return {finding.topic: finding.level for finding in findings}


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
    assert found["torch"].remedy == "pip install 'giqa[torch]'"


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
    found = by_topic(Finding(*row) for row in doctor._packages())
    assert set(found) == {"giqa", "numpy", "nowhere"}
    assert found["numpy"].remedy == 'pip install --upgrade "numpy>=99.1"'
    assert found["nowhere"].level == "bad"


def test_looking_imports_nothing_heavy():
    """The doctor sees torch and pyarrow without importing them."""
    code = "import sys; from giqa.cli.doctor import environment; environment()"
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


def test_every_complaint_has_a_remedy():
    """Whatever is not ok says what to do."""
    found = doctor.environment()
    assert all(finding.remedy for finding in found if finding.level != "ok")
    assert all("\n" not in finding.what for finding in found)


def test_the_doctor_says_whether_bits_are_the_same_in_any_company(monkeypatch):
    """One line: the BLAS, and that its products were tried; where some fail, a note and what is done about it."""
    found = by_topic(doctor.environment())["same bits"]
    assert found.level == "ok" and "12 sizes tried" in found.what
    uneven = Steadiness("some blas 1.0", 12, {"float32": 10, "float64": 12})
    monkeypatch.setattr("giqa.scorers.products.check_products", lambda: uneven)
    found = by_topic(doctor.environment())["same bits"]
    assert found.level == "note" and "2 of 12 in float32" in found.what and "one by one" in found.what


def test_says_whether_pixel_statistics_are_compiled(monkeypatch):
    """Without the library nothing is wrong: a note, with what makes it faster."""
    monkeypatch.setattr("giqa.features.compiled.library", lambda: object())
    assert by_topic(doctor.environment())["compiled"].level == "ok"
    monkeypatch.setattr("giqa.features.compiled.library", lambda: None)
    found = by_topic(doctor.environment())["compiled"]
    assert found.level == "note" and "C compiler" in found.remedy


def test_the_machine_is_measured_into_a_file(tmp_path, monkeypatch):
    """`--measure -o`; without it these options mean nothing."""
    from click.testing import CliRunner

    from giqa.cli import main
    from giqa.runners import constants

    known = constants.Constants(
        {"machine": "a node", "cores": 4, "date": "today"}, 2.0, 1.0, 0, {"PNG": (0.01, 0.0)}, (0.02, 0.0), 0.001, 800
    )
    monkeypatch.setattr(constants, "measure_machine", lambda extractor, scorer: known)
    found = CliRunner().invoke(main, ["doctor", "--measure", "-o", str(tmp_path / "a.json")])
    assert found.exit_code == 0 and constants.read_constants(tmp_path / "a.json") == known
    assert "read PNG\t100\t100\nfeatures\t50\t50\nscore\t1,000\t1,000" in found.stdout
    assert "800 bytes a picture in the store; a run starts in 2.0 s" in found.stderr
    for given in (["-o", str(tmp_path / "a.json")], ["--scorer", "knn"]):
        assert "goes with --measure" in CliRunner().invoke(main, ["doctor", *given]).stderr
    assert "draws its own pictures" in CliRunner().invoke(main, ["doctor", str(tmp_path), "--measure"]).stderr
