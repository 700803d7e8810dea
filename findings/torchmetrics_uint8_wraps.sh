#!/usr/bin/env bash
# torchmetrics==1.9.0, torch==2.13.0
# Guess: an image metric that takes uint8 pictures gives what it gives for the same values as floats; one that cannot says
# so, as SSIM does (RuntimeError: expected scalar type).
# Seen: total variation and PSNR with blocked effect subtract neighbouring pixels in uint8, where 10 - 20 is 246. A ramp
# of 8 x 8 pixels that rises from left to right, and the same ramp mirrored:
#   total variation, rising: uint8 560, float 560
#   total variation, falling: uint8 13776, float 560
#   PSNR-B, falling against grey: uint8 9.81, float 16.57
# Why it matters: pictures come as uint8 from every decoder, and total variation is a measure of noise: a mirrored
# picture counts as 24 times noisier. What to do: .float() before update.
# Exits 0 when it is still so.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile -c "$here/constraints.txt" torch torchmetrics==1.9.0
cat >"$work/ramps.py" <<'PY'
import torch
from torchmetrics.image import PeakSignalNoiseRatioWithBlockedEffect, TotalVariation

rising = (torch.arange(8) * 10).to(torch.uint8).expand(1, 1, 8, 8).contiguous()
falling = rising.flip(-1)


def value(metric, *pictures):
    metric.update(*pictures)
    return float(metric.compute())


for name, ramp in {"rising": rising, "falling": falling}.items():
    whole, exact = value(TotalVariation(), ramp), value(TotalVariation(), ramp.float())
    print(f"total variation, {name}: uint8 {whole:.0f}, float {exact:.0f}")
grey = torch.full_like(falling, 35)
wide = [picture.repeat(1, 1, 2, 2) for picture in (falling, grey)]
whole = value(PeakSignalNoiseRatioWithBlockedEffect(data_range=255.0), *wide)
exact = value(PeakSignalNoiseRatioWithBlockedEffect(data_range=255.0), *(picture.float() for picture in wide))
print(f"PSNR-B, falling against grey: uint8 {whole:.2f}, float {exact:.2f}")
PY
seen=$("$work/venv/bin/python" "$work/ramps.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "total variation, rising: uint8 560, float 560
total variation, falling: uint8 13776, float 560
PSNR-B, falling against grey: uint8 9.81, float 16.57" ]
