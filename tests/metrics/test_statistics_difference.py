"""Whether two statistics are of one kind, and files of other tools."""

import json
import math

import numpy as np
import pytest
from test_cli import giqa

from giqa.errors import BadSource, BadSpec
from giqa.metrics.frechet import frechet_distance
from giqa.metrics.moments import Moments
from giqa.metrics.reference_statistics import Statistics, read_statistics
from giqa.metrics.statistics_difference import difference


def of(features, **made_by):
    return Statistics(Moments.of(features), made_by)


def test_numbers_worked_out_by_hand():
    """Two samples in one column: means 1 and 3, variances 2 and 8."""
    found = difference(of(np.array([[0.0], [2.0]])), of(np.array([[1.0], [5.0]])))
    assert found.distance == pytest.approx(4 + 2 + 8 - 2 * math.sqrt(16)) and found.of_means == 4
    assert found.shift == pytest.approx(2 / math.sqrt(2)) and found.covariance == 3 and found.variances == 4
    assert found.columns == {0: pytest.approx(2 / math.sqrt(2))}
    # pooled variance 5; B = 2^2 / (4 * 1) * (5^2 - 5^2 / 2) = 12.5; z = (4 - 5) / sqrt(2 * 12.5)
    assert found.z == pytest.approx(-1 / 5) and found.verdict == "alike"


def test_samples_of_one_kind_are_alike():
    """z of samples of one kind is about standard normal, whatever their sizes; a shift of the mean shows."""
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(32, 32)) / 6

    def sample(n):
        return rng.standard_t(8, size=(n, 32)) @ mix

    zs = [difference(of(sample(150)), of(sample(400))).z for _ in range(200)]
    assert abs(np.mean(zs)) < 0.4 and 0.7 < np.std(zs) < 1.4 and max(zs) < 4.5
    assert difference(of(sample(150)), of(sample(400) + 0.2)).verdict == "different"


def test_equal_is_seen_through_rounding_and_unknown_is_said():
    """Statistics in float32 are equal; where a file says no number of pictures, other ones are neither."""
    x = np.random.default_rng(0).normal(size=(500, 8))
    rounded = Moments.from_statistics(x.mean(axis=0).astype("f4"), np.cov(x.T).astype("f4"))
    assert difference(of(x), Statistics(rounded)).verdict == "equal"
    found = difference(of(x[:250]), Statistics(rounded))
    assert found.verdict == "unknown" and math.isnan(found.z)


def test_what_was_made_otherwise_is_named():
    x = np.random.default_rng(0).normal(size=(50, 3))
    assert difference(of(x, layers=["a"], match=None), of(x, layers=["b"], match=None)).made == {
        "layers": (["a"], ["b"])
    }


def test_files_of_adm_keep_what_is_spatial(tmp_path):
    """mu_s and sigma_s come back; pictures next to them are not read; a file with pictures alone says what to do."""
    x, spatial = np.random.default_rng(0).normal(size=(50, 3)), np.random.default_rng(1).normal(size=(50, 2))
    parts = {"mu": x.mean(axis=0), "sigma": np.cov(x.T), "mu_s": spatial.mean(axis=0), "sigma_s": np.cov(spatial.T)}
    np.savez(tmp_path / "adm.npz", arr_0=np.array([{}], object), **parts)
    assert giqa("statistics", "convert", tmp_path / "adm.npz", "-o", tmp_path / "again.npz")[0] == 0
    with np.load(tmp_path / "again.npz") as again:
        for name, wanted in parts.items():
            np.testing.assert_allclose(again[name], wanted)
    np.savez(tmp_path / "batch.npz", np.zeros((2, 4, 4, 3), np.uint8))
    with pytest.raises(BadSource, match=r"giqa statistics make batch\.npz"):
        read_statistics(tmp_path / "batch.npz")
    (tmp_path / "edm2.pkl").write_bytes(b"\x80\x04N.")
    with pytest.raises(BadSource, match="can run code"):
        read_statistics(tmp_path / "edm2.pkl")


def test_files_of_torch_fidelity(tmp_path):
    """.pt as `torch.save` writes a dict of arrays, both ways; nothing but arrays is read."""
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(50, 3))
    torch.save({"mu": x.mean(axis=0), "sigma": np.cov(x, rowvar=False)}, tmp_path / "theirs.pt")
    assert frechet_distance(read_statistics(tmp_path / "theirs.pt").moments, Moments.of(x)) < 1e-12
    torch.save(torch.tensor(x).requires_grad_(), tmp_path / "features.pt")
    assert frechet_distance(read_statistics(tmp_path / "features.pt").moments, Moments.of(x)) < 1e-12
    again = read_statistics(of(x, layers=["a"]).write(tmp_path / "ours.pt"))
    assert again.moments.n == 50 and again.made_by == {"layers": ["a"]}
    theirs = torch.load(tmp_path / "ours.pt", weights_only=False)  # as torch-fidelity does
    np.testing.assert_allclose(theirs["sigma"], np.cov(x.T))
    torch.save({"mu": pytest.raises, "sigma": 1}, tmp_path / "code.pt")
    with pytest.raises(BadSource, match=r"no \.npz"):
        read_statistics(tmp_path / "code.pt")
    with pytest.raises(BadSpec, match=r"NAME\.pt"):
        of(x).write(tmp_path / "x.csv")


def test_check_says_whether_a_file_is_of_these_pictures(toy, tmp_path):
    """equal for its own pictures, different for others, unknown for half of them where the file says no number."""
    file = tmp_path / "reals.npz"
    assert giqa("statistics", "make", toy[0], "-o", file, "--extractor", "statistics", "--layers", "texture.1")[0] == 0
    status, out, _ = giqa("statistics", "check", file, toy[0], "--json", "-q")
    said = json.loads(out)
    assert status == 0 and said["verdict"] == "equal" and said["pictures"] == [60, 60] and said["made"] == {}
    status, out, _ = giqa("statistics", "check", file, toy[1], "-q")
    assert status == 1 and "verdict\tdifferent" in out
    status, out, _ = giqa("statistics", "check", file, toy[0], "--layers", "texture.2", "--json", "-q")
    assert "layers" in json.loads(out)["made"]
    found = read_statistics(file).moments
    np.savez(tmp_path / "foreign.npz", mu=found.mean, sigma=found.covariance)
    status, _, err = giqa("statistics", "check", tmp_path / "foreign.npz", toy[0])
    assert status == 2 and "--extractor" in err
    own = ("--extractor", "statistics", "--layers", "texture.1", "-q", "--json")
    assert json.loads(giqa("statistics", "check", tmp_path / "foreign.npz", toy[0], *own)[1])["verdict"] == "equal"
    assert json.loads(giqa("statistics", "diff", file, tmp_path / "foreign.npz", "--json")[1])["verdict"] == "equal"
