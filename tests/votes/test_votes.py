"""Tables of judgements: what is written is read, and what is wrong is named by file, line and column."""

import numpy as np
import pytest
from people_samples import study

from giqa.errors import BadShape, BadSpec, BadTable, MissingSource
from giqa.tables.read import read_table
from giqa.tables.table import Table
from giqa.votes.labels import Counts, Pairs, Ratings, Sittings, Votes
from giqa.votes.votes import as_labels, read_generators, read_labels


def write(folder, text, name="t.csv"):
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


KINDS = [
    (Votes, "image,rater,said_real,context\na.png,r1,1,x\na.png,r2,fake,\n"),
    (Counts, "image,n,n_real,generator\na.png,3,1,gan\nb.png,2,2,\n"),
    (Sittings, "rater,generator,fakes,wrong_fakes,reals,wrong_reals\nr1,gan,50,10,50,5\n"),
    (Pairs, "left,right,votes_left,votes_right\na,b,2,1\n"),
    (Ratings, "image,rater,rating\na,r1,4\na,r2,4.5\n"),
]


@pytest.mark.parametrize(("kind", "text"), KINDS, ids=lambda x: getattr(x, "__name__", ""))
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet"])
def test_each_kind_is_known_by_its_columns_and_comes_back(tmp_path, kind, text, ending):
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    labels = read_labels(write(tmp_path, text))
    assert type(labels) is kind and len(labels) == text.count("\n") - 1
    again = read_labels(labels.write(tmp_path / f"again{ending}"))
    for name, column in labels.columns().items():
        assert np.array_equal(column, getattr(again, name), equal_nan=column.dtype.kind == "f"), name


def test_every_column_of_votes_survives(tmp_path):
    made = study(n_raters=3)
    again = read_labels(made.write(tmp_path / "v.csv"))
    for name, column in made.columns().items():
        assert np.array_equal(column, getattr(again, name), equal_nan=column.dtype.kind == "f"), name


def test_words_for_yes_and_no(tmp_path):
    path = write(tmp_path, "image,rater,said_real\n" + "".join(f"i{n},r,{w}\n" for n, w in enumerate(
        ["1", "true", "Yes", "real", "0", "FALSE", "no", "fake"])))  # fmt: skip
    assert read_labels(path).said_real.tolist() == [True] * 4 + [False] * 4


def test_one_vote_a_row_of_pairs(tmp_path):
    """`chosen` is left, right, tie or the name of one of the two."""
    pairs = read_labels(write(tmp_path, "left,right,rater,chosen\na,b,r1,left\na,b,r2,b\na,b,r3,tie\n"))
    assert pairs.votes_left.tolist() == [1, 0, 0.5] and pairs.votes_right.tolist() == [0, 1, 0.5]


def test_without_a_kind_the_generator_says_it(tmp_path):
    """No generator: real, in a table that has the column; nobody knows, in one that has not."""
    assert read_labels(write(tmp_path, "image,n,n_real,generator\na,1,0,gan\nb,1,1,\n")).kind.tolist() == [
        "generated",
        "real",
    ]
    assert read_labels(write(tmp_path, "image,n,n_real\na,1,0\n")).kind.tolist() == [""]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,rater,said_real\na,r,1\nb,r,maybe\n", ["t.csv", "line 3", "'said_real'", "'maybe'", "yes or no"]),
        ("image,rater,said_real\n,r,1\n", ["line 2", "'image'", "empty"]),
        ("image,rater,said_real\na,r,1\n\na,r,0\n", ["line 4", "'r'", "'a'", "first in line 2"]),
        ("image,n,n_real\na,2,3\n", ["line 2", "'n_real'", "3 is more than n, 2"]),
        ("image,n,n_real\na,x,3\n", ["line 2", "'n'", "no number"]),
        ("image,n,n_real\na,-1,0\n", ["'n'", "0 or more"]),
        ("image,n,n_real,kind\na,1,0,drawn\n", ["'kind'", "real or generated"]),
        ("image,rater,rating\na,r,inf\n", ["'rating'", "finite"]),
        ("left,right,rater,chosen\na,b,r,c\n", ["line 2", "'chosen'", "'c'"]),
        ("image,rater\na,r\n", ["'image', 'rater'", "said_real"]),
        ("image,rater,said_real\n", ["no rows"]),
        ("image,rater,said_real\na,r\n", ["line 2", "2 values for 3 columns"]),
        ("image;rater;said_real\n", ["no rows"]),
        ("image,image,n,n_real\n", ["two columns called 'image'"]),
        ("", ["empty"]),
        (b"image,n\x81\n", ["UTF-8"]),
    ],
)
def test_errors_name_file_line_and_column(tmp_path, text, words):
    with pytest.raises(BadTable) as caught:
        read_labels(write(tmp_path, text))
    for word in ("t.csv", *words):
        assert word in str(caught.value)


def test_errors_in_parquet_name_the_row(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    pyarrow.parquet.write_table(pa.table({"image": ["a", None], "n": [1, 2], "n_real": [0, 1]}), tmp_path / "t.parquet")
    with pytest.raises(BadTable, match=r"row 2, column 'image'"):
        read_labels(tmp_path / "t.parquet")
    with pytest.raises(BadTable, match="damaged"):
        read_labels(write(tmp_path, "no parquet", "u.parquet"))


def test_files_that_cannot_be(tmp_path):
    with pytest.raises(MissingSource):
        read_labels(tmp_path / "none.csv")
    with pytest.raises(BadSpec):
        read_table(write(tmp_path, "", "t.xlsx"))
    with pytest.raises(BadShape):
        Ratings(np.array(["a"]), np.array(["r", "s"]), np.array([1.0]))


def test_counts_of_votes_leave_out_quality_control():
    """By hand: of three votes on `a` one is quality control; the same name in another context counts apart."""
    made = study(n_raters=4)
    counts = made.counts()
    for image, n, n_real in zip(counts.image, counts.n, counts.n_real, strict=True):
        of = (made.image == image) & ~made.control
        assert (n, n_real) == (of.sum(), made.said_real[of].sum())
    assert counts.n.sum() == (~made.control).sum()


def test_votes_as_the_web_app_exports_them(tmp_path):
    """`part` says what is quality control, `order` which trial it was; other columns are ignored."""
    text = (
        "image,rater,said_real,context,kind,generator,part,passed,exposure_ms,shown_ms,response_ms,order\n"
        "a.png,r,1,s,real,,control,1,500,501.2,640,3\na.png,r,0,s,real,,main,1,470,,712.5,4\n"
    )
    made = read_labels(write(tmp_path, text))
    assert made.control.tolist() == [True, False] and made.position.tolist() == [3, 4]
    assert made.exposure_ms.tolist() == [500, 470] and made.response_ms.tolist() == [640, 712.5]


@pytest.mark.parametrize("n", ["99999999999999999999", "1000000000000", "1e300", "1000001"])
def test_a_count_that_cannot_be_one_is_said(n, tmp_path):
    """With its line, instead of an array with a place for every number up to it."""
    path = tmp_path / "v.csv"
    path.write_text(f"image,n,n_real\na.png,{n},1\n")
    with pytest.raises(BadTable, match=r"line 2, column 'n': .* is more than the 1,000,000 judgements of one row"):
        read_labels(path)


def test_a_million_judgements_and_long_answers_are_read(tmp_path):
    path = tmp_path / "v.csv"
    path.write_text("image,n,n_real\na.png,1000000,1\n")
    assert read_labels(path).n.tolist() == [1e6]
    path.write_text("image,rater,said_real,response_ms\na.png,r,1,7200000\n")
    assert read_labels(path).response_ms.tolist() == [7.2e6]


@pytest.mark.parametrize("word", ["", "real", "Reals", "NA", "0_real", "nature", "natural images", "photos"])
def test_a_generator_called_real_makes_reals(word):
    """Many tables say real where the generator stands, or NA of R: those pictures are no fakes."""
    columns = {"image": ["a", "b"], "rater": ["r", "r"], "said_real": [1, 0], "generator": [word, "sd"]}
    assert as_labels(Table("t", columns)).kind.tolist() == ["real", "generated"]


def test_a_picture_is_of_one_kind():
    """Real in line 2 and generated in line 3: one of both is wrong; pictures of two generators may share a name."""
    columns = {"image": ["a", "a"], "rater": ["r", "s"], "said_real": [1, 1], "kind": ["real", "fake"]}
    with pytest.raises(BadTable, match="line 3: 'a' is generated here and real in line 2"):
        as_labels(Table("t", columns, lines=[2, 3]))
    assert len(as_labels(Table("t", columns | {"generator": ["", "gan"]}))) == 2


def test_errors_name_the_columns_that_the_file_has():
    with pytest.raises(BadTable, match="has the columns 'filename', 'x';"):
        as_labels(Table("t", {"filename": ["a"], "x": ["b"]}))
    with pytest.raises(BadTable, match=r"line 2, column 'n_real': '2\.5' is no whole number"):
        as_labels(Table("t", {"image": ["a"], "n": ["5"], "n_real": ["2.5"]}, lines=[2]))


def test_true_and_false_of_excel_in_other_languages():
    """Excel in Spanish, Dutch and Polish."""
    words = ["VERDADERO", "FALSO", "WAAR", "ONWAAR", "PRAWDA", "FAŁSZ"]
    columns = {"image": [*"abcdef"], "rater": ["r"] * 6, "said_real": words}
    assert as_labels(Table("t", columns)).said_real.tolist() == [True, False] * 3


@pytest.mark.parametrize(
    "text", ["left,right,rater,chosen\na,a,u,left\n", "left,right,votes_left,votes_right\na,a,1,0\n"]
)
def test_a_picture_is_not_paired_with_itself(tmp_path, text):
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(BadTable, match="line 2: 'a' is paired with itself"):
        read_labels(tmp_path / "p.csv")


def test_a_table_of_generators_says_one_of_each_picture(tmp_path):
    (tmp_path / "g.csv").write_text("image,generator\na,x\nb,y\na,y\n")
    with pytest.raises(BadTable, match="line 4: 'a' is 'y' here and 'x' in line 2"):
        read_generators(tmp_path / "g.csv")


def test_columns_of_pandas_are_columns():
    """pandas keeps texts as objects."""
    pandas = pytest.importorskip("pandas")
    of = pandas.DataFrame({"image": ["a", "b"], "rater": ["r", "s"], "rating": [4, 2]})
    of["image"] = of["image"].astype(object)
    made = Ratings(of["image"], of["rater"].to_numpy(dtype=object), of["rating"])
    assert made.image.dtype.kind == "U" and made.pictures() == ["a", "b"] and made.rating.tolist() == [4, 2]
    with pytest.raises(BadShape, match="list of texts or of numbers"):
        Ratings(np.array(["a", None], object), ["r", "s"], [4, 2])
