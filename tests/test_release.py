"""What `python -m tools.release` writes next to the wheel; building and installing is done by hand before a release."""

import subprocess
import sys

import pytest

from tools.release import ROOT, main, run, write_hashes

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # SHA-256 of nothing, FIPS 180-4


def test_hashes_are_those_of_sha256sum(tmp_path):
    """A line a file, in the form that `sha256sum --check` reads."""
    (tmp_path / "a.whl").touch()
    assert write_hashes([tmp_path / "a.whl"]).read_text() == f"{EMPTY}  a.whl\n"


def test_a_folder_with_files_is_refused(tmp_path, monkeypatch):
    """An older wheel would be tried in place of the new one."""
    (tmp_path / "old.whl").touch()
    monkeypatch.setattr(sys, "argv", ["release", "-o", str(tmp_path)])
    with pytest.raises(SystemExit, match="is not empty; give an empty folder"):
        main()


def test_a_step_that_fails_ends_it_with_what_was_said():
    with pytest.raises(SystemExit, match="no such thing"):
        run(sys.executable, "-c", "import sys; sys.exit('no such thing')")


def test_help_is_said_from_a_clone():
    done = subprocess.run([sys.executable, "-m", "tools.release", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert "--resolve" in done.stdout
