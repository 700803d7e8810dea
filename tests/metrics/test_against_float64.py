"""Every registered metric against a slow second implementation in float64, where rounding likes to decide.

Tight clusters, copies, ties, small and large scales, and features far from 0; in float32 and float64.
"""

import itertools
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist

from giqa import registry
from giqa.metrics.blocks import keys
from giqa.metrics.frechet import frechet_distance
from giqa.metrics.kernel import cmmd
from giqa.metrics.moments import Moments
from giqa.metrics.prdc import nearest_others, neighbourhoods
from giqa.metrics.realism import realism_score
from giqa.metrics.vendi import vendi_score

CASES = list(itertools.product((0.1, 1e-2, 1e-3, 1e-4), (1, 2, 6, 8), (1e-3, 1.0, 1e3), (0.0, 1e3)))
TIE = 1e-11  # of a distance


def by_hand(real, fake, k):
    """The published definitions, from all distances at once in float64; radii by a full sort."""
    real, fake = real.astype(float), fake.astype(float)
    across, among_reals, among_fakes = cdist(real, fake), cdist(real, real), cdist(fake, fake)
    np.fill_diagonal(among_reals, np.inf)
    np.fill_diagonal(among_fakes, np.inf)
    near, other = np.sort(among_reals, axis=1), np.sort(among_fakes, axis=1)[:, k - 1]
    radius = near[:, k - 1 : k]
    held = across <= radius * (1 + TIE)
    kept = (radius[:, 0] > 0) & (radius[:, 0] <= np.median(radius))
    with np.errstate(divide="ignore"):
        realism = np.minimum(radius[kept] / across[kept], 1e30).max(axis=0, initial=0)
    return {
        "precision": held.any(axis=0).mean(),
        "recall": (across <= other * (1 + TIE)).any(axis=1).mean(),
        "density": (across < radius * (1 - TIE)).sum() / k / len(fake),
        "coverage": held.any(axis=1).mean(),
        "authenticity": (across.min(axis=0) > near[across.argmin(axis=0), 0] * (1 + TIE)).mean(),
        "realism": realism,
        "distance": across.min(axis=0),
        "spacing": near[:, 0],
    }


def clusters(spread, copies, scale, shift, seed, n=48, d=8):
    """Two sets around the same 8 places, every picture `copies` times, five fakes copied from the reals."""
    rng = np.random.default_rng(seed)
    places = rng.normal(size=(8, d))

    def drawn():
        some = -(-n // copies)
        found = places[rng.integers(8, size=some)] + spread * rng.normal(size=(some, d))
        return np.repeat(found, copies, axis=0)[:n]

    real, fake = drawn(), drawn()
    fake[:5] = real[:5]
    return scale * (real + shift), scale * (fake + shift)


def check(real, fake, k):
    found = neighbourhoods(real, fake, k=k)
    for name, wanted in by_hand(real, fake, k).items():
        np.testing.assert_allclose(getattr(found, name), wanted, rtol=1e-9, atol=1e-12 * (np.ndim(wanted) == 0))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_neighbourhoods_are_those_of_float64_distances(dtype):
    """Every count, distance and ratio, whatever the spread within clusters, the copies, the scale and the origin."""
    for seed, case in enumerate(CASES):
        real, fake = (x.astype(dtype) for x in clusters(*case, seed))
        check(real, fake, (1, 3, 5)[seed % 3])


def test_neighbourhoods_of_several_blocks_and_of_extremes():
    """2,060 clustered pictures take two tiles; float32 can neither hold 1e25 squared nor 1e-25; types may differ."""
    real, fake = (x.astype(np.float32) for x in clusters(1e-3, 1, 1, 0, 0, n=2060))
    check(real, fake[:90], 5)
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(30, 5)), rng.normal(size=(25, 5))
    for scale in (1e-25, 1e25, 1e60):
        check(real * scale, fake * scale, 3)
    check((real * 1e-22).astype(np.float32), (fake * 1e-22).astype(np.float32), 3)
    check((real + 1000).astype(np.float32), fake + 1000, 3)
    check(np.r_[real, [[1e6] * 5]], fake + 1e5, 2)
    check(np.ones((9, 3)), np.ones((8, 3)), 2)
    check(rng.normal(size=(20, 3)), np.ones((8, 3)), 2)


@pytest.mark.parametrize("step", [1.0, 0.1, 1e-3])
def test_ties_lie_on_the_border(step):
    """On a lattice many distances are equal, and rounding of 0.1 makes none of them nearer: as with whole steps."""
    rng = np.random.default_rng(1)
    real, fake = rng.integers(0, 4, size=(60, 3)), rng.integers(0, 4, size=(50, 3))
    found, whole = neighbourhoods(real * step, fake * step, k=4), by_hand(real, fake, 4)
    for name in ("precision", "recall", "density", "coverage"):
        assert getattr(found, name) == pytest.approx(whole[name], abs=1e-12), name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-3, 1, 1000])
def test_copies_of_reals_that_are_there_six_times(dtype, scale):
    """Every ball has radius 0: a copy lies on its border, so precision, recall and coverage are 1 and density is 0."""
    some = (scale * np.random.default_rng(0).normal(size=(50, 8))).astype(dtype)
    found = neighbourhoods(np.repeat(some, 6, axis=0), some, k=5)
    assert (found.precision, found.recall, found.density, found.coverage) == (1, 1, 0, 1)


def test_radii_of_frames_of_one_film():
    """Clusters a thousandth as wide as they are apart: distances to 1e-9, also of a picture alone in its block."""
    real = clusters(1e-3, 1, 1, 0, 3, n=2049)[0].astype(np.float32)
    some = [0, 1, 1000, 2048]
    wanted = np.sort(cdist(real[some].astype(float), real.astype(float)), axis=1)[:, 1:6]
    np.testing.assert_allclose(np.sqrt(nearest_others(real, 5))[some], wanted, rtol=1e-9)


def test_realism_alone_is_that_of_float64_distances():
    for seed, case in enumerate(CASES[::5]):
        real, fake = (x.astype(np.float32) for x in clusters(*case, seed))
        wanted = by_hand(real, fake, 8)["realism"]
        if wanted.any():
            np.testing.assert_allclose(realism_score(real, fake, k=8), wanted, rtol=1e-9)


def slow_kd(real, fake):
    """In long double, all pairs."""
    real, fake = real.astype(np.longdouble), fake.astype(np.longdouble)
    n, m, d = len(real), len(fake), real.shape[1]
    rr, ff, rf = (((a @ b.T) / d + 1) ** 3 for a, b in ((real, real), (fake, fake), (real, fake)))
    within = (rr.sum() - np.trace(rr)) / (n * n - n) + (ff.sum() - np.trace(ff)) / (m * m - m)
    return float(within - 2 * rf.mean())


def slow_fd(real, fake):
    real, fake = real.astype(float), fake.astype(float)
    a, b = np.cov(real.T), np.cov(fake.T)
    return ((real.mean(0) - fake.mean(0)) ** 2).sum() + np.trace(a + b - 2 * sqrtm(a @ b).real)


def slow_fd_infinity(real, fake):
    """Fakes in the seeded order, from a tenth of them on."""
    sizes = np.linspace(max(2, 0.1 * len(fake)), len(fake), 15).astype(int)
    fake = fake[np.argsort(keys(fake, 1, 0)[:, 0], kind="stable")]
    return np.polyfit(1 / sizes, [slow_fd(real, fake[:size]) for size in sizes], 1)[1]


def slow_cmmd(real, fake):
    x, y = (s.astype(float) / np.linalg.norm(s.astype(float), axis=1, keepdims=True) for s in (real, fake))
    rr, ff, rf = (np.expm1(-cdist(a, b, "sqeuclidean") / 200).mean() for a, b in ((x, x), (y, y), (x, y)))
    return 1000 * (rr + ff - 2 * rf)


def slow_vendi(real, fake):
    x = fake.astype(float) / np.linalg.norm(fake.astype(float), axis=1, keepdims=True)
    values = np.linalg.svd(x, compute_uv=False) ** 2 / len(x)
    values = values[values > 1e-14]
    return np.exp(-(values * np.log(values)).sum())


def slow_inception_score(real, fake):
    p = np.array([[1 / sum(np.exp(other - own) for other in row) for own in row] for row in fake.astype(float)])
    mean = p.mean(axis=0)
    return np.exp(sum(q * np.log(q / m) for row in p for q, m in zip(row, mean, strict=True)) / len(p))


SLOW = {
    "fd": slow_fd,
    "fd_infinity": slow_fd_infinity,
    "kd": slow_kd,
    "cmmd": slow_cmmd,
    "vendi": slow_vendi,
    "inception_score": slow_inception_score,
    **{
        name: lambda real, fake, name=name: by_hand(real, fake, 1 if name == "authenticity" else 5)[name]
        for name in ("precision", "recall", "density", "coverage", "authenticity")
    },
}
OF_SCORERS = {"qs", "ds"}  # z of a scorer: their invariances are below, their formulas in test_quality.py


def test_every_metric_has_a_second_implementation():
    assert set(SLOW) | OF_SCORERS == set(registry.BUILTIN["metric"])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", sorted(SLOW))
def test_every_metric_equals_its_slow_implementation(name, dtype):
    """Small and large, near 0 and a thousand spreads away, plain and with copies; CMMD to the bound of its series."""
    metric, rng = registry.make("metric", name), np.random.default_rng(0)
    for scale, shift, copies in itertools.product((1e-3, 1.0, 1e3), (0.0, 1e3), (1, 3)):
        if (name == "inception_score" and scale > 1) or (name == "fd_infinity" and copies > 1):
            continue  # the slow one overflows; copies in draws of four pictures leave no covariance
        real, fake = rng.normal(size=(60, 3)) + shift, 1.2 * rng.normal(size=(60, 3)) + shift + 0.2
        real, fake = (np.repeat(scale * x, copies, axis=0).astype(dtype) for x in (real, fake))
        loose = {"fd": 2e-6, "fd_infinity": 1e-5, "kd": 1e-5}.get(name, 1e-6)
        absolute = 7e-4 if name == "cmmd" else 1e-9 * scale**2
        assert metric(real, fake) == pytest.approx(SLOW[name](real, fake), rel=loose, abs=absolute)


def test_cmmd_of_few_pictures_keeps_near_ones_apart():
    """Sets that differ by a ten-thousandth: CMMD is about 1e-9, and right to four digits; of equal ones it is 0."""
    rng = np.random.default_rng(0)
    real = rng.normal(size=(20, 30))
    fake = real + 1e-4 * rng.normal(size=real.shape)
    far = np.sqrt(slow_cmmd(real, fake))
    x, y = (s / np.linalg.norm(s, axis=1, keepdims=True) for s in (real, fake))
    assert cmmd(real, fake) == pytest.approx(5 * 2 * ((x - y).mean(axis=0) ** 2).sum(), rel=0.05) and far > 0
    assert cmmd(real, fake) == pytest.approx(far**2, rel=1e-4)
    for n in (20, 400):
        equal = rng.normal(size=(n, 30)).astype(np.float32)
        assert cmmd(equal, rng.permutation(equal)) == 0


def test_vendi_of_copies_in_float32():
    """300 pictures that are one picture count as one, and eight directions in equal numbers as eight."""
    one = np.random.default_rng(0).normal(size=(1, 64)).astype(np.float32)
    assert vendi_score(np.repeat(one, 300, axis=0)) == pytest.approx(1, abs=1e-12)
    assert vendi_score(np.tile(np.eye(8, 64, dtype=np.float32) * 7, (30, 1))) == pytest.approx(8, abs=1e-9)
    far = (np.random.default_rng(1).normal(size=(300, 64)) + 1000).astype(np.float32)
    assert vendi_score(far) - 1 == pytest.approx(slow_vendi(None, far) - 1, rel=1e-6)


# --- Fréchet


def exact_fd(real, fake):
    """Two columns, by fractions and 60 digits: tr(C C')^1/2 = (tr C C' + 2 (det C det C')^1/2)^1/2."""

    def moments(x):
        x = [[Fraction(float(v)) for v in row] for row in x]
        mean = [sum(row[j] for row in x) / len(x) for j in (0, 1)]
        centred = [[row[j] - mean[j] for j in (0, 1)] for row in x]
        return mean, [[sum(r[i] * r[j] for r in centred) / (len(x) - 1) for j in (0, 1)] for i in (0, 1)]

    (m, c), (p, q) = moments(real), moments(fake)
    trace = sum(c[i][j] * q[j][i] for i in (0, 1) for j in (0, 1))
    det = (c[0][0] * c[1][1] - c[0][1] ** 2) * (q[0][0] * q[1][1] - q[0][1] ** 2)
    rest = sum((m[i] - p[i]) ** 2 for i in (0, 1)) + c[0][0] + c[1][1] + q[0][0] + q[1][1]
    with localcontext() as context:
        context.prec = 60
        trace, det, rest = (Decimal(f.numerator) / Decimal(f.denominator) for f in (trace, det, rest))
        return float(rest - 2 * (trace + 2 * det.sqrt()).sqrt())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fd_of_nearly_equal_sets(dtype):
    """Sets that differ by a tenth to a hundred-thousandth of their spread: the distance of exact fractions."""
    rng = np.random.default_rng(0)
    for apart, scale, n in itertools.product((0.1, 1e-3, 1e-5), (1e-3, 1e3), (3, 30)):
        real = rng.normal(size=(n, 2)) @ [[1, 0.5], [0, 0.7]] * scale
        fake = (real + apart * scale * rng.normal(size=(n, 2))).astype(dtype)
        real = real.astype(dtype)
        assert frechet_distance(real, fake) == pytest.approx(exact_fd(real, fake), rel=1e-7)
        if dtype == np.float64:
            assert frechet_distance(Moments.of(real), Moments.of(fake)) == pytest.approx(exact_fd(real, fake), rel=1e-7)


def test_fd_of_nearly_equal_covariances_of_any_rank():
    """Diagonal covariances a and b, turned together: the sum of (a^1/2 - b^1/2)^2, also of less than full rank."""
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(40, 40)))[0]
    for rank, apart in itertools.product((40, 12), (1e-2, 1e-4)):
        a = np.where(np.arange(40) < rank, rng.uniform(0.5, 2, 40), 0)
        b = a * (1 + apart * rng.normal(size=40))
        one, other = (Moments.from_statistics(np.zeros(40), turn @ np.diag(c) @ turn.T, 100) for c in (a, b))
        wanted = ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()
        assert frechet_distance(one, other) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "d"), [(20, 90), (64, 100), (90, 60), (300, 20), (2, 3)])
def test_fd_of_equal_sets_is_exactly_0(n, d, dtype):
    """Rows, rows in another order, moments, and moments against rows, of any rank and scale; sums of parts."""
    rng = np.random.default_rng(0)
    for scale, shift in itertools.product((1e-3, 1.0, 30.0, 1e3), (0.0, 1e3)):
        x = (scale * (rng.normal(size=(n, d)) + shift)).astype(dtype)
        moments = Moments.of(x)
        assert frechet_distance(x, x.copy()) == frechet_distance(x, rng.permutation(x)) == 0
        assert frechet_distance(moments, Moments.of(x)) == frechet_distance(x, moments) == 0
        parts = Moments.of(x[: n // 2]) + Moments.of(x[n // 2 :]) if n > 3 else moments
        assert 0 <= frechet_distance(parts, moments) <= 1e-9 * np.trace(moments.covariance)


# --- what must not change


SHARES = ("precision", "recall", "density", "coverage", "authenticity")


def test_what_scale_shift_and_order_do_to_every_metric():
    """Shares of neighbours: nothing. FD: the square of the scale. CMMD, Vendi: nothing, under scale. QS: nothing."""
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(70, 5)), rng.normal(size=(60, 5)) * 1.1 + 0.3
    real[40:44] = real[3]
    fake[7:9] = real[3]
    for name in registry.BUILTIN["metric"]:
        metric = registry.make("metric", name)
        whole = metric(real, fake)
        if name not in ("ds", "fd_infinity"):  # these draw by position, or by the rows themselves
            assert metric(rng.permutation(real), rng.permutation(fake)) == pytest.approx(whole, rel=1e-9), name
        for scale in (1e-3, 1e3):
            changed = metric(real * scale, fake * scale)
            if name in (*SHARES, "qs", "cmmd", "vendi"):
                assert changed == pytest.approx(whole, rel=1e-6 if name == "cmmd" else 1e-9), name  # by its series
            if name == "fd":
                assert changed == pytest.approx(scale**2 * whole, rel=1e-9)
        if name in (*SHARES, "fd", "qs"):
            assert metric(real + 1e3, fake + 1e3) == pytest.approx(whole, rel=1e-7), name
        if name == "inception_score":
            assert metric(real, fake + rng.normal(size=(60, 1))) == pytest.approx(whole, rel=1e-9)
