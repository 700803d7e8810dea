"""Score in one call: a fitted model, the human model, maps and the report, put together."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import BadSpec, GiqaError
from .features.extracted import as_features
from .files import as_path
from .images import open_source
from .images.match import as_match, auto_match, describe_different, still_different
from .images.pictures import as_pictures
from .images.sharpness import driven, look_at_sharpness
from .images.subset import Subset
from .model.classes import ClassScores, class_files, join_classes
from .model.file import open_model
from .model.fit import fit
from .model.made_by import MadeBy
from .model.model import Model
from .model.score import Judge, score_by
from .model.table import LONG, Scores
from .model.trust import doubts, human_part, unchecked
from .registry import as_flag, as_whole
from .runners.score import Scoring, score_in_shards
from .types import Progress

if TYPE_CHECKING:  # what few calls need is imported where it is needed: scoring one picture is mostly imports
    from .p_real.model import Realism

FITTING = ("extractor", "scorer", "preset", "match", "flip", "seed", "leave_out", "group")  # of giqa.fit
RUNNING = ("runner", "keep")  # of giqa.runners.score_in_shards
READING = ("text", "expected")  # of giqa.text.TextJudge
SHOWING = ("show_reals", "show_thumbnails", "show_paths")  # of giqa.report.write_report


def score(
    fakes: Any,
    real: Any = None,
    *,
    model: Model | Realism | str | Path | None = None,
    human: Realism | str | Path | None = None,
    report: str | Path | None = None,
    maps: bool | None = None,
    store: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Scores:
    """One score a picture, on the scale of held-out reals; pass `real`, or a fitted `model` (or its file).

    It fits, asks the human model, draws maps and writes the report as asked; each of these is a call of its own too:
    `giqa.fit`, `Model.score`, `giqa.p_real.load_realism`, `giqa.explain.fit_maps`.

    Parameters
    ----------
    fakes : path, array, source, Features or float array (n, d)
        What is scored: pictures (see `giqa.images.open_source`), or features that were computed before.
    real : like `fakes`, or None
        The reals to compare with. With a `model`: where the report finds pictures of its reals.
    model : Model, Realism, path or None
        What `giqa.fit` or `giqa train` made, or its file, instead of fitting.
    human : Realism, path or None
        What `giqa train human` learned, or its file: adds `p_real` and its interval. As `model` it scores alone.
    report : path or None
        Also write this HTML file.
    maps : bool or None
        Whether the report shows where its 24 worst pictures are unlike real ones; None: if NAME.maps is there.
    store, workers, progress
        See `giqa.features.Reader`.
    **options
        `extractor`, `scorer`, `preset`, `match`, `flip`, `seed`, `leave_out` and `group` as in `giqa.fit`, where
        `match="auto"` brings both sets to one size and coding if they differ. `show_reals`, `show_thumbnails` and
        `show_paths` (all True): what the report may show, see `giqa.report.write_report`. `text`: True, or the side of
        the detector in pixels, adds `text_quality` and what belongs to it, see `giqa.text`; `expected`: the column with
        the text that was asked for, read and compared. `runner`: where features and
        scores are computed, see `giqa.runners.make_runner`. `keep`: the table that will be written; of more than
        10,000 pictures, rows that are done wait next to it, and an interrupted run goes on there.

    Returns
    -------
    Scores
        A row for each picture, in the order of the source. A picture that cannot be read has `error` and no score.

    Raises
    ------
    BadSpec
        When options contradict each other.
    BadShape, BadSource, BadModel, MissingSource, MissingWeights

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> reals, fakes = rng.normal(size=(200, 4)).astype("f4"), rng.normal(size=(5, 4)).astype("f4") + 9
    >>> score(fakes, real=reals, scorer="knn").percentile.max() < .01
    np.True_
    """
    fitting, showing, running, reading = _sorted_out(options)
    how: dict[str, Any] = {"store": store, "workers": workers, "progress": progress}
    maps = None if maps is None else as_flag(maps, "maps")
    if maps and report is None:
        raise BadSpec("Maps are shown in the report; give report= (--report FILE) too.")
    if real is None and model is None:
        raise BadSpec("Score against what? Give real= (pictures of reals) or model= (a fitted .giqa file).")
    report = None if report is None else as_path(report)
    for name, given in {"model": model, "human": human}.items():
        if given is not None and not isinstance(given, (Model, str, Path)) and not _is_realism(given):
            raise BadSpec(f"{name} is what giqa made, or its file, got {given!r:.80}.")
    file = model if isinstance(model, (str, Path)) else None
    fakes, real = _opened(fakes), real if model is not None else _opened(real)
    people, texts = _people_judges(human), _text_judges(fakes, **reading)  # what is not there is said before any work
    if model is None:
        fitting["match"], words = _matched(fitting.get("match"), real, fakes)
        _warn(words)
        fitted: Model | Realism = fit(real, **fitting, **how, runner=running.get("runner"))
    elif any(value not in (None, False) for name, value in fitting.items() if name != "seed"):
        raise BadSpec(
            "A fitted model brings its own extractor, scorer, preset, match and flip, and its reals are what they are; "
            "leave these, leave_out and group to giqa.fit."
        )
    else:
        fitted = open_model(model) if isinstance(model, (str, Path)) else model
    judges = fitted.judges(fakes) if isinstance(fitted, Model) else [fitted.judge()]
    judges += [*people, *texts]
    if as_features(fakes) is None:
        looks = look_at_sharpness(fakes, as_match(fitted.match), workers=workers)
        _warn(driven(MadeBy.from_dict(fitted.made_by).reals_look, looks))
    if report is None:
        return _warned(_scored(judges, fakes, running, **how))
    from .explain.worst_pictures import explain_pictures, extreme_ids, maps_for
    from .report.gallery import Gallery

    shows = {name: showing.get(name, True) for name in SHOWING}
    gallery = Gallery(fitted, fakes, neighbours=shows["show_reals"], thumbnails=shows["show_thumbnails"])
    scores = _warned(_scored(judges, fakes, running, **how, watch=gallery.watch, each=gallery.see))
    explained = None
    where = maps_for(file if isinstance(fitted, Model) else None, real, fitted.match, maps, workers, progress)
    if where is not None:
        ends = extreme_ids(scores.id, scores.score if not scores.believed or scores.p_real is None else scores.p_real)
        explained = explain_pictures(where, fakes, ends, workers, progress)
    gallery.write(report, scores, real, explained=explained, **how, **shows)
    return scores


def score_by_class(fakes: Any, real: Any, by: str, *, report: str | Path | None = None, **options: Any) -> ClassScores:
    """Score each picture against the reals of its own class: a cat against real cats alone.

    Parameters
    ----------
    fakes, real : path, array or source
        Pictures; both are tables with the column `by`, or folders.
    by : str
        A column, or "folder": the first folder of a picture's path.
    report : path or None
        Also write a page a class: NAME-CLASS.html.
    **options
        Of `giqa.score`, but `model`, `human` and `keep`, which belong to one set of reals.

    Returns
    -------
    ClassScores
        Pictures of a class that has too few reals, or none, have `error` and no score, and a warning names the class.

    Raises
    ------
    BadSpec
        When there is no such column, or no class could be scored.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from PIL import Image
    >>> rng = np.random.default_rng(0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, n in (("reals/cat", 24), ("reals/dog", 24), ("fakes/cat", 2), ("fakes/dog", 3)):
    ...         Path(folder, name).mkdir(parents=True)
    ...         for i in range(n):
    ...             picture = Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8))
    ...             picture.save(Path(folder, name, f"{i}.png"))
    ...     how = {"extractor": "statistics", "scorer": "knn", "store": False}
    ...     found = score_by_class(f"{folder}/fakes", f"{folder}/reals", "folder", **how)
    >>> len(found.scores), [len(part) for part in found.classes.values()]
    (5, [2, 3])
    """
    from .compare.classes import labels_of

    if wrong := sorted({"model", "human", "keep"} & {name for name, value in options.items() if value is not None}):
        raise BadSpec(f"{wrong[0]} is of one set of reals; leave it, or score without a class.")
    if as_features(fakes) is not None or as_features(real) is not None:
        raise BadSpec("Classes are columns of tables or folders of pictures; features have none.")
    sources = open_source(fakes), open_source(real)
    labels, of_reals = (labels_of(source, by) for source in sources)
    options["match"], words = _matched(options.get("match"), sources[1], sources[0])
    _warn(words)
    names = sorted({*labels.values()})
    files = dict(zip(names, class_files(report, names), strict=True)) if report is not None else {}
    parts, left_out = {}, {}
    for name in names:
        ours, theirs = (
            Subset(source, [row for row, i in enumerate(source.ids) if known.get(i) == name])
            for source, known in zip(sources, (labels, of_reals), strict=True)
        )
        ours.name = f"{ours.name} {name}"  # the title of its page
        try:
            if not len(theirs):
                raise BadSpec("there are no reals of it")
            parts[name] = score(ours, theirs, report=files.get(name), **options)
        except GiqaError as error:
            left_out[name] = str(error)
            warnings.warn(f"class {name!r} left out: {error}", stacklevel=2)
    return join_classes(parts, left_out, labels, sources[0])


def _sorted_out(options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is for `fit`, for the report, for the runner and for text; any other name is refused."""
    kinds = (FITTING, SHOWING, RUNNING, READING)
    if unknown := sorted(options.keys() - set(chain(*kinds))):
        raise TypeError(f"score() has no option {unknown[0]!r}; it has {', '.join(chain(*kinds))}.")
    return [{name: value for name, value in options.items() if name in kind} for kind in kinds]


def _scored(judges: Sequence[Judge], fakes: Any, running: Mapping[str, Any], **how: Any) -> Scores:
    """The table; in shards where a runner is named, or where it is so long that shards of it are kept."""
    runner, keep = running.get("runner"), running.get("keep")
    if as_features(fakes) is not None or (runner is None and (keep is None or len(fakes) <= LONG)):
        return score_by(judges, fakes, **how)
    workers = how["workers"] if runner is None else 1
    work = Scoring([judge.anew() for judge in judges], how["store"], workers)
    return score_in_shards(work, fakes, runner, None if len(fakes) <= LONG else keep, how["progress"])


def _is_realism(given: Any) -> bool:
    from .p_real.model import Realism

    return isinstance(given, Realism)


def _people_judges(human: Realism | str | Path | None) -> list[Any]:
    """The judge of a human model, or of its file, where there is one."""
    if human is None:
        return []
    from .p_real.file import load_realism
    from .p_real.model import HumanJudge

    return [HumanJudge(load_realism(human) if isinstance(human, (str, Path)) else human)]


def _text_judges(fakes: Any, text: bool | int | None = None, expected: str | None = None) -> list[Judge]:
    """The judge of text, where it was asked for; that it can work is found out before the pictures are read."""
    text = text if text is None or isinstance(text, bool) else as_whole(text, "text", 0)
    if not text and expected is None:
        return []
    from .text.judge import TextJudge, asked_texts

    if as_features(fakes) is not None:
        raise BadSpec("Text is looked for in pictures; there is none in features.")
    side: dict[str, Any] = {} if text is None or isinstance(text, bool) else {"side": text}
    judge = TextJudge(**side, expected=None if expected is None else asked_texts(fakes, expected))
    judge.check()
    return [judge]


def _opened(where: Any) -> Any:
    """Features as they are, and pictures opened, so that what is looked at ahead is not read again."""
    return where if as_features(where) is not None else as_pictures(open_source(where))


def _matched(match: Any, real: Any, fakes: Any) -> tuple[Any, str]:
    """The match that `fit` is given, "auto" chosen; and in words where reals and fakes are saved differently."""
    if as_features(real) is not None or as_features(fakes) is not None:
        return match, ""
    chosen = auto_match(real, fakes) if match == "auto" else as_match(match)
    return chosen, describe_different(still_different(real, fakes, chosen), match is not None)


def _warn(text: str) -> None:
    """A warning that points to who called `score`, if there is anything to say."""
    if text:
        warnings.warn(text, stacklevel=3)


def _warned(scores: Scores) -> Scores:
    if len(scores) and all(scores.error):
        warnings.warn(f"none of the {len(scores)} pictures could be scored; the first: {scores.error[0]}", stacklevel=3)
    part = human_part(scores.made_by)
    for text in filter(None, [*doubts(part), unchecked(part)]):
        warnings.warn(text, stacklevel=3)
    return scores
