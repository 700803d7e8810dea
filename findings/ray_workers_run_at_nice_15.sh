#!/usr/bin/env bash
# ray==2.60.0, Linux
# Guess: an actor of Ray has the priority of the program that made it, as a process of multiprocessing has.
# Seen: actors run at nice 15 while the driver, raylet and gcs_server run at 0:
#   driver 0, actor 15; with RAY_worker_niceness=0 before Ray is started: driver 0, actor 0
# On a machine that does nothing else this costs nothing. Where anything else runs, even the driver, actors get what is
# left: the same scoring by two actors and by two processes, side by side on two shared cores, ran at 0.51 to 0.67 of the
# speed of the processes, and at 0.98 to 0.99 with RAY_worker_niceness=0.
# What to do: start Ray with RAY_worker_niceness=0 on nodes where its work is what matters, and in every comparison.
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q ray==2.60.0
cat >"$work/nice.py" <<'PY'
import os

import ray

ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")


@ray.remote
class Actor:
    def nice(self):
        return os.nice(0)


print("driver", os.nice(0), "actor", ray.get(Actor.remote().nice.remote()))
PY
run() { env RAY_USAGE_STATS_ENABLED=0 "$@" "$work/venv/bin/python" "$work/nice.py" 2>/dev/null; }
plain=$(run env); even=$(run env RAY_worker_niceness=0)
echo "$plain"; echo "$even"
[ "$plain" = "driver 0 actor 15" ] && [ "$even" = "driver 0 actor 0" ]
