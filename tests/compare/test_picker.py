import csv
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from giqa.cli import main
from giqa.compare.picker import below, pick, write_picked
from giqa.errors import BadSource, BadSpec
from giqa.images import open_source

SCORES = np.array([0.0, 5, np.nan, 3, 5, -1, 2])  # best first: 1, 4, 3, 6, 0, 5


def test_keeps_the_best_share_of_what_has_a_score():
    """Half of six is three, .75 is 4.5 and so 5; never none; ties in their order."""
    assert pick(SCORES, keep=0.5).tolist() == [1, 4, 3]
    assert pick(SCORES, keep=0.75).tolist() == [1, 4, 3, 6, 0]
    assert pick(SCORES, keep=0.01).tolist() == [1]
    assert pick(SCORES, keep=1).tolist() == [1, 4, 3, 6, 0, 5]


def test_top_and_above():
    assert pick(SCORES, top=2).tolist() == [1, 4]
    assert pick(SCORES, top=99).tolist() == [1, 4, 3, 6, 0, 5]
    assert pick(SCORES, above=2).tolist() == [1, 4, 3, 6]
    assert pick(SCORES, keep=0.5, above=4).tolist() == [1, 4]
    assert pick(SCORES, above=9).tolist() == []


def test_sample_is_drawn_from_the_kept_and_seeded():
    """Each kept picture is drawn equally often, none twice; the same seed draws the same."""
    drawn = [pick(SCORES, top=4, sample=2, seed=seed) for seed in range(400)]
    assert np.array_equal(drawn[7], pick(SCORES, top=4, sample=2, seed=7))
    assert all(len(set(rows)) == 2 for rows in drawn)
    share = np.bincount(np.concatenate(drawn), minlength=7) / 400
    assert share[[0, 2, 5]].tolist() == [0, 0, 0]
    assert share[[1, 3, 4, 6]] == pytest.approx(0.5, abs=0.1)  # 4 standard errors


@pytest.mark.parametrize("wrong", [{}, {"keep": 0}, {"keep": 1.1}, {"top": 0}, {"top": 2, "sample": 3}])
def test_what_cannot_be_picked_is_refused(wrong):
    with pytest.raises(BadSpec):
        pick(SCORES, **wrong)


@pytest.fixture
def pictures(tmp_path):
    for name in ("a.png", "b/c.png"):
        (tmp_path / "from" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "from" / name).write_bytes(name.encode())
    return {name: tmp_path / "from" / name for name in ("b/c.png", "a.png")}


@pytest.mark.parametrize("how", ["copy", "hardlink", "symlink"])
def test_places_pictures_under_their_ids(pictures, tmp_path, how):
    """The bytes are there, in subfolders as the ids say, and the table is a source in the picked order."""
    if how == "symlink" and os.name == "nt":
        pytest.skip("links need rights that Windows does not give everybody")
    folder = write_picked(tmp_path / "to", pictures, {"score": [2.0, 1.0]}, how)
    target = folder / "b" / "c.png"
    assert target.read_bytes() == b"b/c.png"
    assert target.is_symlink() == (how == "symlink")
    assert (target.stat().st_ino == pictures["b/c.png"].stat().st_ino) == (how != "copy")
    assert (folder / "picked.csv").read_text() == "image,score\nb/c.png,2.0\na.png,1.0\n"
    assert list(open_source(f"{folder}/picked.csv").ids) == ["b/c.png", "a.png"]


def test_list_copies_nothing(pictures, tmp_path):
    folder = write_picked(tmp_path / "to", pictures, {"score": [2.0, 1.0]}, "list")
    assert [p.name for p in folder.iterdir()] == ["picked.csv"]
    with open(folder / "picked.csv", newline="") as file:
        assert [Path(row["image"]) for row in csv.DictReader(file)] == [p.resolve() for p in pictures.values()]


def test_never_overwrites_and_leaves_nothing_half_done(pictures, tmp_path):
    """A folder that holds anything stays as it is; an empty one is filled; a picture that is gone leaves nothing."""
    (tmp_path / "to").mkdir()
    write_picked(tmp_path / "to", pictures, {})
    before = sorted((tmp_path / "to").rglob("*"))
    with pytest.raises(BadSource, match="never overwritten"):
        write_picked(tmp_path / "to", pictures, {})
    assert sorted((tmp_path / "to").rglob("*")) == before
    with pytest.raises(FileNotFoundError):
        write_picked(tmp_path / "other", pictures | {"gone.png": tmp_path / "gone.png"}, {})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["from", "to"]
    with pytest.raises(BadSource, match="Two of the picked"):
        write_picked(tmp_path / "other", pictures | {"./a.png": pictures["a.png"]}, {})


def test_nothing_is_written_outside_the_folder():
    assert below("../../x.png") == "up/up/x.png" and below("/etc/x.png") == "etc/x.png"


@pytest.fixture
def scored(toy, tmp_path):
    result = CliRunner().invoke(main, ["score", str(toy[1]), "--real", str(toy[0]), "-o", str(tmp_path / "s.csv")])
    assert result.exit_code == 0
    with open(tmp_path / "s.csv", newline="") as file:
        return tmp_path / "s.csv", sorted(csv.DictReader(file), key=lambda row: -float(row["score"]))


def giqa_pick(*arguments):
    return CliRunner().invoke(main, ["pick", *map(str, arguments)])


def test_command_picks_the_best(scored, toy, tmp_path):
    """`giqa pick SCORES --from FAKES --keep .25 -o DIR`: six of 24, best first, and a line that says what it did."""
    result = giqa_pick(scored[0], "--from", toy[1], "--keep", 0.25, "-o", tmp_path / "picked")
    assert result.exit_code == 0 and "6 of 24 scored pictures, median z" in result.stderr
    best = [row["id"] for row in scored[1][:6]]
    assert list(open_source(f"{tmp_path / 'picked'}/picked.csv").ids) == best
    again = giqa_pick(scored[0], "--from", toy[1], "--keep", 0.25, "-o", tmp_path / "picked")
    assert again.exit_code == 2 and "never overwritten" in again.stderr


def test_a_command_that_ends_before_its_curve_leaves_no_folder(scored, toy, tmp_path):
    """The folder is never overwritten, so it comes last: else the same command could not be given again."""
    given = [scored[0], "--from", toy[1], "--top", 2, "-o", tmp_path / "picked", "--curve", tmp_path / "c.csv"]
    broken = giqa_pick(*given, "--real", tmp_path / "nowhere")
    assert broken.exit_code == 2 and not (tmp_path / "picked").exists()
    whole = giqa_pick(*given, "--real", toy[0], "--extractor", "statistics", "--quiet")
    assert whole.exit_code == 0, whole.stderr
    assert len(list((tmp_path / "picked").iterdir())) == 3 and (tmp_path / "c.csv").exists()


def test_command_with_z_and_list(scored, tmp_path):
    limit = float(scored[1][9]["z"])
    result = giqa_pick(scored[0], "--min-z", limit, "--how", "list", "-o", tmp_path / "picked")
    assert result.exit_code == 0, result.stderr
    with open(tmp_path / "picked" / "picked.csv", newline="") as file:
        assert [row["image"] for row in csv.DictReader(file)] == [row["id"] for row in scored[1][:10]]


def test_command_leaves_out_copies_of_reals(toy, tmp_path):
    """A real among the fakes scores well; --no-copies leaves it out."""
    reals = sorted(toy[0].iterdir())
    with zipfile.ZipFile(tmp_path / "fakes.zip", "w") as archive:
        for path in [*sorted(toy[1].iterdir())[:5], reals[0]]:
            archive.write(path, path.name)
    args = ["score", str(tmp_path / "fakes.zip"), "--real", str(toy[0]), "-o", str(tmp_path / "s.csv")]
    assert CliRunner().invoke(main, args).exit_code == 0
    for extra, n in (((), 6), (("--no-copies",), 5)):
        out = tmp_path / f"picked{n}"
        assert (
            giqa_pick(tmp_path / "s.csv", "--from", tmp_path / "fakes.zip", "--keep", 1, *extra, "-o", out).exit_code
            == 0
        )
        assert (out / reals[0].name).exists() == (n == 6)
        assert len(list(out.glob("*.png"))) == n


def test_command_takes_arrays(tmp_path):
    """Pictures of an array become PNG files."""
    rng = np.random.default_rng(0)
    np.save(tmp_path / "fakes.npy", rng.integers(0, 256, (4, 16, 16, 3), dtype=np.uint8))
    np.save(tmp_path / "reals.npy", rng.integers(0, 256, (24, 16, 16, 3), dtype=np.uint8))
    args = ["score", f"{tmp_path}/fakes.npy", "--real", f"{tmp_path}/reals.npy", "--extractor", "statistics"]
    assert CliRunner().invoke(main, [*args, "-o", f"{tmp_path}/s.csv"]).exit_code == 0
    result = giqa_pick(tmp_path / "s.csv", "--from", tmp_path / "fakes.npy", "--top", 2, "-o", tmp_path / "picked")
    assert result.exit_code == 0 and len(open_source(tmp_path / "picked" / "picked.csv")) == 2


def test_a_share_in_percent_and_the_worst(scored, toy, tmp_path):
    """25% is .25; --bottom 3 takes the three worst, the worst first."""
    for name, options in {"share": ("--keep", "0.25"), "percent": ("--keep", "25%"), "worst": ("--bottom", 3)}.items():
        assert giqa_pick(scored[0], "--images", toy[1], *options, "-o", tmp_path / name).exit_code == 0
    tables = {name: (tmp_path / name / "picked.csv").read_text() for name in ("share", "percent", "worst")}
    assert tables["share"] == tables["percent"]
    z = [float(line.split(",")[2]) for line in tables["worst"].splitlines()[1:]]
    assert len(z) == 3 and z == sorted(z)
    wrong = giqa_pick(scored[0], "--images", toy[1], "--keep", "many", "-o", tmp_path / "x")
    assert wrong.exit_code == 2 and "10% or 0.1" in wrong.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--keep", 0.5), "Give --images FAKES"),
        (("--from", "{reals}", "--keep", 0.5), "is it the source that was scored"),
        (("--how", "list"), "Give --keep SHARE, --min-z Z, --top N, or --bottom N"),
        (("--how", "list", "--min-z", 1e9), "No picture of"),
    ],
)
def test_command_says_what_is_wrong(scored, toy, tmp_path, arguments, message):
    filled = [str(a).format(reals=toy[0]) for a in arguments]
    result = giqa_pick(scored[0], *filled, "-o", tmp_path / "picked")
    assert result.exit_code == 2 and message in result.stderr and not (tmp_path / "picked").exists()
