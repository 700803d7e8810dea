"""The trunks of learned quality, as PyTorch modules: pictures in, one number a head out."""

from __future__ import annotations

import torch
from torch import nn

VGG19 = (64, 64, "M", 128, 128, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4, "M", "M")  # a sixth max-pool
SMALL = (16, 32, 64, 128)
HIDDEN = 1024


def vgg19bn(n_heads: int, crop: int = 192) -> nn.Module:
    """The released scripts' trunk: VGG-19 with batch norm and a sixth max-pool, 4608 -> 1024 -> heads at 192 pixels.

    From scratch: convolutions Kaiming normal (fan out), linear layers N(0, .01).
    """
    layers: list[nn.Module] = []
    channels = 3
    for width in VGG19:
        if width == "M":
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            channels = width
    side = max(1, crop // 64)
    head = [nn.Flatten(), nn.Linear(channels * side * side, HIDDEN), nn.ReLU(inplace=True), nn.Linear(HIDDEN, n_heads)]
    return _initialised(nn.Sequential(*layers, *head))


class Small(nn.Module):
    """Four convolutions, then mean and deviation over places: it sees texture and structure, in any size.

    Small enough to learn from some thousands of pictures in minutes on one core.
    """

    def __init__(self, n_heads: int):
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for i, width in enumerate(SMALL):
            layers += [nn.Conv2d(channels, width, 3, stride=1 if i == 0 else 2, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            channels = width
        self.trunk = nn.Sequential(*layers)
        self.head = nn.Linear(2 * channels, n_heads)
        _initialised(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 3, h, w) -> (n, heads)."""
        x = self.trunk(x)
        mean = x.mean((2, 3))
        deviation = ((x - mean[:, :, None, None]).square().mean((2, 3)) + 1e-6).sqrt()
        return self.head(torch.cat([mean, deviation], dim=1))


def build(network: str, n_heads: int, crop: int) -> nn.Module:
    """The network of a name, with random weights."""
    return vgg19bn(n_heads, crop) if network == "vgg19bn" else Small(n_heads)


def _initialised(network: nn.Module) -> nn.Module:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01)
            nn.init.zeros_(module.bias)
    return network
