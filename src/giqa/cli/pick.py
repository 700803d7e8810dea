"""`giqa pick`: the best pictures by their scores; `--curve`: FD, QS and DS against the share kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import BadShape, BadSource, BadSpec
from . import console
from .options import FILE, PATH, options, working

if TYPE_CHECKING:
    import numpy as np

    from ..model.table import Scores

OF_CURVES = ("real", "latents", "truncated", "extractor", "scorer")


class Share(click.ParamType):
    """A share as people write it: 10% or 0.1."""

    name = "share"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        if isinstance(value, float):
            return value
        text = str(value).strip()
        try:
            return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            self.fail(f"{value!r} is no share; give e.g. 10% or 0.1.", param, ctx)


SHARE = Share()


@click.command()
@click.argument("scores", type=PATH)
@click.option(
    "--images", "--from", "fakes", metavar="FAKES", help="Where the pictures are: the source that was scored."
)
@click.option("--keep", type=SHARE, metavar="SHARE", help="The best share, e.g. 10% or 0.1.")
@click.option("--bottom", type=click.IntRange(1), metavar="N", help="The worst N instead, the worst first.")
@click.option("--min-z", type=float, metavar="Z", help="All with this z or more, e.g. -2.")
@click.option("--top", type=int, metavar="N", help="The best N.")
@click.option(
    "--by",
    type=click.Choice(["score", "p_real", "p_preferred", "rating", "text_quality"]),
    default="score",
    help="What ranks the pictures: the score, what people say (of tables made with --human), or how text is drawn "
    "(--text; pictures without text are left out).",
)
@click.option("--sample", type=int, metavar="N", help="Of those, N drawn at random.")
@click.option("--seed", type=click.IntRange(0), default=0, help="For --sample.")
@click.option("--no-copies", is_flag=True, help="Leave out pictures that repeat a real one.")
@click.option(
    "--how",
    type=click.Choice(["copy", "hardlink", "symlink", "list"]),
    default="copy",
    help="How pictures get there; list: only the table.",
)
@click.option("-o", "--out", type=PATH, help="A new folder.")
@click.option(
    "--curve",
    "curves",
    type=FILE,
    multiple=True,
    help="Write FD, QS and DS against the share kept, .html or .csv; needs --images and --real. May be repeated.",
)
@click.option(
    "--real", metavar="REALS", help="For --curve: real pictures, if possible ones that the scorer has not seen."
)
@click.option("--latents", type=PATH, help="For --curve: a .npy (n, d); adds a curve by nearness to the middle.")
@click.option(
    "--truncated", multiple=True, metavar="PSI=FAKES", help="For --curve: pictures of a truncated generator. Repeat it."
)
@options("extractor", "scorer", "workers", "quiet")
def pick(scores: Path, out: Path | None, curves: tuple[Path, ...], by: str, quiet: bool, **asked: Any) -> None:
    """Pick the best pictures of SCORES (a table that `giqa score -o` wrote) into a new folder.

    \b
    giqa score fakes/ --real reals/ -o scores.csv
    giqa pick scores.csv --images fakes/ --keep 90% --sample 5000 -o picked/
    giqa pick scores.csv --images fakes/ --curve curve.html --real reals/

    The folder also gets picked.csv: image, score, z, best first. Pictures without a score are left out. A folder that
    holds anything is never touched. The curve says what each share costs and gains; --truncated adds truncation to
    compare with.
    """
    if out is None and not curves:
        raise BadSpec("Where to? Give -o FOLDER, or --curve FILE.")
    of_curves = {name: asked.pop(name) for name in OF_CURVES}
    if not curves and (given := [name for name, value in of_curves.items() if value]):
        raise BadSpec(f"--{given[0]} is for --curve FILE; give that too.")
    of_curves |= {"workers": asked.pop("workers")} | {name: asked[name] for name in ("sample", "seed", "keep")}
    if by != "score" and asked["min_z"] is not None:
        raise BadSpec(f"--min-z is on the scale of the score; with --by {by} give --keep or --top.")
    ranked = ranked_by(by, scores, asked.pop("fakes"), asked.pop("no_copies"), quiet)
    place = None if out is None else picked(out, ranked, quiet, **asked)
    if curves:
        draw_curve(curves, ranked, quiet, **of_curves)
    if place is not None:  # last: once the folder is there, the command cannot be given again
        place()


@dataclass(frozen=True)
class Ranked:
    """A table of scores, what ranks its pictures (NaN of those left out), and where they are."""

    path: Path
    table: Scores
    values: np.ndarray
    fakes: str | None


def ranked_by(by: str, scores: Path, fakes: str | None, no_copies: bool, quiet: bool) -> Ranked:
    """The table and the column that ranks it, with a warning where what people say should not be believed."""
    import numpy as np

    from ..model.table import read_scores
    from ..model.trust import doubts, human_part

    with console.plain_warnings(quiet):
        table = read_scores(scores)
    if by not in table.columns:
        option = "--text" if by == "text_quality" else "--human"
        raise BadSpec(f"{scores} has no column {by}; `giqa score {option}` writes it.")
    values = table.comparable(by).copy()
    part = human_part(table.made_by)
    if by == "text_quality":
        pass  # nothing is learned from people
    elif part is None and by != "score":
        console.warn(f"how {scores} was made is not known, so neither is whether {by} can be trusted", quiet)
    elif by != "score" or "human" not in table.made_by:
        for text in doubts(part):
            console.warn(text, quiet)
    if no_copies:
        values[np.array([bool(copied) for copied in table.duplicate_of], bool)] = np.nan
    return Ranked(scores, table, values, fakes)


def picked(
    out: Path, ranked: Ranked, quiet: bool, *, how: str, min_z: float | None, **which: float | int | None
) -> Callable[[], None]:
    """What puts the pictures into the folder, and says so; `which`: keep, top, sample and seed."""
    import numpy as np

    from ..compare.picker import check_new
    from ..compare.picker import pick as rows_of
    from ..images import open_source

    check_new(out)
    table, values = ranked.table, ranked.values
    if ranked.fakes is None and how != "list":
        raise BadSpec("Where are the pictures? Give --images FAKES, the source that was scored, or --how list.")
    bottom = which.pop("bottom")
    if bottom is not None and any(limit is not None for limit in (which["keep"], min_z, which["top"])):
        raise BadSpec("--bottom takes the worst pictures; --keep, --min-z and --top the best: give one of them.")
    if bottom is not None:
        which["top"], values = bottom, -values
    if which["keep"] is None and min_z is None and which["top"] is None:
        raise BadSpec("Pick which? Give --keep SHARE, --min-z Z, --top N, or --bottom N for the worst.")
    if min_z is not None:
        values = np.where(np.isnan(values), np.nan, table.z)  # they rank alike; z can be missing
    rows = rows_of(values, above=min_z, **which)
    if not len(rows):
        raise BadSpec(f"No picture of {ranked.path} is left to pick{'' if min_z is None else f' with z >= {min_z:g}'}.")
    ids = [table.id[row] for row in rows]
    pictures = found(open_source(ranked.fakes), ids) if ranked.fakes else dict(zip(ids, rows, strict=True))
    people = {name: table[name][rows] for name in ("p_real", "p_preferred", "rating") if name in table.columns}
    columns = {"score": table.score[rows], "z": table.z[rows], **people}
    return partial(write, out, pictures, columns, how, ranked, quiet)


def write(
    out: Path, pictures: dict[str, Any], columns: dict[str, np.ndarray], how: str, ranked: Ranked, quiet: bool
) -> None:
    """The folder, and a sentence."""
    import numpy as np

    from ..compare.picker import write_picked
    from ..model.headline import z_in_words

    write_picked(out, pictures, columns, how)
    if not quiet:
        table = ranked.table
        scored = int((~np.isnan(table.score)).sum())
        of_these, of_all = (z_in_words(float(np.nanmedian(z))) for z in (columns["z"], table.z))
        console.say(f"wrote {out}: {len(pictures)} of {scored} scored pictures, median z {of_these} (of all: {of_all})")
        where = ranked.fakes or "FAKES"
        console.say(f"Next: giqa compare --real REALS all={where} picked={out} says what was gained and lost.")


def found(source: Any, ids: Sequence[str]) -> dict[str, Any]:
    """File name -> where each picture lies in the source: a path, or a function that reads it."""
    from ..files import as_png
    from ..images.decode import decode
    from ..tables.names import join_names

    row, absent = join_names(ids, source.ids, "the scores", source.name, error=BadSource, need=False)
    if absent:
        raise BadSource(
            f"{source.name} has no picture {absent[0]!r} ({len(absent)} of {len(ids)} are missing; it has "
            f"{source.ids[0]!r}); is it the source that was scored?"
        )

    pictures: dict[str, Any] = {}
    for name in ids:
        index = row[name]
        path = source.path(index)
        raw = None if path else source.raw(index)
        if path or isinstance(raw, bytes):
            pictures[name] = path or (lambda raw=raw: raw)
        else:
            pictures[f"{name}.png"] = lambda raw=raw: as_png(decode(raw).pixels)
    return pictures


def draw_curve(
    curves: Sequence[Path], ranked: Ranked, quiet: bool, *, latents: Path | None, truncated: Sequence[str], **how: Any
) -> None:
    """The curve of a table of scores to files and stdout; `how`: real, extractor, scorer, sample, seed, workers."""
    from ..compare.picker_page import answer, picked_by_qs, write_curve

    if ranked.fakes is None or how["real"] is None:
        raise BadSpec("--curve needs the pictures: give --images FAKES, the source that was scored, and --real REALS.")
    sets = dict(truncation_of(text) for text in truncated)
    for path in curves:
        if path.suffix.lower() not in (".csv", ".html"):
            raise BadSpec(f"--curve writes .csv or .html, got {path.name!r}.")
    shared, keep = {"sample": how.pop("sample"), "seed": how["seed"]}, how.pop("keep")
    with working(quiet, *curves) as progress:
        judge = Judge(table=ranked.table, progress=progress, **how)
        points, shared["sample"] = curve_points(judge, ranked, latents, sets, **shared)
    notes = [*judge.notes(), *_beyond(keep)]
    for path in curves:
        write_curve(path, points, notes, made_by=judge.made_by() | shared)
    rows = []
    for p in points:
        ends = [(e.value, *e.interval()) for e in p.values.values()]
        rows.append(
            (p.how, f"{p.share:g}", p.n, *(f"{value:.4g} [{low:.4g}, {high:.4g}]" for value, low, high in ends))
        )
    console.table("", ("how", "kept", "measured", *points[0].values), rows)
    console.finish(
        quiet, *curves, texts=[*notes, answer(points, picked_by_qs(judge.made_by()))], then=_open_page(curves)
    )


def _beyond(keep: float | None) -> list[str]:
    """That the share asked for is smaller than any on the curve."""
    from ..compare.picker_curve import SHARES

    if keep is None or keep >= min(SHARES):
        return []
    return [f"The curve ends at a share of {min(SHARES):g}, before {keep:.3g}: pick that, and compare it with all."]


def _open_page(curves: Sequence[Path]) -> str:
    page = next((path for path in curves if path.suffix.lower() == ".html"), None)
    return f"open {page} in a browser." if page else "give --curve curve.html to see it as a page."


def curve_points(
    judge: Judge, ranked: Ranked, latents: Path | None, sets: dict[float, str], sample: int | None, seed: int
) -> tuple[list[Any], int]:
    """The points of the scores, of latents in the middle and of truncated sets; of how many pictures each."""
    from ..compare.picker_curve import SHARES, latent_scores, picker_curve, truncated_curve
    from ..tables.names import join_names

    ids, matrix, z = judge(ranked.fakes, "fakes")
    row, absent = join_names(ids, list(ranked.table.id), ranked.fakes, "the table", error=BadSpec)
    if absent:
        raise BadSpec(f"The table has no score of {absent[0]!r} ({len(absent)} are missing); is it of {ranked.fakes}?")
    scored = ranked.values[[row[name] for name in ids]]
    known = {psi: judge(where, f"truncated {psi:g}")[1:] for psi, where in sets.items()}
    least = max(1, round(min(SHARES) * int((scored == scored).sum())))
    shared = {"sample": sample or min([least, *(len(m) for m, _ in known.values())]), "seed": seed}
    points = picker_curve(judge.reals, matrix, scored, z, **shared)
    if latents is not None:
        nearness = latent_scores(read_latents(latents, ranked.fakes, ids))
        points += picker_curve(judge.reals, matrix, nearness, z, how="latents in the middle", **shared)
    return points + truncated_curve(judge.reals, known, **shared), shared["sample"]


class Judge:
    """What measures pictures: features as the table of scores was made with, a scorer for QS, layers for FD and DS."""

    def __init__(self, real: str, table: Scores, extractor: str | None, scorer: str | None, seed: int, **reading: Any):
        from ..features.reader import Reader
        from ..features.select import ChosenLayers
        from ..model.fit import fit
        from ..model.made_by import MadeBy

        self.theirs = MadeBy.from_dict(table.made_by)  # how the scores that pick came about
        made = self.theirs.extractor
        own = extractor or (None if str(made).startswith("learned") else made)
        self.reader = Reader(own, self.theirs.match, **reading)
        features = self.features(real, "reals")
        self.model = fit(features, scorer=scorer, seed=seed)
        self.chosen = ChosenLayers(features, None, None, seed)
        self.reals = self.chosen.real

    def features(self, where: str, what: str) -> Any:
        """Of all pictures of a source; those that cannot be read are left out."""
        return self.reader.features(where, what).needed(f"pictures of {where}")

    def __call__(self, where: str, what: str) -> tuple[Sequence[str], Any, Any]:
        """Ids, features for FD and DS, and z for QS."""
        found = self.features(where, what)
        z = self.model.score(found).z
        return found.ids, self.chosen.fake(found), z

    def notes(self) -> list[str]:
        """What a reader of the curve must know."""
        mine = self.model.made_by["scorer"]
        layers = ", ".join(self.chosen.names)
        notes = [f"FD and DS are on {layers}, against {len(self.reals)} reals; QS is the mean z of {mine}."]
        if mine == self.theirs.scorer:
            notes.append(
                "QS is measured by the scorer that picks: it rises whatever the pictures are. --scorer takes another."
            )
        return notes

    def made_by(self) -> dict[str, Any]:
        from .. import __version__, registry

        spec = registry.canonical("extractor", self.reader.extractor)
        picked = {"picked by": self.theirs.scorer, "on": self.theirs.extractor}
        return {"giqa": __version__, "extractor": spec, "qs": self.model.made_by["scorer"], **picked}


def truncation_of(text: str) -> tuple[float, str]:
    """PSI=FAKES apart.

    >>> truncation_of("0.7=runs/a=b")
    (0.7, 'runs/a=b')
    """
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

    from ..images import open_source
    from ..images.arrays import UNREADABLE

    try:
        latents = np.load(path, allow_pickle=False)
    except UNREADABLE as error:
        raise BadSource(f"{path} is no .npy file of numbers ({error}).") from None
    names = open_source(fakes).ids
    if latents.ndim != 2 or len(latents) != len(names):
        raise BadShape(f"{path} should have a row for each of {len(names)} pictures, (n, d); it has {latents.shape}.")
    row = {name: row for row, name in enumerate(names)}
    return latents[[row[name] for name in ids]]
