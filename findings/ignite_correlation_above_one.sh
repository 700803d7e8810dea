#!/usr/bin/env bash
# pytorch-ignite==0.5.5, torch==2.13.0, numpy==2.4.6
# Guess: PearsonCorrelation is right to about the digits of its input, as torchmetrics' PearsonCorrCoef is, and in float64 to
# all that anybody looks at.
# Seen: it adds up squares and products in float32, also those of float64 values, and subtracts them at the end; where the
# mean is large against the spread nothing is left. 200 scores of spread 1 and truth 0.4 around a mean:
#   mean 0: off by less than 0.001
#   mean 1000, float32: off by more than 0.01
#   mean 3000, float64: off by more than 0.1
# and scores that agree closely (truth 0.995) have a correlation above 1:
#   50 pairs around 1000: above 1
# (The digits depend on the order of sums; that they are wrong does not.)
# Why it matters: correlations with people's ratings are what a score is judged by, and scores that are log-densities have
# means of thousands. A value between 0 and 1 looks like any other. What to do: subtract the mean of the first batch from
# both, or use EpochMetric with numpy.corrcoef.
# Exits 0 when it is still so.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile -c "$here/constraints.txt" torch pytorch-ignite==0.5.5 numpy==2.4.6
cat >"$work/correlation.py" <<'PY'
import numpy as np
import torch
from ignite.metrics.regression import PearsonCorrelation


def correlation(x, y, batch):
    metric = PearsonCorrelation()
    for start in range(0, len(x), batch):
        metric.update((x[start : start + batch], y[start : start + batch]))
    return float(metric.compute())


rng = np.random.default_rng(0)
for mean, kind, least in ((0, torch.float32, None), (1000, torch.float32, 0.01), (3000, torch.float64, 0.1)):
    x = rng.standard_normal(200)
    y = 0.4 * x + 0.9 * rng.standard_normal(200)
    x, y = (torch.tensor(values + mean, dtype=kind) for values in (x, y))
    off = abs(correlation(x, y, 200) - np.corrcoef(x.double(), y.double())[0, 1])
    if least is None:
        print(f"mean {mean}:", "off by less than 0.001" if off < 0.001 else f"off by {off}")
    else:
        name = str(kind).removeprefix("torch.")
        print(f"mean {mean}, {name}:", f"off by more than {least}" if off > least else f"off by {off}")
above = []
for seed in range(20):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(50)
    x, y = (torch.tensor(v + 1000, dtype=torch.float32) for v in (x, x + 0.1 * rng.standard_normal(50)))
    above.append(correlation(x, y, 10) > 1)
print("50 pairs around 1000:", "above 1" if any(above) else "not above 1")
PY
seen=$("$work/venv/bin/python" "$work/correlation.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "mean 0: off by less than 0.001
mean 1000, float32: off by more than 0.01
mean 3000, float64: off by more than 0.1
50 pairs around 1000: above 1" ]
