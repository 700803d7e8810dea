#!/usr/bin/env bash
# pillow==13.0.0
# Guess: the pixels of a 16-bit PNG that have the colour of its tRNS chunk have alpha 0 after convert("RGBA"), as those of
# an 8-bit one have.
# Seen: none has, in colour or grey. Of colour Pillow reads the high bytes, and compares these with the 16-bit numbers of the chunk, which
# stay in info["transparency"] as they are. Two pixels, the first of the key's colour:
#   8 bits: alpha 0 and 255
#   16 bits: alpha 255 and 255
#   16 bits, grey: alpha 255 and 255
# Why it matters: renderers and editors write such files for cut-out pictures; composited on white, what was transparent shows
# the key's colour, and metrics compare that. What to do: read tRNS from the file and compare with the high bytes.
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pillow==13.0.0
cat >"$work/key.py" <<'PY'
import io
import struct
import zlib

from PIL import Image


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(depth, colour, row, key):
    header = struct.pack(">IIBBBBB", 2, 1, depth, colour, 0, 0, 0)
    parts = [(b"IHDR", header), (b"tRNS", key), (b"IDAT", zlib.compress(b"\0" + row)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


for name, file in {
    "8 bits": png(8, 2, bytes([1, 2, 3, 9, 9, 9]), bytes([0, 1, 0, 2, 0, 3])),
    "16 bits": png(16, 2, bytes([1, 200, 2, 200, 3, 200, 9, 9, 9, 9, 9, 9]), bytes([1, 200, 2, 200, 3, 200])),
    "16 bits, grey": png(16, 0, bytes([1, 200, 9, 9]), bytes([1, 200])),
}.items():
    with Image.open(io.BytesIO(file)) as picture:
        alpha = picture.convert("RGBA").getchannel("A").tobytes()
    print(f"{name}: alpha {alpha[0]} and {alpha[1]}")
PY
seen=$("$work/venv/bin/python" "$work/key.py")
echo "$seen"
[ "$seen" = "8 bits: alpha 0 and 255
16 bits: alpha 255 and 255
16 bits, grey: alpha 255 and 255" ]
