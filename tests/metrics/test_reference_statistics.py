import numpy as np
import pytest
from test_cli import giqa

from giqa.compare.compare import compare
from giqa.errors import BadShape, BadSource, BadSpec, MissingSource
from giqa.features.reader import extract
from giqa.metrics.frechet import frechet_distance
from giqa.metrics.moments import Moments
from giqa.metrics.reference_statistics import Statistics, distance, read_statistics, statistics


def gauss(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)


def test_streamed_statistics_are_those_of_all_features(toy):
    """In steps of 64 pictures, on one layer as it is: numpy's mean and covariance."""
    pictures = np.random.default_rng(0).integers(0, 256, (150, 24, 24, 3), dtype=np.uint8)
    found = statistics(pictures, "statistics", layers="texture.1")
    layer = extract(pictures, "statistics").features.layers["texture.1"].astype(float)
    np.testing.assert_allclose(found.moments.mean, layer.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.moments.covariance, np.cov(layer.T), rtol=1e-3, atol=1e-8)
    assert found.moments.n == 150 and found.made_by["layers"] == ["texture.1"]


def test_pictures_that_cannot_be_read_are_counted(toy, tmp_path):
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(sorted(toy[0].iterdir())[i].read_bytes() if i else b"none")
    with pytest.warns(UserWarning, match="1 pictures could not be read"):
        found = statistics(tmp_path, "statistics", store=False)
    assert found.made_by["failed"] == 1 and found.moments.n == 2
    (tmp_path / "1.png").unlink()
    with pytest.raises(BadSource, match="has 1"):
        statistics(tmp_path, "statistics", store=False)


def test_files_come_back_and_others_tools_files_are_read(tmp_path):
    one = Statistics(Moments.of(gauss(50)), {"extractor": "x"})
    again = read_statistics(one.write(tmp_path / "a.npz"))
    assert again.made_by == {"extractor": "x"} and again.moments.n == 50
    np.savez(tmp_path / "fid.npz", mu=gauss(60, 1).mean(axis=0), sigma=np.cov(gauss(60, 1).T))
    np.save(tmp_path / "features.npy", gauss(60, 1))
    wanted = frechet_distance(gauss(50), gauss(60, 1))
    for name in ("fid.npz", "features.npy"):
        assert distance(again, read_statistics(tmp_path / name)) == pytest.approx(wanted, rel=1e-4)
    with np.load(tmp_path / "a.npz") as plain:  # as other tools read it
        np.testing.assert_allclose(plain["sigma"], np.cov(gauss(50).T), rtol=1e-4)


def test_made_in_different_ways_is_warned_of():
    one, other = (Statistics(Moments.of(gauss(20)), {"layers": [name]}) for name in "ab")
    with pytest.warns(UserWarning, match="layers differs"):
        distance(one, other)


def test_what_is_no_file_of_statistics_is_refused(tmp_path):
    with pytest.raises(MissingSource, match="giqa statistics make"):
        read_statistics(tmp_path / "no.npz")
    (tmp_path / "text.npz").write_text("no")
    np.savez(tmp_path / "objects.npz", mu=np.array([{}], dtype=object), sigma=np.eye(1))
    np.savez(tmp_path / "two.npz", a=gauss(5), b=gauss(5))
    np.savez(tmp_path / "odd.npz", mu=np.zeros(2), sigma=np.array([[1.0, 5.0], [0.0, 1.0]]))
    for name, error in {"text": BadSource, "objects": BadSource, "two": BadSource, "odd": BadShape}.items():
        with pytest.raises(error):
            read_statistics(tmp_path / f"{name}.npz")
    with pytest.raises(BadSpec, match=r"NAME\.npz"):
        Statistics(Moments.of(gauss(5))).write(tmp_path / "x.csv")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_commands_and_compare_agree(toy, tmp_path):
    """FD from two files is the fd of `giqa compare` on the same layer."""
    for name, folder in zip(("reals", "fakes"), toy, strict=True):
        status, _, err = giqa("statistics", "make", folder, "-o", tmp_path / f"{name}.npz")
        assert status == 0 and f"wrote {tmp_path / name}.npz" in err
    status, out, _ = giqa("statistics", "distance", tmp_path / "reals.npz", tmp_path / "fakes.npz")
    found = compare(toy[0], {"A": toy[1]}, metrics="fd")
    assert status == 0 and float(out) == pytest.approx(found.generators[0].values["fd"].value, rel=1e-3)
    assert "pictures\t60" in giqa("statistics", "info", tmp_path / "reals.npz")[1]
    assert giqa("statistics", "info", tmp_path / "no.npz")[0] == 2
    (tmp_path / "empty").mkdir()
    assert giqa("statistics", "make", tmp_path / "empty", "-o", tmp_path / "e.npz")[0] == 2


@pytest.mark.parametrize("name", ["mu", "sigma", "n", "made_by"])
def test_every_array_of_a_file_is_covered(tmp_path, name):
    """One that is another, or is not there: the file is refused; a file of other tools has no checksum."""
    path = Statistics(Moments.of(gauss(9)), {"extractor": "mine"}).write(tmp_path / "a.npz")
    assert read_statistics(path).made_by == {"extractor": "mine"}
    arrays = dict(np.load(path))
    np.savez(tmp_path / "less.npz", **{n: a for n, a in arrays.items() if n != name})
    arrays[name] = arrays[name] * 2 if name != "made_by" else np.frombuffer(b'{"sha256": "0"}', np.uint8)
    np.savez(tmp_path / "other.npz", **arrays)
    for file in ("less", "other"):
        with pytest.raises(BadSource):
            read_statistics(tmp_path / f"{file}.npz")


@pytest.mark.parametrize("made_by", [b"{", b"[]", b"\xff"])
def test_a_made_by_that_is_none_is_refused(tmp_path, made_by):
    np.savez(tmp_path / "a.npz", mu=np.zeros(2), sigma=np.eye(2), n=5, made_by=np.frombuffer(made_by, np.uint8))
    with pytest.raises(BadSource, match="made_by, n"):
        read_statistics(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("mean", "covariance", "words"),
    [
        (["a", "b"], np.eye(2), "numeric array"),
        ([0j, 1], np.eye(2), "numeric array"),
        ([0, 0], -np.eye(2), "not below 0"),
        ([0, 0], np.diag([-1e-8, 1e-4]), "not below 0"),
        ([0, 0], [[1e-8, 5e-9], [0, 1e-8]], "symmetric"),
        ([0, 0], [[1e8, 5e7], [0, 1e8]], "symmetric"),
    ],
)
def test_what_is_no_covariance_is_refused(mean, covariance, words):
    """A distance of it would be a number that means nothing, such as 0."""
    with pytest.raises(BadShape, match=words):
        Moments.from_statistics(mean, covariance)


def test_what_is_no_file_of_statistics_is_named(tmp_path):
    """A folder is a folder, and nobody is told to load pickles of a table."""
    with pytest.raises(BadSource, match="is a folder; of its pictures"):
        read_statistics(tmp_path)
    (tmp_path / "s.csv").write_text("id,score\n")
    with pytest.raises(BadSource, match=r"plain arrays\.$"):
        read_statistics(tmp_path / "s.csv")


def test_a_list_of_arrays_that_lost_some_is_noticed(tmp_path):
    """One bit in the length of a field of the list, and all that stands behind it is part of that field."""
    path = Statistics(Moments.of(gauss(9)), {"extractor": "mine"}).write(tmp_path / "a.npz")
    raw = bytearray(path.read_bytes())
    at = [i for i in range(len(raw)) if raw[i : i + 4] == b"PK\x01\x02"]
    raw[at[1] + 30] = at[-1] + 100 - at[1] - 46 if at[-1] - at[1] < 150 else 128  # extra length of the second entry
    path.write_bytes(raw)
    with pytest.raises(BadSource):
        read_statistics(path)


@pytest.mark.parametrize("names", [("m", "s"), ("arr_0", "arr_1"), ("mean", "cov")])
def test_a_covariance_under_another_name_is_no_features(tmp_path, names):
    """Its rows would pass for pictures: np.savez(FILE, mu, sigma) calls them arr_0 and arr_1."""
    x = np.random.default_rng(0).normal(size=(50, 4))
    np.savez(tmp_path / "s.npz", **dict(zip(names, (x.mean(axis=0), np.cov(x.T)), strict=True)))
    with pytest.raises(BadSource, match=r"symmetric matrix \(4, 4\).*Call the mean mu and the covariance sigma"):
        read_statistics(tmp_path / "s.npz")
