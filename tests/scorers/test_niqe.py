import io
import struct
import zlib

import numpy as np
import pytest

import giqa
from giqa.errors import BadShape, BadSpec, BadWeights, MissingWeights, NotFitted
from giqa.scorers.fixed import Value
from giqa.scorers.matlab import read_mat
from giqa.scorers.niqe import NIQE, UPPER
from giqa.testing import check_reference_scorer, check_scorer


def element(kind, data):
    return struct.pack("<II", kind, len(data)) + data + b"\0" * (-len(data) % 8)


def mat(**matrices):
    """A level 5 file written from the format's description."""
    parts = [b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + b"IM"]
    for name, array in matrices.items():
        array = np.atleast_2d(np.asarray(array, float))
        body = element(6, struct.pack("<II", 6, 0)) + element(5, np.array(array.shape, "<i4").tobytes())
        parts.append(element(14, body + element(1, name.encode()) + element(9, array.tobytes(order="F"))))
    return b"".join(parts)


@pytest.fixture
def weights(tmp_path):
    (tmp_path / "niqe.mat").write_bytes(mat(pop_mu=np.zeros(36), pop_cov=4 * np.eye(36)))
    return str(tmp_path / "niqe.mat")


def row(mean, covariance):
    return np.r_[mean, covariance[UPPER]]


def test_score_is_minus_the_distance_between_gaussians(weights):
    """m = (3, 4, 0, ...), C = 0 against m0 = 0, C0 = 4 I: sqrt(25 / 2); with C = 4 I sqrt(25 / 4)."""
    mean = np.r_[3.0, 4, np.zeros(34)]
    x = np.stack([row(mean, np.zeros((36, 36))), row(mean, 4 * np.eye(36)), row(np.zeros(36), np.eye(36))])
    scores = NIQE(weights).fit(x).score_samples(x)
    assert scores == pytest.approx([-np.sqrt(12.5), -2.5, 0])


def test_repeated_widths_of_scikit_videos_file_are_recognised(tmp_path):
    """Where its covariance has the row of the left width twice, the picture's right width is not looked at."""
    repeat = np.eye(36)
    for left in (12, 16, 30, 34):
        repeat[left + 1] = repeat[left]
    (tmp_path / "twice.mat").write_bytes(mat(mu_prisparam=np.zeros(36), cov_prisparam=repeat @ repeat.T))
    mean = np.zeros(36)
    mean[[13, 17, 31, 35]] = 99
    x = row(mean, np.eye(36))[None]
    assert NIQE(str(tmp_path / "twice.mat")).fit(x).score_samples(x)[0] == pytest.approx(0)


def test_keeps_the_promises_of_a_scorer(weights):
    check_scorer(lambda: NIQE(weights), features=np.random.default_rng(0).normal(size=(60, 702)))
    check_reference_scorer(Value, monotone=False)


def test_pictures_are_scored_from_the_command_spec(weights):
    """The scorer brings its extractor; pictures of noise get a score each and a place among the reals."""
    pictures = np.random.default_rng(0).integers(0, 256, (24, 96, 192, 3), dtype=np.uint8)
    scores = giqa.score(pictures[:3], real=pictures, scorer=f"niqe(weights={weights!r})", store=False)
    assert np.isfinite(scores.z).all() and (scores.score < 0).all()


def test_what_cannot_be_used_is_refused(weights, tmp_path):
    with pytest.raises(NotFitted):
        NIQE(weights).score_samples(np.zeros((1, 702)))
    with pytest.raises(BadSpec, match="does not ship"):
        NIQE().fit(np.zeros((20, 702)))
    with pytest.raises(BadShape, match="702 numbers"):
        NIQE(weights).fit(np.zeros((20, 7)))
    with pytest.raises(MissingWeights):
        NIQE("nowhere.mat").fit(np.zeros((20, 702)))
    (tmp_path / "other.mat").write_bytes(mat(x=np.eye(2)))
    with pytest.raises(BadWeights, match=r"it holds x \(2, 2\)"):
        NIQE(str(tmp_path / "other.mat")).fit(np.zeros((20, 702)))


@pytest.mark.parametrize("compressed", [False, True])
def test_matlab_files_are_read_as_scipy_reads_them(tmp_path, compressed):
    """Written by SciPy: shapes, order, small integers, text that is passed over."""
    scipy_io = pytest.importorskip("scipy.io")
    given = {"a": np.arange(6.0).reshape(2, 3), "small": np.array([[7]], np.uint8), "text": "no number", "c": 1j}
    scipy_io.savemat(tmp_path / "x.mat", given, do_compression=compressed)
    found = read_mat(tmp_path / "x.mat")
    assert found.keys() == {"a", "small"}
    assert np.array_equal(found["a"], given["a"]) and found["small"].tolist() == [[7]]


def test_damaged_matlab_files_are_refused(tmp_path):
    whole = mat(a=np.eye(5))
    packed = io.BytesIO(whole[:128] + struct.pack("<II", 15, 9) + zlib.compress(whole[128:])[:9])
    for content in (b"rubbish", whole[:-8], packed.getvalue()):
        (tmp_path / "x.mat").write_bytes(content)
        with pytest.raises(BadWeights, match="level 5"):
            read_mat(tmp_path / "x.mat")
