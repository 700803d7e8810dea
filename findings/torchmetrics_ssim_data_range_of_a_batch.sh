#!/usr/bin/env bash
# torchmetrics==1.9.0, torch==2.13.0
# Guess: without `data_range`, StructuralSimilarityIndexMeasure takes the range of all that it was given, as the class
# documents it ("determined from the data (max - min)"); how the pictures are cut into batches cannot matter.
# Seen: every `update` takes the range of its own batch, and the mean is taken over these. The same six pairs of pictures,
# handed in batches of 6, of 4 and 2, and one by one:
#   SSIM, no data_range: 0.466 0.403 0.356
#   MS-SSIM, no data_range: 0.593 0.543 0.487
#   SSIM, data_range=1.0: 0.501 0.501 0.501
# Why it matters: two runs with another batch size, or with another order of the pictures, differ by 0.11, which is more
# than most differences that are published. What to do: always give data_range.
# Exits 0 when it is still so.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile -c "$here/constraints.txt" torch torchmetrics==1.9.0
cat >"$work/batches.py" <<'PY'
import torch
from torch.nn.functional import avg_pool2d
from torchmetrics.image import MultiScaleStructuralSimilarityIndexMeasure as MSSSIM
from torchmetrics.image import StructuralSimilarityIndexMeasure as SSIM

torch.set_num_threads(1)
torch.manual_seed(0)
level = torch.linspace(0.3, 1, 6)[:, None, None, None]  # darker and lighter pictures, all within 0 and 1
real = (avg_pool2d(torch.rand(6, 3, 1, 1) * torch.rand(6, 3, 48, 48), 3, 1, 1) * level).clamp(0, 1)
noise = 0.05 * torch.linspace(0.3, 2, 6)[:, None, None, None]
made = (real + noise * torch.randn_like(real)).clamp(0, 1)
for name, metric in {
    "SSIM, no data_range": lambda: SSIM(),
    "MS-SSIM, no data_range": lambda: MSSSIM(kernel_size=3, betas=(0.3, 0.7)),
    "SSIM, data_range=1.0": lambda: SSIM(data_range=1.0),
}.items():
    seen = []
    for size in (6, 4, 1):
        whole = metric()
        for some_made, some_real in zip(made.split(size), real.split(size), strict=True):
            whole.update(some_made, some_real)
        seen.append(f"{float(whole.compute()):.3f}")
    print(f"{name}:", *seen)
PY
seen=$("$work/venv/bin/python" "$work/batches.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "SSIM, no data_range: 0.466 0.403 0.356
MS-SSIM, no data_range: 0.593 0.543 0.487
SSIM, data_range=1.0: 0.501 0.501 0.501" ]
