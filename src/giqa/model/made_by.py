"""How a model, or a table of its scores, came about: every name under which files keep it, in one list."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

GAIN = "log-likelihood, gain"  # of the held-out figures: what decides whether a human model learned something
ALWAYS = ("extractor", "match")  # are said also where they are None
MOST_REALS = 10**8  # arrays are as long as a file says that there are reals
# how an annotation below begins -> what a value may be
FITS: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
    "Sequence": (list, tuple),
    "Mapping": (Mapping,),
    "AskedAbout": (Mapping,),
}


@dataclass(frozen=True)
class AskedAbout:
    """The pictures that a human model was asked about; None: that cannot be said.

    Parameters
    ----------
    pictures : int, default 0
        How many.
    unlike : int or None, default None
        How many of them are unlike those with votes.
    distance : float or None, default None
        How far they are, as a set, from those with votes.
    learned_from : int or None, default None
        How many of them the model learned from.
    """

    pictures: int = 0
    unlike: int | None = None
    distance: float | None = None
    learned_from: int | None = None


@dataclass(frozen=True, kw_only=True)
class MadeBy:
    """What `made_by` says; `from_dict` reads it, `to_dict` is what is kept. None: not said.

    Examples
    --------
    >>> made = MadeBy.from_dict({"scorer": "knn(k=1)", "a later key": 1})
    >>> made.scorer, made.seed, made.to_dict()
    ('knn(k=1)', None, {'extractor': None, 'scorer': 'knn(k=1)', 'match': None, 'a later key': 1})
    """

    # every model
    giqa: str | None = None  # the version
    extractor: str | None = None  # None: it was fitted on features
    features: Mapping[str, Any] | None = None  # what decided them
    scorer: str | None = None
    chosen: Mapping[str, Any] | None = None  # by the scorer
    match: str | None = None
    flip: bool | None = None
    seed: int | None = None
    reals: int | None = None
    reals_failed: int | None = None
    reals_digest: str | None = None
    # of giqa.fit
    products: Mapping[str, Any] | None = None  # how matrix products keep their bits
    reals_look: Mapping[str, Any] | None = None  # their sharpness
    twins: Mapping[str, Any] | None = None
    strays: Mapping[str, Any] | None = None
    groups: Mapping[str, Any] | None = None
    layers: Sequence[str] | None = None  # that the scorer uses
    levels: Mapping[str, Sequence[str]] | None = None  # what the outputs of the extractor see
    # of giqa.train.train_heads
    manifest: str | None = None
    learned_from: Mapping[str, Any] | None = None
    # of giqa.p_real.train_human
    variant: str | None = None
    references: int | None = None
    references_refused: int | None = None
    maps: Mapping[str, Any] | None = None  # identity of the network
    C: str | None = None
    labels: str | None = None
    contexts: Sequence[str] | None = None
    labelled: int | None = None  # pictures with votes
    votes: int | None = None
    raters: int | None = None  # None also where the tables name none
    share_real: float | None = None  # of the votes
    weights: Mapping[str, Sequence[float]] | None = None
    held_out_pictures: int | None = None
    held_out: Mapping[str, Any] | None = None
    calibration: Sequence[Any] | None = None
    other_generators: Mapping[str, Any] | None = None
    vectors: int | None = None  # of each layer, for variant B
    judgements: Mapping[str, int] | None = None  # by kind: votes, pairs, ratings
    columns: Sequence[str] | None = None  # families that cross-validation chose
    centred: bool | None = None  # whether each group has a level of its own
    penalty: float | None = None
    steps: Sequence[float] | None = None  # what each level of the ratings stands for
    splits: Mapping[str, Any] | None = None  # kind -> what was held out -> figures
    # of a table of scores
    model_digest: str | None = None
    shared: Sequence[float] | None = None  # of the intervals of z: what all pictures share
    classes: Mapping[str, Any] | None = None  # of giqa.score_by_class: pictures, reals and model of each
    digest: str | None = None  # of a human model that was asked as well
    asked: AskedAbout | None = None
    human: Mapping[str, Any] | None = None  # its own `made_by`
    text: Mapping[str, Any] | None = None  # how text was looked for, where it was
    others: Mapping[str, Any] = field(default_factory=dict)  # keys of a later version

    @classmethod
    def misfit(cls, said: Mapping[str, Any]) -> str:
        """The first name whose value is of another kind than it should be, as in what somebody wrote by hand; or "".

        >>> MadeBy.misfit({"scorer": "knn", "reals": 20}), MadeBy.misfit({"reals": "many"})
        ('', 'reals')
        """
        kinds = {f.name: FITS.get(re.match(r"\w+", str(f.type))[0]) for f in fields(cls) if f.name != "others"}
        given = ((name, value, kinds.get(name)) for name, value in said.items() if value is not None)
        misfits = (name for name, value, kind in given if kind and not isinstance(value, kind))
        return next(misfits, "") or ("reals" if (said.get("reals") or 0) > MOST_REALS else "")

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Self:
        """What a file or a model says; names that are not known here are kept in `others`."""
        names = {f.name for f in fields(cls)} - {"others"}
        known = {name: value for name, value in said.items() if name in names}
        if not isinstance(known.get("asked"), Mapping):  # None; or made by hand
            known.pop("asked", None)
        else:
            asked = {f.name for f in fields(AskedAbout)}
            known["asked"] = AskedAbout(**{name: value for name, value in known["asked"].items() if name in asked})
        return cls(**known, others={name: value for name, value in said.items() if name not in names})

    def to_dict(self) -> dict[str, Any]:
        """All that is said, in the order above, for `made_by`."""
        said = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "others"}
        said = {name: value for name, value in said.items() if value is not None or name in ALWAYS}
        return said | ({} if self.asked is None else {"asked": asdict(self.asked)}) | dict(self.others)

    @property
    def gain(self) -> Mapping[str, Any] | None:
        """The held-out gain of a human model over a constant answer: value, low, high."""
        return (self.held_out or {}).get(GAIN)

    def gain_of(self, kind: str) -> Mapping[str, Any] | None:
        """The same of one kind of judgement, by groups that were held out, or by pictures where there are none."""
        splits = (self.splits or {}).get(kind, {})
        return splits.get("group", splits.get("picture", {})).get(GAIN)
