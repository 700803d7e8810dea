"""The FID network against a second, plain implementation, on files of the official layout that are made here."""

import numpy as np
import pytest

from giqa.errors import BadSpec, BadWeights
from giqa.features import inception_network
from giqa.features.inception import Inception
from giqa.features.inception_network import TAPS

torch = pytest.importorskip("torch")
from inception_samples import PICTURES  # noqa: E402  it needs torch


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("GIQA_HOME", str(tmp_path / "home"))


# --- the forward pass ---


def test_every_tap_of_the_full_network_equals_the_second_implementation(full):
    path, net = full
    extract = Inception(path, layers=TAPS, pooling="mean")
    prepared = [extract.prepare(PICTURES[1])]
    with torch.inference_mode():
        expected = net(torch.from_numpy(prepared[0]).permute(2, 0, 1)[None])
    maps, rows = extract.unpooled(prepared, TAPS[:-2]), extract.run(prepared)
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
        x = inception_network._step(network, "Mixed_5b", step, x)
    assert x[0, 0].numpy() == pytest.approx(np.array([[15, 10, 11], [10, 60 / 9, 44 / 6], [12, 8, 9]]), rel=1e-6)


def test_nothing_is_computed_beyond_the_deepest_layer(small, monkeypatch):
    seen, step = [], inception_network._step
    monkeypatch.setattr(
        inception_network, "_step", lambda n, block, s, x: (seen.append(block), step(n, block, s, x))[1]
    )
    Inception(small[0], layers=["Conv2d_2a_3x3", "Mixed_5b"])(PICTURES[:1])
    assert seen[-1] == "Mixed_5b" and "Mixed_5c" not in seen


# --- files ---


def truncated(path, folder, first_missing):
    """The same file without the tensors from `first_missing` on."""
    state = torch.load(path, weights_only=True)
    names = list(state)
    torch.save({name: state[name] for name in names[: names.index(first_missing)]}, folder / "early.pth")
    return folder / "early.pth"


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


def test_other_networks_are_refused(tmp_path):
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "x.pth")
    with pytest.raises(BadWeights, match="no Inception-V3"):
        Inception(tmp_path / "x.pth").taps()
