"""A callback of Lightning: sample and score every n steps, log it, and keep the best checkpoint.

from giqa.integrations.lightning import ScoreSamples
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..errors import MissingExtra
from .loop import PART, Check, Watch, to_tensorboard

try:
    import torch
    from lightning.pytorch import Callback, LightningModule, Trainer
    from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger
except ModuleNotFoundError as error:
    if error.name not in ("torch", "lightning"):
        raise
    raise MissingExtra(f"giqa.integrations.lightning needs {error.name}: pip install lightning.") from None


class ScoreSamples(Callback):
    """Looks at samples every so many global steps; `giqa/qs` and the like can be monitored by other callbacks.

    Parameters
    ----------
    watch : Watch
        Says by which model, how often, by which metrics, and where the best checkpoint is kept.
    sample : callable
        Is given the module and returns pictures, see `Watch`. Called without gradients, on the first process only.

    Notes
    -----
    All loggers of the trainer get the numbers, TensorBoard and Weights & Biases also the worst pictures. A checkpoint
    is written by `trainer.save_checkpoint`, by all processes together. A module with two optimizers counts two global
    steps a batch.
    """

    def __init__(self, watch: Watch, sample: Callable[[LightningModule], Any]):
        self.watch, self.sample = watch, sample

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Look, if a multiple of `every` was passed."""
        if not self.watch.due(trainer.global_step):
            return
        check = None
        if trainer.is_global_zero:
            with torch.no_grad():
                check = self.watch.look(trainer.global_step, self.sample(pl_module))
            _log(trainer.loggers, check)
        values = {} if check is None else {name: e.value for name, e in check.estimates().items()}
        values, better = trainer.strategy.broadcast((values, check is not None and self.watch.is_best(check)))
        pl_module.log_dict({f"giqa/{name}": value for name, value in values.items()}, logger=False)
        if better and self.watch.folder is not None:
            self.watch.folder.mkdir(parents=True, exist_ok=True)
            trainer.save_checkpoint(self.watch.folder / PART)
        if better and check is not None:
            self.watch.keep(check)


def _log(loggers: Iterable[Logger], check: Check) -> None:
    for logger in loggers:
        if isinstance(logger, TensorBoardLogger):
            to_tensorboard(logger.experiment)(check)
            continue
        logger.log_metrics(check.scalars(), check.step)
        if isinstance(logger, WandbLogger):
            logger.log_image("giqa/worst", list(check.worst), check.step, caption=list(check.captions))
