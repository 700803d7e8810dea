#!/usr/bin/env bash
# usearch==2.26.6, numpy==2.4.6
# Guess: an index of 32 dimensions with dtype="u8" that is given 32 bytes a row compares these 32 values.
# Seen: NumPy's uint8 is taken for packed bits. The index keeps the first 32 bits of each row, that is 4 of its 32 bytes,
# and counts differing bits; the other 28 bytes are never read. The one-off `search` gives NaN for every distance and
# the rows 0, 1, 2 for every query. 200 rows of 32 random values:
#   cut rows that find themselves at 0: 200 of 200        (rows whose last 28 bytes were set to 0)
#   second neighbour right: fewer than 10 of 200
#   second neighbour right, dtype given: 200 of 200      (dtype="u8" in add and in search as well)
#   search of row 5: 0 1 2 nan nan nan
# Why it matters: features kept as bytes are the usual way to hold a large reference; nearest neighbours, duplicates and
# every score from them are then nearly random, though each row still finds itself. What to do: dtype="u8" in add and in
# search as well, or another type of array.
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 usearch==2.26.6
cat >"$work/bytes.py" <<'PY'
import numpy as np
from usearch.index import Index, MetricKind, search

rows = np.random.default_rng(0).integers(0, 256, (200, 32)).astype(np.uint8)
exact = ((rows[:, None].astype(float) - rows[None]) ** 2).sum(axis=2)
second = np.argsort(exact, axis=1, kind="stable")[:, 1]
keys = np.arange(200)
cut = rows.copy()
cut[:, 4:] = 0

index = Index(ndim=32, metric="l2sq", dtype="u8")
index.add(keys, rows)
found = index.search(cut, 1, exact=True)
own = int(((found.keys.ravel() == keys) & (found.distances.ravel() == 0)).sum())
print(f"cut rows that find themselves at 0: {own} of 200")
right = int((index.search(rows, 2, exact=True).keys[:, 1] == second).sum())
print("second neighbour right:", "fewer than 10 of 200" if right < 10 else f"{right} of 200")

index = Index(ndim=32, metric="l2sq", dtype="u8")
index.add(keys, rows, dtype="u8")
right = int((index.search(rows, 2, exact=True, dtype="u8").keys[:, 1] == second).sum())
print(f"second neighbour right, dtype given: {right} of 200")
found = search(rows, rows[5], 3, MetricKind.L2sq, exact=True)
print("search of row 5:", *found.keys, *found.distances)
PY
seen=$("$work/venv/bin/python" "$work/bytes.py")
echo "$seen"
[ "$seen" = "cut rows that find themselves at 0: 200 of 200
second neighbour right: fewer than 10 of 200
second neighbour right, dtype given: 200 of 200
search of row 5: 0 1 2 nan nan nan" ]
