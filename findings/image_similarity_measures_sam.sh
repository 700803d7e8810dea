#!/usr/bin/env bash
# image-similarity-measures==0.3.6, numpy==1.26.4
# Guess: sam (spectral angle, 0 for the same picture, in degrees) of two pictures is near 0 where they are alike, whatever
# the type of their values, and one black pixel changes it by no more than its share.
# Seen: products of uint8 are taken in uint8, where 100 x 100 is 16, so pictures as every decoder gives them are at nearly 90
# degrees from themselves; and one pixel that is black in either picture makes the whole answer 0, "the same", because the
# mean is NaN then and NaN becomes 0. Random pictures of 64 x 64:
#   with itself: uint8 89.6, float 0.0
#   with another: uint8 89.6, float 18.5
#   with another, one pixel black: float 0.0
#   inverted, one pixel black: float 0.0
#   uiq with itself, half flat: below 0.8       (0.71: flat windows count as 0)
# Why it matters: the tool is a command that compares two files, and sam is on its list; two pictures that have nothing in
# common are "the same" when a border is black, and of bytes even a copy is far away. What to do: .astype(float), and leave
# out pixels that are black in either.
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile setuptools==80.9.0 wheel numpy==1.26.4 image-similarity-measures==0.3.6
cat >"$work/angles.py" <<'PY'
import numpy as np
from image_similarity_measures.quality_metrics import sam, uiq

rng = np.random.default_rng(0)
one, other = (rng.integers(60, 200, (64, 64, 3)).astype(np.uint8) for _ in range(2))
print(f"with itself: uint8 {sam(one, one):.1f}, float {sam(one.astype(float), one.astype(float)):.1f}")
print(f"with another: uint8 {sam(one, other):.1f}, float {sam(one.astype(float), other.astype(float)):.1f}")
black = one.astype(float)
black[0, 0] = 0
print(f"with another, one pixel black: float {sam(black, other.astype(float)):.1f}")
print(f"inverted, one pixel black: float {sam(black, 255 - black):.1f}")
flat = one[:24, :24].copy()
flat[12:] = 128
print(f"uiq with itself, half flat: {'below 0.8' if uiq(flat, flat) < 0.8 else uiq(flat, flat)}")
PY
seen=$("$work/venv/bin/python" "$work/angles.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "with itself: uint8 89.6, float 0.0
with another: uint8 89.6, float 18.5
with another, one pixel black: float 0.0
inverted, one pixel black: float 0.0
uiq with itself, half flat: below 0.8" ]
