"""Where a picture is unlike the reals: energies by hand, the scale of held-out reals, and damage that is found."""

import numpy as np
import pytest

from giqa.errors import BadShape, BadSpec, NotFitted
from giqa.explain.energy import FLOOR, Places, SharpnessPlaces, cell_sums, energies, neighbourhood, place_scale


def reals(n, seed=0, side=12):
    """Two layers of noise; the noise of "fine" is stronger in the right half, as it is in every real."""
    rng = np.random.default_rng(seed)
    louder = np.where(np.arange(side) < side // 2, 1, 3)[None, :, None]
    return [{"fine": rng.normal(size=(side, side, 3)) * louder, "deep": rng.normal(size=(4, 4, 5))} for _ in range(n)]


@pytest.fixture(scope="module")
def places():
    return Places(grid=6).fit(reals(80))


def test_energies_are_log_root_mean_squares_of_windows():
    """In float64 from the cells of a window, also where cells differ in size (7 and 9 pixels in 3 cells)."""
    values = np.random.default_rng(0).normal(size=(7, 9, 2)).astype(np.float32)
    rows, columns = [0, 2, 4, 7], [0, 3, 6, 9]  # i * side // 3
    found = energies(values, 3, 1)
    for u in range(3):
        for v in range(3):
            window = values[rows[max(0, u - 1)] : rows[min(3, u + 2)], columns[max(0, v - 1)] : columns[min(3, v + 2)]]
            mean = (window.astype(float) ** 2).mean((0, 1))
            assert found[u, v] == pytest.approx(np.log(np.sqrt(mean) + FLOOR), rel=1e-5, abs=1e-6)


def test_a_map_smaller_than_the_grid_is_repeated():
    """2 x 1 places in a grid of 4: two rows of each, four columns of the only one; a vector is one place."""
    assert cell_sums(np.array([[[1.0]], [[2.0]]]), 4)[..., 0].tolist() == [[1.0] * 4] * 2 + [[2.0] * 4] * 2
    assert np.allclose(energies(np.array([3.0, 0.0]), 4, 1), np.log([3 + FLOOR, FLOOR]))


def test_neighbourhoods_end_at_the_border():
    assert neighbourhood(np.ones((3, 3, 1)), 1)[..., 0].tolist() == [[4, 6, 4], [6, 9, 6], [4, 6, 4]]


def test_the_scale_of_a_place_is_that_of_its_neighbours_and_at_least_a_tenth_of_the_mean():
    """Four reals of -1, -1, 1, 1 in the left two of six columns, 0 elsewhere: 1.4826 times 1, 2/3, 1/3, 0, 0, 0."""
    held_out = np.zeros((4, 3, 6))
    held_out[:2, :, :2], held_out[2:, :, :2] = -1, 1
    median, scale = place_scale(held_out)
    assert (median == 0).all()
    expected = 1.4826 * np.array([1, 2 / 3, 1 / 3, 0.1 / 3, 0.1 / 3, 0.1 / 3])
    assert scale == pytest.approx(np.tile(expected, (3, 1)), rel=1e-4)
    assert place_scale(np.zeros((4, 3, 6)))[1] == pytest.approx(1e-6)


def test_held_out_reals_lie_at_zero_at_every_place(places):
    """New reals: the median z of each place is near 0 though half of the places vary three times as much."""
    z = [places.z(one) for one in reals(200, seed=1)]
    assert list(z[0]) == ["fine", "deep", "combined"] and z[0]["combined"].shape == (6, 6)
    for name in z[0]:
        medians = np.median([one[name] for one in z], axis=0)
        assert np.abs(medians).max() < 0.8 and np.abs(medians).mean() < 0.3
        below = np.mean([one[name] < places.limit(name, 0.01) for one in z])
        assert 0.002 < below < 0.03  # said to be .01


def test_damage_is_found_where_it_is_and_in_its_layer(places):
    """Noise twice as strong in a corner of one layer, that would be ordinary on the right."""
    found, blamed = [], []
    for one in reals(20, seed=2):
        one["fine"][:4, :4] *= 3
        z = places.z(one)
        row, column = np.unravel_index(z["combined"].argmin(), (6, 6))
        found.append(row < 2 and column < 2)
        blamed.append(z["fine"].min() / places.limit("fine") > z["deep"].min() / places.limit("deep"))
        assert places.peak_percentile(z["combined"]) <= 3 / 81
    assert np.mean(found) >= 0.9 and np.mean(blamed) >= 0.9


def test_too_smooth_is_unlike_too(places):
    """A place without any noise is as foreign as one with too much: energies are looked at from both sides."""
    (one,) = reals(1, seed=3)
    one["fine"][4:8, 4:8] = 0
    z = places.z(one)["fine"]
    assert np.unravel_index(z.argmin(), z.shape) in [(2, 2), (2, 3), (3, 2), (3, 3)] and z.min() < -5


def test_combined_is_the_worst_layer_in_units_of_its_limit(places):
    """By hand, for one picture."""
    (one,) = reals(1, seed=4)
    z = places.z(one)
    worst = np.minimum(*(z[name] / -places.limit(name, 0.01) for name in ("fine", "deep")))
    assert z["combined"] == pytest.approx((worst - places.median_) / places.deviation_)


def test_peak_percentile_is_conformal(places):
    worst, n = places.peaks_[0], len(places.peaks_)
    assert places.peak_percentile(np.array([worst - 1])) == pytest.approx(1 / (n + 1))
    assert places.peak_percentile(np.array([places.peaks_[-1]])) == 1


def test_nearest_is_the_real_itself(places):
    given = reals(80)
    for row in (0, 41, 79):
        rows, distances = places.nearest(given[row], (1, 1), k=3)
        assert rows[0] == row and distances[0] < 0.1 < distances[1] <= distances[2]


def test_the_same_bits_whatever_was_asked_before(places):
    (one,), others = reals(1, seed=5), reals(3, seed=6)
    first = places.z(one)
    for other in others:
        places.z(other)
    assert all(np.array_equal(first[name], z) for name, z in places.z(one).items())
    again = Places(grid=6).fit(reals(80)).z(one)
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_errors_say_what_to_do(places):
    with pytest.raises(BadShape, match=r"At least 20 .* got 19"):
        Places(grid=6).fit(reals(19))
    with pytest.raises(NotFitted):
        Places().z(reals(1)[0])
    with pytest.raises(BadSpec, match="grid of 2 to 256"):
        Places(grid=1).fit(reals(20))
    with pytest.raises(BadShape, match="a map fine of 3 channels, got nothing"):
        places.z({"deep": np.zeros((4, 4, 5))})
    with pytest.raises(BadShape, match="a map deep of 5 channels"):
        places.z({**reals(1)[0], "deep": np.zeros((4, 4, 6))})


def test_sharpness_is_what_the_coarse_does_not_foretell():
    """Fine energies are .5, .25 and 0 of the three coarse ones plus 3 at each place: r = 0; one below, r = -1."""
    rng = np.random.default_rng(0)
    energy = np.empty((30, 4, 4, 25))
    coarse, fine = [0, 1, 5], [i for i in range(25) if i not in (0, 1, 5)]  # (0, 0), (0, 1), (1, 0) of 5 x 5
    energy[..., coarse] = rng.normal(size=(30, 4, 4, 3))
    foretold = 0.5 * energy[..., 0] + 0.25 * energy[..., 1] + 3
    energy[..., fine] = foretold[..., None] + np.arange(22) - 10.5  # their mean is what is foretold
    layer = SharpnessPlaces().learn_directions(energy)
    assert layer.weights_ == pytest.approx([0.5, 0.25, 0], abs=1e-9) and layer.channels == 25
    assert layer.project(energy[0])[..., 0] == pytest.approx(np.zeros((4, 4)), abs=1e-9)
    blurred = energy[0].copy()
    blurred[1, 2, fine] -= 1
    assert layer.project(blurred)[1, 2, 0] == pytest.approx(-1)


def test_too_little_detail_is_bad_too_much_is_not():
    """Reals vary by 1 around what is predicted: 5 less is 5 sd worse, 5 more is 5 better."""
    layer = SharpnessPlaces()
    layer.fit(np.random.default_rng(0).normal(size=(400, 4, 4, 1)), np.zeros(400))
    layer.centre_, layer.weights_ = np.zeros((4, 4, 25)), np.zeros(3)
    assert layer.z(np.full((4, 4, 25), -5.0)) == pytest.approx(np.full((4, 4), -5), abs=0.6)
    assert layer.z(np.full((4, 4, 25), 5.0)).min() > 4
    assert layer.limits_[2] == pytest.approx(-2.33, abs=0.15)  # 1 % of a Gaussian


def test_a_blurred_patch_stands_out_and_a_smooth_wall_does_not():
    """Each real has one quarter that is a wall: little of everything. Blur takes fine detail away and nothing else."""
    rng = np.random.default_rng(0)

    def real():
        one = rng.normal(size=(24, 24, 25))
        top, left = 12 * rng.integers(2, size=2)
        one[top : top + 12, left : left + 12] *= 0.1
        return one

    places = Places(grid=12).fit([{"sharpness": real(), "mid": rng.normal(size=(6, 6, 4))} for _ in range(60)])
    hits = 0
    for _ in range(20):
        one = real()
        one[:8, 16:, [i for i in range(25) if i not in (0, 1, 5)]] *= 0.4
        u, v = np.unravel_index(
            (z := places.z({"sharpness": one, "mid": np.zeros((6, 6, 4))}))["sharpness"].argmin(), (12, 12)
        )
        hits += u < 4 and v >= 8
        assert set(z) == {"sharpness", "mid", "combined"}
    assert hits >= 19
