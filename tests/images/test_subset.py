import random

import numpy as np
import pytest

from giqa.errors import BadSpec
from giqa.images.arrays import ArraySource
from giqa.images.subset import some, spread
from giqa.testing import check_source


def test_a_subset_goes_by_names_and_not_by_positions():
    """Shuffled ids name the same pictures in the same order; ends and middle are in it; all where there are few."""
    ids = [f"{i:03}.png" for i in range(101)]
    shuffled = random.Random(0).sample(ids, len(ids))
    wanted = ["000.png", "025.png", "050.png", "075.png", "100.png"]
    assert [ids[row] for row in spread(ids, 5)] == [shuffled[row] for row in spread(shuffled, 5)] == wanted
    assert [shuffled[row] for row in spread(shuffled, 500)] == ids
    assert spread([], 3) == []


def test_some_pictures_keep_their_names_and_pixels():
    """The first ones, or a seeded sample in which a smaller one is the beginning of a larger one."""
    images = np.arange(30, dtype=np.uint8)[:, None, None, None] + np.zeros((30, 8, 8, 3), np.uint8)
    source = ArraySource(images)
    assert some(source) is source and some(source, 30) is source
    assert some(source, 3).ids == ("00", "01", "02")
    few, many = some(source, 5, shuffle=1), some(source, 20, shuffle=1)
    assert few.ids == many.ids[:5] != some(source, 5, shuffle=2).ids
    assert [int(few.raw(i)[0, 0, 0]) for i in range(5)] == [int(name) for name in few.ids]
    assert sorted(some(source, shuffle=1).ids) == list(source.ids)
    check_source(few)
    with pytest.raises(BadSpec, match="at least 1; got 0"):
        some(source, 0)
