"""Pictures a second from PNG files to features, giqa beside pytorch-fid, in one run.

    python -m benchmarks.speed.pytorch_fid_comparison --peer PEER/bin/python [--number 96] [--rounds 5]

Needs: for the peer's row, an environment with pytorch-fid (--peer, see below).
Takes: about 3 minutes with the peer.

The files are PNGs of 256 px that the script has just written, so they are read from the system's cache: toy views, or
the middles of the pictures in --pictures. Each round runs every way once over all files, decoding included, and begins
with another way; a round before them all, not counted, loads the networks. A ratio is the median of the ratios within
the rounds. Shared machines drift: believe the ratios.

| way | what runs |
|---|---|
| embedded | the network that comes with giqa, or the ONNX file of `--embedded` |
| inception, pool | FID's whole network in float32, resized as pytorch-fid resizes: the same features |
| inception, Mixed_5d | `recommended`: the network up to Mixed_5d in float32 |
| pytorch-fid | its `get_activations`: 32 pictures a batch, 2048 features, as many workers as its command would start |

Both whole networks have the same random weights, and the run says how far apart their features are. pytorch-fid lives
in an environment of its own, since torchvision does not import beside the PyTorch of constraints.txt; two operations
that torchvision misses there are declared before the import, and no picture passes through them:

    python -m venv PEER
    PEER/bin/pip install -c constraints.txt torch numpy scipy pillow tqdm
    PEER/bin/pip install --no-deps torchvision==0.28.0 pytorch-fid==0.3.0

Its interpreter stays up between the rounds and computes when asked to, so that starting it is not counted. Workers are
started in every round, as pytorch-fid starts them for every folder. Without `--peer` its line is left out.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.shared import ROOT, command, cores, existing, head, interleaved, median_range, results, row, timed

SIDE = 256
BATCH = 32
PEER, WHOLE = "pytorch-fid", "giqa inception, float32, pool"
WEIGHTS, FILES, FEATURES, LOG = "random.npz", "pictures", "features.npy", "peer.log"  # names in the shared folder


def serve(folder: Path) -> None:
    """The peer's side, in an interpreter without giqa: a line of seconds for each line that comes in."""
    import torch

    for operation in ("nms", "qnms"):
        torch.library.define(f"torchvision::{operation}", "(Tensor dets, Tensor scores, float threshold) -> Tensor")

    from pytorch_fid import fid_score, inception

    def random_weights(*_, **__) -> dict[str, torch.Tensor]:
        """In place of the download: giqa's folded weights, with batch norms that add the bias and leave the scale."""
        state = {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}  # there, and never computed
        for name, array in np.load(folder / WEIGHTS).items():
            layer, _, kind = name.rpartition(".conv.")
            if kind == "weight":
                state[name] = torch.from_numpy(array)
                continue
            bias = torch.from_numpy(array)
            norm = {"weight": torch.ones_like(bias), "bias": bias, "running_mean": torch.zeros_like(bias)}
            norm["running_var"] = torch.full_like(bias, 1 - 0.001)  # its eps is 0.001
            state |= {f"{layer}.bn.{part}": values for part, values in norm.items()}
        return state

    inception.load_state_dict_from_url = random_weights
    model = inception.InceptionV3([inception.InceptionV3.BLOCK_INDEX_BY_DIM[2048]])
    files = sorted((folder / FILES).glob("*.png"))
    workers = min(cores(), 8)  # what its command starts
    answer(f"{workers} workers, {versions('pytorch-fid', 'torch', 'torchvision', 'numpy', 'pillow')}")
    for _ in sys.stdin:
        with contextlib.redirect_stdout(sys.stderr):  # it prints warnings; the answers have stdout to themselves
            start = time.perf_counter()
            features = fid_score.get_activations(files, model, BATCH, 2048, "cpu", workers)
            seconds = time.perf_counter() - start
        np.save(folder / FEATURES, features)
        answer(seconds)


def versions(*packages: str) -> str:
    return ", ".join(f"{name} {version(name)}" for name in packages)


def answer(value: str | float) -> None:
    print(json.dumps(value), flush=True)


class Peer:
    """pytorch-fid in a process of its own."""

    def __init__(self, python: Path, folder: Path):
        self.log = folder / LOG
        words = [str(python), "-m", "benchmarks.speed.pytorch_fid_comparison", "--serve", str(folder)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(words, stderr=log, cwd=ROOT, **pipes)
        self.about = self._answer()

    def seconds(self) -> float:
        with contextlib.suppress(BrokenPipeError):  # the missing answer says why
            self.process.stdin.write("round\n")
            self.process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()  # ends its loop
        self.process.wait()

    def _answer(self) -> str | float:
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise SystemExit(f"{self.process.args[0]} ended; the last it said:\n{self.log.read_text()[-2000:]}")
        return json.loads(line)


def write_pictures(where: Path | None, folder: Path, number: int) -> str:
    """PNGs of 256 px in `folder`, from what is in `where` or drawn; says what they are."""
    from PIL import Image

    from giqa.errors import BadImage
    from giqa.images import open_source
    from giqa.images.decode import decode
    from giqa.images.toy import landscape

    folder.mkdir()
    if where is None:
        for index in range(number):
            pixels = landscape(np.random.default_rng([0, 0, index]), SIDE)
            Image.fromarray(pixels).save(folder / f"{index:05d}.png")
        return "toy landscapes"
    source, written = open_source(where), 0
    for index in np.random.default_rng(0).permutation(len(source)):
        if written == number:
            break
        try:
            picture = Image.fromarray(decode(source.raw(int(index))).pixels)
        except BadImage:
            continue
        side = min(picture.size)
        if side < SIDE:
            continue
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        picture = picture.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        picture.save(folder / f"{written:05d}.png")
        written += 1
    if written < number:
        raise SystemExit(f"{where} has {written} pictures of at least {SIDE} px, and {number} are asked for")
    return f"pictures of {where}"


def giqa_ways(folder: Path, embedded: Path | None) -> dict[str, Callable[[], np.ndarray]]:
    """What giqa runs: name -> a call that extracts from all files and returns the widest layer."""
    from safetensors.numpy import save_file

    from benchmarks.speed.inception import random_weights
    from giqa.features.embedded import Embedded
    from giqa.features.inception import Inception
    from giqa.features.reader import extract

    tensors = random_weights()
    save_file(tensors, weights := folder / "random.safetensors")
    np.savez(folder / WEIGHTS, **tensors)
    extractors = {
        "giqa embedded": Embedded(weights=embedded),
        WHOLE: Inception(weights, preset="released"),
        "giqa inception, float32, Mixed_5d": Inception(weights),
    }

    def run(extractor) -> np.ndarray:
        found = extract(folder / FILES, extractor, store=False)
        if found.failures:
            raise SystemExit(f"not every file was read: {found.failures}")
        return max(found.features.layers.values(), key=lambda layer: layer.shape[1])

    return {name: lambda extractor=extractor: run(extractor) for name, extractor in extractors.items()}


def report(rates: dict[str, list[float]]) -> None:
    head("what", "pictures/s, median", "range", f"x {PEER}", f"x {WHOLE}")
    for name, values in rates.items():
        ratios = []
        for base in (PEER, WHOLE):
            times = [mine / other for mine, other in zip(values, rates.get(base, ()), strict=False)]
            ratios.append(median_range(times)[0] if times else "–")
        row(name, *median_range(values), *ratios)


def measure(asked: argparse.Namespace, folder: Path) -> None:
    what = write_pictures(asked.pictures, folder / FILES, asked.number)
    ways = giqa_ways(folder, asked.embedded)
    clocks = {name: partial(timed, work) for name, work in ways.items()}
    with contextlib.ExitStack() as stack:
        if asked.peer:
            peer = Peer(asked.peer, folder)
            stack.callback(peer.close)
            clocks[PEER] = peer.seconds
        seconds = interleaved(clocks, asked.rounds)
    print(f"{asked.number} PNGs of {SIDE} px ({what}), rounds: {asked.rounds}, features out, nothing kept")
    report({name: [asked.number / each for each in values] for name, values in seconds.items()})
    if asked.peer:
        mine, theirs = ways[WHOLE](), np.load(folder / FEATURES)
        apart = np.linalg.norm(mine - theirs) / np.linalg.norm(theirs)
        print(f"\n{WHOLE} against {PEER}: features {apart:.0e} apart (relative L2)\n\nThe peer: {peer.about}")
    else:
        print(f"\n{PEER} was not measured: --peer names the interpreter that has it")
    print(f"\ngiqa's: {versions('torch', 'onnxruntime', 'numpy', 'pillow')}")


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--peer", type=existing, help="the interpreter of the environment that has pytorch-fid")
    parser.add_argument("--embedded", type=existing, help="an ONNX file in place of the network that comes with giqa")
    parser.add_argument("--pictures", type=existing, help="a folder of pictures in place of toy landscapes")
    parser.add_argument("--number", type=int, default=96, help="of files (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        return serve(asked.serve)
    with results(asked), tempfile.TemporaryDirectory() as home:
        os.environ["GIQA_HOME"] = home
        measure(asked, Path(home))


if __name__ == "__main__":
    main()
