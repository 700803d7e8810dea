"""Where there is text in a picture: PP-OCRv5's detector, and boxes from its map of probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

MULTIPLE = 32  # the detector halves a picture five times
INK, TEXT = 0.3, 0.6  # the least probability of a pixel of text, and the least mean inside a box
GROWN = 1.5  # the map shows the core of a line: a box grows by this times area / perimeter
LEAST = 3  # pixels of the shorter side of a core
MOST = 100  # boxes of one picture
LEVEL = np.deg2rad(3.0)  # a box turned less than this stands level
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)


def detector_input(pixels: np.ndarray, side: int) -> np.ndarray:
    """A picture as the detector takes it: its longer side at most `side`, both a multiple of 32.

    Parameters
    ----------
    pixels : uint8 array (h, w, 3)
    side : int

    Returns
    -------
    float32 array (1, 3, h', w')
    """
    h, w = pixels.shape[:2]
    scale = min(1.0, side / max(h, w))
    size = [max(MULTIPLE, round(length * scale / MULTIPLE) * MULTIPLE) for length in (w, h)]
    image = Image.fromarray(pixels)
    small = np.asarray(image if list(image.size) == size else image.resize(size, Image.Resampling.BILINEAR))
    prepared = np.empty((1, 3, *small.shape[:2]), np.float32)
    for channel, plane in enumerate(prepared[0]):  # blue, green, red, as it was trained
        np.multiply(small[..., 2 - channel], np.float32(1 / 255), out=plane)
        plane -= MEAN[channel]
        plane /= DEVIATION[channel]
    return prepared


def boxes_of(probability: np.ndarray, size: tuple[int, int]) -> list[np.ndarray]:
    """Boxes of the lines of text, from the top of the picture to its bottom.

    Parameters
    ----------
    probability : float array (h', w')
        Of text, by the detector.
    size : height and width of the picture

    Returns
    -------
    list of float64 array (4, 2)
        x and y of the corners in pixels of the picture, clockwise from the upper left one.

    Examples
    --------
    >>> probability = np.zeros((32, 64))
    >>> probability[10:14, 20:40] = 0.9
    >>> boxes_of(probability, (32, 64))[0].round(1).tolist()
    [[17.5, 7.5], [42.5, 7.5], [42.5, 16.5], [17.5, 16.5]]
    """
    scale = np.array([size[1] / probability.shape[1], size[0] / probability.shape[0]])
    found = []
    for part in _parts(probability > INK):
        if part.pixels < LEAST * LEAST:
            continue
        box = _smallest_box(part.corners)
        width, height = np.linalg.norm(box[1] - box[0]), np.linalg.norm(box[3] - box[0])
        if min(width, height) < LEAST or _mean_inside(probability, box) < TEXT:
            continue
        box = _grown(box, GROWN * width * height / (2 * (width + height))) * scale
        found.append(np.clip(box, 0, [size[1], size[0]]) if _is_level(box) else box)
    found.sort(key=lambda box: (box[:, 1].min(), box[:, 0].min()))
    return found[:MOST]


@dataclass(frozen=True)
class Part:
    """Pixels that touch: how many, and the corners (n, 2) of the first and the last of each row, x and y."""

    pixels: int
    corners: np.ndarray


def _parts(mask: np.ndarray) -> list[Part]:
    """The parts of a mask that hang together, by their sides or corners.

    Rows are cut into runs, and runs of neighbouring rows that touch are joined.
    """
    height, width = mask.shape
    line = np.zeros(1 + height * (width + 1), bool)  # all rows in one, with a gap before each
    line[1:].reshape(height, width + 1)[:, :width] = mask
    edges = np.flatnonzero(line[1:] != line[:-1])
    rows, starts = np.divmod(edges[::2], width + 1)
    ends = edges[1::2] - rows * (width + 1)
    root = list(range(len(rows)))

    def top(run: int) -> int:
        while root[run] != run:
            root[run] = root[root[run]]
            run = root[run]
        return run

    first = np.searchsorted(rows, np.arange(mask.shape[0] + 1)).tolist()
    start, end = starts.tolist(), ends.tolist()
    for row in range(1, mask.shape[0]):
        above, below = first[row - 1], first[row]
        while above < first[row] and below < first[row + 1]:
            if start[above] <= end[below] and start[below] <= end[above]:
                root[top(below)] = top(above)
            if end[above] < end[below]:
                above += 1
            else:
                below += 1
    label = np.array([top(run) for run in range(len(rows))], int)
    order = np.argsort(label, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(label[order])) + 1) if len(order) else []
    parts = []
    for group in groups:
        x, y = np.r_[starts[group], ends[group]], np.r_[rows[group], rows[group]]
        corners = np.concatenate([np.stack([x, y], 1), np.stack([x, y + 1], 1)]).astype(float)
        parts.append(Part(int((ends[group] - starts[group]).sum()), corners))
    return parts


def _hull(points: np.ndarray) -> np.ndarray:
    """Corners of the convex hull, in order (Andrew's chain)."""
    points = np.unique(points, axis=0).tolist()

    def half(points: list) -> list:
        chain: list = []
        for x, y in points:
            while len(chain) > 1:
                (ax, ay), (bx, by) = chain[-2:]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                    break
                chain.pop()
            chain.append((x, y))
        return chain[:-1]

    return np.array(half(points) + half(points[::-1]))


def _smallest_box(points: np.ndarray) -> np.ndarray:
    """The rectangle of least area around points, one side along a side of their hull; almost level ones stand level."""
    hull = _hull(points)
    side = np.diff(np.vstack([hull, hull[:1]]), axis=0)
    angles = np.unique((np.arctan2(side[:, 1], side[:, 0]) + np.pi / 4) % (np.pi / 2) - np.pi / 4)
    along = np.stack([np.cos(angles), np.sin(angles)], 1)
    down = np.stack([-along[:, 1], along[:, 0]], 1)
    x, y = hull @ along.T, hull @ down.T  # (corners, angles)
    best = int(np.argmin(np.ptp(x, axis=0) * np.ptp(y, axis=0)))
    if abs(angles[best]) < LEVEL:
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    ends = [(x[:, best].min(), y[:, best].min()), (x[:, best].max(), y[:, best].min())]
    ends += [(x[:, best].max(), y[:, best].max()), (x[:, best].min(), y[:, best].max())]
    return np.array([u * along[best] + v * down[best] for u, v in ends])


def _mean_inside(probability: np.ndarray, box: np.ndarray) -> float:
    """Mean probability of the pixels whose middle lies inside a box."""
    low = np.maximum(np.floor(box.min(axis=0)), 0).astype(int)
    high = np.ceil(box.max(axis=0)).astype(int)
    part = probability[low[1] : high[1], low[0] : high[0]]
    x, y = np.arange(part.shape[1]) + low[0] + 0.5, (np.arange(part.shape[0]) + low[1] + 0.5)[:, None]
    inside = np.ones(part.shape, bool)
    for (ax, ay), (bx, by) in zip(box, np.roll(box, -1, axis=0), strict=True):
        inside &= (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0
    return float(part[inside].mean(dtype=np.float64)) if inside.any() else 0.0


def _grown(box: np.ndarray, by: float) -> np.ndarray:
    """Each side of a box moved out by so many pixels."""
    along, down = ((box[end] - box[0]) / np.linalg.norm(box[end] - box[0]) * by for end in (1, 3))
    return box + np.array([-along - down, along - down, along + down, down - along])


def _is_level(box: np.ndarray) -> bool:
    return bool(abs(box[1, 1] - box[0, 1]) < 1e-9)
