import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from giqa.errors import BadShape
from giqa.scorers.products import as_matrix, standardiser, steady_product
from giqa.types import Features


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 130),
    d=st.integers(1, 700),
    m=st.integers(1, 600),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 2**31),
)
def test_a_row_has_the_same_bits_alone_in_any_order_and_with_any_number_of_threads(n, d, m, dtype, seed):
    """Whatever the sizes: a row alone, rows in another order, 1 or 2 threads give bit-equal products."""
    rng = np.random.default_rng(seed)
    left, right = rng.normal(size=(n, d)).astype(dtype), rng.normal(size=(m, d)).astype(dtype)
    with threadpool_limits(1):
        whole = steady_product(left, right)
        row = int(rng.integers(n))
        assert np.array_equal(steady_product(left[row : row + 1], right)[0], whole[row])
        order = rng.permutation(n)
        assert np.array_equal(steady_product(left[order], right), whole[order])
    with threadpool_limits(2):
        assert np.array_equal(steady_product(left, right), whole)
    assert whole == pytest.approx(left.astype(float) @ right.T.astype(float), rel=1e-3, abs=1e-3)


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
