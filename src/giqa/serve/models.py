"""Models as the service keeps them: loaded once, their readers made once, asked about encoded pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BadSpec
from ..features.reader import Reader
from ..files import as_path
from ..images import open_source
from ..images.pictures import Pictures
from ..model.file import open_model
from ..model.model import Model
from ..model.score import Judge, score_by
from ..model.table_files import json_safe
from ..p_real.file import load_realism
from ..p_real.model import HumanJudge, Realism
from ..threads import one_blas_thread
from ..types import Features

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SAID = ("giqa", "extractor", "scorer", "match", "reals")  # of made_by


@dataclass(frozen=True, eq=False)
class Served:
    """A model under the name by which requests ask for it.

    Parameters
    ----------
    name : str
        In requests.
    model : Model or Realism
        What is asked.
    human : Realism or None
        Adds what people say.
    text : bool
        Whether text is looked for and judged.
    readers : sequence of Reader
        Of the judges, in order: a network is read from its file once.
    """

    name: str
    model: Model | Realism
    human: Realism | None
    text: bool
    readers: Sequence[Reader]

    def score(self, pictures: Sequence[bytes], pixels: int, workers: int | None = None) -> list[dict[str, Any]]:
        """The rows of `giqa score`, the same bits, of encoded pictures of at most so many pixels; None is no number.

        Nothing is kept in the store of features: the pictures belong to whoever sent them.
        """
        source = Pictures(open_source(list(pictures)), pixels)
        judges = judges_of(self.model, self.human, self.text)
        kept = [_Kept(*pair) for pair in zip(judges, self.readers, strict=True)]
        with one_blas_thread():  # else set and lifted for each of a hundred small products
            return [json_safe(row) for row in score_by(kept, source, store=False, workers=workers).rows()]

    def about(self) -> dict[str, Any]:
        """What a client is told of it."""
        said = {name: self.model.made_by.get(name) for name in SAID}
        human = {"human_digest": self.human.digest} if self.human else {}
        return {"name": self.name, "digest": self.model.digest, **said, **human}


class _Kept:
    """A judge for one batch, with a reader that was made before."""

    def __init__(self, judge: Judge, reader: Reader):
        self.judge, self.kept = judge, reader
        self.takes_features, self.adds = judge.takes_features, judge.adds

    def reader(self) -> Reader:
        return self.kept

    def columns(self, features: Features) -> Mapping[str, Any]:
        return self.judge.columns(features)

    def made_by(self) -> Mapping[str, Any]:
        return {}  # `Served.about` says it once


def judges_of(model: Model | Realism, human: Realism | None, text: bool = False) -> list[Judge]:
    """Who is asked about a batch of pictures: as in `giqa.score`."""
    judges = model.judges(None) if isinstance(model, Model) else [model.judge()]
    if human is not None:
        judges.append(HumanJudge(human))
    if text:
        from ..text.judge import TextJudge

        judges.append(TextJudge())
        judges[-1].check()
    return judges


def load_models(models: Iterable[str | Path], human: str | Path | None = None, text: bool = False) -> dict[str, Served]:
    """Models by name, ready to be asked: each has scored a picture.

    Parameters
    ----------
    models : iterable of str or Path
        Files of `giqa fit`, `giqa train` or `giqa train human`; `NAME=FILE` gives a name, else it is the file's.
    human : str, Path or None, default None
        A human model, which adds what people say to every model.
    text : bool, default False
        Adds `text_quality` and what belongs to it, see `giqa.text`.

    Returns
    -------
    dict of str to Served

    Raises
    ------
    BadSpec
        If two have one name, a name cannot stand in an address, or none is given.
    MissingSource, BadModel, MissingWeights, MissingExtra
        As `giqa.load`.

    Examples
    --------
    >>> load_models([])
    Traceback (most recent call last):
    giqa.errors.BadSpec: Serve which model? Give a .giqa file; make one with: giqa fit REALS -o reals.giqa
    """
    judge = load_realism(human) if human is not None else None
    served: dict[str, Served] = {}
    if isinstance(models, (str, Path)) or not isinstance(models, Iterable):
        raise BadSpec(f"Models are a list of files, got {models!r:.80}.")
    for name, path in map(_named, models):
        if name in served:
            raise BadSpec(f"Two models are called {name!r}; name one of them: NAME={path}")
        model = open_model(path)
        ready = Served(name, model, judge, text, [each.reader() for each in judges_of(model, judge, text)])
        ready.score([_grey_png()], 4096)
        served[name] = ready
    if not served:
        raise BadSpec("Serve which model? Give a .giqa file; make one with: giqa fit REALS -o reals.giqa")
    return served


def _named(where: str | Path) -> tuple[str, Path]:
    """NAME=FILE apart; a file that exists under the whole text wins."""
    name, equals, path = str(as_path(where)).partition("=")
    if not equals or Path(where).exists():
        name, path = Path(where).stem, str(where)
    if not NAME.fullmatch(name):
        raise BadSpec(
            f"The name {name!r} cannot stand in an address: letters, digits, '.', '_' and '-', at most 64. Give one: "
            f"NAME={path}"
        )
    return name, Path(path)


def _grey_png() -> bytes:
    """64 x 64 grey pixels as a file."""
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (64, 64), (128, 128, 128)).save(file, "PNG")
    return file.getvalue()
