"""Pairs of which the later picture counts as better."""

from benchmarks.accuracy import epoch_pairs


def test_the_later_one_has_all_votes():
    """No pair twice, whichever way round; five epochs apart or more; left or right by lot; the same every time."""
    rows = [{"image": f"e{epoch:02d}_{i}.png", "epoch": str(epoch)} for epoch in range(25) for i in range(8)]
    pairs = epoch_pairs.later_is_better(rows)
    assert len(pairs) == epoch_pairs.PAIRS == len({frozenset((p["left"], p["right"])) for p in pairs})
    gaps = [int(p["left"][1:3]) - int(p["right"][1:3]) for p in pairs]
    assert min(map(abs, gaps)) == 5
    assert [(p["votes_left"], p["votes_right"]) for p in pairs] == [(3, 0) if gap > 0 else (0, 3) for gap in gaps]
    assert 0.4 < sum(gap > 0 for gap in gaps) / len(gaps) < 0.6
    assert pairs == epoch_pairs.later_is_better(rows)
