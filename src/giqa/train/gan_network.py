"""A compact generator and discriminator for 32 and 64 pixels, small enough to learn on a CPU."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

LATENT = 64


class Generator(nn.Module):
    """Latents (n, 64) to pictures (n, 3, size, size) from -1 to 1: convolutions after doubling, so no checkerboard.

    Each block: nearest neighbours doubled, a 3x3 convolution, pixel norm, leaky ReLU.
    """

    def __init__(self, size: int = 32, width: int = 32):
        super().__init__()
        channels = [width * size // 8 >> i for i in range(size.bit_length() - 3)]  # 128, 64, 32 at 32 pixels
        self.start = nn.Linear(LATENT, channels[0] * 16)
        self.blocks = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(channels))
        self.last = nn.Conv2d(channels[-1], 3, 3, padding=1)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        x = _normed(self.start(z).view(len(z), -1, 4, 4))
        for block in self.blocks:
            x = _normed(block(functional.interpolate(x, scale_factor=2)))
        return self.last(functional.interpolate(x, scale_factor=2)).tanh()


class Discriminator(nn.Module):
    """Pictures (n, 3, size, size) to logits (n,): strided 4x4 convolutions; no norm, so that rows do not mix."""

    def __init__(self, size: int = 32, width: int = 32):
        super().__init__()
        channels = [3, *(width << i for i in range(size.bit_length() - 3))]
        self.blocks = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(channels))
        self.last = nn.Linear(channels[-1] * 16, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = functional.leaky_relu(block(x), 0.2)
        return self.last(x.flatten(1))[:, 0]


def _normed(x: torch.Tensor) -> torch.Tensor:
    return functional.leaky_relu(x * (x.square().mean(1, keepdim=True) + 1e-6).rsqrt(), 0.2)


def r1_penalty(discriminator: nn.Module, reals: torch.Tensor) -> torch.Tensor:
    """Mean squared length of the gradient of the logits at real pictures (Mescheder et al. 2018).

    >>> r1_penalty(lambda x: 3 * x[:, 0], torch.zeros(2, 1)).item()
    9.0
    """
    reals = reals.detach().requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(reals).sum(), reals, create_graph=True)
    return slope.square().flatten(1).sum(1).mean()
