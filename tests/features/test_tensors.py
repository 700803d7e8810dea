"""Tensors of weights files: batch norm folded, the folded copy kept in the home, nothing unpickled."""

import numpy as np
import pytest
from safetensors.numpy import load_file, save, save_file

from giqa.errors import BadWeights
from giqa.features import tensors, weights


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("GIQA_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "weights"


def unfolded(seed=0):
    draw = np.random.default_rng(seed)
    return {
        "a.conv.weight": draw.standard_normal((4, 3, 2, 2)).astype(np.float32),
        "a.bn.weight": draw.uniform(0.5, 1.5, 4).astype(np.float32),
        "a.bn.bias": draw.standard_normal(4).astype(np.float32),
        "a.bn.running_mean": draw.standard_normal(4).astype(np.float32),
        "a.bn.running_var": draw.uniform(0.1, 2, 4).astype(np.float32),
        "fc.weight": draw.standard_normal((2, 4)).astype(np.float32),
    }


def test_fold_is_convolution_then_batch_norm():
    """One window: (w·x - μ) g/√(v + .001) + β in float64, against w'·x + b'."""
    arrays, x = unfolded(), np.random.default_rng(1).standard_normal((3, 2, 2))
    folded = tensors.fold(arrays)
    plain = (arrays["a.conv.weight"].astype(np.float64) * x).sum((1, 2, 3))
    std = np.sqrt(arrays["a.bn.running_var"].astype(np.float64) + 0.001)
    expected = (plain - arrays["a.bn.running_mean"]) / std * arrays["a.bn.weight"] + arrays["a.bn.bias"]
    got = (folded["a.conv.weight"].astype(np.float64) * x).sum((1, 2, 3)) + folded["a.conv.bias"]
    assert np.allclose(got, expected, rtol=1e-6, atol=1e-6)
    assert sorted(folded) == ["a.conv.bias", "a.conv.weight", "fc.weight"]
    assert tensors.fold(folded).keys() == folded.keys()


def test_half_a_batch_norm_is_refused():
    arrays = unfolded()
    del arrays["a.bn.bias"]
    with pytest.raises(BadWeights, match=r"a\.bn\.bias"):
        tensors.fold(arrays)


def test_a_torch_file_is_read_once_and_kept_folded(tmp_path, at_home):
    torch = pytest.importorskip("torch")
    torch.save({name: torch.from_numpy(array) for name, array in unfolded().items()}, tmp_path / "net.pth")
    imported = weights.import_file(tmp_path / "net.pth", "mine")
    first = tensors.load(imported)
    again = weights.resolve("mine")
    assert again.path.name == "mine.folded2.safetensors" and again.sha256 == imported.sha256
    second = tensors.load(again)
    assert all(np.array_equal(first[name], second[name]) for name in first) and first.keys() == second.keys()
    assert sorted(path.name for path in at_home.iterdir()) == ["mine.folded2.safetensors", "mine.pth", "weights.json"]

    (at_home / "mine.pth").unlink()  # the folded copy is enough
    assert weights.resolve("mine") == again
    save_file(load_file(again.path) | {"fc.weight": np.zeros((2, 4), np.float32)}, again.path)
    with pytest.raises(BadWeights, match="recorded"):
        weights.resolve("mine")


def test_a_network_saved_channels_last_is_kept_as_it_is(tmp_path):
    """safetensors 0.8 writes the memory of an array whatever its strides, and PyTorch keeps them in its files."""
    torch = pytest.importorskip("torch")
    arrays = {name: torch.from_numpy(array) for name, array in unfolded().items()}
    arrays["a.conv.weight"] = arrays["a.conv.weight"].contiguous(memory_format=torch.channels_last)
    arrays["fc.weight"] = arrays["fc.weight"].t().contiguous().t()
    torch.save(arrays, tmp_path / "net.pth")
    tensors.load(weights.import_file(tmp_path / "net.pth", "mine"))
    kept, expected = tensors.load(weights.resolve("mine")), tensors.fold(unfolded())
    assert all(np.array_equal(kept[name], expected[name]) for name in expected)


def test_a_copy_that_an_older_version_folded_is_not_read(tmp_path, at_home):
    """Here it holds zeros, as a mixed-up one held other numbers; its digest stands in weights.json all the same."""
    save_file(unfolded(), tmp_path / "net.safetensors")
    weights.import_file(tmp_path / "net.safetensors", "mine")
    older, expected = at_home / "mine.folded.safetensors", tensors.fold(unfolded())
    weights.keep_folded("mine", save({name: np.zeros_like(array) for name, array in expected.items()}))
    (at_home / "mine.folded2.safetensors").rename(older)
    for _ in range(2):  # folded anew, then from the new copy
        kept = tensors.load(weights.resolve("mine"))
        assert all(np.array_equal(kept[name], expected[name]) for name in expected)
        assert not older.exists()
    assert weights.verify("mine")


def test_a_copy_of_an_older_version_goes_with_its_weights(tmp_path, at_home):
    save_file(unfolded(), tmp_path / "net.safetensors")
    weights.import_file(tmp_path / "net.safetensors", "mine")
    (at_home / "mine.folded.safetensors").write_bytes(b"older")
    weights.remove("mine")
    assert [path.name for path in at_home.iterdir()] == ["weights.json"]


def test_an_original_that_changed_is_found_behind_its_folded_copy(tmp_path, at_home):
    torch = pytest.importorskip("torch")
    torch.save({name: torch.from_numpy(array) for name, array in unfolded().items()}, tmp_path / "net.pth")
    tensors.load(weights.import_file(tmp_path / "net.pth", "mine"))
    (at_home / "mine.pth").write_bytes(b"x")
    with pytest.raises(BadWeights, match=r"mine\.pth"):
        weights.verify()


def test_unfolded_safetensors_are_kept_folded_too(tmp_path):
    save_file(unfolded(), tmp_path / "net.safetensors")
    imported = weights.import_file(tmp_path / "net.safetensors", "mine")
    assert sorted(tensors.load(imported)) == ["a.conv.bias", "a.conv.weight", "fc.weight"]
    assert weights.resolve("mine").path.name == "mine.folded2.safetensors"


def test_a_file_outside_the_home_is_not_kept_there(tmp_path, at_home):
    """Not even when the home has the same file under a name."""
    save_file(unfolded(), tmp_path / "net.safetensors")
    weights.import_file(tmp_path / "net.safetensors", "mine")
    assert weights.resolve(tmp_path / "net.safetensors").name == "mine"
    tensors.load(weights.resolve(tmp_path / "net.safetensors"))
    assert sorted(path.name for path in at_home.iterdir()) == ["mine.safetensors", "weights.json"]


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    torch = pytest.importorskip("torch")

    class Trap:
        def __reduce__(self):
            return (print, ("ran",))

    torch.save({"a": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(BadWeights, match="no PyTorch file of plain tensors"):
        tensors.load(weights.resolve(tmp_path / "trap.pth"))


def test_rubbish_is_refused(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"<html>not found</html>")
    with pytest.raises(BadWeights, match="no readable safetensors"):
        tensors.load(weights.resolve(tmp_path / "x.safetensors"))
