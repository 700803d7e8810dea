#!/usr/bin/env bash
# torchmetrics==1.9.0, torch==2.13.0
# Guess: UniversalImageQualityIndex of a picture with itself is 1, and it always lies between -1 and 1, as its formula does.
# Seen: where a window is flat its variances and the covariance are differences of rounded numbers; only the variances are
# kept from falling below 0, and what is added to the divisor is one rounding step of 1. Such a window counts as anything.
# Pictures with themselves, noise above and one colour in the lower half (a sky, a background that was cut out):
#   noise alone, 0 to 1: 1.000
#   lower half 0.3, 0 to 1: between 0 and 0.9            (0.54)
#   lower half white, 0 to 255: below -1000              (-20833906688)
#   the same as float64: below -1000                     (-6944631808)
# (The digits depend on the processor; that they are wrong does not.)
# Why it matters: the index of a set is a mean over pixels, so one picture with a flat background decides it. What to do: SSIM,
# whose constants are there for this.
# Exits 0 when it is still so.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile -c "$here/constraints.txt" torch torchmetrics==1.9.0
cat >"$work/flat.py" <<'PY'
import torch
from torchmetrics.image import UniversalImageQualityIndex


def index(picture):
    metric = UniversalImageQualityIndex()
    metric.update(picture, picture)
    return float(metric.compute())


noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
half, bytes_ = noise.clone(), (noise * 255).round()
half[:, :, 32:] = 0.3
bytes_[:, :, 32:] = 255
print(f"noise alone, 0 to 1: {index(noise):.3f}")
print("lower half 0.3, 0 to 1:", "between 0 and 0.9" if 0 < index(half) < 0.9 else index(half))
print("lower half white, 0 to 255:", "below -1000" if index(bytes_) < -1000 else index(bytes_))
print("the same as float64:", "below -1000" if index(bytes_.double()) < -1000 else index(bytes_.double()))
PY
seen=$("$work/venv/bin/python" "$work/flat.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "noise alone, 0 to 1: 1.000
lower half 0.3, 0 to 1: between 0 and 0.9
lower half white, 0 to 255: below -1000
the same as float64: below -1000" ]
