"""Domains that no network of giqa was trained on, and fakes made of them: `unseen_domains.py` says what they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image

from benchmarks.accuracy.layer_combination import HELD_OUT, damages
from benchmarks.data import middle, pixels
from giqa.images import open_source

Pixels = np.ndarray
SIDE, STEP, FITTED, JUDGED, FAKES = 64, 48, 80, 60, 32
COMPONENTS = (4, 8, 16, 24, 32, 40, 52, 64)
FILTERS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.NEAREST)
TEXTURES = ("ihc.png", "hubble_deep_field.jpg", "gravel.png", "grass.png", "coffee.png")


# --- domains


def tiles(picture: Pixels, rng: np.random.Generator) -> list[Pixels]:
    h, w = picture.shape[:2]
    corners = [(y, x) for y in range(0, h - SIDE + 1, STEP) for x in range(0, w - SIDE + 1, STEP)]
    return [picture[y : y + SIDE, x : x + SIDE] for y, x in (corners[i] for i in rng.permutation(len(corners)))]


def opened(path: Path) -> Pixels:
    """RGB; transparency on light grey."""
    with Image.open(path) as image:
        image = image.convert("RGBA")
        return np.asarray(
            Image.alpha_composite(Image.new("RGBA", image.size, (235, 235, 235, 255)), image).convert("RGB")
        )


def padded(picture: Pixels) -> Pixels:
    """Square, light grey around, at SIDE."""
    long = max(picture.shape[:2])
    square = np.full((long, long, 3), 235, np.uint8)
    top, left = ((long - side) // 2 for side in picture.shape[:2])
    square[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return np.asarray(Image.fromarray(square).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def domains(data: Path, folder: Path) -> dict[str, tuple[str, list[Pixels], list[Pixels]]]:
    """Name -> kind, reals, and fakes where they are not made of them."""
    rng = np.random.default_rng(0)
    found: dict[str, tuple[str, list[Pixels], list[Pixels]]] = {}
    for name in TEXTURES:
        found[name.partition(".")[0]] = "textures", tiles(opened(folder / "skimage" / name), rng), []
    for name in ("flower.jpg", "china.jpg"):
        found[name.partition(".")[0]] = "textures", tiles(load_sample_image(name), rng), []
    drawn = {
        "icons": (
            p for p in (folder / "oxygen-icon-theme").rglob("*.png") if "64x64" in p.parts and not p.is_symlink()
        ),
        "stamps": (p for p in (folder / "tuxpaint-stamps-default").rglob("*.png") if "symbols" not in p.parts),
    }
    for name, paths in drawn.items():
        paths = sorted(paths)
        some = [paths[i] for i in rng.permutation(len(paths))[: FITTED + JUDGED]]
        found[name] = "drawn", [padded(opened(path)) for path in some], []
    source = open_source(f"{data}/imagenet-sample")
    order = sorted(range(len(source)), key=lambda i: str(source.path(i)))[HELD_OUT - 1 :: HELD_OUT]
    held_out = pixels(source, order[: FITTED + JUDGED])
    cifar = np.load(data / "cifar10-real" / "cifar10_test_2500.npz")["images"][HELD_OUT - 1 :: HELD_OUT]
    for side in (SIDE, 2 * SIDE):
        found[f"photographs, {side} px"] = "photographs", [middle(p, side) for p in held_out], []
    found["CIFAR-10"] = "photographs", [middle(p, SIDE) for p in cifar[: FITTED + JUDGED]], []
    run = open_source(f"{data}/cifar10-dcgan-progress/labels.csv[run=hvyd]")
    epoch = np.array([int(e) if e else -1 for e in run.columns["epoch"]])
    found["hvyd"] = "gan", pixels(run, np.flatnonzero(epoch < 0)), pixels(run, np.flatnonzero(epoch >= 0))
    return found


def runs(folder: Path | None) -> dict[str, tuple[str, list[Pixels], list[Pixels]]]:
    """As `domains`: a run of `training/gan_runs.py` each, with the first 24 samples of every epoch."""
    found = {}
    for file in sorted(folder.glob("*.npz")) if folder else ():
        run = np.load(file)
        samples, reals = run["samples"][:, :24], run["reals"]
        some = np.random.default_rng(0).permutation(len(reals))[: FITTED + JUDGED]
        found[file.stem] = "runs", list(reals[some]), list(samples.reshape(-1, *samples.shape[2:]))
    return found


# --- fakes


def resampled(p: Pixels, rng: np.random.Generator) -> Pixels:
    image, there, back = Image.fromarray(p), *rng.permutation(3)[:2]
    small = image.resize([round(side * rng.uniform(0.5, 0.85)) for side in image.size], FILTERS[there])
    changed = np.asarray(small.resize(image.size, FILTERS[back])).astype(float)
    if rng.random() < 0.5:
        changed += p.mean(2, keepdims=True) - changed.mean(2, keepdims=True)
    return np.clip(changed, 0, 255).astype(np.uint8)


def neighbours(small: np.ndarray) -> np.ndarray:
    """The 5 x 5 around each pixel, (h w, 75)."""
    around_it = np.pad(small, ((2, 2), (2, 2), (0, 0)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(around_it, (5, 5), axis=(0, 1))
    return windows.reshape(small.shape[0] * small.shape[1], -1)


def shrunk(p: Pixels, by: int) -> np.ndarray:
    h, w = (side // by for side in p.shape[:2])
    return p[: h * by, : w * by].reshape(h, by, w, by, 3).mean(axis=(1, 3))


def upsampler(fitted: Sequence[Pixels], by: int) -> Callable[[Pixels], Pixels]:
    gram, product = 0.0, 0.0
    for p in fitted:
        small = shrunk(p, by)
        h, w = small.shape[:2]
        x = np.c_[neighbours(small) - 128, np.ones(h * w)]
        y = p[: h * by, : w * by].reshape(h, by, w, by, 3).swapaxes(1, 2).reshape(h * w, -1) - 128.0
        gram, product = gram + x.T @ x, product + x.T @ y
    weights = np.linalg.solve(gram + 1e-4 * np.trace(gram) / len(gram) * np.eye(len(gram)), product)

    def made(p: Pixels) -> Pixels:
        small = shrunk(p, by)
        h, w = small.shape[:2]
        y = np.c_[neighbours(small) - 128, np.ones(h * w)] @ weights + 128
        return np.clip(y.reshape(h, w, by, by, 3).swapaxes(1, 2).reshape(h * by, w * by, 3), 0, 255).astype(np.uint8)

    return made


def projected(fitted: Sequence[Pixels], judged: Sequence[Pixels], components: Sequence[int]) -> list[Pixels]:
    x = np.stack(fitted).reshape(len(fitted), -1).astype(float)
    mean = x.mean(0)
    directions = np.linalg.svd(x - mean, full_matrices=False)[2]
    made = []
    for p, k in zip(judged, components, strict=True):
        rows = directions[:k]
        made.append(np.clip((p.ravel() - mean) @ rows.T @ rows + mean, 0, 255).astype(np.uint8).reshape(p.shape))
    return made


def quilter(fitted: Sequence[Pixels], rng: np.random.Generator) -> Callable[[Pixels], Pixels]:
    size, step = 8, 4

    def coarse(p: np.ndarray) -> np.ndarray:
        return np.asarray(
            Image.fromarray(p)
            .resize((p.shape[1] // 4, p.shape[0] // 4), Image.Resampling.BOX)
            .resize((p.shape[1], p.shape[0]), Image.Resampling.BICUBIC)
        ).astype(float)

    sharp, blurred = [], []
    for p in fitted:
        soft = coarse(p)
        for _ in range(25):
            y, x = (rng.integers(side - size) for side in p.shape[:2])
            sharp.append(p[y : y + size, x : x + size].astype(float))
            blurred.append(soft[y : y + size, x : x + size].ravel())
    sharp, blurred = np.stack(sharp), np.stack(blurred)
    squares = np.square(blurred).sum(1)

    def made(p: Pixels) -> Pixels:
        soft, total, count = coarse(p), np.zeros(p.shape), np.zeros((*p.shape[:2], 1))
        places = [(y, x) for y in range(0, p.shape[0] - size + 1, step) for x in range(0, p.shape[1] - size + 1, step)]
        wanted = np.stack([soft[y : y + size, x : x + size].ravel() for y, x in places])
        for (y, x), best in zip(places, (squares - 2 * wanted @ blurred.T).argmin(1), strict=True):
            total[y : y + size, x : x + size] += sharp[best]
            count[y : y + size, x : x + size] += 1
        return np.clip(total / count, 0, 255).astype(np.uint8)

    return made


def fakes_of(fitted: list[Pixels], judged: list[Pixels]) -> dict[str, list[Pixels]]:
    rng = np.random.default_rng(1)
    some, kinds, ups = (
        [judged[i % len(judged)] for i in range(FAKES)],
        damages(rng),
        [upsampler(fitted, by) for by in (2, 4)],
    )
    quilt, names = quilter(fitted, rng), list(damages(rng))
    return {
        "damaged": [kinds[names[i % len(names)]](p, rng.uniform(0.3, 1)) for i, p in enumerate(some)],
        "resampled": [resampled(p, rng) for p in some],
        "upsampled": [ups[i % 2](p) for i, p in enumerate(some)],
        "projected": projected(fitted, some, [COMPONENTS[i % len(COMPONENTS)] for i in range(FAKES)]),
        "quilted": [quilt(p) for p in some],
    }
