"""The extractor: the same bits in any company, pooling, presets, identity, and weights held to their digest."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from giqa import registry
from giqa.errors import BadShape, BadSpec, BadWeights, MissingExtra, MissingWeights
from giqa.features import inception, inception_network, weights
from giqa.features.inception import TAPS, Inception
from giqa.features.resize import resize

torch = pytest.importorskip("torch")
from inception_samples import PICTURES  # noqa: E402  it needs torch

SHARED = Path(__file__).parents[3] / "shared"


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("GIQA_HOME", str(tmp_path / "home"))


# --- pooling ---


def test_mean_and_deviation_are_over_places(small):
    path, _ = small
    extract = Inception(path, layers=["MaxPool_1", "Mixed_6e"], pooling="mean+std")
    prepared = [extract.prepare(p) for p in PICTURES[:2]]
    rows, maps = extract.run(prepared), extract.unpooled(prepared)
    assert tuple(rows) == extract.outputs == ("MaxPool_1.mean", "MaxPool_1.std", "Mixed_6e.mean", "Mixed_6e.std")
    for layer in extract.layers:
        places = maps[layer].astype(np.float64)
        assert np.allclose(rows[f"{layer}.mean"], places.mean((1, 2)), rtol=2e-6, atol=1e-9)
        assert np.allclose(rows[f"{layer}.std"], places.std((1, 2)), rtol=2e-5, atol=1e-7)
    assert rows["Mixed_6e.mean"].dtype == np.float32


def test_maps_of_a_picture_are_what_is_pooled(small):
    """One picture as it is, beside the batch of prepared ones; a layer without places comes as it is."""
    extract = Inception(small[0], layers=["MaxPool_1", "Mixed_6e"])
    maps = extract.maps(PICTURES[0], ["Mixed_6e", "pool"])
    expected = extract.unpooled([extract.prepare(PICTURES[0])], ["Mixed_6e", "pool"])
    assert maps["Mixed_6e"].shape[:2] == (17, 17) and maps["pool"].ndim == 1
    assert all(np.array_equal(maps[name], values[0]) for name, values in expected.items())
    assert tuple(extract.maps(PICTURES[0])) == ("MaxPool_1", "Mixed_6e")


def test_a_deviation_far_below_its_mean_survives():
    """Mean 1000, deviation .01: E[x²] - E[x]² in float32 would give noise."""
    values = 1000 + 0.01 * torch.randn(1, 2, 35, 35, generator=torch.Generator().manual_seed(0))
    mean, std = inception._pool(values, ("mean", "std"))
    expected = values.double().flatten(2)
    assert torch.allclose(std.double(), expected.std(2, correction=0), rtol=1e-2)
    assert torch.allclose(mean.double(), expected.mean(2), rtol=1e-6)


# --- the same bits whatever the batch ---


def same_bits(extract, pictures):
    prepared = [extract.prepare(p) for p in pictures]
    together = extract.run(prepared)
    orders = (range(len(prepared)), reversed(range(len(prepared))), (2, 0), (3,), (1, 1, 4, 0, 2, 3, 1))
    threads = torch.get_num_threads()
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            for order in map(list, orders):
                rows = extract.run([prepared[i] for i in order])
                for name in together:
                    assert np.array_equal(rows[name], together[name][order]), (name, order, count)
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)


def test_the_same_bits_at_every_tap_of_the_small_network(small):
    same_bits(Inception(small[0], layers=TAPS, pooling="mean+std"), PICTURES)


def test_the_same_bits_at_full_width(full):
    """Full width takes other paths through oneDNN than small layers do."""
    extract = Inception(full[0], layers=TAPS, pooling="mean+std")
    prepared = [extract.prepare(p) for p in PICTURES[:3]]
    together = extract.run(prepared)
    threads = torch.get_num_threads()
    try:
        for count, order in ((1, [2, 0]), (2, [1, 2]), (4, [0])):
            torch.set_num_threads(count)
            rows = extract.run([prepared[i] for i in order])
            assert all(np.array_equal(rows[name], together[name][order]) for name in together)
    finally:
        torch.set_num_threads(threads)


def test_chunks_larger_than_one_are_padded_and_cut(small, monkeypatch):
    """What a GPU does, here on the CPU: chunks of 3, the last one filled up with zeros."""
    monkeypatch.setitem(inception.CHUNK, "cpu", 3)
    same_bits(Inception(small[0], layers=["Mixed_5b", "logits"], pooling="mean+std"), PICTURES)


def test_threads_of_others_are_left_alone(small):
    """Also threads that begin later: torch hands the last setting on to them."""
    from concurrent.futures import ThreadPoolExecutor

    before = torch.get_num_threads()
    Inception(small[0], layers="MaxPool_1")(PICTURES)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == torch.get_num_threads() == before


@pytest.mark.slow
def test_bfloat16_is_near_and_says_so(small):
    exact, rough = (Inception(small[0], precision=p) for p in ("float32", "bfloat16"))
    a, b = exact(PICTURES), rough(PICTURES)
    for name in a:
        assert b[name].dtype == np.float32
        assert 0 < np.linalg.norm(a[name] - b[name]) < 0.03 * np.linalg.norm(a[name])
    assert rough.identity()["precision"] == "bfloat16"
    same_bits(rough, PICTURES)


# --- files ---


def test_known_weights_are_held_to_their_digest_and_kept_folded(small, tmp_path, monkeypatch):
    content = small[0].read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    known = weights.KnownWeights(
        "net.pth", len(content), sha256, "http://127.0.0.1:1/net.pth", "inception", "-", "test"
    )
    monkeypatch.setitem(weights.KNOWN, "inception-fid", known)
    with pytest.raises(MissingWeights, match=r"net\.pth.*giqa weights import FILE"):
        Inception()(PICTURES[:1])
    weights.import_file(small[0])
    first = Inception()(PICTURES[:1])
    assert (weights.folder() / "inception-fid.folded2.safetensors").is_file()
    inception_network.load.cache_clear()
    second, by_path = Inception()(PICTURES[:1]), Inception(small[0])(PICTURES[:1])
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert all(np.array_equal(first[name], by_path[name]) for name in first)
    assert Inception().identity() == Inception(small[0]).identity()
    with open(weights.folder() / "inception-fid.folded2.safetensors", "r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    with pytest.raises(BadWeights, match="recorded"):
        Inception()(PICTURES[:1])


# --- parameters ---


def test_presets_fill_in_what_is_not_given(small):
    layers = ("Mixed_5b", "Mixed_5d", "Mixed_6b", "Mixed_7a")
    assert Inception().outputs == tuple(f"{layer}.{kind}" for layer in layers for kind in ("mean", "std"))
    for preset in ("released", "paper"):
        extract = Inception(small[0], preset=preset)
        assert extract.outputs == ("pool",)
        assert np.array_equal(extract.prepare(PICTURES[0]), resize(PICTURES[0], 299, "released") / 127.5 - 1)
        assert extract.identity()["resize"] == "released"
    assert np.array_equal(Inception().prepare(PICTURES[0]), resize(PICTURES[0], 299) / 127.5 - 1)
    assert Inception(preset="released", layers="logits", pooling="std").outputs == ("logits",)
    assert not np.array_equal(Inception().prepare(PICTURES[0]), Inception(preset="paper").prepare(PICTURES[0]))


def test_prepared_is_minus_one_to_one():
    black, white = np.zeros((9, 9, 3), np.uint8), np.full((299, 299, 3), 255, np.uint8)
    assert Inception().prepare(black).max() == -1 and Inception().prepare(white).min() == 1
    assert Inception().prepare(black).shape == (299, 299, 3) and Inception().prepare(black).dtype == np.float32


def test_identity_names_neither_path_nor_device(small):
    identity = Inception(small[0]).identity()
    assert identity == {
        "extractor": "inception",
        "version": 1,
        "layers": ["Mixed_5b", "Mixed_5d", "Mixed_6b", "Mixed_7a"],
        "pooling": "mean+std",
        "resize": "antialias",
        "preprocessing": "resize-1",
        "precision": "float32",
        "weights_sha256": hashlib.sha256(small[0].read_bytes()).hexdigest(),
    }


def test_the_constructor_stores_and_the_object_travels(small):
    extract = registry.make("extractor", f"inception(weights={str(small[0])!r}, layers=['MaxPool_1'])")
    assert extract.layers == ["MaxPool_1"] and extract.pooling is None
    expected = extract(PICTURES[:1])
    again = pickle.loads(pickle.dumps(extract))
    assert np.array_equal(again(PICTURES[:1])["MaxPool_1.std"], expected["MaxPool_1.std"])
    assert "layers=['MaxPool_1']" in registry.canonical("extractor", extract)
    Inception(weights="nowhere", layers=["nothing"], device="toaster", preset="none")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"layers": ["Mixed_5e"]}, "Did you mean 'Mixed_"),
        ({"layers": []}, "asks for nothing"),
        ({"pooling": "max"}, "mean, std, mean\\+std"),
        ({"resize": "nearest"}, "antialias, released"),
        ({"precision": "float16"}, "float32, bfloat16"),
        ({"preset": "best"}, "released, paper, recommended"),
        ({"device": "toaster"}, "toaster"),
    ],
)
def test_parameters_that_mean_nothing(small, parameters, message):
    with pytest.raises(BadSpec, match=message):
        Inception(**{"weights": small[0]} | parameters)(PICTURES[:1])


def test_unprepared_pictures_are_refused_and_none_is_fine(small):
    extract = Inception(small[0])
    with pytest.raises(BadShape, match="prepare"):
        extract.run([PICTURES[2]])
    with pytest.raises(BadSpec, match="no layer 'low'"):
        extract.maps(PICTURES[2], ["low"])
    assert {name: rows.shape for name, rows in extract([]).items()} == {
        name: (0, *rows.shape[1:]) for name, rows in extract(PICTURES[:1]).items()
    }


def test_without_torch_it_says_what_to_install(small, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"pip install 'giqa\[torch\]'"):
        Inception(small[0])(PICTURES[:1])
    assert Inception(small[0]).identity()["weights_sha256"]
    assert Inception().prepare(PICTURES[0]).shape == (299, 299, 3)


# --- the real weights, where they are ---


@pytest.mark.slow
def test_the_real_network_on_photographs():
    path, photographs = (
        SHARED / "weights/inception_v3_2015_12_05_to_mixed_7a.safetensors",
        SHARED / "data/imagenet-sample",
    )
    if not path.exists() or not photographs.is_dir():
        pytest.skip("needs ../shared/weights and ../shared/data beside the checkout")
    pixels = [np.asarray(Image.open(p).convert("RGB")) for p in sorted(photographs.glob("*.jpg"))[:2]]
    extract = Inception(path)
    assert extract.taps()[-1] == "Mixed_7a"
    rows = extract(pixels)
    widths = {"Mixed_5b": 256, "Mixed_5d": 288, "Mixed_6b": 768, "Mixed_7a": 1280}
    assert {name.partition(".")[0] for name in extract.outputs} == set(widths)
    for name in extract.outputs:
        assert rows[name].shape == (2, widths[name.partition(".")[0]])
        assert np.isfinite(rows[name]).all() and (rows[name] >= 0).all()
        assert np.abs(rows[name][0] - rows[name][1]).mean() > 0.02
        assert np.array_equal(extract(pixels[::-1])[name], rows[name][::-1])
        assert np.array_equal(extract(pixels[1:])[name], rows[name][1:])
    with pytest.raises(BadSpec, match=r"end before pool; they have .*Mixed_7a"):
        Inception(path, preset="released")(pixels)


def test_levels_by_depth():
    """Up to MaxPool_2 low, Mixed_5b to Mixed_6b mid, deeper high; only what was chosen, shallow to deep."""
    extract = Inception(
        layers=["pool", "Mixed_7a", "Mixed_6c", "Mixed_6b", "Mixed_5b", "MaxPool_2"], pooling="mean+std"
    )
    assert extract.levels == {
        "low": ("MaxPool_2.mean", "MaxPool_2.std"),
        "mid": ("Mixed_5b.mean", "Mixed_5b.std", "Mixed_6b.mean", "Mixed_6b.std"),
        "high": ("Mixed_6c.mean", "Mixed_6c.std", "Mixed_7a.mean", "Mixed_7a.std", "pool"),
    }
    assert Inception(layers=["logits"]).levels == {"high": ("logits",)}
