"""Openers: the order they are asked in, and those of third parties."""

import sys
import tarfile
import types

import pytest
from click.testing import CliRunner
from PIL import Image

from giqa.cli import main
from giqa.errors import BadSource
from giqa.images import open_source, sources
from giqa.tables import read_table


class Drawn:
    """A source of a third party."""

    name, ids = "drawn", ("a",)

    def __len__(self):
        return 1

    def raw(self, index):
        return b""

    def path(self, index):
        return None


def open_drawn(where):
    """Reads "drawn:..."; gives no source for "wrong:..."."""
    text = str(where)
    return Drawn() if text.startswith("drawn:") else "text" if text.startswith("wrong:") else None


@pytest.fixture
def third_party(monkeypatch, tmp_path):
    """Installs a package with an entry point of the group `giqa.sources`."""

    def put(value):
        about = tmp_path / "packages" / "drawn-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: drawn\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[giqa.sources]\ndrawn = {value}\n")
        monkeypatch.syspath_prepend(about.parent)
        sources._of_third_parties.cache_clear()

    yield put
    sources._of_third_parties.cache_clear()


def test_a_third_party_adds_a_form(third_party, folder, monkeypatch):
    """What its opener reads is a source; what it gives None for is read as before."""
    package = types.ModuleType("drawn_package")
    package.open_drawn = open_drawn
    monkeypatch.setitem(sys.modules, "drawn_package", package)
    third_party("drawn_package:open_drawn")
    assert isinstance(open_source("drawn:1"), Drawn)
    assert len(open_source(folder)) == 12


def test_entry_points_are_read_only_where_some_package_names_the_group(third_party, tmp_path, monkeypatch):
    """An archive on the path may hold any package, so it is asked; a folder without the group is not."""
    third_party("drawn_package:open_drawn")
    monkeypatch.setattr(sys, "meta_path", [sources.PathFinder])
    for names, found in ((["packages", "gone"], True), ([".", "gone"], False), (["packages.zip"], True)):
        (tmp_path / "packages.zip").touch()
        monkeypatch.setattr(sys, "path", [str(tmp_path / name) for name in names])
        assert sources._any_names("giqa.sources") == found
    monkeypatch.setattr(sys, "path", [str(tmp_path / "packages")])
    assert not sources._any_names("giqa.others")


def test_what_an_opener_gives_is_a_source(monkeypatch):
    """Anything else is refused by the opener's name."""
    monkeypatch.setattr(sources, "_of_third_parties", lambda: (("drawn", open_drawn),))
    with pytest.raises(BadSource, match="opener drawn gave str, which is no"):
        open_source("wrong:1")


def test_a_package_that_cannot_be_imported_is_named(third_party):
    """With the entry point, and what to do."""
    third_party("no_such_package_of_anybody:open_it")
    with pytest.raises(BadSource, match=r"The opener 'drawn' \(no_such_package_of_anybody:open_it\).*Repair or remove"):
        open_source("somewhere")


def test_scores_are_those_of_the_folders(toy, tmp_path, monkeypatch):
    """`giqa score` on shards against reals in Parquet: the same numbers, ids with the shard's name."""
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    monkeypatch.chdir(tmp_path)
    reals, fakes = (sorted(folder.iterdir()) for folder in toy)
    for shard in range(2):
        with tarfile.open(f"fakes-{shard:03d}.tar", "w") as archive:
            for path in fakes[12 * shard : 12 * shard + 12]:
                archive.add(path, path.name)
    cells = [{"bytes": path.read_bytes(), "path": path.name} for path in reals]
    parquet.write_table(pa.table({"image": cells}), "reals.parquet")
    done = CliRunner().invoke(main, ["score", "fakes-{000..001}.tar", "--real", "reals.parquet", "-o", "a.csv"])
    assert done.exit_code == 0, done.output
    other = CliRunner().invoke(main, ["score", str(toy[1]), "--real", str(toy[0]), "-o", "b.csv"])
    assert other.exit_code == 0, other.output
    shards, folder = read_table("a.csv").columns, read_table("b.csv").columns
    assert shards["id"] == [f"fakes-{n // 12:03d}/{path.name}" for n, path in enumerate(fakes)]
    assert {name: cells for name, cells in shards.items() if name != "id"} == {
        name: cells for name, cells in folder.items() if name != "id"
    }


def test_a_filter_is_of_a_table(tmp_path):
    """A folder and an archive have none; the table next to the pictures is named."""
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(BadSource, match=r"is a folder, and what has a filter .*labels\.csv"):
        open_source(f"{tmp_path}[label=1]")
    (tmp_path / "metadata.csv").write_text("file_name,label\na.png,1\n")
    with pytest.raises(BadSource, match=r"give '.*/metadata\.csv\[\.\.\.\]'"):
        open_source(f"{tmp_path}[label=1]")
    (tmp_path / "a.tar").write_bytes(b"")
    with pytest.raises(BadSource, match="is no table"):
        open_source(f"{tmp_path / 'a.tar'}[label=1]")
