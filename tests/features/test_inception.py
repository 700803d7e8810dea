"""The FID network against a second, plain implementation, on files of the official layout that are made here."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from giqa import registry
from giqa.errors import BadShape, BadSpec, BadWeights, MissingExtra, MissingWeights
from giqa.features import inception, weights
from giqa.features.inception import TAPS, Inception
from giqa.features.resize import resize

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402  torch may be absent
from torch.nn import functional as F  # noqa: E402

SHARED = Path(__file__).parents[3] / "shared"


# --- the second implementation: unfolded, written out block by block from the paper's figures ---


class Unit(nn.Module):
    def __init__(self, ins, outs, kernel, stride=1, padding=0):
        super().__init__()
        self.conv = nn.Conv2d(ins, outs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outs, eps=0.001)

    def forward(self, x):
        return torch.relu(self.bn(self.conv(x)))


def average(x):
    """Mean over the neighbours that exist: the sum of nine over the count of nine, both with zeros around."""
    kernel = torch.ones(1, 1, 3, 3, dtype=x.dtype)
    total = F.conv2d(x.flatten(0, 1)[:, None], kernel, padding=1).view_as(x)
    return total / F.conv2d(torch.ones_like(x[:1, :1]), kernel, padding=1)


class Reference(nn.Module):
    """`width` scales the channels: 1 is the real network (24 million parameters)."""

    def __init__(self, width=1.0, classes=1008):
        super().__init__()
        self.w = lambda channels: max(2, round(channels * width))
        w, tall, wide = self.w, ((7, 1), 1, (3, 0)), ((1, 7), 1, (0, 3))
        self.unit("Conv2d_1a_3x3", 3, 32, 3, 2)
        self.unit("Conv2d_2a_3x3", w(32), 32, 3)
        self.unit("Conv2d_2b_3x3", w(32), 64, 3, 1, 1)
        self.unit("Conv2d_3b_1x1", w(64), 80, 1)
        self.unit("Conv2d_4a_3x3", w(80), 192, 3)
        ins = w(192)
        for block, pooled in (("5b", 32), ("5c", 64), ("5d", 64)):
            self.path(block, "branch1x1", ins, (64, 1))
            self.path(block, "branch5x5_", ins, (48, 1), (64, 5, 1, 2))
            self.path(block, "branch3x3dbl_", ins, (64, 1), (96, 3, 1, 1), (96, 3, 1, 1))
            self.path(block, "branch_pool", ins, (pooled, 1))
            ins = w(64) + w(64) + w(96) + w(pooled)
        self.path("6a", "branch3x3", ins, (384, 3, 2))
        self.path("6a", "branch3x3dbl_", ins, (64, 1), (96, 3, 1, 1), (96, 3, 2))
        ins += w(384) + w(96)
        for block, c in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
            self.path(block, "branch1x1", ins, (192, 1))
            self.path(block, "branch7x7_", ins, (c, 1), (c, *wide), (192, *tall))
            self.path(block, "branch7x7dbl_", ins, (c, 1), (c, *tall), (c, *wide), (c, *tall), (192, *wide))
            self.path(block, "branch_pool", ins, (192, 1))
            ins = 4 * w(192)
        self.path("7a", "branch3x3_", ins, (192, 1), (320, 3, 2))
        self.path("7a", "branch7x7x3_", ins, (192, 1), (192, *wide), (192, *tall), (192, 3, 2))
        ins += w(320) + w(192)
        for block in ("7b", "7c"):
            self.path(block, "branch1x1", ins, (320, 1))
            self.path(block, "branch3x3_", ins, (384, 1))
            self.path(block, "branch3x3dbl_", ins, (448, 1), (384, 3, 1, 1))
            for end in ("3x3_2", "3x3dbl_3"):
                self.unit(f"Mixed_{block}.branch{end}a", w(384), 384, (1, 3), 1, (0, 1))
                self.unit(f"Mixed_{block}.branch{end}b", w(384), 384, (3, 1), 1, (1, 0))
            self.path(block, "branch_pool", ins, (192, 1))
            ins = w(320) + 4 * w(384) + w(192)
        self.fc = nn.Linear(ins, classes)

    def unit(self, name, ins, outs, *rest):
        self.add_module(name.replace(".", "-"), Unit(ins, self.w(outs), *rest))

    def path(self, block, stem, ins, *units):
        for number, (outs, *rest) in enumerate(units, 1):
            self.unit(
                f"Mixed_{block}.{stem}{number}" if stem.endswith("_") else f"Mixed_{block}.{stem}", ins, outs, *rest
            )
            ins = self.w(outs)

    def go(self, x, block, *names):
        for name in names:
            x = self.get_submodule(f"Mixed_{block}-branch{name}")(x)
        return x

    def forward(self, x):
        taps = {}

        def tap(name, value):
            taps[name] = value
            return value

        for name in ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"):
            x = tap(name, self.get_submodule(name)(x))
        x = tap("MaxPool_1", F.max_pool2d(x, 3, 2))
        for name in ("Conv2d_3b_1x1", "Conv2d_4a_3x3"):
            x = tap(name, self.get_submodule(name)(x))
        x = tap("MaxPool_2", F.max_pool2d(x, 3, 2))
        for b in ("5b", "5c", "5d"):
            five, three = self.go(x, b, "5x5_1", "5x5_2"), self.go(x, b, "3x3dbl_1", "3x3dbl_2", "3x3dbl_3")
            x = tap(f"Mixed_{b}", torch.cat([self.go(x, b, "1x1"), five, three, self.go(average(x), b, "_pool")], 1))
        three, double = self.go(x, "6a", "3x3"), self.go(x, "6a", "3x3dbl_1", "3x3dbl_2", "3x3dbl_3")
        x = tap("Mixed_6a", torch.cat([three, double, F.max_pool2d(x, 3, 2)], 1))
        for b in ("6b", "6c", "6d", "6e"):
            seven = self.go(x, b, "7x7_1", "7x7_2", "7x7_3")
            double = self.go(x, b, *(f"7x7dbl_{i}" for i in range(1, 6)))
            x = tap(f"Mixed_{b}", torch.cat([self.go(x, b, "1x1"), seven, double, self.go(average(x), b, "_pool")], 1))
        three, seven = self.go(x, "7a", "3x3_1", "3x3_2"), self.go(x, "7a", *(f"7x7x3_{i}" for i in range(1, 5)))
        x = tap("Mixed_7a", torch.cat([three, seven, F.max_pool2d(x, 3, 2)], 1))
        for b in ("7b", "7c"):
            three, double = self.go(x, b, "3x3_1"), self.go(x, b, "3x3dbl_1", "3x3dbl_2")
            pooled = average(x) if b == "7b" else F.max_pool2d(x, 3, 1, 1)
            parts = [self.go(x, b, "1x1"), self.go(three, b, "3x3_2a"), self.go(three, b, "3x3_2b")]
            parts += [self.go(double, b, "3x3dbl_3a"), self.go(double, b, "3x3dbl_3b"), self.go(pooled, b, "_pool")]
            x = tap(f"Mixed_{b}", torch.cat(parts, 1))
        tap("logits", self.fc(tap("pool", x.flatten(2).mean(2))))
        return taps

    def official(self):
        return {name.replace("-", "."): value for name, value in self.state_dict().items()}


def reference(width, seed=0):
    torch.manual_seed(seed)
    net = Reference(width).eval()
    for module in net.modules():
        if isinstance(module, Unit):
            nn.init.normal_(module.conv.weight, std=(2 / module.conv.weight[0].numel()) ** 0.5)
            nn.init.uniform_(module.bn.weight, 0.8, 1.2)
            nn.init.normal_(module.bn.bias, std=0.1)
            nn.init.normal_(module.bn.running_mean, std=0.1)
            nn.init.uniform_(module.bn.running_var, 0.5, 1.5)
    return net


def picture(height, width, seed):
    rough = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(rough).resize((width, height)))


PICTURES = [picture(64, 64, 1), picture(80, 50, 2), picture(299, 299, 3), picture(400, 300, 4), picture(32, 32, 5)]


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("GIQA_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A file of the official layout with an eighth of the channels, and the network it came from."""
    net, path = reference(1 / 8), tmp_path_factory.mktemp("inception") / "small.pth"
    torch.save(net.official(), path)
    return path, net


@pytest.fixture(scope="session")
def full(tmp_path_factory):
    net, path = reference(1), tmp_path_factory.mktemp("inception") / "pt_inception.pth"
    torch.save(net.official(), path)
    return path, net


def truncated(path, folder, first_missing):
    """The same file without the tensors from `first_missing` on."""
    state = torch.load(path, weights_only=True)
    names = list(state)
    torch.save({name: state[name] for name in names[: names.index(first_missing)]}, folder / "early.pth")
    return folder / "early.pth"


# --- the forward pass ---


def test_every_tap_of_the_full_network_equals_the_second_implementation(full):
    path, net = full
    extract = Inception(path, layers=TAPS, pooling="mean")
    prepared = [extract.prepare(PICTURES[1])]
    with torch.inference_mode():
        expected = net(torch.from_numpy(prepared[0]).permute(2, 0, 1)[None])
    maps, rows = extract.maps(prepared, TAPS[:-2]), extract.run(prepared)
    assert extract.taps() == TAPS == tuple(expected)
    for layer in TAPS[:-2]:
        value = expected[layer].permute(0, 2, 3, 1).numpy()
        assert maps[layer].shape == value.shape
        assert np.abs(maps[layer] - value).max() < 1e-4 * value.max(), layer
        assert np.allclose(rows[f"{layer}.mean"], value.mean((1, 2)), rtol=1e-4, atol=1e-4 * value.max())
    for layer in TAPS[-2:]:
        assert np.abs(rows[layer] - expected[layer].numpy()).max() < 1e-4 * np.abs(expected[layer].numpy()).max()
    assert rows["pool"].shape == (1, 2048) and rows["logits"].shape == (1, 1008)


def test_average_pools_do_not_count_the_padding():
    """By hand, and the convolution behind it passes on what it gets: a corner is the mean of 4 places, an edge of 6."""
    network = {"Mixed_5b.branch_pool": (torch.ones(1, 1, 1, 1), torch.zeros(1))}
    x = torch.tensor([[[[4.0, 8, 0], [12, 36, 0], [0, 0, 0]]]])
    for step in ("average", "branch_pool"):
        x = inception._step(network, "Mixed_5b", step, x)
    assert x[0, 0].numpy() == pytest.approx(np.array([[15, 10, 11], [10, 60 / 9, 44 / 6], [12, 8, 9]]), rel=1e-6)


def test_mean_and_deviation_are_over_places(small):
    path, _ = small
    extract = Inception(path, layers=["MaxPool_1", "Mixed_6e"], pooling="mean+std")
    prepared = [extract.prepare(p) for p in PICTURES[:2]]
    rows, maps = extract.run(prepared), extract.maps(prepared)
    assert tuple(rows) == extract.outputs == ("MaxPool_1.mean", "MaxPool_1.std", "Mixed_6e.mean", "Mixed_6e.std")
    for layer in extract.layers:
        places = maps[layer].astype(np.float64)
        assert np.allclose(rows[f"{layer}.mean"], places.mean((1, 2)), rtol=2e-6, atol=1e-9)
        assert np.allclose(rows[f"{layer}.std"], places.std((1, 2)), rtol=2e-5, atol=1e-7)
    assert rows["Mixed_6e.mean"].dtype == np.float32


def test_a_deviation_far_below_its_mean_survives():
    """Mean 1000, deviation .01: E[x²] - E[x]² in float32 would give noise."""
    values = 1000 + 0.01 * torch.randn(1, 2, 35, 35, generator=torch.Generator().manual_seed(0))
    mean, std = inception._pool(values, ("mean", "std"))
    expected = values.double().flatten(2)
    assert torch.allclose(std.double(), expected.std(2, correction=0), rtol=1e-2)
    assert torch.allclose(mean.double(), expected.mean(2), rtol=1e-6)


def test_nothing_is_computed_beyond_the_deepest_layer(small, monkeypatch):
    seen, step = [], inception._step
    monkeypatch.setattr(inception, "_step", lambda n, block, s, x: (seen.append(block), step(n, block, s, x))[1])
    Inception(small[0], layers=["Conv2d_2a_3x3", "Mixed_5b"])(PICTURES[:1])
    assert seen[-1] == "Mixed_5b" and "Mixed_5c" not in seen


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


def test_bfloat16_is_near_and_says_so(small):
    exact, rough = (Inception(small[0], precision=p) for p in ("float32", "bfloat16"))
    a, b = exact(PICTURES), rough(PICTURES)
    for name in a:
        assert b[name].dtype == np.float32
        assert 0 < np.linalg.norm(a[name] - b[name]) < 0.03 * np.linalg.norm(a[name])
    assert rough.identity()["precision"] == "bfloat16"
    same_bits(rough, PICTURES)


# --- files ---


@pytest.mark.parametrize(
    ("first_missing", "last_tap"),
    [
        ("fc.weight", "pool"),
        ("Mixed_7b.branch1x1.conv.weight", "Mixed_7a"),
        ("Mixed_6a.branch3x3dbl_3.conv.weight", "Mixed_5d"),  # in the middle of a block: the block is not there
        ("Conv2d_3b_1x1.conv.weight", "MaxPool_1"),
        ("Conv2d_2a_3x3.conv.weight", "Conv2d_1a_3x3"),
    ],
)
def test_a_file_that_ends_early(small, tmp_path, first_missing, last_tap):
    path = truncated(small[0], tmp_path, first_missing)
    extract = Inception(path, layers=[last_tap], pooling="mean")
    assert extract.taps() == TAPS[: TAPS.index(last_tap) + 1]
    whole = Inception(small[0], layers=[last_tap], pooling="mean")
    for name, rows in extract(PICTURES[:2]).items():
        assert np.array_equal(rows, whole(PICTURES[:2])[name])
    beyond = TAPS[TAPS.index(last_tap) + 1]
    with pytest.raises(BadSpec, match=rf"end before {beyond}; they have .*{last_tap}\."):
        Inception(path, layers=[beyond])(PICTURES[:1])


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
    assert (weights.folder() / "inception-fid.folded.safetensors").is_file()
    inception._load.cache_clear()
    second, by_path = Inception()(PICTURES[:1]), Inception(small[0])(PICTURES[:1])
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert all(np.array_equal(first[name], by_path[name]) for name in first)
    assert Inception().identity() == Inception(small[0]).identity()
    with open(weights.folder() / "inception-fid.folded.safetensors", "r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    with pytest.raises(BadWeights, match="recorded"):
        Inception()(PICTURES[:1])


def test_other_networks_are_refused(tmp_path):
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "x.pth")
    with pytest.raises(BadWeights, match="no Inception-V3"):
        Inception(tmp_path / "x.pth").taps()


# --- parameters ---


def test_presets_fill_in_what_is_not_given(small):
    assert Inception().outputs == ("Mixed_5d.mean", "Mixed_5d.std")
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
        "layers": ["Mixed_5d"],
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
    with pytest.raises(BadSpec, match="no places"):
        extract.maps([], ["pool"])
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
    for name in extract.outputs:
        assert rows[name].shape == (2, 288) and np.isfinite(rows[name]).all() and (rows[name] >= 0).all()
        assert np.abs(rows[name][0] - rows[name][1]).mean() > 0.02
        assert np.array_equal(extract(pixels[::-1])[name], rows[name][::-1])
        assert np.array_equal(extract(pixels[1:])[name], rows[name][1:])
    with pytest.raises(BadSpec, match=r"end before pool; they have .*Mixed_7a"):
        Inception(path, preset="released")(pixels)
