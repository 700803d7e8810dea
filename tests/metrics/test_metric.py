import numpy as np
import pytest

from giqa import registry
from giqa.errors import BadShape, BadSpec
from giqa.metrics.frechet import frechet_distance
from giqa.metrics.inception import inception_score
from giqa.metrics.neighbours import nearest_others
from giqa.metrics.prdc import ENOUGH, Balls, OfNeighbours, Precision, Recall, neighbourhoods
from giqa.metrics.together import Together, evaluate

ABOUT_QUALITY = ("qs", "precision", "density")
ABOUT_DIVERSITY = ("ds", "recall", "coverage", "vendi")
DISTANCES = ("fd", "fd_infinity", "kd", "cmmd")


@pytest.fixture(scope="module")
def sets():
    """Reals in four modes, as good fakes, noisy ones, and ones that lost three of the modes."""
    rng = np.random.default_rng(0)
    modes = np.array([[8, 0, 0, 0], [0, 8, 0, 0], [0, 0, 8, 0], [0, 0, 0, 8.0]])

    def draw(which, n):
        return (modes[which[rng.integers(len(which), size=n)]] + rng.normal(size=(n, 4))).astype(np.float32)

    every = np.arange(4)
    good = draw(every, 300)
    return {
        "real": draw(every, 300),
        "good": good,
        "noisy": good + 3 * rng.normal(size=good.shape).astype(np.float32),
        "collapsed": draw(every[:1], 300),
    }


@pytest.mark.parametrize("name", [name for name in registry.BUILTIN["metric"] if name != "inception_score"])
def test_every_metric_points_the_right_way(sets, name):
    """Noise lowers quality, collapse lowers diversity, both lengthen distances; the better set is the good one."""
    metric = registry.make("metric", name)
    good, noisy, collapsed = (metric(sets["real"], sets[which]) for which in ("good", "noisy", "collapsed"))
    assert isinstance(good, float)
    if metric.about == "quality":
        assert name in ABOUT_QUALITY and noisy < good
    elif metric.about == "diversity":
        assert name in ABOUT_DIVERSITY and collapsed < good
    elif metric.is_distance:
        assert name in DISTANCES and good < noisy and good < collapsed
    assert metric.is_distance == (name in DISTANCES)


def test_identical_sets_are_perfect():
    """Distances 0, shares and density 1, nothing authentic, and QS that of held-out reals."""
    x = np.random.default_rng(3).normal(size=(300, 4)).astype(np.float32)
    names = ("fd", "kd", "cmmd", "precision", "recall", "density", "coverage", "authenticity")
    found = dict(zip(names, evaluate([registry.make("metric", name) for name in names], x, x.copy()), strict=True))
    assert found["fd"] == found["cmmd"] == 0
    assert found["kd"] < 0  # unbiased: a picture counts as its own neighbour across the sets and not within them
    assert [found[name] for name in names[3:]] == [1, 1, 1, 1, 0]


def test_quality_does_not_see_collapse_and_recall_does(sets):
    """QS of a collapsed generator is as high as ever: that is what DS and recall are for."""
    for name, falls in {"qs": False, "precision": False, "ds": True, "recall": True}.items():
        metric = registry.make("metric", name)
        good, collapsed = (metric(sets["real"], sets[which]) for which in ("good", "collapsed"))
        assert (collapsed < good - 0.25) == falls, name


def test_evaluate_gives_each_its_own(sets, monkeypatch):
    """The same numbers as one at a time; neighbourhoods once for each k, and none for a metric that any k will do."""
    specs = ("fd", "precision", "recall(k=3)", "density", "kd(subsets=3)", "authenticity", "vendi")
    metrics = [registry.make("metric", spec) for spec in specs]
    alone = [m(sets["real"], sets["noisy"]) for m in metrics]
    made = []
    monkeypatch.setattr("giqa.metrics.together.Balls", lambda real, k: made.append(k) or Balls(real, k))
    assert evaluate(metrics, sets["real"], sets["noisy"]).tolist() == alone
    assert sorted(made) == [3, 5]


def test_what_one_set_decides_alone_is_computed_once(sets, monkeypatch):
    """Against the same reals and with the same fakes, the same numbers as anew; balls once for each set of reals."""
    metrics = [registry.make("metric", name) for name in ("fd", "kd", "ds", "precision", "coverage", "vendi")]
    noisy, good = sets["noisy"], sets["good"]
    few = sets["real"][20:]
    made, known = [], {}
    monkeypatch.setattr("giqa.metrics.together.Balls", lambda real, k: made.append(len(real)) or Balls(real, k))
    together = Together(metrics, known)
    found = [together(real, fake).tolist() for fake in (noisy, good) for real in (sets["real"], few, few.copy())]
    found.append(Together(metrics, known)(few, good).tolist())
    fresh = [[m(real, fake) for m in metrics] for fake in (noisy, good) for real in (sets["real"], few)]
    assert found == [fresh[0], fresh[1], fresh[1], fresh[2], fresh[3], fresh[3], fresh[3]]
    assert made == [len(sets["real"]), len(few)]


def test_trouble_is_named_where_there_is_any():
    """FD with fewer pictures than columns, neighbourhoods of unequal or small sets; none where sets are large."""
    fd, precision, kd = (registry.make("metric", name) for name in ("fd", "precision", "kd"))
    assert "mostly bias" in fd.trouble(64, 64, 1280) and "biased upwards" in fd.trouble(3000, 3000, 2048)
    assert fd.trouble(50_000, 50_000, 2048) == kd.trouble(64, 64, 1280) == precision.trouble(ENOUGH, ENOUGH, 9) == ""
    assert "500 reals and 400 fakes are not equally many" in precision.trouble(500, 400, 9)
    assert "coarse" in precision.trouble(64, 64, 9)
    assert "no line" in registry.make("metric", "fd_infinity").trouble(1000, 1000, 512)
    assert "5 pictures" not in registry.make("metric", "ds").trouble(1000, 1000, 9)
    assert "32 pictures each" in registry.make("metric", "ds").trouble(64, 64, 9)


def test_neighbour_metrics_say_what_they_are_a_share_of():
    assert (Precision().share_of, Recall().share_of) == ("fake", "real")
    assert issubclass(Precision, OfNeighbours) and Precision(k=3) == Precision(k=3)


def test_a_foreign_metric_is_completed_once():
    """A copy with the defaults of what it lacks; what it says of itself stays, and its class too."""

    class Own:
        is_distance = True

        def __call__(self, real, fake):
            return 1.0

    own = Own()
    made = registry.complete("metric", own)
    assert type(made) is Own and made.is_distance and made.ranks and made.by_size and made.share_of is None
    assert made.trouble(5, 5, 2) == "" and made(None, None) == 1.0 and not hasattr(own, "by_size")
    ours = [registry.make("metric", name) for name in ("fd", "qs", "ds")]
    assert all(registry.complete("metric", metric) is metric for metric in ours)


def test_wrong_rows_and_numbers_are_named():
    """Rows of different length, True for a number, and a seed below 0 are errors of giqa's own."""
    x = np.arange(12.0).reshape(6, 2) ** 2
    with pytest.raises(BadShape, match="differ in length"):
        frechet_distance([[1, 2], [3]], x)
    with pytest.raises(BadShape, match="numeric array"):
        nearest_others(np.zeros(4), 1)
    with pytest.raises(BadSpec, match="k is a whole number"):
        neighbourhoods(x, x, k=True)
    for wrong in (-1, "a", None, 1.5):
        with pytest.raises(BadSpec, match="seed"):
            inception_score(x, splits=2, seed=wrong)
