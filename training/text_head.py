"""The shipped text network: the small one and a head on a recogniser's first layers, mixed, as one ONNX file.

`python training/text_head.py --data DIR --small text.pt --out text_2.onnx` takes the series of `text_series.py`, adds
to each a strip that `text_strips.py` damaged, keeps what the trunk (`text_trunk.py`) sees of them in DIR, trains the
head on that, and mixes it with the small network (`text_network.py`) by series that neither was trained on.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from export import Graph
from onnx import TensorProto, helper
from text_network import LOOKED_AT, Crops, TextNetwork, loss
from text_network import logits as small_logits
from text_series import MEMBERS, as_floats
from text_strips import KINDS, damaged
from text_trunk import pooled
from torch import nn
from torch.nn import functional

from giqa.features.onnx_session import open_session
from giqa.text.crops import HEIGHT
from giqa.text.damage import LEVELS

SEED = 20261129
HIDDEN, EPOCHS, RATE, DECAY = 96, 10, 1e-3, 0.1
KEPT = (0.5, 0.7)  # share of features, of hidden units, that a step of training sees
BOUND = 6.0  # deviations; what is seen lies within
BATCH = 24  # series


@dataclass
class Mix:
    """Shares of the logits of both networks, and a shift (levels,)."""

    small: float
    head: float
    shift: np.ndarray


class Head(nn.Module):
    """What the trunk sees, (n, features), to logits (n, len(LEVELS)): is the damage above each level?"""

    def __init__(self, mean: torch.Tensor, deviation: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.hidden, self.straight = nn.Linear(len(mean), HIDDEN), nn.Linear(len(mean), 1)
        self.last = nn.Linear(HIDDEN, len(LEVELS))

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        x = ((seen - self.mean) / self.deviation).clamp(-BOUND, BOUND)
        x = functional.dropout(x, 1 - KEPT[0], self.training)
        made = functional.dropout(functional.relu(self.hidden(x)), 1 - KEPT[1], self.training)
        return self.last(made) + self.straight(x)


def what_is_seen(shard: Path, session: object) -> dict[str, np.ndarray]:
    """Features and strengths, (n, members, ...), of the series of a shard, each with one strip more, damaged."""
    stored = dict(np.load(shard))
    ends = np.cumsum(stored["widths"])
    seen, strengths, first = [], [], int(shard.stem.split("-")[1])
    for i, widths in enumerate(stored["widths"]):
        start = ends[i * MEMBERS + MEMBERS - 1] - widths.sum()
        pieces = np.split(stored["ink"][start : start + widths.sum()], np.cumsum(widths)[:-1])
        strips = [as_floats(piece.T) for piece in pieces]
        rng = np.random.default_rng(first + i)
        of = int(rng.random() < 0.4)  # the clean one as it is, or the one with nuisances
        u = float(rng.choice([rng.uniform(0.08, 0.15), rng.uniform(0.15, 0.5)]))
        strips.append(damaged(strips[of], list(KINDS)[rng.integers(len(KINDS))], u, first + i))
        seen.append([session.run(["seen"], {"crop": strip[None, None]})[0][0] for strip in strips])
        strengths.append([*stored["strengths"][i], u])
    return {"seen": np.array(seen, np.float16), "strengths": np.array(strengths, np.float32)}


def train(seen: np.ndarray, strengths: np.ndarray, epochs: int = EPOCHS) -> Head:
    """AdamW, its rate going up for 50 steps and then down by a cosine.

    Parameters
    ----------
    seen : float16 array (series, members, features)
    strengths : float32 array (series, members)
    """
    torch.manual_seed(SEED)
    flat = seen.reshape(-1, seen.shape[-1])[:6000].astype(np.float32)
    head = Head(torch.from_numpy(flat.mean(0)), torch.from_numpy(flat.std(0) + 1e-3)).train()
    optimizer = torch.optim.AdamW(head.parameters(), weight_decay=DECAY)
    rng, size, steps = np.random.default_rng(SEED), min(BATCH, len(seen)), 0
    for _ in range(epochs):
        order = rng.permutation(len(seen))
        for start in range(0, len(order) - size + 1, size):
            done = steps / (epochs * (len(seen) // size))
            for group in optimizer.param_groups:
                group["lr"] = RATE * min(1.0, (steps + 1) / 50) * (0.5 + 0.5 * np.cos(np.pi * done)) + 1e-6
            some = order[start : start + size]
            optimizer.zero_grad()
            logits = head(torch.from_numpy(seen[some].astype(np.float32)))
            loss(logits, torch.from_numpy(strengths[some])).backward()
            optimizer.step()
            steps += 1
    return head.eval()


def write(graph: Graph, given: tuple[str, list], path: Path) -> None:
    """One ONNX file: `crop` (1, 1, 48, w) to what is given."""
    crop = helper.make_tensor_value_info("crop", TensorProto.FLOAT, [1, 1, HEIGHT, "w"])
    result = helper.make_tensor_value_info(given[0], TensorProto.FLOAT, given[1])
    made = helper.make_graph(graph.nodes, "giqa-text", [crop], [result], graph.weights)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())
    print(f"{path}: {path.stat().st_size:,} bytes", file=sys.stderr)


def export_trunk(path: Path) -> None:
    """`crop` to `seen` (1, features)."""
    graph = Graph()
    graph.nodes.append(helper.make_node("Identity", [pooled(graph, "crop")], ["seen"]))
    write(graph, ("seen", [1, None]), path)


def mixed(small: torch.Tensor, head: torch.Tensor, strengths: torch.Tensor) -> Mix:
    """Logits of both networks, (n, levels), to the mix that says best which levels the strengths (n,) are above.

    A share of each network, and a shift of each level, by logistic regression.
    """
    parts = torch.tensor([0.5, 0.5] + [0.0] * len(LEVELS), requires_grad=True)
    optimizer = torch.optim.LBFGS([parts], max_iter=100)
    above = (strengths[:, None] > torch.tensor(LEVELS)).float()

    def wrong() -> torch.Tensor:
        optimizer.zero_grad()
        logits = parts[0] * small + parts[1] * head + parts[2:]
        value = functional.binary_cross_entropy_with_logits(logits, above)
        value.backward()
        return value

    optimizer.step(wrong)
    shares = parts.detach()
    return Mix(shares[0].item(), shares[1].item(), shares[2:].numpy())


@torch.no_grad()
def export(small: TextNetwork, head: Head, mix: Mix, path: Path) -> None:
    """`crop` to `above` (1, len(LEVELS)), probabilities; weights in half precision, what standardises in single."""
    graph = Graph()
    x = pooled(graph, "crop")
    for operation, value in (("Sub", head.mean), ("Div", head.deviation)):
        x = graph.add(operation, x, graph.constant(value.numpy()[None], np.float32))
    x = graph.add("Clip", x, *(graph.constant(np.array(end), np.float32) for end in (-BOUND, BOUND)))
    hidden = graph.add("Relu", graph.linear(x, head.hidden))
    deep = graph.add("Add", graph.linear(hidden, head.last), graph.linear(x, head.straight))
    both = [
        graph.add("Mul", logits, graph.constant(np.array(share), np.float32))
        for logits, share in ((small_logits(graph, "crop", small), mix.small), (deep, mix.head))
    ]
    mean = graph.add("Add", graph.add("Add", *both), graph.constant(mix.shift[None], np.float32))
    graph.nodes.append(helper.make_node("Sigmoid", [mean], ["above"]))
    write(graph, ("above", [1, len(LEVELS)]), path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--small", type=Path, required=True, help="what `text_network.py` wrote")
    parser.add_argument("--out", type=Path, default=Path("text_2.onnx"))
    options = parser.parse_args()
    export_trunk(options.data / "trunk.onnx")
    session = open_session(options.data / "trunk.onnx", "text")
    for shard in sorted(options.data.glob("series-??????.npz")):
        kept = shard.with_name(shard.name.replace("series", "seen"))
        if not kept.exists():
            np.savez(kept, **what_is_seen(shard, session))
    parts = [np.load(file) for file in sorted(options.data.glob("seen-??????.npz"))]
    seen, strengths = (np.concatenate([part[name] for part in parts]) for name in ("seen", "strengths"))
    head = train(seen[LOOKED_AT:], strengths[LOOKED_AT:])
    small = TextNetwork()
    small.load_state_dict(torch.load(options.small, weights_only=True))
    small.eval()
    crops = Crops(options.data)
    with torch.no_grad():
        one = [small(*crops.batch(rows)[:2]) for rows in np.array_split(np.arange(LOOKED_AT), 20)]
        other = head(torch.from_numpy(seen[:LOOKED_AT, :MEMBERS].astype(np.float32))).flatten(0, 1)
    mix = mixed(torch.cat(one), other, torch.from_numpy(strengths[:LOOKED_AT, :MEMBERS]).flatten())
    export(small, head, mix, options.out)


if __name__ == "__main__":
    main()
