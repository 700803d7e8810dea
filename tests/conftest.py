import os
from pathlib import Path

import pytest

# One thread of BLAS and torch a process, before NumPy is imported: pytest-xdist already keeps every core busy, and
# threads that wait for each other took four times the CPU seconds. Tests of several threads ask for them themselves.
os.environ.setdefault("OMP_NUM_THREADS", "1")

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory, monkeypatch):
    """Every test has a cache folder of its own."""
    monkeypatch.setenv("GIQA_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def shared():
    """The folder of real data beside the checkout; tests that need it are skipped where it is not."""
    if not SHARED.is_dir():
        pytest.skip("needs the real pictures and weights of ../shared, which are not part of the project")
    return SHARED


@pytest.fixture(scope="session")
def toy(tmp_path_factory):
    """Toy reals and fakes: (reals folder, fakes folder)."""
    from giqa.images.toy import write_toy

    return write_toy(tmp_path_factory.mktemp("toy"), n_real=60, n_fake=24, size=32)
