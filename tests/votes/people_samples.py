"""Judgements made by known rules, for the tests of this folder."""

import numpy as np

from giqa.votes.labels import Sittings, Votes


def votes(image, rater, said_real, **columns):
    """Votes of these; columns that are not given say nothing."""
    n = len(image)
    text = {name: np.full(n, "") for name in ("context", "kind", "generator")}
    numbers = {name: np.full(n, np.nan) for name in ("response_ms", "exposure_ms", "position")}
    filled = text | numbers | {"control": np.zeros(n, bool)} | {k: np.array(v) for k, v in columns.items()}
    return Votes(np.array(image), np.array(rater), np.array(said_real, bool), **filled)


def sittings(generator, wrong_fakes, wrong_reals, of=100, rater=None):
    """One evaluator a row, `of` fakes and reals each."""
    n, wholes, nothing = len(wrong_fakes), np.full(len(wrong_fakes), float(of)), np.full(len(wrong_fakes), np.nan)
    names = np.array(rater if rater is not None else [f"r{i}" for i in range(n)])
    generators = np.array([generator] * n if isinstance(generator, str) else generator)
    wrong = [np.array(w, float) for w in (wrong_fakes, wrong_reals)]
    return Sittings(names, generators, wholes, wrong[0], wholes, wrong[1], nothing, nothing)


def study(n_raters=12, n_images=30, seed=0, generators=("gan", "vae")):
    """Every rater judges all pictures, half of them real; quality control, times and exposures too."""
    rng = np.random.default_rng(seed)
    rows = []
    for r in range(n_raters):
        for trial, i in enumerate(rng.permutation(n_images), 1):
            real = i % 2 == 0
            generator = "" if real else generators[(i // 2) % len(generators)]
            p = 0.75 if real else {"gan": 0.4, "vae": 0.15}.get(generator, 0.3)
            control = i < 6
            said = (rng.random() < (0.9 if real else 0.1)) if control else rng.random() < p
            rows.append((f"i{i:03d}.png", f"r{r}", said, "real" if real else "generated", generator, control, trial))
    image, rater, said, kind, generator, control, position = zip(*rows, strict=True)
    n = len(image)
    times, exposures = rng.uniform(400, 1500, n).round(), 100.0 + 10 * rng.integers(0, 40, n)
    columns = {"kind": kind, "generator": generator, "control": control, "position": np.array(position, float)}
    return votes(image, rater, said, response_ms=times, exposure_ms=exposures, **columns)
