#!/usr/bin/env bash
# datasets==5.2.0, pillow==13.0.0, numpy==2.4.6
# Guess: with_format("numpy") gives the colours of a picture, as its viewer and Pillow's convert("RGB") show them, or refuses
# the modes that have none.
# Seen: it gives what Pillow holds inside, without a word: of a picture with a palette the numbers of its colours, in the shape
# of a grey picture, of CMYK four channels of ink, as if the fourth were alpha. "torch" does the same, with channels first.
# A picture of 8 x 8, half white and half yellow, from four files, and the mean of what comes out against the mean of its RGB:
#   RGB PNG: (8, 8, 3) uint8, mean 212.5 of 212.5
#   PNG with a palette: (8, 8) uint8, mean 0.5 of 212.5
#   CMYK TIFF: (8, 8, 4) uint8, mean 31.9 of 212.5
#   1-bit PNG: (8, 8) bool, mean 1.0 of 255.0
# Why it matters: small PNGs and GIFs have palettes, printed matter is CMYK; in a training loop or before a network that takes
# grey they pass for nearly black pictures, and their features are in the FID. What to do: cast_column("image",
# Image(mode="RGB")) before with_format (it clips 16-bit grey, though), or convert in map.
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 datasets==5.2.0 pillow==13.0.0
cat >"$work/modes.py" <<'PY'
import os
import sys

import datasets
import numpy as np
from PIL import Image

datasets.disable_progress_bars()
os.chdir(sys.argv[1])
picture = Image.new("RGB", (8, 8), "white")
picture.paste("yellow", (0, 0, 4, 8))
files = {
    "RGB PNG": ("a.png", picture),
    "PNG with a palette": ("p.png", picture.quantize(2)),
    "CMYK TIFF": ("c.tif", picture.convert("CMYK")),
    "1-bit PNG": ("b.png", Image.new("1", (8, 8), 1)),
}
for name, (path, made) in files.items():
    made.save(path)
    rows = datasets.Dataset.from_dict({"image": [path]}).cast_column("image", datasets.Image())
    given = rows.with_format("numpy")[0]["image"]
    colours = np.asarray(Image.open(path).convert("RGB")).mean()
    print(f"{name}: {given.shape} {given.dtype}, mean {given.mean():.1f} of {colours:.1f}")
PY
seen=$(HF_HUB_OFFLINE=1 HF_HOME="$work/home" "$work/venv/bin/python" "$work/modes.py" "$work" 2>/dev/null)
echo "$seen"
[ "$seen" = "RGB PNG: (8, 8, 3) uint8, mean 212.5 of 212.5
PNG with a palette: (8, 8) uint8, mean 0.5 of 212.5
CMYK TIFF: (8, 8, 4) uint8, mean 31.9 of 212.5
1-bit PNG: (8, 8) bool, mean 1.0 of 255.0" ]
