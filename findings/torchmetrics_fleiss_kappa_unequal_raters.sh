#!/usr/bin/env bash
# torchmetrics==1.9.0, torch==2.13.0, statsmodels==0.15.0
# Guess: FleissKappa of counts takes each picture with the number of raters that it has, or refuses counts whose rows differ,
# as statsmodels does; its documentation promises 1 for complete agreement, and its own example has rows of unequal sums.
# Seen: every row is taken to have as many raters as the largest one; agreement and chance are both too small, silently.
# With mode="probs" there is one more: the number of raters is taken for the number of categories.
#   complete agreement, 5 raters each: 1.00
#   complete agreement, 5, 3, 3 and 5 raters: 0.41
#   complete agreement, 40 pictures of 2 raters, one of 3: -0.05
#   statsmodels, 5, 3, 3 and 5 raters: refused
#   probs, 5 categories, 5 raters: 1.00; 5 categories, 3 raters: RuntimeError
# Why it matters: studies in a browser never end with equal numbers of votes for each picture, and one vote more turns 1 into
# less than chance. What to do: draw the same number of votes from each picture, or take Krippendorff's alpha, which is made
# for missing ones.
# Exits 0 when it is still so.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile -c "$here/constraints.txt" torch torchmetrics==1.9.0 statsmodels==0.15.0
cat >"$work/raters.py" <<'PY'
import torch
from statsmodels.stats.inter_rater import fleiss_kappa
from torchmetrics.nominal import FleissKappa


def kappa(rows, mode="counts"):
    metric = FleissKappa(mode=mode)
    metric.update(torch.as_tensor(rows))
    return round(float(metric.compute()), 2) + 0.0


print(f"complete agreement, 5 raters each: {kappa([[5, 0], [0, 5], [5, 0], [0, 5]]):.2f}")
unequal = [[5, 0], [0, 3], [3, 0], [0, 5]]
print(f"complete agreement, 5, 3, 3 and 5 raters: {kappa(unequal):.2f}")
two = [[2, 0], [0, 2]] * 20
print(f"complete agreement, 40 pictures of 2 raters, one of 3: {kappa([[3, 0], *two[1:]]):.2f}")
try:
    print(f"statsmodels, 5, 3, 3 and 5 raters: {fleiss_kappa(unequal):.2f}")
except AssertionError:
    print("statsmodels, 5, 3, 3 and 5 raters: refused")
for raters in (5, 3):
    said = torch.nn.functional.one_hot(torch.arange(10) % 5, 5).float()[:, :, None].repeat(1, 1, raters)
    try:
        print(f"probs, 5 categories, {raters} raters: {kappa(said, 'probs'):.2f}")
    except RuntimeError:
        print(f"probs, 5 categories, {raters} raters: RuntimeError")
PY
seen=$("$work/venv/bin/python" "$work/raters.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "complete agreement, 5 raters each: 1.00
complete agreement, 5, 3, 3 and 5 raters: 0.41
complete agreement, 40 pictures of 2 raters, one of 3: -0.05
statsmodels, 5, 3, 3 and 5 raters: refused
probs, 5 categories, 5 raters: 1.00
probs, 5 categories, 3 raters: RuntimeError" ]
