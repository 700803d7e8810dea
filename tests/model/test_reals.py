"""Twins, strays and low groups among the reals: found, named, left out on request."""

import csv
import shutil
import sys
import types

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import giqa
from giqa import registry
from giqa.cli import main
from giqa.errors import BadSpec
from giqa.features.reader import extract
from giqa.model import reals as hygiene
from giqa.types import Features


class Colour:
    """An extractor whose only layer, the mean colour, is content."""

    outputs = ("colour",)
    levels = types.MappingProxyType({"high": ("colour",)})

    def identity(self):
        return {"extractor": "colour"}

    def prepare(self, pixels):
        return pixels.mean(axis=(0, 1)).astype(np.float32)

    def run(self, prepared):
        return {"colour": np.stack(prepared)}

    def __call__(self, pixels):
        return self.run([self.prepare(p) for p in pixels])


@pytest.fixture
def colour(monkeypatch):
    module = types.ModuleType("colour_extractor")
    module.Colour = Colour
    monkeypatch.setattr(Colour, "__module__", module.__name__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(registry.BUILTIN["extractor"], "colour", "colour_extractor:Colour")


@pytest.fixture
def reals(tmp_path):
    """60 patchworks around grey, two of them twice, and a green picture. Which of a pair is kept goes by its pixels."""
    folder, rng = tmp_path / "reals", np.random.default_rng(0)
    folder.mkdir()
    for i in range(60):
        patches = rng.normal(rng.uniform(105, 150, 3), 40, (8, 8, 3)).clip(0, 255).astype(np.uint8)
        Image.fromarray(np.kron(patches, np.ones((4, 4, 1), np.uint8))).save(folder / f"real_{i:03d}.png")
    shutil.copy(folder / "real_004.png", folder / "zwin_a.png")
    Image.open(folder / "real_007.png").save(folder / "zwin_b.jpg", quality=95, subsampling=0)
    green = np.clip(rng.normal((0, 255, 0), 5, (32, 32, 3)), 0, 255).astype(np.uint8)
    Image.fromarray(green).save(folder / "green.png")
    return folder


def giqa_command(*arguments):
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_twins_and_strays_are_named(reals, colour):
    """One warning each with how many and which; nothing is left out unasked, and made_by has it."""
    with pytest.warns(UserWarning) as caught:
        model = giqa.fit(reals, extractor="colour")
    twins, strays = (str(w.message) for w in caught)
    assert twins.startswith("2 reals are there more than once") and "zwin_a.png, zwin_b.jpg" in twins
    assert strays.startswith("1 real shows something that the others do not: green.png.")
    assert "--leave-out twins" in twins and "--leave-out strays" in strays
    assert model.made_by["twins"] == {"count": 2, "ids": ["zwin_a.png", "zwin_b.jpg"], "left_out": False}
    assert model.made_by["strays"] == {"count": 1, "ids": ["green.png"], "left_out": False}
    assert model.made_by["reals"] == 63


@pytest.mark.parametrize("leave_out", ["twins,strays", ("strays", "twins")])
@pytest.mark.filterwarnings("error")
def test_left_out_is_as_if_never_there(reals, colour, leave_out):
    """The model is that of the pictures that are left, to the last bit, and nothing is warned of."""
    model = giqa.fit(reals, extractor="colour", leave_out=leave_out)
    assert model.made_by["twins"]["left_out"] and model.made_by["strays"]["ids"] == ["green.png"]
    left = extract([reals / name for name in sorted(model.reals.ids)], "colour").features
    pairs = [("real_004.png", "zwin_a.png"), ("real_007.png", "zwin_b.jpg")]
    assert [sum(name in model.reals.ids for name in pair) for pair in pairs] == [1, 1]
    assert len(model.reals) == 60 and model.digest == giqa.fit(left).digest
    assert giqa.score(reals / "green.png", model=model).out_of_domain == ["yes"]


def test_left_out_with_mirrored_copies(reals, colour):
    """Their mirrored copies go with them."""
    model = giqa.fit(reals, extractor="colour", flip=True, leave_out="twins,strays")
    assert len(model.reals) == 120 and not any("green" in i or "zwin" in i for i in model.reals.ids)


def test_without_a_layer_of_content_strays_score_absurdly_low():
    """Two of 100 rows 100 deviations off: by their held-out score; a row 3 deviations off is none."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(100, 3)).astype(np.float32)
    rows[5], rows[50] = 100, -100
    rows[7] = 3
    with pytest.warns(UserWarning, match=r"2 reals score absurdly low .* more than 8 sd below the median: 05, 50\."):
        model = giqa.fit(rows, scorer="knn")
    assert model.made_by["strays"]["ids"] == ["05", "50"]
    assert len(giqa.fit(rows, scorer="knn", leave_out="strays").reals) == 98


def test_at_most_50_ids_are_kept():
    """The count is of all."""
    rows = np.repeat(np.random.default_rng(0).normal(size=(60, 3)), 2, axis=0).astype(np.float32)
    with pytest.warns(UserWarning, match="60 reals are there more than once"):
        found = giqa.fit(rows).made_by["twins"]
    assert found["count"] == 60 and len(found["ids"]) == 50


def test_spare_twins_by_hand():
    """Groups 4 7 4 4 7 9: the first 4, the first 7 and the 9 stay."""
    assert hygiene.spare_twins(np.array([4, 7, 4, 4, 7, 9])).tolist() == [2, 3, 4]


def test_low_groups_by_the_three_conditions():
    """Far lower with 10 reals: low. With 9, or only a little lower, or as the others: not."""
    rng = np.random.default_rng(0)
    parts = {"others": (300, 0.0), "rare": (10, -2.0), "few": (9, -3.0), "little": (150, -0.3)}
    z = np.concatenate([rng.normal(mean, 1, n) for n, mean in parts.values()])
    labels = [name for name, (n, _) in parts.items() for _ in range(n)]
    found = {group.name: group for group in hygiene.subgroups(z, labels)}
    assert {name for name, group in found.items() if group.low} == {"rare"}
    assert found["rare"].n == 10 and found["rare"].median_z == np.median(z[300:310])


def test_groups_at_random_are_not_low():
    """Of 200 partitions into 20 groups that mean nothing, at most 3 % have a low one."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=400)
    low = [any(g.low for g in hygiene.subgroups(z, rng.integers(0, 20, 400).astype(str))) for _ in range(200)]
    assert np.mean(low) <= 0.03


def tabled(folder, kind):
    """A table of the pictures of a folder, with the column `kind`."""
    names = sorted(path.name for path in folder.iterdir())
    with (folder.parent / "reals.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "kind"])
        rows.writerows((f"{folder.name}/{name}", kind(name)) for name in names)
    return folder.parent / "reals.csv"


@pytest.fixture
def night(toy, tmp_path):
    """A table of 60 toy reals by day and 12 far darker ones by night."""
    folder = tmp_path / "pictures"
    shutil.copytree(toy[0], folder)
    for path in sorted(folder.iterdir())[::5]:
        dark = np.asarray(Image.open(path)) // 16
        Image.fromarray(dark).save(folder / f"night_{path.name}")
    return tabled(folder, lambda name: "night" if name.startswith("night") else "day")


def test_a_rare_group_is_warned_of(night):
    """By name, number and median; the medians of all groups are on record."""
    with pytest.warns(UserWarning, match=r"score lower .* though they are real: kind = night \(12, median z -"):
        made_by = giqa.fit(night, extractor="statistics", scorer="knn", group="kind").made_by
    groups = made_by["groups"]
    assert groups["column"] == "kind" and set(groups["of"]) == {"day", "night"}
    assert groups["of"]["night"]["reals"] == 12 and groups["of"]["night"]["low"] and not groups["of"]["day"]["low"]
    assert groups["of"]["night"]["median_z"] < groups["of"]["day"]["median_z"]


def test_commands(night, reals, toy, tmp_path, colour):
    """`giqa fit` says what was found and how to leave it out, and does; `giqa score --real` too."""
    status, _, err = giqa_command("fit", reals, "-o", tmp_path / "m.giqa", "--extractor", "colour")
    assert status == 0 and "warning: 2 reals are there more than once" in err and "(--leave-out strays)" in err
    chosen = ("--extractor", "colour", "--leave-out", "twins,strays")
    status, _, err = giqa_command("fit", reals, "-o", tmp_path / "m.giqa", *chosen)
    assert status == 0 and "warning" not in err and "60 reals (2 twins and 1 stray left out)" in err
    status, out, err = giqa_command("score", reals / "green.png", "--real", reals, *chosen)
    assert status == 0 and out.splitlines()[1].split(",")[7] == "yes"
    assert "1 seems to show something that the reals do not (column out_of_domain" in err
    status, _, err = giqa_command(
        *("fit", night, "-o", tmp_path / "m.giqa", "--extractor", "statistics", "--scorer", "knn", "--group", "kind")
    )
    assert status == 0 and "kind = night" in err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"leave_out": "twins,oddballs"}, "takes twins and strays, or both with a comma, got 'oddballs'"),
        ({"group": "kind"}, "group='kind' names a column of the table of reals; .* is no table"),
    ],
)
def test_mistakes(toy, options, says):
    with pytest.raises(BadSpec, match=says):
        giqa.fit(toy[0], **options)


def test_more_mistakes(toy, night):
    """An unknown column names those there are; features have none; a fitted model has its reals."""
    with pytest.raises(BadSpec, match="has the columns image, kind"):
        giqa.fit(night, group="knd")
    with pytest.raises(BadSpec, match="group are for pictures"):
        giqa.fit(Features(("a",), {"x": np.zeros((1, 2), np.float32)}), group="kind")
    with pytest.raises(BadSpec, match=r"leave_out and group to giqa\.fit"):
        giqa.score(toy[1], model=giqa.fit(toy[0]), leave_out="twins")
