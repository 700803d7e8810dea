"""Folders, globs and lists of files; only names matter here, so most files hold a word."""

import os
import pickle
import threading

import pytest

from giqa.errors import BadImage, BadSource, MissingSource
from giqa.images import open_source
from giqa.images.folder import FileSource, FolderSource, GlobSource, ListSource
from giqa.images.listing import ENDINGS

links = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")


@pytest.fixture
def make(tmp_path):
    """Writes files whose content is their own name."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        return tmp_path

    return make


def test_a_folder_lists_pictures_below_it_by_path(make):
    """Ids are relative paths with "/", sorted by code point whatever the file system's order."""
    root = make("b.png", "a/z.jpg", "a/b/c.webp", "B.png", "a.png", "é.png")
    source = FolderSource(root)
    assert source.ids == ("B.png", "a.png", "a/b/c.webp", "a/z.jpg", "b.png", "é.png")
    assert len(source) == 6 and source.name == str(root)
    assert source.raw(3) == b"a/z.jpg"
    assert source.path(3) == root / "a" / "z.jpg"


def test_endings_count_in_any_case_and_nothing_else_is_listed(make):
    """Every ending in `ENDINGS`, in any case; hidden files and folders and __MACOSX are passed over."""
    names = [f"{i}{ending.upper() if i % 2 else ending}" for i, ending in enumerate(ENDINGS)]
    root = make(*names, "a.txt", "png", ".hidden.png", ".git/a.png", "__MACOSX/a.png", "a/._b.png", "c.png.bak")
    assert FolderSource(root).ids == tuple(sorted(names))


def test_a_hidden_folder_can_be_named_itself(make):
    """What is passed over inside a folder is still listed when it is the folder asked for."""
    assert FolderSource(make(".cache/a.png") / ".cache").ids == ("a.png",)


def test_an_empty_folder_says_what_was_looked_for(make):
    """No pictures: the endings, and how many other files there were."""
    with pytest.raises(BadSource, match=r"No pictures in the folder .*\.png .*found 2 other files"):
        FolderSource(make("a.txt", "b/c.csv"))


def test_a_missing_folder_offers_a_close_name(make):
    """A typing error is answered with the name that exists, a lost path with the nearest folder."""
    root = make("reals/a.png")
    with pytest.raises(MissingSource, match=r"Did you mean .*reals"):
        FolderSource(root / "reels")
    with pytest.raises(MissingSource, match=r"nearest folder that exists is .*" + root.name):
        FolderSource(root / "x" / "y" / "z")
    with pytest.raises(BadSource, match="is not a folder"):
        FolderSource(root / "reals" / "a.png")
    with pytest.raises(MissingSource, match=r"There is a folder .*reals' without it"):
        FolderSource(root / "reals" / "zzz")


def test_a_missing_name_alone_is_looked_for_in_this_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingSource) as raised:
        open_source("nope")
    assert str(raised.value) == f"There is no 'nope'. It was looked for in {os.getcwd()!r}."


@links
def test_a_name_that_is_too_long_for_any_file_is_missing(tmp_path):
    name = "a" * 300
    for path in (tmp_path / name / name, tmp_path / name / name / "b.png"):
        with pytest.raises(MissingSource, match="The nearest folder that exists is"):
            FolderSource(path)
        with pytest.raises(MissingSource, match="The nearest folder that exists is"):
            open_source(path)


def test_links_are_followed_and_loops_are_not(make, tmp_path):
    """A link to a file or folder elsewhere is listed; a link to a folder above is not walked into."""
    root = make("data/a.png", "other/b.png", "other/deep/c.png", "d.png") / "data"
    (root / "up").symlink_to(tmp_path, target_is_directory=True)
    (root / "self").symlink_to(root, target_is_directory=True)
    (root / "more").symlink_to(tmp_path / "other", target_is_directory=True)
    (root / "file.png").symlink_to(tmp_path / "d.png")
    assert FolderSource(root).ids == ("a.png", "file.png", "more/b.png", "more/deep/c.png", "up/d.png")


@links
def test_a_folder_reached_twice_is_listed_once(make, tmp_path):
    """By its own path if that is below the root, else by the first link in order of name."""
    root = make("data/z/a.png", "other/b.png") / "data"
    (root / "a_link").symlink_to(root / "z", target_is_directory=True)
    (root / "l2").symlink_to(tmp_path / "other", target_is_directory=True)
    (root / "l1").symlink_to(tmp_path / "other", target_is_directory=True)
    assert FolderSource(root).ids == ("l1/b.png", "z/a.png")


@links
def test_a_dangling_link_is_listed_and_cannot_be_read(make):
    """A picture that is gone is an error with its name, not silence."""
    root = make("a.png")
    (root / "b.png").symlink_to(root / "gone.png")
    (root / "c.png").symlink_to(root / "c.png")
    source = FolderSource(root)
    assert source.ids == ("a.png", "b.png", "c.png")
    with pytest.raises(BadImage, match=r"No such file.*b\.png"):
        source.raw(1)
    with pytest.raises(BadImage, match=r"c\.png"):
        source.raw(2)


def test_listing_opens_nothing_and_reading_reports_the_reason(make):
    """A file that goes away after listing, turns into a folder or a pipe, is a BadImage when it is read."""
    root = make("a.png", "b.png")
    source = FolderSource(root)
    (root / "a.png").unlink()
    with pytest.raises(BadImage, match="cannot be read"):
        source.raw(0)
    (root / "a.png").mkdir()
    with pytest.raises(BadImage, match="not a file"):
        source.raw(0)
    if hasattr(os, "mkfifo"):
        (root / "b.png").unlink()
        os.mkfifo(root / "b.png")
        with pytest.raises(BadImage, match="not a file"):
            source.raw(1)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_listed_is_an_error(make):
    """A part of the pictures is never silently left out."""
    root = make("a.png", "b/c.png")
    (root / "b").chmod(0)
    try:
        with pytest.raises(BadSource, match="Cannot list"):
            FolderSource(root)
    finally:
        (root / "b").chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="names are always text there")
def test_a_name_that_is_no_text_is_refused(make):
    """An id must survive being written to a file."""
    root = make("a.png")
    try:
        open(os.fsencode(root) + b"/\xff.png", "wb").close()
    except OSError:
        pytest.skip("this file system takes only text")
    with pytest.raises(BadSource, match="not valid text"):
        FolderSource(root)


def test_sources_travel_and_are_read_from_threads(make):
    """A source can be pickled for another process, and read from several threads at once."""
    root = make(*(f"{i:02d}.png" for i in range(20)))
    source = pickle.loads(pickle.dumps(FolderSource(root)))
    got = {}
    threads = [threading.Thread(target=lambda i=i: got.update({i: source.raw(i)})) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [got[i].decode() for i in range(20)] == list(source.ids)


FILES = (
    "runs/1/a.png",
    "runs/1/b.jpg",
    "runs/2/a.png",
    "runs/2/deep/c.png",
    "runs/a.png",
    "runs/n.txt",
    "runs/.h/x.png",
)


@pytest.mark.parametrize(
    "pattern, ids",
    [
        ("runs/*.png", ["a.png"]),
        ("runs/*/*.png", ["1/a.png", "2/a.png"]),
        ("runs/**/*.png", ["1/a.png", "2/a.png", "2/deep/c.png", "a.png"]),
        ("runs/**", ["1/a.png", "1/b.jpg", "2/a.png", "2/deep/c.png", "a.png"]),
        ("runs/**/deep/*", ["2/deep/c.png"]),
        ("runs/[2-9]/?.png", ["2/a.png"]),
        ("runs/1/[!a]*", ["b.jpg"]),
        ("runs/1/*", ["a.png", "b.jpg"]),
        ("*/1/a.png", ["runs/1/a.png"]),
    ],
)
def test_a_glob_picks_by_pattern_below_its_fixed_folder(make, pattern, ids):
    """Ids are relative to the longest folder without a wildcard; only pictures count."""
    source = GlobSource(str(make(*FILES) / pattern))
    assert list(source.ids) == ids
    assert source.raw(0).decode().endswith(ids[0])


def test_a_glob_without_a_match_or_folder_says_so(make):
    """Nothing matched: the pattern and what else did; no folder: the nearest one."""
    root = make(*FILES)
    with pytest.raises(BadSource, match=r"\*\.txt.*found 1 other files"):
        GlobSource(str(root / "runs" / "*.txt"))
    with pytest.raises(MissingSource, match=r"Did you mean .*runs"):
        GlobSource(str(root / "rums" / "*.png"))


def test_a_list_file_keeps_its_order_and_skips_comments(make):
    """One path a line, relative to the list's folder; blank lines, comments, a BOM and "\\" are understood."""
    root = make("x/b.png", "a.png", "x/odd.name")
    list_ = root / "list.txt"
    list_.write_bytes(b"\xef\xbb\xbf# of today\r\nx\\b.png\r\n\r\n  ./a.png\r\nx/odd.name\r\nx/gone.png")
    source = ListSource(list_)
    assert source.ids == ("x/b.png", "a.png", "x/odd.name", "x/gone.png")
    assert [source.raw(i) for i in range(3)] == [b"x/b.png", b"a.png", b"x/odd.name"]
    with pytest.raises(BadImage, match=r"cannot be read.*gone\.png"):
        source.raw(3)


def test_absolute_paths_in_a_list_are_shortened_to_what_differs(make):
    """Ids are relative to the folder that all have in common, also when only some are absolute."""
    root = make("x/b.png", "x/y/a.png", "lists/l.png")
    list_ = root / "lists" / "list.lst"
    list_.write_text(f"{root}/x/b.png\n{root}/x/y/a.png\n")
    assert ListSource(list_).ids == ("b.png", "y/a.png")
    list_.write_text(f"{root}/x/b.png\nl.png\n")
    assert ListSource(list_).ids == ("x/b.png", "lists/l.png")
    assert ListSource(list_).raw(1) == b"lists/l.png"


@pytest.mark.skipif(os.name != "posix", reason="//host/share is another place elsewhere")
def test_two_slashes_at_the_beginning_are_one(make, tmp_path):
    """As the system reads them; pathlib keeps two apart from one."""
    root = make("fakes/a.png", "fakes/b.png")
    (tmp_path / "list.txt").write_text(f"/{root}/fakes/a.png\n{root}/fakes/b.png\n")
    assert open_source(tmp_path / "list.txt").ids == ("a.png", "b.png")


def test_a_python_list_of_paths_is_a_source(make, monkeypatch):
    """Relative paths are relative to the current folder, and stay so when it changes."""
    root = make("a.png", "x/b.png")
    monkeypatch.chdir(root)
    source = ListSource(["x/b.png", root.joinpath("a.png").relative_to(root)])
    monkeypatch.chdir("/")
    assert source.ids == ("x/b.png", "a.png") and source.raw(0) == b"x/b.png"
    assert ListSource([root / "x" / "b.png"]).ids == ("b.png",)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "names no pictures"),
        (b"# nothing\n\n", "names no pictures"),
        (b"a.png\nb.png\n./a.png\n", "names 'a.png' twice"),
        (b"\xff\xfea\0", "not UTF-8"),
        (b"a\0.png", "NUL"),
    ],
)
def test_a_bad_list_says_why(tmp_path, content, message):
    """Empty, doubled or not text: each has its reason."""
    (tmp_path / "l.txt").write_bytes(content)
    with pytest.raises(BadSource, match=message):
        ListSource(tmp_path / "l.txt")


def test_a_missing_list_is_missing(make):
    """A list that is not there offers a close name."""
    with pytest.raises(MissingSource, match=r"Did you mean .*list\.txt"):
        ListSource(make("list.txt") / "lust.txt")


def test_a_huge_file_is_not_read(make, monkeypatch):
    """No picture has a gigabyte; the size is looked at before the content."""
    import giqa.images.folder as folder

    monkeypatch.setattr(folder, "MAX_BYTES", 3)
    with pytest.raises(BadImage, match="too large: 5 bytes; the limit is 3"):
        FileSource("x", make("a.png"), ["a.png"]).raw(0)


def test_metadata_names_pictures_as_every_table_does(make):
    """Backslashes, ./, capitals of the ending and no ending are the same picture; each is named once."""
    root = make("sub/a.png", "sub/b.png", "c.png")
    (root / "metadata.csv").write_text("file_name,kind\nsub\\a.png,real\nsub/b.PNG,generated\n./c,real\n")
    assert open_source(root).columns["kind"] == ["real", "real", "generated"]  # c.png, sub/a.png, sub/b.png
    (root / "metadata.csv").write_text("file_name,kind\nc.png,real\nc.png,real\nc.png,generated\n")
    with pytest.raises(BadSource, match=r"line 4: 'c.png' again, and otherwise than in .*line 2"):
        dict(open_source(root).columns)
    (root / "metadata.csv").write_text("file_name,kind\nother.png,real\n")
    with pytest.warns(UserWarning, match=r"metadata\.csv names no picture"):
        assert not dict(open_source(root).columns)
