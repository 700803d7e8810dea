"""Tables of pictures and their filters."""

import pytest

from giqa.errors import BadImage, BadSource, MissingSource
from giqa.images.table import TableSource
from giqa.tables.read import read_table

SNAPSHOTS = """image,kind,iteration,note
r/a.png,real,,x
g/5/a.png,generated,5,y
g/10/a.png,generated,10,"y, z"
g/24/a.png,generated,24.0,
g/25/a.png,generated,25,y
"""


@pytest.fixture
def table(tmp_path):
    """Writes a table and gives its path."""

    def write(content=SNAPSHOTS, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def test_a_table_names_pictures_in_its_order(table, tmp_path):
    """Ids are the paths as written, found relative to the table's folder; other columns stay at hand."""
    spec = table()
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "a.png").write_bytes(b"pixels")
    source = TableSource(spec)
    assert source.ids == ("r/a.png", "g/5/a.png", "g/10/a.png", "g/24/a.png", "g/25/a.png")
    assert source.raw(0) == b"pixels" and source.path(1) == tmp_path / "g" / "5" / "a.png"
    assert source.columns["note"] == ["x", "y", "y, z", "", "y"]
    assert source.name == spec and len(source) == 5
    with pytest.raises(BadImage, match="cannot be read"):
        source.raw(1)


@pytest.mark.parametrize(
    "filters, rows",
    [
        ("", [0, 1, 2, 3, 4]),
        ("kind=real", [0]),
        ("kind=generated|real", [0, 1, 2, 3, 4]),
        ("iteration=5..24", [1, 2, 3]),  # both ends count; 24.0 is 24; an empty cell is no number
        ("iteration=5.5..24.0", [2, 3]),
        ("iteration=-1..1e1", [1, 2]),
        ("iteration=10..", [2, 3, 4]),
        ("iteration=..5", [1]),
        ("iteration=5..6|25", [1, 4]),
        ("kind=generated, iteration=10..24", [2, 3]),
        (" note = y ,iteration=5", [1]),
        ("image=r/a.png", [0]),
    ],
)
def test_filters_select_rows(table, filters, rows):
    """A value, a list, a range; several filters must all hold; columns are cut to the same rows."""
    everything = read_table(table()).columns
    source = TableSource(f"{table()}[{filters}]")
    assert list(source.ids) == [everything["image"][row] for row in rows]
    assert source.columns == {name: [column[row] for row in rows] for name, column in everything.items()}


@pytest.mark.parametrize(
    "filters, message",
    [
        ("kimd=real", "There is no column 'kimd'.*there are image, kind, iteration, note. Did you mean 'kind'"),
        ("xyzzy=real", "there are image, kind, iteration, note.$"),
        ("kind=reel", "'kind=reel' leaves nothing.*kind is real, generated"),
        ("iteration=100..200", "leaves nothing.*iteration is , 5, 10, 24.0, 25"),
        ("kind=real,iteration=5", "'iteration=5' leaves nothing"),
        ("kind", "Cannot read 'kind'.*column=value"),
        ("kind=", "Cannot read 'kind='"),
        ("kind=real,", "Cannot read ''"),
    ],
)
def test_a_filter_that_cannot_work_says_what_could(table, filters, message):
    """Unknown columns list the known ones, empty results the values that there are."""
    with pytest.raises(BadSource, match=message):
        TableSource(f"{table()}[{filters}]")


def test_many_values_are_not_all_listed(table):
    """Ten values are shown and the others counted."""
    spec = table("image,epoch\n" + "".join(f"{i}.png,{i}\n" for i in range(15)))
    with pytest.raises(BadSource, match="epoch is 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 5 others"):
        TableSource(f"{spec}[epoch=99]")


def test_without_a_column_image_the_first_is_taken(table):
    """The first column holds the pictures if none is called image."""
    assert TableSource(table("file,label\na.png,1\n")).ids == ("a.png",)
    assert TableSource(table("label,image\n1,b.png\n")).ids == ("b.png",)


def test_tsv_bom_quotes_and_backslashes_are_understood(table):
    """A table from Windows or Excel reads like any other."""
    assert TableSource(table(b"\xef\xbb\xbfimage\tn\r\nx\\a.png\t1\r\n\r\n", "t.tsv")).ids == ("x/a.png",)
    assert TableSource(table('image,n\r\n"a, b.png",1\r\n')).ids == ("a, b.png",)


@pytest.mark.parametrize(
    "content, message",
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("image,kind\n", "a header but no rows"),
        ("image,kind\na.png,real\nb.png\n", "line 3: 1 values for 2 columns"),
        ("image,kind\na.png,real,extra\n", "line 2: 3 values for 2 columns"),
        ("image,kind\na.png,re\0al\n", "line 2: a NUL byte"),
        (b"image,kind\n\x81.png,real\n", r"not UTF-8 text \(byte 11\)"),
        (b"\xff\xfei\0m\0\xd8", "not UTF-16"),
        ("image,image\na,b\n", "two columns called 'image'"),
        ('image,kind\n"a.png,real\n', "line 2: unexpected end"),
        ("image,kind\n,real\n", "line 2: the column 'image' is empty"),
        ("image,rater\na.png,1\nb.png,1\n\na.png,2\n", "names 'a.png' in line 2 and again in line 5"),
    ],
)
def test_a_broken_table_names_the_line(table, content, message):
    """Every way to be no table of pictures has its sentence."""
    with pytest.raises(BadSource, match=message):
        TableSource(table(content))


def test_a_filter_can_make_doubled_pictures_unique(table):
    """Only the selected rows must differ."""
    spec = table("image,rater\na.png,1\na.png,2\n")
    assert TableSource(f"{spec}[rater=2]").ids == ("a.png",)


def test_a_missing_table_is_missing_with_or_without_filter(table, tmp_path):
    """The filter is not taken for a part of the name."""
    table()
    for spec in (tmp_path / "u.csv", f"{tmp_path / 'u.csv'}[kind=real]"):
        with pytest.raises(MissingSource, match=r"There is no '[^\[]*u\.csv'\. Did you mean .*t\.csv"):
            TableSource(spec)
    with pytest.raises(BadSource, match="cannot be read"):
        TableSource(tmp_path)


def test_brackets_in_the_name_of_a_table_are_part_of_it(table):
    """What exists under the whole name wins."""
    spec = table(name="t[1].csv")
    assert len(TableSource(spec)) == 5
    assert TableSource(f"{spec}[kind=real]").ids == ("r/a.png",)


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        ('text,file_name\n"a red ball, on grass",a.png\n', ("a.png",)),  # as imagefolder has it
        ("seed;Filename\n1;a.png\n", ("a.png",)),
        ("text,shown\nhello,a.png\n", ("a.png",)),  # the only column that holds pictures' names
        (",image\n0,a.png\n1,b.png\n", ("a.png", "b.png")),
        ("image , kind\n a.png , real \n", ("a.png",)),
        ("image\n'=a.png\n", ("=a.png",)),  # as giqa writes it, so that no spreadsheet runs it
    ],
)
def test_the_column_of_pictures_is_found_wherever_it_stands(table, content, ids):
    assert TableSource(table(content)).ids == ids


def test_lines_of_json_name_pictures_too(table):
    """As `metadata.jsonl` of an imagefolder; other values may be anything."""
    rows = '{"file_name": "a.png", "objects": {"box": [1]}}\n{"file_name": "b.png", "n": 2}\n'
    source = TableSource(table(rows, "metadata.jsonl"))
    assert source.ids == ("a.png", "b.png") and source.columns["n"] == ["", "2"]


def test_what_names_no_files_is_refused(table):
    """With the columns there are, or with the address."""
    with pytest.raises(
        BadSource, match=r"Which column .*'text', 'label'; call it 'image' or 'file_name'.*'a red ball'"
    ):
        TableSource(table("text,label\na red ball,toy\n"))
    with pytest.raises(BadSource, match=r"addresses in the column 'image', such as 'https://host/a.png'"):
        TableSource(table("image\nhttps://host/a.png\n"))
    with pytest.raises(BadSource, match="holds the pictures themselves in the column 'image'"):
        TableSource(table('{"image": {"bytes": "00", "path": null}}\n', "m.jsonl"))


def test_a_name_with_blanks_that_exists_is_kept(table, tmp_path):
    (tmp_path / " a.png").write_bytes(b"pixels")
    assert TableSource(table("image,kind\n a.png,real\n")).raw(0) == b"pixels"


def test_filters_take_words_in_any_case_and_whole_numbers_with_a_point(table):
    spec = table("Image,Kind,n\na.png,Real,1.0\nb.png,FAKE,2.0\nc.png,real,2.0\n")
    assert TableSource(f"{spec}[kind=real]").ids == ("a.png", "c.png")
    assert TableSource(f"{spec}[kind=Real,n=2]").ids == ("c.png",)
    spec = table("image;z\na.png;0,5\nb.png;1,5\n", "z.csv")
    assert TableSource(f"{spec}[z=0..1]").ids == ("a.png",)
