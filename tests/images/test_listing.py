"""One rule for folders, archives and patterns; PNG and GIF stand for all pictures, a head is enough to list them."""

import os
import warnings
import zipfile

import pytest

from giqa.errors import BadSource
from giqa.images import open_source
from giqa.images.listing import listed

PNG, GIF, HEIC = b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\0\0\0\x14ftypheic\0\0\0\0mif1"
FILES = {
    "a.png": PNG,
    "b.JPG_large": b"\xff\xd8\xff\xe0",
    "c": GIF,
    "d/0001": PNG,
    "e.heic": HEIC,
    "f.heic": PNG,  # whatever it is called
    "g.avif": b"",
    "h": HEIC,
    "i.mp4": b"\0\0\0\x18ftypmp42",
    "j.tga": b"\0\0\2",
    "k.png~": PNG,
    "l.png.part": PNG,
    "m.nef": b"II*\0\x08\0\0\0",  # the first picture of a RAW photograph is its thumbnail
    "n.zip": b"PK\3\4",
    "a.txt": PNG,  # captions are not even opened
    "a.json": b"{}",
    "model.ckpt": b"PK\3\4",
    "@eaDir/a.png/SYNOPHOTO_THUMB_M.jpg": b"",
    "d/@eaDir/0001/SYNOPHOTO_THUMB_S.jpg": b"",
    ".@__thumb/default_a.png": b"",
    "@__thumb/default_a.png": b"",
    ".thumbnails/normal/a.png": b"",
    "$RECYCLE.BIN/S-1/x.png": b"",
    "#recycle/x.png": b"",
    "lost+found/x.png": b"",
    "~snapshot/a.png": b"",
    ".git/logo.png": b"",
    ".git/config": b"",
    "__MACOSX/._a.png": b"",
    "._a.png": b"",
    ".DS_Store": b"",
    "@user.png": PNG,
    "thumbs/t.png": PNG,  # a folder of one's own
}
CHOSEN = ["@user.png", "a.png", "b.JPG_large", "c", "d/0001", "f.heic", "g.avif", "thumbs/t.png"]
UNREAD = (
    "passed over 1 .heic, 1 .mp4, 1 .nef, 1 .tga, 1 .zip, 1 HEIC called (no ending), 1 PNG called .part, a backup or a "
    "part, 1 PNG called .png~, a backup or a part (such as 'e.heic')"
)
LITTER = (
    "passed over 12 in hidden places and leavings of systems (1 hidden, 1 in #recycle, 1 in $RECYCLE.BIN, "
    "1 in .@__thumb, 1 in .git, 1 in .thumbnails, 1 in @__thumb, 2 in @eaDir, 1 in __MACOSX, 1 in lost+found, "
    "1 in ~snapshot)"
)


def write(root):
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def opened(where):
    """The ids, and what was said."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ids = list(open_source(where).ids)
    return ids, " | ".join(str(warning.message) for warning in caught)


@pytest.mark.parametrize("kind", ["folder", "pattern", "zip"])
def test_folders_patterns_and_archives_list_the_same(tmp_path, kind):
    """Pictures by ending or first bytes, nothing from litter, and all that is passed over is counted by name."""
    where = write(tmp_path / "p")
    if kind == "pattern":
        where = where / "**"
    if kind == "zip":
        with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
            for name in FILES:
                archive.write(where / name, name)
        where = tmp_path / "p.zip"
    ids, said = opened(where)
    assert ids == CHOSEN
    assert UNREAD in said and LITTER in said


def test_a_folder_of_litter_can_be_named_itself(tmp_path):
    """Who names the thumbnails gets them, without a word."""
    write(tmp_path)
    assert opened(tmp_path / "@eaDir") == (["a.png/SYNOPHOTO_THUMB_M.jpg"], "")
    assert opened(str(tmp_path / "@eaDir" / "*" / "*.jpg")) == (["a.png/SYNOPHOTO_THUMB_M.jpg"], "")


def test_a_clean_folder_is_listed_without_a_word(tmp_path):
    """Captions, tables, checkpoints and the files of Windows and macOS are nothing that anybody misses."""
    for name in ("a.png", "a.txt", "a.json", "stats.parquet", "Thumbs.db", "desktop.ini", ".DS_Store", ".git/HEAD"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert opened(tmp_path) == (["a.png"], "")


def test_where_nothing_is_left_the_error_says_what_was_passed_over(tmp_path):
    """A folder of HEIC, a zip of thumbnails."""
    (tmp_path / "a.heic").write_bytes(HEIC)
    with pytest.raises(BadSource, match=r"found 1 other files; passed over 1 \.heic .*Convert"):
        open_source(tmp_path)
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("x/@eaDir/a.jpg", b"")
    with pytest.raises(BadSource, match=r"found 0 other files; passed over 1 .*1 in @eaDir"):
        open_source(tmp_path / "t.zip")


def test_a_list_keeps_what_it_names_and_says_so(tmp_path):
    """A list made with `find` holds thumbnails; it is obeyed, with a warning."""
    (tmp_path / "l.txt").write_text("a.png\n@eaDir/a.png/T.jpg\n")
    ids, said = opened(tmp_path / "l.txt")
    assert len(ids) == 2 and "names 1 that a folder would pass over" in said and "'@eaDir/a.png/T.jpg'" in said


def test_a_file_that_cannot_be_looked_into_is_counted():
    """Without an ending nobody knows what it was."""

    def head(name):
        raise PermissionError(13, "Permission denied")

    with pytest.warns(UserWarning, match=r"x: passed over 2 that cannot be read \(such as 'p'\)"):
        assert listed(["a.png", "q", "p"], [], head, "x") == ["a.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on Windows")
def test_a_pipe_is_not_waited_for(tmp_path):
    """Listing looks at the first bytes of files only."""
    (tmp_path / "a.png").write_bytes(PNG)
    os.mkfifo(tmp_path / "pipe")
    assert opened(tmp_path) == (["a.png"], "")


def test_an_encrypted_member_without_ending_is_counted(tmp_path):
    """A picture's ending is believed (and reading it says why not); anything else may have been one."""
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
        archive.writestr("a.png", PNG)
        archive.writestr("secret", PNG)
    raw = bytearray((tmp_path / "e.zip").read_bytes())
    at = raw.rindex(b"PK\1\2")  # the last entry of the directory
    raw[at + 8] |= 1
    (tmp_path / "e.zip").write_bytes(raw)
    ids, said = opened(tmp_path / "e.zip")
    assert ids == ["a.png"] and "1 that cannot be read (such as 'secret')" in said
