"""How well a model of judgements does on pictures, groups, raters and pairs that it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..model.made_by import GAIN
from ..scorers.judgements import JudgementModel
from ..stats import TAILS, Estimate, plain, spearman
from ..stats.likelihoods import Likelihood
from ..types import Features
from .held_out import fold_of
from .judgements import Answers, Judgements

FOLDS = 5
RESAMPLES = 500
CONSTANT, AGREED, RANKED = "log-likelihood, constant answer", "agreement", "Spearman"
Make = Callable[[], JudgementModel]


def split_figures(make: Make, x: Features, judged: Judgements, copies: np.ndarray, seed: int = 0) -> dict[str, Any]:
    """Figures of each kind of judgement by what was held out: `{kind: {split: {figure: estimate}}}`.

    | split | held out |
    |---|---|
    | picture | a fifth of the pictures (fewer of few), near copies together, with all that was said of them |
    | group | a fifth of the groups |
    | rater | a fifth of the raters: what they say of pictures that others have judged |
    | pair | a fifth of the pairs, or of pairs of a picture and a judgement: their pictures are seen in others |

    Parameters
    ----------
    make : callable
        Gives a new model; columns and penalty are chosen anew without what is held out.
    x : Features
        Of the judged pictures.
    judged : Judgements
        What was said of them.
    copies : int array (n,)
        Near copies have one number.
    seed : int
        Of folds and resamples.

    Returns
    -------
    dict
        A split that cannot be made (no groups, no raters, too few pictures) is left out.
    """
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {of.kind: {} for of in judged.answers}
    for name, groups in (("picture", copies), ("group", judged.group)):
        folds = None if groups is None else fold_of(groups, seed)
        if folds is not None:
            for kind, figures in _unseen(make, x, judged, folds, groups).items():
                found[kind][name] = figures
    for name, parts in (("rater", _by_rater(judged, rng)), ("pair", _by_pair(judged, rng))):
        for kind, figures in _seen(make, x, parts, copies).items():
            found[kind][name] = figures
    return found


def _unseen(make: Make, x: Features, judged: Judgements, folds: np.ndarray, groups: np.ndarray) -> dict[str, Any]:
    """Figures by models without the picture's fold; of a pair each picture by the model that has not seen it."""
    kinds = judged.likelihoods()
    t = {kind: np.zeros(len(judged)) for kind in kinds}
    models, starts = {}, {}
    for fold in np.unique(folds):
        out = folds == fold
        rest = judged.take(~out)
        if any(not len(of) for of in rest.answers):
            return {}
        models[fold] = model = _fitted(make, x.rows(~out), rest)
        starts[fold] = {kind: of.start() for kind, of in rest.likelihoods().items()}
        scores = model.score_samples(x.rows(out))
        for i, kind in enumerate(kinds):
            t[kind][out] = model.units_[i] * scores
    found = {}
    for i, (kind, likelihood) in enumerate(kinds.items()):
        rows, fold = likelihood.rows(t[kind]), folds[likelihood.touched()[0]]
        values, constant = np.zeros((2, len(rows)))
        for f, model in models.items():
            here = likelihood.take(fold == f)
            values[fold == f] = here.values(rows[fold == f], model.own_[i])
            constant[fold == f] = here.values(np.zeros(len(here.counts())), starts[f][kind])
        found[kind] = _figures(likelihood, rows, values, constant, groups)
    return found


def _fitted(make: Make, x: Features, judged: Judgements) -> JudgementModel:
    """A model of those pictures that have judgements."""
    seen = np.isin(np.arange(len(judged)), np.concatenate([of.pictures.ravel() for of in judged.answers]))
    judged = judged if seen.all() else judged.take(seen)
    return make().fit(x.rows(seen), judged.likelihoods(), judged.group, judged.steps)


Parts = Iterator[tuple[Judgements, dict[str, Likelihood]]]  # what is learned from, and what is held out of each kind


def _by_rater(judged: Judgements, rng: np.random.Generator) -> Parts:
    named = {of.kind: of.rater for of in judged.answers if (of.rater != "").all()}
    raters = np.unique(np.concatenate([*named.values(), np.empty(0, np.str_)]))
    fold_of = dict(zip(raters.tolist(), rng.permutation(np.arange(len(raters)) % FOLDS), strict=True))
    if len(raters) < FOLDS:
        return
    folds = {kind: np.array([fold_of[name] for name in names.tolist()]) for kind, names in named.items()}
    yield from _parts(judged, folds)


def _by_pair(judged: Judgements, rng: np.random.Generator) -> Parts:
    single = replace(judged, answers=tuple(_single(of) for of in judged.answers))
    folds = {}
    for of in single.answers:
        unit = np.arange(len(of))
        if of.kind == "pairs":  # all that was said of two pictures is one
            unit = np.unique(of.pictures, axis=0, return_inverse=True)[1].reshape(-1)
        folds[of.kind] = rng.permutation(np.arange(unit.max() + 1) % FOLDS)[unit]
    yield from _parts(single, folds)


def _single(answers: Answers) -> Answers:
    """Votes one by one where they were counted."""
    if answers.kind != "votes" or (answers.votes % 1).any():
        return answers
    each = answers.rows(np.repeat(np.arange(len(answers)), answers.votes.astype(int)))
    place = np.arange(len(each)) - np.repeat(np.cumsum(answers.votes) - answers.votes, answers.votes.astype(int))
    return replace(each, value=(place < each.value).astype(float), votes=np.ones(len(each)))


def _parts(judged: Judgements, folds: dict[str, np.ndarray]) -> Parts:
    for fold in range(FOLDS):
        kept, held = [], {}
        for of in judged.answers:
            out = folds[of.kind] == fold if of.kind in folds else np.zeros(len(of), bool)
            kept.append(of.rows(~out))
            if out.any():
                held[of.kind] = of.rows(out).likelihood(len(judged.steps))
        if all(len(of) for of in kept):
            yield replace(judged, answers=tuple(kept)), held


def _seen(make: Make, x: Features, parts: Parts, groups: np.ndarray) -> dict[str, Any]:
    """Figures of judgements that were held out, on pictures that others have judged."""
    found: dict[str, list] = {}
    for rest, held in parts:
        model, starts = _fitted(make, x, rest), {of.kind: of.likelihood(len(rest.steps)).start() for of in rest.answers}
        scores = model.score_samples(x)
        for kind, likelihood in held.items():
            i = model.kinds_.index(kind)
            rows = likelihood.rows(model.units_[i] * scores)
            constant = likelihood.values(np.zeros(len(rows)), starts[kind])
            found.setdefault(kind, []).append((likelihood, rows, likelihood.values(rows, model.own_[i]), constant))
    return {kind: _figures(*_joined(several), groups) for kind, several in found.items()}


def _joined(several: list[tuple[Likelihood, np.ndarray, np.ndarray, np.ndarray]]) -> tuple:
    first, columns = several[0][0], zip(*[part[1:] for part in several], strict=True)
    names = vars(first)
    joined = replace(first, **{name: np.concatenate([vars(part[0])[name] for part in several]) for name in names})
    return joined, *(np.concatenate(column) for column in columns)


def _figures(
    likelihood: Likelihood, t: np.ndarray, values: np.ndarray, constant: np.ndarray, groups: np.ndarray
) -> dict[str, Any]:
    """Nats a judgement above a constant answer, and how well t ranks; intervals resample groups of pictures.

    A row of two groups counts as often as both together were drawn.
    """
    names, which = np.unique(groups, return_inverse=True)
    places = [which[pictures] for pictures in likelihood.touched()]
    counts, rng = likelihood.counts(), np.random.default_rng(0)
    drawn = [np.ones(len(names))]
    drawn += [np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names)) for _ in range(RESAMPLES)]
    found: dict[str, list[float]] = {}
    for times in drawn:
        weight = times[places[0]]
        if len(places) > 1:
            weight = np.where(places[0] == places[1], weight, weight * times[places[1]])
        total = (weight * counts).sum()
        if total > 0:
            found.setdefault(GAIN, []).append(float((weight * (values - constant)).sum() / total))
            found.setdefault(CONSTANT, []).append(float((weight * constant).sum() / total))
            name, figure = _ranked(likelihood, t, weight)
            found.setdefault(name, []).append(figure)
    n = len(t)
    return plain({name: Estimate(x[0], *np.nanpercentile(x[1:], TAILS), n) for name, x in found.items()})


def _ranked(likelihood: Likelihood, t: np.ndarray, weight: np.ndarray) -> tuple[str, float]:
    """Share of the judgements of pairs that side with t; rank correlation of t with the mean answer."""
    means = likelihood.mean_answer()
    if len(likelihood.touched()) > 1:
        credit = 0.5 + np.sign(t) * (means - 0.5)
        return AGREED, float(np.average(credit, weights=weight * likelihood.counts()))
    rows = np.repeat(np.arange(len(t)), weight.astype(int))
    return RANKED, spearman(t[rows], means[rows])
