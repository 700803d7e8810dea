#!/usr/bin/env bash
# numpy==2.4.6 (its OpenBLAS 0.3.31, kernel Haswell: x86 processors with AVX2 and without AVX-512).
# Guess: in one product, equal columns of the right matrix give equal columns of the result; only the size of a product
# can change how it is rounded.
# Seen: in float32 the first and the last 8 columns are rounded otherwise than all between, in every product of 24 columns
# or more; float64 has no such border, and neither has the kernel Nehalem in either type.
#   Haswell float32 other columns: 0-7 and 56-63 of 64
#   Haswell float64 other columns: none
#   Nehalem float32 other columns: none
# So a vector's product depends on where it stands among others. What to do: let columns of zeros stand at the border.
# Exits 0 when it is still so; 77 where the processor has no AVX2.
set -euo pipefail
grep -q -w avx2 /proc/cpuinfo || { echo "this processor has no AVX2"; exit 77; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 threadpoolctl==3.6.0
cat >"$work/columns.py" <<'PY'
import sys
import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

rng = np.random.default_rng(0)
rows = rng.standard_normal((256, 300))
one = rng.standard_normal(300)
with threadpool_limits(1):
    product = rows.astype(sys.argv[1]) @ np.repeat(one[:, None], 64, axis=1).astype(sys.argv[1])
other = np.flatnonzero((product != product[:, 32:33]).any(axis=0)).tolist()
blas = next(library for library in threadpool_info() if library["user_api"] == "blas")
said = {(): "none", (*range(8), *range(56, 64)): "0-7 and 56-63 of 64"}.get(tuple(other), str(other))
print(blas["architecture"], sys.argv[1], "other columns:", said)
PY
seen=$(for run in "Haswell float32" "Haswell float64" "Nehalem float32"; do
    set -- $run
    OPENBLAS_CORETYPE=$1 "$work/venv/bin/python" "$work/columns.py" "$2"
done)
echo "$seen"
[ "$seen" = "Haswell float32 other columns: 0-7 and 56-63 of 64
Haswell float64 other columns: none
Nehalem float32 other columns: none" ]
