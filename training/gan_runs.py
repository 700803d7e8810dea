"""Small DCGANs on the training domains, with samples of every epoch: pictures whose order of quality is known.

What is planted in pictures (blur, noise, ...) is not what a generator does wrong; these runs are what choices among
layers and combinations are made on, beside planted damage (`benchmarks/accuracy/layer_combination.py --gans`). Run as

    python training/gan_runs.py --data ../shared/data --wallpapers wallpapers --out gans

It writes DOMAIN-UPSAMPLING.npz: `samples` uint8 (epochs, 64, 64, 64, 3) and `reals` uint8 (n, 64, 64, 3), those
that the run was trained on; five to ten minutes a run on one CPU core, about two with --quick (half the steps, two
thirds of the width).
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pictures
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

SIDE, NOISE, BATCH, EPOCHS, STEPS, SAMPLES, WIDTH = 64, 100, 32, 25, 60, 64, 24
RUNS = (("dogs", "transposed"), ("photographs", "nearest"), ("wallpapers", "transposed"), ("cifar", "nearest"))


def reals_of(kind: str, sources: dict[str, list[np.ndarray]], n: int = 800) -> np.ndarray:
    """The middle squares of that many sources, at 64 px, uint8 (n, 64, 64, 3)."""
    found = []
    for picture in sources[kind][:n]:
        h, w = picture.shape[:2]
        side = min(h, w)
        square = picture[(h - side) // 2 : (h + side) // 2, (w - side) // 2 : (w + side) // 2]
        image = Image.fromarray(np.ascontiguousarray(square))
        found.append(np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)))
    return np.stack(found)


def generator(upsampling: str) -> nn.Sequential:
    """Noise (n, 100, 1, 1) to pictures (n, 3, 64, 64) in -1..1; "transposed" leaves grids, "nearest" blocks."""
    layers: list[nn.Module] = [nn.ConvTranspose2d(NOISE, WIDTH * 8, 4, bias=False)]
    for given, made in zip((8, 4, 2, 1), (4, 2, 1, 0), strict=True):
        layers += [nn.BatchNorm2d(WIDTH * given), nn.ReLU(inplace=True)]
        out = WIDTH * made or 3
        if upsampling == "transposed":
            layers += [nn.ConvTranspose2d(WIDTH * given, out, 4, 2, 1, bias=False)]
        else:
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(WIDTH * given, out, 3, 1, 1, bias=False)]
    return nn.Sequential(*layers, nn.Tanh())


def discriminator() -> nn.Sequential:
    layers: list[nn.Module] = []
    for given, made in zip((0, 1, 2, 4), (1, 2, 4, 8), strict=True):
        layers += [nn.Conv2d(WIDTH * given or 3, WIDTH * made, 4, 2, 1, bias=False)]
        layers += [nn.BatchNorm2d(WIDTH * made)] if given else []
        layers += [nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*layers, nn.Conv2d(WIDTH * 8, 1, 4, bias=False), nn.Flatten())


def train(reals: np.ndarray, upsampling: str, seed: int) -> np.ndarray:
    """Samples of the same noise after every epoch, uint8 (epochs, 64, 64, 64, 3)."""
    torch.manual_seed(seed)
    made, judge = generator(upsampling), discriminator()
    for net in (made, judge):
        for layer in net.modules():
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.normal_(layer.weight, 0, 0.02)
    optimisers = [torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999)) for net in (made, judge)]
    pool = torch.from_numpy(reals).permute(0, 3, 1, 2).float() / 127.5 - 1
    shown, epochs, start = torch.randn(SAMPLES, NOISE, 1, 1), [], time.time()
    for epoch in range(EPOCHS):
        for _ in range(STEPS):
            real = pool[torch.randint(len(pool), (BATCH,))]
            real = torch.where(torch.rand(BATCH, 1, 1, 1) < 0.5, real, real.flip(3))
            fake = made(torch.randn(BATCH, NOISE, 1, 1))
            loss = F.softplus(-judge(real)).mean() + F.softplus(judge(fake.detach())).mean()
            _step(optimisers[1], loss)
            _step(optimisers[0], F.softplus(-judge(fake)).mean())
        with torch.no_grad():
            made.eval()
            epochs.append(((made(shown).permute(0, 2, 3, 1) + 1) * 127.5).round().clamp(0, 255).byte().numpy())
            made.train()
        print(f"epoch {epoch + 1} of {EPOCHS}, {time.time() - start:.0f} s", file=sys.stderr, flush=True)
    return np.stack(epochs)


def _step(optimiser: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("data", "wallpapers", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--only", type=lambda text: text.split(","), metavar="NAME,NAME", help="some of the domains")
    parser.add_argument("--quick", action="store_true", help="half the steps, two thirds of the width")
    given = parser.parse_args()
    if given.quick:
        STEPS, WIDTH = STEPS // 2, WIDTH * 2 // 3
    given.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    sources = pictures.load_sources(given.data, given.wallpapers)
    for number, (kind, upsampling) in enumerate(RUNS):
        file = given.out / f"{kind}-{upsampling}.npz"
        if file.exists() or (given.only and kind not in given.only):
            continue
        reals = reals_of(kind, sources)
        samples = train(reals, upsampling, pictures.SEED + number)
        half = file.with_suffix(".half.npz")
        np.savez_compressed(half, samples=samples, reals=reals)
        half.rename(file)
