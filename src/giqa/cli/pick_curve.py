"""`giqa pick --curve`: FD, QS and DS against the share kept, beside truncation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .options import check_writable


def draw_curve(
    curves: Sequence[Path],
    table: Any,
    values: Any,
    fakes: str | None,
    *,
    real: str | None,
    latents: Path | None,
    truncated: Sequence[str],
    extractor: str | None,
    scorer: str | None,
    sample: int | None,
    seed: int,
    workers: int | None,
    quiet: bool,
) -> None:
    """The curve of a table of scores to files and stdout; `values`: scores, NaN of those left out."""
    from ..compare.picker_curve import SHARES, latent_scores, picker_curve, truncated_curve, write_curve
    from ..errors import BadSpec
    from ..tables.names import join_names
    from . import console

    if fakes is None or real is None:
        raise BadSpec("--curve needs the pictures: give --from FAKES, the source that was scored, and --real REALS.")
    sets = dict(truncation_of(text) for text in truncated)
    for path in curves:
        if path.suffix.lower() not in (".csv", ".html"):
            raise BadSpec(f"--curve writes .csv or .html, got {path.name!r}.")
        check_writable(path)
    with console.plain_warnings(quiet), console.progress(quiet) as progress:
        judge = Judge(real, table, extractor, scorer, {"seed": seed, "workers": workers, "progress": progress})
        ids, matrix, z = judge(fakes, "fakes")
        row, absent = join_names(ids, list(table.id), fakes, "the table", error=BadSpec)
        if absent:
            raise BadSpec(f"The table has no score of {absent[0]!r} ({len(absent)} are missing); is it of {fakes}?")
        scored = values[[row[name] for name in ids]]
        known = {psi: judge(where, f"truncated {psi:g}")[1:] for psi, where in sets.items()}
        least = max(1, round(min(SHARES) * int((scored == scored).sum())))
        sample = sample or min([least, *(len(m) for m, _ in known.values())])
        shared = {"sample": sample, "seed": seed}
        points = picker_curve(judge.reals, matrix, scored, z, **shared)
        if latents is not None:
            nearness = latent_scores(read_latents(latents, fakes, ids))
            points += picker_curve(judge.reals, matrix, nearness, z, how="latents in the middle", **shared)
        points += truncated_curve(judge.reals, known, **shared)
    notes = judge.notes()
    for path in curves:
        write_curve(path, points, notes, made_by=judge.made_by() | shared)
    names = list(points[0].values)
    cells = [
        [f"{e.value:.4g} [{e.interval()[0]:.4g}, {e.interval()[1]:.4g}]" for e in p.values.values()] for p in points
    ]
    rows = [(p.how, f"{p.share:g}", p.n, *c) for p, c in zip(points, cells, strict=True)]
    console.table("", ("how", "kept", "measured", *names), rows)
    if not quiet:
        for text in (*notes, *(f"wrote {path}" for path in curves)):
            console.say(text)


class Judge:
    """What measures pictures: features as the table of scores was made with, a scorer for QS, layers for FD and DS."""

    def __init__(self, real: str, table: Any, extractor: str | None, scorer: str | None, how: dict[str, Any]):
        from .. import api
        from ..features.extract import as_match, make_extractor
        from ..features.select import ChosenLayers

        made = table.made_by.get("extractor")
        self.extractor = make_extractor(extractor or (None if str(made).startswith("learned") else made))
        self.match, self.how, self.table = as_match(table.made_by.get("match")), how, table
        features = self.features(real, "reals")
        self.model = api.fit(features, scorer=scorer, seed=how["seed"])
        self.chosen = ChosenLayers(features, None, None, how["seed"])
        self.reals = self.chosen.real

    def features(self, where: str, what: str) -> Any:
        """Of all pictures of a source; those that cannot be read are left out."""
        from ..errors import BadSource
        from ..features.extract import extract

        reading = {"workers": self.how["workers"], "progress": self.how["progress"]}
        found = extract(where, self.extractor, match=self.match, what=what, **reading).features
        if not len(found):
            raise BadSource(f"Not one picture of {where} could be read.")
        return found

    def __call__(self, where: str, what: str) -> tuple[Sequence[str], Any, Any]:
        """Ids, features for FD and DS, and z for QS."""
        from .. import api

        found = self.features(where, what)
        z = api.collect(api.score_steps(found, self.model), self.model).z
        return found.ids, self.chosen.fake(found), z

    def notes(self) -> list[str]:
        """What a reader of the curve must know."""
        mine, theirs = self.model.made_by["scorer"], self.table.made_by.get("scorer")
        layers = ", ".join(self.chosen.names)
        notes = [f"FD and DS are on {layers}, against {len(self.reals)} reals; QS is the mean z of {mine}."]
        if mine == theirs:
            notes.append(
                "QS is measured by the scorer that picks: it rises whatever the pictures are. --scorer takes another."
            )
        return notes

    def made_by(self) -> dict[str, Any]:
        from .. import __version__, registry

        spec = registry.canonical("extractor", self.extractor)
        theirs = self.table.made_by
        picked = {"picked by": theirs.get("scorer"), "on": theirs.get("extractor")}
        return {"giqa": __version__, "extractor": spec, "qs": self.model.made_by["scorer"], **picked}


def truncation_of(text: str) -> tuple[float, str]:
    """PSI=FAKES apart.

    >>> truncation_of("0.7=runs/a=b")
    (0.7, 'runs/a=b')
    """
    from ..errors import BadSpec

    number, _, where = text.partition("=")
    try:
        psi = float(number)
    except ValueError:
        psi = -1.0
    if not psi >= 0 or not where:
        raise BadSpec(f"--truncated is PSI=FAKES, e.g. 0.7=truncated/, got {text!r}.")
    return psi, where


def read_latents(path: Path, fakes: str, ids: Sequence[str]) -> Any:
    """Latents (n, d) of these ids: the file has a row for each picture of the source, in its order."""
    import numpy as np

    from ..errors import BadShape, BadSource
    from ..images import open_source

    try:
        latents = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise BadSource(f"{path} is no .npy file of numbers ({error}).") from None
    names = open_source(fakes).ids
    if latents.ndim != 2 or len(latents) != len(names):
        raise BadShape(f"{path} should have a row for each of {len(names)} pictures, (n, d); it has {latents.shape}.")
    place = {name: row for row, name in enumerate(names)}
    return latents[[place[name] for name in ids]]
