"""TFRecords, HDF5, zarr, MDS, litdata; and what is refused."""

import gzip
import json
import pickle
import struct

import numpy as np
import pytest
from PIL import Image

from giqa.errors import BadImage, BadSource, MissingExtra
from giqa.images import open_source
from giqa.images.decode import decode
from giqa.images.sources.tfrecord import crc32c, masked
from giqa.types import columns_of


def slow_crc32c(content):
    """Bit by bit, by the definition in RFC 3720."""
    checksum = 0xFFFFFFFF
    for byte in content:
        checksum ^= byte
        for _ in range(8):
            checksum = checksum >> 1 ^ (0x82F63B78 if checksum & 1 else 0)
    return checksum ^ 0xFFFFFFFF


@pytest.mark.parametrize("length", [0, 1, 9, 255, 256, 257, 1000, 1024])
def test_crc32c_is_the_definition(length):
    """In rows of 256 bytes as byte by byte; 32 zeros give what RFC 3720, B.4 says."""
    content = np.random.default_rng(length).bytes(length)
    assert crc32c(content) == slow_crc32c(content)
    assert crc32c(bytes(32)) == 0x8A9136AA


def part(number, content):
    """A field of a protocol buffer: bytes, or an integer."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def example(**features):
    """A tf.train.Example, written by hand."""
    entries = b""
    for name, value in features.items():
        if isinstance(value, bytes):
            made = part(1, part(1, value))
        elif isinstance(value, float):
            made = part(2, part(1, struct.pack("<f", value)))
        else:
            made = part(3, part(1, b"".join(map(varint, value))))
        entries += part(1, part(1, name.encode()) + part(2, made))
    return part(1, entries)


def records(path, contents):
    """A file of TFRecords."""
    frame = b"".join(
        (head := struct.pack("<Q", len(each)))
        + struct.pack("<I", masked(slow_crc32c(head)))
        + each
        + struct.pack("<I", masked(crc32c(each)))
        for each in contents
    )
    path.write_bytes(frame)
    return path


@pytest.fixture
def square(files):
    """The twelve as pixels of one size."""
    return np.stack([decode(raw).pixels[:20, :20] for raw in files.values()])


def test_tfrecords_of_encoded_files(tmp_path, files, labels, same):
    """The one part that begins as a picture; numbers and texts are columns; several files are shards."""
    made = [
        example(**{"image/encoded": raw, "image/class/label": [n], "image/text": labels[name].encode(), "w": 0.5})
        for n, (name, raw) in enumerate(files.items())
    ]
    source, _ = same(records(tmp_path / "a.tfrecord", made), by_name=False)
    assert columns_of(source)["image/class/label"] == [str(n) for n in range(12)]
    assert columns_of(source)["image/text"] == list(labels.values()) and columns_of(source)["w"] == ["0.5"] * 12
    assert pickle.loads(pickle.dumps(source)).raw(3) == source.raw(3)
    (tmp_path / "s").mkdir()
    for shard in range(2):
        records(tmp_path / "s" / f"t-{shard}.tfrecord", made[6 * shard : 6 * shard + 6])
    assert same(tmp_path / "s", by_name=False)[0].ids[6] == "t-1/0"


def test_tfrecords_of_stylegan(tmp_path, square):
    """Pixels in the order channel, row, column; `shape` may be one number; `.labels` are classes."""
    made = [
        example(shape=[3, 20, 20] if n % 2 else [20], data=pixels.transpose(2, 0, 1).tobytes())
        for n, pixels in enumerate(square)
    ]
    for level in ("05", "04"):
        records(tmp_path / f"f-r{level}.tfrecords", made)
    np.save(tmp_path / "f-rxx", np.eye(12, 3, dtype=np.float32))
    (tmp_path / "f-rxx.npy").rename(tmp_path / "f-rxx.labels")
    source = open_source(tmp_path / "f-r05.tfrecords")
    assert all(np.array_equal(source.raw(i), square[i]) for i in range(12))
    assert columns_of(source)["label"] == ["0", "1", "2"] + [""] * 9
    with pytest.raises(BadSource, match=r"several sizes; give one of f-r04\.tfrecords, f-r05\.tfrecords"):
        open_source(f"{tmp_path}/f-r*.tfrecords")
    bad = open_source(
        records(tmp_path / "b.tfrecord", [example(shape=[3, 20, 21], data=square[0].tobytes()), b"\x0a\x63"])
    )
    with pytest.raises(BadImage, match=r"1200 bytes do not fit the shape \(3, 20, 21\)"):
        bad.raw(0)
    with pytest.raises(BadImage, match=r"record 1 is no tf\.train\.Example"):
        bad.raw(1)


def test_damaged_tfrecords_are_refused(tmp_path, files):
    """A wrong length refuses the file, wrong data the record, a cut file says so."""
    path = records(tmp_path / "a.tfrecord", [example(image=raw) for raw in files.values()])
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    source = open_source(path)
    with pytest.raises(BadImage, match="record 0 is damaged: the checksum of its data is wrong"):
        source.raw(0)
    assert source.raw(1) == files["001.png"]
    path.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    with pytest.raises(BadSource, match="record 0 at byte 0 has a wrong checksum of its length"):
        open_source(path)
    path.write_bytes(whole[:-7])
    with pytest.raises(BadSource, match="cut short in record 11"):
        open_source(path)


def write_hdf5(path, arrays, encoded=None):
    h5py = pytest.importorskip("h5py", reason="the extra [arrays] is not installed")
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array, chunks=(2, *array.shape[1:]) if array.ndim == 4 else None)
        if encoded:
            rows = file.create_dataset("jpg", (len(encoded),), h5py.vlen_dtype(np.uint8))
            for row, raw in enumerate(encoded):
                rows[row] = np.frombuffer(raw, np.uint8)
    return path


def write_zarr(path, arrays):
    zarr = pytest.importorskip("zarr", reason="the extra [arrays] is not installed")
    group = zarr.open_group(str(path), mode="w")
    for name, array in arrays.items():
        group.create_array(name, data=array, chunks=(2, *array.shape[1:]))
    return path


@pytest.mark.parametrize("name", ["x.h5", "x.hdf5", "x.zarr"])
def test_arrays_on_disk(tmp_path, square, name):
    """The array of pictures, labels as columns; a row that was never written fails alone."""
    square[7] = 0
    write = write_zarr if name.endswith("zarr") else write_hdf5
    path = write(tmp_path / name, {"images": square, "label": np.arange(12), "mean": np.zeros((20, 20, 3))})
    source = open_source(path)
    assert all(np.array_equal(source.raw(i), square[i]) for i in range(12) if i != 7)
    assert columns_of(source) == {"label": [str(n) for n in range(12)]} and source.ids[11] == "11"
    with pytest.raises(BadImage, match="row 7 holds zeros only: it was never written, or it is black"):
        source.raw(7)
    assert len(source._chunks) == 4
    assert np.array_equal(pickle.loads(pickle.dumps(source)).raw(3), square[3])


def test_columns_of_one_name_in_two_groups_stay_apart(tmp_path, square):
    arrays = {"images": square, "asked/label": np.arange(12), "said/label": np.arange(12) + 5, "said/n": np.ones(12)}
    columns = columns_of(open_source(write_hdf5(tmp_path / "x.h5", arrays)))
    assert (columns["asked/label"][0], columns["said/label"][0], columns["n"][0]) == ("0", "5", "1")


def test_hdf5_of_encoded_files(tmp_path, files, same):
    """Rows of any length are the bytes of files."""
    same(write_hdf5(tmp_path / "x.h5", {}, list(files.values())), by_name=False)


def test_arrays_that_are_no_pictures_are_refused(tmp_path, square):
    """Channels first, none, several."""
    with pytest.raises(BadSource, match="has the channels first"):
        open_source(write_hdf5(tmp_path / "x.h5", {"x": square.transpose(0, 3, 1, 2)}))
    with pytest.raises(BadSource, match=r"should hold an array called images; it holds a \(12, 20, 20, 3\), b"):
        open_source(write_hdf5(tmp_path / "y.h5", {"a": square, "b": square}))


def samples_file(path, samples):
    """A count, the offsets, the samples: what MDS and litdata have in common."""
    at = 4 * (len(samples) + 2)
    offsets = np.cumsum([at, *map(len, samples)]).astype("<u4")
    path.write_bytes(np.uint32(len(samples)).tobytes() + offsets.tobytes() + b"".join(samples))


def write_mds(folder, columns, rows):
    """Shards of six samples as mosaicml-streaming 0.13 writes them."""
    shards, names = [], list(columns)
    sizes = [8 if columns[name] == "int" else None for name in names]
    for shard in range(len(rows) // 6):
        samples = []
        for row in rows[6 * shard : 6 * shard + 6]:
            heads = b"".join(
                struct.pack("<I", len(row[name])) for name, size in zip(names, sizes, strict=True) if not size
            )
            samples.append(heads + b"".join(row[name] for name in names))
        samples_file(folder / f"shard.{shard:05d}.mds", samples)
        about = {"column_names": names, "column_encodings": list(columns.values()), "column_sizes": sizes}
        file = {"basename": f"shard.{shard:05d}.mds", "bytes": 0, "hashes": {}}
        shards.append({**about, "format": "mds", "raw_data": file, "zip_data": None, "samples": 6, "compression": None})
    (folder / "index.json").write_text(json.dumps({"version": 2, "shards": shards}))


def _zstd(content):
    return pytest.importorskip("pyarrow").compress(content, "zstd", asbytes=True)


def test_mds_is_read(tmp_path, files, labels, same):
    """Stored bytes as they are; numbers and texts are columns."""
    rows = [
        {"image": raw, "label": np.int64(n).tobytes(), "text": labels[name].encode()}
        for n, (name, raw) in enumerate(files.items())
    ]
    write_mds(tmp_path, {"image": "jpeg", "label": "int", "text": "str"}, rows)
    source, _ = same(tmp_path, by_name=False)
    assert columns_of(source) == {"label": [str(n) for n in range(12)], "text": list(labels.values())}
    assert pickle.loads(pickle.dumps(source)).raw(9) == source.raw(9)
    index = json.loads((tmp_path / "index.json").read_text())
    for shard, kind, pack in zip(index["shards"], ("zstd:3", "gz"), (_zstd, gzip.compress), strict=True):
        path = tmp_path / shard["raw_data"]["basename"]
        shard["zip_data"] = {"basename": f"{path.name}.{kind[:4]}"}
        shard["compression"] = kind
        (tmp_path / shard["zip_data"]["basename"]).write_bytes(pack(path.read_bytes()))
        path.unlink()
    (tmp_path / "index.json").write_text(json.dumps(index))
    packed, _ = same(tmp_path, by_name=False)
    assert pickle.loads(pickle.dumps(packed)).raw(9) == packed.raw(9)
    index["shards"][0]["compression"] = "br:11"
    (tmp_path / "index.json").write_text(json.dumps(index))
    with pytest.raises(BadSource, match="is packed with br; what is read is zstd, gz, bz2, xz"):
        open_source(tmp_path)
    for shard in index["shards"]:
        shard["zip_data"] = None
    (tmp_path / "index.json").write_text(json.dumps(index))
    (tmp_path / "shard.00000.mds").write_bytes(b"")
    with pytest.raises(BadSource, match=r"lists 'shard\.00001\.mds', which is missing"):
        open_source(tmp_path)


def as_pil(image):
    mode = image.mode.encode()
    return np.array([*image.size, len(mode)], "<u4").tobytes() + mode + image.tobytes()


def test_pictures_stored_as_pil(tmp_path, square):
    """Raw pixels by their mode; a palette picture lost its palette."""
    rows = [{"image": as_pil(Image.fromarray(pixels))} for pixels in square]
    rows[5] = {"image": as_pil(Image.fromarray(square[5]).convert("P"))}
    rows[6] = {"image": as_pil(Image.fromarray(square[6, ..., 0].astype(np.uint16) * 256))}
    write_mds(tmp_path, {"image": "pil"}, rows)
    source = open_source(tmp_path)
    assert np.array_equal(source.raw(4), square[4]) and source.raw(6).dtype == np.uint16
    with pytest.raises(BadImage, match="a palette picture, stored without its palette"):
        source.raw(5)


def test_litdata_is_read(tmp_path, files, same):
    """A dict of a picture and a number, in two chunks."""
    chunks = []
    for chunk in range(2):
        here = list(files.values())[6 * chunk : 6 * chunk + 6]
        samples = [struct.pack("<2I", len(raw), 8) + raw + struct.pack("<q", n) for n, raw in enumerate(here)]
        samples_file(tmp_path / f"chunk-0-{chunk}.bin", samples)
        chunks.append({"chunk_bytes": 0, "chunk_size": 6, "dim": None, "filename": f"chunk-0-{chunk}.bin"})
    leaf = {"type": None, "context": None, "children_spec": []}
    spec = {"type": "builtins.dict", "context": '["face", "k"]', "children_spec": [leaf, leaf]}
    config = {"data_format": ["jpeg", "int"], "data_spec": json.dumps([1, spec]), "compression": None}
    (tmp_path / "index.json").write_text(json.dumps({"chunks": chunks, "config": config}))
    source, _ = same(tmp_path, by_name=False)
    assert columns_of(source) == {"k": [*map(str, range(6))] * 2}
    (tmp_path / "index.json").write_text(json.dumps({"chunks": chunks, "config": {**config, "compression": "zstd"}}))
    with pytest.raises(BadSource, match="is compressed or encrypted; write it with neither"):
        open_source(tmp_path)


def test_litdata_with_samples_in_an_arrow_file_is_read(tmp_path, files, labels, same):
    """As litdata 0.2.76 writes dicts of plain values: offsets without samples, an Arrow file, its length, a mark."""
    pa = pytest.importorskip("pyarrow")
    chunks = []
    for chunk in range(2):
        rows = slice(6 * chunk, 6 * chunk + 6)
        table = pa.table({"face": list(files.values())[rows], "kind": list(labels.values())[rows]})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=4)
        ipc = sink.getvalue().to_pybytes()
        content = struct.pack("<8I", 6, *[32] * 7) + ipc + struct.pack("<I", len(ipc)) + b"LDARW01\0"
        (tmp_path / f"chunk-0-{chunk}.bin").write_bytes(content)
        chunks.append({"chunk_bytes": len(content), "chunk_size": 6, "dim": None, "filename": f"chunk-0-{chunk}.bin"})
    config = {"data_format": ["bytes", "str"], "data_spec": None, "compression": None, "ipc_compression": None}
    (tmp_path / "index.json").write_text(json.dumps({"chunks": chunks, "config": config}))
    source, _ = same(tmp_path, by_name=False)
    assert columns_of(source)["kind"] == list(labels.values())


@pytest.mark.parametrize(
    "name, message",
    [
        ("a.pt", "is a pickle, which is never opened.*load it in Python"),
        ("a.mat", r"is a MATLAB file; give scipy\.io\.loadmat"),
        ("train-images-idx3-ubyte", "is the IDX format of MNIST; read it in Python"),
        ("a.xlsx", "is a workbook; save the sheet as CSV"),
        ("a.7z", "is 7z archive; unpack it first"),
    ],
)
def test_known_forms_that_are_not_read_say_what_to_do(tmp_path, name, message):
    """One sentence with the remedy."""
    (tmp_path / name).write_bytes(b"7z\xbc\xaf\x27\x1c")
    with pytest.raises(BadSource, match=message):
        open_source(tmp_path / name)


@pytest.mark.parametrize("blob", [False, True])
def test_lance_is_read(tmp_path, files, labels, same, blob):
    """Cells of bytes, also as blobs; three fragments, one row deleted; the version that it had when it was opened."""
    lance = pytest.importorskip("lance", reason="the extra [lance] is not installed")
    import pyarrow as pa

    metadata = {"lance-encoding:blob": "true"} if blob else None
    fields = [pa.field("id", pa.string()), pa.field("image", pa.large_binary(), metadata=metadata)]
    cells = {"id": ["none", *files], "image": [b"no", *files.values()], "kind": ["x", *labels.values()]}
    table = pa.table(cells, schema=pa.schema([*fields, pa.field("kind", pa.string())]))
    data = lance.write_dataset(table, str(tmp_path / "x.lance"), max_rows_per_file=5)
    data.delete("id = 'none'")
    source, _ = same(tmp_path / "x.lance")
    assert columns_of(source)["kind"] == list(labels.values())
    noon = open_source(f"{tmp_path}/x.lance[kind=noon]")
    assert set(noon.ids) == {name for name, kind in labels.items() if kind == "noon"}
    lance.dataset(str(tmp_path / "x.lance")).delete("kind = 'noon'")
    again = pickle.loads(pickle.dumps(source))
    assert [again.raw(row) for row in range(12)] == list(files.values())


def test_a_lance_data_set_without_pylance_names_the_extra(tmp_path, monkeypatch):
    """What to install."""
    monkeypatch.setitem(__import__("sys").modules, "lance", None)
    (tmp_path / "x.lance" / "_versions").mkdir(parents=True)
    with pytest.raises(MissingExtra, match=r"is a Lance data set, which needs pylance: pip install 'giqa\[lance\]'"):
        open_source(tmp_path / "x.lance")


@pytest.mark.parametrize("package, name", [("h5py", "x.h5"), ("zarr", "x.zarr")])
def test_a_missing_package_is_named(tmp_path, monkeypatch, package, name):
    """By the extra that installs it."""
    monkeypatch.setitem(__import__("sys").modules, package, None)
    path = tmp_path / name
    if package == "zarr":
        path.mkdir()
        (path / "zarr.json").write_text("{}")
    else:
        path.write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(MissingExtra, match=rf"needs? the package {package}: pip install 'giqa\[arrays\]'"):
        open_source(path)
