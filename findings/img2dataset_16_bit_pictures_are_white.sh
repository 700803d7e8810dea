#!/usr/bin/env bash
# img2dataset==1.47.0, albumentations==1.4.24, opencv-python-headless==4.12.0.88, pillow==13.0.0, numpy==2.2.6
# Guess: the Resizer of img2dataset makes an 8-bit JPEG of a 16-bit PNG as every viewer shows it, and turns a picture as its
# EXIF orientation says, because the JPEG that it writes has no EXIF any more.
# Seen: it decodes with IMREAD_UNCHANGED and hands 16-bit values to the JPEG encoder, which cuts them off at 255: all that is
# not black becomes white. Orientation is not applied. A picture of one grey (100 of 255) as 8 and as 16 bits, and one of
# 200 x 100 that its EXIF turns upright:
#   8 bits: 100
#   16 bits: 255
#   200 x 100, to be turned: 256 x 128, EXIF left: 0
# Why it matters: the pictures are in the data set, with their captions and the status "success"; a set of renderings or scans
# from the web holds white ones, and phone pictures lie on their sides, which features of reals then contain. What to do: encode
# as PNG (16 bits stay, and need a reader for them), or decode 16-bit and turned pictures yourself; look at the means.
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile \
    albumentations==1.4.24 opencv-python-headless==4.12.0.88 pillow==13.0.0 numpy==2.2.6
"$work/venv/bin/pip" install -q --no-compile --no-deps img2dataset==1.47.0 # its resizer needs no more than the above
cat >"$work/whites.py" <<'PY'
import importlib.util
import io
from pathlib import Path

import numpy as np
from PIL import Image

package = Path(importlib.util.find_spec("img2dataset").origin).parent
spec = importlib.util.spec_from_file_location("resizer", package / "resizer.py")
resizer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(resizer)
resize = resizer.Resizer(image_size=128, resize_mode="keep_ratio", resize_only_if_bigger=False)


def through(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    content, *_, error = resize(file)
    assert error is None, error
    return Image.open(io.BytesIO(content))


grey = np.full((256, 256), 100, np.uint8)
for name, values in {"8 bits": grey, "16 bits": grey.astype(np.uint16) * 257}.items():
    print(f"{name}: {np.asarray(through(Image.fromarray(values), 'PNG')).mean():.0f}")
exif = Image.Exif()
exif[0x0112] = 6  # to be turned by a quarter
lying = through(Image.new("RGB", (200, 100)), "JPEG", exif=exif)
print(f"200 x 100, to be turned: {lying.width} x {lying.height}, EXIF left: {len(lying.getexif())}")
PY
seen=$(NO_ALBUMENTATIONS_UPDATE=1 "$work/venv/bin/python" "$work/whites.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "8 bits: 100
16 bits: 255
200 x 100, to be turned: 256 x 128, EXIF left: 0" ]
