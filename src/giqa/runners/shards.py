"""Shards of a table that are done, kept next to it until it is whole: a run that was interrupted goes on there."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import GiqaError
from ..images.sources.shards import Joined
from ..images.subset import Subset
from ..model.score import Judge
from ..model.table import Scores, read_scores
from ..types import Source

_NAME = re.compile(r"(\d+)-(\d+)")


@dataclass(frozen=True)
class Scored:
    """Some rows of a table, and what each judge noted of their pictures."""

    scores: Scores
    seen: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Shards:
    """A folder of scored shards of one job; each file is a table by itself and is written atomically.

    Parameters
    ----------
    folder : Path
        It is made with the first shard.
    ending : str
        Of the tables: ".csv", ".jsonl" or ".parquet".
    job : str
        What is scored and how, as `job_of` has it; shards of another job are not read.
    """

    folder: Path
    ending: str
    job: str

    def write(self, rows: range, scored: Scored) -> None:
        """Keep a shard; once it returns, the shard survives the death of this process."""
        made_by = {"job": self.job, "seen": [dict(each) for each in scored.seen]}
        replace(scored.scores, made_by=made_by).write(self.folder / f"{rows.start:09d}-{rows.stop:09d}{self.ending}")

    def read(self) -> Iterator[tuple[range, Scored]]:
        """The shards that are there, in order; what is damaged, of another job, or there twice is left out."""
        end = 0
        for path in sorted(self.folder.glob(f"*{self.ending}")):
            found = _NAME.fullmatch(path.stem)
            rows = range(*map(int, found.groups())) if found else range(0)
            if not rows or rows.start < end:
                continue
            try:
                scores = read_scores(path)
            except (GiqaError, OSError):
                continue
            if scores.made_by.get("job") == self.job and len(scores) == len(rows):
                end = rows.stop
                yield rows, Scored(replace(scores, made_by={}), scores.made_by["seen"])

    def remove(self) -> None:
        """To be called when the table is whole."""
        shutil.rmtree(self.folder, ignore_errors=True)


def job_of(source: Source, judges: Sequence[Judge]) -> str:
    """A digest of what decides a table: the ids, size and time of change of files, and how the judges were made."""
    digest = hashlib.sha256()
    for judge in judges:
        said = [judge.made_by(), judge.reader().made_by]
        digest.update(json.dumps(said, sort_keys=True, default=str).encode())
    for file in _files(source):
        digest.update(_stamp(file))
    for index, name in enumerate(source.ids):
        path = source.path(index)
        digest.update(name.encode("utf-8", "surrogatepass") + b"\0" + (_stamp(path) if path is not None else b""))
    return digest.hexdigest()


def _files(source: Source) -> Iterator[Path]:
    """The file that each part of a source is called after: an archive, a table, or the folder of the pictures."""
    if isinstance(source, Subset):
        yield from _files(source.source)
    elif isinstance(source, Joined):
        for part in source.parts:
            yield from _files(part)
    else:
        yield Path(source.name.partition("[")[0])


def _stamp(path: Path) -> bytes:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return b"-"
    return f"{status.st_size} {status.st_mtime_ns}".encode()
