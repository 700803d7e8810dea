"""The model of votes, pairs and ratings on columns whose truth is known."""

import numpy as np
import pytest

from giqa.errors import BadShape, NotFitted
from giqa.scorers.judgement_search import Choice, Search, folds_of_groups
from giqa.scorers.judgements import JudgementModel, family_of
from giqa.stats import PairLikelihood, RatingLikelihood, VoteLikelihood, sigmoid
from giqa.types import Features

N = 120


@pytest.fixture(autouse=True, scope="module")
def few_penalties():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("giqa.scorers.judgement_search.PENALTIES", (1000.0, 30.0, 1.0))
        yield


@pytest.fixture(scope="module")
def world():
    """Features of 120 pictures, and t, the first column of family "pooled"."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 5))
    layers = {"pooled:a": x, "size": rng.normal(size=(N, 2)), "mid.distance": np.abs(rng.normal(size=(N, 1)))}
    return Features(tuple(map(str, range(N))), layers), 1.5 * x[:, 0]


def judged(t, seed=1):
    rng = np.random.default_rng(seed)
    left = rng.integers(N, size=500)
    right = (left + rng.integers(1, N, size=500)) % N
    wins = rng.binomial(3, sigmoid(t[left] - t[right])).astype(float)
    felt = t[:, None] + rng.logistic(size=(N, 6))
    given = np.stack([(np.digitize(felt, [-2, 0, 2]) == k).sum(axis=1) for k in range(4)], axis=1).astype(float)
    return {
        "votes": VoteLikelihood(np.arange(N), rng.binomial(4, sigmoid(t - 0.5)).astype(float), np.full(N, 4.0)),
        "pairs": PairLikelihood(left, right, wins, np.full(500, 3.0)),
        "ratings": RatingLikelihood(np.arange(N), given),
    }


def truth(kind, t):
    if kind == "ratings":
        return 1 + sum(sigmoid(t - cut) for cut in (-2, 0, 2))
    return sigmoid(t - 0.5) if kind == "votes" else sigmoid(t - t.mean())


@pytest.mark.parametrize("kind", ["votes", "pairs", "ratings"])
def test_what_people_say_is_found(world, kind):
    """The right family is among those chosen; values follow the truth, and most intervals hold it."""
    x, t = world
    model = JudgementModel().fit(x, {kind: judged(t)[kind]})
    value, low, high = model.predict(x)[kind]
    assert "pooled" in model.choice_.families and model.gain_ > 0.05
    assert np.corrcoef(value, truth(kind, t))[0, 1] > 0.95
    assert np.mean((low <= truth(kind, t)) & (truth(kind, t) <= high)) > 0.9
    assert ((low < value) & (value < high)).all()


def test_kinds_together_say_more_than_one(world):
    """All three share t; a picture is as far from the typical one for all of them."""
    x, t = world
    model = JudgementModel(resamples=0).fit(x, judged(t))
    assert np.corrcoef(model.score_samples(x), t)[0, 1] > 0.97
    assert model.units_.min() > 0.7 and model.units_.max() < 1.5  # they were made with one unit
    assert np.isnan(model.predict(x)["pairs"][1]).all()


def test_the_typical_picture_is_a_half(world):
    """A picture with the mean of every column is preferred to the typical one half the time; NaN counts as typical."""
    x, t = world
    model = JudgementModel(resamples=0).fit(x, {"pairs": judged(t)["pairs"]})
    logged = np.log1p(x.layers["mid.distance"]).mean(axis=0)
    layers = {
        "pooled:a": x.layers["pooled:a"].mean(axis=0),
        "size": np.full(2, np.nan),
        "mid.distance": np.expm1(logged),
    }
    typical = Features(("typical",), {name: layer[None] for name, layer in layers.items()})
    assert model.predict(typical)["pairs"][0][0] == pytest.approx(0.5, abs=0.01)
    assert np.mean(model.score_samples(x)) == pytest.approx(0, abs=1e-9)


def test_a_file_gives_the_same_bits(world):
    x, t = world
    model = JudgementModel().fit(x, judged(t), np.arange(N) % 8)
    assert model.names_ == (*(f"pooled:a.{i}" for i in range(5)), "size.0", "size.1", "mid.distance")
    arrays, header = model.record()
    again = JudgementModel.restored(arrays, header)
    for kind, values in model.predict(x).items():
        assert all((one == other).all() for one, other in zip(values, again.predict(x)[kind], strict=True))


def test_groups_with_levels_of_their_own_are_compared_within(world):
    """Groups whose levels are rated high where the column is low: within a group a higher column is rated higher."""
    x = world[0].layers["pooled:a"][:, :1]
    groups = np.arange(N) % 10
    level = np.linspace(-6, 6, 10)[groups]
    ratings = judged(1.5 * x[:, 0] + level)["ratings"]
    search = Search(x - level[:, None], np.array(["pooled"]), [ratings], groups, groups)
    weights = []
    for centred in (False, True):
        space = search.space(Choice(("pooled",), centred, 1.0))
        weights.append(space.weights(search.fit(space, [ratings], 1.0).w)[0])
    assert weights[0] < 0 < weights[1] and weights[1] == pytest.approx(1.5, abs=0.3)


def test_noise_teaches_nothing(world):
    x, _ = world
    model = JudgementModel(resamples=0).fit(x, judged(np.zeros(N)))
    assert model.gain_ < 0.01 and np.ptp(model.predict(x)["pairs"][0]) < 0.2


def test_what_cannot_be_learned_or_asked(world):
    x, t = world
    with pytest.raises(BadShape, match="needs 20 pictures"):
        JudgementModel().fit(x.rows(slice(5)), {"votes": VoteLikelihood(np.arange(5), np.ones(5), np.full(5, 2.0))})
    with pytest.raises(NotFitted, match="Call fit"):
        JudgementModel().predict(x)
    model = JudgementModel(resamples=0).fit(x, {"pairs": judged(t)["pairs"]})
    with pytest.raises(BadShape, match="was fitted on pooled:a"):
        model.predict(Features(x.ids, {"size": x.layers["size"]}))


def test_families_and_folds():
    assert [family_of(n) for n in ("mid.distance", "high.z", "pooled:a", "size", "nss(scales=2):nss")] == [
        "layers", "layers", "pooled", "size", "nss(scales=2)",
    ]  # fmt: skip
    folds = folds_of_groups(np.repeat(np.arange(8), 3), np.random.default_rng(0))
    assert sorted(folds[::3]) == list(range(8)) and (folds.reshape(8, 3) == folds[::3, None]).all()
    assert len(np.unique(folds_of_groups(np.arange(40), np.random.default_rng(0)))) == 5
