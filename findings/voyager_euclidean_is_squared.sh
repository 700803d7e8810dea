#!/usr/bin/env bash
# voyager==2.2.3, numpy==2.4.6
# Guess: Space.Euclidean gives Euclidean distances; its own documentation says "The square root of the sum of the squared
# differences between each element of each vector".
# Seen: no root is taken, in query and in get_distance.
#   get_distance of (0, 0) and (3, 4): 25
#   radius 5 around (0, 0), of 1000 points: right 195, by query 44      (points spread over a square of side 20)
# Why it matters: a radius or a threshold in the unit of the features (near duplicates, the manifold of precision and recall,
# "farther than any real") is compared with squares: of distances above 1 too few lie within, of distances below 1 too many,
# and means and ratios of distances are those of squares. What to do: np.sqrt of the distances. Their order is right.
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 voyager==2.2.3
cat >"$work/roots.py" <<'PY'
import numpy as np
import voyager

assert "square root of the sum" in voyager.Space.Euclidean.__doc__
index = voyager.Index(voyager.Space.Euclidean, num_dimensions=2)
print(f"get_distance of (0, 0) and (3, 4): {index.get_distance([0, 0], [3, 4]):.0f}")
points = np.random.default_rng(0).uniform(-10, 10, (1000, 2)).astype(np.float32)
index.add_items(points)
_, distances = index.query(np.zeros(2, np.float32), k=1000, query_ef=1000)
right, said = int((np.linalg.norm(points, axis=1) < 5).sum()), int((distances < 5).sum())
print(f"radius 5 around (0, 0), of 1000 points: right {right}, by query {said}")
PY
seen=$("$work/venv/bin/python" "$work/roots.py")
echo "$seen"
[ "$seen" = "get_distance of (0, 0) and (3, 4): 25
radius 5 around (0, 0), of 1000 points: right 195, by query 44" ]
