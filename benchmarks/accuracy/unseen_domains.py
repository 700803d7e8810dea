"""How layers are combined, chosen on domains that no network of giqa was trained on and no table of accuracy reports.

    python -m benchmarks.accuracy.unseen_domains --pictures pictures --kept kept

Needs: cifar10-dcgan-progress, cifar10-real and imagenet-sample of --data; a folder --pictures with `skimage` (the
pictures that scikit-image ships) and the unpacked Debian packages tuxpaint-stamps-default and oxygen-icon-theme; with
--gans the folder that `training/gan_runs.py` wrote.
Takes: about 3 minutes of processor time, most of it features, which --kept keeps.

Domains of 64 px, at most 80 reals to fit on and 60 others to judge; three draws of three quarters of the first are
fitted; three views (as they are, grey, JPEG 90 4:2:0; reals and fakes alike):

- textures: tiles of one picture each (ihc, hubble_deep_field, gravel, grass, coffee; flower and china of scikit-learn);
- drawn: icons of oxygen, stamps of tuxpaint on light grey (a few may be in openclipart too, which was trained with);
- photographs: the middle squares of every fifth picture of imagenet-sample, at 64 and at 128 px, and of cifar10-real,
  enlarged: those that `training/pictures.py` keeps back;
- gan: the 64 real tiles of the run hvyd, and its last five epochs. It was trained with, so it decides nothing alone.
- runs: those of --gans, DCGANs with the pictures that they were trained on as reals, which the network was too.

Fakes of a domain are made of the judged reals, 32 a kind: damaged (the kinds of `layer_combination.py`, in turn, at
0.3 to 1); resampled (0.5 to 0.85 of the size and back, in half of them the colours only); upsampled (from a half or a
quarter of the size by a linear map of 5 x 5 neighbours to 2 x 2 or 4 x 4 pixels, learned from the fitted reals: what a
layer of a GAN does); projected (on 4 to 64 principal components of the fitted reals); quilted (overlapping patches of 8
px, each the fitted reals' nearest to the blurred one, as GPNN does). For gan and runs: late epochs.

A cell is the AUC of judged reals against fakes, mean over the domains of a kind. "Order" is the Spearman correlation of
the score with the number of components, and with the epoch of hvyd and of each run. Differences from the default are
paired by domain; their intervals resample domains. Rules differ in what they make of the z of layers alone:

- to -6, to -8, no end: down to which z `artefacts` counts (-4 by default);
- logarithm: beyond -4, z goes on as -4 - ln(1 + |z + 4|), of artefacts or of every layer; "from -6", "-8", "-12": of
  every layer, beyond there;
- half pixels: `pixels` counts half in Fisher's sum; without pixels: not at all;
- mean, soft minimum: of the z, instead of Fisher's sum, the second -ln of the sum of exp(-z);
- Student: the tail of each layer is that of Student's t, its degrees of freedom the likeliest for its held-out reals;
- whitened: minus the length of the negative parts of z, in units of the reals' own covariance, half shrunk.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import t

from benchmarks.accuracy._unseen import COMPONENTS, FAKES, FITTED, JUDGED, Pixels, domains, fakes_of, runs
from benchmarks.accuracy.carries import WAYS
from benchmarks.intervals import around, auc, spearman
from benchmarks.shared import command, existing, head, results, row, say
from giqa.features.embedded import Embedded
from giqa.scorers.multilayer import CLIP, MultiLayer, log_normal_tail
from giqa.types import Features

DRAWS = 3
VIEWS: dict[str, Callable[[Pixels], Pixels]] = {"as they are": lambda p: p, **WAYS}
LAYERS = ("pixels", "taps", "artefacts")
FLOOR = -4.0  # of artefacts, and where the logarithm begins


# --- features


def measured(reals: list[Pixels], fakes: list[Pixels], extractor: Embedded) -> dict[str, dict[str, Features]]:
    """View -> "fit", "judged" and each kind of fakes -> features of the embedded network."""
    judged = min(JUDGED, round(0.42 * len(reals)))
    parts = {"judged": reals[:judged], "fit": reals[judged : judged + FITTED]}
    parts |= {"generated": fakes} if fakes else fakes_of(parts["fit"], parts["judged"])
    found: dict[str, dict[str, Features]] = {}
    for view, change in VIEWS.items():
        found[view] = {}
        for name, some in parts.items():
            some = [np.ascontiguousarray(change(np.ascontiguousarray(p))) for p in some]
            steps = [extractor(some[i : i + 16]) for i in range(0, len(some), 16)]
            layers = {key: np.concatenate([step[key] for step in steps]) for key in steps[0]}
            found[view][name] = Features(
                tuple(map(str, range(len(some)))), layers, made_by={"levels": extractor.levels}
            )
    return found


def kept(folder: Path | None, name: str, make: Callable[[], dict[str, dict[str, Features]]]) -> dict:
    """Features of a domain, from the folder where they are there."""
    file = folder / f"{name}.npz" if folder else None
    if file is None or not file.exists():
        found = make()
        if file:
            folder.mkdir(parents=True, exist_ok=True)
            arrays = {f"{v}|{p}|{k}": x for v, ps in found.items() for p, f in ps.items() for k, x in f.layers.items()}
            np.savez(file, **arrays)
        return found
    found = {}
    with np.load(file) as arrays:
        for key in arrays.files:
            view, part, layer = key.split("|")
            found.setdefault(view, {}).setdefault(part, {})[layer] = arrays[key]
    levels = Embedded().levels
    return {
        view: {
            part: Features(tuple(map(str, range(len(next(iter(layers.values())))))), layers, made_by={"levels": levels})
            for part, layers in parts.items()
        }
        for view, parts in found.items()
    }


# --- rules: z of held-out reals and of pictures, by layer -> scores


By = Mapping[str, np.ndarray]
Rule = Callable[[By, By], np.ndarray]


def fisher(z: By, weights: Mapping[str, float]) -> np.ndarray:
    return -np.sqrt(-2 * sum(w * log_normal_tail(z[name]) for name, w in weights.items()))


def bounded(z: By, floor: float = FLOOR) -> dict[str, np.ndarray]:
    return {name: np.maximum(x, floor) if name == "artefacts" else x for name, x in z.items()}


def slowed(z: np.ndarray, start: float = FLOOR) -> np.ndarray:
    return np.where(z < start, start - np.log1p(np.maximum(start - z, 0)), z)


def student(own: By, z: By) -> np.ndarray:
    total = 0.0
    for name in LAYERS:
        grid = [
            (float(t(nu, scale=0.6745 / t.ppf(0.75, nu)).logpdf(own[name]).sum()), nu) for nu in (2, 3, 4, 6, 10, 100)
        ]
        nu = max(grid)[1]
        total = total + t.logcdf(bounded(z)[name] / (0.6745 / t.ppf(0.75, nu)), nu)
    return -np.sqrt(-2 * total)


def whitened(own: By, z: By) -> np.ndarray:
    held = np.stack([np.clip(own[name], -CLIP, CLIP) for name in LAYERS])
    shares = np.linalg.inv(0.5 * np.cov(held) + 0.5 * np.diag(held.var(axis=1)))
    low = np.minimum(np.stack([bounded(z)[name] for name in LAYERS]), 0)
    return -np.sqrt(np.einsum("in,ij,jn->n", low, shares, low).clip(min=0))


ALL = dict.fromkeys(LAYERS, 1.0)
RULES: dict[str, Rule] = {
    "artefacts to -4 (default)": lambda own, z: fisher(bounded(z), ALL),
    "artefacts to -6": lambda own, z: fisher(bounded(z, -6), ALL),
    "artefacts to -8": lambda own, z: fisher(bounded(z, -8), ALL),
    "artefacts, no end": lambda own, z: fisher(z, ALL),
    "artefacts, logarithm": lambda own, z: fisher({**z, "artefacts": slowed(z["artefacts"])}, ALL),
    "every layer, logarithm": lambda own, z: fisher({name: slowed(x) for name, x in z.items()}, ALL),
    **{
        f"every layer, logarithm from {start}": lambda own, z, start=start: fisher(
            {name: slowed(x, start) for name, x in z.items()}, ALL
        )
        for start in (-6, -8, -12)
    },
    "half pixels": lambda own, z: fisher(bounded(z), ALL | {"pixels": 0.5}),
    "half pixels, artefacts to -8": lambda own, z: fisher(bounded(z, -8), ALL | {"pixels": 0.5}),
    "without pixels": lambda own, z: fisher(bounded(z), {"taps": 1, "artefacts": 1}),
    "mean": lambda own, z: sum(bounded(z)[name] for name in LAYERS) / 3,
    "soft minimum": lambda own, z: -np.logaddexp.reduce([-bounded(z)[name] for name in LAYERS]),
    "Student": student,
    "whitened": whitened,
    **{f"{name} alone": lambda own, z, name=name: z[name] for name in LAYERS},
}


def by_layer(scorer: MultiLayer, names: Sequence[str], features: Features) -> By:
    return dict(zip(names, scorer.layer_z(features).T, strict=True))


def judged(found: dict[str, dict[str, Features]], epochs: np.ndarray | None) -> dict[tuple[str, str, str], list[float]]:
    """(rule, view, kind of fakes or order) -> a value of each draw."""
    values: dict[tuple[str, str, str], list[float]] = {}
    for view, parts in found.items():
        for draw in range(DRAWS):
            n = len(parts["fit"])
            fit = parts["fit"].rows(np.random.default_rng(draw).permutation(n)[: round(0.75 * n)])
            scorer = MultiLayer().fit(fit)
            scorer.floors_ = np.full(len(scorer.floors_), -np.inf)
            names = scorer.layer_names(fit.layers)
            own = dict(
                zip(names, scorer._z(scorer._by_layer([part.held_out_ for part in scorer.parts_])).T, strict=True)
            )
            z = {part: by_layer(scorer, names, features) for part, features in parts.items() if part != "fit"}
            for rule, score in RULES.items():
                scores = {part: score(own, of) for part, of in z.items()}
                for kind, fakes in scores.items():
                    late = epochs >= 20 if kind == "generated" else slice(None)
                    if kind != "judged":
                        values.setdefault((rule, view, kind), []).append(auc(scores["judged"], fakes[late]))
                for kind, order in (("projected", np.resize(COMPONENTS, FAKES)), ("generated", epochs)):
                    if kind in scores:
                        values.setdefault((rule, view, "order"), []).append(spearman(scores[kind], order))
    return values


def main() -> None:
    parser = command(__file__, __doc__, "data")
    parser.add_argument("--pictures", type=existing, required=True, metavar="FOLDER")
    parser.add_argument("--kept", type=Path, metavar="FOLDER", help="where features are kept")
    parser.add_argument("--gans", type=existing, metavar="FOLDER", help="what training/gan_runs.py wrote")
    options = parser.parse_args()
    with results(options):
        measure(options)


def measure(options: argparse.Namespace) -> None:
    extractor, kinds, values = Embedded(), {}, {}
    for name, (kind, reals, fakes) in (domains(options.data, options.pictures) | runs(options.gans)).items():
        found = kept(options.kept, name, lambda reals=reals, fakes=fakes: measured(reals, fakes, extractor))
        epochs = np.repeat(np.arange(25), len(fakes) // 25) if fakes else None
        kinds[name], values[name] = kind, judged(found, epochs)
        say(f"{name}: {len(reals)} reals")
    groups = {"all": lambda d, v, k: k != "order"}
    groups |= {view: lambda d, v, k, view=view: v == view and k != "order" for view in VIEWS}
    groups |= {
        kind: lambda d, v, k, kind=kind: kinds[d] == kind and k != "order" for kind in dict.fromkeys(kinds.values())
    }
    made = [
        kind
        for kind in dict.fromkeys(k for of in values.values() for _, _, k in of)
        if kind not in ("order", "generated")
    ]
    groups |= {kind: lambda d, v, k, kind=kind: k == kind for kind in made}
    groups |= {"order, components": lambda d, v, k: k == "order" and kinds[d] not in ("gan", "runs")}
    groups |= {"order, runs": lambda d, v, k: k == "order" and kinds[d] == "runs"} if options.gans else {}
    trained = [d for d, kind in kinds.items() if kind in ("gan", "runs")]
    groups |= {f"order, {d}": lambda d, v, k, run=d: k == "order" and d == run for d in trained}

    def cells(rule: str, wanted: Callable[[str, str, str], bool]) -> np.ndarray:
        """A mean of each domain."""
        means = [
            [np.mean(x) for (r, v, k), x in of.items() if r == rule and wanted(d, v, k)] for d, of in values.items()
        ]
        return np.array([np.mean(mean) for mean in means if mean])

    head("rule", *groups)
    for rule in RULES:
        row(rule, *(f"{cells(rule, wanted).mean():.3f}" for wanted in groups.values()))
    print("\n## Above the default")
    first, rng = next(iter(RULES)), np.random.default_rng(0)
    head("rule", *groups)
    for rule in list(RULES)[1:]:
        above = [cells(rule, wanted) - cells(first, wanted) for wanted in groups.values()]
        draws = [[d[rng.integers(len(d), size=len(d))].mean() for _ in range(1000)] for d in above]
        row(rule, *(f"{around(draw, d.mean(), len(d)):+.3f}" for draw, d in zip(draws, above, strict=True)))


if __name__ == "__main__":
    main()
