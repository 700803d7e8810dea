"""The picture-evaluator-context model: against another implementation, and in simulation."""

import numpy as np
import pytest
from people_samples import votes

from giqa.errors import BadShape, NotFitted
from giqa.votes.mixed_model import PeopleModel


def simulated(n_images=300, n_raters=40, per=5, sd=(1.0, 0.7, 0.6), seed=0, contexts=6):
    rng = np.random.default_rng(seed)
    i = np.repeat(np.arange(n_images), per)
    r = np.concatenate([rng.choice(n_raters, per, replace=False) for _ in range(n_images)])
    c = r % contexts
    effects = [rng.normal(0, s, n) for s, n in zip(sd, (n_images, n_raters, contexts), strict=True)]
    p = 1 / (1 + np.exp(0.4 - effects[0][i] - effects[1][r] - effects[2][c]))
    name = [f"i{x:04d}" for x in i], [f"r{x:03d}" for x in r]
    return votes(*name, rng.random(len(i)) < p, context=[f"c{x}" for x in c]), effects


def test_penalised_fit_is_that_of_logistic_regression():
    """All three standard deviations fixed to .8: ridge regression with C = .64 and a free intercept."""
    linear = pytest.importorskip("sklearn.linear_model")
    made, _ = simulated(n_images=40, n_raters=12)
    columns = [np.unique(names, return_inverse=True)[1] for names in (made.image, made.rater, made.context)]
    design = np.concatenate([np.eye(column.max() + 1)[column] for column in columns], axis=1)
    theirs = linear.LogisticRegression(C=0.64, tol=1e-10, max_iter=5000).fit(design, made.said_real)
    ours = PeopleModel(sd=(0.8, 0.8, 0.8), tolerance=1e-9).fit(made)
    assert np.r_[ours.picture_, ours.evaluator_, ours.context_] == pytest.approx(theirs.coef_[0], abs=1e-4)
    assert ours.mean_ == pytest.approx(theirs.intercept_[0], abs=1e-4)


def test_the_variance_of_pictures_is_a_fixed_point_of_em():
    """One more step, with the other effects as they are: a fine sum over each effect in place of Gauss-Hermite."""
    made, _ = simulated(n_images=60, n_raters=12)
    model = PeopleModel(tolerance=1e-6, most=500).fit(made)
    item, rater, context = (np.unique(n, return_inverse=True)[1] for n in (made.image, made.rater, made.context))
    others = model.evaluator_[rater] + model.context_[context] + model.mean_
    effect, sd = np.linspace(-8, 8, 801), model.sd_["picture"]
    signs = np.where(made.said_real, 1, -1)[:, None]
    votes_of = np.zeros((60, 801))
    np.add.at(votes_of, item, -np.logaddexp(0, -signs * (others[:, None] + effect)))
    posterior = np.exp(votes_of - effect**2 / (2 * sd**2))
    posterior /= posterior.sum(axis=1, keepdims=True)
    assert sd**2 == pytest.approx((posterior @ effect**2).mean(), rel=1e-3)


def test_standard_errors_are_those_of_the_whole_matrix():
    """Eliminating the pictures first gives the diagonal of the inverse of the full curvature."""
    made, _ = simulated(n_images=30, n_raters=8)
    model = PeopleModel(sd=(0.8, 0.7, 0.6), tolerance=1e-10).fit(made)
    columns = [np.unique(names, return_inverse=True)[1] for names in (made.image, made.rater, made.context)]
    design = np.concatenate([*(np.eye(c.max() + 1)[c] for c in columns), np.ones((len(made), 1))], axis=1)
    effects = np.r_[model.picture_, model.evaluator_, model.context_, model.mean_]
    p = 1 / (1 + np.exp(-design @ effects))
    ridge = np.repeat([0.8**-2, 0.7**-2, 0.6**-2, 0], [c.max() + 1 for c in columns] + [1])
    whole = np.linalg.inv(design.T @ (design * (p * (1 - p))[:, None]) + np.diag(ridge))
    assert model.picture_error_ == pytest.approx(np.sqrt(np.diag(whole))[:30], rel=1e-5)


def test_known_effects_are_found():
    made, (picture, evaluator, context) = simulated(per=20)
    model = PeopleModel().fit(made)
    assert model.sd_["picture"] == pytest.approx(1.0, abs=0.15)
    assert model.sd_["evaluator"] == pytest.approx(0.7, abs=0.2)
    assert np.corrcoef(model.picture_, picture)[0, 1] > 0.85
    of = np.arange(40) % 6  # each evaluator judged in one context: only the sum of both is sure
    assert np.corrcoef(model.evaluator_ + model.context_[of], evaluator + context[of])[0, 1] > 0.95
    assert np.corrcoef(model.context_, context)[0, 1] > 0.8


def test_intervals_cover():
    """Five votes a picture: nine of ten intervals of p at least hold the truth."""
    held = []
    for seed in range(4):
        made, (picture, *_) = simulated(seed=seed, sd=(1.0, 0.5, 0.0001))
        _, low, high = PeopleModel().fit(made).p_real()
        p = 1 / (1 + np.exp(0.4 - picture))
        held.append(np.mean((low <= p) & (p <= high)))
    assert np.mean(held) > 0.88


def test_a_lenient_evaluator_does_not_make_a_picture_good():
    """Half of the pictures are seen by people who call nearly all real; the shares say so, the model does not."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(200):
        lenient = i % 2
        crowd = range(20, 40) if lenient else range(20)
        for r in [*rng.choice(list(crowd), 5, replace=False), *rng.choice(range(40, 50), 2, replace=False)]:
            rows.append((f"i{i:03d}", f"r{r}", rng.random() < (0.85 if 20 <= r < 40 else 0.4)))
    made = votes(*zip(*rows, strict=True))
    model = PeopleModel().fit(made)
    share = made.counts()
    gap = np.subtract(*[(share.n_real / share.n)[at::2].mean() for at in (1, 0)])
    p = model.p_real()[0]
    assert gap > 0.25 and abs(p[1::2].mean() - p[0::2].mean()) < 0.12


def test_context_moves_the_probability():
    made, _ = simulated(per=20)
    model = PeopleModel().fit(made)
    best = str(model.contexts_[np.argmax(model.context_)])
    assert np.all(model.p_real(best)[0] > model.p_real()[0])
    with pytest.raises(BadShape, match="context"):
        model.p_real("nowhere")


def test_it_wants_votes_of_both_kinds_and_a_fit():
    with pytest.raises(BadShape, match="both kinds"):
        PeopleModel().fit(votes(["a", "b"], ["r", "r"], [1, 1]))
    with pytest.raises(NotFitted):
        PeopleModel().p_real()
