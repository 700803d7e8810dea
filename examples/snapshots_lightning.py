"""Snapshots from Lightning, by a callback: `python examples/snapshots_lightning.py FOLDER` (needs lightning)."""

import sys

import lightning
import torch
from torch import nn

from giqa.train.snapshots import Snapshots


class WriteSnapshots(lightning.Callback):
    """Samples of `module.generator` every so many global steps; of several processes the first writes."""

    def __init__(self, folder: str, run: str = "lightning", every: int = 1000, n: int = 50, width: int = 4):
        self.snapshots = Snapshots(folder, run=run, every=every)
        self.latents = torch.randn(n, width, generator=torch.Generator().manual_seed(0))  # the same at every snapshot

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_index) -> None:
        if trainer.is_global_zero:
            with torch.no_grad():
                self.snapshots(trainer.global_step, lambda: module.generator(self.latents.to(module.device)))


class Toy(lightning.LightningModule):
    """A generator that learns the mean of its reals."""

    def __init__(self):
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(4, 3 * 8 * 8), nn.Tanh(), nn.Unflatten(1, (3, 8, 8)))

    def training_step(self, batch, batch_index):
        return (self.generator(torch.randn(len(batch), 4, device=self.device)) - batch).square().mean()

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 0.01)


if __name__ == "__main__":
    loader = torch.utils.data.DataLoader(torch.rand(80, 3, 8, 8), batch_size=4)
    callback = WriteSnapshots(sys.argv[1], every=10, n=8)
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "accelerator": "cpu"}
    lightning.Trainer(max_epochs=1, callbacks=[callback], **quiet).fit(Toy(), loader)
