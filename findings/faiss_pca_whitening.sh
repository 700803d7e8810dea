#!/usr/bin/env bash
# faiss-cpu==1.15.1, numpy==2.4.6
# Guess: PCAMatrix with eigen_power=-0.5 ("full whitening") gives components of variance 1, and its eigenvalues are the
# variances along them, both from all rows that train() is given.
# Seen: the eigenvalues are sums of squares, not divided by the number of rows, so whitened components have a standard
# deviation of 1 / sqrt(rows), and the scale of every distance depends on how many rows were trained on. Of more than
# 1,000 rows per dimension only a random 1,000 per dimension are used. 8 features of variance 1:
#   trained on 500 rows: standard deviation 0.0447, squared distances 0.031
#   trained on 2000 rows: standard deviation 0.0224, squared distances 0.008
#   trained on 40000 rows: standard deviation 0.0112, squared distances 0.002
# Why it matters: a radius, a threshold for near duplicates or a kernel's width that was set with one reference is wrong by
# the ratio of the rows with the next one; scikit-learn's PCA(whiten=True) gives 1 each time.
# What to do: multiply by the square root of the number of rows that were used.
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 faiss-cpu==1.15.1
cat >"$work/whiten.py" <<'PY'
import faiss
import numpy as np

for rows in (500, 2000, 40000):
    features = np.random.default_rng(0).standard_normal((rows, 8)).astype(np.float32)
    pca = faiss.PCAMatrix(8, 8, -0.5)
    pca.train(features)
    white = pca.apply(features)
    apart = ((white[::2] - white[1::2]) ** 2).sum(axis=1).mean()
    print(f"trained on {rows} rows: standard deviation {white.std():.4f}, squared distances {apart:.3f}")
PY
seen=$("$work/venv/bin/python" "$work/whiten.py")
echo "$seen"
[ "$seen" = "trained on 500 rows: standard deviation 0.0447, squared distances 0.031
trained on 2000 rows: standard deviation 0.0224, squared distances 0.008
trained on 40000 rows: standard deviation 0.0112, squared distances 0.002" ]
