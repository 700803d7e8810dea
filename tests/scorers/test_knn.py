import numpy as np
import pytest

from giqa.errors import BadShape, BadSpec
from giqa.scorers.knn import KNN
from giqa.testing import check_reference_scorer

REALS = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 12.0]])
QUERY = np.array([[3.0, 0.0]])  # at Euclidean distances 3, 4, sqrt(153) and L1 distances 3, 4, 15


@pytest.mark.parametrize(
    ("k", "expected"), [(1, 1 / 9), (2, (1 / 9 + 1 / 16) / 2), (3, (1 / 9 + 1 / 16 + 1 / 153) / 3)]
)
def test_paper_is_equation_7(k, expected):
    """Equation 7-8: the mean over the k nearest of 1 / squared Euclidean distance."""
    assert KNN(k=k, preset="paper").fit(REALS).score_samples(QUERY) == pytest.approx([expected], rel=1e-6)


@pytest.mark.parametrize(
    ("k", "expected"), [(1, 1 / 3.000002), (2, 1 / 3.000002 + 1 / 4.0), (3, 1 / 3.000002 + 1 / 4 + 1 / 15)]
)
def test_released_sums_inverse_l1_with_1e6_added_to_each_difference(k, expected):
    """The released scripts: sum over k of 1 / L1, where 3+1e-6 + 0+1e-6 = 3.000002 and |-4+1e-6| + |0+1e-6| = 4."""
    assert KNN(k=k, preset="released").fit(REALS).score_samples(QUERY) == pytest.approx([expected], rel=1e-6)


def test_released_scores_an_exact_copy_488_in_2048_dimensions():
    """1 / (2048 x 1e-6) = 488.28, not infinity."""
    reals = np.random.default_rng(0).normal(size=(20, 2048)).astype(np.float32)
    assert KNN(k=1, preset="released").fit(reals).score_samples(reals[:1]) == pytest.approx([1 / 0.002048], rel=1e-5)


def test_paper_scores_an_exact_copy_infinite():
    """The formula to the letter: 1 / 0."""
    assert KNN(k=1, preset="paper").fit(REALS).score_samples(REALS[:1])[0] == np.inf


def test_recommended_is_minus_log_mean_distance_on_standardised_features():
    """Reals -1 and 1 after standardising [0, 2]; 5 becomes 4, at distances 3 and 5: -log 3 and -log 4."""
    reals = np.array([[0.0], [2.0]])
    assert KNN(k=1).fit(reals).score_samples(np.array([[5.0]])) == pytest.approx([-np.log(3)])
    assert KNN(k=2).fit(reals).score_samples(np.array([[5.0]])) == pytest.approx([-np.log(4)])


def test_recommended_gives_an_exact_copy_a_finite_score():
    """A copy counts as a thousandth of the median distance between reals of different folds."""
    rng = np.random.default_rng(0)
    reals = rng.normal(size=(100, 3))
    knn = KNN().fit(reals, folds=np.arange(100) % 5)
    assert knn.score_samples(reals[:1]) == pytest.approx([-np.log(knn.floor_)])
    assert np.isfinite(knn.score_samples(reals)).all()


def test_an_exact_copy_is_finite_without_folds_too():
    """Fitted directly, the floor is a thousandth of the distance between reals, here one step."""
    reals = np.arange(40.0)[:, None]
    knn = KNN().fit(reals)
    step = 1 / reals.std()
    assert knn.score_samples(reals[:1]) == pytest.approx([-np.log(step / 1000)], rel=1e-5)


def test_deviation_is_that_between_folds_searched_alone():
    """For a query at 0 and folds whose nearest reals are at 1, 2, 4, 8, 16 (one far off each, to keep the order)."""
    near = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    reals = np.r_[near, near + 1000][:, None]
    folds = np.r_[np.arange(5), np.arange(5)]
    scores, deviations = KNN(k=1, preset="paper").fit(reals, folds=folds).score_with_deviation(np.zeros((1, 1)))
    assert scores == pytest.approx([1.0])
    assert deviations == pytest.approx([2 * np.log(2) * np.std([0, 1, 2, 3, 4], ddof=1)], rel=1e-6)


def brute_distances(queries, reals):
    return np.sort(np.sqrt(((queries[:, None].astype(float) - reals[None].astype(float)) ** 2).sum(axis=2)), axis=1)


@pytest.mark.parametrize("k", [1, 7, 200])
@pytest.mark.parametrize("folds", [1, 5])
def test_equals_brute_force_whatever_the_folds(k, folds):
    """A second, stupid implementation agrees, with one block of reals or five."""
    rng = np.random.default_rng(k)
    reals, queries = rng.normal(size=(300, 17)), rng.normal(size=(70, 17))
    knn = KNN(k=k, preset="paper").fit(reals, folds=np.arange(300) % folds)
    expected = np.mean(1 / brute_distances(queries, reals)[:, :k] ** 2, axis=1)
    assert knn.score_samples(queries) == pytest.approx(expected, rel=1e-5)


def test_score_folds_and_held_out_leave_the_fold_out():
    """score_folds[:, f] is what a model fitted without fold f would say; held_out_ is that for the reals themselves."""
    rng = np.random.default_rng(1)
    reals, queries = rng.normal(size=(60, 4)), rng.normal(size=(9, 4))
    folds = rng.permutation(np.arange(60) % 5)
    knn = KNN(k=2, preset="paper").fit(reals, folds=folds)
    for fold in range(5):
        others = reals[folds != fold]
        for points, got in (
            (queries, knn.score_folds(queries)[:, fold]),
            (reals[folds == fold], knn.held_out_[folds == fold]),
        ):
            expected = np.mean(1 / brute_distances(points, others)[:, :2] ** 2, axis=1)
            assert got == pytest.approx(expected, rel=1e-5)


def test_near_duplicates_keep_their_distance():
    """Far from the origin a product in float32 loses a distance of 0.01 altogether; it is computed again directly."""
    reals = np.random.default_rng(0).normal(size=(50, 64)) + 1000
    query = reals[:1].copy()
    query[0, 0] += 0.01
    knn = KNN(k=1, preset="paper").fit(reals)
    assert knn.score_samples(query)[0] == pytest.approx(1 / 0.01**2, rel=0.02)  # float32 features carry 3 digits of .01


def test_neighbours_names_rows_as_given_to_fit():
    """Rows of the nearest reals, nearest first, in the numbering of fit, though folds reorder them inside."""
    rng = np.random.default_rng(3)
    reals = rng.normal(size=(40, 3))
    knn = KNN().fit(reals, folds=rng.permutation(np.arange(40) % 5))
    rows, distances = knn.neighbours(reals[[7, 31]], k=3)
    assert rows[:, 0].tolist() == [7, 31]
    assert distances[:, 0] == pytest.approx([0, 0], abs=1e-6)
    assert (np.diff(distances, axis=1) >= 0).all()


@pytest.mark.slow
def test_k_follows_the_number_of_reals():
    """k of None: 1 below 100,000 reals; 2 % of them from there, 3500 at most; always 1 under the other presets."""
    many = np.random.default_rng(0).normal(size=(100_000, 1)).astype(np.float32)
    assert [KNN(preset=preset).fit(many).k_ for preset in ("paper", "recommended")] == [1, 2000]
    assert KNN().fit(np.random.default_rng(0).normal(size=(50, 2))).k_ == 1


@pytest.mark.parametrize("k", [0, -1, 1.5, "3"])
def test_refuses_a_senseless_k(k):
    with pytest.raises(BadSpec, match="whole number"):
        KNN(k=k).fit(REALS)


def test_refuses_more_neighbours_than_reals():
    """The message says what was asked, what was given and what to do; held-out folds count."""
    with pytest.raises(BadShape, match="knn\\(k=4\\) needs at least 4 real pictures, got 3; lower k or add pictures"):
        KNN(k=4).fit(REALS)
    with pytest.raises(BadShape, match="held out"):
        KNN(k=45).fit(np.random.default_rng(0).normal(size=(50, 2)), folds=np.arange(50) % 5)


def test_refuses_an_unknown_preset():
    with pytest.raises(BadSpec, match="paper, released, recommended"):
        KNN(preset="best").fit(REALS)


@pytest.mark.parametrize("preset", ["paper", "released", "recommended"])
@pytest.mark.parametrize("k", [None, 7])
def test_contract(preset, k):
    """KNN keeps every promise of a reference scorer."""
    check_reference_scorer(lambda: KNN(k=k, preset=preset))


@pytest.mark.parametrize("width", [1e-2, 1e-4])
@pytest.mark.parametrize("k", [1, 5, 200])
def test_tight_clusters_keep_their_neighbours(width, k):
    """Two clusters far apart and tight, where a float32 product sees only noise: as brute force in float64."""
    rng = np.random.default_rng(0)
    reals = (rng.normal(size=(600, 8)) * width + np.repeat([[1.0], [-1.0]], 300, axis=0)).astype(np.float32)
    queries = (rng.normal(size=(20, 8)) * width + 1).astype(np.float32)
    knn = KNN(k=k, preset="paper").fit(reals)
    expected = np.mean(1 / brute_distances(queries, reals)[:, :k] ** 2, axis=1)
    assert knn.score_samples(queries) == pytest.approx(expected, rel=1e-2)  # the features themselves are float32


def test_far_neighbours_keep_their_digits_too():
    """45 of 53 reals in two tight clusters, more than are always computed again: as brute force in float64."""
    rng = np.random.default_rng(0)
    reals = (rng.normal(size=(53, 8)) * 0.1 + np.repeat([[100.0], [-100.0]], [46, 7], axis=0)).astype(np.float32)
    query = (rng.normal(size=(1, 8)) * 0.1 + 100).astype(np.float32)
    found = KNN(preset="paper").fit(reals).neighbours(query, k=45)[1][0]
    assert found == pytest.approx(np.sort(brute_distances(query, reals)[0])[:45], rel=1e-6)


def test_a_row_beyond_float32_is_refused():
    with pytest.raises(BadShape, match="Row 1 lies too far"):
        KNN().fit(REALS).score_samples(np.array([[0.0, 0.0], [1e300, 0.0]]))


def test_deviation_does_not_depend_on_the_company():
    """A picture far out does not change the interval of another."""
    rng = np.random.default_rng(0)
    knn = KNN().fit(rng.normal(size=(50, 3)), folds=np.arange(50) % 5)
    near, far = rng.normal(size=(1, 3)), np.full((1, 3), 1e15)
    assert knn.score_with_deviation(near)[1][0] == knn.score_with_deviation(np.concatenate([near, far]))[1][0]


def test_scores_without_a_fold_are_raised_by_what_a_fold_gains():
    """By distances of all pairs: the mean gain from three folds to four, times log(5/4) / log(4/3)."""
    rng = np.random.default_rng(3)
    reals, folds = rng.normal(size=(60, 3)), rng.permutation(np.arange(60) % 5)
    knn = KNN(k=2).fit(reals, folds=folds)
    x = (reals - reals.mean(axis=0)) / reals.std(axis=0)

    def score(point, others):
        return -np.log(np.sort(brute_distances(x[[point]], x[others])[0])[:2].mean())

    gains, held_out = [], []
    for i, own in enumerate(folds):
        four = score(i, folds != own)
        held_out.append(four)
        gains += [four - score(i, (folds != own) & (folds != other)) for other in range(5) if other != own]
    shift = np.mean(gains) * np.log(5 / 4) / np.log(4 / 3)
    assert knn.shift_ == pytest.approx(shift, rel=1e-4) and shift > 0
    assert knn.held_out_ == pytest.approx(np.array(held_out) + shift, rel=1e-4)


def test_a_fresh_real_scores_like_a_held_out_one():
    """Compared with all reals it would beat 54 % of those that are compared with four fifths."""
    found = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        reals, fresh = rng.normal(size=(200, 8)), rng.normal(size=(200, 8))
        knn = KNN(k=5).fit(reals, folds=np.arange(200) % 5)
        found.append((knn.score_samples(fresh)[:, None] > knn.held_out_).mean())
    assert np.mean(found) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("how", [{"preset": "paper"}, {"preset": "released"}, {"k": 37}])
def test_scores_that_are_not_logarithms_stay(how):
    """... and those of more neighbours than three folds have: 36 of 60 reals."""
    rng = np.random.default_rng(4)
    assert KNN(**how).fit(rng.normal(size=(60, 3)), folds=np.arange(60) % 5).shift_ == 0
