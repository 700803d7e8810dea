import pytest

from giqa.errors import BadShape
from giqa.train.convergence import change_over_last_quarter


def test_a_line_through_the_last_quarter():
    """8, 10, 12 at 75, 87.5 and 100 of 100 steps: it rises by 4 about a mean of 10; what was before does not count."""
    assert change_over_last_quarter([0, 50, 75, 87.5, 100], [99, 99, 8, 10, 12]) == pytest.approx((0.4, 0))
    assert change_over_last_quarter([100, 0, 87.5, 75], [12, 7, 10, 8]) == pytest.approx((0.4, 0))


def test_a_line_that_does_not_reach_the_ends_of_the_quarter():
    """2 in 20 steps, over 25 steps 2.5, about a mean of 11."""
    assert change_over_last_quarter([80, 90, 100], [10, 11, 12])[0] == pytest.approx(2.5 / 11)


def test_noise_is_in_the_error():
    """9, 12, 9: no slope; residuals -1, 2, -1: variance 6 over 2 x 12.5^2, 25 steps, about a mean of 10."""
    change, error = change_over_last_quarter([75, 87.5, 100], [9, 12, 9])
    assert change == pytest.approx(0) and error == pytest.approx((6 / 312.5) ** 0.5 * 25 / 10)


@pytest.mark.parametrize(("steps", "values"), [([], []), ([75, 100], [1, 1]), ([0, 50, 90, 100], [1, 1, 1, 1])])
def test_too_few_places(steps, values):
    with pytest.raises(BadShape, match="a line needs 3"):
        change_over_last_quarter(steps, values)


def test_each_step_needs_a_value():
    with pytest.raises(BadShape, match="3 steps, 2 values"):
        change_over_last_quarter([1, 2, 3], [1, 2])
