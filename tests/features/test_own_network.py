"""Networks of one's own: an ONNX file, a module, a callable; the contract of extractors, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

import giqa
from giqa import registry
from giqa.errors import BadModel, BadShape, BadSpec, BadWeights, MissingWeights
from giqa.features.own_network import Module, Onnx
from giqa.features.resize import resize
from giqa.testing import check_extractor

PICTURE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)


def expected(pixels):
    """By hand: resized to 8 x 8, normalised."""
    return (resize(pixels, 8) / 255 - np.array(MEAN)) / np.array(STD)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Two outputs of x (1, 3, 8, 8): maps 2 x, and tokens (1, 3, 64)."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    def made(shape):
        x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in ("x", "maps"))
        z = helper.make_tensor_value_info("tokens", TensorProto.FLOAT, [shape[0], None, None])
        nodes = [helper.make_node("Add", ["x", "x"], ["maps"]), helper.make_node("Reshape", ["x", "to"], ["tokens"])]
        to = helper.make_tensor("to", TensorProto.INT64, [3], [1, 3, 64])
        graph = helper.make_graph(nodes, "toy", [x], [y, z], [to])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        path = tmp_path_factory.mktemp("onnx") / "net.onnx"
        path.write_bytes(model.SerializeToString())
        return path

    return made([1, 3, 8, 8]), made([1, 8, 8, 3]), onnx


def test_an_onnx_file_gives_pooled_maps_and_tokens(file):
    """Channels first or last; maps are averaged over places, tokens over tokens."""
    x = expected(PICTURE)
    how = {"size": 8, "mean": MEAN, "std": STD}
    assert np.allclose(Onnx(file[0], **how)([PICTURE])["features"][0], 2 * x.mean(axis=(0, 1)), atol=1e-5)
    tokens = Onnx(file[0], output="tokens", **how)([PICTURE])["features"][0]  # three tokens, one a channel
    assert np.allclose(tokens, x.mean(axis=2).ravel(), atol=1e-5)
    last = Onnx(file[1], **how)([PICTURE])["features"][0]
    assert np.allclose(last, 2 * x.mean(axis=(0, 1)), atol=1e-5)  # its maps are (1, h, w, c)
    assert "maps" not in Onnx(file[0], **how).identity() and Onnx(file[1], **how).identity()["maps"] == "channels last"


def test_the_contract_holds(file):
    check_extractor(lambda: Onnx(str(file[0]), size=8))
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU()).eval()
    check_extractor(lambda: Module(network, size=8))


def test_a_spec_names_it_and_scores_come_out(file):
    """On the command line and in files, as any other extractor."""
    made = registry.make("extractor", f"onnx(file={str(file[0])!r}, size=8)")
    assert registry.canonical("extractor", made).startswith("onnx(file=")
    reals = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 3), dtype=np.uint8)
    assert len(giqa.score(reals[:3], real=reals, extractor=made, scorer="knn", store=False)) == 3


def test_a_model_keeps_the_object_but_not_in_its_file(tmp_path):
    """Scored by the object that it was fitted with; after a file it has to be given back, and has to be the same."""
    means = Module(lambda x: x.mean((2, 3)), 8, name="means")
    reals = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 3), dtype=np.uint8)
    model = giqa.fit(reals, extractor=means, scorer="knn", store=False)
    z = model.score(reals[:2] // 2, store=False).z
    loaded = giqa.load(model.save(tmp_path / "own.giqa"))
    with pytest.raises(BadModel, match=r"no registered name, giqa\.features\.own_network:Module.*own=extractor"):
        loaded.score(reals[:2], store=False)
    assert np.array_equal(replace(loaded, own=means).score(reals[:2] // 2, store=False).z, z)
    with pytest.raises(BadModel, match="computes other features"):
        replace(loaded, own=Module(lambda x: x.mean((2, 3)), 9, name="means")).score(reals[:2], store=False)


def test_a_module_and_a_callable_give_what_they_compute():
    torch = pytest.importorskip("torch")
    flat = Module(torch.nn.Flatten().eval(), 8, MEAN, STD)([PICTURE, PICTURE[::-1]])["features"]
    assert np.allclose(flat[0], expected(PICTURE).transpose(2, 0, 1).ravel(), atol=1e-5) and flat.shape == (2, 192)
    own = Module(lambda x: x.mean((2, 3)), 8, MEAN, STD, name="means 1")
    assert np.allclose(own([PICTURE])["features"][0], expected(PICTURE).mean(axis=(0, 1)), atol=1e-5)
    assert own.identity()["name"] == "means 1" and own([])["features"].shape[0] == 0


def test_identity_follows_weights_and_structure():
    torch = pytest.importorskip("torch")
    made = [Module(torch.nn.Linear(2, 2).eval()).identity() for _ in range(2)]
    assert made[0]["weights_sha256"] != made[1]["weights_sha256"]
    structures = {Module(net().eval()).identity()["structure_sha256"] for net in (torch.nn.ReLU, torch.nn.Tanh)}
    assert len(structures) == 2


def test_what_cannot_be_is_refused(file, tmp_path):
    torch = pytest.importorskip("torch")
    with pytest.raises(MissingWeights, match=r"There is no network nowhere\.onnx"):
        Onnx("nowhere.onnx").identity()
    with pytest.raises(BadSpec, match="Which network"):
        Onnx().identity()
    (tmp_path / "x.onnx").write_bytes(b"x")
    with pytest.raises(BadWeights, match="is not an ONNX network"):
        Onnx(tmp_path / "x.onnx").identity()
    with pytest.raises(BadSpec, match="has no output 'y'; it has maps, tokens"):
        Onnx(file[0], output="y").identity()
    with pytest.raises(BadShape, match=r"does not take \(1, 3, 9, 9\).*is size= right"):
        Onnx(file[0], size=9)([PICTURE])
    with pytest.raises(BadSpec, match="std above 0"):
        Onnx(file[0], std=(1, 0, 1)).preparation()
    with pytest.raises(BadSpec, match=r"training mode.*call network\.eval\(\)"):
        Module(torch.nn.Linear(2, 2), 8)([PICTURE])
    with pytest.raises(BadSpec, match="needs name="):
        Module(lambda x: x).identity()
    with pytest.raises(BadShape, match="should give a tensor, got tuple"):
        Module(lambda x: (x,), 8, name="a")([PICTURE])
    with pytest.raises(BadShape, match=r"got \(3,\)"):
        Module(lambda x: x.mean((0, 2, 3)), 8, name="a")([PICTURE])
