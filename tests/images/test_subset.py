import random

from giqa.images.subset import spread


def test_a_subset_goes_by_names_and_not_by_positions():
    """Shuffled ids name the same pictures in the same order; ends and middle are in it; all where there are few."""
    ids = [f"{i:03}.png" for i in range(101)]
    shuffled = random.Random(0).sample(ids, len(ids))
    wanted = ["000.png", "025.png", "050.png", "075.png", "100.png"]
    assert [ids[row] for row in spread(ids, 5)] == [shuffled[row] for row in spread(shuffled, 5)] == wanted
    assert [shuffled[row] for row in spread(shuffled, 500)] == ids
    assert spread([], 3) == []
