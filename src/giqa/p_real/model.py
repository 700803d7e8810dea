"""The human model: what was learned from judgements, the references it measures from, and its scale, in one file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .. import public, registry
from ..errors import BadModel, BadSpec
from ..features.joined import Joined
from ..features.reader import Reader, make_extractor
from ..files import as_path, seal, write_tensors
from ..model.columns import PEOPLE, SAID
from ..model.file import learned_of
from ..model.made_by import MadeBy
from ..model.score import score_by
from ..model.table import Scores
from ..model.trust import learned
from ..scorers.human import HumanModel
from ..scorers.judgements import OUTPUTS, JudgementModel
from ..scorers.scale import Scale
from ..stats import NORMAL, logit
from ..types import Features, Progress
from .columns import Sums, digest_of, of_sums, only_families, with_size
from .distances import LayerDistances
from .domain import CONTENT, Asked, Voted, columns_alone
from .domain import EXTRACTOR as CONTENT_EXTRACTOR

FORMAT = 2  # 1 had no checksum over all of it
OF_JUDGEMENTS = 3  # learned from judgements of any kind, on columns that were chosen
SEALED = ("human.", "densities.", "voted.", "scale.")  # arrays under the checksum; references have one of their own
KEY = "giqa.people"
ROWS = 64
# scripts import them from here
__getattr__, *_ = public("giqa.p_real", file="load_realism is_realism read_realism_header")
FAR = 4.0  # standard deviations of the labelled pictures, to which each column is clipped


@dataclass(frozen=True, eq=False)
class Realism:
    """What `giqa train human` learned: P(a person says real) of any picture, on its own or with a model's scores.

    Parameters
    ----------
    model : HumanModel or JudgementModel
        The regression on votes, or on judgements of any kind.
    distances : LayerDistances or None
        References; None: the extractor is a network that learned from votes itself.
    extractor : str
        The spec of what makes the maps.
    taps : tuple of str
        Layers whose maps are measured.
    references : str
        The references' digest.
    match : str or None
        What is done to a picture before.
    scale : Scale or None
        The log odds of reals that are no reference; None where there were too few.
    made_by : mapping
        How it was trained, held-out figures included.
    densities : MultiLayer or None
        Of the references' pooled layers, where their z are columns too.
    voted : Voted or None
        The judged pictures; None in files of an earlier giqa.
    families : tuple of str or None
        Families of columns that a `JudgementModel` is given; None: all layers, of a `HumanModel`.

    Examples
    --------
    A file holds it all::

        human = load_realism("people.giqa")
        scores = human.score("fakes/")
        scores.p_real, scores.p_real_low, scores.p_real_high

    >>> from giqa.scorers.human import HumanModel
    >>> gain = {"log-likelihood, gain": {"value": 0.05, "low": 0.02, "high": 0.08}}
    >>> print(str(Realism(HumanModel(), None, "embedded", made_by={"labelled": 300, "held_out": gain}))[:166])
    <giqa.Realism of embedded, 300 judged pictures; giqa.score(FAKES, real=REALS, human=this) adds p_real
    The human model learned something: on held-out pictures it gains
    """

    model: HumanModel | JudgementModel
    distances: LayerDistances | None  # None: the extractor is a network that learned from votes itself
    extractor: str
    taps: tuple[str, ...] = ()
    references: str = ""  # their digest
    match: str | None = None
    scale: Scale | None = None
    made_by: Mapping[str, Any] = field(default_factory=dict)
    densities: Any = None  # of the references' pooled layers, where their z are columns too
    voted: Voted | None = None
    families: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        network, labelled = self.extractor.partition("(")[0], MadeBy.from_dict(self.made_by).labelled
        adds = ", ".join(name for name in self.adds if not name.endswith(("_low", "_high")))
        about = (
            f"<giqa.Realism of {network}, {labelled} judged pictures; giqa.score(FAKES, real=REALS, human=this) adds"
        )
        return f"{about} {adds}\n{learned(self.made_by)[1]}>"

    @cached_property
    def sums(self) -> Any:
        """The extractor whose features this scores; refuses a network that would compute others."""
        network = extractor = make_extractor(self.extractor)
        content = None if self.voted is None else CONTENT_EXTRACTOR
        if self.distances is not None:
            how = self.references, self.densities, content
            extractor = Sums(self.distances, network, self.taps, *how, **of_sums(self.families))
        elif content:
            extractor = Joined([self.extractor, content])
        now, then = json.loads(json.dumps(network.identity())), MadeBy.from_dict(self.made_by).maps
        if then is not None and now != then:
            raise BadModel(
                f"{self.extractor} computes other maps than when the votes were learned from it; bring back that "
                "network, or train again."
            )
        return extractor

    @property
    def adds(self) -> tuple[str, ...]:
        """The columns of `Scores` that it fills: what people say, by the kinds of judgements that it learned from."""
        if self.families is None:
            return PEOPLE
        return tuple(name for kind in self.model.kinds_ for name in ends_of(OUTPUTS[kind]))

    def p_real(self, features: Features) -> dict[str, np.ndarray]:
        """What people say of pictures, p_real of votes, and its 95 % interval, by names of columns, float64 (n,)."""
        return {name: values for name, values in self._asked(features).items() if name in SAID}

    def _asked(self, features: Features) -> dict[str, np.ndarray]:
        """All that the model says, and the score with its interval; `ROWS` at a time, so that other pictures in the
        call change no bit."""
        near = self._bounded(features) if self.families is None else self._chosen(features)
        ask = self._by_votes if self.families is None else self._by_judgements
        if not len(features):  # one picture of zeros, which is cut off again
            near = {name: np.zeros((1, layer.shape[1])) for name, layer in near.items()}
        last, parts = max(len(features) - 1, 0), []
        for start in range(0, last + 1, ROWS):
            rows = np.arange(start, start + ROWS)
            padded = {name: layer[np.minimum(rows, last)] for name, layer in near.items()}
            parts.append(ask(Features(tuple(map(str, rows)), padded)))
        return {name: np.concatenate([part[name] for part in parts])[: len(features)] for name in parts[0]}

    def _by_votes(self, features: Features) -> dict[str, np.ndarray]:
        found = dict(zip(PEOPLE, self.model.p_real(features), strict=True))
        low, high = (logit(ends) for ends in self.model.p_real(features, own=False)[1:])  # of the fit alone
        return found | {"score": logit(found["p_real"]), "low": low, "high": high}

    def _by_judgements(self, features: Features) -> dict[str, np.ndarray]:
        low, high = self.model.score_interval(features)
        found = {"score": self.model.score_samples(features), "low": low, "high": high}
        for kind, values in self.model.predict(features).items():
            found |= dict(zip(ends_of(OUTPUTS[kind]), values, strict=True))
        return found

    def _chosen(self, features: Features) -> dict[str, np.ndarray]:
        """The layers that a `JudgementModel` was given."""
        return dict(only_families(with_size(columns_alone(features)), self.families).layers)

    def _bounded(self, features: Features) -> dict[str, np.ndarray]:
        """Layers, each column clipped to `FAR` standard deviations around the labelled pictures, as the model
        standardises.

        A column that hardly varied among them (z at its floor, say) would otherwise decide alone what is far out.
        """
        model, start, near = self.model, 0, {}
        logged = model.is_distance_ | model.is_z_
        ends = model.mean_ + FAR * np.array([[-1.0], [1.0]]) * model.spread_
        low, high = np.where(logged, np.sign(ends) * np.expm1(np.abs(ends)), ends)
        low = np.where(model.is_distance_, np.maximum(low, 0), low)
        for name, layer in features.layers.items():
            if name == CONTENT:  # says what a picture shows, not how good it is
                continue
            here, start = slice(start, start + layer.shape[1]), start + layer.shape[1]
            near[name] = np.clip(layer, low[here], high[here])
        return near

    def score(
        self, fakes: Any, *, store: bool = True, workers: int | None = None, progress: Progress | None = None
    ) -> Scores:
        """One row a picture: the score is log(p / (1 - p)), and z is read against held-out reals.

        Parameters
        ----------
        fakes : path, array or source
            Pictures; see `giqa.images.open_source`.
        store, workers, progress
            See `giqa.features.Reader`.

        Returns
        -------
        Scores
            As `giqa.Model.score`.
        """
        return score_by([self.judge()], fakes, store=store, workers=workers, progress=progress)

    def judge(self) -> HumanJudge:
        """This model for the length of one scoring."""
        return HumanJudge(self, alone=True)

    def columns(self, features: Features) -> dict[str, Any]:
        """All columns of `Scores` for pictures that have features, each (n,)."""
        n, asked = len(features), self._asked(features)
        score, nothing = asked["score"], np.full(n, np.nan)
        read = {"score": score, "z": nothing, "percentile": nothing, "z_low": nothing, "z_high": nothing}
        if self.scale is not None:
            ends = self.scale.interval(score, (asked["high"] - asked["low"]) / (2 * NORMAL))
            read |= {"z": self.scale.z(score), "percentile": self.scale.percentile(score)}
            read |= dict(zip(("z_low", "z_high"), ends, strict=True))
        said = {name: values for name, values in asked.items() if name in SAID}
        return read | said | {"duplicate_of": [""] * n, "out_of_domain": [""] * n}

    @property
    def digest(self) -> str:
        """SHA-256 over what was learned and the references; two with one digest give the same p."""
        arrays, header = self.model.record()
        parts = [self.references or MadeBy.from_dict(self.made_by).maps, header["names"], digest_of(arrays)]
        parts += [] if self.densities is None else [digest_of(learned_of(self.densities))]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def save(self, path: str | Path) -> Path:
        """Write one `.giqa` file (safetensors with JSON in its head), references included, atomically."""
        path = as_path(path)
        if path.suffix.lower() != ".giqa":
            raise BadSpec(f"A model file is named NAME.giqa, got {path.name!r}.")
        arrays, metadata = ({}, {}) if self.distances is None else self.distances.record()
        learned, human = self.model.record()
        arrays = arrays | {f"human.{name}": array for name, array in learned.items()}
        dense = {} if self.densities is None else learned_of(self.densities)
        arrays |= {f"densities.{name}": np.ascontiguousarray(a) for name, a in dense.items() if a.ndim}
        shown = {} if self.voted is None or self.voted.content is None else learned_of(self.voted.content)
        arrays |= {f"voted.content.{name}": np.ascontiguousarray(a) for name, a in shown.items() if a.ndim}
        if self.voted is not None:
            arrays["voted.info"] = np.frombuffer(self.voted.info.tobytes(), np.uint8)
        if self.voted is not None and self.voted.contents is not None:
            arrays["voted.contents"] = self.voted.contents
        if self.scale is not None:
            arrays["scale.held_out"] = np.asarray(self.scale.held_out, np.float64)
        header = {
            "format": FORMAT if self.families is None else OF_JUDGEMENTS,
            "distances": metadata,
            "human": human,
            "extractor": self.extractor,
            "taps": list(self.taps),
            "references_sha256": self.references,
            "squares_sha256": "" if self.distances is None else self.distances.digests()[1],
            "densities": None if self.densities is None else registry.canonical("scorer", self.densities),
            "learned": {name: value.item() for name, value in dense.items() if not value.ndim},
            "voted": {name: value.item() for name, value in shown.items() if not value.ndim},
            "match": self.match,
            "seed": self.scale.seed if self.scale else 0,
            "digest": self.digest,
            "made_by": dict(self.made_by),
        } | ({} if self.families is None else {"families": list(self.families)})
        sealed = {name: array for name, array in arrays.items() if name.startswith(SEALED)}
        header = seal(json.loads(json.dumps(header)), sealed)
        write_tensors(path, arrays, metadata | {KEY: json.dumps(header)})
        return path


def ends_of(name: str) -> tuple[str, str, str]:
    """A column and those of the ends of its interval.

    >>> ends_of("rating")
    ('rating', 'rating_low', 'rating_high')
    """
    return name, f"{name}_low", f"{name}_high"


class HumanJudge:
    """A human model during one scoring: what it says, and what it notes of the pictures that it is asked about.

    Parameters
    ----------
    human : Realism
        The model.
    alone : bool
        Its log odds are the score; else it adds `p_real` to the columns of a fitted model.
    """

    takes_features = False

    def __init__(self, human: Realism, alone: bool = False):
        self.adds = human.adds
        self.human, self.alone, self.asked = human, alone, Asked(human.voted)

    def reader(self) -> Reader:
        return Reader(self.human.sums, self.human.match)

    def columns(self, features: Features) -> dict[str, Any]:
        """Columns of `Scores`, each (n,), and notes."""
        columns = self.human.columns(features) if self.alone else self.human.p_real(features)
        return {**columns, "notes": self.asked.see(features)}

    def made_by(self) -> dict[str, Any]:
        """How the human model was trained, and on what kind of pictures it was asked."""
        digest = "model_digest" if self.alone else "digest"
        said = {**self.human.made_by, digest: self.human.digest, "asked": self.asked.record()}
        if self.alone and self.human.scale is not None:
            said["reals"] = len(self.human.scale.held_out)  # what z and percentile compare with; not the references
        return said if self.alone else {"human": said}

    def anew(self) -> HumanJudge:
        return HumanJudge(self.human, self.alone)

    def seen(self) -> dict[str, Any]:
        return self.asked.to_json()

    def recall(self, seen: Mapping[str, Any]) -> None:
        self.asked.recall(seen)
