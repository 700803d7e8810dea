"""Any training loop: sample and score every n steps, log it, and keep the best checkpoint.

from giqa.integrations.loop import Watch, to_tensorboard
watch = Watch("reals.giqa", every=500, loggers=[to_tensorboard(writer)], folder="best")
watch(step, lambda: generator(latents), save=lambda path: torch.save(generator.state_dict(), path))
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import registry
from ..compare.compare import split_specs
from ..compare.quality import quality_estimate, share_estimate
from ..compare.ways import way_of
from ..errors import BadSpec, BadTable
from ..features.reader import Reader
from ..features.select import ChosenLayers
from ..files import replace_file
from ..metrics.jackknife import Jackknife, estimated
from ..model.folds import content_order
from ..model.load_model import load
from ..model.model import Model
from ..model.table import Scores
from ..stats import Estimate, plain
from ..train.snapshots import as_pixels
from ..types import Features

OF_MODEL = ("qs", "share")  # by the scores of the model; all other metrics by its reals
WORST = 8  # pictures that are logged
BEST, PART, RECORD = "best", "best.part", "best.json"  # in the folder of the best checkpoint


@dataclass(frozen=True, eq=False)
class Check:
    """What was found at one step.

    Parameters
    ----------
    step : int
    found : mapping of str to Jackknife
        Each metric, and how it varies.
    scores : Scores
        Of every sample.
    worst : uint8 array (k, h, w, 3)
        The worst pictures, the worst first.
    captions : list of str
        z and reason of each of these.
    """

    step: int
    found: Mapping[str, Jackknife]
    scores: Scores
    worst: np.ndarray
    captions: Sequence[str]

    def estimates(self) -> dict[str, Estimate]:
        """Each metric with its 95 % interval."""
        return {name: Estimate(j.value, *j.interval(), j.n) for name, j in self.found.items()}

    def scalars(self) -> dict[str, float]:
        """What a logger draws: "giqa/qs", "giqa/qs_low", "giqa/qs_high", ...; what is not known is left out."""
        ends = {
            f"giqa/{name}{end}": value
            for name, e in self.estimates().items()
            for end, value in (("", e.value), ("_low", e.low), ("_high", e.high))
        }
        return {name: value for name, value in ends.items() if np.isfinite(value)}


class Watch:
    """Samples and scores every `every` steps, logs it, and keeps the checkpoint that is best by a metric.

    Parameters
    ----------
    model : Model or path
        What `giqa.fit` gives, or its file; it brings its own reals for "fd", "kd", "precision" and the like.
    every : int
        Steps between two looks.
    metrics : str
        "qs", "share" (within the range of reals) and specs of docs/metrics.md. The first decides what is best.
    loggers : sequence of callable
        Each is called with a `Check`: `to_tensorboard`, `to_wandb`, `to_accelerate`, or a function of your own.
    folder : path or None
        Where the best checkpoint (`best`) and what is known of it (`best.json`) are kept.
    values : (float, float)
        Black and white of pictures that are floats.

    Notes
    -----
    The best of many looks is partly luck: `best.json` lists the steps that cannot be distinguished from it. A new run
    in the same folder goes on from there. A checkpoint is written next to the old one and renamed when it is whole.

    Examples
    --------
    >>> from giqa.model.fit import fit
    >>> rng = np.random.default_rng(0)
    >>> reals = rng.integers(100, 156, (40, 16, 16, 3), dtype=np.uint8)
    >>> model = fit(reals, "statistics", "sgm", store=False)
    >>> watch = Watch(model, every=10)
    >>> for step in range(30):
    ...     watch(step, lambda: rng.integers(100, 110 + 2 * step, (8, 16, 16, 3), dtype=np.uint8)) and None
    >>> [check.step for check in watch.checks], watch.best.step
    ([0, 10, 20], 20)
    """

    def __init__(
        self,
        model: Model | str | Path,
        every: int = 1000,
        metrics: str = "qs,share",
        loggers: Sequence[Callable[[Check], Any]] = (),
        folder: str | Path | None = None,
        values: tuple[float, float] = (-1.0, 1.0),
    ):
        if every < 1:
            raise BadSpec(f"Watch(every=...) is a number of steps from 1, got {every!r}.")
        self.model = model if isinstance(model, Model) else load(model)
        self.every, self.loggers, self.values = every, tuple(loggers), values
        self.metrics = {name: None if name in OF_MODEL else registry.make("metric", name) for name in _names(metrics)}
        self.by = next(iter(self.metrics))
        decides = self.metrics[self.by]
        self.way = 1 if decides is None else way_of(decides)
        if not self.way:
            raise BadSpec(
                f"{self.by} ranks nothing, so it cannot say which checkpoint is best; name another one first."
            )
        self.folder = None if folder is None else Path(folder)
        self.checks: list[Check] = []
        self.best: Check | None = None
        self._before = None if self.folder is None else _best_before(self.folder / RECORD, self.by, self.model.digest)
        self._last: int | None = None

    def __call__(self, step: int, sample: Callable[[], Any], save: Callable[[Path], Any] | None = None) -> Check | None:
        """Look, if this step is due.

        Parameters
        ----------
        step : int
            Of the training; from a step that is a multiple of `every`, or passes one.
        sample : callable
            Gives pictures: uint8 or floats, an array (n, h, w, 3) or a tensor (n, 3, h, w). The same latents every time
            make checks easier to compare, and leave the training's random numbers alone.
        save : callable or None
            Is given a path and writes a checkpoint there, a file or a folder. Called where the step is the best so far.

        Returns
        -------
        Check or None
            None where the step is not due.
        """
        if not self.due(step):
            return None
        check = self.look(step, sample())
        if self.is_best(check):
            if save is not None and self.folder is not None:
                self.folder.mkdir(parents=True, exist_ok=True)
                save(self.folder / PART)
            self.keep(check)
        return check

    def due(self, step: int) -> bool:
        """Whether a multiple of `every` was reached since this was asked last."""
        last, self._last = self._last, step
        return step % self.every == 0 if last is None else step // self.every > last // self.every

    def look(self, step: int, pictures: Any) -> Check:
        """Score pictures, whether it is due or not, and give it to the loggers."""
        pixels = as_pixels(pictures, *self.values)
        reader: Reader = replace(self.model.judge().reader(), store=False)
        features = reader.features(pixels).needed("samples")
        scores = self.model.score(features)
        rows = scores.ranked()[::-1][:WORST]
        reasons = scores.reason or [""] * len(scores)
        captions = [f"z {scores.z[row]:+.2f} {reasons[row]}".rstrip() for row in rows]
        check = Check(step, self._found(features, scores), scores, pixels[rows], captions)
        self.checks.append(check)
        for log in self.loggers:
            log(check)
        return check

    def is_best(self, check: Check) -> bool:
        """Whether it is better than everything before it, in this run and in those that its folder knows."""
        value = self.way * check.found[self.by].value
        known = [self.best.found[self.by].value] if self.best else [self._before] if self._before is not None else []
        return bool(np.isfinite(value)) and all(value > self.way * other for other in known)

    def keep(self, check: Check) -> None:
        """Make it the best: a checkpoint that lies ready is renamed, and `best.json` is written."""
        self.best = check
        if self.folder is None:
            return
        part, best = self.folder / PART, self.folder / BEST
        if part.exists():
            if best.is_dir():
                shutil.rmtree(best)
            os.replace(part, best)
        record = {"metric": self.by, "step": check.step, "model": self.model.digest, "as_good": self.as_good()}
        replace_file(self.folder / RECORD, json.dumps({**record, **plain(check.estimates())}, indent=1))

    def as_good(self) -> list[int]:
        """Steps of this run that cannot be distinguished from the best one: the interval of the difference holds 0."""
        if self.best is None:
            return []
        gaps = {c.step: self.best.found[self.by].minus(c.found[self.by]) for c in self.checks if c is not self.best}
        return [step for step, (_, low, high) in gaps.items() if not (low > 0 or high < 0)]

    def _found(self, features: Features, scores: Scores) -> dict[str, Jackknife]:
        counted = np.array([not real for real in scores.duplicate_of], bool) & np.isfinite(scores.percentile)
        own = {
            "qs": lambda: quality_estimate(self.model, features, scores),
            "share": lambda: share_estimate(scores.percentile[counted], len(self.model.scale.held_out)),
        }
        reals = self.model.reals.rows(content_order(self.model.reals))
        fakes = features.rows(content_order(features))
        chosen = ChosenLayers(reals, None, None, 0) if any(self.metrics.values()) else None
        found = {}
        for name, metric in self.metrics.items():
            if metric is None:
                found[name] = own[name]()
            else:
                found[name] = estimated(metric, chosen.real, chosen.fake(fakes))
        return found


def _names(metrics: str) -> list[str]:
    names = split_specs(metrics)
    if not names:
        raise BadSpec(f"Which metrics? Give some of {', '.join((*OF_MODEL, *registry.names('metric')))}.")
    return names


def _best_before(path: Path, by: str, model: str) -> float | None:
    """The value that an earlier run reached; None where there was none. Values by another model do not compare."""
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["metric"] != by:
            raise BadTable(f"{path} is by {record['metric']!r}, and this run by {by!r}; give another folder.")
        if record["model"] != model:
            raise BadTable(f"{path} is by another model, whose numbers do not compare with these; give another folder.")
        return record[by]["value"]
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, BadTable):
            raise
        raise BadTable(f"{path} is no record of a best checkpoint ({error}); give another folder.") from None


# --- loggers


def to_tensorboard(writer: Any) -> Callable[[Check], None]:
    """A logger to TensorBoard.

    Parameters
    ----------
    writer : torch.utils.tensorboard.SummaryWriter
        Or another object with its methods.
    """

    def log(check: Check) -> None:
        for name, value in check.scalars().items():
            writer.add_scalar(name, value, check.step)
        writer.add_images("giqa/worst", check.worst, check.step, dataformats="NHWC")
        writer.add_text("giqa/worst", "  \n".join(check.captions), check.step)

    return log


def to_wandb(run: Any) -> Callable[[Check], None]:
    """A logger to Weights & Biases.

    Parameters
    ----------
    run : wandb.Run
        What `wandb.init` gives; `mode="offline"` needs no network.
    """
    from wandb import Image

    def log(check: Check) -> None:
        pairs = zip(check.worst, check.captions, strict=True)
        worst = [Image(picture, caption=caption) for picture, caption in pairs]
        run.log({**check.scalars(), "giqa/worst": worst}, step=check.step)

    return log


def to_accelerate(accelerator: Any) -> Callable[[Check], None]:
    """A logger to the trackers of `accelerate`; pictures go to TensorBoard and Weights & Biases.

    Parameters
    ----------
    accelerator : accelerate.Accelerator
        After `init_trackers`.
    """

    def log(check: Check) -> None:
        accelerator.log(check.scalars(), step=check.step)
        for tracker in accelerator.trackers:
            if tracker.name == "tensorboard":
                tracker.log_images({"giqa/worst": check.worst}, step=check.step, dataformats="NHWC")
            elif tracker.name == "wandb":
                tracker.log_images({"giqa/worst": list(check.worst)}, step=check.step)

    return log
