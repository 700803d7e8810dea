"""The first convolutions of PP-OCRv5's recogniser as plain layers, and the ONNX graph that pools what they see.

The recogniser has a learned scale and shift before and after each activation. They are folded into the convolutions;
the shift after an activation is then also where the next convolution is padded, which changes the border by a little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from export import Graph
from onnx import numpy_helper

from giqa.text.models import RECOGNISER, file_of

TAPS = {7: "a", 11: "b", 15: "c", 21: "d"}  # after so many convolutions
LAST = max(TAPS)  # channels, rows, columns: a: 64, 24, w / 2; b: 128, 12, w / 2; c and d: 240, 12, w / 4
LETTER = 32  # pixels: what is pooled in windows is pooled over about a letter
BRIGHT = 0.5  # a deviation of the input, on the scale of -1 to 1 that the recogniser was trained with


@dataclass
class Layer:
    """A convolution, and whether hard swish follows."""

    weight: np.ndarray
    bias: np.ndarray
    strides: tuple[int, int]
    active: bool = False


def layers() -> list[Layer]:
    """The first LAST convolutions; the first takes one channel in place of three."""
    graph = onnx.load(file_of(RECOGNISER)).graph
    values = {tensor.name: numpy_helper.to_array(tensor).astype(np.float64) for tensor in graph.initializer}
    found: list[Layer] = []
    scale, shift = 1.0, 0.0  # of what the last activation gave
    for node in graph.node:
        constants = [values[name] for name in node.input if name in values]
        if node.op_type == "Conv":
            if len(found) == LAST:
                break
            weight, attributes = constants[0], {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            found.append(Layer(weight * scale, shift * weight.sum((1, 2, 3)), tuple(attributes["strides"])))
            scale, shift = 1.0, 0.0
        elif node.op_type == "BatchNormalization":
            gain, offset, mean, variance = constants
            factor = gain / np.sqrt(variance + 1e-5)
            _affine(found[-1], factor, offset - mean * factor)
        elif node.op_type == "HardSigmoid":
            found[-1].active = True
        elif node.op_type in ("Mul", "Add") and constants:
            value = constants[0].ravel()
            if not found[-1].active:
                _affine(found[-1], *((value, 0.0) if node.op_type == "Mul" else (1.0, value)))
            elif node.op_type == "Mul":
                scale, shift = scale * value.item(), shift * value.item()
            else:
                shift = shift + value.item()
    found[0].weight = found[0].weight.sum(1, keepdims=True) * BRIGHT
    return found


def _affine(layer: Layer, scale: np.ndarray | float, shift: np.ndarray | float) -> None:
    scale = np.broadcast_to(scale, layer.bias.shape)
    layer.weight = layer.weight * scale[:, None, None, None]
    layer.bias = layer.bias * scale + shift


def pooled(graph: Graph, x: str) -> str:
    """What all taps see of a line, (1, features): by channel mean, deviation, extremes, and those over letters."""
    parts = []
    for number, layer in enumerate(layers(), 1):
        side, group = layer.weight.shape[-1], len(layer.weight) if layer.weight.shape[1] == 1 and number > 1 else 1
        shape = {"kernel_shape": [side, side], "pads": [side // 2] * 4, "strides": list(layer.strides), "group": group}
        x = graph.add("Conv", x, graph.constant(layer.weight), graph.constant(layer.bias), **shape)
        if layer.active:
            x = graph.add("Mul", x, graph.add("HardSigmoid", x, alpha=1 / 6, beta=0.5))
        if number in TAPS:
            parts += _statistics(graph, x, TAPS[number])
    return graph.add("Concat", *parts, axis=1)


def _statistics(graph: Graph, x: str, tap: str) -> list[str]:
    def over(how: str, of: str) -> str:
        return graph.add(f"Reduce{how}", of, axes=[2, 3], keepdims=0)

    def deviation(of: str, mean: str) -> str:
        square = graph.add("Sub", over("Mean", graph.add("Mul", of, of)), graph.add("Mul", mean, mean))
        return graph.add("Sqrt", graph.add("Relu", square))

    mean = over("Mean", x)
    parts = [mean, deviation(x, mean), over("Max", x), over("Min", x)]
    if tap != "a":
        rows, columns = 12, LETTER // (2 if tap == "b" else 4)
        pads = [0, columns // 2, 0, columns // 2]
        letters = graph.add(
            "AveragePool", x, kernel_shape=[rows, columns], strides=[rows, columns // 2], pads=pads, count_include_pad=0
        )
        parts += [over("Max", letters), over("Min", letters), deviation(letters, over("Mean", letters))]
    return parts
