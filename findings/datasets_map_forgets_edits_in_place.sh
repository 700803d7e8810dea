#!/usr/bin/env bash
# datasets==5.2.0, pillow==13.0.0, numpy==2.4.6
# Guess: a picture that a function of Dataset.map changed and returned is the picture of the new data set, whichever of
# Pillow's ways changed it.
# Seen: a picture that was opened from a file and changed in place (thumbnail, paste, ImageDraw)
# is stored as the name of that file: the change is gone, without a warning. A function that makes a new picture (resize,
# copy, convert) is heeded, and so is map of an IterableDataset of the same rows.
#   thumbnail to 16 of 64 pixels: (64, 64)
#   red painted over all of a black picture: (0, 0, 0)
#   resize to 16 of 64 pixels: (16, 16)
#   red painted, streaming: (255, 0, 0)
#   red painted on rows that hold bytes: (255, 0, 0)
# Why it matters: shrunk, cropped or masked reals, and pictures that were damaged on purpose, are in truth the originals; every
# score and FID after it is of these, and a data set of two ways of reading gives two answers. What to do: start the function
# with picture = picture.copy(), and look at one row.
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 datasets==5.2.0 pillow==13.0.0
cat >"$work/edits.py" <<'PY'
import io
import os
import sys

import datasets
from PIL import Image, ImageDraw

datasets.disable_progress_bars()
os.chdir(sys.argv[1])
Image.new("RGB", (64, 64)).save("a.png")
content = io.BytesIO()
Image.new("RGB", (64, 64)).save(content, "PNG")
files, cells = (
    datasets.Dataset.from_dict({"image": [value]}).cast_column("image", datasets.Image())
    for value in ("a.png", {"bytes": content.getvalue(), "path": None})
)


def shrunk(row):
    row["image"].thumbnail((16, 16))
    return row


def painted(row):
    ImageDraw.Draw(row["image"]).rectangle((0, 0, 64, 64), fill="red")
    return row


def resized(row):
    return {"image": row["image"].resize((16, 16))}


print("thumbnail to 16 of 64 pixels:", files.map(shrunk)[0]["image"].size)
print("red painted over all of a black picture:", files.map(painted)[0]["image"].getpixel((9, 9)))
print("resize to 16 of 64 pixels:", files.map(resized)[0]["image"].size)
print("red painted, streaming:", next(iter(files.to_iterable_dataset().map(painted)))["image"].getpixel((9, 9)))
print("red painted on rows that hold bytes:", cells.map(painted)[0]["image"].getpixel((9, 9)))
PY
seen=$(HF_HUB_OFFLINE=1 HF_HOME="$work/home" "$work/venv/bin/python" "$work/edits.py" "$work" 2>/dev/null)
echo "$seen"
[ "$seen" = "thumbnail to 16 of 64 pixels: (64, 64)
red painted over all of a black picture: (0, 0, 0)
resize to 16 of 64 pixels: (16, 16)
red painted, streaming: (255, 0, 0)
red painted on rows that hold bytes: (255, 0, 0)" ]
