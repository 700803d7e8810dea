"""Every registered metric keeps the contract, and each broken promise is seen."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from giqa import registry
from giqa.metrics.frechet import frechet_distance
from giqa.testing import BrokenPromise, check_metric

BY_POSITION = {"kd(subsets=3, size=50)", "inception_score(splits=3)"}  # they draw subsets by position


@pytest.mark.parametrize("spec", [*registry.BUILTIN["metric"], *sorted(BY_POSITION)])
def test_every_metric_keeps_it(spec):
    check_metric(lambda: registry.make("metric", spec), order=spec not in BY_POSITION)


@pytest.mark.parametrize("spec", registry.BUILTIN["metric"])
def test_no_bit_depends_on_the_number_of_threads(spec):
    """One thread of BLAS and two, on sets of several blocks."""
    rng, found = np.random.default_rng(0), []
    real, fake = rng.normal(size=(2500, 6)), rng.normal(0.3, 1, (2500, 6))
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            found.append(registry.make("metric", spec)(real, fake))
    assert found[0] == found[1]


class Good:
    def __init__(self, power=1):
        self.power = power

    def __call__(self, real, fake):
        return frechet_distance(real, fake) ** self.power


class Forgetful(Good):
    def __init__(self, power=1):
        pass


class Array(Good):
    def __call__(self, real, fake):
        return np.ones(2)


class Writes(Good):
    def __call__(self, real, fake):
        fake += 1
        return 1.0


class Changes(Good):
    def __call__(self, real, fake):
        self.power += 1
        return 1.0


class Random(Good):
    def __call__(self, real, fake):
        return float(np.random.default_rng().normal())


class First(Good):
    def __call__(self, real, fake):
        return float(real[0, 0])


class Stale(Good):
    def against(self, real):
        return lambda fake: self(real, fake[: len(fake) // 2])


class Deaf(Good):
    def __call__(self, real, fake):
        return 1.0


@pytest.mark.parametrize(
    ("metric", "says"),
    [
        (Forgetful, "stored under their own names"), (Array, "one finite float"), (Writes, "left as they were"),
        (Changes, "no parameter changes"), (Random, "the same number again"), (First, "order of the pictures"),
        (Deaf, "not finite"), (Stale, "against"),
    ],
)  # fmt: skip
def test_each_broken_promise_is_seen(metric, says):
    check_metric(Good)
    with pytest.raises(BrokenPromise, match=says):
        check_metric(metric)
