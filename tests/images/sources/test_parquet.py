"""Parquet, Arrow and Hugging Face `datasets`."""

import json
import pickle

import numpy as np
import pytest
from PIL import Image

from giqa.errors import BadImage, BadSource
from giqa.images import open_source
from giqa.images.decode import decode
from giqa.images.sources import arrow
from giqa.images.table import TableSource
from giqa.types import columns_of

pa = pytest.importorskip("pyarrow", reason="the extra [parquet] is not installed")
feather = pytest.importorskip("pyarrow.feather")
parquet = pytest.importorskip("pyarrow.parquet")
FEATURES = {"image": {"_type": "Image"}, "label": {"names": ["dawn", "night", "noon"], "_type": "ClassLabel"}}


@pytest.fixture
def table(files, labels):
    """Makes an Arrow table of the twelve in one of the ways that people write."""
    names, contents, kinds = list(files), list(files.values()), list(labels.values())

    def table(way):
        if way == "binary":
            return pa.table({"file_name": names, "jpg": contents, "kind": kinds})
        images = [{"bytes": raw, "path": name} for name, raw in files.items()]
        if way == "struct":
            return pa.table({"picture": images, "kind": kinds})
        classes = [sorted(set(kinds)).index(kind) for kind in kinds]
        made = pa.table({"image": images, "label": classes, "other": [b"x"] * 12})
        return made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": FEATURES}})})

    return table


@pytest.mark.parametrize("way, column", [("binary", "kind"), ("struct", "kind"), ("metadata", "label")])
@pytest.mark.parametrize("ending", ["parquet", "arrow", "feather", "stream.arrow"])
def test_a_table_holds_what_the_folder_holds(tmp_path, table, same, labels, way, column, ending):
    """Structs with and without metadata, and binary columns; in Parquet, Arrow files and streams, and Feather."""
    path, made = tmp_path / f"r.{ending}", table(way)
    if ending == "parquet":
        parquet.write_table(made, path, row_group_size=5)
    elif ending == "feather":
        feather.write_feather(made, path, compression="lz4", chunksize=5)
    else:
        new = pa.ipc.new_stream if ending.startswith("stream") else pa.ipc.new_file
        with new(path, made.schema) as writer:
            writer.write_table(made, max_chunksize=5)
    source, _ = same(path)
    assert source.ids == tuple(labels) and source.columns[column] == list(labels.values())
    assert "other" not in source.columns
    assert pickle.loads(pickle.dumps(source)).raw(7) == source.raw(7)
    assert len(open_source(f"{path}[{column}=noon]")) == 4
    assert open_source(f"{path}[{column}=noon]").ids[1] == "004.jpg"


def test_a_large_row_group_goes_to_a_temporary_file(tmp_path, table, same, monkeypatch):
    """The same bytes, in any order, and not the whole group in memory."""
    monkeypatch.setattr(arrow, "BIG", 3000)
    parquet.write_table(table("metadata"), tmp_path / "r.parquet")
    source, _ = same(tmp_path / "r.parquet")
    assert len(source._held[0].spool) == 12


def test_few_row_groups_are_in_memory(tmp_path, table, same):
    """The least recently read goes first."""
    parquet.write_table(table("metadata"), tmp_path / "r.parquet", row_group_size=1)
    source, _ = same(tmp_path / "r.parquet")
    assert len(source._held) == arrow.KEPT


def test_shards_of_parquet_are_one_set(tmp_path, table, same, labels):
    """A pattern, braces and the folder."""
    for shard in range(3):
        parquet.write_table(table("metadata").slice(4 * shard, 4), tmp_path / f"train-{shard}-of-3.parquet")
    for where in (tmp_path, f"{tmp_path}/train-*.parquet", f"{tmp_path}/train-{{0..2}}-of-3.parquet"):
        source, _ = same(where)
        assert source.ids[4] == "train-1-of-3/004.jpg" and source.columns["label"] == list(labels.values())


def test_rows_without_bytes_are_files_or_named(tmp_path, folder, files):
    """A path that is here is read; one of another machine says what to do; an empty row fails alone."""
    rows = [{"bytes": None, "path": str(folder / "001.png")}, {"bytes": None, "path": "/home/ann/b.png"}, None]
    parquet.write_table(pa.table({"image": rows}), tmp_path / "r.parquet")
    source = open_source(tmp_path / "r.parquet")
    assert source.ids == ("0", "1", "2") and source.raw(0) == files["001.png"]
    with pytest.raises(
        BadImage, match=r"row 1 holds no bytes, only the path '/home/ann/b\.png'.* write the table with"
    ):
        source.raw(1)
    some = pa.table({"image": [{"bytes": None, "path": str(folder / name)} for name in ("001.png", "003.png")]})
    assert open_source(some).ids == ("001.png", "003.png") and open_source(some).raw(1) == files["003.png"]
    with pytest.raises(BadImage, match="row 2 holds no picture"):
        source.raw(2)
    shared = pa.table({"image": [{"bytes": b"x", "path": f"//host/set/{name}"} for name in ("a.png", "b.png")]})
    assert open_source(shared).ids == ("a.png", "b.png")
    for odd in ([["a.png"]], [{"name": "a.png"}], [3]):  # a path that is no text
        strange = open_source(pa.table({"image": [{"bytes": None, "path": path} for path in odd]}))
        with pytest.raises(BadImage, match="row 0 holds no picture"):
            strange.raw(0)


def test_a_table_that_names_files_stays_one(tmp_path, folder):
    """Text in Parquet is no picture."""
    parquet.write_table(pa.table({"image": [str(folder / "001.png")], "hash": [b"\x01\x02"]}), tmp_path / "r.parquet")
    assert isinstance(open_source(tmp_path / "r.parquet"), TableSource)


def test_what_is_unclear_is_refused(tmp_path, files):
    """Two columns of pictures; a file that is cut; no pictures in an Arrow file."""
    raw = [files["001.png"]]
    parquet.write_table(pa.table({"left": raw, "right": raw}), tmp_path / "r.parquet")
    with pytest.raises(BadSource, match="pictures in the columns left, right; call the one to read 'image'"):
        open_source(tmp_path / "r.parquet")
    parquet.write_table(pa.table({"image": raw, "mask": raw}), tmp_path / "r.parquet")
    assert len(open_source(tmp_path / "r.parquet")) == 1
    (tmp_path / "r.parquet").write_bytes((tmp_path / "r.parquet").read_bytes()[:100])
    with pytest.raises(BadSource, match="is not Parquet, or is damaged"):
        open_source(tmp_path / "r.parquet")
    feather.write_feather(pa.table({"a": [1]}), tmp_path / "r.feather")
    with pytest.raises(BadSource, match="has no column of pictures; its columns are a"):
        open_source(tmp_path / "r.feather")
    feather.write_feather(pa.table({"image": [{"bytes": 3}]}), tmp_path / "r.feather")
    with pytest.raises(BadSource, match="has no column of pictures; its columns are image"):
        open_source(tmp_path / "r.feather")
    parquet.write_table(pa.table({"image": [{"bytes": raw[0], "path": 7}]}), tmp_path / "r.parquet")
    assert open_source(tmp_path / "r.parquet").raw(0) == raw[0]
    parquet.write_table(pa.table({"image": raw}), tmp_path / "r.parquet")
    with pytest.raises(BadSource, match="no column beside the pictures, so 'kind=real' names none"):
        open_source(f"{tmp_path}/r.parquet[kind=real]")
    (tmp_path / "r.arrow").write_bytes(b"PK\3\4 something else")
    with pytest.raises(BadSource, match="is zip archive, or is damaged"):
        open_source(tmp_path / "r.arrow")


def test_a_folder_of_save_to_disk_is_read(tmp_path, table, same, labels):
    """By the files that it lists; a folder of splits asks for one."""
    here = tmp_path / "train"
    here.mkdir()
    with pa.ipc.new_stream(here / "data-00000-of-00001.arrow", table("metadata").schema) as writer:
        writer.write_table(table("metadata"))
    (here / "dataset_info.json").write_text("{}")
    (here / "state.json").write_text('{"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}')
    source, _ = same(here)
    assert source.columns["label"] == list(labels.values())
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train"]}')
    same(tmp_path)
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    with pytest.raises(BadSource, match=r"has the splits train, test; give one, such as .*/train"):
        open_source(tmp_path)


def test_a_table_in_memory_is_a_source(table, same):
    """A `pyarrow.Table`."""
    same(table("struct"))


@pytest.fixture
def dataset(files, labels):
    """A dataset of the package itself."""
    datasets = pytest.importorskip("datasets", reason="the package datasets is not installed")
    kinds = sorted(set(labels.values()))
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=kinds)})
    rows = [{"bytes": raw, "path": name} for name, raw in files.items()]
    return datasets.Dataset.from_dict({"image": rows, "label": list(labels.values())}, features=features)


def test_dataset_objects_are_read(dataset, same, labels, tmp_path):
    """In memory, shuffled, selected, saved, and as Parquet."""
    source, _ = same(dataset)
    assert source.columns["label"] == list(labels.values())
    some = dataset.select([7, 2, 7 - 4])
    assert open_source(some).ids == ("007.png", "002.jpg", "003.png")
    same(dataset.shuffle(seed=1))
    dataset.save_to_disk(tmp_path / "saved")
    same(tmp_path / "saved")
    dataset.to_parquet(tmp_path / "d.parquet")
    assert same(tmp_path / "d.parquet")[0].columns["label"] == list(labels.values())


def test_imagefolder_has_its_metadata_as_columns(tmp_path, files, labels):
    """`metadata.csv` and `.jsonl` name files relative to themselves; JSON and text next to a picture count too."""
    (tmp_path / "train").mkdir()
    lines = [json.dumps({"file_name": name, "kind": kind, "n": 3}) for name, kind in labels.items()]
    for name, raw in files.items():
        (tmp_path / "train" / name).write_bytes(raw)
        (tmp_path / "train" / name).with_suffix(".txt").write_text(f"a {labels[name]}\n")
    (tmp_path / "train" / "metadata.jsonl").write_text("\n".join(lines[:-1]))
    columns = columns_of(open_source(tmp_path))
    assert columns["kind"] == [*list(labels.values())[:-1], ""] and columns["n"] == ["3"] * 11 + [""]
    assert columns["txt"] == [f"a {kind}" for kind in labels.values()]
    (tmp_path / "train" / "metadata.jsonl").unlink()
    (tmp_path / "train" / "metadata.csv").write_text("file_name,kind\n000.jpg,dawn\n")
    assert columns_of(open_source(tmp_path / "train"))["kind"] == ["dawn"] + [""] * 11


def painted(mode):
    """A picture of one mode, 8 x 8, and its colours as 8-bit RGB."""
    picture = Image.new("RGB", (8, 8), (200, 40, 90))
    picture.paste((0, 255, 0), (0, 0, 4, 8))
    made = picture.quantize(4) if mode == "P" else picture.convert(mode)
    return made, np.asarray(made.convert("RGB"))


@pytest.mark.parametrize("mode", ["RGB", "P", "CMYK", "1", "LA"])
@pytest.mark.parametrize("form", [None, "numpy"])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_format_of_datasets_changes_no_colour(mode, form, streamed):
    """`with_format` gives the indices of a palette and four channels of CMYK; the pictures are read as without it."""
    datasets = pytest.importorskip("datasets", reason="the package datasets is not installed")
    made, colours = painted(mode)
    features = datasets.Features({"image": datasets.Image(), "kind": datasets.Value("string")})
    rows = datasets.Dataset.from_list([{"image": made, "kind": "real"}], features=features)
    source = open_source((rows.to_iterable_dataset() if streamed else rows).with_format(form))
    assert np.array_equal(decode(source.raw(0)).pixels, colours)
    assert source.columns["kind"] == ["real"]


def test_a_transform_of_datasets_makes_the_pictures():
    datasets = pytest.importorskip("datasets", reason="the package datasets is not installed")
    features = datasets.Features({"image": datasets.Image()})
    rows = datasets.Dataset.from_list([{"image": painted("RGB")[0]}] * 2, features=features)
    white = rows.with_transform(lambda batch: {"image": [Image.new("RGB", (3, 5), "white") for _ in batch["image"]]})
    source = open_source(white)
    assert len(source) == 2 and (decode(source.raw(1)).pixels == np.full((5, 3, 3), 255)).all()
