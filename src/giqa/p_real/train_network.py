"""The other way round: a network that learns from votes itself, when there are thousands of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import registry
from ..errors import BadSpec
from ..features.devices import find_device
from ..features.learned import Learned
from ..features.reader import Reader
from ..images import open_source
from ..images.copies import twins
from ..scorers.human import HumanModel
from ..scorers.scale import Scale
from ..train.manifest import Manifest, Part
from ..train.network import Trainer
from ..train.pictures import HELD_OUT, Pictures, read_pictures
from ..train.recipe import recipe_for
from .domain import EXTRACTOR as CONTENT_EXTRACTOR
from .domain import Voted
from .file import load_realism
from .held_out import held_out_figures
from .model import Realism
from .train import ASIDE, choose_references, made_by_votes
from .votes import Judged, read_judged

LEAST = 1000  # votes


@dataclass(frozen=True, eq=False)
class Judgements(Manifest):
    """Pictures and the share of their `votes` that say real, as `label`; none of them counts as a real picture."""

    votes: np.ndarray
    group: np.ndarray

    def aims(self) -> bytes:
        """What is learned of the pictures, for a digest."""
        return super().aims() + self.votes.tobytes()

    def rows(self, keep: np.ndarray) -> Judgements:
        """Some of the pictures."""
        part = super().rows(keep)
        return Judgements(part.source, part.run, part.iteration, part.label, self.votes[keep], self.group[keep])


def train_end_to_end(
    votes: str | Path, images: Any, real: Any, out: str | Path, *, seed: int = 0, **options: Any
) -> Realism:
    """Learn a network by the likelihood of the votes, and the human model on it.

    A fifth of the pictures is held out: the epoch is chosen by the likelihood of their votes, and a logistic regression
    on the network's log odds calibrates p on them and gives its interval.

    Parameters
    ----------
    votes, images, real
        As in `giqa.p_real.train_human`.
    out : path
        NAME.safetensors; NAME.giqa is written next to it.
    seed : int
        Of all that is random.
    **options
        `group`, `reals_too`, `store`, `workers`, `progress` and `say` as in `train_human`; `device` to learn on; else
        as in `giqa.train.train_network`, whose trainer, checkpoints included, this is.

    Returns
    -------
    Realism
        What NAME.giqa holds.

    Raises
    ------
    BadSpec
        Below 1,000 votes.
    MissingExtra
        Without torch.
    """
    out, say = Path(out), options.pop("say", None) or (lambda text: None)
    device, group, reals_too = (options.pop(name, None) for name in ("device", "group", "reals_too"))
    reading = {name: options.pop(name) for name in ("store", "workers", "progress") if name in options}
    if out.suffix != ".safetensors":
        raise BadSpec(f"A network is kept as NAME.safetensors, got {out.name!r}.")
    source = open_source(Path(votes).parent if images is None else images)
    judged = read_judged(votes, source, group, bool(reals_too))
    if judged.votes.sum() < LEAST:
        raise BadSpec(
            f"A network learns from {LEAST:,} votes or more, there are {judged.votes.sum():.0f}; without --end-to-end "
            "a few hundred do."
        )
    recipe, where = recipe_for("human", seed=seed, **options), find_device(device or "cpu", "giqa train human")
    share, none = judged.real / judged.votes, np.zeros(len(judged))
    table = Judgements(
        Part(source, judged.rows), none.astype(str), none, share, judged.votes, judged.group if group else none
    )
    progress = reading.get("progress")
    pictures = read_pictures(table, recipe["load"], seed, reading.get("workers"), progress, _held_out)
    judged = judged.take(np.isin([source.ids[row] for row in judged.rows], pictures.manifest.source.ids))
    say(f"{len(judged)} pictures with {judged.votes.sum():.0f} votes, {int(pictures.held_out.sum())} of them held out")
    trainer = Trainer(recipe, pictures, where, out.with_suffix(".checkpoint"))
    trainer.run(progress)
    trainer.write(out)
    reader = Reader(Learned(str(out.resolve())), **reading)
    human = _calibrated(Part(source, judged.rows), judged, pictures, open_source(real), seed, reader)
    human.save(out.with_suffix(".giqa"))
    trainer.checkpoint.unlink(missing_ok=True)
    return load_realism(out.with_suffix(".giqa"))


def _held_out(table: Judgements, info: np.ndarray, seed: int) -> np.ndarray:
    """A fifth of the groups, seeded; without groups, of the pictures, those that are nearly the same together."""
    groups = table.group if len(np.unique(table.group)) > 1 else twins(info)
    names = np.random.default_rng(seed).permutation(np.unique(groups))
    return np.isin(groups, names[: max(1, round(HELD_OUT * len(names)))])


def _calibrated(source: Part, judged: Judged, pictures: Pictures, reals: Any, seed: int, reader: Reader) -> Realism:
    """p of the network's log odds, by the votes on pictures that it did not learn from."""
    network, held = reader.extractor, judged.take(pictures.held_out)
    x = reader.features(Part(source.source, held.rows), "held out").features
    model = HumanModel(seed=seed).fit(x, held.counts(), groups=held.group)
    figures = held_out_figures(lambda: HumanModel(resamples=0, seed=seed), x, held, seed)
    rows = choose_references(reals, pictures.info, ASIDE, seed, reader)
    there = reader.features(Part(reals, sorted(rows[0] + rows[1])), "reals of the scale").features
    how = {"scorer": "human(end_to_end=True)", "maps": dict(network.identity()), "match": None}
    how |= {"extractor": registry.canonical("extractor", network), "held_out_pictures": len(held)}
    made_by = made_by_votes(judged, model, seed, **how, **figures)
    shown = replace(reader, extractor=CONTENT_EXTRACTOR).features(source, "what they show").features
    human = Realism(model, None, made_by["extractor"], made_by=made_by, voted=Voted.of(shown, seed))
    return replace(human, scale=Scale(human.columns(there)["score"], seed))
