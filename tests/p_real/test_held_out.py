"""Held-out figures: folds that keep groups whole, likelihoods by hand, and models that had not seen the picture."""

import numpy as np
import pytest

from giqa.p_real.held_out import fold_of, held_out_figures, held_out_p, nats
from giqa.p_real.votes import Judged
from giqa.types import Features
from giqa.votes.labels import Counts


def judged(votes, real, group=None, generator=None):
    n = len(votes)
    names = np.array([f"{i:03d}.png" for i in range(n)])
    made = np.full(n, "") if generator is None else np.asarray(generator)
    votes, real = np.asarray(votes, float), np.asarray(real, float)
    labels = Counts(names, votes, real, made, np.full(n, "generated"), np.full(n, ""))
    group = np.arange(n) if group is None else np.asarray(group)
    return Judged("votes.csv", names, np.arange(n), votes, real, group, made, (), labels)


class Recorder:
    """Says which rows it was fitted on, and answers with the share of real votes there."""

    seen: list

    def fit(self, x, y, groups):
        self.share = y[:, 1].sum() / y[:, 0].sum()
        Recorder.seen.append(set(x.ids))
        return self

    def p_real(self, x):
        assert not Recorder.seen[-1] & set(x.ids)
        return (np.full(len(x), self.share),) * 3


def features(n):
    return Features(tuple(f"{i:03d}.png" for i in range(n)), {"mid.distance": np.arange(1.0, n + 1)[:, None]})


def test_groups_stay_whole_and_folds_leave_enough():
    groups = np.repeat(np.arange(30), 2)
    folds = fold_of(groups)
    assert len(np.unique(folds)) == 5 and all(len(set(folds[groups == g])) == 1 for g in range(30))
    for n in (21, 22, 26, 40):
        folds = fold_of(np.arange(n))
        assert n - np.bincount(folds).max() >= 20
    assert fold_of(np.arange(20)) is None and fold_of(np.zeros(50, int)) is None


def test_nobody_judges_what_it_has_seen():
    """Five folds of 60 pictures; the constant answer is the share of the other folds."""
    Recorder.seen = []
    told = judged(np.full(60, 2), np.arange(60) % 3)
    folds = fold_of(told.group)
    p, constant = held_out_p(Recorder, features(60), told, folds)
    assert len(Recorder.seen) == 5 and np.array_equal(p, constant)
    out = folds == folds[0]
    assert constant[0] == pytest.approx(told.real[~out].sum() / (2 * (~out).sum()))


def test_likelihoods_by_hand():
    """Two votes, one real, at .5; one vote, real, at .8: (2 log .5 + log .8) / 3."""
    found = nats(np.array([0.5, 0.8]), np.array([0.5, 0.5]), judged([2, 1], [1, 1]))
    assert found["log-likelihood"].value == pytest.approx((2 * np.log(0.5) + np.log(0.8)) / 3)
    assert found["log-likelihood, constant answer"].value == pytest.approx(np.log(0.5))
    assert found["log-likelihood, gain"].value == pytest.approx(np.log(0.8 / 0.5) / 3)


def test_generators_are_left_out_when_they_are_named():
    Recorder.seen = []
    told = judged(np.full(60, 3), np.arange(60) % 4, generator=np.repeat(["a", "b"], 30))
    found = held_out_figures(Recorder, features(60), told)
    assert {"held_out", "calibration", "other_generators"} == set(found)
    assert Recorder.seen[-2] == set(features(60).ids[30:]) and Recorder.seen[-1] == set(features(60).ids[:30])
    assert found["other_generators"]["log-likelihood"]["n"] == 60
    assert "other_generators" not in held_out_figures(Recorder, features(60), judged(np.full(60, 3), np.arange(60) % 4))


def test_too_few_pictures_say_nothing():
    assert held_out_figures(Recorder, features(20), judged(np.full(20, 3), np.arange(20) % 4)) == {"held_out": {}}
