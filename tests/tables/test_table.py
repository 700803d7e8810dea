"""Tables as people have them: one reader for all of them; and tables that no spreadsheet runs, read back exactly."""

import codecs
import csv
import io
import json

import pytest

from giqa.errors import BadTable
from giqa.tables.cells import number, number_or_nothing
from giqa.tables.read import read_scored, read_table
from giqa.tables.write import as_csv, write_table

NAMES = ["=HYPERLINK(1)", "+1", "-1.png", "@a", "\tb", "'=c", "''-d", "'plain", "a=b", "e,f", "", "ü"]


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_names_that_a_spreadsheet_would_run_come_back(tmp_path, ending):
    """Every name is read as it was; in text, none begins as a formula does; numbers below 0 stay numbers."""
    if ending == "parquet":
        pytest.importorskip("pyarrow", reason="giqa[parquet] is not installed")
    path = write_table(tmp_path / f"t.{ending}", {"image": NAMES, "z": [-1.5] * len(NAMES)})
    read = read_table(path)
    assert read.columns["image"] == NAMES and set(map(float, read.columns["z"])) == {-1.5}
    if ending != "parquet":
        rows = list(csv.reader(io.StringIO(path.read_text(), newline=""), delimiter="\t" if ending == "tsv" else ","))
        assert not any(row[0][:1] in ("=", "+", "-", "@", "\t", "\r") for row in rows if row[0])
        assert {row[1] for row in rows[1:]} == {"-1.5"}


def test_nothing_is_an_empty_cell():
    assert as_csv({"a": [None, 0], "b": ["x", None]}) == "a,b\n,x\n0,\n"


WANTED = {"image": ["a.png", "b, c.png"], "kind": ["real", "fake"]}
PLAIN = 'image,kind\na.png,real\n"b, c.png",fake\n'
TEXTS = {
    "plain": PLAIN,
    "byte order mark": "\ufeff" + PLAIN,
    "two marks": "\ufeff\ufeff" + PLAIN,
    "returns": PLAIN.replace("\n", "\r\n"),
    "returns of an old Mac": PLAIN.replace("\n", "\r"),
    "semicolons": "image;kind\na.png;real\nb, c.png;fake\n",
    "tabs": "image\tkind\na.png\treal\nb, c.png\tfake\n",
    "bars": "image|kind\na.png|real\nb, c.png|fake\n",
    "sep=": "sep=;\nimage;kind\na.png;real\nb, c.png;fake\n",
    "sep in quotes": '"sep=;"\r\nimage;kind\r\na.png;real\r\nb, c.png;fake\r\n',
    "blanks after commas": 'image, kind\n"a.png", "real"\n"b, c.png", "fake"\n',
    "blanks around names": ' image , kind \na.png,real\n"b, c.png",fake\n',
    "blank rows": '\n\nimage,kind\n,\na.png,real\n\n"b, c.png",fake\n,\n , \n',
    "blank columns behind": 'image,kind,,\na.png,real,,\n"b, c.png",fake\n',
    "blank cells behind": 'image,kind\na.png,real,,\n"b, c.png",fake\n',
    "blank columns before": ',,image,kind\n,,a.png,real\n,,"b, c.png",fake\n',
    "index of pandas": ',image,kind\n0,a.png,real\n7,"b, c.png",fake\n',
    "index read again": 'Unnamed: 0.1,Unnamed: 0,image,kind\n0,0,a.png,real\n1,1,"b, c.png",fake\n',
    "row names of R": '"image","kind"\n"1","a.png","real"\n"2","b, c.png","fake"\n',
}


@pytest.mark.parametrize("name", TEXTS)
def test_every_way_to_write_a_table_is_the_same_table(tmp_path, name):
    """Two pictures, one with a comma in its name, however a program or a person writes them."""
    (tmp_path / "t.csv").write_bytes(TEXTS[name].encode())
    read = {
        column: [cell.strip() for cell in cells] for column, cells in read_table(tmp_path / "t.csv").columns.items()
    }
    assert read == WANTED


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_known_by_its_mark(tmp_path, coding):
    mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(coding, b"")
    (tmp_path / "t.csv").write_bytes(mark + PLAIN.replace("a.png", "ä.png").encode(coding))
    assert read_table(tmp_path / "t.csv").columns["image"] == ["ä.png", "b, c.png"]


def test_windows_1252_is_read_with_a_word(tmp_path):
    (tmp_path / "t.csv").write_bytes("image,kind\né.png,real\n".encode("cp1252"))
    with pytest.warns(UserWarning, match=r"not UTF-8 text \(byte 11\) and is read as Windows-1252"):
        assert read_table(tmp_path / "t.csv").columns["image"] == ["é.png"]


def test_a_column_without_a_name_that_says_something_stays(tmp_path):
    """The index of pandas may be what names the pictures."""
    (tmp_path / "t.csv").write_text(",z\na.png,1\nb.png,2\n")
    assert read_table(tmp_path / "t.csv").columns == {"Unnamed: 0": ["a.png", "b.png"], "z": ["1", "2"]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a.png,real\nb.png,fake\n", "no line of column names: it begins with 'a.png', 'real'"),
        ("0,1\n3,4\n", "no line of column names: it begins with '0', '1'"),
        ("image,rater,rater\na,b,c\n", "two columns called 'rater'"),
        ("image,kind,\na,b,\nc\n", "line 3: 1 values for 3 columns"),
        ("PK\3\4rest", "is an Excel workbook or another zip"),
        ("PAR1rest", "is a Parquet file; call it .parquet"),
        ('image,kind\na.png,real\n"b.png,fake\n', "line 3: unexpected end"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, text, words):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(BadTable, match=words):
        read_table(tmp_path / "t.csv")


def test_a_row_is_where_it_begins(tmp_path):
    """Line 1 is sep=, 2 the names, 3 to 5 one row with two newlines in quotes, 6 is blank, 7 the next row."""
    (tmp_path / "t.csv").write_text('sep=,\nimage,text,n\na,"x\ny\nz",1\n\nb,t,many\n')
    table = read_table(tmp_path / "t.csv")
    assert table.lines == [3, 7]
    with pytest.raises(BadTable, match="line 7, column 'n': 'many' is no number"):
        table.parsed("n", number)


def test_a_decimal_comma_is_one_where_semicolons_or_tabs_separate(tmp_path):
    """And not in a table with commas, where 1,234 may be a thousand."""
    for name, text in (("s.csv", "image;z\na;-0,5\nb;1\nc;2,5e-1\n"), ("t.tsv", "image\tz\na\t-0,5\nb\t1\nc\t0,25\n")):
        (tmp_path / name).write_text(text)
        assert read_table(tmp_path / name).parsed("z", number) == [-0.5, 1, 0.25]
    (tmp_path / "c.csv").write_text('image,z\na,"1,234"\n')
    with pytest.raises(BadTable, match="'1,234' is no number"):
        read_table(tmp_path / "c.csv").parsed("z", number)
    with pytest.raises(ValueError, match="no number"):
        number("1_000")  # which Python alone takes for a thousand


@pytest.mark.parametrize("cell", ["", "NaN", "NA", "#N/A", "null", None, " n/a ", float("nan")])
def test_a_missing_number_is_known_as_every_program_writes_it(cell):
    assert number_or_nothing(cell) != number_or_nothing(cell)


def test_lines_of_json_are_a_table(tmp_path):
    """What an object lacks is nothing; a blank line is none; lines are counted all the same."""
    rows = [json.dumps({"file_name": "a.png", "n": 1}), "", json.dumps({"file_name": "b.png", "text": "x"})]
    (tmp_path / "t.jsonl").write_text("\n".join(rows) + "\n")
    table = read_table(tmp_path / "t.jsonl")
    assert table.columns == {"file_name": ["a.png", "b.png"], "n": [1, None], "text": [None, "x"]}
    assert table.lines == [1, 3]


def test_columns_are_found_in_any_case(tmp_path):
    (tmp_path / "t.csv").write_text("Image,Said-Real,RATER,rater_2\na,1,u,v\n")
    table = read_table(tmp_path / "t.csv")
    assert [table.find(name) for name in ("image", "said_real", "rater", "kind")] == [
        "Image",
        "Said-Real",
        "RATER",
        None,
    ]
    assert list(table.called(image=table.find("image")).columns) == ["image", "Said-Real", "RATER", "rater_2"]


def test_scores_of_anybody_are_read_by_one_rule(tmp_path):
    """The column with pictures names them, not a number that is called id; one picture has one number."""
    (tmp_path / "t.csv").write_text("id;file_name;NIQE\n1;a.png;3,5\n2;b.png;\n3;a.png;3,5\n")
    names, values = read_scored(tmp_path / "t.csv", "niqe")
    assert names == ["a.png", "b.png"] and values[0] == 3.5 and values[1] != values[1]
    (tmp_path / "t.csv").write_text("image,z\na.png,1\na.png,2\n")
    with pytest.raises(BadTable, match=r"line 3: 'a.png' again, with another z than in .*line 2"):
        read_scored(tmp_path / "t.csv", "z")
    with pytest.raises(BadTable, match="has no column 'score'; it has image, z"):
        read_scored(tmp_path / "t.csv", ("score", "mos"))


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_two_columns_of_one_name_are_refused(tmp_path, ending):
    """Blanks around a name do not count, so that neither of the two quietly wins."""
    path = tmp_path / f"t.{ending}"
    if ending == "jsonl":
        path.write_text('{"image": "a.png", "z": 1, " z": 2}\n')
    else:
        pyarrow = pytest.importorskip("pyarrow", reason="giqa[parquet] is not installed")
        table = pyarrow.Table.from_arrays([pyarrow.array([1]), pyarrow.array([2])], names=["z", " z"])
        pytest.importorskip("pyarrow.parquet").write_table(table, path)
    with pytest.raises(BadTable, match="two columns called 'z'"):
        read_table(path)


@pytest.mark.parametrize("mark", ['sep="', "sep= ", "sep=\r"])
def test_a_first_line_that_names_no_separator_is_a_line_of_the_table(tmp_path, mark):
    (tmp_path / "t.csv").write_text(f"{mark}\nimage,z\na.png,1\n")
    with pytest.raises(BadTable):
        read_table(tmp_path / "t.csv")


def test_a_parquet_file_that_pyarrow_does_not_read_is_refused(tmp_path, monkeypatch):
    """Its errors are of many kinds, and one of them is `NotImplementedError`; too little memory is no damage."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="giqa[parquet] is not installed")
    path = write_table(tmp_path / "t.parquet", {"z": [1]})
    errors = [NotImplementedError("integers of more than 64 bits"), MemoryError()]

    def no(*_, **__):
        raise errors.pop(0)

    monkeypatch.setattr(parquet, "read_table", no)
    with pytest.raises(BadTable, match="more than 64 bits"):
        read_table(path)
    with pytest.raises(MemoryError):
        read_table(path)


def test_a_name_twice_in_an_object_is_refused(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"image": "a", "z": 1}\n{"image": "b", "z": 1, "z": 2}\n')
    with pytest.raises(BadTable, match="line 2 has a name twice"):
        read_table(tmp_path / "t.jsonl")


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (("1,250", "900", "12,000"), None),  # commas for thousands
        (("0,5", "1.250"), None),  # points for thousands
        (("1,250", "0,125"), [1.25, 0.125]),
        (("1.250", "2.5"), [1.25, 2.5]),
        (("1,5", "2"), [1.5, 2.0]),
    ],
)
def test_separators_of_thousands_are_refused(tmp_path, cells, values):
    """Next to whole numbers 1,250 may be 1250; next to decimal commas 1.250 may be."""
    path = tmp_path / "t.tsv"
    path.write_text("id\tz\n" + "".join(f"{i}.png\t{cell}\n" for i, cell in enumerate(cells)))
    if values is None:
        with pytest.raises(BadTable, match="thousands or a decimal"):
            read_scored(path, "z")
    else:
        assert read_scored(path, "z")[1] == values


def test_numbers_of_a_tensor_are_written_as_numbers(tmp_path):
    torch = pytest.importorskip("torch")
    path = write_table(tmp_path / "t.csv", {"id": ["a", "b"], "z": torch.tensor([1.5, -2.0])})
    assert path.read_text() == "id,z\na,1.5\nb,-2.0\n"


def test_a_table_of_pandas_is_written_with_empty_cells_where_it_has_none(tmp_path):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"id": ["a", "b"], "n": pandas.array([1, None], dtype="Int64")})
    table["at"] = pandas.to_datetime(["2026-11-30", None])
    assert write_table(tmp_path / "t.csv", table).read_text() == "id,n,at\na,1,2026-11-30 00:00:00\nb,,\n"
