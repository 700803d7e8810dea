"""Metrics of torchmetrics: equal to giqa's own and to those of other packages, whatever the batches and processes."""

import ast
import os
import runpy
import subprocess
import sys
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest

from giqa import registry
from giqa.compare import compare
from giqa.errors import BadShape, BadSpec
from giqa.features.embedded import Embedded
from giqa.model.fit import fit

torch = pytest.importorskip("torch")
torchmetrics = pytest.importorskip("torchmetrics")

from giqa.integrations.torchmetrics import QualityScore, SetMetric, ShareInRange  # noqa: E402

SCRIPT = Path(__file__).with_name("ddp_script.py")
rng = np.random.default_rng(1)
REAL, FAKE = rng.normal(size=(300, 16)).astype("f4"), rng.normal(0.5, 1.2, (200, 16)).astype("f4")


def filled(metric, real=REAL, fake=FAKE, batch=64):
    for part, is_real in ((real, True), (fake, False)):
        for some in torch.from_numpy(part).split(batch):
            metric.update(some, real=is_real)
    return metric


class Same(torch.nn.Module):
    """Features that are the "picture", as torchmetrics wants them."""

    num_features = 16

    def forward(self, x):
        return x[:, :, 0, 0]


def theirs(metric):
    """A metric of torchmetrics over the same features."""
    for part, is_real in ((REAL, True), (FAKE, False)):
        metric.update(torch.from_numpy(part)[:, :, None, None].double(), real=is_real)
    return metric.compute()


# --- equal to other packages


def test_fd_is_that_of_torchmetrics():
    """To 1e-4 of the value; theirs takes float64 sums and eigenvalues of a product."""
    other = torchmetrics.image.fid.FrechetInceptionDistance(
        feature=Same(), input_img_size=(16, 1, 1), normalize=True
    ).set_dtype(torch.float64)
    assert filled(SetMetric("fd")).compute().item() == pytest.approx(theirs(other).item(), rel=1e-4)


def test_kd_is_that_of_torchmetrics():
    """One subset of all pictures of theirs is the unbiased kernel distance of all pairs; to 1e-4."""
    from torchmetrics.image.kid import KernelInceptionDistance  # torchmetrics.image has it only with torch-fidelity

    other = KernelInceptionDistance(feature=Same(), subsets=1, subset_size=200, normalize=True)
    other.update(torch.from_numpy(REAL[:200])[:, :, None, None], real=True)
    other.update(torch.from_numpy(FAKE)[:, :, None, None], real=False)
    ours = filled(SetMetric("kd"), REAL[:200]).compute().item()
    assert ours == pytest.approx(other.compute()[0].item(), rel=1e-4, abs=1e-6)


@pytest.fixture
def fidelity(monkeypatch):
    """torch-fidelity, which CI keeps in the folder TORCH_FIDELITY.

    Where it is installed without a torchvision that fits torch, torchmetrics cannot be imported. Its metrics of
    features need nothing of torchvision, so a stand-in will do.
    """
    if where := os.environ.get("TORCH_FIDELITY"):
        monkeypatch.syspath_prepend(where)
        for name in ("torchvision", *(f"torchvision.{n}" for n in ("datasets", "transforms", "transforms.functional"))):
            monkeypatch.setitem(sys.modules, name, MagicMock())
    try:
        import torch_fidelity
    except Exception as error:  # it imports torchvision, which may be there and not fit torch
        pytest.skip(f"torch-fidelity cannot be imported ({error})")
    return torch_fidelity


def test_fd_and_kd_are_those_of_torch_fidelity(fidelity):
    """On shared features, to 1e-4."""
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric

    a, b = torch.from_numpy(FAKE), torch.from_numpy(REAL)
    found = fid_statistics_to_metric(fid_features_to_statistics(a), fid_features_to_statistics(b), False)
    fd = filled(SetMetric("fd")).compute().item()
    assert fd == pytest.approx(found["frechet_inception_distance"], rel=1e-4)
    found = kid_features_to_metric(a, b[:200], kid_subsets=1, kid_subset_size=200, verbose=False)
    kd = filled(SetMetric("kd"), REAL[:200]).compute().item()
    assert kd == pytest.approx(found["kernel_inception_distance_mean"], rel=1e-4, abs=1e-6)


def test_precision_and_recall_are_those_of_torch_fidelity(fidelity):
    """Which takes the generated set first; the same pictures count, so the shares are equal."""
    from torch_fidelity.metric_prc import prc_features_to_metric

    found = prc_features_to_metric(torch.from_numpy(FAKE), torch.from_numpy(REAL), prc_neighborhood=3, verbose=False)
    for name in ("precision", "recall"):
        ours = filled(SetMetric(f"{name}(k=3)")).compute().item()
        assert ours == pytest.approx(found[name], abs=1e-6)


@pytest.mark.parametrize("name", ["precision", "recall", "density", "coverage"])
def test_neighbourhoods_are_those_of_prdc(name):
    """prdc's own function, to a float32."""
    found = pytest.importorskip("prdc").compute_prdc(REAL, FAKE, nearest_k=5)
    assert filled(SetMetric(f"{name}(k=5)")).compute().item() == pytest.approx(found[name], abs=1e-6)


# --- equal to giqa's own


@pytest.mark.parametrize("name", sorted(registry.BUILTIN["metric"].keys() - {"qs", "inception_score", "fd_infinity"}))
def test_every_metric_is_the_one_of_its_name(name):
    assert filled(SetMetric(name)).compute().item() == pytest.approx(
        registry.make("metric", name)(REAL, FAKE), rel=1e-5
    )


def test_interval_is_that_of_compare():
    """For the same features, metrics and seed."""
    found = compare(REAL, {"it": FAKE}, metrics="qs,kd", scorer="sgm").generators[0].values
    model = fit(REAL, scorer="sgm")
    made = {"qs": QualityScore(model), "kd": SetMetric("kd")}
    for name, metric in made.items():
        estimate = filled(metric).interval()
        assert estimate.value == pytest.approx(found[name].value, rel=1e-6)
        assert (estimate.low, estimate.high) == pytest.approx(found[name].interval(), rel=0.4)  # other groups
        assert estimate.low < estimate.value < estimate.high


def test_share_and_qs_are_those_of_score():
    """Of reals about 0.95 are within the range; copies count in neither."""
    model = fit(REAL, scorer="sgm")
    scores = model.score(FAKE)
    share, qs = filled(ShareInRange(model)), filled(QualityScore(model))
    assert share.compute().item() == pytest.approx(scores.headline().within.value)
    assert qs.compute().item() == pytest.approx(scores.summary()["mean_z"], rel=1e-5)
    fresh = np.random.default_rng(5).normal(size=(400, 16)).astype("f4")
    found = filled(ShareInRange(model), fake=fresh).interval()
    assert 0.88 < found.value < 0.99 and found.low < 0.95 < found.high + 0.03 and found.n == 400


# --- pictures


def test_pictures_become_features_of_the_extractor_and_copies_are_left_out():
    """uint8 and floats alike; by default the layer that compare takes; a copy of a real does not count in QS."""
    rng = np.random.default_rng(0)
    pictures = torch.from_numpy(rng.integers(0, 256, (24, 3, 16, 16), dtype=np.uint8))
    metric = SetMetric("vendi")
    metric.update(pictures[:8], real=True)
    metric.update(pictures[8:].float() / 255, real=False)
    content = Embedded(layers="content")([p.numpy().transpose(1, 2, 0) for p in pictures[8:]])["content"]
    assert metric.compute().item() == pytest.approx(registry.make("metric", "vendi")(content, content), rel=1e-6)
    reals = np.ascontiguousarray(pictures[:22].numpy().transpose(0, 2, 3, 1))
    model = fit(reals, "statistics", "sgm", store=False)
    qs = QualityScore(model)
    qs.update(pictures[20:])  # two of these four are reals
    assert len(qs._rows()) == 4 and qs.interval().n == 2


def test_a_module_makes_the_features():
    metric = SetMetric("fd", Same())
    for part, real in ((REAL, True), (FAKE, False)):
        metric.update(torch.from_numpy(part)[:, :, None, None], real=real)
    assert metric.compute() == filled(SetMetric("fd")).compute()


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_wrong_pictures_are_named():
    with pytest.raises(BadSpec, match=r"2 of 2 pictures have no features; the first: .*\[0, 1\]"):
        SetMetric("fd").update(torch.full((2, 3, 8, 8), -1.0), real=True)
    with pytest.raises(BadShape, match=r"got the shape \(3, 8, 8\)"):
        SetMetric("fd").update(torch.zeros(3, 8, 8), real=True)
    with pytest.raises(BadShape, match="needs reals and fakes"):
        SetMetric("fd").compute()


# --- life of a metric


def test_reset_clone_collection_and_state():
    """Reals stay on request; a collection gives each its own; a metric can be copied and pickled."""
    import pickle

    model = fit(REAL, scorer="sgm")
    both = torchmetrics.MetricCollection({"fd": SetMetric("fd", reset_real_features=False), "qs": QualityScore(model)})
    both.persistent(True)
    filled(both)
    first = both.compute()
    again = pickle.loads(pickle.dumps(both.clone()))
    assert again.compute() == first and set(first) == {"fd", "qs"}
    both.reset()
    for some in torch.from_numpy(FAKE).split(200):
        both.update(some, real=False)
    assert both.compute()["fd"] == first["fd"]
    assert SetMetric("fd").higher_is_better is False and SetMetric("precision").higher_is_better is True
    assert SetMetric("authenticity").higher_is_better is None


def test_a_collection_keeps_models_apart_when_reals_come_first():
    """torchmetrics makes one metric of those whose states are alike after the first batch, here both empty."""
    draw = np.random.default_rng(0)
    models = [fit(draw.normal(size=(60, 4)).astype(np.float32) + shift, scorer="knn(k=1)") for shift in (0, 2)]
    fakes = torch.from_numpy(draw.normal(size=(20, 4)).astype(np.float32))
    both = torchmetrics.MetricCollection({str(n): QualityScore(model) for n, model in enumerate(models)})
    both.update(fakes, real=True)
    both.update(fakes, real=False)
    for n, model in enumerate(models):
        alone = QualityScore(model)
        alone.update(fakes)
        assert both.compute()[str(n)] == alone.compute()


@pytest.mark.slow
def test_two_processes_give_the_bits_of_one(tmp_path):
    """By gloo, with unequal parts in unequal batches: every value, and intervals, equal those of one process."""
    subprocess.run([sys.executable, SCRIPT, tmp_path], check=True, timeout=600)
    first, second = (ast.literal_eval((tmp_path / f"{rank}.txt").read_text()) for rank in (0, 1))
    script = runpy.run_path(str(SCRIPT))
    alone = script["computed"](script["sets"](), 1000)
    assert first == second == alone and set(alone) == {*script["METRICS"], "qs", "share"}


def test_bfloat16_is_read_and_a_list_is_named():
    """NumPy has no bfloat16; 0 and 1 are the same numbers in it."""
    rows = torch.tensor([[0.0, 1], [1, 0], [1, 1]])
    found = []
    for kind in (torch.float32, torch.bfloat16):
        metric = SetMetric("kd")
        metric.update(rows.to(kind), real=True)
        metric.update(1 - rows.to(kind), real=False)
        found.append(float(metric.compute()))
    assert found[0] == found[1]
    metric = SetMetric("kd", extractor="statistics")
    metric.update(torch.zeros(2, 3, 16, 16, dtype=torch.bfloat16), real=True)
    with pytest.raises(BadShape, match="tensors, got list"):
        metric.update([1], real=True)


def test_bfloat16_features_of_a_model_and_of_a_module_are_read():
    rows = torch.arange(80.0).reshape(40, 2)
    share = ShareInRange(fit(rows.numpy(), scorer="sgm"))
    share.update(rows[:4].bfloat16())
    assert float(share.compute()) == 1
    metric = SetMetric("kd", extractor=torch.nn.Flatten())
    metric.update(torch.zeros(3, 1, 1, 2, dtype=torch.bfloat16), real=True)
    metric.update(torch.zeros(3, 1, 1, 2, dtype=torch.bfloat16), real=False)
    assert float(metric.compute()) == 0


def test_an_interval_that_cannot_be_is_none():
    rng = np.random.default_rng(0)
    metric = SetMetric("recall")
    for n, real in ((40, True), (6, False)):
        metric.update(torch.tensor(rng.normal(size=(n, 3))), real=real)
    found = metric.interval()
    assert found.value == float(metric.compute()) and np.isnan(found.low)
