#!/usr/bin/env bash
# scikit-learn==1.9.1, numpy==2.4.6
# Guess: one Gaussian (a mixture of one component) fitted by GaussianMixture to float32 features has the variances of the
# features, whatever the covariance type; what float32 costs is in the sixth digit.
# Seen: float32 features are fitted in float32, and "tied", "diag" and "spherical" take the variance as mean of squares less
# square of mean, which cancels where the mean is large against the spread; "full" centres first. 2,000 rows of 4 features,
# standard deviation 1 (variance of the first: 1.009); the first variance and the mean log-density of the same rows:
#   mean 0, float32: full 1.009 -5.68, tied 1.009 -5.68, diag 1.009 -5.69, spherical 1.005 -5.69
#   mean 300, float32: full 1.009 -5.68, tied 0.992 -5.68, diag 0.961 -5.67, spherical 0.977 -5.68
#   mean 1000, float32: full 1.009 -5.68, tied ValueError, diag 0.313 -7.24, spherical 0.500 -6.45
#   mean 1000, float64: full 1.009 -5.68, tied 1.009 -5.68, diag 1.009 -5.69, spherical 1.005 -5.69
# (The digits of the wrong ones depend on the processor's BLAS; that they are wrong does not.)
# Why it matters: networks give float32; log-densities as scores of pictures (GIQA's GMM score) are off by more than one nat
# without a warning, and covariance types cannot be compared. What to do: .astype(np.float64), or centre the features.
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 scikit-learn==1.9.1
cat >"$work/means.py" <<'PY'
import sys
import warnings

import numpy as np
from sklearn.mixture import GaussianMixture

warnings.simplefilter("error")
as_seen = True
rows = np.random.default_rng(0).standard_normal((2000, 4))
for mean, kind in ((0, np.float32), (300, np.float32), (1000, np.float32), (1000, np.float64)):
    features, seen = (rows + mean).astype(kind), []
    for covariance in ("full", "tied", "diag", "spherical"):
        try:
            mixture = GaussianMixture(1, covariance_type=covariance).fit(features)
            variance, score = np.ravel(mixture.covariances_)[0], mixture.score(features)
            seen.append(f"{covariance} {variance:.3f} {score:.2f}")
            good = abs(variance - 1.009) < 0.01 and abs(score + 5.685) < 0.01
        except ValueError:
            seen.append(f"{covariance} ValueError")
            good = False
        as_seen &= good == (covariance == "full" or mean == 0 or kind is np.float64)
    print(f"mean {mean}, {np.dtype(kind)}:", ", ".join(seen))
sys.exit(not as_seen)
PY
"$work/venv/bin/python" "$work/means.py"
