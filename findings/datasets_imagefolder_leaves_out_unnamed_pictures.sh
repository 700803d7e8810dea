#!/usr/bin/env bash
# datasets==5.2.0, pillow==13.0.0
# Guess: load_dataset("imagefolder") with a metadata.csv gives a row for each picture of the folder, or says which ones the
# table does not name; a picture that the table names twice is an error.
# Seen: a row for each row of the table, without a word. Three pictures:
#   the table names one: 1 row
#   the table names a.png twice, as real and as generated: 4 rows, a.png in two of them
#   no table: 3 rows
# Why it matters: a table that lacks part of a set shrinks the set, a doubled row weighs a picture twice, and every FID,
# score or vote that is joined with the data set afterwards is of other pictures than the folder holds. What to do: compare
# len(dataset) with the number of files, and file_name with its distinct values, before anything is measured.
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q datasets==5.2.0 pillow==13.0.0
cat >"$work/folder.py" <<'PY'
import sys
from pathlib import Path

import datasets
from PIL import Image

datasets.disable_progress_bars()
top = Path(sys.argv[1])
tables = {
    "the table names one": "a.png,real\n",
    "the table names a.png twice": "a.png,real\na.png,generated\nb.png,real\nc.png,real\n",
    "no table": "",
}
for number, (name, rows) in enumerate(tables.items()):
    folder = top / f"folder_{number}"
    folder.mkdir()
    for shade, letter in enumerate("abc"):
        Image.new("RGB", (8, 8), (100 * shade,) * 3).save(folder / f"{letter}.png")
    if rows:
        (folder / "metadata.csv").write_text("file_name,kind\n" + rows)
    data = datasets.load_dataset("imagefolder", data_dir=str(folder), split="train", cache_dir=str(top / "cache"))
    black = sum(row["image"].getpixel((0, 0)) == (0, 0, 0) for row in data)
    print(f"{name}: {len(data)} rows, a.png in {black} of them")
PY
seen=$(HF_HUB_OFFLINE=1 "$work/venv/bin/python" "$work/folder.py" "$work" 2>/dev/null)
echo "$seen"
[ "$seen" = "the table names one: 1 rows, a.png in 1 of them
the table names a.png twice: 4 rows, a.png in 2 of them
no table: 3 rows, a.png in 1 of them" ]
