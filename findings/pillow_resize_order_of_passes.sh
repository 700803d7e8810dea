#!/usr/bin/env bash
# pillow==13.0.0, compared with pillow==12.0.0 (float pictures, mode "F", bicubic; Image.resize).
# Guess: resize goes across first and then down, as it always did, so a float picture resized by two versions of Pillow, or
# by another implementation of the same two passes, has the same bits.
# Seen: where more than twice as many rows as columns are taken away, 13.0.0 goes down first, and sums round otherwise.
#   12.0.0: 40 x 20 to 17 x 13 is across, then down
#   13.0.0: 40 x 20 to 17 x 13 is down, then across
# So features of tall pictures change in their last bits with the version of Pillow. What to do: name its version where
# bits matter, or do the two passes as two calls.
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat >"$work/order.py" <<'PY'
import numpy as np
import PIL
from PIL import Image

picture = Image.fromarray(np.random.default_rng(0).random((40, 20)).astype(np.float32) * 255)
whole = np.asarray(picture.resize((13, 17), Image.Resampling.BICUBIC))
orders = {"across, then down": (13, 40), "down, then across": (20, 17)}
for name, between in orders.items():
    two = picture.resize(between, Image.Resampling.BICUBIC).resize((13, 17), Image.Resampling.BICUBIC)
    orders[name] = np.array_equal(whole, np.asarray(two))
print(f"{PIL.__version__}: 40 x 20 to 17 x 13 is", " or ".join(name for name, same in orders.items() if same))
PY
seen=$(for version in 12.0.0 13.0.0; do
    python3 -m venv "$work/$version"
    "$work/$version/bin/pip" install -q "pillow==$version" numpy==2.4.6
    "$work/$version/bin/python" "$work/order.py"
done)
echo "$seen"
[ "$seen" = "12.0.0: 40 x 20 to 17 x 13 is across, then down
13.0.0: 40 x 20 to 17 x 13 is down, then across" ]
