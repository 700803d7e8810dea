"""A small reference GAN: snapshots for learned scorers, OHEM in its loss, pictures for the picker. Resumable."""

from __future__ import annotations

import copy
import hashlib
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadModel, BadShape, BadSpec
from ..features.devices import find_device
from ..features.learned import frozen_scorer
from ..features.resize import resize
from ..features.weights import resolve
from ..files import replace_file
from ..images import open_source
from ..images.decode import decode
from ..registry import check_arguments
from ..tables.write import as_csv
from ..types import Progress
from .checkpoint import by_part, packed, read_checkpoint, restore_optimiser
from .ohem import RunningQuantile, ohem_weights
from .snapshots import Snapshots, as_pixels

KEY = "giqa-gan"
LAZY = 8  # the penalty every eighth step, eight times as strong
SIZES = (32, 64)
MOST = 1_000_000  # pictures of a step, or of a snapshot
AT_ONCE = 64  # pictures in a pass of the generator
LOG = ("step", "loss_d", "loss_g", "r1", "weighted_share")


def train_gan(
    reals: Any,
    folder: str | Path,
    *,
    steps: int = 20_000,
    size: int = 32,
    batch: int = 64,
    every: int = 1000,
    each: int = 50,
    quality: str | Path | None = None,
    weight: float = 2.0,
    threshold: float | None = None,
    start: str | Path | None = None,
    rate: float = 1e-3,
    gamma: float = 2.0,
    ema: float = 0.995,
    width: int = 32,
    device: str = "cpu",
    seed: int = 0,
    progress: Progress | None = None,
) -> Path:
    """Train a GAN on pictures; `folder` gets generator.safetensors, snapshots/ and log.csv.

    Non-saturating logistic loss, R1 penalty (every eighth step), an average of the generator's weights, which makes
    snapshots and pictures.

    Parameters
    ----------
    reals : path, array or source
        Pictures.
    folder : path
        What is written. The same call goes on from the checkpoint in it and ends with the same bits as if it had not
        been stopped, on the same device with as many threads.
    steps : int
        Of the generator, in all.
    size : 32 or 64
        Pixels a side.
    batch : int
        Pictures a step.
    every, each : int
        Steps between snapshots and checkpoints, and pictures a snapshot; all reals are written once.
    quality : path or None
        A network of `giqa train mbc` (NAME.safetensors) for OHEM: pictures with a low score get `weight` in the
        discriminator's loss; log.csv has the share that did.
    weight : float
        Of low-quality pictures.
    threshold : float or None
        A score below it is low; None: below the running fifth of recent ones.
    start : path or None
        The folder of another training to begin from, at its step.
    rate : float
        Of learning.
    gamma : float
        Of the R1 penalty.
    ema : float
        Of the average.
    width : int
        Of both networks.
    device : str
        "cpu", "cuda" or "mps".
    seed : int
        Of all that is random.
    progress : callable or None
        Gets ("train", steps done, steps in all).

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    BadSpec
        When an option is out of its range.
    BadModel
        When the checkpoint is of another training.
    BadSource, MissingExtra

    Examples
    --------
    It takes minutes and torch::

        folder = train_gan("reals/", "gan/", steps=2000)
        train_network("mbc", folder / "snapshots" / "snapshots.csv", "mbc.safetensors")
        train_gan("reals/", "ohem/", steps=4000, start=folder, quality="mbc.safetensors")
    """
    given = {"weight": weight, "threshold": threshold, "rate": rate, "gamma": gamma, "ema": ema, "width": width}
    given |= {"folder": folder, "quality": quality, "start": start, "device": device, "seed": seed, "size": size}
    check_arguments(train_gan, **given, steps=steps, batch=batch, every=every, each=each)
    if min(width, MOST - batch, MOST - each) < 1 or not 0 <= ema <= 1 or rate <= 0 or rate > 1:
        raise BadSpec(
            f"width is from 1, batch and each below {MOST:,}, ema 0 to 1, rate above 0 to 1; got width={width!r}, "
            f"batch={batch!r}, each={each!r}, ema={ema!r}, rate={rate!r}."
        )
    if size not in SIZES or min(steps, batch, every, each) < 1:
        raise BadSpec(f"size is {' or '.join(map(str, SIZES))}, steps, batch, every and each are from 1; got {size!r}.")
    folder, where = Path(folder), find_device(device, "giqa train gan")
    pixels = read_reals(reals, size)
    options = {"size": size, "batch": batch, "rate": rate, "gamma": gamma, "ema": ema, "width": width, "seed": seed}
    options |= {"quality": resolve(quality).sha256 if quality else None, "weight": weight, "threshold": threshold}
    gan = GAN(options, pixels, where, frozen_scorer(quality, device) if quality else None)
    if (folder / "gan.checkpoint").is_file():
        gan.restore(folder / "gan.checkpoint", same=True)
    elif start is not None:
        gan.restore(Path(start) / "gan.checkpoint", same=False)
    snapshots = Snapshots(folder / "snapshots", run=folder.name, every=every)
    snapshots.write_reals(pixels)
    while gan.done < steps:
        snapshots(gan.done, lambda: gan.sample(each, seed + gan.done))
        gan.step()
        if progress:
            progress("train", gan.done, steps)
        if gan.done % every == 0 or gan.done == steps:
            snapshots(gan.done, lambda: gan.sample(each, seed + gan.done))
            gan.keep(folder)
    return folder


def read_reals(reals: Any, size: int) -> np.ndarray:
    """All pictures of a source, squeezed to (size, size), uint8 (n, size, size, 3)."""
    source = open_source(reals)
    pictures = (decode(source.raw(i)).pixels for i in range(len(source)))
    return np.stack([np.clip(np.rint(resize(p, size)), 0, 255).astype(np.uint8) for p in pictures])


def sample_pictures(folder: str | Path, n: int, seed: int = 0, truncation: float = 1.0) -> np.ndarray:
    """Pictures of a trained generator, uint8 (n, size, size, 3).

    Parameters
    ----------
    folder : path
        Of `train_gan`.
    n : int
        How many.
    seed : int
        The same seed, the same pictures; they are made of `sample_latents`.
    truncation : float
        What latents are multiplied by: below 1 nearer to the middle, better and more alike.

    Returns
    -------
    uint8 array (n, size, size, 3)

    Raises
    ------
    BadModel
        When the folder holds no generator.
    """
    from .gan_network import Generator

    said, weights = read_checkpoint(Path(folder) / "generator.safetensors", KEY, "giqa train gan", "generator")
    generator = Generator(said["options"]["size"], said["options"]["width"])
    generator.load_state_dict(weights)
    return as_pixels(generated(generator, n, seed, truncation=truncation))


def sample_latents(n: int, seed: int = 0) -> Any:
    """The latents that `sample_pictures` makes pictures of, a tensor (n, 64); standard normal."""
    import torch

    from .gan_network import LATENT

    return torch.randn(n, LATENT, generator=torch.Generator().manual_seed(seed))


def write_sample(folder: str | Path, n: int, seed: int = 0, truncation: float = 1.0) -> Path:
    """FOLDER/sample.npz of `sample_pictures`, and their latents in sample-latents.npy; sample-0.7.npz if truncated."""
    name = "sample" if truncation == 1 else f"sample-{truncation:g}"
    content, latents = io.BytesIO(), io.BytesIO()
    np.savez_compressed(content, images=sample_pictures(folder, n, seed, truncation))
    np.save(latents, truncation * sample_latents(n, seed).numpy())
    replace_file(Path(folder) / f"{name}-latents.npy", latents.getvalue())
    return replace_file(Path(folder) / f"{name}.npz", content.getvalue())


def generated(generator: Any, n: int, seed: int, device: str = "cpu", truncation: float = 1.0) -> Any:
    """Tensor (n, 3, h, w) of a generator, from latents of a seed."""
    import torch

    latents = (truncation * sample_latents(n, seed)).to(device)
    with torch.no_grad():
        return torch.cat([generator(part) for part in latents.split(AT_ONCE)])


class GAN:
    """Both networks, the average of the generator, both optimisers, and the step; randomness is (seed, step)."""

    def __init__(self, options: Mapping[str, Any], pixels: np.ndarray, device: Any, quality: Callable | None):
        import torch

        from .gan_network import Discriminator, Generator

        self.options, self.pixels, self.device, self.quality = dict(options), pixels, device, quality
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options["seed"])
            networks = [kind(options["size"], options["width"]) for kind in (Generator, Discriminator)]
        fast = {"memory_format": torch.channels_last}  # a quarter less time on a CPU than channels first
        self.generator, self.discriminator = (network.to(device).to(**fast) for network in networks)
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        adam = {"lr": options["rate"], "betas": (0.0, 0.99)}
        self.learn_g = torch.optim.Adam(self.generator.parameters(), **adam)
        self.learn_d = torch.optim.Adam(self.discriminator.parameters(), **adam)
        self.quantile = RunningQuantile()
        self.done, self.log, self.recent = 0, [], []

    def step(self) -> None:
        """One step of the discriminator and one of the generator."""
        import torch
        from torch.nn import functional

        rng = np.random.default_rng((self.options["seed"], self.done))
        latents = torch.Generator().manual_seed(int(rng.integers(2**62)))
        fakes = self.generator(torch.randn(self.options["batch"], 64, generator=latents).to(self.device))
        weights = self._weights(fakes.detach())
        reals = self._reals(rng)
        on_fakes = functional.softplus(self.discriminator(fakes.detach()))
        loss_d = (weights * on_fakes).mean() + functional.softplus(-self.discriminator(reals)).mean()
        penalty = self._penalty(reals)
        self.learn_d.zero_grad(set_to_none=True)
        (loss_d + penalty).backward()
        self.learn_d.step()
        self.discriminator.requires_grad_(False)  # its slopes are not wanted here, and cost
        loss_g = functional.softplus(-self.discriminator(fakes)).mean()
        self.learn_g.zero_grad(set_to_none=True)
        loss_g.backward()
        self.discriminator.requires_grad_(True)
        self.learn_g.step()
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.generator.parameters(), strict=True):
                mean.lerp_(now, 1 - self.options["ema"])
        self.done += 1
        self.recent.append([float(v) for v in (loss_d.detach(), loss_g.detach(), penalty.detach())] + [self.share])

    def sample(self, n: int, seed: int) -> Any:
        """Pictures of the averaged generator, a tensor (n, 3, size, size) from -1 to 1."""
        return generated(self.average, n, seed, self.device)

    def keep(self, folder: Path) -> None:
        """Checkpoint, generator and log, each written atomically; the checkpoint last."""
        self.log.append([self.done, *np.mean(self.recent, axis=0).round(5).tolist()])
        self.recent = []
        columns = dict(zip(LOG, zip(*self.log, strict=True), strict=True))
        said = {"options": self.options, "pictures": self._digest(), "log": self.log}
        replace_file(folder / "log.csv", as_csv(columns).encode())
        replace_file(folder / "generator.safetensors", packed(self.average.state_dict(), said, KEY))
        replace_file(folder / "gan.checkpoint", packed(self._state(), said, KEY))

    def restore(self, path: Path, same: bool) -> None:
        """Go on from a checkpoint; `same`: only of this very training, else also of another with the same networks."""
        said, state = read_checkpoint(path, KEY, "giqa train gan")
        if same and (said["options"], said["pictures"]) != (self.options, self._digest()):
            raise BadModel(f"{path} is of a training with other pictures or options; give another folder.")
        parts = by_part(state, "/")
        try:
            for part in ("generator", "discriminator", "average"):
                vars(self)[part].load_state_dict(parts[part])
        except RuntimeError:
            raise BadShape(f"{path} has networks of another size or width; give the same ones.") from None
        for part in ("learn_g", "learn_d"):
            restore_optimiser(vars(self)[part], parts.get(part, {}), "/")
        self.quantile.restore({"recent": parts["quantile"]["recent"].numpy()} if same else {"recent": np.empty(0)})
        self.log = said["log"]
        self.done = int(self.log[-1][0])

    def _weights(self, fakes: Any) -> Any:
        """OHEM: the weight of each fake, 1 without a scorer; keeps the share that was weighted."""
        if self.quality is None:
            self.share = 0.0
            return 1.0
        scores = self.quality(fakes)
        running, fixed = self.quantile.update(scores), self.options["threshold"]
        threshold = running if fixed is None else fixed
        self.share = float((scores < threshold).double().mean())
        return ohem_weights(scores, threshold, self.options["weight"]).float()

    def _reals(self, rng: np.random.Generator) -> Any:
        """A batch of reals, mirrored half of the time, as a tensor from -1 to 1."""
        import torch

        rows = rng.integers(len(self.pixels), size=self.options["batch"])
        mirror = rng.random(len(rows)) < 0.5
        pixels = np.where(mirror[:, None, None, None], self.pixels[rows][:, :, ::-1], self.pixels[rows])
        return torch.from_numpy(pixels).permute(0, 3, 1, 2).to(self.device).float() / 127.5 - 1

    def _penalty(self, reals: Any) -> Any:
        from .gan_network import r1_penalty

        if self.done % LAZY or not self.options["gamma"]:
            return reals.new_zeros(())
        return self.options["gamma"] / 2 * LAZY * r1_penalty(self.discriminator, reals)

    def _digest(self) -> str:
        return hashlib.sha256(self.pixels.tobytes()).hexdigest()

    def _state(self) -> dict[str, Any]:
        import torch

        parts = {name: vars(self)[name].state_dict() for name in ("generator", "discriminator", "average")}
        parts["quantile"] = {"recent": torch.from_numpy(self.quantile.state()["recent"])}
        for name in ("learn_g", "learn_d"):
            kept = vars(self)[name].state_dict()["state"]
            parts[name] = {f"{number}/{key}": value for number, state in kept.items() for key, value in state.items()}
        return {f"{part}/{name}": value for part, values in parts.items() for name, value in values.items()}
