#!/usr/bin/env bash
# label-studio-sdk==2.1.2
# Guess: the converter's COCO and YOLO files hold the box around a turned rectangle, which both formats need, and the boxes of
# everybody who marked a picture.
# Seen: COCO turns the rectangle in percent of width and height, as if every picture were square: of others box, place and
# area are wrong (label-studio-converter#101, of 2022, is open); YOLO leaves the turn out. A rectangle of 50 x 40 pixels at
# (50, 20), in 200 x 100 pixels:
#   turned by 0: COCO 50 20 50 40, YOLO 50 20 50 40, right 50 20 50 40
#   turned by 90: COCO -30 20 80 25, YOLO 50 20 50 40, right 10 20 40 50
#   turned by 45: COCO -7 20 92 46, YOLO 50 20 50 40, right 22 20 64 64
# A task with the annotations of two people is two pictures of one name in COCO; YOLO keeps the last one's file alone:
#   two people: COCO 2 pictures with 1 and 1 boxes, YOLO 1 box
# Why it matters: masks of artefacts that are made of such files lie beside what was marked, half of the people's marks are
# lost, and of each half the other's marks are "nothing is wrong here". What to do: read Label Studio's own JSON, turn in
# pixels, and join the people yourself.
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile label-studio-sdk==2.1.2
cat >"$work/boxes.py" <<'PY'
import json
import logging
import math
import sys
from collections import Counter
from pathlib import Path

from label_studio_sdk.converter import Converter
from PIL import Image

logging.disable()
top = Path(sys.argv[1])
Image.new("RGB", (200, 100)).save(top / "x.png")
CONFIG = """<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image"><Label value="bad"/>
</RectangleLabels></View>"""


def rectangle(degrees):
    value = {"x": 25, "y": 20, "width": 25, "height": 40, "rotation": degrees, "rectanglelabels": ["bad"]}
    return {"id": f"r{degrees}", "type": "rectanglelabels", "from_name": "box", "to_name": "image",
            "original_width": 200, "original_height": 100, "value": value}


def exported(name, people):
    annotations = [{"id": n, "completed_by": n, "result": [each]} for n, each in enumerate(people, 1)]
    (top / "tasks.json").write_text(json.dumps([{"id": 1, "data": {"image": str(top / "x.png")}, "annotations": annotations}]))
    converter = Converter(CONFIG, str(top), download_resources=False)
    coco, yolo = top / f"{name}_coco", top / f"{name}_yolo"
    converter.convert_to_coco(str(top / "tasks.json"), str(coco), output_image_dir=str(coco), is_dir=False)
    converter.convert_to_yolo(str(top / "tasks.json"), str(yolo), is_dir=False)
    lines = [line.split() for line in (yolo / "labels" / "x.txt").read_text().splitlines()]
    middles = [[float(v) * side for v, side in zip(line[1:], (200, 100, 200, 100))] for line in lines]
    return json.loads((coco / "result.json").read_text()), [(x - w / 2, y - h / 2, w, h) for x, y, w, h in middles]


def right(degrees):
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    xs, ys = zip(*((50 + a * cos - b * sin, 20 + a * sin + b * cos) for a in (0, 50) for b in (0, 40)))
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)


def words(box):
    return " ".join(str(round(value)) for value in box)


for degrees in (0, 90, 45):
    coco, yolo = exported(f"turned_{degrees}", [rectangle(degrees)])
    of_coco = words(coco["annotations"][0]["bbox"])
    print(f"turned by {degrees}: COCO {of_coco}, YOLO {words(yolo[0])}, right {words(right(degrees))}")
coco, yolo = exported("two", [rectangle(0), rectangle(90)])
boxes = Counter(each["image_id"] for each in coco["annotations"])
names = {image["file_name"] for image in coco["images"]}
assert len(names) == 1
shares = " and ".join(str(boxes[image["id"]]) for image in coco["images"])
print(f"two people: COCO {len(coco['images'])} pictures with {shares} boxes, YOLO {len(yolo)} box")
PY
seen=$("$work/venv/bin/python" "$work/boxes.py" "$work" 2>/dev/null)
echo "$seen"
[ "$seen" = "turned by 0: COCO 50 20 50 40, YOLO 50 20 50 40, right 50 20 50 40
turned by 90: COCO -30 20 80 25, YOLO 50 20 50 40, right 10 20 40 50
turned by 45: COCO -7 20 92 46, YOLO 50 20 50 40, right 22 20 64 64
two people: COCO 2 pictures with 1 and 1 boxes, YOLO 1 box" ]
