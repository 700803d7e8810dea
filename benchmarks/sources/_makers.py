"""Layouts of pictures as public tools write them: one function a layout, which takes the files and where to write.

Each runs in a process of its own, imports its tool and returns what giqa is given, relative to the folder.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from PIL import Image

LABELS = ("dawn", "noon")
MAKERS: dict[str, tuple[str, Callable[[dict[str, bytes], Path], str]]] = {}  # layout -> package, maker


def layout(name: str, package: str) -> Callable:
    """Enter a maker in MAKERS."""

    def enter(make: Callable) -> Callable:
        MAKERS[name] = package, make
        return make

    return enter


def label(number: int) -> str:
    return LABELS[number % 2]


def pixels(files: dict[str, bytes]) -> np.ndarray:
    """All pictures, uint8 (n, h, w, 3)."""
    return np.stack([np.asarray(Image.open(io.BytesIO(raw)).convert("RGB")) for raw in files.values()])


# --- tar


@layout("ShardWriter, 3 shards", "webdataset")
def shard_writer(files: dict[str, bytes], folder: Path) -> str:
    from webdataset import ShardWriter

    with ShardWriter(f"{folder}/w-%06d.tar", maxcount=100, verbose=0) as sink:
        for number, (name, raw) in enumerate(files.items()):
            sink.write({"__key__": name[:-4], "png": raw, "json": {"kind": label(number)}, "txt": f"picture {number}"})
    return "w-{000000..000002}.tar"


@layout("TarWriter, .tar.gz", "webdataset")
def tar_writer(files: dict[str, bytes], folder: Path) -> str:
    from webdataset import TarWriter

    with TarWriter(f"{folder}/w.tar.gz") as sink:
        for number, (name, raw) in enumerate(files.items()):
            sink.write({"__key__": f"{label(number)}/{name[:-4]}", "image.png": raw, "cls": number % 2})
    return "w.tar.gz"


def _img2dataset(files: dict[str, bytes], folder: Path, form: str) -> None:
    from img2dataset import download

    site = folder / "site"
    site.mkdir()
    for name, raw in files.items():
        (site / name).write_bytes(raw)
    handler = partial(_Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        rows = [f"http://127.0.0.1:{server.server_port}/{name}\t{label(n)}" for n, name in enumerate(files)]
        (folder / "urls.tsv").write_text("\n".join(["url\tcaption", *rows, f"{rows[0][:25]}gone.png\tno\n"]))
        how = {"input_format": "tsv", "url_col": "url", "caption_col": "caption", "enable_wandb": False}
        how |= {"resize_mode": "no", "encode_format": "png", "number_sample_per_shard": 200}
        how |= {"processes_count": 1, "thread_count": 8, "retries": 0, "disallowed_header_directives": []}
        download(url_list=f"{folder}/urls.tsv", output_folder=f"{folder}/out", output_format=form, **how)
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@layout("output_format=webdataset", "img2dataset")
def img2dataset_tar(files: dict[str, bytes], folder: Path) -> str:
    _img2dataset(files, folder, "webdataset")
    return "out"


@layout("output_format=files", "img2dataset")
def img2dataset_files(files: dict[str, bytes], folder: Path) -> str:
    _img2dataset(files, folder, "files")
    return "out"


@layout("output_format=parquet", "img2dataset")
def img2dataset_parquet(files: dict[str, bytes], folder: Path) -> str:
    _img2dataset(files, folder, "parquet")
    return "out"


@layout("write_webdataset", "ray")
def ray_webdataset(files: dict[str, bytes], folder: Path) -> str:
    import ray

    ray.init(
        num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR", object_store_memory=1 << 27
    )
    rows = [{"__key__": name[:-4], "png": raw, "txt": label(n)} for n, (name, raw) in enumerate(files.items())]
    ray.data.from_items(rows).write_webdataset(f"{folder}/out")
    return "out"


# --- tables


@layout("Dataset.to_parquet", "datasets")
def hf_parquet(files: dict[str, bytes], folder: Path) -> str:
    _hf(files, folder).to_parquet(f"{folder}/train.parquet")
    return "train.parquet"


@layout("save_to_disk", "datasets")
def hf_disk(files: dict[str, bytes], folder: Path) -> str:
    _hf(files, folder).save_to_disk(f"{folder}/saved", num_shards=2)
    return "saved"


@layout("push_to_hub's shards", "datasets")
def hf_shards(files: dict[str, bytes], folder: Path) -> str:
    (folder / "data").mkdir()
    for n in range(2):
        _hf(files, folder).shard(2, n, contiguous=True).to_parquet(f"{folder}/data/train-{n:05d}-of-00002.parquet")
    return "data/train-*.parquet"


def _hf(files: dict[str, bytes], folder: Path):
    from datasets import ClassLabel, Dataset, Features, Image

    cells = [{"bytes": raw, "path": name} for name, raw in files.items()]
    kinds = Features({"image": Image(), "label": ClassLabel(names=list(LABELS))})
    return Dataset.from_dict({"image": cells, "label": [n % 2 for n in range(len(cells))]}, features=kinds)


@layout("ParquetWriter, binary cells", "pyarrow")
def plain_parquet(files: dict[str, bytes], folder: Path) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"id": list(files), "jpg": list(files.values()), "kind": [label(n) for n in range(len(files))]})
    pq.write_table(table, f"{folder}/t.parquet", row_group_size=64)
    return "t.parquet[kind=dawn|noon]"


@layout("Feather", "pyarrow")
def feather(files: dict[str, bytes], folder: Path) -> str:
    import pyarrow as pa
    from pyarrow.feather import write_feather

    write_feather(pa.table({"id": list(files), "image": list(files.values())}), f"{folder}/t.feather")
    return "t.feather"


@layout("write_parquet", "polars")
def polars_parquet(files: dict[str, bytes], folder: Path) -> str:
    import polars

    polars.DataFrame({"file_name": list(files), "image": list(files.values())}).write_parquet(f"{folder}/t.parquet")
    return "t.parquet"


@layout("write_dataset, binary column", "pylance")
def lance_binary(files: dict[str, bytes], folder: Path) -> str:
    import lance
    import pyarrow as pa

    table = pa.table({"id": list(files), "image": list(files.values()), "n": list(range(len(files)))})
    lance.write_dataset(table, f"{folder}/t.lance", max_rows_per_file=128)
    return "t.lance"


@layout("write_dataset, blob column", "pylance")
def lance_blob(files: dict[str, bytes], folder: Path) -> str:
    import lance
    import pyarrow as pa

    blob = pa.field("image", pa.large_binary(), metadata={"lance-encoding:blob": "true"})
    schema = pa.schema([pa.field("id", pa.string()), blob])
    table = pa.table({"id": list(files), "image": list(files.values())}, schema=schema)
    lance.write_dataset(table, f"{folder}/t.lance")
    return "t.lance"


# --- shards of training libraries


def _mds(files: dict[str, bytes], folder: Path, **how: str) -> str:
    from streaming import MDSWriter

    columns = {"name": "str", "image": "bytes", "kind": "str"}
    with MDSWriter(out=f"{folder}/mds", columns=columns, size_limit=1 << 20, **how) as sink:
        for number, (name, raw) in enumerate(files.items()):
            sink.write({"name": name, "image": raw, "kind": label(number)})
    return "mds"


@layout("MDSWriter", "mosaicml-streaming")
def mds(files: dict[str, bytes], folder: Path) -> str:
    return _mds(files, folder)


@layout("MDSWriter, zstd", "mosaicml-streaming")
def mds_zstd(files: dict[str, bytes], folder: Path) -> str:
    return _mds(files, folder, compression="zstd:7")


@layout("optimize", "litdata")
def litdata_optimize(files: dict[str, bytes], folder: Path) -> str:
    from litdata.streaming.cache import Cache

    cache = Cache(f"{folder}/lit", chunk_bytes=1 << 20)
    for number, raw in enumerate(files.values()):
        cache[number] = {"image": raw, "index": number}
    cache.done()
    cache.merge()
    return "lit"


@layout("TFRecordWriter", "tfrecord")
def tfrecord_writer(files: dict[str, bytes], folder: Path) -> str:
    from tfrecord.writer import TFRecordWriter

    sink = TFRecordWriter(f"{folder}/t.tfrecord")
    for number, raw in enumerate(files.values()):
        sink.write({"image": (raw, "byte"), "label": (number % 2, "int")})
    sink.close()
    return "t.tfrecord"


# --- databases and arrays


@layout("as StyleGAN2-pytorch writes it", "lmdb")
def lmdb_stylegan(files: dict[str, bytes], folder: Path) -> str:
    return _lmdb(folder, [(f"64-{n:05d}".encode(), raw) for n, raw in enumerate(files.values())], True)


@layout("keys are names, as LSUN writes it", "lmdb")
def lmdb_names(files: dict[str, bytes], folder: Path) -> str:
    return _lmdb(folder, [(name.encode(), raw) for name, raw in files.items()], False)


def _lmdb(folder: Path, pairs: list[tuple[bytes, bytes]], length: bool) -> str:
    import lmdb

    with lmdb.open(f"{folder}/l", map_size=1 << 28) as env, env.begin(write=True) as writing:
        for key, raw in pairs:
            writing.put(key, raw)
        if length:
            writing.put(b"length", str(len(pairs)).encode())
    return "l"


@layout("an array, chunked and packed", "h5py")
def h5_array(files: dict[str, bytes], folder: Path) -> str:
    import h5py

    with h5py.File(f"{folder}/a.h5", "w") as file:
        file.create_dataset("images", data=pixels(files), chunks=(16, 64, 64, 3), compression="gzip")
        file["ids"] = list(files)
    return "a.h5"


@layout("encoded files of any length", "h5py")
def h5_bytes(files: dict[str, bytes], folder: Path) -> str:
    import h5py

    with h5py.File(f"{folder}/b.h5", "w") as file:
        cells = file.create_dataset("images", (len(files),), dtype=h5py.vlen_dtype(np.uint8))
        for number, raw in enumerate(files.values()):
            cells[number] = np.frombuffer(raw, np.uint8)
    return "b.h5"


@layout("format 3", "zarr")
def zarr_3(files: dict[str, bytes], folder: Path) -> str:
    return _zarr(files, folder, 3)


@layout("format 2", "zarr")
def zarr_2(files: dict[str, bytes], folder: Path) -> str:
    return _zarr(files, folder, 2)


def _zarr(files: dict[str, bytes], folder: Path, version: int) -> str:
    import zarr

    images = pixels(files)
    array = zarr.create_array(
        f"{folder}/a.zarr", shape=images.shape, dtype="uint8", chunks=(32, 64, 64, 3), zarr_format=version
    )
    array[:] = images
    return "a.zarr"


@layout("npz as ADM samples it", "numpy")
def adm(files: dict[str, bytes], folder: Path) -> str:
    np.savez(f"{folder}/samples.npz", pixels(files), np.arange(len(files)) % 2)
    return "samples.npz"


# --- what is refused


@layout("torch.save", "torch")
def torch_save(files: dict[str, bytes], folder: Path) -> str:
    import torch

    torch.save(torch.from_numpy(pixels(files)), f"{folder}/a.pt")
    return "a.pt"


@layout("save_file", "safetensors")
def safetensors_file(files: dict[str, bytes], folder: Path) -> str:
    from safetensors.numpy import save_file

    save_file({"images": pixels(files)}, f"{folder}/a.safetensors")
    return "a.safetensors"


@layout("savemat", "scipy")
def matlab(files: dict[str, bytes], folder: Path) -> str:
    from scipy.io import savemat

    savemat(f"{folder}/a.mat", {"images": pixels(files)})
    return "a.mat"


def make(name: str, plain: str, folder: str) -> None:
    """Print, as JSON, the version of the package and what giqa is given."""
    from importlib.metadata import version

    package, maker = MAKERS[name]
    files = {path.name: path.read_bytes() for path in sorted(Path(plain).iterdir())}
    where = maker(files, Path(folder))
    print(json.dumps([version(package), where]))
