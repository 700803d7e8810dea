"""Every parser of giqa as a function that is given the content of a file, with a few files that are right."""

from __future__ import annotations

import contextlib
import io
import json
import lzma
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.damage._forms import FILES, RAW, SAFETENSORS, TAR, ZIP, Form
from benchmarks.shared import ROOT

RNG = np.random.default_rng(0)
REALS, FAKES = RNG.normal(size=(24, 3)).astype("f4"), RNG.normal(size=(4, 3)).astype("f4") + 1
PIXELS = RNG.integers(0, 256, (24, 16, 16, 3), np.uint8)


@dataclass(frozen=True)
class Parser:
    """`make` gives files that are right; `read` is given the content of one, and a folder of its own."""

    make: Callable[[Path], list[bytes]]
    read: Callable[[bytes, Path], Any]
    form: Form = RAW
    words: tuple[str, ...] = field(default=())


def packed(files: dict[str, bytes | str]) -> bytes:
    """Several files in one content."""
    return FILES.together({n: c.encode() if isinstance(c, str) else c for n, c in files.items()})


def unpacked(data: bytes, folder: Path) -> list[str]:
    """Write them out again; the names are ours."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(archive.read(name))
        return archive.namelist()


def png(pixels: np.ndarray) -> bytes:
    from giqa.files import as_png

    return as_png(pixels)


# --- models


def models(folder: Path) -> list[bytes]:
    import giqa

    pictures = list(PIXELS)
    made = [giqa.fit(REALS, scorer=spec) for spec in ("knn(k=1)", "gmm(n_components=2)", "knn(k=2, preset='paper')")]
    made += [giqa.fit(pictures, extractor="statistics", scorer=s, store=False) for s in ("knn", "multilayer")]
    return [model.save(folder / f"{i}.giqa").read_bytes() for i, model in enumerate(made)]


def read_model(data: bytes, folder: Path) -> None:
    import giqa
    from giqa.model.file import open_model

    (folder / "a.giqa").write_bytes(data)
    model = open_model(folder / "a.giqa")
    if isinstance(model, giqa.Model):
        model.score(FAKES if model.extractor is None else list(PIXELS[:2]), store=False)


def read_header(data: bytes, folder: Path) -> None:
    from click.testing import CliRunner

    from giqa.cli import main

    (folder / "a.giqa").write_bytes(data)
    ended = CliRunner().invoke(main, ["info", str(folder / "a.giqa")], catch_exceptions=False)
    assert ended.exit_code in (0, 2), ended.exit_code


def human_models(folder: Path) -> list[bytes]:
    """The one that the tests keep: small, and made by an earlier giqa."""
    kept = ROOT / "tests" / "data" / "formats" / "unsealed" / "human.giqa.xz"
    return [lzma.decompress(kept.read_bytes())]


def read_human_model(data: bytes, folder: Path) -> None:
    from giqa.p_real.file import load_realism

    (folder / "a.giqa").write_bytes(data)
    load_realism(folder / "a.giqa").score(list(PIXELS[:2]), store=False)


def maps(folder: Path) -> list[bytes]:
    from giqa.explain.maps import fit_maps

    return [fit_maps(list(PIXELS), "statistics", ["grain"]).save(folder / "a.maps").read_bytes()]


def read_maps(data: bytes, folder: Path) -> None:
    from giqa.explain.maps import load_maps

    (folder / "a.maps").write_bytes(data)
    load_maps(folder / "a.maps").explain(PIXELS[0])


# --- the store


def stores(folder: Path) -> list[bytes]:
    from giqa.features.store import Store

    with Store(folder, {"extractor": "mine"}) as store:
        store.append([bytes([i]) * 16 for i in range(3)], np.ones(3, [("layer:deep", "<f4", (2,))]))
    return [packed({file.name[-9:]: file.read_bytes() for file in store.folder.iterdir()})]


def read_store(data: bytes, folder: Path) -> None:
    from giqa.features.store import Store, stored

    place = Store(folder, {"extractor": "mine"}).folder
    place.mkdir()
    unpacked(data, place)
    with Store(folder, {"extractor": "mine"}) as store:
        for record in store.read([bytes([i]) * 16 for i in range(4)]):
            assert record is None or store.dtype is not None
    stored(folder)


# --- spec strings


def specs(folder: Path) -> list[bytes]:
    given = [
        *("scorer knn(k=5)", "scorer gmm(n_components=2, seed=1)", "scorer multilayer(density='knn')"),
        *("extractor embedded(version=2)", "extractor statistics(scales=2)", "metric fd", "metric kd(subsets=10)"),
        *("extractor joined(of=['pixels', 'statistics'])", "match match(size=64, coding='jpeg444', quality=90)"),
    ]
    return [text.encode() for text in given]


def read_spec(data: bytes, folder: Path) -> None:
    from giqa import registry
    from giqa.errors import GiqaError
    from giqa.images.match import as_match

    kind, _, spec = data.decode("utf-8", "replace").partition(" ")
    if kind == "match":
        as_match(spec)
        return
    kind = kind if kind in ("scorer", "extractor", "metric") else "scorer"
    said = registry.canonical(kind, registry.make(kind, spec))
    try:
        again = registry.canonical(kind, registry.make_again(kind, said))
    except GiqaError as error:
        raise AssertionError(f"{said} cannot be read again: {error}") from None
    assert again == said


# --- tables


def scores_tables(folder: Path) -> list[bytes]:
    import giqa

    scores, files = giqa.fit(REALS, scorer="knn(k=1)").score(FAKES), []
    for ending in ("csv", "jsonl"):
        path = scores.write(folder / f"a.{ending}")
        found = {file.name: file.read_bytes() for file in folder.glob(f"a.{ending}*")}
        files.append(packed(found))
        files.append(packed({path.name: path.read_bytes()}))
        about = {k: v for k, v in json.loads(json.dumps(dict(scores.made_by))).items() if k not in ("table", "format")}
        if ending == "csv":  # of before there were checksums
            files.append(packed({path.name: path.read_bytes(), "a.csv.json": json.dumps(about).encode()}))
    files.append(packed({"a.tsv": (folder / "a.csv").read_text().replace(",", "\t")}))
    return files


def read_scores_table(data: bytes, folder: Path) -> None:
    import giqa

    tables = [name for name in unpacked(data, folder) if not name.endswith(".json")]
    scores = giqa.read_scores(folder / (tables or ["none.csv"])[0])
    scores.summary()
    scores.headline()


PARQUET = ({"id": ["a.png"], "z": [1.0]}, {"image": ["a.png", None], "rater": [1, 2], "said_real": [True, None]})


def parquet_content(folder: Path) -> list[bytes]:
    """What is in a Parquet file: columns, types and metadata. Its bytes are pyarrow's business."""
    about = {"giqa": '{"scorer": "knn"}', "huggingface": '{"info": {"features": {"image": {"_type": "Image"}}}}'}
    given: list[Any] = [{"columns": columns, "about": about, "as": "table"} for columns in PARQUET]
    given += [{"columns": {"image": [{"bytes": "PNG", "path": "a.png"}] * 2, "label": [0, 1]}, "about": about}]
    names = ("id", "score", "z", "percentile", "z_low", "z_high", "duplicate_of", "error", "notes")
    given += [{"columns": {name: ["1"] for name in names}, "about": {"giqa": '{"table": {}}'}, "as": "scores"}]
    return [json.dumps(one).encode() for one in given]


def read_parquet_content(data: bytes, folder: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    import giqa
    from giqa.images import open_source
    from giqa.tables.read import read_table
    from giqa.votes.votes import read_labels

    try:
        given = json.loads(data)
        columns = {name: [_picture(cell) for cell in cells] for name, cells in given["columns"].items()}
        table = pyarrow.table(columns).replace_schema_metadata({k: str(v) for k, v in given["about"].items()})
        parquet.write_table(table, folder / "a.parquet")
    except Exception:  # pyarrow writes no such table
        return
    for read in (giqa.read_scores, read_table, read_labels, lambda path: look(open_source(path))):
        expected(read, folder / "a.parquet")


def _picture(cell: Any) -> Any:
    if isinstance(cell, dict) and "bytes" in cell:
        return cell | {"bytes": png(PIXELS[0]) if cell["bytes"] == "PNG" else str(cell["bytes"]).encode()}
    return cell


def expected(read: Callable[[Any], Any], given: Any) -> None:
    """What is refused in a sentence is right, and the next reader is asked."""
    from giqa.errors import GiqaError

    with contextlib.suppress(GiqaError):
        read(given)


VOTES = {
    "crowd.csv": "task,worker,label\na.png,w1,real\nb.png,w2,fake\n",
    "crowd_pairs.csv": "worker,left,right,label\nw1,a.png,b.png,a.png\nw2,c.png,b.png,b.png\n",
    "mturk.csv": '"AssignmentStatus","WorkerId","Input.image","Answer.answer"\n"Approved","A1","a.png","real"\n',
    "mturk_many.csv": "WorkerId,Input.image1,Input.image2,Answer.answer_1,Answer.answer_2\nA1,a.png,b.png,3,4\n",
    "mturk_task.csv": 'WorkerId,Input.image,Answer.taskAnswers\nA1,a.png,"[{""answer"":{""real"":true}}]"\n',
    "prolific.csv": "PROLIFIC_PID,Status,image,answer\n5f3c,APPROVED,a.png,real\n5f3d,RETURNED,b.png,fake\n",
    "lgiqa.csv": "left,right,votes_left,votes_right\na.png,b.png,3,1\n",
    "lgiqa_votes.csv": "left,right,rater,chosen\na.png,b.png,r1,left\n",
    "labels.csv": "image,rater,said_real,kind,generator\na.png,r1,1,real,\nb.png,r1,0,fake,g\n",
    "labels_counts.csv": "image,n,n_real\na.png,5,3\n",
    "labels_sittings.csv": "rater,generator,fakes,wrong_fakes,reals,wrong_reals\nr1,g,10,3,10,2\n",
    "labels_ratings.tsv": "image\trater\trating\na.png\tr1\t1,5\n",
    "labels.jsonl": '{"image": "a.png", "rater": "r1", "said_real": true}\n',
    "studio.json": json.dumps([{"id": 1, "data": {"image": "a.png"}, "annotations": [{"completed_by": 1, "result": [
        {"type": "choices", "from_name": "answer", "to_name": "image", "value": {"choices": ["real"]}}]}]}]),
    "studio_pairs.json": json.dumps([{"id": 1, "data": {"left": "a.png", "right": "b.png"}, "annotations": [
        {"completed_by": {"id": 1}, "result": [{"type": "pairwise", "value": {"selected": "left"}}]}]}]),
    "studio.csv": "image,answer,annotator\na.png,real,1\n",
    "studio_min.json": json.dumps([{"image": "a.png", "answer": "real", "annotator": 1, "id": 1}]),
}  # fmt: skip


def votes(folder: Path) -> list[bytes]:
    return [packed({name: text}) for name, text in VOTES.items()]


def read_votes(data: bytes, folder: Path) -> None:
    from giqa.votes import exchange
    from giqa.votes.votes import read_labels

    name = unpacked(data, folder)[0]
    readers = {
        "crowd": exchange.read_crowd_kit,
        "mturk": exchange.read_mturk,
        "prolific": exchange.read_prolific,
        "lgiqa": exchange.read_lgiqa,
        "studio": exchange.read_label_studio,
        "labels": read_labels,
    }
    readers[name.partition("_")[0].partition(".")[0]](folder / name).write(folder / "out.csv")


# --- pictures


def look(source: Any) -> None:
    """Names, columns and the pixels of the first pictures of a source."""
    from giqa.errors import BadImage
    from giqa.images.decode import decode

    dict(getattr(source, "columns", {}))
    for index in range(min(3, len(source))):
        with contextlib.suppress(BadImage):
            decode(source.raw(index), max_pixels=10**7)


def npz(folder: Path) -> list[bytes]:
    files = []
    grey = {"images": PIXELS[:6, ..., 0], "ids": list("abcdef")}
    for more in ({"images": PIXELS[:6]}, {"arr_0": PIXELS[:6], "arr_1": np.arange(6)}, grey):
        file = io.BytesIO()
        np.savez(file, **more)
        files.append(file.getvalue())
    return files


def read_file(name: str) -> Callable[[bytes, Path], None]:
    def read(data: bytes, folder: Path) -> None:
        from giqa.images import open_source

        (folder / name).write_bytes(data)
        look(open_source(folder / name))

    return read


def npy(folder: Path) -> list[bytes]:
    file = io.BytesIO()
    np.save(file, PIXELS)
    return [file.getvalue()]


def archives(form: Form) -> Callable[[Path], list[bytes]]:
    def make(folder: Path) -> list[bytes]:
        plain = {f"{name}.png": png(PIXELS[0]) for name in ("a", "sub/b")}
        labels = {"dataset.json": json.dumps({"labels": [["a.png", 3], ["sub/b.png", 1]]}).encode()}
        samples = {"0001.png": png(PIXELS[1]), "0001.json": b'{"caption": "x", "n": 1}', "0001.cls": b"3"}
        return [form.together(plain), form.together(plain | labels), form.together(samples)]

    return make


def side_files(folder: Path) -> list[bytes]:
    pictures = {"a.png": png(PIXELS[0]), "b.png": png(PIXELS[1])}
    beside: list[dict[str, str]] = [
        {"metadata.csv": "file_name,label\na.png,3\nb.png,4\n"},
        {"metadata.jsonl": '{"file_name": "a.png", "label": 3}\n{"file_name": "b.png"}\n'},
        {"dataset.json": '{"labels": [["a.png", 3], ["b.png", 1]]}'},
        {"a.json": '{"caption": "x", "n": [1, 2]}', "b.json": '{"caption": "y"}'},
        {"a.txt": "a cat", "a.cls": "3"},
    ]
    return [packed(pictures | files) for files in beside]


def read_folder(data: bytes, folder: Path) -> None:
    from giqa.images import open_source

    unpacked(data, folder / "p")
    look(open_source(folder / "p"))


def lists(folder: Path) -> list[bytes]:
    table = "image,kind,epoch\na.png,real,3\nb.png,fake,4\n"
    specs = ("t.csv[kind=real]", "t.csv[epoch=1..3,kind=real|fake]", "l.txt", "r-{0..1}.tar", "*.png", "t.csv")
    return [packed({"spec": spec, "t.csv": table, "l.txt": "a.png\n# b\nb.png\n"}) for spec in specs]


def read_list(data: bytes, folder: Path) -> None:
    from giqa.images import open_source

    unpacked(data, folder)
    (folder / "a.png").write_bytes(png(PIXELS[0]))
    spec = (folder / "spec").read_text("utf-8", "replace") if (folder / "spec").exists() else "none"
    if "://" in spec or ".." in spec.replace("..", "", 1) or spec.startswith("/"):
        return
    look(open_source(f"{folder}/{spec}"))


# --- statistics, parameters, questions


def statistics(folder: Path) -> list[bytes]:
    from giqa.metrics.moments import Moments
    from giqa.metrics.reference_statistics import Statistics

    ours = Statistics(Moments.of(REALS)).write(folder / "a.npz").read_bytes()
    file, features = io.BytesIO(), io.BytesIO()
    np.savez(file, mu=np.zeros(3), sigma=np.eye(3))
    np.savez(features, x=REALS)
    return [ours, file.getvalue(), features.getvalue()]


def read_statistics_file(data: bytes, folder: Path) -> None:
    from giqa.metrics.reference_statistics import distance, read_statistics

    (folder / "a.npz").write_bytes(data)
    found = read_statistics(folder / "a.npz")
    distance(found, found)


def matlab(folder: Path) -> list[bytes]:
    import struct
    import zlib

    def element(kind: int, data: bytes) -> bytes:
        return struct.pack("<II", kind, len(data)) + data + b"\0" * (-len(data) % 8)

    parts = element(6, struct.pack("<II", 6, 0)) + element(5, struct.pack("<ii", 2, 2)) + element(1, b"mu")
    matrix = element(14, parts + element(9, np.arange(4.0).tobytes()))
    head = b" " * 124 + b"\x00\x01IM"
    deflated = zlib.compress(matrix)
    return [head + matrix, head + struct.pack("<II", 15, len(deflated)) + deflated]


def read_matlab(data: bytes, folder: Path) -> None:
    from giqa.scorers.matlab import read_mat

    (folder / "a.mat").write_bytes(data)
    read_mat(folder / "a.mat")


def questions(folder: Path) -> list[bytes]:
    toml = [(ROOT / "examples" / "questions" / f"clarity_{name}.toml").read_text() for name in ("emotion", "scale")]
    as_json = [json.dumps(tomllib.loads(text)) for text in toml]
    return [packed({f"q.{end}": text}) for end, texts in (("toml", toml), ("json", as_json)) for text in texts]


def read_question_file(data: bytes, folder: Path) -> None:
    from giqa.study.questions import parse, read_questions

    parse(read_questions(folder / unpacked(data, folder)[0]))


PARSERS = {
    "model": Parser(models, read_model, SAFETENSORS),
    "model header": Parser(models, read_header, SAFETENSORS),
    "human models": Parser(human_models, read_human_model, SAFETENSORS),
    "maps": Parser(maps, read_maps, SAFETENSORS),
    "store": Parser(stores, read_store, FILES),
    "spec strings": Parser(specs, read_spec),
    "scores tables": Parser(scores_tables, read_scores_table, FILES),
    "votes imports": Parser(votes, read_votes, FILES),
    "npz": Parser(npz, read_file("a.npz"), ZIP),
    "npy": Parser(npy, read_file("a.npy")),
    "zip": Parser(archives(ZIP), read_file("a.zip"), ZIP),
    "tar": Parser(archives(TAR), read_file("a.tar"), TAR),
    "Parquet content": Parser(parquet_content, read_parquet_content),
    "side files": Parser(side_files, read_folder, FILES),
    "lists and filters": Parser(lists, read_list, FILES),
    "statistics": Parser(statistics, read_statistics_file, ZIP),
    "MATLAB files": Parser(matlab, read_matlab),
    "questions": Parser(questions, read_question_file, FILES),
}
