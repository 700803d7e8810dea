import sys
import types
from urllib.error import URLError

import numpy as np
import pytest

import giqa
from giqa import registry
from giqa.errors import BadShape, BadSpec, MissingExtra, MissingWeights
from giqa.features.extract import extract
from giqa.scorers.fixed import IQA as Scorer
from giqa.testing import check_extractor, check_scorer

torch = pytest.importorskip("torch")
from giqa.features.iqa import IQA  # noqa: E402  (without torch the whole file is skipped)


class Metric(torch.nn.Module):
    """What `pyiqa.create_metric` gives: called with (1, 3, h, w) from 0 to 1, one number, `lower_better`, weights."""

    def __init__(self, name, device, learned=2.0):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(learned))
        self.name, self.device, self.lower_better = name, device, name == "piqe"

    def forward(self, x):
        assert x.shape[:2] == (1, 3) and x.dtype == torch.float32 and x.min() >= 0 and x.max() <= 1
        assert min(x.shape[2:]) > 16, "list of patches is empty"
        assert not torch.is_grad_enabled()
        if self.name == "maniqa":  # random crops
            y, left = np.random.randint(x.shape[2] - 8), int(torch.randint(x.shape[3] - 8, (1,)))
            x = x[:, :, y : y + 8, left : left + 8]
        score = self.scale * x.mean().reshape(1, 1)
        return score / 0 if self.name == "broken" else score[0] if self.name == "piqe" else score


@pytest.fixture
def library(monkeypatch):
    """A stand-in for pyiqa: the part of its interface that is used."""
    made = types.ModuleType("pyiqa")
    made.__version__ = "0.1.16"
    made.list_models = lambda mode: {"NR": ["broken", "maniqa", "nima", "piqe", "wadiqam_nr"]}[mode]
    made.create_metric = lambda name, device=None, **options: Metric(name, device, **options)
    monkeypatch.setitem(sys.modules, "pyiqa", made)
    return made


def grey(level, height=20, width=24):
    return np.full((height, width, 3), level, np.uint8)


def test_score_is_what_the_metric_says_and_higher_is_better(library):
    """The stand-in's score is twice the mean from 0 to 1; of a metric where lower is better it is turned."""
    pictures = [grey(0), grey(51), grey(255)]
    assert IQA("nima")(pictures)["score"] == pytest.approx(np.array([[0], [0.4], [2]]))
    assert IQA("piqe")(pictures)["score"] == pytest.approx(np.array([[0], [-0.4], [-2]]))


@pytest.mark.parametrize("metric", ["nima", "maniqa"])
def test_contract(library, metric):
    """Also of a metric that looks at random crops; the user's own random numbers go on as they were."""
    before = np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    check_extractor(lambda: IQA(metric), sizes=((24, 24), (40, 29), (33, 61)))
    assert (np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before


def test_scorer_brings_its_extractor(library, toy, tmp_path):
    """z is read against the user's reals; the brighter picture scores higher; the model file says which metric."""
    model = giqa.fit(str(toy[0]), scorer="iqa(metric='wadiqam_nr')")
    assert model.extractor == "iqa(device='cpu', metric='wadiqam_nr')"
    scores = giqa.score(np.stack([grey(9, 32, 32), grey(250, 32, 32)]), model=model.save(tmp_path / "model.giqa"))
    assert scores.score == pytest.approx([18 / 255, 500 / 255]) and scores.z[0] < -2 < 2 < scores.z[1]
    check_scorer(lambda: Scorer("nima"), features=np.random.default_rng(0).normal(size=(240, 1)))
    with pytest.raises(BadShape, match="one number of the extractor iqa, got 3"):
        Scorer().fit(np.ones((20, 3)))


def test_other_weights_are_another_identity(library):
    """A feature store must not give the scores of one version of a network for another's."""
    first = IQA("nima").identity()
    assert first == IQA("nima").identity() and first["library"] == "pyiqa 0.1.16"
    library.create_metric = lambda name, device: Metric(name, device, learned=3.0)
    assert IQA("nima").identity()["weights_sha256"] != first["weights_sha256"]


def test_a_picture_that_cannot_be_judged_costs_one_row(library):
    done = extract([grey(7), grey(7, 16, 16)], "iqa(metric='nima')", store=False)
    assert len(done.features) == 1 and list(done.failures.values()) == [
        "pyiqa's nima cannot judge a picture of 16 x 16 pixels (AssertionError: list of patches is empty)"
    ]
    (reason,) = extract([grey(7)], "iqa(metric='broken')", store=False).failures.values()
    assert reason == "pyiqa's broken gives inf for a picture of 20 x 24 pixels"


def test_what_is_missing_is_said(library, monkeypatch):
    with pytest.raises(BadSpec, match=r"such as nima \(all: .*got 'nimaa'"):
        IQA("nimaa").identity()

    def offline(name, device):
        raise URLError("Name or service not known")

    library.create_metric = offline
    with pytest.raises(MissingWeights, match=r"no weights of nima here.*Name or service not known.*torch/hub/pyiqa"):
        IQA("nima")([grey(1)])
    monkeypatch.setitem(sys.modules, "pyiqa", None)  # as if it were not installed
    with pytest.raises(MissingExtra, match=r"needs pyiqa: pip install pyiqa .*Noncommercial"):
        IQA("nima").identity()
    assert registry.make("extractor", "iqa(metric='musiq')").metric == "musiq"  # naming it loads nothing
