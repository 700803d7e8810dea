"""The interval over evaluators and pictures, against what was simulated."""

import numpy as np
import pytest
from people_samples import votes

from giqa.votes.crossed_error import crossed_error
from giqa.votes.hype import hype
from giqa.votes.sittings import sittings


def test_crossed_interval_covers_other_pictures_too():
    """Pictures that differ a lot, judged by all: the interval over evaluators alone misses the generator's error."""
    held = {"people": 0, "both": 0}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        p = np.r_[rng.beta(0.5, 0.5, 25), np.zeros(25)]  # 25 fakes, half of them taken for real on average; 25 reals
        said = rng.random((15, 50)) < np.where(np.arange(50) < 25, p, 1.0)
        image, rater = np.meshgrid(np.arange(50), np.arange(15))
        kind = np.where(image.ravel() < 25, "generated", "real")
        made = votes(
            [f"i{i}" for i in image.ravel()], [f"r{r}" for r in rater.ravel()], said.ravel(), kind=kind,
            generator=np.where(kind == "real", "", "g"),
        )  # fmt: skip
        over_people = hype(sittings(made), 500, interval="paper")[0].error
        over_both = crossed_error(made, "g", 500)
        assert over_both.value == pytest.approx(over_people.value)
        held["people"] += over_people.low <= 0.25 <= over_people.high
        held["both"] += over_both.low <= 0.25 <= over_both.high
    assert held["people"] <= 35 and held["both"] >= 55
