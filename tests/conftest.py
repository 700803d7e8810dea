import fcntl
import gc
import os
import shutil
from pathlib import Path

import pytest

# One thread of BLAS and torch a process, before NumPy is imported: pytest-xdist already keeps every core busy, and
# threads that wait for each other took four times the CPU seconds. Tests of several threads ask for them themselves.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Commands that tests start keep compiled modules, as an installed package does: otherwise each compiles giqa anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

SHARED = Path(__file__).parents[2] / "shared"


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """No garbage is looked for while the files are rewritten and imported, which makes millions of small objects.

    What is imported stays, so it is not looked through again later.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


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
    elif "demo_features" in request.fixturenames:
        shutil.copytree(request.getfixturevalue("demo_features"), home, dirs_exist_ok=True)
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
def features_once(tmp_path_factory):
    """(name, what gives folders) -> a cache folder with their features, computed by one worker for all."""
    from giqa.features.reader import extract

    own = tmp_path_factory.getbasetemp()
    run = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own  # the folder of all workers of this run

    def cache(name, folders):
        home, half = run / name, run / f"{name}-half"
        with open(run / f"{name}.lock", "w") as lock, pytest.MonkeyPatch.context() as patch:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not home.is_dir():
                patch.setenv("GIQA_HOME", str(half))
                for folder in folders():
                    extract(folder)
                half.rename(home)
        return home

    return cache


@pytest.fixture(scope="session")
def toy_features(toy, features_once):
    """A cache folder that holds the features of the toy pictures: computing them takes longer than most tests."""
    return features_once("toy-features", lambda: toy)


@pytest.fixture(scope="session")
def demo_features(tmp_path_factory, features_once):
    """A cache folder that holds the features of the pictures of `giqa demo`."""
    from giqa.images.toy import write_toy

    return features_once("demo-features", lambda: write_toy(tmp_path_factory.mktemp("demo"), seed=2))
