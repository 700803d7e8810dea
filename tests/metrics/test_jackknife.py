import numpy as np
import pytest
from scipy.stats import t as students_t

from giqa.metrics.frechet import Frechet, frechet_distance
from giqa.metrics.jackknife import Jackknife, at_number, jackknifed
from giqa.metrics.prdc import Density, Precision
from giqa.metrics.vendi import Vendi


def mean_gap(real, fake):
    return fake.mean() - real.mean()


def test_of_a_mean_it_is_the_textbooks():
    """10 groups of equal size: the jackknife's variance of a mean is that of the groups' means over 10."""
    rng = np.random.default_rng(5)
    real, fake = np.zeros((20, 1)), rng.normal(size=(100, 1))
    (found,) = jackknifed(mean_gap, real, fake, seed=0)
    low, high = found.interval()
    assert found.value == pytest.approx(fake.mean())
    dealt = np.random.default_rng([0, 1]).permutation(100) // 10
    groups = np.array([fake[dealt == g].mean() for g in range(10)])
    half = students_t.ppf(0.975, 9) * groups.std(ddof=1) / np.sqrt(10)
    assert (high - low) / 2 == pytest.approx(half, rel=2e-3)


def test_all_groups_are_equally_large():
    """What depends on the number of pictures alone does not vary: of 64 each group has 6, and 4 always stay."""
    seen = []

    def numbers(real, fake):
        seen.append((len(real), len(fake)))
        return len(fake)

    (found,) = jackknifed(numbers, np.zeros((43, 1)), np.zeros((64, 1)))
    assert found.interval() == (64, 64)
    assert seen == [(43, 64)] + [(39, 64)] * 10 + [(43, 58)] * 10


def test_groups_that_leave_a_rest_give_the_variance_of_a_mean():
    """64 pictures in groups of 6: (64 - 6) / (6 * 10) times the squares, written out; on average variance / 64."""
    ratios = []
    for seed in range(200):
        fake = np.random.default_rng(seed).normal(size=(64, 1))
        (found,) = jackknifed(mean_gap, np.zeros((20, 1)), fake, seed=seed)
        group = np.random.default_rng([seed, 1]).permutation(64) // 6
        without = np.array([fake[group != g].mean() for g in range(10)])
        by_hand = 58 / 60 * ((without - without.mean()) ** 2).sum()
        half = students_t.ppf(0.975, 9) * np.sqrt(by_hand)
        assert found.interval() == pytest.approx((fake.mean() - half, fake.mean() + half), rel=1e-6)
        ratios.append(by_hand * 64)
    assert np.mean(ratios) == pytest.approx(1, abs=0.1)


def test_the_interval_holds_what_it_promises():
    """200 draws of both sets: the 95 % interval of a difference of means holds the truth in 90 to 99 % of them."""
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(200):
        (found,) = jackknifed(mean_gap, rng.normal(size=(60, 2)), rng.normal(size=(40, 2)) + 1, seed=seed)
        low, high = found.interval()
        held += low <= 1 <= high
    assert 180 <= held <= 198


def test_the_interval_of_a_frechet_distance_holds_its_mean_at_that_size():
    """Not the distance of infinitely many pictures: the bias is no part of the interval."""
    rng = np.random.default_rng(0)
    draw = lambda: (rng.normal(size=(100, 3)), rng.normal(size=(100, 3)) + 1)  # noqa: E731
    mean = np.mean([frechet_distance(*draw()) for _ in range(300)])
    found = [jackknifed(frechet_distance, *draw(), seed=s)[0].interval() for s in range(60)]
    assert sum(low <= mean <= high for low, high in found) >= 52


def test_more_pictures_than_most_scale_the_spread():
    """Deviations measured on 400 of 4,000: as those of all, within what a variance of 9 degrees of freedom varies."""
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(4000, 1)), rng.normal(size=(4000, 1))
    widths = []
    for seed in range(10):
        every, few = (jackknifed(mean_gap, real, fake, most=most, seed=seed)[0].interval() for most in (4000, 400))
        widths.append((few[1] - few[0]) / (every[1] - every[0]))
    assert np.mean(widths) == pytest.approx(1, abs=0.25)


def test_a_difference_shares_the_reals():
    """What the reals do to both alike is no part of it; what the fakes do is."""
    rng = np.random.default_rng(0)
    real, a, b = rng.normal(size=(50, 1)), rng.normal(size=(2000, 1)) + 1, rng.normal(size=(2000, 1))
    one, two = (jackknifed(mean_gap, real, fake)[0] for fake in (a, b))
    gap, low, high = one.minus(two)
    assert gap == pytest.approx(a.mean() - b.mean()) and low < 1 < high
    assert high - low < 0.5 * (one.interval()[1] - one.interval()[0])
    back = two.minus(one)
    assert back == pytest.approx((-gap, -high, -low))


def test_reals_are_dealt_alike_whatever_the_fakes():
    """Fakes of different number meet the same groups of reals, so that differences cancel them."""
    rng = np.random.default_rng(0)
    real = rng.normal(size=(50, 1))
    one, two = (jackknifed(lambda r, f: r.mean(), real, rng.normal(size=(m, 1)))[0] for m in (20, 33))
    assert one.real.tolist() == two.real.tolist() and one.minus(two) == (0, 0, 0)


def test_an_interval_begins_where_the_value_must():
    """1 -+ 2.1 would begin below 0; a density never does. A difference may."""
    wide = np.tile([-1.0, 1.0], 5) * 0.31
    plain, density = Jackknife(1.0, np.zeros(10), wide), Jackknife(1.0, np.zeros(10), wide, least=0.0)
    assert plain.interval()[0] < 0 == density.interval()[0] and plain.interval()[1] == density.interval()[1]
    assert density.minus(plain) == plain.minus(density) and density.minus(plain)[1] < 0
    assert (Density().least, Frechet().least, Vendi().least, Precision().least) == (0, 0, 1, -np.inf)


def test_a_share_of_everything_is_not_certain():
    """60 of 60: Wilson's interval, not [1, 1]; and two such are not told apart."""
    whole = Jackknife(1.0, np.zeros(10), np.zeros(10), share_of=60)
    assert whole.interval() == pytest.approx((60 / (60 + 1.959964**2), 1))
    _, low, high = whole.minus(Jackknife(0.97, np.zeros(10), np.zeros(10), share_of=60))
    assert low < 0 < high
    _, low, high = whole.minus(Jackknife(0.2, np.zeros(10), np.zeros(10), share_of=60))
    assert low > 0


def test_nothing_known_is_nan():
    assert np.isnan(Jackknife(1.0).interval()).all()
    assert np.isnan(Jackknife(1.0, np.full(10, np.nan), np.zeros(10)).interval()).all()


def test_several_numbers_at_once():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(30, 2)), rng.normal(size=(30, 2))
    both = jackknifed(lambda r, f: np.r_[mean_gap(r, f), f.std()], real, fake, share_of=(0, 30))
    assert both[0].interval() == jackknifed(mean_gap, real, fake)[0].interval()
    assert [e.share_of for e in both] == [0, 30]


def test_a_mean_over_pictures_has_the_textbooks_interval():
    """Each picture left out in turn: Student's interval with n - 1 degrees of freedom; a group more than there are
    pictures adds nothing."""
    x = np.random.default_rng(1).normal(size=(7, 1))
    wanted = students_t.interval(0.95, 6, x.mean(), x.std(ddof=1) / np.sqrt(7))
    assert Jackknife.of_mean(x[:, 0]).interval() == pytest.approx(wanted, rel=0.01)
    (found,) = jackknifed(lambda r, f: f.mean(), np.zeros((20, 1)), x)
    assert len(found.fake) == 7 and found.interval() == pytest.approx(wanted, rel=0.01)


def test_a_mean_of_true_and_false_is_a_share():
    assert Jackknife.of_mean(np.array([True, False, True, True])).value == 0.75


def test_few_pictures_have_no_interval():
    """Four say nothing, five something; a difference needs five of both, however many the other has."""
    four, five, many = (Jackknife.of_mean(np.arange(float(n))) for n in (4, 5, 100))
    assert np.isnan(four.interval()).all() and not four.known
    assert np.isfinite(five.interval()).all()
    assert np.isnan(many.minus(four)[1:]).all() and np.isnan(four.minus(many)[1:]).all()
    assert np.isfinite(many.minus(five)[1:]).all()


def test_the_smaller_set_never_varies_less_than_the_larger_one():
    """Five equal numbers against 50 of variance 1: the five are taken to have it too, with 4 degrees of freedom."""
    few = Jackknife.of_mean(np.full(5, 3.0))
    x = np.random.default_rng(2).normal(size=50)
    many = Jackknife.of_mean((x - x.mean()) / x.std(ddof=1))
    parts = [(1 / 5, 4), (1 / 50, 49)]
    variance = sum(v for v, _ in parts)
    freedom = variance**2 / sum(v * v / f for v, f in parts)
    half = students_t.ppf(0.975, freedom) * np.sqrt(variance)
    for gap, low, high in (few.minus(many), tuple(-v for v in many.minus(few))):
        assert abs(gap) == pytest.approx(3) and abs(high - low) / 2 == pytest.approx(half, rel=0.01)


def test_at_a_number_draws_overlap_as_little_as_they_can():
    """Five draws of 2 of 10 are all of them: the mean of a mean is the whole's, with a fifth of one draw's variance."""
    real, fake = np.zeros((20, 1)), np.arange(10.0)[:, None]
    seen = []
    (found,) = at_number(lambda r, f: seen.append(tuple(f[:, 0])) or f.mean(), real, fake, 2, seed=3)
    draws = [s for s in dict.fromkeys(seen) if len(s) == 2]
    assert len(draws) == 5 and sorted(sum(draws, ())) == list(range(10))
    assert found.value == pytest.approx(4.5) and found.n == 10
    (one,) = jackknifed(lambda r, f: f.mean(), real, np.array(draws[0])[:, None], seed=3)
    assert found.fake == pytest.approx(one.fake / np.sqrt(5))
    (whole,) = at_number(lambda r, f: f.mean(), real, fake, 10, seed=3)
    assert whole.value == 4.5 and whole.fake == pytest.approx(
        jackknifed(lambda r, f: f.mean(), real, fake, seed=3)[0].fake
    )


def test_a_difference_is_judged_in_a_unit_that_stays():
    """Reals that fix the unit widen the value's interval, and not that of a difference."""
    unit, still = np.tile([-1.0, 1.0], 5), np.zeros(5)
    a, b = (Jackknife.of_mean(v + np.arange(9.0), unit * v, still) for v in (40.0, 10.0))
    low, high = a.interval()
    assert high - low > 100
    gap, low, high = a.minus(b)
    assert gap == 30 and low > 0
