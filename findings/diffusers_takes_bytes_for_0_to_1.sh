#!/usr/bin/env bash
# diffusers==0.42.1, torch==2.13.0, pillow==13.0.0, numpy==2.4.6
# Guess: VaeImageProcessor.preprocess gives values between -1 and 1 for every input that it takes; uint8 pictures are
# divided by 255, as Pillow pictures are, or refused.
# Seen: arrays and tensors are taken to be between 0 and 1 whatever their dtype, and 16-bit grey pictures of Pillow are
# divided by 255; the range that comes out is not looked at. A picture with values from 0 to its type's largest:
#   Pillow, 8 bit: -1 to 1
#   array, uint8: -1 to 509
#   tensor, uint8: -1 to 509
#   Pillow, 16 bit: -1 to 513
# One more: a batch is only left as it is when its smallest value is below 0, so a batch that is already between -1 and 1
# but bright (nothing below 0) is scaled again:
#   tensor, 0.2 to 1: -0.6 to 1
# Why it matters: an encoder or a scorer that is fed so saturates and answers, without an error; features of 16-bit grey
# pictures, and of arrays as every decoder gives them, are those of a white picture. What to do: divide before, and check.
# Exits 0 when it is still so.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile -c "$here/constraints.txt" torch diffusers==0.42.1 pillow==13.0.0 numpy==2.4.6
cat >"$work/ranges.py" <<'PY'
import numpy as np
import torch
from diffusers.image_processor import VaeImageProcessor
from PIL import Image

processor = VaeImageProcessor()
grey = np.linspace(0, 255, 64 * 64).round().astype(np.uint8).reshape(64, 64)
colour = grey[..., None].repeat(3, axis=2)
deep = (grey.astype(np.uint16) << 8) | grey  # 0 to 65535
for name, given in {
    "Pillow, 8 bit": Image.fromarray(colour),
    "array, uint8": colour[None],
    "tensor, uint8": torch.from_numpy(colour).permute(2, 0, 1)[None],
    "Pillow, 16 bit": Image.fromarray(deep),
    "tensor, 0.2 to 1": torch.linspace(0.2, 1, 64 * 64).reshape(1, 1, 64, 64).repeat(1, 3, 1, 1),
}.items():
    low, high = processor.preprocess(given).aminmax()
    print(f"{name}: {float(low):.3g} to {float(high):.3g}")
PY
seen=$("$work/venv/bin/python" "$work/ranges.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "Pillow, 8 bit: -1 to 1
array, uint8: -1 to 509
tensor, uint8: -1 to 509
Pillow, 16 bit: -1 to 513
tensor, 0.2 to 1: -0.6 to 1" ]
