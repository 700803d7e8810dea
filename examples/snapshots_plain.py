"""Snapshots from a plain PyTorch loop: `python examples/snapshots_plain.py FOLDER`.

The generator is a toy that learns the colour of its reals; what matters are the lines with `snapshots`.
"""

import sys

import torch
from torch import nn

from giqa.train.snapshots import Snapshots

torch.manual_seed(0)
reals = torch.rand(64, 3, 8, 8) * 0.2 + 0.5  # from -1 to 1
generator = nn.Sequential(nn.Linear(4, 3 * 8 * 8), nn.Tanh(), nn.Unflatten(1, (3, 8, 8)))
discriminator = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 1))
learn_g, learn_d = (torch.optim.Adam(net.parameters(), 0.01) for net in (generator, discriminator))

snapshots = Snapshots(sys.argv[1], run="plain", every=10)
snapshots.write_reals(reals[:8])
latents = torch.randn(8, 4)  # the same at every snapshot


def sample() -> torch.Tensor:
    with torch.no_grad():
        return generator(latents)


for iteration in range(21):
    snapshots(iteration, sample)
    fakes = generator(torch.randn(32, 4))
    loss = nn.functional.softplus(discriminator(fakes.detach())) + nn.functional.softplus(-discriminator(reals[:32]))
    learn_d.zero_grad()
    loss.mean().backward()
    learn_d.step()
    learn_g.zero_grad()
    nn.functional.softplus(-discriminator(fakes)).mean().backward()
    learn_g.step()
