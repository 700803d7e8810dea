"""What the tests of Inception share: a second, plain implementation of the network, and pictures."""

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F


class Unit(nn.Module):
    def __init__(self, ins, outs, kernel, stride=1, padding=0):
        super().__init__()
        self.conv = nn.Conv2d(ins, outs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outs, eps=0.001)

    def forward(self, x):
        return torch.relu(self.bn(self.conv(x)))


def average(x):
    """Mean over the neighbours that exist: the sum of nine over the count of nine, both with zeros around."""
    kernel = torch.ones(1, 1, 3, 3, dtype=x.dtype)
    total = F.conv2d(x.flatten(0, 1)[:, None], kernel, padding=1).view_as(x)
    return total / F.conv2d(torch.ones_like(x[:1, :1]), kernel, padding=1)


class Reference(nn.Module):
    """`width` scales the channels: 1 is the real network (24 million parameters)."""

    def __init__(self, width=1.0, classes=1008):
        super().__init__()
        self.w = lambda channels: max(2, round(channels * width))
        w, tall, wide = self.w, ((7, 1), 1, (3, 0)), ((1, 7), 1, (0, 3))
        self.unit("Conv2d_1a_3x3", 3, 32, 3, 2)
        self.unit("Conv2d_2a_3x3", w(32), 32, 3)
        self.unit("Conv2d_2b_3x3", w(32), 64, 3, 1, 1)
        self.unit("Conv2d_3b_1x1", w(64), 80, 1)
        self.unit("Conv2d_4a_3x3", w(80), 192, 3)
        ins = w(192)
        for block, pooled in (("5b", 32), ("5c", 64), ("5d", 64)):
            self.path(block, "branch1x1", ins, (64, 1))
            self.path(block, "branch5x5_", ins, (48, 1), (64, 5, 1, 2))
            self.path(block, "branch3x3dbl_", ins, (64, 1), (96, 3, 1, 1), (96, 3, 1, 1))
            self.path(block, "branch_pool", ins, (pooled, 1))
            ins = w(64) + w(64) + w(96) + w(pooled)
        self.path("6a", "branch3x3", ins, (384, 3, 2))
        self.path("6a", "branch3x3dbl_", ins, (64, 1), (96, 3, 1, 1), (96, 3, 2))
        ins += w(384) + w(96)
        for block, c in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
            self.path(block, "branch1x1", ins, (192, 1))
            self.path(block, "branch7x7_", ins, (c, 1), (c, *wide), (192, *tall))
            self.path(block, "branch7x7dbl_", ins, (c, 1), (c, *tall), (c, *wide), (c, *tall), (192, *wide))
            self.path(block, "branch_pool", ins, (192, 1))
            ins = 4 * w(192)
        self.path("7a", "branch3x3_", ins, (192, 1), (320, 3, 2))
        self.path("7a", "branch7x7x3_", ins, (192, 1), (192, *wide), (192, *tall), (192, 3, 2))
        ins += w(320) + w(192)
        for block in ("7b", "7c"):
            self.path(block, "branch1x1", ins, (320, 1))
            self.path(block, "branch3x3_", ins, (384, 1))
            self.path(block, "branch3x3dbl_", ins, (448, 1), (384, 3, 1, 1))
            for end in ("3x3_2", "3x3dbl_3"):
                self.unit(f"Mixed_{block}.branch{end}a", w(384), 384, (1, 3), 1, (0, 1))
                self.unit(f"Mixed_{block}.branch{end}b", w(384), 384, (3, 1), 1, (1, 0))
            self.path(block, "branch_pool", ins, (192, 1))
            ins = w(320) + 4 * w(384) + w(192)
        self.fc = nn.Linear(ins, classes)

    def unit(self, name, ins, outs, *rest):
        self.add_module(name.replace(".", "-"), Unit(ins, self.w(outs), *rest))

    def path(self, block, stem, ins, *units):
        for number, (outs, *rest) in enumerate(units, 1):
            self.unit(
                f"Mixed_{block}.{stem}{number}" if stem.endswith("_") else f"Mixed_{block}.{stem}", ins, outs, *rest
            )
            ins = self.w(outs)

    def go(self, x, block, *names):
        for name in names:
            x = self.get_submodule(f"Mixed_{block}-branch{name}")(x)
        return x

    def forward(self, x):
        taps = {}

        def tap(name, value):
            taps[name] = value
            return value

        for name in ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"):
            x = tap(name, self.get_submodule(name)(x))
        x = tap("MaxPool_1", F.max_pool2d(x, 3, 2))
        for name in ("Conv2d_3b_1x1", "Conv2d_4a_3x3"):
            x = tap(name, self.get_submodule(name)(x))
        x = tap("MaxPool_2", F.max_pool2d(x, 3, 2))
        for b in ("5b", "5c", "5d"):
            five, three = self.go(x, b, "5x5_1", "5x5_2"), self.go(x, b, "3x3dbl_1", "3x3dbl_2", "3x3dbl_3")
            x = tap(f"Mixed_{b}", torch.cat([self.go(x, b, "1x1"), five, three, self.go(average(x), b, "_pool")], 1))
        three, double = self.go(x, "6a", "3x3"), self.go(x, "6a", "3x3dbl_1", "3x3dbl_2", "3x3dbl_3")
        x = tap("Mixed_6a", torch.cat([three, double, F.max_pool2d(x, 3, 2)], 1))
        for b in ("6b", "6c", "6d", "6e"):
            seven = self.go(x, b, "7x7_1", "7x7_2", "7x7_3")
            double = self.go(x, b, *(f"7x7dbl_{i}" for i in range(1, 6)))
            x = tap(f"Mixed_{b}", torch.cat([self.go(x, b, "1x1"), seven, double, self.go(average(x), b, "_pool")], 1))
        three, seven = self.go(x, "7a", "3x3_1", "3x3_2"), self.go(x, "7a", *(f"7x7x3_{i}" for i in range(1, 5)))
        x = tap("Mixed_7a", torch.cat([three, seven, F.max_pool2d(x, 3, 2)], 1))
        for b in ("7b", "7c"):
            three, double = self.go(x, b, "3x3_1"), self.go(x, b, "3x3dbl_1", "3x3dbl_2")
            pooled = average(x) if b == "7b" else F.max_pool2d(x, 3, 1, 1)
            parts = [self.go(x, b, "1x1"), self.go(three, b, "3x3_2a"), self.go(three, b, "3x3_2b")]
            parts += [self.go(double, b, "3x3dbl_3a"), self.go(double, b, "3x3dbl_3b"), self.go(pooled, b, "_pool")]
            x = tap(f"Mixed_{b}", torch.cat(parts, 1))
        tap("logits", self.fc(tap("pool", x.flatten(2).mean(2))))
        return taps

    def official(self):
        return {name.replace("-", "."): value for name, value in self.state_dict().items()}


def reference(width, seed=0):
    torch.manual_seed(seed)
    net = Reference(width).eval()
    for module in net.modules():
        if isinstance(module, Unit):
            nn.init.normal_(module.conv.weight, std=(2 / module.conv.weight[0].numel()) ** 0.5)
            nn.init.uniform_(module.bn.weight, 0.8, 1.2)
            nn.init.normal_(module.bn.bias, std=0.1)
            nn.init.normal_(module.bn.running_mean, std=0.1)
            nn.init.uniform_(module.bn.running_var, 0.5, 1.5)
    return net


def picture(height, width, seed):
    rough = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(rough).resize((width, height)))


PICTURES = [picture(64, 64, 1), picture(80, 50, 2), picture(299, 299, 3), picture(400, 300, 4), picture(32, 32, 5)]
