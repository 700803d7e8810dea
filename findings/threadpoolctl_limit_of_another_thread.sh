#!/usr/bin/env bash
# threadpoolctl==3.8.0, numpy==2.4.6 (its OpenBLAS uses pthreads)
# Guess: threadpool_limits(1) in a worker thread limits BLAS, whatever another thread did before.
# Seen: the first thread that sets a limit of OpenBLAS owns them; in every other thread threadpool_limits sets nothing,
# raises nothing and warns of nothing, inside the block too. Used as a function, its owner is only freed when its thread
# ends: lifting the limit does not free it. With 3.7.0 each of these sets the limit.
#   main thread has called and lifted a limit; a worker asks for 1 of 2: 2
#   main thread is inside a block with 2; a worker asks for 1: 2
#   main thread has left its block; a worker asks for 1: 1
# What to do: call OpenBLASController.clear_controlling_thread(force=True) before a limit that has to hold, or set
# OPENBLAS_NUM_THREADS before NumPy is imported.
# Exits 0 when it is still so. Needs two cores.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
cat >"$work/limits.py" <<'PY'
import threading

import numpy  # noqa: F401  loads OpenBLAS
from threadpoolctl import threadpool_info, threadpool_limits


def asked_in_a_worker():
    seen = []

    def work():
        with threadpool_limits(1, user_api="blas"):
            seen.extend(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    return seen


def called_and_lifted():
    limit = threadpool_limits(2, user_api="blas")
    limit.restore_original_limits()
    return asked_in_a_worker()


def inside_a_block():
    with threadpool_limits(2, user_api="blas"):
        return asked_in_a_worker()


def after_a_block():
    with threadpool_limits(2, user_api="blas"):
        pass
    return asked_in_a_worker()


for case in (after_a_block, inside_a_block, called_and_lifted):  # the last one leaves an owner behind
    print(case.__name__, *case())
PY
seen_with() {
    "$work/venv/bin/pip" install -q numpy==2.4.6 "threadpoolctl==$1"
    env -u OMP_NUM_THREADS OPENBLAS_NUM_THREADS=2 "$work/venv/bin/python" "$work/limits.py"
}
old=$(seen_with 3.7.0); new=$(seen_with 3.8.0)
printf '3.7.0:\n%s\n3.8.0:\n%s\n' "$old" "$new"
[ "$old" = "after_a_block 1
inside_a_block 1
called_and_lifted 1" ] && [ "$new" = "after_a_block 1
inside_a_block 2
called_and_lifted 2" ]
