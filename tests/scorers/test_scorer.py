"""What a scorer may offer, and any other scorer without each fold."""

import numpy as np
import pytest

from giqa import registry
from giqa.errors import NotFitted
from giqa.scorers import KNN, BaseScorer, Folded
from giqa.types import Features


class Plain:
    """As a user writes it."""

    def fit(self, x):
        self.centre = x.mean(axis=0)
        return self

    def score_samples(self, x):
        return -np.linalg.norm(x - self.centre, axis=1)


@pytest.mark.parametrize("name", list(registry.BUILTIN["scorer"]))
def test_every_built_in_scorer_is_complete(name):
    """It has everything that a scorer may offer."""
    scorer = registry.make("scorer", name)
    assert isinstance(scorer, BaseScorer)
    assert scorer.chosen() == {} if type(scorer).chosen is BaseScorer.chosen else True


def test_a_plain_scorer_is_folded():
    """Fitted on all reals and without each fold; features may be named layers."""
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    folds = np.arange(20) % 4
    named = Features(tuple(map(str, range(20))), {"features": x})
    scorer = Folded(Plain()).fit(named, folds=folds)
    for f in range(4):
        assert scorer.score_folds(x)[:, f] == pytest.approx(Plain().fit(x[folds != f]).score_samples(x))
    assert scorer.held_out_ == pytest.approx(scorer.score_folds(x)[np.arange(20), folds])
    assert scorer.layer_names(["features"]) == [] and [type(part) for part in scorer.blank_parts(2)] == [Plain, Plain]


class Folding(Plain):
    """It holds out folds, and offers nothing else."""

    def score_folds(self, x):
        return np.stack([self.score_samples(x), self.score_samples(x) + 1], axis=1)


def test_a_scorer_of_a_third_party_is_completed_once():
    """A copy with the defaults of what it lacks; its class, and the object that was given, stay as they are."""
    given, x = Folding().fit(np.eye(2)), np.array([[1.5, 0.5], [4.5, 4.5]])
    made = registry.make("scorer", given)
    assert type(made) is Folding and made.default_extractor is None and made.chosen() == {}
    assert made.layer_names(["a"]) == [] and "chosen" not in vars(given)
    scores, deviations = made.score_with_deviation(x)  # (F - 1) / F of the sum of squares about the mean of the folds
    assert scores.tolist() == made.score_samples(x).tolist() and deviations == pytest.approx([0.5, 0.5])
    assert registry.make("scorer", "knn", k=3).k == 3 and registry.complete("scorer", made) is not given


def test_before_fit_is_an_error_that_names_the_remedy():
    with pytest.raises(NotFitted, match="Call fit"):
        KNN().score_samples(np.zeros((2, 2)))
