"""The student as one ONNX file: batch norm folded into the convolutions, weights kept in half precision."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from network import ARTEFACTS, CONTENT, SEEN_BY_ARTEFACTS, SIDE, SMALL, TAPS, Block, Heads, Student
from onnx import TensorProto, helper, numpy_helper
from torch import nn


class Graph:
    """Nodes and weights as they are added; weights are float16 in the file and float32 in the arithmetic."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, operation: str, *inputs: str, **attributes) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [name], **attributes))
        return name

    def constant(self, values: np.ndarray, dtype: type = np.float16) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values.astype(dtype), name))
        return self.add("Cast", name, to=TensorProto.FLOAT) if dtype is np.float16 else name

    def convolution(self, x: str, convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> str:
        factor = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach()
        weight = convolution.weight.detach() * factor[:, None, None, None]
        bias = (norm.bias - norm.running_mean * factor).detach()
        pad, stride = convolution.padding[0], convolution.stride[0]
        inputs = x, self.constant(weight.numpy()), self.constant(bias.numpy())
        kernel = list(weight.shape[2:])
        return self.add("Conv", *inputs, kernel_shape=kernel, pads=[pad] * 4, strides=[stride] * 2)

    def linear(self, x: str, linear: nn.Linear) -> str:
        weight, bias = linear.weight.detach().numpy().T, linear.bias.detach().numpy()
        return self.add("Gemm", x, self.constant(weight), self.constant(bias))

    def artefacts(self, x: str, module: nn.Sequential) -> str:
        """Log, the standardising that batch norm became, and two linear layers."""
        norm, first, _, second = module
        x = self.add("Log", self.add("Add", x, self.constant(np.array(SMALL), np.float32)))
        return self.linear(self.add("Relu", self.linear(self.standardised(x, norm), first)), second)

    def standardised(self, x: str, norm: nn.BatchNorm1d) -> str:
        scale = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach()
        shift = (norm.bias - norm.running_mean * scale).detach()
        x = self.add("Mul", x, self.constant(scale.numpy()[None], np.float32))
        return self.add("Add", x, self.constant(shift.numpy()[None], np.float32))

    def content(self, x: str, heads: Heads) -> str:
        """The first directions of what two deep teachers' layers are foretold to be, side by side."""
        parts = []
        for name, kept in CONTENT.items():
            norm, linear = heads.heads[name]
            first = nn.Linear(linear.in_features, kept)
            with torch.no_grad():
                first.weight.copy_(linear.weight[:kept])
                first.bias.copy_(linear.bias[:kept])
            parts.append(self.linear(self.standardised(x, norm), first))
        return self.add("Concat", *parts, axis=1)

    def layers(self, x: str, module: nn.Module) -> str:
        """A module of network.py and what is in it."""
        if isinstance(module, Block):
            *inside, last, norm = module.inner
            y = x
            for one in inside:
                y = self.layers(y, one)
            return self.add("Relu", self.add("Add", x, self.convolution(y, last, norm)))
        if isinstance(module[0], nn.Conv2d):
            return self.add("Relu", self.convolution(x, module[0], module[1]))
        for one in module:
            x = self.layers(x, one)
        return x


def export(student: Student, heads: Heads, path: Path) -> None:
    """Write `student` to `path`: pixels (float32, 0..255, 192 x 192) to NAME.mean, .std, .map of each tap."""
    graph, outputs = Graph(), []
    x = graph.add("Transpose", "pixels", perm=[0, 3, 1, 2])
    half, one = (graph.constant(np.array(value), np.float32) for value in (127.5, 1.0))
    x = graph.add("Sub", graph.add("Div", x, half), one)
    for number, stage in enumerate(student.stages):
        x = graph.layers(x, stage)
        for name in (name for name, (after, _) in TAPS.items() if after == number):
            maps = graph.layers(x, student.taps[name])
            mean = graph.add("GlobalAveragePool", maps)
            off = graph.add("Sub", maps, mean)
            variance = graph.add("GlobalAveragePool", graph.add("Mul", off, off))
            std = graph.add("Sqrt", graph.add("Add", variance, graph.constant(np.array(1e-6), np.float32)))
            for kind, values in (("mean", mean), ("std", std)):
                graph.nodes.append(helper.make_node("Flatten", [values], [f"{name}.{kind}"]))
                outputs.append((f"{name}.{kind}", [1, TAPS[name][1]]))
            graph.nodes.append(helper.make_node("Transpose", [maps], [f"{name}.map"], perm=[0, 2, 3, 1]))
            side = SIDE >> (number + 1)
            outputs.append((f"{name}.map", [1, side, side, TAPS[name][1]]))
    seen = [f"{tap}.{kind}" for tap in SEEN_BY_ARTEFACTS for kind in ("mean", "std")]
    found = graph.artefacts(graph.add("Concat", *seen, axis=1), student.artefacts)
    graph.nodes.append(helper.make_node("Identity", [found], ["artefacts"]))
    outputs.append(("artefacts", [1, ARTEFACTS]))
    found = graph.content(graph.add("Concat", "high.mean", "high.std", axis=1), heads)
    graph.nodes.append(helper.make_node("Identity", [found], ["content"]))
    outputs.append(("content", [1, sum(CONTENT.values())]))
    given, made = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in some]
        for some in ([("pixels", [1, SIDE, SIDE, 3])], outputs)
    )
    whole = helper.make_graph(graph.nodes, "giqa-embedded", given, made, graph.weights)
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
