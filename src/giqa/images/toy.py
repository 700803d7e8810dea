"""Toy pictures that the package draws itself: mountain landscapes, and the same with graded damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..tables.write import write_table

DAMAGES = ("blur", "noise", "checkerboard", "colour", "blocks")

# sky at the zenith, sky at the horizon, light, far ridge, near ridge; 0..1 RGB
_MOODS = {
    "noon": ((0.22, 0.50, 0.86), (0.76, 0.89, 0.97), (1.00, 0.98, 0.86), (0.56, 0.69, 0.80), (0.10, 0.30, 0.16)),
    "dawn": ((0.36, 0.40, 0.68), (1.00, 0.78, 0.62), (1.00, 0.90, 0.72), (0.70, 0.58, 0.68), (0.20, 0.17, 0.29)),
    "sunset": ((0.27, 0.15, 0.40), (1.00, 0.50, 0.22), (1.00, 0.78, 0.38), (0.60, 0.28, 0.35), (0.13, 0.06, 0.14)),
    "dusk": ((0.08, 0.10, 0.28), (0.66, 0.42, 0.58), (1.00, 0.88, 0.86), (0.34, 0.28, 0.47), (0.06, 0.06, 0.14)),
    "night": ((0.02, 0.03, 0.11), (0.13, 0.22, 0.38), (0.96, 0.96, 0.88), (0.14, 0.20, 0.33), (0.01, 0.03, 0.07)),
    "mist": ((0.62, 0.72, 0.76), (0.92, 0.93, 0.90), (1.00, 1.00, 0.96), (0.76, 0.81, 0.81), (0.19, 0.31, 0.30)),
    "autumn": ((0.38, 0.60, 0.80), (0.98, 0.91, 0.76), (1.00, 0.94, 0.74), (0.72, 0.62, 0.60), (0.45, 0.20, 0.07)),
}
_OFTEN = (0.18, 0.15, 0.17, 0.12, 0.08, 0.14, 0.16)  # few are dark


def write_toy(
    folder: str | Path, n_real: int = 200, n_fake: int = 60, size: int = 64, seed: int = 0
) -> tuple[Path, Path]:
    """Landscapes in `folder/reals`, others with damage in `folder/fakes`, as PNG; and `folder/labels.csv`.

    A sixth of the fakes is undamaged (`none`, strength 0); the others share `DAMAGES`, with strengths evenly spread
    over 0.05 .. 1, which their names give: `fake_012_checkerboard_0.40.png`. Columns of the table: image (relative to
    `folder`), kind (real or generated), damage, strength.

    Parameters
    ----------
    folder : path
        Where they are written.
    n_real, n_fake : int
        How many.
    size : int
        Pixels of a side.
    seed : int
        The same seed writes the same pixels.

    Returns
    -------
    tuple of two paths
        The folders of the reals and of the fakes.
    """
    from PIL import Image

    folder = Path(folder)
    reals, fakes = folder / "reals", folder / "fakes"
    reals.mkdir(parents=True, exist_ok=True)
    fakes.mkdir(parents=True, exist_ok=True)
    rows = []
    for index in range(n_real):
        name = f"real_{index:03d}.png"
        Image.fromarray(landscape(np.random.default_rng([seed, 0, index]), size)).save(reals / name)
        rows.append((f"reals/{name}", "real", "none", "0.00"))
    for index, (kind, strength) in enumerate(_plan(n_fake)):
        rng = np.random.default_rng([seed, 1, index])
        name = f"fake_{index:03d}_{kind}_{strength:.2f}.png"
        Image.fromarray(damaged(landscape(rng, size), kind, strength, rng)).save(fakes / name)
        rows.append((f"fakes/{name}", "generated", kind, f"{strength:.2f}"))
    columns = zip(("image", "kind", "damage", "strength"), zip(*rows, strict=True), strict=True)
    write_table(folder / "labels.csv", dict(columns))
    return reals, fakes


def landscape(rng: np.random.Generator, size: int) -> np.ndarray:
    """One view: sky with a sun or moon, ridges fading into the distance, sometimes a lake; uint8 (size, size, 3)."""
    high, low, light, far, near = (np.array(c) for c in _MOODS[rng.choice(list(_MOODS), p=_OFTEN)])
    x, y = np.meshgrid((np.arange(size) + 0.5) / size, (np.arange(size) + 0.5) / size)
    lake = rng.random() < 0.45
    shore = rng.uniform(0.66, 0.76) if lake else 1.0
    horizon = rng.uniform(0.42, 0.56)
    view = high + (low - high) * np.clip(y / horizon, 0, 1)[..., None] ** 1.3
    view = _sky(view, x, y, light, horizon, rng)
    ridges = int(rng.integers(3, 6))
    for ridge in range(ridges):
        nearness = ridge / (ridges - 1)
        base = horizon + 0.03 + (0.92 * shore - horizon) * nearness
        height = base - rng.uniform(0.10, 0.26) * (1 - 0.55 * nearness) * _ridge(size, rng, 2 + ridge)
        colour = far + (near - far) * nearness ** rng.uniform(0.8, 1.2)
        colour = colour * rng.uniform(0.9, 1.1, 3)
        if nearness == 1:
            height = _with_trees(height, size, rng)
        depth = np.clip((y - height) / 0.35, 0, 1)[..., None]
        ground = colour + (low - colour) * (0.30 - 0.22 * nearness) * depth  # haze gathers in the valleys
        if ridge == 0 and low.mean() > 0.5 and rng.random() < 0.6:
            snow = np.clip((base - 0.11 - 0.03 * _ridge(size, rng, 6) - y) * size / 2, 0, 1)[..., None]
            ground = ground + (0.25 * low + 0.75 - ground) * snow * 0.8
        cover = np.clip((y - height) * size + 0.5, 0, 1)[..., None]  # antialiased: the part of the pixel below
        view = view + (ground - view) * cover
    if lake:
        view = _mirrored(view, y, shore, low, rng)
    view = view * (1 - 0.35 * ((x - 0.5) ** 2 + (y - 0.5) ** 2))[..., None]  # the lens darkens the corners
    view = view * rng.uniform(0.92, 1.06) + rng.normal(0, 0.008, view.shape)  # exposure, sensor noise
    return np.rint(np.clip(view, 0, 1) * 255).astype(np.uint8)


def damaged(pixels: np.ndarray, kind: str, strength: float, rng: np.random.Generator) -> np.ndarray:
    """The picture with damage of a kind (`DAMAGES` or none) and a strength in 0..1."""
    view = pixels / 255.0
    size = len(view)
    if kind == "blur":
        view = _blurred(view, 0.4 + 2.6 * strength * size / 64)
    elif kind == "noise":
        view = view + rng.normal(0, 0.02 + 0.22 * strength, view.shape)
    elif kind == "checkerboard":  # transposed convolution: even and odd pixels get different weights
        even = np.arange(size) % 2 == 0
        view = view * (1 - strength * 0.55 * (even[:, None] ^ even[None, :]))[..., None]
        view = view + 0.12 * strength * (even[:, None] & even[None, :])[..., None]
    elif kind == "colour":
        mix = np.eye(3) * (1 - 0.8 * strength) + 0.8 * strength * np.roll(np.eye(3), int(rng.integers(1, 3)), 0)
        view = view @ mix + strength * rng.uniform(-0.15, 0.15, 3)
    elif kind == "blocks":
        side = max(size // 8, 1)
        for _ in range(round(1 + 20 * strength)):
            (top, left), (top2, left2) = rng.integers(0, max(size - side, 0) + 1, (2, 2))
            view[top : top + side, left : left + side] = view[top2 : top2 + side, left2 : left2 + side].copy()
    return np.rint(np.clip(view, 0, 1) * 255).astype(np.uint8)


def _plan(n: int) -> list[tuple[str, float]]:
    """Damage and strength of every fake: each kind in turn, its strengths evenly spread."""
    kinds = [("none", *DAMAGES)[index % (len(DAMAGES) + 1)] for index in range(n)]
    last = max((n - 1) // (len(DAMAGES) + 1), 1)
    return [
        (kind, 0.0 if kind == "none" else round(0.05 + 0.95 * (index // (len(DAMAGES) + 1)) / last, 2))
        for index, kind in enumerate(kinds)
    ]


def _ridge(size: int, rng: np.random.Generator, detail: int) -> np.ndarray:
    """A mountain line in 0..1: octaves of noise between random heights, each less than half as high as the last."""
    x = (np.arange(size) + 0.5) / size
    line = np.zeros(size)
    for octave in range(5):
        knots = detail * 2**octave + 1
        line += np.interp(x * (knots - 1), np.arange(knots), rng.random(knots)) * 0.42**octave
    return (line - line.min()) / max(float(np.ptp(line)), 1e-9)


def _sky(
    view: np.ndarray, x: np.ndarray, y: np.ndarray, light: np.ndarray, horizon: float, rng: np.random.Generator
) -> np.ndarray:
    """Stars or clouds, and a sun or moon with its glow."""
    size, night = len(view), view[0].mean() < 0.22
    if night:
        bright = np.where(rng.random(x.shape) > 0.985, rng.uniform(0.2, 0.9, x.shape), 0)
        view = view + (bright * np.clip(1.2 - y / horizon, 0, 1))[..., None]
    else:
        for _ in range(rng.integers(0, 5)):  # a cloud is a few flat puffs
            cx, cy, wide = rng.uniform(0, 1), rng.uniform(0.05, 0.75) * horizon, rng.uniform(0.08, 0.2)
            puffs = zip(rng.uniform(-1, 1, 5), rng.uniform(-0.12, 0.12, 5), rng.uniform(0.3, 0.7, 5), strict=True)
            cloud = sum(
                np.exp(-(((x - cx) / wide - dx) ** 2 + ((y - cy) / wide * 3 - dy * 3) ** 2) / r**2)
                for dx, dy, r in puffs
            )
            cover = np.clip(cloud - 0.25, 0, 1)[..., None] * rng.uniform(0.35, 0.75)
            view = view + (0.35 * light + 0.65 * np.maximum(view, 0.8 * light) - view) * cover
    sun_x, sun_y, radius = rng.uniform(0.12, 0.88), rng.uniform(0.25, 0.85) * horizon, rng.uniform(0.035, 0.065)
    away = np.hypot(x - sun_x, y - sun_y)
    glow = 0.55 * np.exp(-away / 0.13) * (0.4 if night else 1)
    disc = np.clip((radius - away) * size + 0.5, 0, 1)
    if night:  # a crescent: the shadow of another disc
        shadow = np.hypot(x - sun_x - 0.5 * radius, y - sun_y + 0.3 * radius)
        disc = disc * np.clip((shadow - 0.9 * radius) * size + 0.5, 0, 1)
    return view + (light - view) * np.clip(glow + disc, 0, 1)[..., None]


def _with_trees(height: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """The line of the nearest ridge with conifers standing on it."""
    x = (np.arange(size) + 0.5) / size
    for at in rng.uniform(0, 1, rng.integers(0, 22)):
        tall = rng.uniform(0.05, 0.13)
        foot = height[int(at * size)]
        height = np.minimum(height, foot - tall + np.abs(x - at) * 3.2 + 0.3 * tall * (np.abs(x - at) * 3.2 > tall))
    return height


def _mirrored(view: np.ndarray, y: np.ndarray, shore: float, low: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A lake below the shore: the view upside down, rippled, paler and darker towards the viewer."""
    size = len(view)
    depth = np.clip(y - shore, 0, 1)
    ripple = 0.012 * np.sin(y * rng.uniform(90, 140) + rng.uniform(0, 6)) * (0.3 + 4 * depth)
    rows = np.clip((shore - depth * 1.5 + ripple) * size - 0.5, 0, size - 1)
    upper = np.floor(rows).astype(int)
    part = (rows - upper)[..., None]
    columns = np.arange(size)[None, :]
    image = view[upper, columns] * (1 - part) + view[np.minimum(upper + 1, size - 1), columns] * part
    water = (0.80 * image + 0.20 * low) * (0.93 - 0.9 * depth)[..., None]
    cover = np.clip((y - shore) * size + 0.5, 0, 1)[..., None]
    return view + (water - view) * cover


def _blurred(view: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur, edges repeated."""
    reach = int(np.ceil(3 * sigma))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        width = [(reach, reach) if a == axis else (0, 0) for a in range(3)]
        padded = np.pad(view, width, mode="edge")
        view = np.apply_along_axis(np.convolve, axis, padded, weights, "valid")
    return view
