"""The toy landscapes and their damage."""

import csv
import re
import time

import numpy as np
import pytest
from PIL import Image

from giqa.images.toy import DAMAGES, damaged, landscape, write_toy


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return write_toy(tmp_path_factory.mktemp("toy"), n_real=12, n_fake=24, size=32)


def pixels(path):
    return np.asarray(Image.open(path)).astype(int)


def test_reals_fakes_and_labels_are_written(drawn):
    """As many pictures as asked for, of that size, and one row in labels.csv for each."""
    reals, fakes = drawn
    assert (reals.name, fakes.name) == ("reals", "fakes") and reals.parent == fakes.parent
    assert len(list(reals.iterdir())) == 12 and len(list(fakes.iterdir())) == 24
    assert all(pixels(path).shape == (32, 32, 3) for path in [*reals.iterdir(), *fakes.iterdir()])
    rows = list(csv.DictReader((reals.parent / "labels.csv").open(encoding="utf-8")))
    assert list(rows[0]) == ["image", "kind", "damage", "strength"]
    assert len(rows) == 36 and all((reals.parent / row["image"]).is_file() for row in rows)
    for row in rows:
        assert row["kind"] == ("real" if row["image"].startswith("reals/") else "generated")
        if row["kind"] == "generated":
            assert re.fullmatch(rf"fakes/fake_\d{{3}}_{row['damage']}_{row['strength']}\.png", row["image"])


def test_a_sixth_is_undamaged_and_every_damage_is_graded(drawn):
    """24 fakes: 4 of each kind, with strengths from .05 to 1 (none: 0)."""
    rows = [r for r in csv.DictReader((drawn[0].parent / "labels.csv").open()) if r["kind"] == "generated"]
    for kind in ("none", *DAMAGES):
        strengths = [float(row["strength"]) for row in rows if row["damage"] == kind]
        assert len(strengths) == 4
        assert strengths == ([0] * 4 if kind == "none" else sorted(set(strengths)))
        assert kind == "none" or (strengths[0], strengths[-1]) == (0.05, 1.0)


def test_the_same_seed_writes_the_same_files(tmp_path, drawn):
    """Bit for bit; another seed writes others; the first pictures do not depend on how many follow."""
    again = write_toy(tmp_path / "again", n_real=3, n_fake=24, size=32)
    other = write_toy(tmp_path / "other", n_real=3, n_fake=24, size=32, seed=1)
    for path in sorted(again[0].iterdir()) + sorted(again[1].iterdir()):
        first = drawn[0].parent / path.parent.name / path.name
        assert path.read_bytes() == first.read_bytes()
        assert (pixels(other[0].parent / path.parent.name / path.name) != pixels(path)).any()


def test_fakes_are_pictures_of_their_own(drawn):
    """No undamaged fake is a copy of a real: a memorising scorer would otherwise be right."""
    seen = {pixels(path).tobytes() for folder in drawn for path in folder.iterdir()}
    assert len(seen) == 36


@pytest.mark.parametrize("kind", DAMAGES)
def test_more_strength_is_more_damage(kind):
    """The mean difference to the whole picture grows with the strength, over 20 pictures."""
    views = [landscape(np.random.default_rng(seed), 32) for seed in range(20)]

    def difference(strength):
        made = [damaged(view, kind, strength, np.random.default_rng(seed)) for seed, view in enumerate(views)]
        return np.mean([np.abs(m.astype(int) - v).mean() for m, v in zip(made, views, strict=True)])

    differences = [difference(strength) for strength in (0.1, 0.4, 0.7, 1.0)]
    assert differences[0] > 0 and differences == sorted(differences)


def test_no_damage_is_no_change_and_the_input_is_never_changed():
    """`none` gives the same pixels; damaging works on a copy."""
    view = landscape(np.random.default_rng(0), 32)
    before = view.copy()
    for kind in ("none", *DAMAGES):
        result = damaged(view, kind, 0.8, np.random.default_rng(0))
        assert (result == before).all() == (kind == "none")
    np.testing.assert_array_equal(view, before)


def test_a_checkerboard_is_one_at_the_highest_frequency():
    """Of a flat picture, even-even and odd-odd pixels keep their level, the others lose the stated part."""
    flat = np.full((4, 4, 3), 200, np.uint8)
    result = damaged(flat, "checkerboard", 1.0, np.random.default_rng(0))[..., 0]
    # 200 * .45 = 90 where just one index is even; 200 + .12 * 255 = 230.6 where both are
    assert result.tolist() == [[231, 90, 231, 90], [90, 200, 90, 200]] * 2


@pytest.mark.parametrize("size", [1, 8, 100])
def test_any_size_can_be_drawn(tmp_path, size):
    """Small and odd sizes work for every kind of damage."""
    reals, fakes = write_toy(tmp_path, n_real=4, n_fake=12, size=size)
    assert pixels(reals / "real_000.png").shape == (size, size, 3)
    assert len(list(fakes.iterdir())) == 12


def test_the_default_set_is_fast(tmp_path):
    """A new user waits seconds (about 1.5 on one slow core), not minutes."""
    start = time.process_time()
    write_toy(tmp_path)
    assert time.process_time() - start < 10
