"""The benchmark that fails where giqa became slower beside its peers."""

import json

import pytest

from benchmarks.speed import ratios


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """Runs the script with one job whose ratio is given, and what is kept in a folder of its own."""
    monkeypatch.setattr(ratios, "RECORD", tmp_path / "ratios.json")

    def run(ratio, *options):
        monkeypatch.setattr("sys.argv", ["ratios", "--only", "twins", *options])
        monkeypatch.setattr(ratios, "measured", lambda jobs, rounds, kept: {name: ratio for name in jobs})
        ratios.main()
        return json.loads(ratios.RECORD.read_text())["ratios"]

    return run


def test_a_drop_of_more_than_15_percent_fails(recorded):
    """0.86 of what is recorded passes and changes nothing; 0.84 ends with a sentence that names the job."""
    assert recorded(2.0, "--record") == {"twins": 2.0}
    assert recorded(0.86 * 2) == {"twins": 2.0}
    with pytest.raises(SystemExit, match="twins"):
        recorded(0.84 * 2)


def test_what_was_never_recorded_cannot_fail(recorded):
    """A new job has no ratio to hold."""
    recorded(2.0, "--record")
    ratios.RECORD.write_text(json.dumps({"about": "", "ratios": {"em M=7": 1.0}}))
    assert recorded(0.1) == {"em M=7": 1.0}
