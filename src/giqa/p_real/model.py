"""The human model: what was learned from votes, the references it measures from, and its scale, in one file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, registry
from ..errors import BadModel, BadSpec, MissingSource
from ..features.joined import Joined
from ..features.reader import Reader, make_extractor
from ..files import is_whole, seal, write_tensors
from ..model.file import head_of, learned_of, restore
from ..model.made_by import MadeBy
from ..model.out_of_domain import Content
from ..model.score import score_by
from ..model.table import PEOPLE, Scores
from ..scorers.human import HumanModel
from ..scorers.scale import Scale
from ..stats import NORMAL, logit
from ..types import INFO, Features, Progress
from .columns import Sums, digest_of
from .distances import LayerDistances
from .domain import CONTENT, Asked, Voted
from .domain import EXTRACTOR as CONTENT_EXTRACTOR

FORMAT = 2  # 1 had no checksum over all of it
SEALED = ("human.", "densities.", "voted.", "scale.")  # arrays under the checksum; references have one of their own
KEY = "giqa.people"
COLUMNS = ("p_real", "p_real_low", "p_real_high")
ROWS = 64
FAR = 4.0  # standard deviations of the labelled pictures, to which each column is clipped
NO_VOTED = digest_of({})  # of files of an earlier giqa
CHECKED = 2**28  # bytes of a file up to which its references are checked too when it is read


@dataclass(frozen=True, eq=False)
class Realism:
    """What `giqa train human` learned: P(a person says real) of any picture, on its own or with a model's scores.

    Parameters
    ----------
    model : HumanModel
        The regression on votes.
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
        The pictures with votes; None in files of an earlier giqa.

    Examples
    --------
    A file holds it all::

        human = load_realism("people.giqa")
        scores = human.score("fakes/")
        scores.p_real, scores.p_real_low, scores.p_real_high

    >>> from giqa.scorers.human import HumanModel
    >>> Realism(HumanModel(), None, "embedded", made_by={"labelled": 300})
    <giqa.Realism of embedded, 300 pictures with votes>
    """

    model: HumanModel
    distances: LayerDistances | None  # None: the extractor is a network that learned from votes itself
    extractor: str
    taps: tuple[str, ...] = ()
    references: str = ""  # their digest
    match: str | None = None
    scale: Scale | None = None
    made_by: Mapping[str, Any] = field(default_factory=dict)
    densities: Any = None  # of the references' pooled layers, where their z are columns too
    voted: Voted | None = None

    def __repr__(self) -> str:
        labelled = MadeBy.from_dict(self.made_by).labelled
        return f"<giqa.Realism of {self.extractor.partition('(')[0]}, {labelled} pictures with votes>"

    @cached_property
    def sums(self) -> Any:
        """The extractor whose features this scores; refuses a network that would compute others."""
        network = extractor = make_extractor(self.extractor)
        content = None if self.voted is None else CONTENT_EXTRACTOR
        if self.distances is not None:
            extractor = Sums(self.distances, network, self.taps, self.references, self.densities, content)
        elif content:
            extractor = Joined([self.extractor, content])
        now, then = json.loads(json.dumps(network.identity())), MadeBy.from_dict(self.made_by).maps
        if then is not None and now != then:
            raise BadModel(
                f"{self.extractor} computes other maps than when the votes were learned from it; bring back that "
                "network, or train again."
            )
        return extractor

    def p_real(self, features: Features) -> dict[str, np.ndarray]:
        """p_real and its 95 % interval, by the names in `COLUMNS`, each float64 (n,)."""
        return dict(zip(COLUMNS, self._asked(features), strict=True))

    def _asked(self, features: Features, own: bool = True) -> np.ndarray:
        """What the model of votes says, (3, n); `ROWS` at a time, so that other pictures in the call change no bit."""
        parts, near = [np.empty((3, 0))], self._bounded(features)
        for start in range(0, len(features), ROWS):
            rows = np.arange(start, start + ROWS)
            padded = {name: layer[np.minimum(rows, len(features) - 1)] for name, layer in near.items()}
            parts.append(np.stack(self.model.p_real(Features(tuple(map(str, rows)), padded), own)))
        return np.concatenate(parts, axis=1)[:, : len(features)]

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
        n, columns = len(features), self.p_real(features)
        score = logit(columns["p_real"])
        nothing = np.full(n, np.nan)
        read = {"score": score, "z": nothing, "percentile": nothing, "z_low": nothing, "z_high": nothing}
        if self.scale is not None:
            low, high = (logit(ends) for ends in self._asked(features, own=False)[1:])  # of the fit alone
            ends = self.scale.interval(score, (high - low) / (2 * NORMAL))
            read |= {"z": self.scale.z(score), "percentile": self.scale.percentile(score)}
            read |= dict(zip(("z_low", "z_high"), ends, strict=True))
        return read | columns | {"duplicate_of": [""] * n, "out_of_domain": [""] * n}

    @property
    def digest(self) -> str:
        """SHA-256 over what was learned and the references; two with one digest give the same p."""
        arrays, header = self.model.record()
        parts = [self.references or MadeBy.from_dict(self.made_by).maps, header["names"], digest_of(arrays)]
        parts += [] if self.densities is None else [digest_of(learned_of(self.densities))]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def save(self, path: str | Path) -> Path:
        """Write one `.giqa` file (safetensors with JSON in its head), references included, atomically."""
        path = Path(path)
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
            "format": FORMAT,
            "distances": metadata,
            "human": human,
            "extractor": self.extractor,
            "taps": list(self.taps),
            "references_sha256": self.references,
            "densities": None if self.densities is None else registry.canonical("scorer", self.densities),
            "learned": {name: value.item() for name, value in dense.items() if not value.ndim},
            "voted": {name: value.item() for name, value in shown.items() if not value.ndim},
            "match": self.match,
            "seed": self.scale.seed if self.scale else 0,
            "digest": self.digest,
            "made_by": dict(self.made_by),
        }
        sealed = {name: array for name, array in arrays.items() if name.startswith(SEALED)}
        header = seal(json.loads(json.dumps(header)), sealed)
        write_tensors(path, arrays, metadata | {KEY: json.dumps(header)})
        return path


def is_realism(path: str | Path) -> bool:
    """Whether a file is one that `giqa train human` wrote; nothing but its head is read.

    Parameters
    ----------
    path : path
        Any file.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_realism("no such file.giqa")
    False
    """
    return Path(path).is_file() and KEY in head_of(path)


def read_realism_header(path: str | Path) -> dict[str, Any]:
    """What such a file says of itself, without loading its arrays."""
    if not Path(path).is_file():
        raise MissingSource(f"There is no model file {path}; make one with: giqa train human VOTES.csv --real REALS.")
    try:
        header = dict(json.loads(head_of(path)[KEY]))
    except (KeyError, ValueError, TypeError) as error:
        raise BadModel(
            f"{path} is no human model, or is cut short ({type(error).__name__}); `giqa train human` makes one."
        ) from None
    if header.get("format") not in (1, FORMAT):
        raise BadModel(f"{path} has another format than this giqa, {__version__}, reads; train it again.")
    return header


def load_realism(path: str | Path) -> Realism:
    """Read what `Realism.save` wrote; the references are mapped and not read, what was learned is checked.

    Parameters
    ----------
    path : path
        A `.giqa` file.

    Returns
    -------
    Realism

    Raises
    ------
    MissingSource
        When there is no such file.
    BadModel
        When it is another kind of file, of another version, or damaged.

    Examples
    --------
    What `giqa train human votes.csv --real reals/ -o people.giqa` wrote::

        human = load_realism("people.giqa")

    >>> load_realism("no.giqa")
    Traceback (most recent call last):
    giqa.errors.MissingSource: There is no model file no.giqa; make one with: giqa train human VOTES.csv --real REALS.
    """
    from safetensors import SafetensorError, safe_open

    header = read_realism_header(path)
    distances = LayerDistances.open(path) if header["references_sha256"] else None
    try:
        with safe_open(path, framework="numpy") as file:
            every = {n: file.get_tensor(n) for n in file.keys() if n.startswith(SEALED)}  # noqa: SIM118
            of_distances = {key: text for key, text in file.metadata().items() if key != KEY}
        arrays, dense, voted = (
            {n.removeprefix(part): array for n, array in every.items() if n.startswith(part)} for part in SEALED[:3]
        )
        held_out = every.get("scale.held_out")
        human = Realism(
            HumanModel.restored(arrays, header["human"]),
            distances,
            header["extractor"] if distances else _network_of(path, header["extractor"]),
            tuple(header["taps"]),
            header["references_sha256"],
            header["match"],
            None if held_out is None else Scale(held_out, header["seed"]),
            header["made_by"],
            _densities(header, dense),
            _voted(header, voted),
        )
        whole = human.digest == header["digest"]
        if header["format"] > 1 or "sha256" in header:
            whole = whole and is_whole(header, every) and header.get("distances") == of_distances
        else:
            of_voted = digest_of({f"voted.{n}": a for n, a in voted.items()})
            whole = whole and of_voted == header.get("voted_sha256", NO_VOTED)
        if distances and Path(path).stat().st_size <= CHECKED:
            whole = whole and distances.digest() == human.references
    except (SafetensorError, KeyError, ValueError, TypeError, OSError) as error:
        raise BadModel(f"{path} is damaged ({type(error).__name__}: {error}); train it again.") from None
    if not whole:
        raise BadModel(
            f"{path} is damaged: what it learned does not have the digest it was saved with; train it again."
        )
    return human


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
        self.adds = PEOPLE
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
        return {**self.human.made_by, digest: self.human.digest, "asked": self.asked.record()}


def _network_of(path: str | Path, extractor: str) -> str:
    """The network that learned from votes, where it lies now: NAME.safetensors, next to NAME.giqa, moves with it."""
    file = Path(path).with_suffix(".safetensors").resolve()
    name, parameters = registry.parse(extractor)
    if not file.is_file():
        return extractor
    return registry.canonical("extractor", registry.make("extractor", name, **parameters | {"weights": str(file)}))


def _densities(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Any:
    if header["densities"] is None:
        return None
    densities = registry.make("scorer", header["densities"])
    restore(densities, arrays | header["learned"])
    return densities


def _voted(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Voted | None:
    """The pictures with votes; None in files of an earlier giqa."""
    if "info" not in arrays:
        return None
    content = None
    if "contents" in arrays:
        content = Content()
        learned = {n.removeprefix("content."): a for n, a in arrays.items() if n.startswith("content.")}
        restore(content, learned | header["voted"])
    return Voted(np.frombuffer(arrays["info"].tobytes(), INFO), arrays.get("contents"), content)
