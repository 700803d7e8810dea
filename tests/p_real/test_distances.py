"""Distances by place: against a loop in float64 over what float16 keeps, every variant, in memory and in a file."""

import mmap
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from giqa.errors import BadModel, BadShape, BadSpec, MissingSource, NotFitted
from giqa.p_real import distances as module
from giqa.p_real import nearest
from giqa.p_real import references as reference
from giqa.p_real.distances import LayerDistances
from giqa.p_real.nearest import Nearest

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


@pytest.mark.parametrize("way", ["_compared", "_decided"])
def test_near_ties_are_decided_by_the_true_distance(way):
    """Distances of a = (0, 0) are 3, 2, 2.5; those of (0, -20) sqrt(409), 22, 22.5, of which the last two are asked."""
    left = np.array([[0, 0, 1], [0, 0, 1]], np.float32)
    left[1, 1] = 20
    right = np.array([[3, 0, 0], [0, 2, 0], [0, 2.5, 0]], np.float32)
    right[:, 2] = (right[:, :2] ** 2).sum(axis=1) / 2
    search = Nearest(2)
    if way == "_decided":
        assert search._decided(left, right).tolist() == [1, 0]
    else:
        rows, columns = np.array([0, 0, 0, 1, 1]), np.array([0, 1, 2, 1, 2])
        assert search._compared(left, right, rows, columns).tolist() == [1, 1]


def test_many_equal_references_are_no_different_from_one():
    """A white border: all references the same, more ties than are looked at one by one."""
    references = np.full((300, 4), 0.7, np.float16)
    squares = (references.astype(np.float32) ** 2).sum(axis=1)
    found = Nearest(4)(np.full((9, 4), 0.7, np.float32), references, squares)
    assert found == pytest.approx(np.full(9, 2 * abs(np.float16(0.7) - np.float32(0.7))), rel=1e-6)


@pytest.mark.parametrize("channels", [3, 32, 700])
def test_near_ties_have_the_same_bits_in_any_company(channels):
    """References a last bit of float16 apart: how a product is rounded must not say which of them is nearest."""
    rng = np.random.default_rng(channels)
    base = (rng.integers(512, 1024, channels) / 64).astype(np.float16)
    references = np.nextafter(base, np.where(rng.random((300, channels)) < 0.5, np.inf, 0).astype(np.float16))
    squares = (references.astype(np.float32) ** 2).sum(axis=1)
    queries = (base + rng.normal(size=(600, channels)) * 0.01).astype(np.float32)
    search = Nearest(channels)
    together = search(queries, references, squares)
    few = search(queries[100:103], references, squares)
    alone = np.array([search(query[None], references, squares)[0] for query in queries[::7]])
    assert np.array_equal(together[100:103], few) and np.array_equal(together[::7], alone)
    exact = np.array([np.linalg.norm(references.astype(float) - query, axis=1).min() for query in queries[::7]])
    assert alone == pytest.approx(exact, rel=1e-5)


def test_the_doubt_is_four_times_the_bound_of_rounding():
    """c = 3, a = (0, 0, 0), |b| = 2: 4 terms, e = 4 u (|[-a, 1]| |b| + |b|²/2) = 4 u 4, u = 2^-24; and 1 % more."""
    left = np.array([[0, 0, 0, 1]], np.float32)
    assert Nearest(3)._doubt(left, 2.0) == pytest.approx([4.04 * 4 * 4 * 2**-24], rel=1e-6)


def test_more_queries_and_references_than_a_product_takes(monkeypatch):
    monkeypatch.setattr(nearest, "ROWS", 4)
    monkeypatch.setattr(nearest, "COLUMNS", 5)
    rng = np.random.default_rng(0)
    references, queries = rng.normal(size=(13, 6)).astype(np.float16), rng.normal(size=(11, 6)).astype(np.float32)
    found = Nearest(6)(queries, references, (references.astype(np.float32) ** 2).sum(axis=1))
    expected = [min(np.linalg.norm(query - one) for one in references.astype(float)) for query in queries]
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("variant", ["A", "B"])
def test_any_number_of_threads_finds_the_same(monkeypatch, variant):
    references, queries = maps(30), maps(5, seed=1)
    found = {}
    for threads in (1, 3):
        monkeypatch.setattr(module, "cores", lambda threads=threads: threads)
        found[threads] = LayerDistances(variant, vectors=50).fit(references, 30).distances(queries)
    assert all(np.array_equal(found[1][name], found[3][name]) for name in SHAPES)


def test_memory_stays_within_what_is_stated(tmp_path, monkeypatch):
    """64 pictures of two maps of 24 x 24 x 48: 14 MB, and 7 more while one is searched; all else is small here."""
    monkeypatch.setattr(reference, "BLOCK", 2**16)
    monkeypatch.setattr(nearest, "COLUMNS", 64)
    monkeypatch.setattr(nearest, "ROWS", 16)
    rng, layer = np.random.default_rng(0), 64 * 24 * 24 * 48 * 4

    def several(n):
        return [{name: rng.random((24, 24, 48), np.float32) for name in ("low", "mid")} for _ in range(n)]

    found = LayerDistances().fit(several(20), 20, tmp_path / "reals.distances")
    cost = found.cost(several(1)[0], 20)
    tracemalloc.start()
    try:
        found.distances(several(64))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 3 * layer < peak < cost.resident(64) < 3.3 * layer


@pytest.mark.skipif(not Path("/proc/self/smaps").is_file(), reason="the system does not say which pages are resident")
def test_no_more_than_a_block_of_a_file_is_resident(tmp_path, monkeypatch):
    """8 MB of references, 1 MB at a time."""
    monkeypatch.setattr(reference, "BLOCK", 2**20)
    file = tmp_path / "reals.distances"
    reals = [{"mid": np.full((16, 16, 256), float(i))} for i in range(64)]
    kept = LayerDistances.open(LayerDistances().fit(reals, 64, file) and file).reference_
    resident = []
    for _, vectors, squares in kept.blocks("mid"):
        assert vectors.sum(dtype=float) > 0 and squares.sum() > 0
        resident.append(resident_pages(file))
    assert len(resident) == 8 and min(resident) >= 2**20 and max(resident) < 2 * 2**20


def resident_pages(file):
    """Bytes of a mapped file that this process has in memory."""
    total, ours = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        ours = line.endswith(str(file)) if not line.split()[0].endswith(":") else ours
        total += int(line.split()[1]) * 1024 if ours and line.startswith("Rss:") else 0
    return total


def test_the_next_block_is_asked_for_in_whole_pages(tmp_path):
    """Rows of 3000 bytes from byte 1000 past a page: rows 2 to 4 are bytes 7000 to 13000 of the mapping, and no more
    than there is is asked for."""
    page = mmap.ALLOCATIONGRANULARITY
    file = tmp_path / "rows"
    file.write_bytes(bytes(page + 1000 + 5 * 3000))
    rows, asked = np.memmap(file, np.float16, "r", page + 1000, (5, 1500)), []

    class Recorder:
        __len__ = rows._mmap.__len__

        def madvise(self, *what):
            asked.append(what)

    rows._mmap = Recorder()
    reference.read_ahead(rows, 2, 4)
    reference.read_ahead(rows, 4, 6)
    reference.read_ahead(rows, 5, 7)
    reference.read_ahead(np.zeros((5, 5)), 2, 4)
    begins = [7000 - 7000 % page, 13000 - 13000 % page]
    ends = [13000, 16000]
    wanted = [(mmap.MADV_WILLNEED, begin, end - begin) for begin, end in zip(begins, ends, strict=True)]
    assert asked == wanted


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
    opened = LayerDistances.open(file).reference_
    flipped = [content.replace(a["low"].tobytes(), (-a["low"]).tobytes()) for a in (opened.vectors, opened.squares)]
    for broken in (
        *flipped,
        content.replace(b'n\\": 8', b'n\\": 9'),
        content.replace(b"how", b"haw"),
        content[:-1],
        b"",
        b"not a file of this kind",
    ):
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
