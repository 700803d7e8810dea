"""The table of scores and its three kinds of file."""

import contextlib
import json
import os
import sys

import numpy as np
import pytest

from giqa.errors import BadSpec, BadTable, GiqaError, MissingExtra, MissingSource
from giqa.model.columns import COLUMNS, NUMBERS, TEXTS
from giqa.model.table import Scores, read_scores

ENDINGS = (".csv", ".jsonl", ".parquet")
NAN, INF = float("nan"), float("inf")
AWKWARD = (
    "plain.png",
    "ünïcode/日本語/😀.png",
    "comma, semicolon; tab\t.png",
    "double \"quotes\" and 'single'.png",
    "new\nline.png",
    "carriage\rreturn.png",
    "both\r\n.png",
    "line\u2028separator, next\x85line.png",  # what str.splitlines takes for the end of a line
    "\\backslash\\n.png",
    " blanks around ",
    "None",
    "nan",
    "1e5",
    "",
)


def table(*ids, score=None, **columns):
    """Scores of these ids; columns that are not given are 0, .5 for the percentile, or empty."""
    n = len(ids)
    filled = dict.fromkeys(NUMBERS, np.zeros(n)) | {"percentile": np.full(n, 0.5)} | {name: [""] * n for name in TEXTS}
    if score is not None:
        filled["score"] = score
    made_by = columns.pop("made_by", {})
    filled |= columns
    filled = {name: np.array(c, float) if name in NUMBERS else c for name, c in filled.items()}
    return Scores(list(ids), **filled, made_by=made_by)


def assert_same(a, b):
    for name in NUMBERS:
        assert getattr(a, name).dtype == np.float64
        assert getattr(a, name).tolist() == pytest.approx(getattr(b, name).tolist(), rel=0, abs=0, nan_ok=True), name
    for name in ("id", *TEXTS):
        assert list(getattr(a, name)) == list(getattr(b, name)), name
    assert a.made_by == b.made_by


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_written_is_read(tmp_path, ending):
    """To the last bit: NaN, infinities, the smallest float; any text in any text column; and how it was made."""
    n = len(AWKWARD)
    numbers = np.array([NAN, INF, -INF, 0.1, -0.0, 5e-324, 1.7976931348623157e308, 1 / 3] + [1.5] * (n - 8))
    rng = np.random.default_rng(0)
    written = table(
        *AWKWARD,
        score=numbers,
        z=rng.normal(size=n),
        percentile=rng.uniform(size=n),
        z_low=numbers[::-1],
        z_high=rng.normal(size=n) * 1e300,
        duplicate_of=AWKWARD[::-1],
        error=list(AWKWARD),
        notes=["grey; palette", *AWKWARD[1:]],
        made_by={"giqa": "0.1.0", "scorer": "knn(k=5)", "features": {"größe": [1, 2.5, None]}},
    )
    path = written.write(tmp_path / f"scores{ending}")
    assert path == tmp_path / f"scores{ending}"
    assert_same(read_scores(path), written)
    assert np.signbit(read_scores(path).score[4])  # -0.0


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_table_without_rows_is_read(tmp_path, ending):
    """No pictures is a table too, and not the same as an empty file."""
    empty = table(made_by={"a": 1})
    assert_same(read_scores(empty.write(tmp_path / f"s{ending}")), empty)


@pytest.mark.parametrize("ending", [".CSV", ".Jsonl", ".PARQUET"])
def test_the_ending_counts_in_any_case_and_folders_are_made(tmp_path, ending):
    path = table("a").write(str(tmp_path / "new" / "folder" / f"s{ending}"))
    assert list(read_scores(str(path)).id) == ["a"]


def test_csv_says_beside_it_how_it_was_made(tmp_path):
    """NAME.csv holds the table alone, NAME.csv.json the rest; without it the table is read all the same."""
    path = table("a", score=[1.5], z=[NAN], made_by={"scorer": "knn"}).write(tmp_path / "s.csv")
    assert sorted(os.listdir(tmp_path)) == ["s.csv", "s.csv.json"]
    kept = json.loads((tmp_path / "s.csv.json").read_text())
    assert set(kept.pop("headline")) >= {"within", "beats", "median_z", "verdict"}
    assert (kept.pop("format"), set(kept.pop("table")), kept) == (2, {"sha256", "scores", "made_by"}, {"scorer": "knn"})
    assert path.read_text() == f"id,score,z,percentile,z_low,z_high,{','.join(TEXTS)}\na,1.5,,0.5,0.0,0.0,,,,\n"
    (tmp_path / "s.csv.json").unlink()
    assert read_scores(path).made_by == {}


def test_jsonl_is_one_json_object_a_line(tmp_path):
    """First how it was made, then a picture a line; JSON has no infinity, so that it is text there."""
    path = table("é", score=[INF], z=[NAN], made_by={"a": 1}).write(tmp_path / "s.jsonl")
    first, row, nothing = path.read_text(encoding="utf-8").split("\n")
    made_by = json.loads(first)["made_by"]
    assert made_by.pop("headline")["pictures"] == 1
    assert (made_by.pop("format"), set(made_by.pop("table")), made_by) == (2, {"sha256", "scores", "made_by"}, {"a": 1})
    assert nothing == ""
    assert '"id": "é", "score": "inf", "z": null' in row
    assert list(json.loads(row)) == list(COLUMNS)


def test_parquet_is_read_by_pyarrow_alone(tmp_path):
    """Numbers are doubles, text is strings."""
    from pyarrow import parquet

    read = parquet.read_table(table("a", "b").write(tmp_path / "s.parquet"))
    assert read.column_names == list(COLUMNS)
    assert {str(read.schema.field(name).type) for name in NUMBERS} == {"double"}
    assert {str(read.schema.field(name).type) for name in ("id", *TEXTS)} == {"string"}


@pytest.mark.parametrize("step", ["write", "rename"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_failing_write_leaves_the_old_file_whole(tmp_path, monkeypatch, ending, step):
    """A full disk while writing, or a refused rename: the table is the old one, and no temporary file is left."""
    path = table("old").write(tmp_path / f"s{ending}")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def fail(*_):
        raise OSError(28, "No space left on device")

    resource = pytest.importorskip("resource")
    whole = resource.getrlimit(resource.RLIMIT_FSIZE)
    if step == "rename":
        monkeypatch.setattr("os.replace", fail)
    try:
        if step == "write":
            resource.setrlimit(resource.RLIMIT_FSIZE, (64, whole[1]))  # as a full disk: no file grows beyond 64 bytes
        with pytest.raises(OSError, match=r"No space|too large"):
            table("new", made_by={"new": 1}).write(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, whole)
    monkeypatch.undo()
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize("name", ["s.xlsx", "s", "s.json", "csv", "s.csv.gz"])
def test_an_unknown_ending_is_refused_before_anything_is_written(tmp_path, name):
    """By writing and reading alike, with the endings there are."""
    for call in (table("a").write, read_scores):
        with pytest.raises(BadSpec, match=f"Scores are written as .csv, .jsonl or .parquet, got '{name}'"):
            call(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


HEADER = ",".join(COLUMNS)
FULL = json.dumps(dict.fromkeys(NUMBERS, 1.0) | dict.fromkeys(("id", *TEXTS), ""))
LACKS = "is not a table of scores: there is no column"
MALFORMED = {
    "empty.csv": (b"", "is empty"),
    "other.csv": (b"path,kind\na.png,fake\n", f"{LACKS} 'id'"),
    "missing.csv": (HEADER.replace(",z,", ",").encode() + b"\na,1,1,1,1,,,,\n", f"{LACKS} 'z'"),
    "header.csv": (HEADER.replace(",notes", "").encode() + b"\n", f"{LACKS} 'notes'"),
    "text.csv": (
        HEADER.encode() + b"\na,1,1,1,1,1,,,,\nb,high,1,1,1,1,,,,\n",
        "line 3, column 'score': 'high' is no number",
    ),
    "cut.csv": (HEADER.encode() + b"\na,1,1,1,1,1,,,,\nb,1.2", "line 3: 2 values for 10 columns"),
    "comma.csv": (HEADER.encode() + b"\na,b.png,1,1,1,1,1,,,,x\n", "line 2: 11 values for 10 columns"),
    "strange.csv": (HEADER.encode() + b"\n\x81,1,1,1,1,1,,,,\n", "is not UTF-8 text (byte 74)"),
    "long.csv": (
        HEADER.encode() + b"\n" + b"a" * 200_000 + b",1,1,1,1,1,,,,\n",
        "line 2: field larger than field limit",
    ),
    "empty.jsonl": (b"", "is empty"),
    "cut.jsonl": (f'{{"made_by": {{}}}}\n{FULL}\n{FULL[:-20]}'.encode(), "line 3 is not JSON, or is cut short"),
    "number.jsonl": (b"5\n", "line 1 is no JSON object"),
    "missing.jsonl": (b'{"made_by": {}}\n{"id": "a", "score": 1}\n', f"{LACKS} 'z'"),
    "list.jsonl": (b'{"made_by": {}}\n["a", 1]\n', "line 2 is no JSON object"),
    "text.jsonl": (
        ('{"made_by": {}}\n' + FULL.replace("1.0", '"high"', 1)).encode(),
        "line 2, column 'score': 'high' is no number",
    ),
    "inside.jsonl": (
        ('{"made_by": {}}\n' + FULL.replace("1.0", "[1]", 1)).encode(),
        "line 2, column 'score': [1] is no number",
    ),
    "latin.jsonl": ('{"made_by": "é"}\n'.encode("latin-1"), "is not UTF-8 text (byte 13)"),
    "empty.parquet": (b"", "is not Parquet, or is damaged"),
    "text.parquet": (HEADER.encode() + b"\n", "is not Parquet, or is damaged"),
    "magic.parquet": (b"PAR1" + bytes(100) + b"PAR1", "is not Parquet, or is damaged"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_table_is_refused_with_what_is_wrong(tmp_path, name):
    """The file, the line, what is wrong there; for a missing column those it should have; nothing of Python."""
    content, why = MALFORMED[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadTable) as caught:
        read_scores(path)
    message = str(caught.value)
    assert message.startswith(str(path)) and why in message
    assert not why.startswith(LACKS) or message.endswith(f"Its columns should be {', '.join(COLUMNS)}.")
    assert "Error" not in message or path.suffix == ".parquet"  # what pyarrow says is passed on


def test_parquet_with_other_columns_is_refused(tmp_path):
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"id": ["a"], "score": [1.0]}), tmp_path / "s.parquet")
    with pytest.raises(BadTable, match="there is no column 'z'"):
        read_scores(tmp_path / "s.parquet")
    text = {name: ["high"] for name in COLUMNS}
    parquet.write_table(pyarrow.table(text), tmp_path / "s.parquet")
    with pytest.raises(BadTable, match="row 1, column 'score': 'high' is no number"):
        read_scores(tmp_path / "s.parquet")


def test_a_parquet_file_cut_or_damaged_anywhere_is_refused_or_read(tmp_path):
    """Every twentieth length is a `BadTable`; Parquet may overlook a flipped byte, but it never ends in a crash."""
    whole = table("a", "b").write(tmp_path / "s.parquet").read_bytes()
    path = tmp_path / "damaged.parquet"
    for length in range(0, len(whole), 20):
        path.write_bytes(whole[:length])
        with pytest.raises(BadTable):
            read_scores(path)
    for place in range(len(whole) - 400, len(whole), 7):  # the footer
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        with contextlib.suppress(GiqaError):
            read_scores(path)


def test_a_damaged_file_beside_the_csv_is_refused(tmp_path):
    path = table("a").write(tmp_path / "s.csv")
    (tmp_path / "s.csv.json").write_text('{"scorer": ')
    with pytest.raises(BadTable, match=r"s\.csv\.json is not JSON"):
        read_scores(path)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_missing_file_is_named(tmp_path, ending):
    """Also when a folder has that name."""
    path = tmp_path / f"none{ending}"
    with pytest.raises(MissingSource, match=f"There is no file .*none{ending}"):
        read_scores(path)
    path.mkdir()
    with pytest.raises(MissingSource, match="There is no file"):
        read_scores(path)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    """Before any work: nothing is written. The other kinds do without it."""
    written = table("a").write(tmp_path / "s.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for call in (lambda: table("a").write(tmp_path / "new" / "s.parquet"), lambda: read_scores(written)):
        with pytest.raises(MissingExtra, match="Parquet needs pyarrow: pip install 'giqa\\[parquet\\]'"):
            call()
    assert not (tmp_path / "new").exists()
    assert list(read_scores(table("a").write(tmp_path / "s.csv")).id) == ["a"]


def test_pandas_is_only_needed_when_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match="needs pandas: pip install pandas"):
        table("a").to_pandas()


def test_ranked_is_best_first_and_ties_keep_their_order():
    """Scores 1, 3, none, 3, inf, 2, -inf: the infinite best, the two 3 as they lie, the missing one left out."""
    assert table(*"abcdefg", score=[1, 3, NAN, 3, INF, 2, -INF]).ranked().tolist() == [4, 1, 3, 5, 0, 6]
    assert table("a", score=[NAN]).ranked().tolist() == []
    assert table(*map(str, range(100))).ranked().tolist() == list(range(100))


def test_summary_by_hand():
    """z 1 of a copy, -4, none: mean -4; scores 2, 4: mean 3; percentiles .5, .04: median .27, half in the worst."""
    scores = table(
        *"abc",
        score=[2, 4, NAN],
        z=[1, -4, NAN],
        percentile=[0.5, 0.04, NAN],
        duplicate_of=["r.png", "", ""],
        error=["", "", "bad"],
    )
    assert scores.summary() == {
        "pictures": 3,
        "scored": 2,
        "failed": 1,
        "duplicates": 1,
        "out_of_domain": None,
        "mean_z": -4.0,
        "median_z": -4.0,
        "mean_score": 3.0,
        "median_percentile": pytest.approx(0.27),
        "share_below_worst_5_percent": 0.5,
    }


def test_twins_that_were_left_out_of_the_reals_widen_no_interval():
    """60 of 160 reals were left out: the interval is that of 100 reals without twins, narrower than with 60 of 100."""
    columns = {"percentile": np.tile([1, 3, 9, 40, 60], 20) / 101, "z": np.arange(100.0)}

    def said(**twins):
        made_by = {"reals": 100} | ({"twins": twins} if twins else {})
        return table(*map(str, range(100)), **columns, made_by=made_by).headline().beats

    assert said(count=60, left_out=True) == said()
    assert said(count=60).high - said(count=60).low > said().high - said().low


def test_summary_without_a_score_has_no_means():
    """And is JSON; an infinite z (paper presets) stays out of the mean z."""
    nothing = table("a", score=[NAN], z=[NAN], percentile=[NAN]).summary()
    means = ("mean_z", "mean_score", "median_percentile", "share_below_worst_5_percent")
    assert [nothing[name] for name in means] == [None] * 4
    assert table("a", "b", z=[INF, 2.0]).summary()["mean_z"] == 2.0
    json.dumps([nothing, table().summary()])


def test_the_worst_five_percent_includes_their_border():
    """A percentile of exactly .05 is among the worst 5 %: conformal, at most one in twenty reals gets there."""
    assert table("a", "b", percentile=[0.05, 0.0501]).summary()["share_below_worst_5_percent"] == 0.5


def test_rows_are_plain_python():
    """One dict a picture in the order of the columns; no number is None, and infinity stays a float."""
    first, second = table("a", "b", score=[NAN, INF], error=["bad", ""]).rows()
    assert list(first) == list(COLUMNS)
    assert first["score"] is None and first["error"] == "bad"
    assert second["score"] == INF and type(second["z"]) is float


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_table_without_the_column_out_of_domain_is_read(tmp_path, ending):
    """Tables of before there was such a column: it is empty, so that nothing is known."""
    path = table("a", "b", out_of_domain=["yes", "no"]).write(tmp_path / f"s{ending}")
    if ending == ".csv":
        rows = [line.split(",") for line in path.read_text().splitlines()]
        place = rows[0].index("out_of_domain")
        path.write_text("\n".join(",".join(row[:place] + row[place + 1 :]) for row in rows) + "\n")
    elif ending == ".jsonl":
        first, *rows = map(json.loads, path.read_text().splitlines())
        rows = [{k: v for k, v in row.items() if k != "out_of_domain"} for row in rows]
        path.write_text("\n".join(map(json.dumps, [first, *rows])) + "\n")
    else:
        from pyarrow import parquet

        parquet.write_table(parquet.read_table(path).drop(["out_of_domain"]), path)
    read = read_scores(path)
    assert list(read.out_of_domain) == ["", ""] and read.summary()["out_of_domain"] is None


def test_summary_counts_what_is_out_of_domain():
    """They stay in the mean z; 0 when it is known that none is."""
    scores = table("a", "b", z=[1.0, -4.0], out_of_domain=["no", "yes"])
    assert (scores.summary()["out_of_domain"], scores.summary()["mean_z"]) == (1, -1.5)
    assert table("a", out_of_domain=["no"]).summary()["out_of_domain"] == 0


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_what_people_would_say_is_kept_beside_the_rest(tmp_path, ending):
    """p_real and its interval stand after z_high, only in tables that have them."""
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    z, blank = np.array([1.0, np.nan]), ["", ""]
    p = {"p_real": np.array([0.5, np.nan]), "p_real_low": z / 4, "p_real_high": z / 1.5}
    table = Scores(["a", "b"], z, z, z, z, z, blank, blank, ["", "broken"], blank, {}, **p)
    read = read_scores(table.write(tmp_path / f"t.{ending}"))
    assert read.columns == ("id", *NUMBERS, "p_real", "p_real_low", "p_real_high", *TEXTS)
    for name, values in p.items():
        assert np.array_equal(getattr(read, name), values, equal_nan=True)
    assert read.summary()["mean_p_real"] == 0.5 and read.ranked("p_real").tolist() == [0]


@pytest.mark.parametrize(
    "saved",
    [
        lambda text: ("\ufeff" + text.replace("\n", "\r\n")).encode(),
        lambda text: text.replace(",", ";").replace(".", ",").encode(),  # a decimal comma, as in Germany
        lambda text: text.replace(",", "\t").encode("utf-16"),
        lambda text: (text.replace("\n", ",,\n") + ",,,,,,,,,,,\n").encode(),
    ],
    ids=["excel", "semicolons", "unicode text", "blank columns and rows"],
)
def test_a_table_that_a_spreadsheet_saved_is_the_same_table(tmp_path, saved):
    written = table("a", "b", score=[1.25, -2.5], z=[0.5, NAN])
    path = written.write(tmp_path / "s.csv")
    path.write_bytes(saved(path.read_text()))
    assert_same(read_scores(path), written)


def test_json_that_is_no_score_is_refused(tmp_path):
    """Brackets without end, and how it was made as a number."""
    path = table("a").write(tmp_path / "s.csv")
    for text in ("[" * 100_000, "5"):
        (tmp_path / "s.csv.json").write_text(text)
        with pytest.raises(BadTable):
            read_scores(path)


@pytest.mark.parametrize("n", [-1, 1.5, "3", None, True])
def test_how_many_rows_is_a_whole_number_from_0(n):
    for rows in (table("a", "b").best, table("a", "b").worst):
        with pytest.raises(BadSpec, match=f"whole number from 0, got {n!r}"):
            rows(n)
