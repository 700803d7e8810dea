"""Tar files and shards of WebDataset."""

import io
import json
import os
import pickle
import sys
import tarfile
import threading

import pytest

from giqa.errors import BadImage, BadSource, MissingExtra, MissingSource
from giqa.images import open_source
from giqa.images.sources.shards import braces
from giqa.images.sources.tar import TarSource, key_of
from giqa.images.subset import spread
from giqa.types import columns_of


def write(path, members, mode="w"):
    """A tar file of (name, content)."""
    with tarfile.open(path, mode) as archive:
        for name, content in members:
            content = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("ending, mode", [("tar", "w"), ("tar.gz", "w:gz"), ("tgz", "w:gz"), ("tar.xz", "w:xz")])
def test_a_tar_file_holds_what_the_folder_holds(tmp_path, files, same, ending, mode):
    """Plain and compressed: the same bytes, names without "./", in the order of names; pickled as its path."""
    path = write(tmp_path / f"a.{ending}", [(f"./{name}", raw) for name, raw in reversed(files.items())], mode)
    source, _ = same(path)
    assert source.ids == tuple(files) and source.path(0) is None
    assert pickle.loads(pickle.dumps(source)).raw(3) == source.raw(3)


def test_a_tar_file_is_known_by_its_first_bytes(tmp_path, files, same):
    """Whatever it is called."""
    same(write(tmp_path / "download", files.items()))


def test_threads_and_forked_processes_share_no_position(tmp_path):
    """Eight threads, and a process that was forked, get what one gets."""
    source = TarSource(write(tmp_path / "a.tar", [(f"{i:03d}.png", bytes([i]) * 999) for i in range(100)]))
    got = {}

    def work(first):
        for index in range(first, 100, 8):
            got[index] = source.raw(index)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(got[i] == bytes([i]) * 999 for i in range(100))
    child = os.fork()
    if child == 0:
        os._exit(0 if source.raw(9) == bytes([9]) * 999 else 1)
    assert os.waitpid(child, 0)[1] == 0 and source.raw(9) == bytes([9]) * 999


def test_members_of_a_sample_become_columns(tmp_path, files, labels):
    """JSON gives a column a key, text gives one; the members need not lie side by side."""
    members = [(name, raw) for name, raw in files.items()]
    members += [(f"{name[:3]}.json", json.dumps({"kind": labels[name], "epoch": 5.0})) for name in list(files)[::-1]]
    members += [(f"{name[:3]}.TXT", f"a {labels[name]} \n") for name in files]
    columns = columns_of(open_source(write(tmp_path / "a.tar", members)))
    assert columns["kind"] == list(labels.values())
    assert columns["epoch"] == ["5"] * 12
    assert columns["txt"] == [f"a {label}" for label in labels.values()]


def test_several_pictures_of_a_sample_and_names_with_dots_are_told_apart(tmp_path):
    """Ids are full names, so nothing becomes one sample; what a sample says goes to all its pictures."""
    names = ["s/1.left.png", "s/1.right.png", "s/1.json", "e_0.5_seed3.png", "e_0.5_seed4.png", "e_0.5_seed4.json"]
    path = write(tmp_path / "a.tar", [(name, '{"k": 1}' if name.endswith("json") else name) for name in names])
    source = TarSource(path)
    assert source.ids == ("e_0.5_seed3.png", "e_0.5_seed4.png", "s/1.left.png", "s/1.right.png")
    assert source.columns["k"] == ["", "1", "1", "1"]
    assert key_of("./a.b/0001.left.png".removeprefix("./")) == "a.b/0001"


def test_links_in_an_archive_are_followed(tmp_path, files):
    """A second name of a file is a picture too, as in a folder; a link to nothing fails alone."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.png").write_bytes(files["001.png"])
    os.link(tmp_path / "d" / "a.png", tmp_path / "d" / "b.png")
    (tmp_path / "d" / "c.png").symlink_to("a.png")
    (tmp_path / "d" / "e.png").symlink_to("nowhere.png")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(tmp_path / "d", "d")
    source = TarSource(tmp_path / "a.tar")
    assert source.ids == ("d/a.png", "d/b.png", "d/c.png", "d/e.png")
    assert [source.raw(i) for i in range(3)] == [files["001.png"]] * 3
    with pytest.raises(BadImage, match=r"a link to 'd/nowhere\.png', which is not a file in the archive"):
        source.raw(3)


def test_a_name_stored_twice_is_refused_by_name(tmp_path):
    """As `tar -r` leaves it; "./a.png" is the same name."""
    path = write(tmp_path / "a.tar", [("a.png", "old"), ("./a.png", "new")])
    with pytest.raises(BadSource, match=r"holds 'a\.png' twice.*write the archive anew"):
        open_source(path)


def test_an_archive_that_is_cut_or_damaged_says_so(tmp_path, files):
    """Not one picture is lost in silence."""
    whole = write(tmp_path / "a.tar", files.items()).read_bytes()
    path = tmp_path / "b.tar"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadSource, match=r"cannot be read as a tar file .*get it again"):
        open_source(path)
    with tarfile.open(tmp_path / "a.tar") as archive:
        last = archive.getmembers()[-1]
    header = last.offset
    path.write_bytes(whole[:header] + b"x" * 512 + whole[header + 512 :])
    with pytest.raises(BadSource, match=f"damaged at byte {header}"):
        open_source(path)
    path.write_bytes(whole[:header])
    with pytest.warns(UserWarning, match="no end mark"):
        assert len(open_source(path)) == 11
    path.write_bytes(whole + whole)
    with pytest.raises(BadSource, match="goes on behind its end mark, as files do that `cat` has joined"):
        open_source(path)
    path.write_bytes(b"")
    with pytest.raises(BadSource, match="cannot be read as a tar file"):
        open_source(path)
    path.write_bytes(b"PAR1" + bytes(600))
    with pytest.raises(BadSource, match="and it begins as a Parquet file does"):
        open_source(path)
    gz = write(tmp_path / "a.tgz", files.items(), "w:gz")
    gz.write_bytes(gz.read_bytes()[:-2000])
    with pytest.raises(BadSource, match="cannot be read as a tar file"):
        open_source(gz)
    (tmp_path / "a.tar.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(600))
    with pytest.raises(BadSource, match="cannot be read as a tar file"):
        open_source(tmp_path / "a.tar.zst")


def test_a_tar_file_packed_with_zstd(tmp_path, files, same, monkeypatch):
    """Also in two frames, as parallel packers write it; without pyarrow the error says what to install."""
    pyarrow = pytest.importorskip("pyarrow")
    plain = write(tmp_path / "plain", files.items()).read_bytes()
    parts = (plain[:5000], plain[5000:])
    path = tmp_path / "a.tar.zst"
    path.write_bytes(b"".join(pyarrow.compress(part, "zstd", asbytes=True) for part in parts))
    source, _ = same(path)
    assert pickle.loads(pickle.dumps(source)).raw(3) == source.raw(3)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"pip install 'giqa\[parquet\]'; or unpack it \(zstd -d\)"):
        open_source(path)


@pytest.fixture
def shards(tmp_path, files, labels):
    """The twelve in three shards of four with JSON, in a folder of their own."""
    names = list(files)
    (tmp_path / "s").mkdir()
    for shard in range(3):
        here = names[4 * shard : 4 * shard + 4]
        members = [(name, files[name]) for name in here]
        members += [(f"{name[:3]}.json", json.dumps({"kind": labels[name]})) for name in here]
        write(tmp_path / "s" / f"r-{shard:03d}.tar", members)
    return tmp_path / "s"


@pytest.mark.parametrize("where", ["r-{000..002}.tar", "r-*.tar", "r-00{0,1,2}.tar", ""])
def test_shards_are_one_set(shards, same, labels, where):
    """Braces, patterns and a folder of shards; ids begin with the shard's name, and labels join."""
    source, _ = same(f"{shards}/{where}")
    assert source.ids[0] == "r-000/000.jpg" and source.ids[-1] == "r-002/011.png"
    assert source.columns["kind"] == list(labels.values())
    assert [source.ids[row] for row in spread(source.ids, 3)] == ["r-000/000.jpg", "r-001/006.jpg", "r-002/011.png"]
    assert pickle.loads(pickle.dumps(source)).raw(11) == source.raw(11)


def test_missing_shards_are_named(shards):
    """One that is missing is named, with how many; a pattern that matches nothing says so."""
    with pytest.raises(BadSource, match=r"r-003\.tar', which is not there \(2 of 5 are missing\)"):
        open_source(f"{shards}/r-{{000..004}}.tar")
    with pytest.raises(MissingSource, match=r"x-0\.tar"):
        open_source(f"{shards}/x-{{0..4}}.tar")
    with pytest.raises(BadSource, match="No file matches"):
        open_source(f"{shards}/x*.tar")


def test_shards_deeper_in_a_folder_are_named(tmp_path, shards):
    """As in a repository of the Hugging Face hub, whose shards lie in `data/`, next to other folders."""
    with pytest.raises(BadSource, match=r"some look like shards, which a pattern reads .* 's/r-000\.tar'"):
        open_source(tmp_path)


def test_braces_also_name_pictures(folder, files):
    """Then they are a list of files."""
    source = open_source(f"{folder}/00{{0.jpg,1.png}}")
    assert source.ids == ("000.jpg", "001.png") and source.raw(1) == files["001.png"]
    assert braces("{9..11}") == ["9", "10", "11"] and braces("{a}{b,c}") == ["{a}b", "{a}c"]
    with pytest.raises(BadSource, match="limit"):
        braces("{a,b}" * 64)


def test_a_path_with_a_nul_byte_is_refused():
    with pytest.raises(BadSource, match="NUL"):
        open_source("a\0*.tar")


def test_an_archive_whose_header_holds_any_number_is_refused(tmp_path):
    """A size of 2**80 bytes, and one below 0, which are written in base 256."""
    for number in (2**80, 2**88 - 9):
        head = bytearray(tarfile.TarInfo("a.png").tobuf(tarfile.GNU_FORMAT))
        head[124:136] = b"\x80" + number.to_bytes(11, "big")
        head[148:156] = b"%06o\0 " % (sum(head[:148]) + sum(head[156:]) + 256)
        (tmp_path / "a.tar").write_bytes(bytes(head) + bytes(1024))
        with pytest.raises(BadSource):
            open_source(tmp_path / "a.tar")


def test_the_output_of_img2dataset_joins_its_table(tmp_path, files, labels):
    """00000.tar with a JSON and a text a sample, and 00000.parquet beside it, which adds its columns by `key`."""
    pytest.importorskip("pyarrow", reason="the table is Parquet")
    from giqa.tables.write import write_table

    keys = [f"{i:09d}" for i in range(12)]
    members = [(f"{key}{name[3:]}", raw) for key, (name, raw) in zip(keys, files.items(), strict=True)]
    members += [(f"{key}.json", json.dumps({"key": key, "caption": "c", "exif": None})) for key in keys]
    write(tmp_path / "00000.tar", members)
    table = {"key": [*keys, "000000012"], "status": [*labels.values(), "failed_to_download"], "caption": ["other"] * 13}
    write_table(tmp_path / "00000.parquet", table)
    (tmp_path / "00000_stats.json").write_text("{}")
    for where in (tmp_path / "00000.tar", tmp_path):
        columns = columns_of(open_source(where))
        assert columns["status"] == list(labels.values())
        assert columns["caption"] == ["c"] * 12 and columns["exif"] == [""] * 12
