import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from giqa.errors import BadShape, BadSpec
from giqa.metrics.prdc import Coverage, Density, Precision, Recall, neighbourhoods
from giqa.metrics.realism import realism_score


def by_scikit_learn(real, fake, k):
    """The published definitions with scikit-learn's neighbours and all distances at once, float64."""
    dense = np.sqrt(((real[:, None].astype(float) - fake) ** 2).sum(-1))
    radius, other = (NearestNeighbors(n_neighbors=k + 1).fit(x).kneighbors(x)[0][:, -1] for x in (real, fake))
    return {
        "precision": (dense <= radius[:, None]).any(axis=0).mean(),
        "recall": (dense <= other).any(axis=1).mean(),
        "density": (dense < radius[:, None]).sum(axis=0).mean() / k,
        "coverage": (dense.min(axis=1) <= radius).mean(),
    }


def gauss(n, d=4, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


@pytest.mark.parametrize("metric", [Precision, Recall, Density, Coverage])
def test_five_neighbours_unless_others_are_asked_for(metric):
    real, fake = gauss(60), gauss(50, seed=1) + np.float32(0.8)
    four, five = (by_scikit_learn(real, fake, k)[metric.__name__.lower()] for k in (4, 5))
    assert four != five and metric(k=4)(real, fake) == pytest.approx(four, abs=1e-12)
    assert metric()(real, fake) == pytest.approx(five, abs=1e-12)


def test_by_hand_on_a_line():
    """Reals 0, 1, 10, k = 1: radii 1, 1, 9. Fakes .5, 1.5 (radii 1, 1).

    Both fakes are inside, .5 in two balls, 1.5 (less than 9 from 10, .5 from 1) in two: density 4 / 2 / 1 = 2. The
    reals 0 and 1 lie within 1 of a fake, 10 does not: recall 2/3. Each real's ball holds a fake: coverage 1.
    """
    found = neighbourhoods(np.array([[0.0], [1.0], [10.0]]), np.array([[0.5], [1.5]]), k=1)
    assert (found.precision, found.density, found.coverage) == (1, 2, 1)
    assert found.recall == pytest.approx(2 / 3)
    assert found.nearest.tolist() in ([0, 1], [1, 1]) and found.distance.tolist() == [0.5, 0.5]
    assert found.spacing == pytest.approx([1, 1, 9], rel=1e-5)
    assert found.authenticity == 0  # each fake is nearer to its real than reals are to each other


@pytest.mark.parametrize(("n", "m", "k"), [(40, 30, 1), (300, 250, 5), (2150, 2100, 3)])
def test_equals_scikit_learns_neighbours(n, m, k):
    """The same shares as with dense float64 distances, above one block of rows too."""
    real, fake = gauss(n), gauss(m, seed=1) * 0.8 + 0.5
    found = neighbourhoods(real, fake, k=k)
    for name, wanted in by_scikit_learn(real, fake, k).items():
        assert getattr(found, name) == pytest.approx(wanted, abs=2 / m), name


@pytest.mark.parametrize("n", [50, 2100])
def test_identical_sets(n):
    """FD 0, precision 1, recall 1, and density and coverage 1; all are copies, none is authentic."""
    x = gauss(n)
    found = neighbourhoods(x, x.copy())
    assert (found.precision, found.recall, found.coverage, found.authenticity) == (1, 1, 1, 0)
    assert found.density == pytest.approx(1, abs=1e-3)
    assert found.copies.all() and found.nearest.tolist() == list(range(n))


def test_orientation():
    """What is far from the reals lowers precision and density; what shows a part of them lowers recall and coverage."""
    real, fake = gauss(500), gauss(500, seed=1)
    good, off = neighbourhoods(real, fake), neighbourhoods(real, fake + 3)
    part = neighbourhoods(real, fake[fake[:, 0] > 0])
    wide = neighbourhoods(real, fake * 2)
    assert off.precision < 0.3 * good.precision and off.density < 0.3 * good.density
    assert part.precision > 0.9 * good.precision and part.recall < 0.8 * good.recall
    assert part.coverage < 0.8 * good.coverage
    assert wide.precision < 0.8 * good.precision and wide.recall > 0.9 * good.recall
    assert neighbourhoods(fake * 2, real).recall == wide.precision  # exchanged sets exchange the two


def test_mode_collapse_in_ten_steps():
    """Ten modes; each step loses one: recall and coverage fall at every step, precision stays."""
    rng = np.random.default_rng(0)
    modes = rng.normal(size=(10, 6)) * 20
    real = np.concatenate([mode + rng.normal(size=(40, 6)) for mode in modes])
    found = [
        neighbourhoods(real, modes[rng.integers(left, size=400)] + rng.normal(size=(400, 6)))
        for left in range(10, 0, -1)
    ]
    assert np.all(np.diff([f.recall for f in found]) < 0) and np.all(np.diff([f.coverage for f in found]) < 0)
    assert found[-1].recall < 0.15 and min(f.precision for f in found) > 0.8


def test_what_does_not_matter():
    """Order, rotation, a common shift, a common scale."""
    real, fake = gauss(200), gauss(150, seed=1) + 0.4
    rng = np.random.default_rng(2)
    turn = np.linalg.qr(rng.normal(size=(4, 4)))[0].astype(np.float32)
    whole = neighbourhoods(real, fake)
    for change in (lambda x: rng.permutation(x), lambda x: x @ turn, lambda x: x + 50, lambda x: x * 1000):
        other = neighbourhoods(change(real), change(fake))
        for name in ("precision", "recall", "density", "coverage"):
            assert getattr(other, name) == pytest.approx(getattr(whole, name), abs=0.01), name


def test_copies_are_flagged_and_only_they():
    """Three memorised pictures among fresh ones, one of them touched up a little."""
    real, fake = gauss(300), gauss(100, seed=1)
    fake[[3, 50]] = real[[7, 9]]
    fake[80] = real[11] + 1e-3
    found = neighbourhoods(real, fake)
    assert {3, 50, 80} <= set(np.flatnonzero(found.copies)) and found.copies.sum() <= 4
    assert found.nearest[[3, 50, 80]].tolist() == [7, 9, 11]
    fresh, memorised = neighbourhoods(real, gauss(300, seed=2)), neighbourhoods(real, real + 1e-3)
    assert fresh.authenticity == pytest.approx(0.5, abs=0.12) and memorised.authenticity == 0


def test_realism_is_equation_5():
    """max over the half of the reals with smaller balls of radius / distance; pruned, one at a time or together."""
    real, fake = gauss(101), gauss(40, seed=1) * 1.5
    dense = np.sqrt(((real[:, None].astype(float) - real) ** 2).sum(-1))
    radius = np.sort(dense, axis=1)[:, 3]
    kept = radius <= np.median(radius)
    away = np.sqrt(((real[:, None].astype(float) - fake) ** 2).sum(-1))
    wanted = (radius[kept, None] / away[kept]).max(axis=0)
    np.testing.assert_allclose(realism_score(real, fake), wanted, rtol=1e-4)
    np.testing.assert_allclose(neighbourhoods(real, fake, k=3).realism, wanted, rtol=1e-4)
    np.testing.assert_allclose([realism_score(real, one[None])[0] for one in fake], wanted, rtol=1e-4)
    falling = realism_score(real, np.linspace(0, 9, 10)[:, None] * np.ones(4))
    assert np.all(np.diff(falling[2:]) < 0)


def test_duplicates_among_the_reals():
    """Radius 0: such a real holds its own copies and nothing else, and has no part in realism."""
    real = np.r_[np.zeros((10, 2)), gauss(30, 2)]
    found = neighbourhoods(real, np.r_[np.zeros((1, 2)), np.full((5, 2), 30.0)], k=3)
    assert found.inside.tolist() == [True] + [False] * 5
    assert np.isfinite(found.realism).all()
    with pytest.raises(BadShape, match="leave duplicates out"):
        realism_score(np.zeros((10, 2)), np.ones((2, 2)))


def test_mistakes_are_named():
    with pytest.raises(BadShape, match="k=5 neighbours need at least 6 pictures in each set, got 4"):
        neighbourhoods(gauss(10), gauss(4))
    with pytest.raises(BadSpec, match="whole number from 1"):
        neighbourhoods(gauss(10), gauss(10), k=0)
    with pytest.raises(BadShape, match="4 columns, the fakes 2"):
        realism_score(gauss(10), gauss(10, 2))


@pytest.mark.parametrize(
    "measure", [lambda x: neighbourhoods(gauss(30), x, k=3), lambda x: realism_score(gauss(30), x)]
)
def test_a_distance_that_is_no_number_is_refused_with_its_row(measure):
    fake = gauss(20, seed=1).astype(float)
    fake[7] = 1e200
    with pytest.raises(BadShape, match="Row 7 of the features is so far"):
        measure(fake)
    fake[7] = 1e140
    measure(fake)
