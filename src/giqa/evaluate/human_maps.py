"""What people marked in pictures, from the forms it comes in: grey masks, arrays, polygons, RichHF-18K's records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ..errors import BadImage, BadSource, MissingSource
from ..explain.map_files import MapFiles, grey_map, read_map_folder
from ..files import as_path
from ..images.folder import walk
from ..images.sources.tfrecord import TFRECORD, TFRecordSource

ARTEFACTS = "artifact_map"  # RichHF-18K's name of where pixels are implausible


def read_human_maps(path: str | Path, field: str = ARTEFACTS) -> MapFiles:
    """The human maps of a folder or file, whatever form they have.

    Parameters
    ----------
    path : path
        A folder of grey masks and .npy arrays named as the pictures (values from 0, larger = worse); a folder of
        LabelMe's .json files; COCO's annotations, one .json file (a box without an outline is its area); or .tfrecord,
        RichHF-18K's.
    field : str, default "artifact_map"
        Of RichHF-18K's records; "misalignment_map" is where a picture disagrees with its prompt.

    Returns
    -------
    MapFiles
        0 = nobody marked this. Several polygons, also of several people, are one area of 1.

    Raises
    ------
    MissingSource
        When there is nothing at the path.
    BadSource
        When it is of none of these forms.

    Notes
    -----
    RichHF-18K, as its parser in google-research reads it: a record has `filename` and, as encoded grey pictures of
    512 x 512, `artifact_map` and `misalignment_map`. Written after that parser and tried on records of the same form;
    the published files were not at hand.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/a.npy", np.eye(3))
    ...     found = read_human_maps(folder)
    ...     found.names, found.read(0).sum()
    (['a'], np.float64(3.0))
    """
    path = as_path(path)
    if not path.exists():
        raise MissingSource(f"There are no human maps at {str(path)!r}.")
    if path.is_dir():
        labelled = sorted(name for name in walk(path) if name.lower().endswith(".json"))
        return _labelme(path, labelled) if labelled else read_map_folder(path)
    if path.suffix.lower() in TFRECORD:
        return _richhf(path, field)
    if path.suffix.lower() == ".json":
        content = _json(path)
        return _coco(path, content) if "annotations" in content else _labelme(path.parent, [path.name])
    raise BadSource(
        f"Human maps are a folder of grey pictures or .npy, polygons of LabelMe or COCO (.json), or RichHF-18K's "
        f".tfrecord; {str(path)!r} is none of these."
    )


def _richhf(path: Path, field: str) -> MapFiles:
    source = TFRecordSource(path)
    names = [str(name) for name in source.columns.get("filename", [])]
    if len(names) != len(source) or not all(names):
        raise BadSource(f"{str(path)!r} is not RichHF-18K: its records have no filename.")
    if len(set(names)) < len(names):
        raise BadSource(f"{str(path)!r} has two records of {next(n for n in names if names.count(n) > 1)!r}.")

    def read(row: int) -> np.ndarray:
        content = source.record(row).get(field, ())
        if len(content) != 1 or not isinstance(content[0], bytes):
            raise BadImage(f"{str(path)!r}: record {row} has no picture {field!r}")
        return grey_map(content[0], f"{path}, record {row}, {field}")

    return MapFiles(str(path), names, read)


def _labelme(folder: Path, files: Sequence[str]) -> MapFiles:
    """One .json a picture: `shapes` with `points`, and `imageHeight` and `imageWidth`."""

    def read(row: int) -> np.ndarray:
        where = f"{folder / files[row]}"
        content = _json(folder / files[row])
        try:
            shape = int(content["imageHeight"]), int(content["imageWidth"])
            return _drawn(shape, [_outline(each, where) for each in content["shapes"]])
        except (KeyError, TypeError, ValueError) as error:
            raise BadSource(
                f"{where!r} is no file of LabelMe ({type(error).__name__}: {error}): it needs imageHeight, imageWidth "
                "and shapes with points."
            ) from None

    return MapFiles(str(folder), [str(PurePosixPath(name).with_suffix("")) for name in files], read)


def _outline(shape: Mapping[str, Any], where: str) -> list[tuple[float, float]]:
    """Corners (x, y) of one of LabelMe's shapes."""
    points, kind = [(float(x), float(y)) for x, y in shape["points"]], shape.get("shape_type") or "polygon"
    if kind == "rectangle":
        (left, top), (right, bottom) = points
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
    if kind == "circle":
        (x, y), edge = points
        around = np.linspace(0, 2 * np.pi, 64, endpoint=False)
        radius = np.hypot(edge[0] - x, edge[1] - y)
        return list(zip(x + radius * np.cos(around), y + radius * np.sin(around), strict=True))
    if kind != "polygon":
        raise BadSource(f"{where!r}: a shape {kind!r} has no area; draw polygons, rectangles or circles.")
    return points


def _coco(path: Path, content: Mapping[str, Any]) -> MapFiles:
    """`images` with id, file_name, height and width; `annotations` with image_id and polygons, plain RLE or a box.

    A picture that stands there once for each person is one.
    """
    marks: dict[str, list[Any]] = {}
    shapes: dict[str, tuple[str, int, int]] = {}
    of: dict[str, list[str]] = {}  # file_name -> ids
    try:
        for each in content["annotations"]:
            marks.setdefault(str(each["image_id"]), []).append(each)
        for each in content["images"]:
            name, number = str(each["file_name"]), str(each["id"])
            found = name, int(each["height"]), int(each["width"])
            ids = of.setdefault(name, [])
            ids.append(number)
            if shapes.setdefault(number, found) != found or shapes[ids[0]] != found:
                raise BadSource(f"{str(path)!r} has two pictures of the id {number}, or {name!r} in two sizes.")
    except BadSource:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise BadSource(f"{str(path)!r} is no annotation of COCO ({type(error).__name__}: {error}).") from None
    if lost := [number for number in marks if number not in shapes]:
        raise BadSource(f"{str(path)!r} marks the image_id {lost[0]}, and no picture of its `images` has that id.")
    names = list(of)

    def read(row: int) -> np.ndarray:
        name = names[row]
        shape = shapes[of[name][0]][1:]
        mask = np.zeros(shape)
        for each in (each for number in dict.fromkeys(of[name]) for each in marks.get(number, ())):
            try:
                mask = np.maximum(mask, _area(each, shape, path))
            except BadSource:
                raise
            except (KeyError, TypeError, ValueError):
                raise BadSource(f"{str(path)!r} marks {name!r} by neither polygons, nor RLE, nor a box.") from None
        return mask

    return MapFiles(str(path), names, read)


def _area(mark: Mapping[str, Any], shape: tuple[int, int], path: Path) -> np.ndarray:
    """What one annotation covers: its `segmentation`, and where that is empty its `bbox` (x, y, width, height)."""
    outline = mark.get("segmentation")
    if isinstance(outline, dict):
        return _run_lengths(outline, shape, path)
    rings = [list(zip(ring[::2], ring[1::2], strict=True)) for ring in outline or () if ring]
    if not rings:
        if (mark.get("attributes") or {}).get("rotation"):
            raise BadSource(f"{str(path)!r} has a box that is turned (attributes.rotation); export polygons or masks.")
        x, y, width, height = mark["bbox"]
        rings = [[(x, y), (x + width, y), (x + width, y + height), (x, y + height)]]
    return _drawn(shape, rings)


def _run_lengths(mask: Mapping[str, Any], shape: tuple[int, int], path: Path) -> np.ndarray:
    """COCO's plain RLE: lengths of runs of 0, 1, 0, ... down the columns."""
    counts = mask.get("counts")
    if not isinstance(counts, list) or sum(counts) != shape[0] * shape[1]:
        raise BadSource(
            f"{str(path)!r} has masks as compressed or wrong run lengths; write polygons, or decode them to PNG masks."
        )
    values = np.repeat(np.arange(len(counts)) % 2, counts)
    return values.reshape(shape[::-1]).T.astype(float)


def _drawn(shape: tuple[int, int], outlines: Sequence[Sequence[tuple[float, float]]]) -> np.ndarray:
    """1 where the middle of a pixel lies inside any outline (even-odd); (0, 0) is the picture's upper left corner."""
    y, x = np.arange(shape[0])[:, None] + 0.5, np.arange(shape[1]) + 0.5
    mask = np.zeros(shape, bool)
    for outline in outlines:
        inside = np.zeros(shape, bool)
        for (x1, y1), (x2, y2) in zip(outline, [*outline[1:], *outline[:1]], strict=True):
            if y1 != y2:
                inside ^= ((y1 > y) != (y2 > y)) & (x < x1 + (x2 - x1) * (y - y1) / (y2 - y1))
        mask |= inside
    return mask.astype(float)


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise BadSource(f"{str(path)!r} is no JSON: {error}.") from None
    if not isinstance(content, dict):
        raise BadSource(f"{str(path)!r} holds no polygons of LabelMe or COCO.")
    return content
