import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from giqa.errors import BadShape
from giqa.images.copies import Copies, Thumbnails, nearness, twins
from giqa.scorers.gmm import SGM
from giqa.scorers.knn import KNN
from giqa.scorers.scale import Scale, assign_folds
from giqa.scorers.scorer import Folded
from giqa.types import INFO


def info_of(thumbnails, digests=None, contrast=50):
    """Records whose thumbnails are grey at the given levels above, 50 brighter below; different pixels unless said."""
    info = np.zeros(len(thumbnails), INFO)
    for i, level in enumerate(thumbnails):
        info["thumbnail"][i] = level
        info["thumbnail"][i, 4:] += contrast
        info["digest"][i] = (digests[i] if digests else i) % 256
    return info


def test_z_is_spreads_from_the_median_of_held_out_reals():
    """Held-out 0, 1, 2, 3, 14: median 2, median absolute deviation 1 -> spread 1.4826."""
    scale = Scale(np.array([14.0, 0.0, 1.0, 2.0, 3.0]))
    assert (scale.median, scale.spread) == (2.0, pytest.approx(1.4826))
    assert scale.z(np.array([2.0, 2 - 3 * 1.4826])) == pytest.approx([0, -3])


def test_percentile_is_conformal():
    """(1 + number of held-out reals <= score) / (n + 1): 1/6, 2/6 at a tie, 6/6 above all; NaN stays NaN."""
    scale = Scale(np.arange(5.0))
    expected = [1 / 6, 2 / 6, 4 / 6, 1.0]
    assert scale.percentile(np.array([-1.0, 0.0, 2.5, 99.0])) == pytest.approx(expected)
    assert np.isnan(scale.percentile(np.array([np.nan]))[0])


@pytest.mark.parametrize("make", [KNN, SGM])
def test_percentile_of_new_reals_is_uniform(make):
    """A share a of fresh reals gets a percentile of at most a (here .05, .2, .5), within 3 standard errors."""
    rng = np.random.default_rng(0)
    model = make().fit(rng.normal(size=(400, 8)), folds=assign_folds(np.arange(400)))
    percentile = Scale(model.held_out_).percentile(model.score_samples(rng.normal(size=(2000, 8))))
    for share in (0.05, 0.2, 0.5):
        assert np.mean(percentile <= share) <= share + 3 * np.sqrt(share * (1 - share) * (1 / 400 + 1 / 2000))


def test_scale_is_the_same_for_one_picture_or_many():
    """No number depends on the other pictures in the call."""
    scale = Scale(np.random.default_rng(0).normal(size=50))
    scores, deviations = np.linspace(-5, 2, 9), np.linspace(0, 1, 9)
    low, high = scale.interval(scores, deviations)
    for i in range(9):
        one = scale.interval(scores[i : i + 1], deviations[i : i + 1])
        assert (one[0][0], one[1][0]) == (low[i], high[i])
        assert scale.z(scores[i : i + 1])[0] == scale.z(scores)[i]


def test_interval_joins_the_model_and_the_scale():
    """No deviation of the model leaves the scale's own uncertainty; one spread adds 2.776 spreads in quadrature."""
    scale = Scale(np.random.default_rng(0).normal(size=400))
    score = np.array([scale.median])
    low, high = scale.interval(score, np.zeros(1))
    narrow = float(high[0] - low[0]) / 2
    assert 0.05 < narrow < 0.2  # 1.96 standard errors of a median of 400: about 1.96 x 1.25 / 20 = .12
    low, high = scale.interval(score, np.array([scale.spread]))
    assert (high[0] - low[0]) / 2 == pytest.approx(np.hypot(2.776445, narrow))


@pytest.mark.slow
@pytest.mark.parametrize("make", [SGM, KNN, lambda: KNN(k=5)])
def test_interval_covers_what_other_reals_would_have_said(make):
    """Over 100 draws of the reals, the nominal 95 % interval holds the typical z in at least 90 % of them."""
    rng = np.random.default_rng(0)
    queries = np.concatenate([rng.normal(size=(10, 10)), rng.normal(size=(10, 10)) + 2])
    z, low, high = [], [], []
    for _ in range(100):
        model = make().fit(rng.normal(size=(200, 10)), folds=assign_folds(np.arange(200)))
        scale, (scores, deviations) = Scale(model.held_out_), model.score_with_deviation(queries)
        z.append(scale.z(scores))
        a, b = scale.interval(scores, deviations)
        low.append(a)
        high.append(b)
    typical = np.median(z, axis=0)
    assert np.mean((np.array(low) <= typical) & (typical <= np.array(high))) >= 0.9


def test_equal_held_out_scores_give_no_z():
    """More than half of the held-out scores equal (an underflowed density): z is NaN rather than infinite."""
    scale = Scale(np.zeros(10))
    with np.errstate(all="ignore"):
        assert np.isnan(scale.z(np.array([1.0]))[0])
        assert np.isnan(scale.interval(np.array([1.0]), np.zeros((1, 5)))).all()
    assert scale.percentile(np.array([1.0]))[0] == 1.0


def test_twins_share_pixels_or_nearly_a_thumbnail():
    """Grey levels 10, 11, 40, 90 and a second picture with the digest of the last: 10 ~ 11 (RMS 1), 90 = its copy."""
    groups = twins(info_of([10, 11, 40, 90, 200], digests=[1, 2, 3, 4, 4]))
    assert groups[0] == groups[1]
    assert groups[3] == groups[4]
    assert len(set(groups)) == 3


def test_the_search_leaves_nobody_out():
    """Against comparing all with all, on thumbnails that are noisy copies of a few at many distances."""
    rng = np.random.default_rng(0)
    few = rng.integers(30, 220, (6, 8, 8, 3))
    info = np.zeros(300, INFO)
    for i in range(300):
        info["thumbnail"][i] = np.clip(few[i % 6] + rng.normal(size=(8, 8, 3)) * rng.uniform(0, 3), 0, 255)
        info["digest"][i, :2] = i // 256, i % 256
    flat = info["thumbnail"].reshape(300, -1).astype(float)
    rms = np.sqrt(((flat[:, None] - flat[None]) ** 2).mean(axis=2))
    for i in range(0, 300, 7):
        rows, distances = Thumbnails(flat.astype(np.float32)).near(flat[i].astype(np.float32), 2.0)
        assert sorted(rows) == np.flatnonzero(rms[i] < 2.0).tolist()
        assert distances == pytest.approx(rms[i][rows], abs=1e-3)


@pytest.mark.parametrize("kind", ["photographs", "film", "line art"])
def test_twins_are_those_of_comparing_all_with_all(kind):
    """Joined where the darker one's `nearness` is above the distance: by brute force over every pair."""
    rng = np.random.default_rng(1)
    info = np.zeros(500, INFO)
    if kind == "photographs":
        made = 128 + 40 * rng.normal(size=(500, 1, 1, 1)) + 25 * rng.normal(size=(500, 8, 8, 3))
        made[:60] = made[60:120] + rng.normal(size=(60, 8, 8, 3)) * rng.uniform(0, 4, (60, 1, 1, 1))
    elif kind == "film":
        made = (128 + 40 * rng.normal(size=(10, 8, 8, 3))).repeat(50, axis=0) + rng.normal(size=(500, 8, 8, 3))
    else:
        made = np.full((500, 8, 8, 3), 250.0)
        made[np.arange(500), rng.integers(0, 8, 500), rng.integers(0, 3, 500)] -= rng.uniform(0, 60, 500)[:, None]
    info["thumbnail"] = np.clip(made, 0, 255)
    info["digest"][:, :2] = np.stack([np.arange(500) // 256, np.arange(500) % 256], axis=1)
    flat = info["thumbnail"].reshape(500, -1).astype(float)
    rms = np.sqrt(((flat[:, None] - flat[None]) ** 2).mean(axis=2))
    within, light = nearness(flat), flat.astype(np.float32).mean(axis=1)
    darker = (light[:, None] < light) | ((light[:, None] == light) & (np.arange(500)[:, None] < np.arange(500)))
    near = darker & (rms < within[:, None])
    expected = connected_components(csr_matrix(near), directed=False)[1]
    found = np.unique(twins(info), return_inverse=True)[1]
    assert len(np.unique(np.stack([expected, found]), axis=1).T) == expected.max() + 1 == found.max() + 1
    assert 1 < expected.max() + 1 < 500


def test_textures_are_no_twins():
    """Flat thumbnails all look alike: without contrast only the same pixels make twins and copies."""
    textures = info_of([100, 100, 101], digests=[1, 2, 3], contrast=0)
    assert len(set(twins(textures))) == 3
    assert Copies(textures).rows(info_of([100, 100], digests=[9, 2], contrast=0)).tolist() == [-1, 1]


def test_twins_chain():
    """10 ~ 11 ~ 12 are one group though 10 and 12 are 2 levels apart; 15 is not."""
    assert len(set(twins(info_of([12, 10, 15, 11])))) == 2


def test_copies_name_the_repeated_real():
    """The same pixels first; else the nearest thumbnail within 2 levels; else -1."""
    reals = info_of([10, 50, 53, 200], digests=[1, 2, 3, 4])
    fakes = info_of([52, 120, 0, 201], digests=[9, 9, 2, 8])
    assert Copies(reals).rows(fakes).tolist() == [2, -1, 1, 3]
    assert Copies(reals).rows(reals).tolist() == [0, 1, 2, 3]
    assert Copies(reals).rows(fakes[:0]).tolist() == []


def test_folds_keep_groups_together_and_are_even_and_seeded():
    """60 pictures in 30 pairs: five folds of 12, no pair apart; another seed, other folds."""
    groups = np.repeat(np.arange(30), 2)
    folds = assign_folds(groups, seed=1)
    assert np.bincount(folds).tolist() == [12] * 5
    assert (folds[::2] == folds[1::2]).all()
    assert (folds == assign_folds(groups, seed=1)).all()
    assert (folds != assign_folds(groups, seed=2)).any()


def test_folds_want_twenty_different_reals():
    with pytest.raises(BadShape, match=r"At least 20 different real pictures .* got 10 \(40 with their twins\)"):
        assign_folds(np.repeat(np.arange(10), 4))


def test_a_large_offset_does_not_change_the_interval():
    """Raw scores may lie anywhere: around 1e9 the interval is that around 0."""
    held_out, scores = np.random.default_rng(0).normal(size=100), np.array([-3.0, 0.5])
    narrow = Scale(held_out).interval(scores, np.zeros(2))
    for offset in (1e6, 1e9):
        far = Scale(held_out + offset).interval(scores + offset, np.zeros(2))
        assert np.allclose(far, narrow, rtol=1e-3, atol=1e-3)


def test_many_near_duplicates_are_warned_of():
    """Half of the reals in one group cannot be spread over five folds."""
    with pytest.warns(UserWarning, match="50 of 100 reals are near duplicates"):
        assign_folds(np.r_[np.zeros(50, int), np.arange(1, 51)])


class Norm:
    """A stranger's scorer: minus the distance from the mean."""

    def fit(self, x, y=None):
        self.centre = x.mean(axis=0)
        return self

    def score_samples(self, x):
        return -np.linalg.norm(x - self.centre, axis=1)


def test_folded_holds_out_for_any_scorer():
    """held_out_ and score_folds of a scorer that knows nothing of folds, against fitting by hand."""
    x = np.random.default_rng(0).normal(size=(25, 3))
    folds = np.arange(25) % 5
    folded = Folded(Norm()).fit(x, folds=folds)
    for f in range(5):
        by_hand = Norm().fit(x[folds != f])
        assert folded.held_out_[folds == f] == pytest.approx(by_hand.score_samples(x[folds == f]))
        assert folded.score_folds(x)[:, f] == pytest.approx(by_hand.score_samples(x))
    assert folded.score_samples(x) == pytest.approx(Norm().fit(x).score_samples(x))
