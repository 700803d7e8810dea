#!/usr/bin/env bash
# onnxruntime==1.32.0, onnx==1.23.2, numpy==2.4.6
# Guess: Resize (linear) of a uint8 picture gives the values of the same picture as float32, rounded; that is what it gives
# with antialias=1, and what Pillow and torch's interpolate give for bytes.
# Seen: without antialias every value is cut down, also where the picture grows, so pictures become darker by half a level.
# Random bytes, 128 to 57 and to 200 pixels a side, uint8 against float32:
#   to 57: mean -0.50, between -1 and 0
#   to 200: mean -0.50, between -1 and 0
#   to 57, antialias=1: mean 0.00
# Why it matters: the cast to float often stands behind the resizing in an exported network, to save memory; its features are
# then those of a darker picture than in training, one direction in every pixel, which averaging keeps and FID sees. The same
# happens to what torch.onnx.export makes of interpolate on bytes, which rounds in torch. What to do: Cast before Resize.
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
cat >"$work/resize.py" <<'PY'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

TYPES = {"uint8": TensorProto.UINT8, "float32": TensorProto.FLOAT}


def resized(values, side, antialias):
    of = TYPES[str(values.dtype)]
    sizes = numpy_helper.from_array(np.array([1, 3, side, side]), "sizes")
    node = helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], mode="linear", antialias=antialias)
    x, y = (helper.make_tensor_value_info(name, of, [1, 3, length, length]) for name, length in (("x", 128), ("y", side)))
    model = helper.make_model(
        helper.make_graph([node], "resize", [x], [y], [sizes]), opset_imports=[helper.make_opsetid("", 19)], ir_version=9
    )
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": values})[0].astype(np.float64)


picture = np.random.default_rng(0).integers(0, 256, (1, 3, 128, 128)).astype(np.uint8)
for side in (57, 200):
    apart = resized(picture, side, 0) - resized(picture.astype(np.float32), side, 0)
    cut = -1 <= apart.min() and apart.max() <= 0
    print(f"to {side}: mean {apart.mean():.2f}, {'between -1 and 0' if cut else 'other'}")
apart = resized(picture, 57, 1) - resized(picture.astype(np.float32), 57, 1)
print(f"to 57, antialias=1: mean {abs(apart.mean()):.2f}")
PY
seen=$("$work/venv/bin/python" "$work/resize.py")
echo "$seen"
[ "$seen" = "to 57: mean -0.50, between -1 and 0
to 200: mean -0.50, between -1 and 0
to 57, antialias=1: mean 0.00" ]
