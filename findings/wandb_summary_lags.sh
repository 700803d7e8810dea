#!/usr/bin/env bash
# wandb==0.31.0, offline
# Guess: after run.log({"fd": 9}, step=1) run.summary["fd"] is 9.
# Seen: with step= the row of a step is closed by the next step, and the summary is that of the row before:
#   step 0 logs 10: the summary has nothing; step 1 logs 9: it says 10; step 2 logs 8: it says 9, to the end of the run
#   after the run has finished it says None, with a warning
#   without step= it says 8
# So a checkpoint that is kept by run.summary is judged by the look before, and the last look is never seen in the process.
# What to do: keep the value that was logged, log without step=, or log(..., commit=True).
#   with step= and commit=True: 8
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q wandb==0.31.0
cat >"$work/summary.py" <<'PY'
import sys

import wandb

settings = wandb.Settings(silent=True)
for how in ("step", "plain", "commit"):
    said = []
    with wandb.init(mode="offline", dir=sys.argv[1], project="summary", settings=settings) as run:
        for step, value in enumerate((10, 9, 8)):
            more = {"step": {"step": step}, "plain": {}, "commit": {"step": step, "commit": True}}[how]
            run.log({"fd": value}, **more)
            said.append(run.summary.get("fd"))
    print(how, *said, "finished:", run.summary.get("fd"))
PY
seen=$(WANDB_DIR="$work" "$work/venv/bin/python" "$work/summary.py" "$work" 2>"$work/said")
echo "$seen"
grep -q "not available in finished run" "$work/said"
[ "$seen" = "step None 10 9 finished: None
plain 10 9 8 finished: None
commit 10 9 8 finished: None" ]
