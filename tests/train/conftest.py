import pytest
from snapshot_samples import write_snapshots


@pytest.fixture(scope="session")
def snapshots(tmp_path_factory):
    """A table of one run, and another of a second run of the same generator."""
    folder = tmp_path_factory.mktemp("snapshots")
    return write_snapshots(folder / "a", "a"), write_snapshots(folder / "b", "b", seed=1, reals=48)
