import numpy as np
import pytest

from giqa.errors import BadShape, BadSpec
from giqa.train.ohem import RunningQuantile, ohem_weights


def test_weights_are_the_papers():
    """w_l where the quality is lower than T_q, 1 elsewhere; T_q itself is not lower; no score, no weight."""
    scores = np.array([-5, 0.1999, 0.2, 0.7, np.nan, -np.inf])
    assert ohem_weights(scores).tolist() == [2, 2, 1, 1, 1, 2]
    assert ohem_weights(scores, threshold=0.5, weight=4.0).tolist() == [4, 4, 4, 1, 1, 4]


def test_mean_one_changes_the_distribution_and_not_the_size_of_the_loss():
    """Two of five weigh 3: 1 * 3/9 and 3 * 5/9 of a mean of 9/5."""
    weights = ohem_weights(np.array([0.0, 0.1, 1, 1, 1]), weight=3.0, mean_one=True)
    assert weights == pytest.approx([5 / 3, 5 / 3, 5 / 9, 5 / 9, 5 / 9]) and weights.mean() == pytest.approx(1)


def test_weight_must_make_sense():
    with pytest.raises(BadSpec, match="0 or more, got -1"):
        ohem_weights(np.zeros(2), weight=-1)


@pytest.mark.parametrize("weight", [1.0, 2.0])
def test_gradient_is_the_weighted_one(weight):
    """d/dx of mean(w f(x)) is w f'(x) / n, here f = softplus, f' = sigmoid; the scores get no gradient."""
    torch = pytest.importorskip("torch")
    logits = torch.tensor([-1.0, 0.0, 2.0, 3.0], requires_grad=True)
    scores = torch.tensor([0.0, 0.5, 0.1, 0.9], requires_grad=True)
    weights = ohem_weights(scores, weight=weight)
    assert weights.dtype == torch.float32 and not weights.requires_grad
    (weights * torch.nn.functional.softplus(logits)).mean().backward()
    sigmoid = 1 / (1 + np.exp(-np.array([-1.0, 0.0, 2.0, 3.0])))
    assert logits.grad.numpy() == pytest.approx(np.array([weight, 1, weight, 1]) * sigmoid / 4, rel=1e-6)
    assert scores.grad is None


@pytest.mark.parametrize("mean_one", [False, True])
def test_weight_one_is_the_plain_loss_bit_for_bit(mean_one):
    """At w_l = 1 nothing changes: neither the loss nor its gradient."""
    torch = pytest.importorskip("torch")
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(64, generator=generator)
    scores = torch.rand(64, generator=generator)
    found = []
    for weigh in (lambda: ohem_weights(scores, weight=1.0, mean_one=mean_one), lambda: 1):
        logits = values.clone().requires_grad_()
        loss = (weigh() * torch.nn.functional.softplus(logits)).mean()
        loss.backward()
        found.append((loss.detach(), logits.grad))
    assert torch.equal(found[0][0], found[1][0]) and torch.equal(found[0][1], found[1][1])


def test_threshold_is_the_quantile_of_the_last_scores():
    """Of 0..9 a fifth, two scores, lie below 2; when 100..109 follow in a window of ten, below 102."""
    quantile = RunningQuantile(q=0.2, window=10, fewest=10)
    assert quantile.update(np.arange(9.0)) == -np.inf
    assert quantile.update(np.array([9.0])) == 2
    assert (np.arange(10.0) < quantile.threshold).sum() == 2
    assert quantile.update(np.arange(100.0, 110)) == 102


def test_nothing_is_weighted_before_the_threshold_is_known():
    assert ohem_weights(np.array([-1e9, 0]), RunningQuantile().threshold).tolist() == [1, 1]


def test_batches_do_not_matter_and_missing_scores_neither():
    scores = np.random.default_rng(0).normal(size=300)
    whole, parts = RunningQuantile(fewest=1), RunningQuantile(fewest=1)
    whole.update(scores)
    for part in np.split(scores, 30):
        parts.update(np.r_[part, np.nan])
    assert parts.threshold == whole.threshold


def test_tensors_are_taken_too():
    torch = pytest.importorskip("torch")
    quantile = RunningQuantile(q=0.5, fewest=2)
    assert quantile.update(torch.tensor([[1.0], [3.0]], requires_grad=True)) == 3


def test_a_restored_one_goes_on_as_the_first():
    rng = np.random.default_rng(0)
    first = RunningQuantile(window=50, fewest=1)
    first.update(rng.normal(size=70))
    second = RunningQuantile(window=50, fewest=1)
    second.restore(first.state())
    more = rng.normal(size=20)
    assert first.update(more) == second.update(more)
    with pytest.raises(BadShape, match="scores"):
        second.restore({"recent": np.zeros((2, 2))})


@pytest.mark.parametrize("wrong", [{"q": 0}, {"q": 1.0}, {"window": 0}, {"fewest": 0}])
def test_parameters_must_make_sense(wrong):
    with pytest.raises(BadSpec, match="RunningQuantile takes"):
        RunningQuantile(**wrong)


def test_weights_that_are_all_0_are_not_divided_by_their_mean():
    assert ohem_weights(np.array([0.1, 0.1]), weight=0, mean_one=True).tolist() == [0, 0]
    assert ohem_weights(np.array([]), mean_one=True).tolist() == []
