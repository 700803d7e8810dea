#!/usr/bin/env bash
# safetensors==0.8.0 (against 0.7.0), numpy==2.4.6
# Guess: safetensors.numpy.save writes the array that it is given, or refuses one that is not contiguous, as
# safetensors.torch does.
# Seen: 0.8.0 takes the address of the array's first value and as many bytes as the array has, and does not look at its
# strides: columns of a table of features, its transpose and every other row are stored as other numbers under the right
# shape and dtype, silently. 0.7.0 stored them right.
#   0.7.0: whole right, first columns right, transposed right, every other row right
#   0.8.0: whole right, first columns WRONG, transposed WRONG, every other row WRONG
# The docstring asks for contiguous arrays, and nothing checks it.
# Why it matters: features after a PCA (`components[:, :64]`), images turned from HWC to CHW, the columns of one layer:
# files are complete, load without an error, and hold mixed-up rows. What to do: np.ascontiguousarray before save.
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
cat >"$work/columns.py" <<'PY'
import numpy as np
from safetensors.numpy import load, save

table = np.arange(24, dtype=np.float32).reshape(6, 4)
seen = []
for name, array in {
    "whole": table,
    "first columns": table[:, :2],
    "transposed": table.T,
    "every other row": table[::2],
}.items():
    back = load(save({"features": array}))["features"]
    assert back.shape == array.shape and back.dtype == array.dtype
    seen.append(f"{name} {'right' if np.array_equal(back, array) else 'WRONG'}")
print(", ".join(seen))
PY
seen_with() {
    "$work/venv/bin/pip" install -q numpy==2.4.6 "safetensors==$1"
    "$work/venv/bin/python" "$work/columns.py"
}
old=$(seen_with 0.7.0); new=$(seen_with 0.8.0)
printf '0.7.0: %s\n0.8.0: %s\n' "$old" "$new"
[ "$old" = "whole right, first columns right, transposed right, every other row right" ] &&
    [ "$new" = "whole right, first columns WRONG, transposed WRONG, every other row WRONG" ]
