import numpy as np
import pytest

from giqa.stats.linear import logistic, squares


def test_linear_models_solve_their_equations():
    """The gradient at the solution is minus that of the penalty; scikit-learn finds the same."""
    rng = np.random.default_rng(0)
    x = np.c_[rng.normal(size=(80, 3)), np.ones(80)]
    c = (x @ [1, -2, 0.5, 0.3] + rng.normal(size=80) > 0).astype(float)
    w = logistic(x, c, 0.1)
    slope = x.T @ (1 / (1 + np.exp(-x @ w)) - c) / 80
    assert slope[:3] == pytest.approx(-0.1 * w[:3], abs=1e-5) and slope[3] == pytest.approx(0, abs=1e-5)
    linear = pytest.importorskip("sklearn.linear_model")
    other = linear.LogisticRegression(C=1 / (0.1 * 80), tol=1e-8).fit(x[:, :3], c)
    assert w == pytest.approx(np.r_[other.coef_[0], other.intercept_], abs=1e-3)
    ridge = linear.Ridge(alpha=0.1 * 80).fit(x[:, :3], c)
    assert squares(x, c[:, None], 0.1)[:, 0] == pytest.approx(np.r_[ridge.coef_, ridge.intercept_])
