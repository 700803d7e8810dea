"""Lines of text cut out of a picture, turned level, and what the network sees of them."""

from __future__ import annotations

import numpy as np
from PIL import Image

HEIGHT = 48  # pixels of a crop, as the network sees it
LONGEST = 960  # pixels of a crop's length there; a longer line is shrunk along its length


def rectified(pixels: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The part of a picture inside a box, turned level, at its native size; a column of text is laid on its side.

    Parameters
    ----------
    pixels : uint8 array (h, w, 3)
    box : float array (4, 2)
        x and y of the corners: from the one that becomes the upper left one, clockwise.

    Returns
    -------
    uint8 array (height, width, 3)
    """
    if _level(box):
        left, top = np.maximum(np.floor(box.min(axis=0)), 0).astype(int)
        right, bottom = np.ceil(box.max(axis=0)).astype(int)
        crop = pixels[top:bottom, left:right]
    else:
        width, height = (max(2, round(float(np.linalg.norm(box[end] - box[0])))) for end in (1, 3))
        (x0, y0), along, down = box[0], (box[1] - box[0]) / width, (box[3] - box[0]) / height
        turn = (along[0], down[0], x0, along[1], down[1], y0)
        image = Image.fromarray(pixels).transform(
            (width, height), Image.Transform.AFFINE, turn, Image.Resampling.BICUBIC
        )
        crop = np.asarray(image)
    return np.ascontiguousarray(np.rot90(crop) if crop.shape[0] > 1.5 * crop.shape[1] else crop)


def as_input(crop: np.ndarray) -> np.ndarray:
    """A crop as one channel, 48 pixels high, mean 0, deviation 1, letters brighter than what is around them.

    The channel is the axis along which the crop's colours differ most, so that red on green of the same brightness is
    seen as well as black on white.

    Parameters
    ----------
    crop : uint8 array (h, w, 3)

    Returns
    -------
    float32 array (1, 1, 48, w'), where w' is a multiple of 8
    """
    h, w = crop.shape[:2]
    width = int(np.clip(round(w * HEIGHT / h / 8), 2, LONGEST // 8)) * 8
    small = np.asarray(Image.fromarray(crop).resize((width, HEIGHT), Image.Resampling.BICUBIC), np.float32)
    centred = small - small.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    flat = centred.reshape(-1, 3).astype(np.float64)
    axis = np.linalg.eigh(flat.T @ flat)[1][:, -1]
    line = (centred @ axis.astype(np.float32)) / np.float32(max(np.sqrt(((flat @ axis) ** 2).mean()), 1.0))
    edge = np.concatenate([line[0], line[-1], line[:, 0], line[:, -1]]).mean(dtype=np.float64)
    return (-line if edge > 0 else line)[None, None]


def _level(box: np.ndarray) -> bool:
    """Whether the sides of a box lie along the rows and columns of the picture."""
    side = np.diff(np.vstack([box, box[:1]]), axis=0)
    return bool((np.abs(side).min(axis=1) < 0.5).all())
