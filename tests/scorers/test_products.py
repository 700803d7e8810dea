import math

import numpy as np
import pytest

from giqa.errors import BadShape
from giqa.scorers import products
from giqa.scorers.products import as_matrix, check_products, standardiser, steady_product
from giqa.types import Features


def product(left, right):
    """In float64, one multiplication at a time."""
    return np.array([[math.fsum(a * b for a, b in zip(x, y, strict=True)) for y in right] for x in left])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "d", "m"), [(1, 1, 1), (3, 70, 33), (65, 5, 130), (257, 2, 1), (2, 600, 3)])
def test_a_steady_product_is_the_product(dtype, n, d, m):
    """left times right transposed, of the type given; sizes on both sides of the tiles."""
    rng = np.random.default_rng(n * d * m)
    left, right = rng.normal(size=(n, d)).astype(dtype), rng.normal(size=(m, d)).astype(dtype)
    found = steady_product(left, right)
    assert found.dtype == dtype and found.flags.c_contiguous
    np.testing.assert_allclose(found, product(left.tolist(), right.tolist()), rtol=0, atol=d * 20 * np.finfo(dtype).eps)


def test_products_of_nothing():
    """No pictures, no references or no features: a product of that shape, zeros where there is anything."""
    for n, d, m in ((0, 3, 2), (2, 3, 0), (2, 0, 3)):
        assert steady_product(np.ones((n, d)), np.ones((m, d))).tolist() == np.zeros((n, m)).tolist()


def test_how_the_references_lie_in_memory_does_not_matter():
    """Columns side by side, every second row, or a copy: equal bits."""
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(5, 200)), rng.normal(size=(300, 200))
    whole = steady_product(left, right)
    assert np.array_equal(steady_product(left, np.asfortranarray(right)), whole)
    assert np.array_equal(steady_product(np.asfortranarray(left), np.repeat(right, 2, axis=0)[::2]), whole)


@pytest.fixture
def blas(monkeypatch):
    """A BLAS that rounds otherwise where asked; what is known of this machine's is forgotten for as long."""
    multiply = products._tile

    def install(otherwise):
        def tile(references, columns):
            found = multiply(references, columns)
            found[:, otherwise(*references.shape, len(columns))] *= 1 + 4 * np.finfo(found.dtype).eps
            return found

        products.steady_widths.cache_clear()
        monkeypatch.setattr(products, "_tile", tile)

    yield install
    products.steady_widths.cache_clear()


def alone_and_in_company(n=300, d=200, m=40):
    """Products of n pictures one by one and together; right to rounding."""
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(n, d)).astype(np.float32), rng.normal(size=(m, d)).astype(np.float32)
    whole = steady_product(left, right)
    np.testing.assert_allclose(whole, left.astype(float) @ right.T.astype(float), atol=1e-4)
    return np.concatenate([steady_product(row[None], right) for row in left]), whole


def test_where_a_blas_rounds_by_place_pictures_are_multiplied_one_by_one(blas):
    """The self-check sees that the last columns differ, says so, and a picture has the same bits alone and not."""
    blas(lambda height, depth, width: slice(-10, None) if depth == 128 else slice(0))
    found = check_products()
    assert found.tiles == 12 and found.steady == {"float32": 9, "float64": 9}
    assert found.record()["one_by_one"] == {"float32": 3, "float64": 3}
    assert "3 of 12 in float32" in str(found) and "only slower" in str(found)
    alone, company = alone_and_in_company()
    assert np.array_equal(alone, company)


@pytest.mark.parametrize(
    ("otherwise", "left"),
    [
        (lambda width: width <= 48, (80, 144, 272)),  # as MKL on Intel's AVX2
        (lambda width: width >= 200, (32, 80, 144)),  # as BLIS
        (lambda width: width not in (80, 272), (80, 272)),
    ],
)
def test_widths_that_round_otherwise_are_left_out(blas, otherwise, left):
    """Two kernels by the number of columns: only widths that share one are used, and bits are the same in company."""
    blas(lambda height, depth, width: slice(None) if otherwise(width) else slice(0))
    assert products.steady_widths(512, 256, np.dtype(np.float32)) == left
    alone, company = alone_and_in_company()
    assert np.array_equal(alone, company)


def test_as_matrix_takes_features_and_arrays():
    """Layers side by side in their order; float32 stays float32, integers become float64."""
    features = Features(("a", "b"), {"low": np.ones((2, 1), np.float32), "high": np.zeros((2, 2), np.float32)})
    assert as_matrix(features).tolist() == [[1, 0, 0], [1, 0, 0]]
    assert as_matrix(features).dtype == np.float32
    assert as_matrix(np.array([[1, 2]])).dtype == np.float64


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        (np.zeros(3), r"got shape \(3,\)"),
        (np.zeros((2, 2, 2)), r"got shape \(2, 2, 2\)"),
        (np.array([["a"]]), "numeric array"),
        (np.array([[0.0, 1.0], [np.nan, 1.0]]), "row 1 is not"),
        (np.array([[np.inf, 1.0]]), "row 0 is not"),
        (np.zeros((2, 3)), "fitted on 2 features a picture, got 3"),
    ],
)
def test_as_matrix_refuses_what_does_not_fit(matrix, says):
    with pytest.raises(BadShape, match=says):
        as_matrix(matrix, width=2)


def test_standardiser_leaves_constant_columns_alone():
    """Mean and population deviation of each column; a column that never varies keeps spread 1."""
    mean, spread = standardiser(np.array([[1.0, 7.0], [3.0, 7.0]]))
    assert (mean.tolist(), spread.tolist()) == ([2.0, 7.0], [1.0, 1.0])
    mean, spread = standardiser(np.array([[1.0], [5.0]]))
    assert spread.tolist() == [2.0]
