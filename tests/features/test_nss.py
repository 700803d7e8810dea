from math import gamma, lgamma

import numpy as np
import pytest
from PIL import Image

from giqa.errors import BadSpec
from giqa.features.nss import (
    NSS,
    asymmetric_gaussian,
    generalised_gaussian,
    halve_antialiased,
    luminance,
    moment_ratio,
    normalised,
    scene_statistics,
    smooth,
)
from giqa.images.decode import decode
from giqa.testing import check_extractor


def solved_shape(ratio):
    """The shape whose moment ratio is `ratio`, by bisection of the gamma functions themselves."""
    low, high = 0.2, 10.0
    for _ in range(100):
        middle = (low + high) / 2
        below = gamma(2 / middle) ** 2 / (gamma(1 / middle) * gamma(3 / middle)) < ratio
        low, high = (middle, high) if below else (low, middle)
    return low


def one_sided(rng, shape, deviation, n):
    """|x| of a generalised Gaussian of that shape and deviation: scale times a gamma variate to the power 1 / shape."""
    scale = deviation * np.sqrt(gamma(1 / shape) / gamma(3 / shape))
    return scale * rng.gamma(1 / shape, size=n) ** (1 / shape)


def slow_normalised(grey):
    """MSCN as the papers' sums say it: 49 weights at every pixel, float64, the border's pixels going on."""
    weights = np.array([[np.exp(-(k * k + m * m) / 2 / (7 / 6) ** 2) for m in range(-3, 4)] for k in range(-3, 4)])
    weights /= weights.sum()
    h, w = grey.shape
    result = np.empty((h, w))
    for y in range(h):
        for x in range(w):
            rows, columns = np.clip(np.arange(y - 3, y + 4), 0, h - 1), np.clip(np.arange(x - 3, x + 4), 0, w - 1)
            window = grey[np.ix_(rows, columns)].astype(np.float64)
            mean = (weights * window).sum()
            result[y, x] = (grey[y, x] - mean) / (np.sqrt((weights * (window - mean) ** 2).sum()) + 1)
    return result


@pytest.mark.parametrize("shape", [0.5, 1, 2, 4])
def test_shape_of_a_known_distribution_is_found(shape):
    """1 is the Laplacian, 2 the Gaussian; the variance is that of the sample."""
    rng = np.random.default_rng(0)
    x = one_sided(rng, shape, 0.7, 400_000) * rng.choice([-1, 1], 400_000)
    found, variance = generalised_gaussian(x.astype(np.float32))
    assert found == pytest.approx(shape, rel=0.02)
    assert variance == pytest.approx(0.49, rel=0.02)


@pytest.mark.parametrize(("make", "shape"), [("normal", 2), ("laplace", 1)])
def test_shape_of_numpys_own_samples(make, shape):
    x = getattr(np.random.default_rng(1), make)(size=400_000).astype(np.float32)
    assert generalised_gaussian(x)[0] == pytest.approx(shape, rel=0.02)
    assert asymmetric_gaussian(x)[0] == pytest.approx(shape, rel=0.02)


@pytest.mark.parametrize("shape", [0.21, 0.37, 1.234, 2.5, 9.9])
def test_table_is_as_good_as_solving(shape):
    """Numbers +-1 and 0 with the moment ratio of that shape: a share p of ones has E|x|^2 / E x^2 = p."""
    x = np.zeros(1_000_000, np.float32)
    ones = round(moment_ratio(shape) * len(x))
    x[:ones:2], x[1:ones:2] = 1, -1
    assert generalised_gaussian(x)[0] == pytest.approx(solved_shape(ones / len(x)), rel=1e-5)


@pytest.mark.parametrize("deviations", [(0.5, 0.5), (0.3, 0.9), (2.0, 0.1)])
@pytest.mark.parametrize("shape", [0.6, 2])
def test_a_known_asymmetric_distribution_is_found(shape, deviations):
    """Shape, both sides' variances, and the mean; each side has a share of its deviation, as the density asks."""
    rng = np.random.default_rng(2)
    n = np.array(deviations) / sum(deviations) * 600_000
    left, right = (one_sided(rng, shape, d, int(m)) for d, m in zip(deviations, n, strict=True))
    x = np.r_[-left, right].astype(np.float32)
    found = asymmetric_gaussian(x)
    assert found[0] == pytest.approx(shape, rel=0.03)
    assert found[1] == pytest.approx(x.mean(dtype=np.float64), abs=0.01)
    assert found[2:] == pytest.approx([d**2 for d in deviations], rel=0.03)


def test_asymmetric_moments_are_those_of_the_paper():
    """Any numbers at all: the paper's formulas with sums over the values below and above 0, and gamma functions."""
    x = np.random.default_rng(3).normal(0.3, 1, 500).astype(np.float32) ** 3
    x[:20] = 0  # zeros are on neither side
    values = x.astype(np.float64)
    left = np.mean([v * v for v in values if v < 0])
    right = np.mean([v * v for v in values if v > 0])
    g = np.sqrt(left / right)
    ratio = np.abs(values).mean() ** 2 / (values**2).mean() * (g**3 + 1) * (g + 1) / (g**2 + 1) ** 2
    a = solved_shape(ratio)
    beta_left, beta_right = (np.sqrt(v * gamma(1 / a) / gamma(3 / a)) for v in (left, right))
    mean = (beta_right - beta_left) * gamma(2 / a) / gamma(1 / a)
    assert asymmetric_gaussian(x) == pytest.approx((a, mean, left, right), rel=1e-4)


@pytest.mark.parametrize("size", [(9, 12), (7, 5), (2, 3)])
def test_normalised_is_the_slow_sum(size):
    grey = np.random.default_rng(4).uniform(0, 255, size).astype(np.float32)
    assert normalised(grey) == pytest.approx(slow_normalised(grey), abs=1e-4)


def test_faint_texture_on_white_is_not_lost_in_rounding():
    """Half a grey level around 250, where squares are largest, still has its contrast within 1 %."""
    grey = (250 + np.random.default_rng(5).uniform(-0.5, 0.5, (12, 12))).astype(np.float32)
    expected = slow_normalised(grey)
    assert np.abs(normalised(grey) - expected).max() < 0.01 * np.abs(expected).max()


@pytest.mark.parametrize("white", [3, 12, 36, 255])  # the mean of 49 times 3, 12 or 36 is not the same in float32
def test_a_flat_sky_has_no_sides(white):
    """What is flat is exactly 0 and counts neither left nor right, so the variances of the sides are the texture's."""
    grey = np.random.default_rng(13).uniform(0, 255, (20, 40)).astype(np.float32)
    grey[:, 12:] = white
    slow = slow_normalised(grey)
    product = (slow[:, :15] * slow[:, 1:16]).ravel()  # the window ends 3 beyond the texture
    sides = [np.square(side).mean() for side in (product[product < -1e-9], product[product > 1e-9])]
    assert scene_statistics(grey)[4:6] == pytest.approx(np.log(np.array(sides) + 1e-4), abs=1e-3)


def test_luminance_by_hand():
    """.299 x 10 + .587 x 20 + .114 x 30 = 18.15."""
    assert luminance(np.array([[[10, 20, 30]]], np.uint8)).item() == pytest.approx(18.15)


@pytest.mark.parametrize("size", [(24, 32), (25, 31)])
def test_half_is_pillows_antialiased_bicubic(size):
    """Inside; at the border Pillow leaves out what is not there, here it is mirrored. An odd side rounds up."""
    plane = np.random.default_rng(6).uniform(0, 255, size).astype(np.float32)
    h, w = ((side + 1) // 2 for side in size)
    box = (0, 0, 2 * w, 2 * h)
    even = np.pad(plane, [(0, 2 * h - size[0]), (0, 2 * w - size[1])], mode="edge")
    expected = np.asarray(Image.fromarray(even).resize((w, h), Image.Resampling.BICUBIC, box=box))
    found = halve_antialiased(plane)
    assert found.shape == (h, w)
    assert found[2:-3, 2:-3] == pytest.approx(expected[2:-3, 2:-3], abs=1e-3)


def test_the_border_of_the_half_is_mirrored():
    """Four mirrored copies of a picture have its half in the middle."""
    plane = np.random.default_rng(7).uniform(0, 255, (8, 12)).astype(np.float32)
    around = np.pad(plane, [(8, 8), (12, 12)], mode="symmetric")
    assert halve_antialiased(around)[4:-4, 6:-6] == pytest.approx(halve_antialiased(plane), abs=1e-4)


def test_neighbours_by_hand():
    """A picture of columns is the same downwards and alike on both diagonals; turned, across and down change places."""
    columns = np.tile(np.random.default_rng(8).uniform(0, 255, 40).astype(np.float32), (40, 1))
    row, turned = scene_statistics(columns), scene_statistics(np.ascontiguousarray(columns.T))
    across, down, falling, rising = row[2:6], row[6:10], row[10:14], row[14:18]
    assert down[1] > 0.1 and down[2] == pytest.approx(np.log(1e-4))  # squares have no left side
    assert np.allclose(falling, rising, atol=1e-4) and np.allclose(falling, across, atol=0.05)
    assert np.allclose(turned[2:6], down, atol=1e-4) and np.allclose(turned[6:10], across, atol=1e-4)


def test_diagonals_are_told_apart():
    """Stripes along one diagonal are bright beside bright there, and change across the other; mirrored, they swap."""
    y, x = np.mgrid[:40, :40]
    stripes = np.random.default_rng(9).uniform(0, 255, 80).astype(np.float32)[x - y + 40]
    row, mirrored = scene_statistics(stripes), scene_statistics(np.ascontiguousarray(stripes[:, ::-1]))
    assert row[11] > 0.1 > row[15]  # down and right stays on the stripe
    assert np.allclose(mirrored[10:14], row[14:18], atol=1e-4) and np.allclose(mirrored[14:18], row[10:14], atol=1e-4)


def test_scales_are_layers():
    """Each scale is a layer of 18 numbers, the second that of the halved luminance; all of them are low-level."""
    picture = np.random.default_rng(10).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    extractor = NSS(scales=3)
    layers = extractor([picture])
    assert list(layers) == ["nss.1", "nss.2", "nss.4"]
    assert layers["nss.2"][0] == pytest.approx(scene_statistics(halve_antialiased(luminance(picture))))
    assert extractor.levels == {"low": extractor.outputs}


@pytest.mark.parametrize("value", [0, 9, 255])
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 5), (64, 48)])
def test_flat_pictures_of_any_size_are_alike_and_finite(size, value):
    """Smallest shape, no variance, no mean, whatever the grey: rounding does not decide."""
    rows = NSS().prepare(np.full((*size, 3), value, np.uint8))
    expected = np.log([0.2, 1e-4] + [0.2, 1, 1e-4, 1e-4] * 4)  # the mean is 0 = log 1
    assert rows == pytest.approx(np.array([expected, expected]), abs=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (1, 40), (3, 5), (7, 8), (9, 17)])
def test_tiny_pictures_have_finite_statistics(size):
    picture = np.random.default_rng(11).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert np.isfinite(NSS()([picture])["nss.2"]).all()


@pytest.mark.parametrize("scales", [0, 6, 1.0, True, "2"])
def test_refuses_senseless_scales(scales):
    with pytest.raises(BadSpec, match="takes 1 to 5"):
        NSS(scales=scales)([np.zeros((8, 8, 3), np.uint8)])


def test_layout_in_memory_does_not_matter():
    """A transposed or mirrored view gives the bits of its copy."""
    picture = np.random.default_rng(12).integers(0, 256, (40, 57, 3), dtype=np.uint8)
    for view in (picture[:, ::-1], picture.transpose(1, 0, 2), picture[::2, ::3]):
        assert np.array_equal(NSS().prepare(view), NSS().prepare(view.copy()))


def test_contract():
    """NSS keeps every promise of an extractor."""
    check_extractor(NSS)
    check_extractor(NSS, sizes=((1, 1), (5, 3), (40, 31)))


def published_numbers(coefficients):
    """The 18 numbers of the published NIQE model for one patch: scale parameters in place of variances."""

    def scales(fit):
        return [np.sqrt(v) * np.exp((lgamma(1 / fit[0]) - lgamma(3 / fit[0])) / 2) for v in fit[2:]]

    h, w = coefficients.shape
    fit = asymmetric_gaussian(coefficients)
    row = [fit[0], np.mean(scales(fit))]
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        there = coefficients[dy:, max(dx, 0) : w + min(dx, 0)]
        fit = asymmetric_gaussian(coefficients[: h - dy, max(-dx, 0) : w - max(dx, 0)] * there)
        row += [fit[0], fit[1], *scales(fit)]
    return row


def test_photographs_are_near_the_published_model(shared):
    """Sharp patches of 96 x 96 are on average within 1.25 of its standard deviations of NIQE's pristine means."""
    model = pytest.importorskip("scipy.io").loadmat(shared / "weights" / "niqe_image_params.mat")
    rows = []
    for path in sorted((shared / "data" / "imagenet-sample").glob("*.jpg"))[::25]:
        grey = luminance(decode(path.read_bytes()).pixels)
        padded = np.pad(grey, 3, mode="edge")
        contrast = np.sqrt(np.abs(smooth(padded**2) - smooth(padded) ** 2))
        corners = [(y, x) for y in range(0, grey.shape[0] - 95, 96) for x in range(0, grey.shape[1] - 95, 96)]
        sharpness = np.array([contrast[y : y + 96, x : x + 96].mean() for y, x in corners])
        full, half = normalised(grey), normalised(halve_antialiased(grey))
        for (y, x), sharp in zip(corners, sharpness > 0.75 * sharpness.max(), strict=True):
            if sharp:
                patches = full[y : y + 96, x : x + 96], half[y // 2 : y // 2 + 48, x // 2 : x // 2 + 48]
                rows.append([number for patch in patches for number in published_numbers(patch)])
    away = (np.mean(rows, axis=0) - model["pop_mu"].ravel()) / np.sqrt(np.diag(model["pop_cov"]))
    assert len(rows) > 50 and np.abs(away).max() < 1.25
