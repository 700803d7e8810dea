"""Agreement with people's pairs, and its difference between two scores, worked out by hand."""

import numpy as np
import pytest

from benchmarks.accuracy._pairs import FOLDER, agreement, gain
from benchmarks.accuracy._scalars import SCALARS, gradient, laplacian, rings, slope
from benchmarks.data import Sets

# three of four votes for a over b in scene 1, all four for d over c in scene 2, one of four for a over c
PAIRS = "left,right,votes_left,votes_right\n1_a,1_b,3,1\n2_c,2_d,0,4\n1_a,2_c,1,3\n"


@pytest.fixture
def sets(tmp_path):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "pairs.csv").write_text(PAIRS)
    return Sets([tmp_path], None)


def test_agreement_and_gain(sets):
    """Right, right and wrong: votes 3/4, 4/4 and 1/4. The other score is right, wrong and even: 3/4, 0 and 1/2."""
    mine, others = {"1_a": 3, "1_b": 2, "2_c": 1, "2_d": 2}, {"1_a": 3, "1_b": 2, "2_c": 3, "2_d": 2}
    found, more = agreement(sets, mine), gain(sets, mine, others)
    assert found["people: pairs, all"].value == pytest.approx(2 / 3)
    assert found["people: votes, all"].value == pytest.approx(2 / 3)
    assert found["people: votes, within scene"].value == pytest.approx(7 / 8)
    assert more["people: votes, all"].value == pytest.approx(2 / 3 - 1.25 / 3)
    assert more["people: pairs, within scene"].value == pytest.approx(1 - 1 / 2)
    assert agreement(sets, None)["people: votes, all"].value == pytest.approx(2.5 / 3)


def test_plain_numbers_of_drawn_pictures():
    """A ramp of 3 a pixel: no Laplacian, gradient 3; a wave of 16 cycles in 64 px is in the ring from 16 to 21."""
    x = np.tile(np.arange(128), (128, 1))
    ramp = np.repeat((3 * x % 256)[:, :80, None], 3, axis=2).astype(np.uint8)
    assert laplacian(ramp) == pytest.approx(np.log(1e-3), abs=0.01)
    assert gradient(ramp) == pytest.approx(np.log(3.25), abs=1e-4)
    wave = np.repeat(np.rint(128 + 60 * np.cos(2 * np.pi * 17 * x / 64))[..., None], 3, axis=2).astype(np.uint8)
    assert int(np.argmax(rings(wave))) == 5 and np.isnan(rings(wave[:40])).all()
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (128, 128, 3), np.uint8)
    assert slope(noise) == pytest.approx(0, abs=0.15)
    assert set(SCALARS) >= {"detail", "95th percentile of the gradient"}
