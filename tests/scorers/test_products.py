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
def rounding_by_place(monkeypatch):
    """A BLAS that rounds otherwise in its last columns, for a depth of 128; what is known is forgotten."""
    multiply = products._tile

    def tile(references, columns):
        found = multiply(references, columns)
        if references.shape[1] == 128:
            found[:, -10:] *= 1 + 4 * np.finfo(found.dtype).eps
        return found

    products.steady_tile.cache_clear()
    monkeypatch.setattr(products, "_tile", tile)
    yield
    products.steady_tile.cache_clear()


def test_where_a_blas_rounds_by_place_pictures_are_multiplied_one_by_one(rounding_by_place):
    """The self-check sees it, says so, and a picture still has the same bits alone and in company."""
    found = check_products()
    assert found.tiles == 12 and found.steady == {"float32": 9, "float64": 9}
    assert found.record()["one_by_one"] == {"float32": 3, "float64": 3}
    assert "3 of 12 in float32" in str(found) and "only slower" in str(found)
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(64, 200)).astype(np.float32), rng.normal(size=(40, 200)).astype(np.float32)
    whole = steady_product(left, right)
    assert np.array_equal(np.concatenate([steady_product(row[None], right) for row in left]), whole)
    np.testing.assert_allclose(whole, left.astype(float) @ right.T.astype(float), atol=1e-4)


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
