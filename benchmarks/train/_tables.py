"""What `ohem_and_picker.py` trained, measured and put into tables; see there for the design."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.data import rows_of
from benchmarks.intervals import student
from benchmarks.shared import head, row, say
from benchmarks.train.ohem_and_picker import MORE, STEPS
from giqa.compare.picker_curve import SHARES, Point, picker_curve, truncated_curve
from giqa.features.reader import extract, make_extractor
from giqa.metrics.frechet import frechet_distance
from giqa.model.fit import fit
from giqa.train.convergence import change_over_last_quarter
from giqa.train.gan import sample_pictures

SHOWN = ("fd", "qs", "ds")
JUDGED, TRUNCATIONS, KEPT = 1500, (0.9, 0.7, 0.5), 0.9
Of = Mapping[str, np.ndarray]  # "content", "z" and "gmm" of some pictures


def measure(work: Path, seeds: Sequence[int]) -> None:
    """WORK/measured/*.npz: features for FD and DS, z for QS and the picker's score, of every generator there is."""
    see = None
    for name, folder, n, latents, truncation in wanted(work, seeds):
        kept = work / "measured" / f"{name}.npz"
        if kept.exists() or not (folder / "generator.safetensors").exists():
            continue
        see = see or eyes(work)
        begun = time.process_time()
        pixels = sample_pictures(folder, n, seed=latents, truncation=truncation)
        np.savez(work / "half.npz", **see(pixels))
        (work / "half.npz").rename(kept)
        if truncation == 1 and n > JUDGED:
            grid(pixels[:96], work / f"{name}.png")
        say(f"{name}: {time.process_time() - begun:.0f} s of processor time")


def wanted(work: Path, seeds: Sequence[int]) -> Iterator[tuple[str, Path, int, int, float]]:
    """Name, folder, pictures, seed of the latents, and truncation of everything that is measured."""
    for seed in seeds:
        folder = work / f"seed-{seed}"
        for step in (2000, 4000, 6000, *range(STEPS * 3 // 4, STEPS + 1, 500)):
            n = 800 if step >= STEPS * 3 // 4 else 400
            yield f"{seed}-start-{step}", folder / "start" / f"at-{step:06d}", n, 100 + seed, 1.0
        for arm, n in (("plain", 2 * JUDGED), ("ohem", 2 * JUDGED), ("random", JUDGED), ("percentile", JUDGED)):
            yield f"{seed}-{arm}-end-{STEPS + MORE}", folder / arm / f"at-{STEPS + MORE:06d}", n, 200 + seed, 1.0
        for truncation in TRUNCATIONS:
            end = folder / "plain" / f"at-{STEPS + MORE:06d}"
            yield f"{seed}-truncated-{truncation}-end-{STEPS + MORE}", end, JUDGED, 200 + seed, truncation
        for arm in ("plain", "ohem"):
            for step in range(STEPS + 1000, STEPS + MORE, 1000):
                yield f"{seed}-{arm}-{step}", folder / arm / f"at-{step:06d}", 400, 100 + seed, 1.0


def eyes(work: Path) -> Callable[[np.ndarray], Of]:
    """Pixels to what is measured; reals are looked at once and kept in WORK/measured."""
    extractor, faces = make_extractor(), np.load(work / "faces.npz")
    learned, held_out = (extract(faces[name], extractor).features for name in ("learned", "held_out"))
    judge, gmm = fit(held_out), fit(learned, scorer="gmm")

    def see(pixels: np.ndarray) -> Of:
        found = extract(pixels, extractor, store=False).features
        of = {name: m.score(found) for name, m in (("z", judge), ("gmm", gmm))}
        return {"content": found.layers["content"], "z": of["z"].z, "gmm": of["gmm"].score}

    kept = work / "measured"
    kept.mkdir(exist_ok=True)
    if not (kept / "learned.npz").exists():
        np.save(kept / "held_out.npy", held_out.layers["content"])
        np.savez(kept / "learned.npz", **see(faces["learned"]))
    return see


def grid(pixels: np.ndarray, path: Path, across: int = 16) -> None:
    """A picture of pictures, at three times their size."""
    n, side = len(pixels) // across * across, pixels.shape[1]
    rows = pixels[:n].reshape(-1, across, side, side, 3).swapaxes(1, 2).reshape(-1, across * side, 3)
    Image.fromarray(rows).resize((rows.shape[1] * 3, rows.shape[0] * 3), Image.Resampling.NEAREST).save(path)


# --- tables


def report(work: Path, seeds: Sequence[int]) -> None:
    """Everything as Markdown on stdout; what is not measured yet is left out."""
    held_out, end = np.load(work / "measured" / "held_out.npy"), STEPS + MORE
    found = {path.stem: dict(np.load(path)) for path in (work / "measured").glob("*.npz")}
    settled(held_out, found, seeds)
    shares(work, seeds)
    by_percentile(work, seeds)
    curves = {}
    for seed in seeds:
        for arm in ("plain", "ohem", "random", "percentile"):
            if (of := found.get(f"{seed}-{arm}-end-{end}")) is not None:
                keep = SHARES if len(of["z"]) > JUDGED else (1.0,)
                curves[seed, arm] = picker_curve(
                    held_out, of["content"], of["gmm"], of["z"], shares=keep, sample=JUDGED
                )
        sets = {t: found.get(f"{seed}-truncated-{t}-end-{end}") for t in TRUNCATIONS}
        if all(sets.values()):
            known = {t: (of["content"], of["z"]) for t, of in sets.items()}
            curves[seed, "truncation"] = truncated_curve(held_out, known, sample=JUDGED)
    of = found["learned"]
    curves["learned"] = picker_curve(held_out, of["content"], of["gmm"], of["z"], shares=(1.0,))
    table_4(curves, seeds)
    table_3(curves, seeds)


def settled(held_out: np.ndarray, found: Mapping[str, Of], seeds: Sequence[int]) -> None:
    head("seed", "step of `start`: FD, QS", "change of FD over the last quarter", "settled: below 2 %")
    for seed in seeds:
        names = {int(name.split("-")[2]): name for name in found if name.startswith(f"{seed}-start-")}
        # FD is biased by the number of pictures: the line is through places with equally many
        at = {step: found[name] for step, name in sorted(names.items())}
        late = {step: of for step, of in at.items() if len(of["z"]) == 800}
        if len(late) > 2:
            values = {step: (frechet_distance(held_out, of["content"]), of["z"].mean()) for step, of in at.items()}
            change, error = change_over_last_quarter(list(late), [values[step][0] for step in late])
            path = ", ".join(f"{step}: {fd:.2f} {qs:.2f}" for step, (fd, qs) in values.items())
            says = "yes" if abs(change) < 0.02 else "no"
            row(seed, path, f"{change:+.1%} (standard error {error:.1%})", says)


def shares(work: Path, seeds: Sequence[int]) -> None:
    head("seed, arm", "share of fakes that got the weight, by step")
    for seed in seeds:
        for arm in ("ohem", "random", "percentile"):
            log = work / f"seed-{seed}" / arm / "log.csv"
            if log.exists():
                steps = {line["step"]: float(line["weighted_share"]) for line in rows_of(log)}
                row(f"{seed}, {arm}", ", ".join(f"{step}: {share:.3f}" for step, share in steps.items() if share > 0))


def by_percentile(work: Path, seeds: Sequence[int]) -> None:
    """What MBC sees: reals against fakes, and how many of the OHEM arm's lie below the fifth of unseen reals."""
    import torch

    from giqa.features.learned import frozen_scorer

    reals = np.load(work / "faces.npz")["held_out"]
    head("seed", "AUC of MBC, unseen reals against `start`", "below the reals' fifth: `start`", "OHEM arm")
    for seed in seeds:
        folder = work / f"seed-{seed}"
        if not (folder / "mbc.safetensors").exists():
            continue
        quality = frozen_scorer(folder / "mbc.safetensors")

        def scores(pixels: np.ndarray, quality: Callable = quality) -> np.ndarray:
            return quality(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1).numpy()

        seen = np.sort(scores(reals))
        of = {
            arm: {int(at.name[3:]): scores(sample_pictures(at, 500, seed=300 + seed)) for at in sorted(places)}
            for arm, places in (
                ("start", [at for at in (folder / "start").glob("at-*") if int(at.name[3:]) in (500, 2000, 10000)]),
                ("ohem", (folder / "ohem").glob("at-*000")),
            )
        }
        auc = {step: 1 - np.searchsorted(seen, found).mean() / len(seen) for step, found in of["start"].items()}
        below = [{step: (z < np.quantile(seen, 0.2)).mean() for step, z in of[arm].items()} for arm in of]
        row(seed, *(", ".join(f"{step}: {value:.2f}" for step, value in pairs.items()) for pairs in (auc, *below)))


def table_4(curves: Mapping, seeds: Sequence[int]) -> None:
    arms = {
        "plain": ("plain", 1.0),
        "+OHEM": ("ohem", 1.0),
        "+OHEM, by percentile": ("percentile", 1.0),
        "+a fifth by chance": ("random", 1.0),
    }
    arms |= {"+OHEM +picker": ("ohem", KEPT), "+picker": ("plain", KEPT)}
    head("seed", "arm", "FD", "QS", "DS")
    points = {}
    for seed in seeds:
        for name, (arm, share) in arms.items():
            hits = [p for p in curves.get((seed, arm), ()) if p.share == share]
            if hits:
                points[seed, name] = hits[0]
                row(seed, name, *cells(hits[0]))
    row("", "faces that trained", *cells(curves["learned"][0]))
    head("difference", *(metric.upper() for metric in SHOWN))
    pairs = [(name, "plain") for name in arms if name != "plain"]
    for left, right in [*pairs, ("+OHEM", "+a fifth by chance"), ("+OHEM +picker", "+OHEM")]:
        known = [s for s in seeds if (s, left) in points and (s, right) in points]
        if not known:
            continue
        text = []
        for metric in SHOWN:
            gaps = [points[s, left].values[metric].minus(points[s, right].values[metric]) for s in known]
            each = "; ".join(
                f"{s}: {gap:+.2f} [{low:+.2f}, {high:+.2f}]" for s, (gap, low, high) in zip(known, gaps, strict=True)
            )
            text.append(f"{student([gap for gap, *_ in gaps]):+.2f} ({each})")
        row(f"{left} − {right}", *text)


def table_3(curves: Mapping, seeds: Sequence[int]) -> None:
    head("how", "kept", "FD", "QS", "DS")
    for arm in ("plain", "truncation", "ohem"):
        every = [curves[s, arm] for s in seeds if (s, arm) in curves]
        for same in zip(*every, strict=True):
            means = [f"{student([p.values[m].value for p in same]):.2f}" for m in SHOWN]
            how = {"plain": "picker", "truncation": "truncation", "ohem": "picker, of +OHEM"}[arm]
            row(how, f"{same[0].share:g}", *(means if len(same) > 1 else cells(same[0])))


def cells(point: Point) -> list[str]:
    """Values with their intervals over pictures."""
    found = {metric: (point.values[metric].value, *point.values[metric].interval()) for metric in SHOWN}
    return [f"{value:.2f} [{low:.2f}, {high:.2f}]" for value, low, high in found.values()]
