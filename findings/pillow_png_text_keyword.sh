#!/usr/bin/env bash
# pillow==13.0.0
# Guess: a tEXt chunk of a PNG is a comment; whatever its keyword, the pixels are read as without it.
# Seen: Pillow keeps keywords and its own notes about the file in one dictionary, so three keywords change the reading of
# a whole, valid PNG that Pillow itself wrote (4 x 4, RGB):
#   interlace: OSError when it is loaded: it is said to be truncated
#   bbox: ValueError when it is loaded
#   transparency: it loads; convert("RGBA") is a TypeError, and so is convert("L")
#   comment: nothing
# What to do: leave text chunks out before Pillow sees the file, where only pixels are wanted.
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pillow==13.0.0
cat >"$work/keywords.py" <<'PY'
import io
from PIL import Image
from PIL.PngImagePlugin import PngInfo

for keyword in ("interlace", "bbox", "transparency", "comment"):
    text, file, seen = PngInfo(), io.BytesIO(), []
    text.add_text(keyword, "1")
    Image.new("RGB", (4, 4), (10, 20, 30)).save(file, "png", pnginfo=text)
    for mode in (None, "RGBA", "L"):
        try:
            with Image.open(io.BytesIO(file.getvalue())) as picture:
                picture.load()
                if mode:
                    picture.convert(mode)
            seen.append("fine")
        except Exception as error:
            seen.append(type(error).__name__)
    print(f"{keyword}: load {seen[0]}, RGBA {seen[1]}, L {seen[2]}")
PY
seen=$("$work/venv/bin/python" "$work/keywords.py")
echo "$seen"
[ "$seen" = "interlace: load OSError, RGBA OSError, L OSError
bbox: load ValueError, RGBA ValueError, L ValueError
transparency: load fine, RGBA TypeError, L TypeError
comment: load fine, RGBA fine, L fine" ]
