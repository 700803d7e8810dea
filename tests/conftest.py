import os
import shutil
from pathlib import Path

import pytest

# One thread of BLAS and torch a process, before NumPy is imported: pytest-xdist already keeps every core busy, and
# threads that wait for each other took four times the CPU seconds. Tests of several threads ask for them themselves.
os.environ.setdefault("OMP_NUM_THREADS", "1")

SHARED = Path(__file__).parents[2] / "shared"


def pytest_collection_modifyitems(items):
    """Files with slow tests go first, so that none of them is left for one worker at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session", autouse=True)
def session_home(tmp_path_factory):
    """The cache folder of fixtures that several tests share."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("session-home")
        patch.setenv("GIQA_HOME", str(home))
        yield home


@pytest.fixture(autouse=True)
def own_home(request, tmp_path_factory, monkeypatch):
    """Every test has a cache folder of its own; with the toy pictures, what the default extractor finds in them."""
    home = tmp_path_factory.mktemp("home")
    if "toy" in request.fixturenames:
        shutil.copytree(request.getfixturevalue("toy_features"), home, dirs_exist_ok=True)
    monkeypatch.setenv("GIQA_HOME", str(home))


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


@pytest.fixture(scope="session")
def toy_features(toy, tmp_path_factory):
    """A cache folder that holds the features of the toy pictures: computing them takes longer than most tests."""
    from giqa.features.reader import extract

    home = tmp_path_factory.mktemp("toy-features")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIQA_HOME", str(home))
        for folder in toy:
            extract(folder)
    return home
