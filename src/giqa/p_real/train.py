"""From tables of judgements to a model of what people say: the pictures, the references, the fit and its figures."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, registry
from ..errors import BadImage, BadShape, BadSource, BadSpec
from ..features.extracted import Extracted
from ..features.reader import Reader
from ..files import as_path
from ..images import open_source
from ..images.copies import Copies, twins
from ..images.decode import decode, picture_info
from ..images.match import Match, as_match, auto_match, describe_different, spec_of, still_different
from ..images.subset import spread
from ..model.made_by import MadeBy
from ..scorers.human import PRESETS, HumanModel
from ..scorers.judgements import JudgementModel
from ..scorers.scale import FEWEST, Scale
from ..train.manifest import Part
from ..types import INFO, Features, Progress, Source
from ..votes.labels import Counts, Votes
from ..votes.votes import read_labels
from .columns import FAMILIES, Sums, check_families, check_maps, of_sums, only_families, with_size
from .distances import LayerDistances
from .domain import EXTRACTOR as CONTENT_EXTRACTOR
from .domain import Voted, columns_alone
from .file import load_realism
from .held_out import held_out_figures
from .judgements import Judgements, read_judgements
from .model import Realism
from .splits import split_figures
from .votes import Judged, read_judged

# version 1: what people said was predicted no better from version 2 (docs/human.md), and `CONTENT_EXTRACTOR` is it
EXTRACTORS = {"paper": "inception", "recommended": "embedded(version=1)"}
REFERENCES = {"paper": 10_000, "recommended": 2_000}
VARIANTS = {"paper": "A", "recommended": "B"}
VECTORS = 3_000  # of each layer, for variant B: docs/explain.md compares
ASIDE = 500  # reals that are no reference and fix the scale, at most; a fifth of all
IN_MEMORY = 2 << 30  # bytes of references; more are mapped from a file
CHUNK = 64
AT_ONCE = 3 * 64  # pictures whose maps wait at a time: two steps of scoring are read ahead


def train_human(
    votes: str | Path | Sequence[str | Path],
    images: Any,
    real: Any,
    out: str | Path,
    *,
    preset: str = "recommended",
    extractor: Any = None,
    layers: Sequence[str] | None = None,
    references: int | None = None,
    variant: str | None = None,
    vectors: int | None = None,
    densities: bool | None = None,
    columns: Sequence[str] | None = None,
    match: Any = None,
    group: str | None = None,
    reals_too: bool = False,
    seed: int = 0,
    store: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
    say: Callable[[str], None] | None = None,
) -> Realism:
    """Learn what people say of pictures from votes, pairs and ratings, and write it, references included, to one file.

    Parameters
    ----------
    votes : path, or a sequence of paths
        Tables image,rater,said_real or image,n,n_real (votes), left,right,votes_left,votes_right or
        left,right,preferred (pairs), image,rater,rating (ratings).
    images : path, source or None
        The source whose ids are its image names; None: the folder of the table.
    real : path or source
        Reference reals. Those that are among the labelled pictures are left out.
    out : path
        NAME.giqa.
    preset : "recommended" or "paper"
        Whose settings are taken where an argument is None.
    extractor : str, object or None
        A spec string, or an extractor that has maps.
    layers : sequence of str or None
        Maps of the extractor that are measured.
    references : int or None
        How many reals, at most: 2,000 with "recommended", 10,000 with "paper".
    variant : "A", "B", "C" or None
        What a place is compared with; see `giqa.p_real.distances.LayerDistances`.
    vectors : int or None
        Of each layer, for variant B; None: 3,000.
    densities : bool or None
        Whether z of pooled layers, as `giqa score` has them, count as well as the distances; None: yes with
        "recommended".
    columns : sequence of str or None
        Families that cross-validation chooses from: "layers" (distances and densities), "pooled" (features of the
        extractor), "size" (log height and width), or the spec of another extractor. None: layers and pooled; for votes
        alone, all layers without a choice, as Kolchinski et al. have them.
    match : str, Match or None
        What is done to pictures before; "auto" brings reals and labelled pictures to one size and coding.
    group : str or None
        A column of a table whose pictures belong together: held out together, and with `columns` or other judgements
        than votes each may have a level of its own.
    reals_too : bool
        Votes on real pictures count as well.
    seed : int
        Of all that is random.
    store, workers, progress
        See `giqa.features.Reader`.
    say : callable or None
        Gets texts on what is learned from, and on bytes and FLOPs before the work.

    Returns
    -------
    Realism
        Its `made_by` has the held-out figures.

    Raises
    ------
    BadSpec
        When options contradict each other, or the table is of another kind.
    BadShape
        With fewer than 20 different reals without votes.
    BadTable, BadSource

    References
    ----------
    Kolchinski et al. 2019.

    Examples
    --------
    It reads pictures and runs a network::

        human = train_human("votes.csv", "fakes/", "reals/", "people.giqa")
        human.made_by["held_out"]["log-likelihood, gain"]

    >>> train_human("votes.csv", None, "reals/", "people.txt")
    Traceback (most recent call last):
    giqa.errors.BadSpec: A model file is NAME.giqa and preset paper or recommended; got 'people.txt', 'recommended'.
    """
    out = as_path(out)
    if out.suffix.lower() != ".giqa" or str(preset) not in PRESETS:
        raise BadSpec(f"A model file is NAME.giqa and preset {' or '.join(PRESETS)}; got {out.name!r}, {preset!r}.")
    say = say or (lambda text: None)
    tables = [votes] if isinstance(votes, (str, Path)) else list(votes) if isinstance(votes, (list, tuple)) else [None]
    if not tables or not all(isinstance(table, (str, Path)) for table in tables):
        raise BadSpec(f"votes are a table, or a list of tables, got {votes!r:.80}.")
    if group is not None and not isinstance(group, str):
        raise BadSpec(f"group names a column of the tables of votes, got {group!r:.80}.")
    source, reals = open_source(Path(tables[0]).parent if images is None else images), open_source(real)
    judged = _read(tables, source, columns, group, reals_too)
    families = _families(judged, columns, preset)
    reader = Reader(
        EXTRACTORS[preset] if extractor is None else extractor, store=store, workers=workers, progress=progress
    )
    taps = check_maps(reader.extractor, layers)
    seen, good = infos(source, judged.rows, reader, "pictures with votes")
    info, judged = seen.needed("pictures with votes", warn=True).info, judged.take(good)
    reader = replace(reader, match=_match(match, reals, Part(source, judged.rows), say))
    copies = twins(info)
    if families is None and group is None:
        judged = replace(judged, group=copies)
    wanted = REFERENCES[preset] if references is None else references
    chosen, aside, refused = choose_references(reals, info, wanted, seed, reader)
    left_out = f", {refused} left out because they are among the judged pictures" if refused else ""
    say(f"{judged.summary()}; {len(chosen)} reals as references, {len(aside)} to fix the scale{left_out}")
    vectors = VECTORS if vectors is None else vectors
    distances = LayerDistances(variant or VARIANTS[preset], vectors=vectors, seed=seed)
    with _fitted(distances, _Maps(reader, taps), reals, chosen, out, say):
        wants = preset == "recommended" if densities is None else densities
        dense = _densities(reader, Part(reals, chosen), seed) if wants else None
        sums = Sums(distances, reader.extractor, taps, densities=dense, content=CONTENT_EXTRACTOR, **of_sums(families))
        measure = replace(reader, extractor=sums)
        shown = _all_of(measure.features(Part(source, judged.rows), "judged pictures"))
        there = measure.features(Part(reals, aside), "reals of the scale").features if aside else None
        spec = spec_of(reader.match)
        how = registry.canonical("extractor", reader.extractor), taps, sums.digest, spec
        said = {"variant": distances.variant, "references": len(chosen), "references_refused": refused}
        said |= {"maps": dict(sums.identity()["maps"]), "extractor": how[0], "match": spec, "vectors": vectors}
        model, learned = _learn(shown, judged, families, copies, (preset, seed))
        made_by = MadeBy(giqa=__version__, seed=seed, reals_failed=0, labelled=len(judged), **said, **learned).to_dict()
        human = Realism(model, distances, *how, None, made_by, dense, Voted.of(shown, seed), families)
        human = human if there is None else replace(human, scale=Scale(human.columns(there)["score"], seed))
        human.save(out)
    return load_realism(out)


def _read(tables: Sequence[str | Path], source: Source, columns: Any, group: str | None, reals_too: bool) -> Any:
    """What was said: counted votes where there is nothing else and no columns are chosen; else everything."""
    if not tables:
        raise BadSpec("There is nothing to learn from; give a table of votes, pairs or ratings.")
    if columns is None and len(tables) == 1 and isinstance(read_labels(tables[0]), (Votes, Counts)):
        return read_judged(tables[0], source, group, reals_too)
    return read_judgements(tables, source, group, reals_too)


def _families(judged: Any, columns: Sequence[str] | None, preset: str) -> tuple[str, ...] | None:
    """Families of columns to choose from; None where all layers are taken, as the paper has them."""
    if isinstance(judged, Judged):
        return None
    if preset == "paper":
        raise BadSpec("The preset paper learns from one table of votes, without columns; leave preset out.")
    return check_families(FAMILIES if columns is None else columns)


def _learn(
    shown: Features, judged: Any, families: tuple[str, ...] | None, copies: np.ndarray, how: tuple[str, int]
) -> tuple[Any, dict[str, Any]]:
    """The model, and its part of `made_by`, held-out figures included."""
    preset, seed = how
    if families is not None:
        return learn_judgements(only_families(with_size(columns_alone(shown)), families), judged, copies, seed)
    x = columns_alone(shown)
    model = HumanModel(preset=preset, seed=seed).fit(x, judged.counts(), groups=judged.group)
    figures = held_out_figures(lambda: HumanModel(preset=preset, resamples=0, seed=seed), x, judged, seed)
    said = {"scorer": f"human(preset={preset!r})", "C": str(model.C_)}
    return model, said | of_votes(judged, model) | figures


def learn_judgements(x: Features, judged: Judgements, copies: np.ndarray, seed: int) -> tuple[JudgementModel, dict]:
    """A model of all judgements, and its part of `made_by`: what was chosen, and figures of every split."""
    groups = copies if judged.group is None else judged.group
    model = JudgementModel(seed=seed).fit(x, judged.likelihoods(), groups, judged.steps)
    splits = split_figures(lambda: JudgementModel(resamples=0, seed=seed), x, judged, copies, seed)
    choice = model.choice_
    said = {
        "scorer": "human(judgements=True)",
        "labels": ", ".join(judged.names),
        "judgements": judged.counts(),
        "raters": judged.raters(),
    }
    said |= {"columns": list(choice.families), "centred": choice.centred, "penalty": choice.penalty}
    return model, said | {"steps": judged.steps.tolist(), "splits": splits}


def _all_of(read: Extracted) -> Features:
    """Features of pictures that could all be read a moment ago."""
    for name, reason in read.failures.items():
        raise BadSource(f"{name} can no longer be read ({reason}); leave the pictures as they are, and run it again.")
    return read.features


def _densities(reader: Reader, references: Source, seed: int) -> Any:
    """A `MultiLayer` fitted on the pooled features of the references."""
    pooled = reader.features(references, "references, pooled").features
    return registry.make("scorer", "multilayer", seed=seed).fit(pooled)


def _match(match: Any, reals: Source, shown: Source, say: Callable[[str], None]) -> Match | None:
    """What is done to pictures before; a warning where the two sources still differ in size or coding."""
    asked_for = match is not None
    match = auto_match(reals, shown) if match == "auto" else as_match(match)
    if asked_for:
        say(f"match: {spec_of(match) or 'nothing to do, size and coding are alike'}")
    different = describe_different(still_different(reals, shown, match), asked_for, "the pictures with votes")
    if different:
        warnings.warn(different, stacklevel=3)
    return match


@contextmanager
def _fitted(
    distances: LayerDistances, maps: _Maps, reals: Source, chosen: Sequence[int], out: Path, say: Callable[[str], None]
) -> Iterator[None]:
    """The distances know their references as long as this lasts: many are kept in a file next to `out` meanwhile."""
    cost = distances.cost(maps.one(reals, chosen[0]), len(chosen))
    say(f"{cost} While pictures are scored, {cost.resident(AT_ONCE) / 1e9:.2g} GB.")
    kept = out.with_name(f".{out.name}.references") if cost.reference_bytes > IN_MEMORY else None
    try:
        distances.fit(maps.every(reals, chosen), len(chosen), file=kept)
        yield
    finally:
        if kept:
            with suppress(OSError):
                kept.unlink(missing_ok=True)


def made_by_votes(judged: Judged, model: HumanModel, seed: int, **how: Any) -> dict[str, Any]:
    """How a model was learned from votes: `how`, and what they were."""
    said = of_votes(judged, model)
    return MadeBy(giqa=__version__, seed=seed, reals_failed=0, labelled=len(judged), **said, **how).to_dict()


def of_votes(judged: Judged, model: HumanModel) -> dict[str, Any]:
    """What `made_by` says of votes and of what was learned from them."""
    said = {
        "labels": judged.name,
        "contexts": list(judged.contexts),
        "votes": int(judged.votes.sum()),
        "raters": judged.raters(),
    }
    weights = {name: list(values) for name, values in model.weights().items()}
    return said | {"share_real": judged.share(), "weights": weights}


def choose_references(
    reals: Source, labelled: np.ndarray, wanted: int, seed: int, reader: Reader
) -> tuple[list[int], list[int], int]:
    """Rows of reals that are references, rows that are none and fix the scale, and how many were refused.

    No reference has the pixels, or nearly the thumbnail, of a labelled picture; of reals that repeat each other one is
    kept. A fifth, 500 at most, is set aside if that is 20 or more.

    Parameters
    ----------
    reals : Source
        Where they are.
    labelled : array (n,) of dtype `INFO`
        What is known of the pictures with votes.
    wanted : int
        References, at most.
    seed : int
        Of the choice.
    reader : Reader
        Its threads and progress.

    Returns
    -------
    tuple of list, list and int

    Raises
    ------
    BadSpec, BadShape
    """
    if wanted < 1:
        raise BadSpec(f"At least one reference is needed, got references={wanted}.")
    most = min(len(reals), wanted + min(ASIDE, wanted))
    rows = np.array(spread(reals.ids, most), int)
    seen, good = infos(reals, rows, reader, "reals")
    rows, info = rows[good], seen.features.info
    among = Copies(labelled).rows(info) >= 0
    rows, info = rows[~among], info[~among]
    rows = rows[np.sort(np.unique(twins(info), return_index=True)[1])] if len(rows) else rows
    if len(rows) < FEWEST:
        raise BadShape(
            f"At least {FEWEST} different reals without votes are needed as references, got {len(rows)}; "
            f"{int(among.sum())} are among the pictures with votes."
        )
    order = np.random.default_rng(seed).permutation(len(rows))
    aside = min(ASIDE, len(order) // 5)
    aside = aside if aside >= FEWEST else 0
    references, scale = np.sort(order[aside:][:wanted]), np.sort(order[:aside])  # in the order of their names
    return rows[references].tolist(), rows[scale].tolist(), int(among.sum())


class _Maps:
    """The maps of pictures of a source, in threads and in order."""

    def __init__(self, reader: Reader, taps: Sequence[str]):
        self.extractor, self.match, self.taps = reader.extractor, reader.match, taps
        self.workers, self.progress = reader.workers, reader.progress

    def one(self, source: Source, row: int) -> Mapping[str, np.ndarray]:
        pixels = decode(source.raw(row)).pixels
        return self.extractor.maps(self.match(pixels) if self.match else pixels, self.taps)

    def every(self, source: Source, rows: Sequence[int]) -> Iterator[Mapping[str, np.ndarray]]:
        with ThreadPoolExecutor(self.workers) as pool:
            for start in range(0, len(rows), CHUNK):
                yield from pool.map(lambda row: self.one(source, row), rows[start : start + CHUNK])
                if self.progress:
                    self.progress("references", min(start + CHUNK, len(rows)), len(rows))


def infos(source: Source, rows: Sequence[int], reader: Reader, what: str) -> tuple[Extracted, np.ndarray]:
    """What is known of some pictures, as features without a layer, and which could be read, (n,)."""

    def read(row: int) -> np.void | str:
        try:
            return picture_info(decode(source.raw(int(row))))
        except BadImage as error:
            return str(error)

    info, failures = np.zeros(len(rows), INFO), {}
    with ThreadPoolExecutor(reader.workers) as pool:
        for i, record in enumerate(pool.map(read, rows)):
            if isinstance(record, str):
                failures[source.ids[rows[i]]] = record
            else:
                info[i] = record
            if reader.progress:
                reader.progress(f"reading {what}", i + 1, len(rows))
    ids = tuple(source.ids[row] for row in rows)
    good = np.array([name not in failures for name in ids], bool)
    return Extracted(Features(ids, {}, info).rows(good), failures), good
