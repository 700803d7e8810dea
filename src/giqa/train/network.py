"""The trainer: a network learns quality from snapshots, can be killed at any moment, and ends with the same bits."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..errors import BadModel, BadSpec
from ..features.devices import find_device
from ..features.learned import KEY, Learned
from ..files import replace_file
from ..images.copies import twins
from ..images.degradations import KINDS, LEVELS, degraded
from ..model.fit import fit
from ..registry import check_arguments
from ..scorers.fixed import Value
from ..scorers.labels import targets, thresholds
from ..scorers.scale import FEWEST
from ..types import Progress
from .checkpoint import by_part, packed, read_checkpoint, restore_optimiser
from .manifest import Part, read_manifest
from .pictures import Pictures, batch_input, read_pictures, turned
from .recipe import recipe_for

MARGIN = 1.0  # of the hinge on ranks


def train_network(
    kind: str, manifest: Any, out: str | Path, *, device: str = "cpu", progress: Progress | None = None, **options: Any
) -> Path:
    """Learn a network from a table of snapshots; the extractor `learned` makes scores of it.

    A fifth of the snapshots is held out: the weights with the smallest loss on them are kept, and learning stops after
    `patience` epochs without a smaller one.

    Parameters
    ----------
    kind : "mbc", "bc", "ir" or "rank"
        What is learned.
    manifest : path
        See `giqa.train.read_manifest`.
    out : path
        NAME.safetensors. After every epoch a checkpoint is written next to it; the same call goes on from it and, on
        the same device with as many threads, ends with the same bits as if it had never been stopped. Where 20
        different
        reals are held out, NAME.giqa is written too: a model with their scores as its scale.
    device : str
        "cpu", "cuda" or "mps".
    progress : callable or None
        Gets (what, done, in all).
    **options
        `preset` ("recommended"), `n_heads`, `precision` ("float32"), `seed` (0) and `workers`. In place of the
        preset's: `network`, `load`, `crop`, `rotation`, `rate`, `decay`, `batch`, `epochs`, `patience`.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    BadSpec
        When an option is out of its range.
    BadModel
        When the checkpoint is of another training.
    BadSource, MissingExtra

    Examples
    --------
    It needs torch::

        train_network("mbc", "snapshots/snapshots.csv", "mbc.safetensors", epochs=10)

    >>> train_network("mbc", "snapshots.csv", "mbc.pt")
    Traceback (most recent call last):
    giqa.errors.BadSpec: A network is kept as NAME.safetensors, got 'mbc.pt'.
    """
    check_arguments(train_network, kind=kind, out=out, device=device)
    out, workers = Path(out), options.pop("workers", None)
    if out.suffix != ".safetensors":
        raise BadSpec(f"A network is kept as NAME.safetensors, got {out.name!r}.")
    recipe = recipe_for(kind, **options)
    where = find_device(device, "giqa train")
    pictures = read_pictures(read_manifest(manifest), recipe["load"], recipe["seed"], workers, progress)
    trainer = Trainer(recipe, pictures, where, out.with_suffix(".checkpoint"))
    trainer.run(progress)
    trainer.write(out)
    _write_model(out, pictures)
    trainer.checkpoint.unlink(missing_ok=True)
    return out


class Trainer:
    """One training: network, optimiser and how far it is. Randomness comes from (seed, epoch) alone."""

    def __init__(self, recipe: dict[str, Any], pictures: Pictures, device: Any, checkpoint: Path):
        import torch

        from ..features.learned_network import build

        self.recipe, self.pictures, self.device, self.checkpoint = dict(recipe), pictures, device, checkpoint
        learned = np.flatnonzero(~pictures.held_out)
        if recipe["mean"] is None:
            seen = pictures.pixels[learned]
            self.recipe["mean"] = seen.mean(axis=(0, 1, 2)).round(3).tolist()
            self.recipe["deviation"] = np.maximum(seen.std(axis=(0, 1, 2)), 1).round(3).tolist()
        self.aims = self._aims()
        real = pictures.manifest.real
        self.learned, self.held = (
            rows[real[rows]] if recipe["kind"] == "rank" else rows
            for rows in (learned, np.flatnonzero(pictures.held_out))
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe["seed"])
            network = build(recipe["network"], recipe["n_heads"], recipe["crop"])
        self.network = network.to(device, memory_format=torch.channels_last)  # twice as fast on a CPU
        weights, options = self.network.parameters(), {"lr": recipe["rate"], "weight_decay": recipe["decay"]}
        if recipe["optimiser"] == "sgd":
            self.optimiser = torch.optim.SGD(weights, momentum=0.9, **options)
        else:
            self.optimiser = torch.optim.AdamW(weights, **options)
        if recipe["real_share"]:
            self.learned = with_reals(self.learned, real[self.learned], recipe["real_share"])
        self.steps = math.ceil(len(self.learned) / recipe["batch"])
        self.history: list[float] = []
        self.best: dict[str, Any] = {}
        self._resume()

    @property
    def done(self) -> bool:
        """Whether all epochs are over, or none of the last ones was better than the best."""
        patience, epochs = self.recipe["patience"], len(self.history)
        waited = epochs - 1 - int(np.argmin(self.history)) if epochs else 0
        return epochs >= self.recipe["epochs"] or (patience is not None and waited >= patience)

    def run(self, progress: Progress | None = None) -> None:
        """All epochs that are left."""
        import torch

        total = self.recipe["epochs"] * self.steps
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            while not self.done:
                epoch = len(self.history)
                for step, (x, aims) in enumerate(self._batches(epoch)):
                    self._step(x, aims, (epoch * self.steps + step) / total)
                    if progress:
                        progress("learn", epoch * self.steps + step + 1, total)
                self.history.append(self._held_out_loss())
                if not math.isfinite(self.history[-1]):
                    raise BadModel(f"The loss is {self.history[-1]} after epoch {epoch}; try a smaller rate.")
                if self.history[-1] == min(self.history) or self.recipe["patience"] is None:
                    self.best = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
                self._keep()

    def write(self, out: Path) -> None:
        """The best weights and the recipe, written atomically."""
        said = self.recipe | {"history": self.history, "giqa": __version__, "pictures": self.pictures.digest}
        said["manifest"] = str(self.pictures.manifest.source.name)
        if self.recipe["kind"] == "mbc":
            said["thresholds"] = self._thresholds().tolist()
        replace_file(out, packed(self.best, said, KEY))

    def _thresholds(self) -> np.ndarray:
        return thresholds(self.pictures.manifest.label, self.recipe["n_heads"], self.recipe["preset"])

    def _aims(self) -> np.ndarray:
        """What the heads should say of each picture, float32 (n, N)."""
        label = self.pictures.manifest.label
        if self.recipe["kind"] == "human":
            return np.c_[label, self.pictures.manifest.votes].astype(np.float32)
        if self.recipe["kind"] == "mbc":
            return targets(label, self._thresholds()).astype(np.float32)
        return (label == 1 if self.recipe["kind"] == "bc" else label)[:, None].astype(np.float32)

    def _batches(self, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Augmented batches of an epoch, the same for the same seed."""
        seed = (self.recipe["seed"], epoch)
        order = np.random.default_rng((*seed, 0)).permutation(self.learned)
        for step in range(self.steps):
            rng = np.random.default_rng((*seed, 1, step))
            rows = order[step * self.recipe["batch"] : (step + 1) * self.recipe["batch"]]
            yield self._batch(rows, rng)

    def _batch(self, rows: np.ndarray, rng: np.random.Generator | None) -> tuple[np.ndarray, np.ndarray]:
        pixels, aims = self.pictures.pixels[rows], self.aims[rows]
        if self.recipe["kind"] == "rank":
            pixels, aims = ranked_pairs(pixels, rows if rng is None else rng.integers(2**31, size=len(rows)))
        if rng is not None and self.recipe["rotation"]:
            pixels = turned(pixels, self.recipe["rotation"], rng)
        return batch_input(pixels, self.recipe, rng), aims

    def _step(self, x: np.ndarray, aims: np.ndarray, gone: float) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(self.recipe, gone)
        self.network.train(len(x) > 1)  # batch norm cannot learn from one picture
        loss = self._loss(x, aims)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()

    def _loss(self, x: np.ndarray, aims: np.ndarray) -> Any:
        import torch
        from torch.nn import functional

        with ExitStack() as stack:
            if self.recipe["precision"] == "bfloat16":
                stack.enter_context(torch.autocast(self.device.type, torch.bfloat16))
            pictures = torch.from_numpy(x).to(self.device, memory_format=torch.channels_last)
            outputs = self.network(pictures).float()
        wanted = torch.from_numpy(aims).to(self.device)
        if self.recipe["kind"] == "rank":
            better, worse = outputs[:, 0].chunk(2)
            return functional.relu(MARGIN - (better - worse)).mean()
        if self.recipe["kind"] == "human":  # -log-likelihood of a vote
            share, votes = wanted.T
            lost = functional.binary_cross_entropy_with_logits(outputs[:, 0], share, votes, reduction="sum")
            return lost / votes.sum()
        if self.recipe["kind"] == "ir":
            return (outputs.sigmoid() - wanted).square().mean()
        heads = 1 if self.recipe["preset"] == "released" else outputs.shape[1]  # eq. 3 sums over them
        return functional.binary_cross_entropy_with_logits(outputs, wanted) * heads

    def _held_out_loss(self) -> float:
        import torch

        self.network.eval()
        lost = []
        with torch.no_grad():
            for start in range(0, len(self.held), self.recipe["batch"]):
                rows = self.held[start : start + self.recipe["batch"]]
                lost.append(float(self._loss(*self._batch(rows, None))) * len(rows))
        return sum(lost) / len(self.held)

    def _keep(self) -> None:
        """The checkpoint: safetensors and JSON, written atomically."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in self.best.items()}
        for number, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{name}": value for name, value in state.items() if value is not None}
        said = {"recipe": self.recipe, "pictures": self.pictures.digest, "history": self.history}
        replace_file(self.checkpoint, packed(tensors, said, KEY))

    def _resume(self) -> None:
        """Go on from the checkpoint, if there is one of this very training."""
        if not self.checkpoint.is_file():
            return
        said, tensors = read_checkpoint(self.checkpoint, KEY, "giqa train")
        if (said["recipe"], said["pictures"]) != (self.recipe, self.pictures.digest):
            raise BadModel(
                f"{self.checkpoint} is the checkpoint of a training with other pictures or options; delete it, or "
                "give another name with -o."
            )
        parts = by_part(tensors, ".")
        self.network.load_state_dict(parts["network"])
        self.best = {name: value.to(self.device) for name, value in parts.get("best", {}).items()}
        self.history = said["history"]
        restore_optimiser(self.optimiser, parts.get("optimiser", {}), ".")


def rate_at(recipe: dict[str, Any], gone: float) -> float:
    """The learning rate when a share of all steps is gone: a cosine, or for SGD a tenth at each quarter.

    >>> [round(rate_at({"optimiser": "sgd", "rate": 0.05}, gone), 6) for gone in (0, .3, .5, .9)]
    [0.05, 0.005, 0.0005, 5e-05]
    """
    if recipe["optimiser"] == "sgd":
        return recipe["rate"] * 0.1 ** int(4 * gone)
    return recipe["rate"] * 0.5 * (1 + math.cos(math.pi * gone))


def with_reals(rows: np.ndarray, real: np.ndarray, share: float) -> np.ndarray:
    """`rows` with the real ones among them repeated as often as makes them about that share of all.

    >>> with_reals(np.arange(10), np.arange(10) < 1, 0.25).tolist()
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0]
    """
    if real.all() or not real.any():
        return rows
    times = round(share / (1 - share) * (~real).sum() / real.sum())
    return np.concatenate([rows, *[rows[real]] * (times - 1)])


def ranked_pairs(pixels: np.ndarray, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each picture twice with damage of one kind, less of it in the first half (2n, h, w, 3); and no aims."""
    better, worse = [], []
    for picture, seed in zip(pixels, seeds, strict=True):
        rng = np.random.default_rng(int(seed))
        kind, (low, high) = KINDS[rng.integers(len(KINDS))], np.sort(rng.permutation(LEVELS + 1)[:2])
        better.append(degraded(picture, kind, int(low), int(seed)))
        worse.append(degraded(picture, kind, int(high), int(seed)))
    return np.stack(better + worse), np.zeros((0, 1), np.float32)


def _write_model(out: Path, pictures: Pictures) -> None:
    """NAME.giqa next to the network: its score on the scale of the reals that were held out, if there are enough."""
    keep = pictures.held_out & pictures.manifest.real
    model = out.with_suffix(".giqa")
    if len(np.unique(twins(pictures.info[keep]))) < FEWEST:
        model.unlink(missing_ok=True)
        warnings.warn(
            f"only {int(keep.sum())} reals are held out, and {FEWEST} different ones make a scale: {model.name} is not "
            f"written. Other reals do: giqa fit REALS -o {model.name} --extractor \"learned(weights='{out.name}')\" "
            "--scorer value",
            stacklevel=3,
        )
        return
    reals = Part(pictures.manifest.source, np.flatnonzero(keep))
    fit(reals, extractor=Learned(str(out.resolve())), scorer=Value(), store=False).save(model)
