"""Files: every byte is covered, two that belong together are known, those without checksums are still read."""

import contextlib
import csv
import dataclasses
import json
import lzma
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors import safe_open
from safetensors.numpy import load_file, save

import giqa
from giqa.cli import main
from giqa.errors import BadModel, BadSpec, BadTable, GiqaError
from giqa.explain import load_maps
from giqa.explain.maps import fit_maps
from giqa.features.detail import VERSION
from giqa.files import is_whole, read_sealed, seal, sealed
from giqa.model.file import read_header, read_model
from giqa.model.load_model import _model
from giqa.p_real import load_realism
from giqa.types import INFO

OLD = Path(__file__).parents[1] / "data" / "formats" / "unsealed"  # before files had checksums
RNG = np.random.default_rng(0)
REALS, FAKES = RNG.normal(size=(24, 3)).astype("f4"), RNG.normal(size=(4, 3)).astype("f4") + 1


def unpacked(tmp_path, name):
    (tmp_path / name).write_bytes(lzma.decompress((OLD / f"{name}.xz").read_bytes()))
    return tmp_path / name


def test_a_model_of_format_2_scores_as_it_did():
    """Score and z to the last digits; the ends of the interval to seven, since Student's t then had seven."""
    scores = giqa.load(OLD / "reals.giqa").score(FAKES)
    expected = np.load(OLD / "expected.npy")
    assert np.allclose([scores.score, scores.z], expected[:2], rtol=1e-12)
    assert np.allclose([scores.z_low, scores.z_high], expected[2:], rtol=1e-6)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_table_without_checksums_is_read_without_a_word(ending):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = giqa.read_scores(OLD / f"scores.{ending}")
    assert np.allclose(scores.z, np.load(OLD / "expected.npy")[1]) and scores.made_by["scorer"].startswith("knn(k=1")


def test_a_human_model_of_format_1_says_what_it_said(tmp_path):
    pictures = [np.random.default_rng(i).integers(0, 256, (8, 8, 3), np.uint8) for i in range(3)]
    scores = load_realism(unpacked(tmp_path, "human.giqa")).score(pictures, store=False)
    assert np.allclose([scores.p_real, scores.p_real_low, scores.p_real_high], np.load(OLD / "p_real.npy"), atol=1e-6)


def test_maps_of_format_1_are_read(tmp_path):
    assert load_maps(unpacked(tmp_path, "small.maps")).explain(np.zeros((8, 8, 3), np.uint8)).beyond == 1


@pytest.mark.slow
def test_every_byte_of_a_model_is_covered(tmp_path):
    """Whichever byte is flipped: the file is refused, or it was one that says nothing and all is as it was."""
    model = giqa.fit(REALS, scorer="knn(k=1)")
    whole = model.save(tmp_path / "whole.giqa").read_bytes()
    good, damaged = model.score(FAKES), tmp_path / "damaged.giqa"
    refused = 0
    for place in range(0, len(whole), 5):
        flipped = bytearray(whole)
        flipped[place] ^= 16
        damaged.write_bytes(flipped)
        try:
            found = giqa.load(damaged)
        except GiqaError:
            refused += 1
            continue
        assert found.reals.ids == model.reals.ids and np.array_equal(found.matrix, model.matrix)
        assert np.array_equal(found.score(FAKES).z_low, good.z_low) and found.made_by == model.made_by
    assert refused > 0.95 * len(range(0, len(whole), 5))


@pytest.mark.parametrize("what", ["reals.ids", "reals.matrix", "scale.held_out", "seed", "match", "made_by", "format"])
def test_what_a_model_does_not_learn_from_is_covered_too(tmp_path, what):
    """A changed array or entry of the header, in a file that is well formed, is refused."""
    path = giqa.fit(REALS, scorer="knn(k=1)").save(tmp_path / "a.giqa")
    arrays = load_file(path)
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["giqa"])
    if what in arrays:
        arrays[what] = arrays[what].copy()
        arrays[what].ravel()[0] += 1
    else:
        header[what] = {"seed": 1, "match": "match(size=64)", "made_by": {}, "format": 2}[what]
    path.write_bytes(save(arrays, metadata={"giqa": json.dumps(header)}))
    with pytest.raises(BadModel, match="damaged"):
        giqa.load(path)


def test_a_file_that_another_program_copied_is_whole(tmp_path):
    """The checksum is of the content, not of its layout."""
    path = giqa.fit(REALS, scorer="knn(k=1)").save(tmp_path / "a.giqa")
    with safe_open(path, framework="numpy") as file:
        header = file.metadata()["giqa"]
    path.write_bytes(save(dict(reversed(load_file(path).items())), metadata={"other": "x", "giqa": header}))
    assert len(giqa.load(path).reals) == 24


def test_a_seal_covers_names_types_shapes_and_header():
    arrays = {"a": np.arange(4, dtype="f4")}
    header = seal({"x": 1}, arrays)
    assert is_whole(header, arrays) and is_whole(json.loads(json.dumps(header)), {"a": arrays["a"].copy()})
    others = ({"b": arrays["a"]}, {"a": arrays["a"].astype("f8")}, {"a": arrays["a"].reshape(2, 2)}, {})
    assert not any(is_whole(header, other) for other in others)
    assert not is_whole(header | {"x": 2}, arrays) and not is_whole({"x": 1}, arrays)


@pytest.fixture
def runs(tmp_path):
    """Two scorings of the same pictures, each written."""
    made = []
    for scorer in ("knn", "sgm"):
        scores = giqa.score(FAKES, real=REALS, scorer=scorer)
        for ending in ("csv", "jsonl", "parquet"):
            scores.write(tmp_path / scorer / f"s.{ending}")
        made.append(scores)
    return tmp_path, made


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_table_comes_back_as_it_was(runs, ending):
    where, (knn, _) = runs
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = giqa.read_scores(where / "knn" / f"s.{ending}")
    assert np.array_equal(scores.score, knn.score) and dict(scores.made_by) == json.loads(json.dumps(dict(knn.made_by)))


def test_a_table_next_to_the_made_by_of_another_run_is_refused(runs):
    where, _ = runs
    shutil.copy(where / "sgm" / "s.csv.json", where / "knn" / "s.csv.json")
    with pytest.raises(BadTable, match=r"do not belong together.*delete s\.csv\.json"):
        giqa.read_scores(where / "knn" / "s.csv")


def test_a_damaged_made_by_is_refused(runs):
    where, _ = runs
    path = where / "knn" / "s.csv.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(BadTable, match="damaged"):
        giqa.read_scores(where / "knn" / "s.csv")


def test_a_table_that_was_filtered_is_read_with_a_warning(runs):
    """Half of its rows, in another order, are still scores of that run; one that was changed is not."""
    where, (knn, _) = runs
    path = where / "knn" / "s.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *rows[::-2]]) + "\n")
    with pytest.warns(UserWarning, match="was changed since giqa wrote it"):
        assert list(giqa.read_scores(path).id) == list(knn.id)[::-2]
    number = rows[3].split(",")[1]
    path.write_text("\n".join([header, *rows[:3], rows[3].replace(number, "7")]) + "\n")
    with pytest.raises(BadTable, match="scores 7 in the table"):
        giqa.read_scores(path)


def test_every_byte_of_jsonl_is_covered(runs):
    """A flipped byte is refused or warned of; or it was the last digit of a number that is the same without it."""
    where, (knn, _) = runs
    path = where / "knn" / "s.jsonl"
    whole, same = path.read_bytes(), 0
    for place in range(0, len(whole), 11):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        path.write_bytes(flipped)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                scores = giqa.read_scores(path)
            except (GiqaError, UserWarning):
                continue
        assert np.array_equal(scores.score, knn.score) and scores.made_by["seed"] == knn.made_by["seed"]
        same += 1
    assert same <= 2


RUNS = ['=HYPERLINK("x").png', "+cmd|' /C calc'!A0", "-2+SUM(1).png", "@f(1).png", "'=f(1).png"]
RESTS = ["-1girl.png", "=1.png", "'q.png", "@user.png", "a (=1).png"]


def test_no_name_in_a_table_calls_anything_in_a_spreadsheet(tmp_path):
    """A name that could gets a quote in the CSV alone; names that only look odd are written as they are."""
    names, z, none = RUNS + RESTS, np.arange(10.0), [""] * 10
    scores = giqa.Scores(names, z, z, z, z, z, ["", *names[:-1]], none, none, none)
    path = scores.write(tmp_path / "s.csv")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [f"'{name}" for name in RUNS] + RESTS
    assert [row["duplicate_of"] for row in rows[1:6]] == [f"'{name}" for name in RUNS]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = giqa.read_scores(path)
    assert list(again.id) == names and list(again.duplicate_of) == ["", *names[:-1]]


def resealed(path, **changed):
    """The file again, with other arrays or entries of the header, under a checksum that fits."""
    arrays = load_file(path)
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["giqa"])
    header |= {name: value for name, value in changed.items() if not isinstance(value, np.ndarray)}
    arrays |= {name: value for name, value in changed.items() if isinstance(value, np.ndarray)}
    path.write_bytes(save(arrays, metadata={"giqa": json.dumps(seal(header, arrays))}))
    return path


DETAIL = f"reals.detail_{VERSION}"
MADE = [
    {"layers": {"features": 2}},
    {"layers": {"features": -1}},
    {"scorer": "gmm"},
    {"learned": {"parts_.9.k": 1}},
    {"made_by": [1]},
    {"made_by": {"levels": 3}},
    {"made_by": {"asked": "all"}},
    {"extractor": ["embedded"]},
    {"seed": -1},
    {"reals.matrix": REALS[:, :2]},
    {"reals.matrix": REALS[None]},
    {"reals.info": np.zeros(0, np.uint8)},
    {"reals.info": np.zeros(23, INFO).view(np.uint8)},
    {DETAIL: np.zeros((2, 24))},
    {DETAIL: np.zeros(0)},
    {"reals.ids": np.frombuffer(b"[" * 2000, np.uint8)},
    {"reals.ids": np.frombuffer(b'["a"]', np.uint8)},
    {"identity": 5},
    {"identity": ["layers"]},
    {"scale.held_out": np.full(len(REALS), np.nan)},
    {"reals.thumbnails": np.zeros(9, np.uint8), "reals.thumbnail_rows": np.array([[0, 9], [1, -9], [2, 9]])},
    {"format": "\x1b[31m" * 500},
]


@pytest.mark.parametrize("changed", MADE, ids=str)
def test_a_model_that_somebody_made_by_hand_is_refused(tmp_path, changed):
    """Parts that do not fit together, under a checksum that does; the digest knows nothing of them."""
    with pytest.raises(GiqaError):
        giqa.load(resealed(giqa.fit(REALS, scorer="knn(k=1)").save(tmp_path / "a.giqa"), **changed))


@pytest.mark.parametrize("learned", [{"k_": 10**9}, {"k_": 0}, {"k_": -1}, {"floor_": float("nan")}], ids=str)
def test_a_model_that_learned_what_no_fit_finds_is_refused(tmp_path, learned):
    """Under a digest that fits: the number of neighbours decides the size of an array."""
    path = giqa.fit(REALS, scorer="knn(k=1)").save(tmp_path / "a.giqa")
    header, arrays = read_model(path)
    header["learned"] |= learned
    path = resealed(path, learned=header["learned"], digest=_model(header, arrays).digest)
    with pytest.raises(BadModel, match="is damaged"):
        giqa.load(path)


@pytest.mark.parametrize(
    "said",
    [
        '{"reals": "many"}',
        '{"reals": 1e30}',
        f'{{"reals": {2**70}}}',
        '{"asked": 3}',
        '{"shared": {}}',
        '{"twins": []}',
    ],
)
def test_a_made_by_that_somebody_wrote_by_hand_is_refused(runs, said):
    """Without a checksum, and with values of a kind that giqa never writes."""
    where, _ = runs
    (where / "knn" / "s.csv.json").write_text(said)
    with pytest.raises(BadTable, match=r"made_by is .* nothing that giqa writes there"):
        giqa.read_scores(where / "knn" / "s.csv")


@pytest.mark.parametrize("read", [lambda name: giqa.load(f"{name}.giqa"), lambda name: giqa.read_scores(f"{name}.csv")])
def test_a_name_that_no_file_can_have_is_refused(read):
    with pytest.raises(BadSpec, match="No file has a name of more than 255 bytes"):
        read("a" * 252)


def test_a_header_of_deep_json_is_refused(tmp_path):
    (tmp_path / "a.giqa").write_bytes(save({"a": REALS}, metadata={"giqa": "[" * 100_000}))
    with pytest.raises(BadModel, match="RecursionError"):
        giqa.load(tmp_path / "a.giqa")


def test_the_name_of_what_parquet_says_is_covered(runs):
    """One bit in it, and the table would be read as one that does not say how it was made."""
    pytest.importorskip("pyarrow", reason="giqa[parquet] is not installed")
    from pyarrow import parquet

    path = runs[0] / "knn" / "s.parquet"
    table = parquet.read_table(path)
    parquet.write_table(table.replace_schema_metadata({"gipa": table.schema.metadata[b"giqa"]}), path)
    with pytest.raises(BadTable, match="under another name"):
        giqa.read_scores(path)


@pytest.mark.parametrize("what", ["z", "id", "order"])
def test_every_cell_of_parquet_is_covered(runs, what):
    """Another number, text, or order of the columns, in a file that is well formed, is warned of."""
    pyarrow = pytest.importorskip("pyarrow", reason="giqa[parquet] is not installed")
    from pyarrow import parquet

    where, _ = runs
    path = where / "knn" / "s.parquet"
    table = parquet.read_table(path)
    columns = table.to_pydict()
    if what == "order":
        columns = dict(reversed(columns.items()))
    else:
        columns[what][1] = np.nextafter(columns["z"][1], 9) if what == "z" else "other"
    parquet.write_table(pyarrow.table(columns).replace_schema_metadata(table.schema.metadata), path)
    with pytest.warns(UserWarning, match="was changed since giqa wrote it"):
        giqa.read_scores(path)


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises(BadModel, match="is a folder; a model is a file"):
        read_header(tmp_path)


def test_too_little_memory_is_no_damage(tmp_path, monkeypatch):
    """Nobody is told to fit a model again that is whole."""
    path = giqa.fit(REALS, scorer="knn(k=1)").save(tmp_path / "a.giqa")

    def refuse(*_):
        raise MemoryError

    monkeypatch.setattr("giqa.model.load_model._model", refuse)
    with pytest.raises(MemoryError):
        giqa.load(path)


def test_no_byte_of_a_sealed_file_changes_what_it_says(tmp_path):
    """Each byte in turn is another; a file of before, without a checksum, is read."""
    from safetensors import SafetensorError
    from safetensors.numpy import save

    said, arrays = {"a": [1, 0.5]}, {"x": np.arange(3.0), "n": np.array(7)}
    file, whole = tmp_path / "a.file", sealed(said, arrays, "giqa.mine")
    assert whole == sealed(said, arrays, "giqa.mine")
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            found, numbers = read_sealed(file, "giqa.mine")
        except (SafetensorError, ValueError, KeyError, TypeError, OSError):
            continue
        assert found == said and all(np.array_equal(numbers[name], array) for name, array in arrays.items())
    file.write_bytes(save(arrays, metadata={"giqa.mine": json.dumps(said)}))
    assert read_sealed(file, "giqa.mine")[0] == said


WRITTEN = [None, -1e308, [], {"reals": "many"}, {"human": 3}, {"human": {"splits": {"x": {}}}}]


@pytest.mark.parametrize(
    ("key", "version", "made_by"),
    [("giqa", 3, made_by) for made_by in WRITTEN]
    + [("giqa.people", 2, made_by) for made_by in (*WRITTEN[:4], {"scorer": "human()", "splits": {"x": {}}})],
)
def test_a_file_whose_made_by_is_nothing_that_giqa_writes_says_so(tmp_path, key, version, made_by):
    header = {"format": version} | ({} if made_by is None else {"made_by": made_by})
    (tmp_path / "a.giqa").write_bytes(save({"x": REALS}, metadata={key: json.dumps(seal(header, {}))}))
    said = CliRunner().invoke(main, ["info", str(tmp_path / "a.giqa")])
    assert said.exit_code == 2 and "made_by is nothing that giqa writes" in said.output


@pytest.mark.parametrize("odd", [{"twins": {"ids": 7}}, {"strays": {"ids": 7}}, {"groups": {"of": {"a": 1}}}])
def test_what_a_model_says_of_its_reals_in_other_words_is_one_sentence(tmp_path, odd):
    model = giqa.fit(REALS, scorer="knn")
    path = dataclasses.replace(model, made_by={**model.made_by, **odd}).save(tmp_path / "a.giqa")
    said = CliRunner().invoke(main, ["info", str(path)])
    assert said.exit_code == 2 and "in other words than giqa how it was made" in said.output


PARTS = [
    {"made_by": [1]}, {"extractor": 3}, {"taps": 1}, {"digest": None}, {"match": [1]},
    {"human": None}, {"seed": "x"}, {"references_sha256": 1}, {"places": 3}, {"ids": None},
]  # fmt: skip


@pytest.mark.parametrize("changed", PARTS, ids=str)
@pytest.mark.parametrize(
    ("name", "key", "read"), [("human.giqa", "giqa.people", load_realism), ("small.maps", "giqa.maps", load_maps)]
)
def test_a_human_model_or_maps_that_somebody_made_by_hand(tmp_path, changed, name, key, read):
    """Refused with a sentence, or read where the entry is none of theirs."""
    path = unpacked(tmp_path, name)
    arrays = load_file(path)
    with safe_open(path, framework="numpy") as file:
        head = dict(file.metadata())
    header = json.loads(head[key])
    path.write_bytes(save(arrays, metadata=head | {key: json.dumps(header | changed)}))
    if changed.keys() <= header.keys() and changed not in ({"match": [1]}, {"ids": None}, {"seed": "x"}):
        with pytest.raises(GiqaError):
            read(path)
    else:
        with contextlib.suppress(GiqaError):
            read(path)


MAPS = [
    {"ids": ["a"]}, {"ids": [1] * 24}, {"places": {"grid": 5}}, {"places": {"reach": 2**31}}, {"taps": []},
    {"kept_rows_": np.zeros((24, 1), int)},
    {"kept_rows_": np.arange(24) + 9}, {"kept_rows_": np.arange(24.0)}, {"kept_": np.zeros((24, 24), "f2")},
    {"limits_": np.zeros(2)}, {"layers_.grain.median_": np.zeros((3, 24))}, {"layers_.grain.spread_": np.ones(9, "f4")},
    {"layers_.grain.mean_": np.zeros(0, "f4")}, {"peaks_": np.zeros((2, 2))}, {"deviation_": None},
]  # fmt: skip


@pytest.mark.parametrize("changed", MAPS, ids=str)
def test_maps_that_somebody_made_by_hand_are_refused(tmp_path, changed):
    """Parts that do not fit together, under a checksum that does."""
    path = fit_maps(list(np.zeros((24, 32, 32, 3), np.uint8)), "statistics", ["grain"]).save(tmp_path / "a.maps")
    load_maps(path)
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["giqa.maps"])
    arrays = {name: array for name, array in load_file(path).items() if changed.get(name, 0) is not None}
    arrays |= {name: value for name, value in changed.items() if isinstance(value, np.ndarray)}
    header |= {name: value for name, value in changed.items() if name in header}
    path.write_bytes(save(arrays, metadata={"giqa.maps": json.dumps(seal(header, arrays))}))
    with pytest.raises(BadModel, match="make it again"):
        load_maps(path)
