"""Scorers as estimators: in a pipeline, in a grid search, cloned, and by scikit-learn's own checks."""

import pickle

import numpy as np
import pytest

from giqa.errors import BadShape, BadSpec, NotFitted
from giqa.model.fit import fit

sklearn = pytest.importorskip("sklearn", minversion="1.6")

from sklearn.base import clone  # noqa: E402
from sklearn.exceptions import NotFittedError  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import check_estimator  # noqa: E402

from giqa.integrations.sklearn import Pictures, RealsOnly, Typical  # noqa: E402

rng = np.random.default_rng(0)
REALS, FAKES = rng.normal(size=(150, 5)), rng.normal(1.5, 1, (60, 5))

# checks of scikit-learn that cannot hold, and why
FEW = "it fits fewer than the 20 different reals that the scale needs"
HELD_OUT = "it counts outliers among the rows of fit; the threshold is that of held-out reals"
NOT = {
    "check_n_features_in_after_fitting": FEW,
    "check_estimators_nan_inf": FEW,
    "check_classifier_data_not_an_array": FEW,
    "check_fit2d_1feature": FEW,
    "check_outliers_fit_predict": HELD_OUT,
    "check_outliers_train": HELD_OUT,
}


@pytest.mark.filterwarnings("ignore")
def test_what_scikit_learn_asks_of_an_estimator():
    """Every check holds but those that are named with their reason."""
    results = check_estimator(Typical(), expected_failed_checks=NOT, on_skip=None, on_fail=None)
    failed = {each["check_name"]: each["exception"] for each in results if each["status"] == "failed"}
    assert failed == {}
    assert {each["check_name"] for each in results if each["status"] == "xfail"} <= set(NOT)
    assert sum(each["status"] == "passed" for each in results) > 35


def test_scores_are_those_of_giqa():
    made = Typical("sgm", contamination=0.1).fit(REALS)
    scores = fit(REALS, scorer="sgm").score(FAKES)
    assert np.array_equal(made.score_samples(FAKES), scores.z)
    assert np.array_equal(made.percentile(FAKES), scores.percentile)
    fresh = np.random.default_rng(9).normal(size=(2000, 5))
    assert 0.05 < np.mean(made.predict(fresh) == -1) < 0.17 < np.mean(made.predict(FAKES) == -1)
    assert np.array_equal(made.predict(fresh) == -1, made.decision_function(fresh) < 0)


def test_pipeline_clone_and_pickle():
    made = make_pipeline(StandardScaler(), Typical("knn(k=3)", seed=1))
    copy = clone(made).fit(REALS)
    assert copy.get_params()["typical__scorer"] == "knn(k=3)"
    assert np.array_equal(pickle.loads(pickle.dumps(copy)).score_samples(FAKES), copy.score_samples(FAKES))
    with pytest.raises((NotFitted, NotFittedError)):
        Typical().score_samples(FAKES)
    with pytest.raises(BadSpec, match=r"contamination=\.\.\.\) is above 0"):
        Typical(contamination=0.0).fit(REALS)


def test_grid_search_learns_from_reals_alone():
    """Every part learns from reals that it is not judged on; fakes are dealt to the parts, each once."""
    features, y = np.r_[REALS, FAKES], np.r_[np.ones(150), np.zeros(60)]
    seen = []
    for train, test in RealsOnly(3).split(features, y):
        assert (y[train] == 1).all() and not set(train) & set(test) and set(y[test]) == {0, 1}
        seen += test.tolist()
    assert sorted(seen) == list(range(210))
    grid = {"scorer": ["sgm", "knn(k=1)"]}
    search = GridSearchCV(Typical(), grid, scoring="roc_auc", cv=RealsOnly(3), refit=False).fit(features, y)
    assert search.best_params_["scorer"] in grid["scorer"] and search.best_score_ > 0.9
    with pytest.raises(BadSpec, match="y is 1 for reals"):
        next(RealsOnly().split(features, np.ones(210)))


def test_pictures_are_the_first_step(tmp_path):
    """Arrays, paths and a folder give the same features; a broken file is named."""
    from PIL import Image

    pictures = np.random.default_rng(0).integers(0, 256, (24, 8, 8, 3), dtype=np.uint8)
    paths = []
    for n, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / f"{n:02}.png")
        paths.append(str(tmp_path / f"{n:02}.png"))
    step = Pictures("statistics(scales=1)", store=False)
    features = step.fit_transform(pictures)
    assert features.shape == (24, 18) and np.array_equal(features, step.transform(np.array(paths)))
    assert np.array_equal(features, step.transform(str(tmp_path)))
    made = make_pipeline(step, Typical("knn")).fit(pictures)
    assert made.predict(pictures[:3]).tolist() == [1, 1, 1]
    (tmp_path / "00.png").write_bytes(b"no picture")
    with pytest.raises(BadShape, match=r"1 pictures cannot be read; the first, .*00\.png"):
        step.transform(paths)


def test_folds_and_shares_that_cannot_be_are_named():
    """3 reals make no 5 folds with a real in each."""
    y = np.r_[np.ones(3), np.zeros(50)]
    with pytest.raises(BadSpec, match="5 folds need as many reals"):
        list(RealsOnly(5).split(np.zeros((53, 1)), y))
    with pytest.raises(BadSpec, match="whole number from 2"):
        RealsOnly(2.5)
    with pytest.raises(BadSpec, match="seed"):
        RealsOnly(2, seed=-1)
    with pytest.raises(BadSpec, match="contamination"):
        Typical(contamination="auto").fit(np.zeros((30, 1)))
