"""Conversions bit by bit, against numpy's own, number by number."""

import numpy as np

from giqa.p_real.float16 import LARGEST, halved, widened


def every():
    """Every finite number of float16, -0 too."""
    numbers = np.arange(2**16, dtype=np.uint16).view(np.float16)
    return numbers[np.isfinite(numbers)]


def test_float16_is_widened_exactly():
    found = widened(every(), np.empty(len(every()), np.float32))
    assert np.array_equal(found.view(np.uint32), every().astype(np.float32).view(np.uint32))


def test_what_float16_can_hold_comes_back():
    assert np.array_equal(halved(every().astype(np.float32)).view(np.uint16), every().view(np.uint16))


def test_ties_go_to_the_even_neighbour_and_all_else_to_the_nearer():
    """Between neighbours of float16 from 2^-14 on: the middle, and a last place of float32 to either side of it."""
    numbers = every()[(every() >= 2.0**-14) & (every() < LARGEST)].astype(np.float32)
    following = np.nextafter(numbers.astype(np.float16), np.float16(np.inf)).astype(np.float32)
    middle = (numbers + following) / 2
    for asked in (middle, np.nextafter(middle, np.float32(0)), np.nextafter(middle, np.float32(np.inf))):
        for values in (asked, -asked):
            assert np.array_equal(halved(values), values.astype(np.float16))


def test_tiny_numbers_are_off_by_half_a_step_at_most():
    """Below 2^-14 steps are 2^-24; two roundings after another add next to nothing."""
    values = np.random.default_rng(0).uniform(-(2.0**-14), 2.0**-14, 100_000).astype(np.float32)
    assert np.abs(halved(values).astype(float) - values).max() <= 2.0**-25 * 1.001


def test_any_shape_stays_and_need_not_be_contiguous():
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4).transpose(2, 0, 1)
    assert np.array_equal(halved(values), values.astype(np.float16))
