"""One door for everything that holds pictures."""

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from giqa.errors import BadSource, GiqaError, MissingSource
from giqa.images import open_source
from giqa.images.decode import decode


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with one of everything, as the current folder."""
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    for name in ("folder/a.png", "folder/deep/b.png", "one.JPG"):
        (tmp_path / name).write_text(name)
    with zipfile.ZipFile(tmp_path / "z.ZIP", "w") as archive:
        archive.writestr("a.png", "zipped")
    np.save(tmp_path / "x.npy", np.zeros((2, 4, 4, 3), np.uint8))
    np.savez(tmp_path / "x.npz", images=np.zeros((2, 4, 4, 3), np.uint8))
    (tmp_path / "l.txt").write_text("folder/a.png\n")
    (tmp_path / "l.lst").write_text("one.JPG\n")
    (tmp_path / "t.csv").write_text("image,kind\nfolder/a.png,real\none.JPG,generated\n")
    (tmp_path / "t.tsv").write_text("image\tkind\none.JPG\treal\n")
    (tmp_path / "f[kind=real]").mkdir()
    (tmp_path / "f[kind=real]" / "c.png").write_text("c")
    (tmp_path / "notes.md").write_text("no")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "where, kind, ids",
    [
        ("folder", "FolderSource", ["a.png", "deep/b.png"]),
        (Path("folder"), "FolderSource", ["a.png", "deep/b.png"]),
        ("folder/", "FolderSource", ["a.png", "deep/b.png"]),
        ("f[kind=real]", "FolderSource", ["c.png"]),
        ("z.ZIP", "ZipSource", ["a.png"]),
        ("x.npy", "NpzSource", ["0", "1"]),
        ("x.npz", "NpzSource", ["0", "1"]),
        ("l.txt", "ListSource", ["folder/a.png"]),
        ("l.lst", "ListSource", ["one.JPG"]),
        ("t.csv", "TableSource", ["folder/a.png", "one.JPG"]),
        ("t.csv[kind=generated]", "TableSource", ["one.JPG"]),
        ("t.csv[image=folder/a.png]", "TableSource", ["folder/a.png"]),
        ("t.csv[kind=real|" + "x" * 5000 + "]", "TableSource", ["folder/a.png"]),
        ("t.tsv[kind=real]", "TableSource", ["one.JPG"]),
        ("folder/**/*.png", "GlobSource", ["a.png", "deep/b.png"]),
        ("*/a.png", "GlobSource", ["folder/a.png"]),
        ("one.JPG", "FileSource", ["one.JPG"]),
        ("folder/deep/b.png", "FileSource", ["b.png"]),
        (["one.JPG", Path("folder/a.png")], "ListSource", ["one.JPG", "folder/a.png"]),
        (np.zeros((2, 4, 4, 3), np.uint8), "ArraySource", ["0", "1"]),
        ([np.zeros((4, 4, 3), np.uint8), np.zeros((5, 4), np.uint8)], "ArraySource", ["0", "1"]),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else None,
)
def test_everything_in_the_table_opens(place, where, kind, ids):
    """Each line of the docstring's table gives its source, whose ids and bytes answer."""
    source = open_source(where)
    assert type(source).__name__ == kind
    assert list(source.ids) == ids and len(source) == len(ids)
    assert source.raw(0) is not None and source.name


def test_a_source_passes_through():
    """What already is a source, of ours or of somebody else's, comes back itself."""

    class Mine:
        name, ids = "mine", ("a",)

        def __len__(self):
            return 1

        def raw(self, index):
            return b""

        def path(self, index):
            return None

    mine = Mine()
    assert open_source(mine) is mine


@pytest.mark.parametrize(
    "where, error, message",
    [
        ("foldr", MissingSource, "Did you mean .*folder"),
        ("no/such/place", MissingSource, "nearest folder that exists"),
        ("u.csv[kind=real]", MissingSource, r"There is no 'u\.csv'"),
        ("t.csv[kimd=real]", BadSource, "Did you mean 'kind'"),
        ("nowhere/*.png", MissingSource, "There is no 'nowhere'"),
        ("folder/*.bmp", BadSource, "No pictures"),
        ("notes.md", BadSource, "Cannot tell what 'notes.md' is"),
        ("", BadSource, "this one is empty"),
        ([], BadSource, "holds no pictures"),
        (["a.png", 5], BadSource, "item 1 is no picture but int"),
        (["one.JPG", "./one.JPG"], BadSource, "twice"),
        (5, BadSource, "not from int"),
        (None, BadSource, "not from NoneType"),
        (b"folder", BadSource, "not from bytes"),
    ],
)
def test_what_cannot_be_opened_says_what_was_given_and_what_to_do(place, where, error, message):
    """Every error is ours, and of the builtin kind that one expects."""
    with pytest.raises(error, match=message) as caught:
        open_source(where)
    assert isinstance(caught.value, GiqaError)
    assert isinstance(caught.value, FileNotFoundError if error is MissingSource else ValueError)


def test_an_empty_folder_is_a_bad_source(tmp_path):
    """It says which endings were looked for."""
    with pytest.raises(BadSource, match=r"\.png \.jpg .*found 0 other files"):
        open_source(tmp_path)


def test_importing_images_loads_no_pillow():
    """The door is light: Pillow is imported by the first picture."""
    code = "import sys, giqa.images, giqa.images.decode; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_tensors_and_pillow_images_are_pictures():
    """A tensor has its channels first; a Pillow image keeps its alpha; both mix with arrays in a list."""
    torch = pytest.importorskip("torch")
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 9, 3), dtype=np.uint8)
    source = open_source(torch.from_numpy(pixels).permute(0, 3, 1, 2))
    assert np.array_equal(decode(source.raw(1)).pixels, pixels[1])
    mixed = [Image.fromarray(pixels[0]), torch.from_numpy(pixels[1]).permute(2, 0, 1), pixels[1]]
    source = open_source(mixed)
    assert [np.array_equal(decode(source.raw(i)).pixels, pixels[min(i, 1)]) for i in range(3)] == [True] * 3
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    assert (decode(open_source([clear]).raw(0)).pixels == 255).all()


def test_a_single_file_is_known_by_its_first_bytes(tmp_path):
    """A picture without an ending is one; what is none is named, with what to do."""
    Image.new("RGB", (4, 4), "red").save(tmp_path / "face", "PNG")
    assert decode(open_source(tmp_path / "face").raw(0)).pixels[0, 0].tolist() == [255, 0, 0]
    (tmp_path / "clip.bin").write_bytes(b"\0\0\0\x18ftypmp42\0\0\0\0isommp42")
    with pytest.raises(BadSource, match=r"clip\.bin' is MP4 or QuickTime video; take pictures out of it.*ffmpeg"):
        open_source(tmp_path / "clip.bin")
