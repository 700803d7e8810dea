"""Pictures in zip files."""

import io
import os
import pickle
import struct
import threading
import warnings
import zipfile

import pytest

from giqa.errors import BadImage, BadSource, MissingSource
from giqa.images.archive import ZipSource


@pytest.fixture
def make(tmp_path):
    """Writes an archive of members and gives its path."""

    def make(*members, method=zipfile.ZIP_DEFLATED):
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w", method) as archive:
            for member in members:
                name, content = member if isinstance(member, tuple) else (member, member)
                archive.writestr(name, content)
        return path

    return make


def patched(path, signature, offset, value):
    """Overwrites bytes after the first header with this signature."""
    raw = bytearray(path.read_bytes())
    at = raw.index(signature) + offset
    raw[at : at + len(value)] = value
    path.write_bytes(raw)
    return path


def test_members_follow_the_rules_of_a_folder(make):
    """Sorted names, endings in any case, hidden members and __MACOSX passed over, "\\" and "./" put right."""
    path = make("b/z.PNG", "a.jpg", "b/a.png", "__MACOSX/a.png", ".h/a.png", "._a.png", "n.txt", "./c.png", "d\\e.png")
    source = ZipSource(path)
    assert source.ids == ("a.jpg", "b/a.png", "b/z.PNG", "c.png", "d/e.png")
    assert source.raw(2) == b"b/z.PNG" and source.path(2) is None
    assert source.name == str(path) and len(source) == 5


def test_raw_may_be_called_from_threads(make):
    """Eight threads get what one gets."""
    source = ZipSource(make(*((f"{i:03d}.png", bytes([i]) * 5000) for i in range(200))))
    got = {}

    def work(first):
        for index in range(first, 200, 8):
            got[index] = source.raw(index)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(got[i] == bytes([i]) * 5000 for i in range(200))


def test_a_source_travels_to_another_process(make):
    """It is pickled as its path; after a fork the file is opened anew."""
    source = ZipSource(make("a.png", "b.png"))
    assert pickle.loads(pickle.dumps(source)).raw(1) == b"b.png"
    source._process = os.getpid() + 1
    source._zip.close()
    assert source.raw(1) == b"b.png"


def test_no_pictures_or_no_archive_says_so(make, tmp_path):
    """Empty, missing, and not a zip at all."""
    with pytest.raises(BadSource, match=r"No pictures in the archive .*found 1 other files"):
        ZipSource(make("n.txt"))
    with pytest.raises(MissingSource, match=r"Did you mean .*a\.zip"):
        ZipSource(tmp_path / "b.zip")


@pytest.mark.parametrize("cut", [slice(0, 0), slice(0, 60), slice(0, -10), slice(30, 60)])
def test_a_corrupted_archive_is_a_bad_source(make, cut):
    """A zip without its directory cannot be used."""
    path = make("a.png", "b.png")
    path.write_bytes(path.read_bytes()[cut])
    with pytest.raises(BadSource, match="cannot be read as a zip file"):
        ZipSource(path)


def test_a_name_that_is_there_twice_is_an_error(make):
    """Two members of one name would be two pictures with one id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = make("a.png", "a.png")
    with pytest.raises(BadSource, match=r"names 'a\.png' twice"):
        ZipSource(path)


def test_a_member_without_a_name_is_a_damaged_archive(make):
    path = make(("xy", "1"), method=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"xy", b"\0y"))
    with pytest.raises(BadSource, match="member without a name"):
        ZipSource(path)


def test_an_encrypted_member_is_a_bad_image(make):
    """The archive lists, and the member says why it cannot be read."""
    source = ZipSource(patched(make("a.png"), b"PK\1\2", 8, b"\1"))
    with pytest.raises(BadImage, match="encrypted"):
        source.raw(0)


def test_a_member_that_promises_a_gigabyte_is_not_read(make):
    """The declared size is looked at first."""
    source = ZipSource(patched(make("a.png"), b"PK\1\2", 24, struct.pack("<I", (1 << 30) + 1)))
    with pytest.raises(BadImage, match="too large"):
        source.raw(0)


def test_a_member_that_lies_about_its_size_is_damaged(make):
    """More packed than declared: the declared size is read, and its checksum fails."""
    source = ZipSource(patched(make(("a.png", bytes(1 << 20))), b"PK\1\2", 24, struct.pack("<I", 100)))
    with pytest.raises(BadImage, match="damaged in the archive"):
        source.raw(0)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_member_is_a_bad_image_and_the_others_still_read(make, method):
    """One broken member costs one picture, whatever it is packed with."""
    path = make(("a.png", os.urandom(300)), "b.png", method=method)
    raw = bytearray(path.read_bytes())
    raw[60:120] = bytes(60)
    path.write_bytes(raw)
    source = ZipSource(path)
    with pytest.raises(BadImage, match="damaged in the archive"):
        source.raw(0)
    assert source.raw(1) == b"b.png"


def test_an_unknown_packing_is_a_bad_image(make):
    """A method that Python does not know is told."""
    path = patched(patched(make("a.png"), b"PK\1\2", 10, b"\x63"), b"PK\3\4", 8, b"\x63")
    with pytest.raises(BadImage, match=r"damaged in the archive: .*compression"):
        ZipSource(path).raw(0)


def test_the_archive_is_not_changed(make):
    """Reading leaves the file as it was."""
    path = make("a.png")
    before = path.read_bytes()
    ZipSource(path).raw(0)
    assert path.read_bytes() == before and zipfile.is_zipfile(io.BytesIO(before))
