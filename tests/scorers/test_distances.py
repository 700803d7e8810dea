"""Distances by place: against a loop in float64 over what float16 keeps, every variant, in memory and in a file."""

import numpy as np
import pytest

from giqa.errors import BadModel, BadShape, BadSpec, MissingSource, NotFitted
from giqa.scorers import reference
from giqa.scorers.distances import LayerDistances
from giqa.scorers.nearest import Nearest

SHAPES = {"low": (5, 4, 3), "mid": (3, 3, 7), "flat": (6,)}


def maps(n, seed=0):
    rng = np.random.default_rng(seed)
    return [{name: rng.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()} for _ in range(n)]


def by_hand(query, references):
    """min over references of the distance at each place, in float64, one number at a time."""
    found = {}
    for name, values in query.items():
        shape = values.shape if values.ndim == 3 else (1, 1, len(values))
        z, kept = values.astype(float).reshape(shape), [r[name].astype(np.float16).reshape(shape) for r in references]
        places = [
            [min(np.linalg.norm(z[u, v] - k[u, v]) for k in kept) for v in range(shape[1])] for u in range(shape[0])
        ]
        found[name] = np.array(places)
    return found


@pytest.mark.parametrize("filed", [False, True])
def test_variant_a_is_the_minimum_over_references_at_each_place(tmp_path, filed):
    references, queries = maps(70), maps(3, seed=1)
    file = tmp_path / "reals.distances" if filed else None
    found = LayerDistances().fit(iter(references), 70, file)
    found = LayerDistances.open(file) if filed else found
    distances = found.distances(queries)
    assert {name: d.shape for name, d in distances.items()} == {"low": (3, 5, 4), "mid": (3, 3, 3), "flat": (3, 1, 1)}
    for i, query in enumerate(queries):
        for name, expected in by_hand(query, references).items():
            assert distances[name][i] == pytest.approx(expected, rel=1e-5)
    assert found.layers == ("low", "mid", "flat")
    assert found.sums(queries) == pytest.approx(np.stack([d.sum((1, 2)) for d in distances.values()], 1), rel=1e-6)


def test_variant_c_is_a_at_an_even_grid():
    """Of 5 x 4 places a grid of 2 takes rows 1, 3 and columns 1, 3: the places at a quarter and three quarters."""
    references, queries = maps(9), maps(2, seed=1)
    whole = LayerDistances().fit(references, 9).distances(queries)
    some = LayerDistances("C", grid=2).fit(references, 9).distances(queries)
    assert np.array_equal(some["low"], whole["low"][:, [1, 3]][:, :, [1, 3]])
    assert some["flat"].shape == (2, 1, 1) and np.array_equal(some["flat"], whole["flat"])


def test_variant_b_searches_one_pool_without_places():
    """Every vector of the pool is one of a reference's, so no distance is below that to all of them, and with a large
    pool it is that."""
    references, queries = maps(6), maps(2, seed=1)
    pool = np.concatenate([r["low"].astype(np.float16).reshape(-1, 3) for r in references]).astype(float)
    floor = np.array([[np.linalg.norm(pool - z, axis=1).min() for z in q["low"].reshape(-1, 3)] for q in queries])
    few, many = (
        LayerDistances("B", vectors=v).fit(references, 6).distances(queries)["low"].reshape(2, -1) for v in (10, 3000)
    )
    assert (few >= floor - 1e-6).all() and few.mean() > 1.2 * floor.mean()
    assert many == pytest.approx(floor, rel=1e-5)  # 3000 draws of 120 vectors: each is in it but for once in 1e10
    again = LayerDistances("B", vectors=10).fit(references, 6).distances(queries)["low"].reshape(2, -1)
    assert np.array_equal(few, again)


def test_the_same_bits_in_any_company():
    references, queries = maps(40), maps(150, seed=1)
    found = LayerDistances().fit(references, 40)
    together = found.distances(queries)
    for order in ([7], [149, 3], list(range(149, -1, -1))):
        for name, alone in found.distances([queries[i] for i in order]).items():
            assert np.array_equal(alone, together[name][order])
    assert found.distances([])["low"].shape == (0, 5, 4)


def test_near_copies_far_from_zero_are_not_lost():
    """At 1000 from the origin |b|² - 2ab is off by .1 in float32; the distance .5 comes from the differences."""
    references = np.full((3, 4), 1000, np.float16) + np.array([[0], [8], [-8]], np.float16)
    found = Nearest(4)(np.full((1, 4), 1000.25, np.float32), references, (references.astype(float) ** 2).sum(1))
    assert found == pytest.approx([0.5], rel=1e-6)


def test_float16_is_widened_bit_by_bit():
    """Every finite number of float16, as numpy has it; half the squares in the last column."""
    every = np.arange(2**16, dtype=np.uint16).view(np.float16)
    every = every[np.isfinite(every)]
    every = every[: len(every) // 62 * 62].reshape(-1, 62)
    squares = np.arange(len(every), dtype=np.float32)
    found = Nearest(62)._widened(every, squares)
    assert np.array_equal(found[:, :-1], every.astype(np.float32)) and np.array_equal(found[:, -1], squares / 2)


def test_cost_is_counted_by_hand(capsys):
    """low: 20 places of 3 channels, 7 references: 20*7*(3*2+4) bytes, 2*20*7*4 FLOP; mid 9*7*(14+4), 2*9*7*8."""
    one = {name: maps(1)[0][name] for name in ("low", "mid")}
    cost = LayerDistances().cost(one, 7)
    assert cost.reference_bytes == 20 * 7 * 10 + 9 * 7 * 18
    assert cost.flops == 2 * 20 * 7 * 4 + 2 * 9 * 7 * 8
    said = []
    LayerDistances().fit(maps(7), 7, say=said.append)
    assert said[0].startswith("7 references of 3 layers") and "GFLOP a picture" in said[0]
    pool = LayerDistances("B", vectors=100).cost(one, 7)
    assert pool.reference_bytes == 100 * 10 + 100 * 18 and pool.flops == 2 * 20 * 100 * 4 + 2 * 9 * 100 * 8


def test_blocks_cover_every_place_once(monkeypatch):
    """Blocks of three places."""
    references, queries = maps(9), maps(2, seed=1)
    expected = LayerDistances().fit(references, 9).distances(queries)
    monkeypatch.setattr(reference, "BLOCK", 3 * 2 * 9 * 3)
    found = LayerDistances().fit(references, 9)
    assert [start for start, _, _ in found.reference_.blocks("low")] == list(range(0, 20, 3))
    for name, distances in found.distances(queries).items():
        assert np.array_equal(distances, expected[name])


def test_a_file_is_whole_or_not_there(tmp_path):
    from safetensors.numpy import load_file

    file = tmp_path / "reals.distances"
    with pytest.raises(BadShape, match="was to get 9 references, and got 8"):
        LayerDistances().fit(maps(8), 9, file)
    with pytest.raises(BadShape, match="was to get 7 references, and got more"):
        LayerDistances().fit(maps(8), 7, file)
    assert list(tmp_path.iterdir()) == []
    LayerDistances("C", grid=2, seed=3).fit(maps(8), 8, file)
    assert LayerDistances.open(file).grid == 2
    assert load_file(file)["vectors.low"].shape == (4, 8, 3)  # others can read it too
    content = file.read_bytes()
    for broken in (content[:-1], b"", b"not a file of this kind"):
        file.write_bytes(broken)
        with pytest.raises(BadModel, match="make it again"):
            LayerDistances.open(file)
    with pytest.raises(MissingSource):
        LayerDistances.open(tmp_path / "none")


def test_errors_say_what_was_given():
    with pytest.raises(BadSpec, match="A, B, C, got 'D'"):
        LayerDistances("D").fit(maps(2), 2)
    with pytest.raises(BadShape, match="at least one"):
        LayerDistances().fit([], 0)
    with pytest.raises(NotFitted):
        LayerDistances().distances(maps(1))
    found = LayerDistances().fit(maps(2), 2)
    with pytest.raises(BadShape, match=r"Maps of low should be \(5, 4, 3\).*got nothing"):
        found.distances([{"mid": np.zeros((3, 3, 7))}])
    with pytest.raises(BadShape, match="finite"):
        LayerDistances().fit([{"a": np.full((1, 1, 2), np.nan)}], 1)
    with pytest.raises(BadShape, match="float16"):
        LayerDistances().fit([{"a": np.full((1, 1, 2), 1e5)}], 1)
