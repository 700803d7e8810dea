"""What generators' repositories train on and write: StyleGAN's zip, ADM's npz, LMDB."""

import json
import os
import pickle
import zipfile

import numpy as np
import pytest

from giqa.errors import BadImage, BadSource
from giqa.images import arrays, open_source
from giqa.images.decode import decode
from giqa.types import columns_of


def test_the_zip_of_stylegan_has_labels(tmp_path, files, labels, same):
    """By exact name; null, a name that is missing and one too many are no error; grey lies among RGB."""
    path = tmp_path / "z.zip"
    kinds = sorted(set(labels.values()))
    numbers = [kinds.index(kind) for kind in labels.values()]
    pairs = [[f"00000/{name}", number] for name, number in zip([*list(files)[:-1], "other.png"], numbers, strict=True)]
    for said, column in (
        ({"labels": pairs}, [*map(str, numbers[:-1]), ""]),
        ({"labels": None}, None),
        ({}, None),
    ):
        with zipfile.ZipFile(path, "w") as archive:
            for name, raw in files.items():
                archive.writestr(f"00000/{name}", raw)
            archive.writestr("dataset.json", json.dumps(said))
        source, _ = same(path)
        assert columns_of(source).get("label") == column
        assert pickle.loads(pickle.dumps(source)).columns.get("label") == column
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "folder")
    (tmp_path / "folder" / "dataset.json").write_text(json.dumps({"labels": pairs}))
    assert columns_of(open_source(tmp_path / "folder"))["label"][:3] == ["0", "2", "1"]


def test_a_label_that_is_no_pair_is_refused(tmp_path, files):
    """When labels are asked for, with the archive's name."""
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("a.png", files["001.png"])
        archive.writestr("dataset.json", '{"labels": [3]}')
    source = open_source(tmp_path / "z.zip")
    with pytest.raises(BadSource, match=r"dataset\.json of .*z\.zip' cannot be read"):
        source.columns["label"]


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_the_npz_of_adm_has_classes(tmp_path, files, labels, large, save, monkeypatch):
    """`arr_0` are the pictures, `arr_1` their classes; a large array is not read into memory."""
    if large:
        monkeypatch.setattr(arrays, "LARGE", 1000)
    pixels = np.stack([decode(raw).pixels[:20, :20] for raw in files.values()])
    save(tmp_path / "s.npz", pixels, np.arange(12) % 3)
    source = open_source(tmp_path / "s.npz")
    assert isinstance(source.images, np.memmap) == large
    assert all(np.array_equal(source.raw(i), pixels[i]) for i in range(12))
    assert source.columns == {"label": [str(i % 3) for i in range(12)]}
    assert np.array_equal(pickle.loads(pickle.dumps(source)).raw(3), pixels[3])


@pytest.fixture
def write(tmp_path):
    """Writes an LMDB database of key -> value."""
    lmdb = pytest.importorskip("lmdb", reason="the extra [lmdb] is not installed")

    def write(values, name="db", subdir=True):
        with lmdb.open(str(tmp_path / name), map_size=1 << 24, subdir=subdir) as env, env.begin(write=True) as there:
            for key, value in values.items():
                there.put(key.encode(), value)
        return tmp_path / name

    return write


def test_lmdb_of_stylegan2_pytorch_is_asked_by_number(write, files, same):
    """From `length`, not in the order of keys; a size is chosen where there are several."""
    here = {f"256-{number:05d}": raw for number, raw in enumerate(files.values())}
    path = write({**here, "length": b"12"})
    source, _ = same(path, by_name=False)
    assert source.ids[:2] == ("256-00000", "256-00001")
    assert pickle.loads(pickle.dumps(source)).raw(5) == source.raw(5)
    child = os.fork()
    if child == 0:
        os._exit(0 if source.raw(5) == here["256-00005"] else 1)
    assert os.waitpid(child, 0)[1] == 0
    path = write({**here, "length": b"12", "1024-00000": b"large", "1024-00001": b"l"}, "two")
    with pytest.raises(BadSource, match=r"holds the sizes 256, 1024; choose one: '.*\[size=1024\]'"):
        open_source(path)
    same(f"{path}[size=256]", by_name=False)
    large = open_source(f"{path}[size=1024]")
    assert large.raw(0) == b"large"
    with pytest.raises(BadImage, match="the database has no key '1024-00002'"):
        large.raw(2)
    with pytest.raises(BadSource, match="holds no pictures of size 64"):
        open_source(f"{path}[size=64]")


def test_lmdb_asks_by_number_beyond_five_digits(write):
    """256-100000 stands before 256-10001 in the database, and after it in the source."""
    path = write({"256-10001": b"a", "256-100000": b"b", "length": b"100001"})
    source = open_source(path)
    assert source.raw(10001) == b"a" and source.raw(100000) == b"b"


def test_lmdb_of_other_keys(write, files, same):
    """As LSUN has it: a picture a key, in a folder or a single file; other values are counted."""
    same(write(files, "x.lmdb", subdir=False))
    with pytest.warns(UserWarning, match="passed over 1 values that are no pictures"):
        same(write({**files, "meta": b"about"}, "y"))
    with pytest.raises(BadSource, match="holds no pictures"):
        open_source(write({"meta": b"about"}, "none"))
