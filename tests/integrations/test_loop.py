"""Watching a training: when it looks, what it finds and logs, and which checkpoint it keeps."""

import json

import numpy as np
import pytest

from giqa.compare import compare
from giqa.errors import BadSpec, BadTable
from giqa.features.reader import extract
from giqa.integrations.loop import BEST, PART, RECORD, Watch, to_accelerate, to_tensorboard, to_wandb
from giqa.model.fit import fit

SIDE = 16


@pytest.fixture(scope="module")
def model():
    reals = np.random.default_rng(0).integers(0, 256, (60, SIDE, SIDE, 3), dtype=np.uint8)
    return fit(reals, "statistics", "sgm", store=False)


def samples(contrast, n=12, seed=1):
    """uint8 noise like the reals, more like them the nearer the contrast is to 1."""
    noise = np.random.default_rng(seed).integers(0, 256, (n, SIDE, SIDE, 3))
    return (128 + (noise - 128) * contrast).astype(np.uint8)


def run(watch, contrasts, first=0):
    """Contrast by contrast; a checkpoint is the text of its step."""
    for step, contrast in enumerate(contrasts, first):
        watch(step, lambda c=contrast: samples(c), lambda path, s=step: path.write_text(str(s)))


def test_it_looks_at_every_multiple_and_at_one_that_was_stepped_over(model):
    watch = Watch(model, every=10)
    assert [step for step in (0, 5, 10, 19, 21, 45, 46, 50) if watch.due(step)] == [0, 10, 21, 45, 50]
    assert not Watch(model, every=10).due(5)  # resumed between two


@pytest.mark.filterwarnings("ignore:fd", "ignore:precision")
def test_numbers_are_those_of_compare(model):
    """The same pictures as features: qs, fd and precision, and their intervals."""
    check = Watch(model, metrics="qs,share,fd,precision").look(7, samples(0.9))
    fakes = extract(samples(0.9), "statistics", store=False).features
    found = compare(model.reals, {"it": fakes}, metrics="qs,fd,precision", scorer="sgm").generators[0].values
    for name, estimate in check.estimates().items():
        if name != "share":
            assert (estimate.value, estimate.low, estimate.high) == pytest.approx(
                (found[name].value, *found[name].interval())
            )
    headline = model.score(fakes).headline()
    share = check.estimates()["share"]
    assert share.value == pytest.approx(headline.within.value) and share.low < share.value <= share.high
    assert {"giqa/qs", "giqa/qs_low", "giqa/fd_high", "giqa/share"} <= check.scalars().keys() and check.step == 7


def test_the_worst_pictures_are_given_with_their_z(model):
    pictures = samples(1.0)
    pictures[4] //= 8
    check = Watch(model).look(0, pictures)
    assert np.array_equal(check.worst[0], pictures[4]) and len(check.worst) == len(check.captions) == 8
    assert check.captions[0].startswith(f"z {check.scores.z.min():+.2f}")


def test_the_best_checkpoint_is_kept_with_its_interval(model, tmp_path):
    """A worse step leaves it; as_good names what cannot be distinguished; a second run goes on from there."""
    watch = Watch(model, every=1, folder=tmp_path)
    run(watch, (0.3, 1.0, 0.99, 0.6))
    record = json.loads((tmp_path / RECORD).read_text())
    assert watch.best.step == record["step"] and (tmp_path / BEST).read_text() == str(record["step"])
    assert record["step"] in (1, 2) and not (tmp_path / PART).exists()
    assert record["qs"]["low"] < record["qs"]["value"] < record["qs"]["high"]
    assert {1, 2} - {record["step"]} <= set(watch.as_good()) and 0 not in watch.as_good()
    again = Watch(model, every=1, folder=tmp_path)
    run(again, (0.5,), first=4)
    assert again.best is None and (tmp_path / BEST).read_text() == str(record["step"])
    with pytest.raises(BadTable, match="is by 'qs', and this run by 'fd'"):
        Watch(model, metrics="fd", folder=tmp_path)


def test_a_distance_is_best_where_it_is_least_and_a_checkpoint_may_be_a_folder(model, tmp_path):
    watch = Watch(model, every=1, metrics="fd", folder=tmp_path)

    def save(path):
        path.mkdir()
        (path / "weights").write_text("")

    for step, contrast in enumerate((0.3, 0.6, 1.0)):
        watch(step, lambda c=contrast: samples(c), save)
    assert watch.best.step == 2 and (tmp_path / BEST / "weights").exists()


def test_what_cannot_be_is_refused(model):
    with pytest.raises(BadSpec, match="authenticity ranks nothing"):
        Watch(model, metrics="authenticity")
    with pytest.raises(BadSpec, match="Which metrics"):
        Watch(model, metrics=" ")
    with pytest.raises(BadSpec, match="from 1, got 0"):
        Watch(model, every=0)


# --- loggers


def scalars_in(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder))
    found.Reload()
    return found


def test_tensorboard_has_numbers_and_pictures(model, tmp_path):
    pytest.importorskip("tensorboard")
    tensorboard = pytest.importorskip("torch.utils.tensorboard")
    writer = tensorboard.SummaryWriter(str(tmp_path))
    check = Watch(model, loggers=[to_tensorboard(writer)]).look(30, samples(0.9))
    writer.close()
    found = scalars_in(tmp_path)
    (event,) = found.Scalars("giqa/qs")
    assert event.step == 30 and event.value == pytest.approx(check.estimates()["qs"].value, rel=1e-6)
    assert len(found.Images("giqa/worst")) == 1


@pytest.mark.slow
def test_wandb_offline_has_numbers_and_pictures(model, tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    with wandb.init(mode="offline", dir=str(tmp_path), project="giqa") as run:
        watch = Watch(model, loggers=[to_wandb(run)])
        check, _ = watch.look(3, samples(0.9)), watch.look(4, samples(0.9, n=8))  # a step is whole when the next begins
        assert run.summary["giqa/qs"] == pytest.approx(check.estimates()["qs"].value)
    assert len(list(tmp_path.rglob("*.png"))) == 16 and list(tmp_path.rglob("*.wandb"))


def test_accelerate_gives_it_to_its_trackers(model, tmp_path):
    pytest.importorskip("tensorboard")
    accelerator = pytest.importorskip("accelerate").Accelerator(
        log_with="tensorboard", project_dir=str(tmp_path), cpu=True
    )
    accelerator.init_trackers("toy")
    Watch(model, loggers=[to_accelerate(accelerator)]).look(5, samples(0.9))
    accelerator.end_training()
    found = scalars_in(tmp_path / "toy")
    assert [event.step for event in found.Scalars("giqa/share")] == [5] and found.Images("giqa/worst")


def test_lightning_scores_saves_and_can_be_monitored(model, tmp_path):
    """Six steps, looked at after the third and the sixth; the best checkpoint is one of Lightning's own."""
    lightning = pytest.importorskip("lightning")
    pytest.importorskip("tensorboard")
    import torch
    from lightning.pytorch.loggers import TensorBoardLogger

    from giqa.integrations.lightning import ScoreSamples

    class Toy(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.line = torch.nn.Linear(1, 1)

        def training_step(self, batch, index):
            return self.line(batch).square().mean()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    seen = []
    watch = Watch(model, every=3, folder=tmp_path / "best")
    callback = ScoreSamples(watch, lambda module: seen.append(torch.is_grad_enabled()) or samples(0.5 + len(seen) / 4))
    trainer = lightning.Trainer(
        max_epochs=1,
        callbacks=[callback],
        accelerator="cpu",
        logger=TensorBoardLogger(tmp_path, name="logs"),
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    trainer.fit(Toy(), torch.utils.data.DataLoader(torch.ones(6, 1)))
    assert seen == [False, False] and [check.step for check in watch.checks] == [3, 6]
    assert trainer.callback_metrics["giqa/qs"].item() == pytest.approx(
        watch.checks[-1].estimates()["qs"].value, rel=1e-5
    )
    assert torch.load(tmp_path / "best" / BEST, weights_only=False)["global_step"] == watch.best.step == 6
    found = scalars_in(next(tmp_path.glob("logs/*")))
    assert [event.step for event in found.Scalars("giqa/qs_low")] == [3, 6] and len(found.Images("giqa/worst")) == 2


def test_a_best_checkpoint_by_another_model_is_not_gone_on_from(model, tmp_path):
    run(Watch(model, every=1, folder=tmp_path), [0.9])
    other = fit(samples(0.5, 40), "statistics", "sgm", store=False)
    with pytest.raises(BadTable, match="by another model"):
        Watch(other, every=1, folder=tmp_path)
    Watch(model, every=1, folder=tmp_path)


def test_few_samples_have_a_value_without_an_interval(model):
    """Recall takes 6 pictures: with one left out it has none, and the training goes on."""
    watch = Watch(model, every=1, metrics="recall,fd")
    check = watch.look(0, np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), dtype=np.uint8))
    found = check.estimates()["recall"]
    assert 0 <= found.value <= 1 and np.isnan(found.low) and "giqa/recall_low" not in check.scalars()
