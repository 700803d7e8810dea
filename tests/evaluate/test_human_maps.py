"""Human maps in each of their forms; stand-ins of the published forms are written here, field by field."""

import io
import json
import struct

import numpy as np
import pytest
from PIL import Image

from giqa.errors import BadImage, BadSource, MissingSource
from giqa.evaluate.human_maps import read_human_maps
from giqa.images.sources.tfrecord import crc32c, masked


def varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)


def part(number, content):
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def record(**features):
    """A record of tf.train.Example: bytes as bytes_list, floats as float_list, with both checksums."""
    entries = b""
    for name, value in features.items():
        made = part(1, part(1, value)) if isinstance(value, bytes) else part(2, part(1, struct.pack("<f", value)))
        entries += part(1, part(1, name.encode()) + part(2, made))
    content = part(1, entries)
    head = struct.pack("<Q", len(content))
    return head + struct.pack("<I", masked(crc32c(head))) + content + struct.pack("<I", masked(crc32c(content)))


def encoded(values, form="PNG"):
    file = io.BytesIO()
    Image.fromarray(values).save(file, form)
    return file.getvalue()


def test_grey_masks_and_arrays(tmp_path):
    """Pictures are divided by 255, arrays are as they are; names lose the map's ending alone."""
    (tmp_path / "set").mkdir()
    Image.fromarray(np.array([[0, 51], [255, 0]], np.uint8)).save(tmp_path / "set" / "a.png")
    np.save(tmp_path / "b.jpg.npy", np.array([[0, 3]]))
    found = read_human_maps(tmp_path)
    assert found.names == ["b.jpg", "set/a"]
    assert found.read(0).tolist() == [[0, 3]] and found.read(1).tolist() == [[0, 0.2], [1, 0]]


def test_records_as_richhf_18k_has_them(tmp_path):
    """`filename`, scores, and both maps as encoded grey pictures; the map of artefacts unless another is asked for."""
    artefacts, apart = np.zeros((16, 16), np.uint8), np.zeros((16, 16), np.uint8)
    artefacts[2:5, 3:9], apart[0, 0] = 255, 102
    scores = dict.fromkeys(("aesthetics_score", "artifact_score", "misalignment_score", "overall_score"), 0.25)
    records = [
        record(
            filename=f"train/{name}.png".encode(),
            artifact_map=encoded(first),
            misalignment_map=encoded(second),
            prompt_misalignment_label=b"1 1 0",
            **scores,
        )
        for name, first, second in (("u1", artefacts, apart), ("u2", apart * 0, apart * 0))
    ]
    path = tmp_path / "dev.tfrecord"
    path.write_bytes(b"".join(records))
    found = read_human_maps(path)
    assert found.names == ["train/u1.png", "train/u2.png"]
    assert np.array_equal(found.read(0), artefacts / 255) and not found.read(1).any()
    assert read_human_maps(path, "misalignment_map").read(0)[0, 0] == 0.4
    with pytest.raises(BadImage, match="record 1 has no picture 'other'"):
        read_human_maps(path, "other").read(1)
    (tmp_path / "x.tfrecord").write_bytes(record(name=b"a"))
    with pytest.raises(BadSource, match="have no filename"):
        read_human_maps(tmp_path / "x.tfrecord")


def inside(shape, corners):
    """Pixels whose middle lies in a convex polygon, corner by corner: left of no edge."""
    mask = np.zeros(shape, bool)
    for y in range(shape[0]):
        for x in range(shape[1]):
            sides = [
                (x2 - x1) * (y + 0.5 - y1) - (y2 - y1) * (x + 0.5 - x1)
                for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True)
            ]
            mask[y, x] = all(s >= 0 for s in sides) or all(s <= 0 for s in sides)
    return mask


def test_circles_of_labelme(tmp_path):
    """A middle and a point of the edge, 3 and 4 pixels off: what lies within 5 pixels."""
    shapes = [{"points": [[10, 8], [13, 12]], "shape_type": "circle"}]
    (tmp_path / "a.json").write_text(json.dumps({"imageHeight": 20, "imageWidth": 32, "shapes": shapes}))
    y, x = np.mgrid[:20, :32] + 0.5
    assert np.array_equal(read_human_maps(tmp_path).read(0), (x - 10) ** 2 + (y - 8) ** 2 < 25)


def test_polygons_of_labelme(tmp_path):
    corners = [(4.0, 3.0), (20.5, 6.0), (9.0, 17.0)]
    shapes = [
        {"label": "hand", "points": corners, "shape_type": "polygon"},
        {"label": "eye", "points": [[24, 2], [29, 6]], "shape_type": "rectangle"},
    ]
    content = {"version": "5.4.1", "imagePath": "a.jpg", "imageHeight": 20, "imageWidth": 32, "shapes": shapes}
    (tmp_path / "a.json").write_text(json.dumps(content))
    (tmp_path / "b.json").write_text(json.dumps(content | {"shapes": []}))
    found = read_human_maps(tmp_path)
    assert found.names == ["a", "b"] and not found.read(1).any()
    wanted = inside((20, 32), corners) | inside((20, 32), [(24, 2), (29, 2), (29, 6), (24, 6)])
    assert np.array_equal(found.read(0), wanted) and wanted.sum() > 90
    (tmp_path / "a.json").write_text(json.dumps(content | {"shapes": [{"points": [[1, 1]], "shape_type": "point"}]}))
    with pytest.raises(BadSource, match="'point' has no area"):
        read_human_maps(tmp_path).read(0)
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(BadSource, match="no file of LabelMe"):
        read_human_maps(tmp_path).read(0)


def test_polygons_and_run_lengths_of_coco(tmp_path):
    """Two rings of one annotation, and a mask of a second one as plain runs down the columns."""
    first, second = [(1.0, 1.0), (9.0, 1.0), (9.0, 7.0), (1.0, 7.0)], [(12.0, 2.0), (18.0, 2.0), (15.3, 9.1)]
    runs = [3, 2, 200 - 5]  # 3 and 4 of the first column
    content = {
        "images": [
            {"id": 7, "file_name": "x/a.jpg", "height": 10, "width": 20},
            {"id": 8, "file_name": "x/b.jpg", "height": 10, "width": 20},
        ],
        "annotations": [
            {"image_id": 7, "segmentation": [[v for xy in ring for v in xy] for ring in (first, second)]},
            {"image_id": 8, "segmentation": {"counts": runs, "size": [10, 20]}, "iscrowd": 1},
        ],
    }
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(content))
    found = read_human_maps(path)
    assert found.names == ["x/a.jpg", "x/b.jpg"]
    assert np.array_equal(found.read(0), inside((10, 20), first) | inside((10, 20), second))
    assert np.argwhere(found.read(1)).tolist() == [[3, 0], [4, 0]]
    content["annotations"][1]["segmentation"]["counts"] = "abc"
    path.write_text(json.dumps(content))
    with pytest.raises(BadSource, match="compressed or wrong run lengths"):
        read_human_maps(path).read(1)


def coco(path, images, annotations):
    """COCO's file: images as (id, file_name), all of 10 x 20."""
    images = [{"id": number, "file_name": name, "height": 10, "width": 20} for number, name in images]
    path.write_text(json.dumps({"images": images, "annotations": annotations}))
    return path


@pytest.mark.parametrize("outline", [{"segmentation": []}, {"segmentation": [[]]}, {"segmentation": None}, {}])
def test_a_box_of_coco_without_an_outline_is_its_area(tmp_path, outline):
    """Boxes, as Label Studio and CVAT write them: an empty outline is not "nobody marked this"."""
    path = coco(tmp_path / "c.json", [(0, "a.png")], [{"image_id": 0, "bbox": [3, 2, 5, 4]} | outline])
    assert np.array_equal(read_human_maps(path).read(0), inside((10, 20), [(3, 2), (8, 2), (8, 6), (3, 6)]))


def test_a_picture_that_coco_lists_for_each_person_is_one(tmp_path):
    """As Label Studio writes a task with two annotations: the same file_name under two ids."""
    boxes = [{"image_id": 0, "bbox": [0, 0, 2, 2]}, {"image_id": 1, "bbox": [10, 5, 3, 1]}]
    found = read_human_maps(coco(tmp_path / "c.json", [(0, "a.png"), (1, "a.png"), (2, "b.png")], boxes))
    assert found.names == ["a.png", "b.png"] and not found.read(1).any()
    assert found.read(0).sum() == 2 * 2 + 3 and found.read(0)[5, 12] == found.read(0)[1, 1] == 1


@pytest.mark.parametrize(
    ("images", "mark", "words"),
    [
        ([(0, "a.png")], {"image_id": 7, "bbox": [0, 0, 2, 2]}, "image_id 7"),
        ([(0, "a.png"), (0, "b.png")], {"image_id": 0, "bbox": [0, 0, 2, 2]}, "two pictures of the id 0"),
        ([(0, "a.png")], {"image_id": 0, "bbox": [0, 0, 2, 2], "attributes": {"rotation": 30.0}}, "turned"),
        ([(0, "a.png")], {"image_id": 0, "segmentation": []}, "nor a box"),
        ([(0, "a.png")], {"image_id": 0, "segmentation": [[1, 2, 3]]}, "nor a box"),
    ],
)
def test_marks_of_coco_that_would_be_lost_are_refused(tmp_path, images, mark, words):
    with pytest.raises(BadSource, match=words):
        read_human_maps(coco(tmp_path / "c.json", images, [mark])).read(0)


def test_ids_of_coco_may_be_text_in_one_list_and_numbers_in_the_other(tmp_path):
    path = coco(tmp_path / "c.json", [("4", "a.png")], [{"image_id": 4, "segmentation": [[0, 0, 2, 0, 2, 3, 0, 3]]}])
    assert read_human_maps(path).read(0).sum() == 6


def test_what_is_no_human_map(tmp_path):
    with pytest.raises(MissingSource, match="no human maps at"):
        read_human_maps(tmp_path / "none")
    with pytest.raises(BadSource, match="No maps in the folder"):
        read_human_maps(tmp_path)
    Image.fromarray(np.eye(4, dtype=np.uint8)[..., None] * np.array([255, 0, 0], np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(BadImage, match="in colour"):
        read_human_maps(tmp_path).read(0)
    np.save(tmp_path / "a.npy", np.array([[np.nan, 1]]))
    with pytest.raises(BadSource, match="two maps of 'a'"):
        read_human_maps(tmp_path)
    (tmp_path / "a.png").unlink()
    with pytest.raises(BadImage, match="is no map"):
        read_human_maps(tmp_path).read(0)
    (tmp_path / "a.npy").write_bytes(b"no")
    with pytest.raises(BadImage, match="no array"):
        read_human_maps(tmp_path).read(0)
    for name, words in (("a.txt", "none of these"), ("a.json", "no JSON")):
        (tmp_path / name).write_text("x")
        with pytest.raises(BadSource, match=words):
            read_human_maps(tmp_path / name)
