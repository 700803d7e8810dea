import csv
from math import exp

import numpy as np
import pytest

import giqa
from giqa.errors import BadShape, BadSpec, BadWeights, MissingWeights
from giqa.scorers.brisque import BRISQUE, read_libsvm
from giqa.testing import check_scorer

HEAD = "svm_type epsilon_svr\nkernel_type rbf\ngamma 0.05\nnr_class 2\ntotal_sv 2\nrho -7\nprobA 6\nSV\n"


@pytest.fixture
def files(tmp_path):
    """A model of two support vectors, (1, 0, ..., 0) and (0, ..., 0, -1), and ranges 0..2 for every feature."""
    (tmp_path / "model").write_text(f"{HEAD}10 1:1 \n-4 36:-1 \n")
    (tmp_path / "range.csv").write_text("feature,min,max\n" + "".join(f"{i},0,2\n" for i in range(36)))
    return str(tmp_path / "model"), str(tmp_path / "range.csv")


def fitted(files):
    return BRISQUE(*files).fit(np.ones((20, 36)))


def test_score_is_minus_the_regression(files):
    """Features of 1 scale to 0: sum c exp(-.05 |0 - v|^2) - rho = 10 e^-.05 - 4 e^-.05 + 7."""
    assert fitted(files).score_samples(np.ones((1, 36)))[0] == pytest.approx(-(6 * exp(-0.05) + 7))
    x = np.ones((1, 36))
    x[0, 0] = 2  # scaled to 1: on the first vector, sqrt(2) from the second
    assert fitted(files).score_samples(x)[0] == pytest.approx(-(10 - 4 * exp(-0.1) + 7))


def test_keeps_the_promises_of_a_scorer(files):
    check_scorer(lambda: BRISQUE(*files), features=np.random.default_rng(0).uniform(0, 2, (240, 36)))


def test_what_is_no_model_is_refused(files, tmp_path):
    with pytest.raises(BadSpec, match="needs both files"):
        BRISQUE().fit(np.ones((20, 36)))
    with pytest.raises(MissingWeights, match="does not ship"):
        BRISQUE("nowhere", files[1]).fit(np.ones((20, 36)))
    with pytest.raises(BadShape, match="36 numbers"):
        BRISQUE(*files).fit(np.ones((20, 6)))
    for wrong in (HEAD.replace("total_sv 2", "total_sv 9"), HEAD.replace("rbf", "linear"), "rubbish"):
        (tmp_path / "wrong").write_text(wrong)
        with pytest.raises(BadWeights, match="no libsvm model"):
            read_libsvm(tmp_path / "wrong")
    for wrong in ("min,max\n0,1\n", "low,high\n1,2\n"):
        (tmp_path / "wrong").write_text(wrong)
        with pytest.raises(BadWeights):
            BRISQUE(files[0], str(tmp_path / "wrong")).fit(np.ones((20, 36)))


def test_needs_no_file_once_it_is_in_a_model(files, toy, tmp_path):
    """`--scorer brisque(...)` alone brings its extractor; the model file scores without the parameters' files."""
    spec = f"brisque(model={files[0]!r}, ranges={files[1]!r})"
    model = giqa.fit(str(toy[0]), scorer=spec)
    assert model.extractor == "brisque(half='cubic')"
    expected = giqa.score(str(toy[1]), model=model)
    path = model.save(tmp_path / "brisque.giqa")
    for file in files:
        (tmp_path / file).unlink()
    found = giqa.score(str(toy[1]), model=path)
    assert np.array_equal(found.score, expected.score) and np.isfinite(found.z).all()


@pytest.mark.slow
def test_published_column_is_followed_in_rank(shared):
    """gan-compression-2afc: Spearman .85 with the published column; docs/learned.md says why it is not more."""
    from scipy.stats import spearmanr

    folder = shared / "data" / "gan-compression-2afc"
    with open(folder / "objective_metrics.csv", newline="") as file:
        published = {row["image"]: float(row["brisque"]) for row in csv.DictReader(file)}
    spec = f"brisque(model={str(shared / 'weights' / 'brisque_svr_allmodel')!r}, "
    spec += f"ranges={str(shared / 'weights' / 'brisque_feature_range.csv')!r})"
    scores = giqa.score(f"{folder}/labels.csv", real=f"{folder}/labels.csv", scorer=spec)
    assert spearmanr(scores.score, [-published[i] for i in scores.id])[0] > 0.8
