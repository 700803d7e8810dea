"""What a picture costs on a machine, step by step: measured once, kept in a file, used by every plan."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, registry
from ..errors import BadImage, BadSource, BadSpec
from ..features.detail import Detail
from ..features.reader import Reader, features_together, make_extractor
from ..files import home, replace_file
from ..images.arrays import ArraySource
from ..images.decode import decode
from ..images.kinds import kind_of
from ..images.subset import spread
from ..images.toy import landscape
from ..model.fit import fit, make_scorer
from ..types import Source
from .local import Processes
from .plan import Measured, drawn_model, query, row_bytes, timed

SIDES = (64, 512)  # pixels: a step costs so much a picture, and so much a megapixel
COUNT = 20  # pictures of each side
GRAIN = 6.0  # grey levels of noise, so that a PNG takes about the bytes of a photograph
CODINGS: dict[str, dict[str, Any]] = {"PNG": {}, "JPEG": {"quality": 90}}
LOOKS = 40  # pictures of a source whose size and format are looked at


@dataclass(frozen=True)
class Constants:
    """What scoring costs on one core of a machine whose other cores work too.

    Parameters
    ----------
    made_by : mapping
        giqa, date, machine, cores, extractor and scorer.
    start : float
        Seconds of a core that a run takes whatever the number of pictures.
    process : float
        The same of each further process.
    memory : int
        Bytes that a run takes whatever the number of pictures.
    decoding : mapping of str to (float, float)
        Of each format the seconds a picture, and those a megapixel.
    features : (float, float)
        The same from pixels to features.
    scoring : float
        Seconds a query: a picture whose features are known, with a model of 100 reals or more.
    stored : int
        Bytes a picture in the feature store.
    """

    made_by: Mapping[str, Any]
    start: float
    process: float
    memory: int
    decoding: Mapping[str, tuple[float, float]]
    features: tuple[float, float]
    scoring: float
    stored: int

    def of(self, source: Source) -> Measured:
        """What a picture of a source costs, by the size and format of up to 40 of them; `BadSource`."""
        found = []
        for row in spread(source.ids, LOOKS):
            try:
                raw = source.raw(row)
                height, width = decode(raw).pixels.shape[:2]
            except BadImage:
                continue
            found.append(("" if isinstance(raw, np.ndarray) else kind_of(raw), width * height / 1e6))
        if not found:
            raise BadSource(f"{source.name!r}: not one of {min(LOOKS, len(source))} pictures can be read.")
        slowest = max(self.decoding.values(), key=lambda step: step[1])  # stands for a format that was not measured
        steps = [(self.features, size) for _, size in found]
        steps += [(self.decoding.get(kind, slowest), size) for kind, size in found if kind]
        seconds = sum(each + megapixel * size for (each, megapixel), size in steps) / len(found)
        return Measured(len(found), seconds, self.scoring, self.stored, self.start, self.process, self.memory)

    def says(self) -> str:
        """One line."""
        how = self.made_by
        return f"{how['machine']}, {how['cores']} cores at work, {how['date']}"

    def write(self, path: Path) -> None:
        """As JSON, atomically."""
        replace_file(path, json.dumps(asdict(self), indent=1) + "\n")


def constants_file() -> Path:
    """Where the constants of this machine are kept."""
    return home() / "measured.json"


def read_constants(path: Path) -> Constants:
    """What `Constants.write` wrote; `BadSpec` where the file holds something else."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        said["decoding"] = {name: _pair(pair) for name, pair in said["decoding"].items()}
        found = Constants(**said | {"features": _pair(said["features"])})
        found.says()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadSpec(f"{str(path)!r} holds no constants ({error}); `giqa doctor --measure` writes them.") from None
    return found


def measure_machine(extractor: str | None = None, scorer: str | None = None, cores: int | None = None) -> Constants:
    """The constants of this machine, from drawn pictures of 64 and 512 pixels, with all cores at work.

    Parameters
    ----------
    extractor, scorer : str or None
        As in `giqa.fit`.
    cores : int or None
        How many processes measure side by side; None: one a core.

    Returns
    -------
    Constants
    """
    cores = cores or os.cpu_count() or 1
    work = _Steps(extractor, scorer)
    source = ArraySource(np.zeros((cores, 8, 8, 3), np.uint8))  # a row for each process; what it shows does not matter
    shards = [range(number, number + 1) for number in range(cores)]
    parts = [part for _, part in Processes(("cpu",) * cores).run(work, source, shards)]
    mean = {name: np.mean([part[name] for part in parts], axis=0).tolist() for name in parts[0]}
    start, memory = _whole_run(work, mean["features"][0] + mean["scoring"])
    made_by = {"giqa": __version__, "date": str(date.today()), "machine": _processor(), "cores": cores}
    made_by |= names_of(extractor, scorer)
    steps = {name: _pair(mean.pop(name)) for name in (*CODINGS, "features")}
    features, stored = steps.pop("features"), round(mean["stored"])
    return Constants(made_by, start, mean["process"], memory, steps, features, mean["scoring"], stored)


def names_of(extractor: str | None, scorer: str | None) -> dict[str, str]:
    """The extractor and the scorer with all their parameters, by which constants are known."""
    made = make_scorer(scorer, None, 0)
    reads = make_extractor(extractor or made.default_extractor)
    return {"extractor": registry.canonical("extractor", reads), "scorer": registry.canonical("scorer", made)}


@dataclass(frozen=True)
class _Steps:
    """Every step, measured in one process: work for a runner."""

    extractor: str | None
    scorer: str | None

    def __call__(self, source: Source) -> dict[str, Any]:
        begun = time.process_time()  # what importing took
        reader = Reader(self.extractor, store=False, workers=1)
        readers = [reader, Reader(Detail(), store=False, workers=1)]
        drawn = {side: _drawn(side) for side in SIDES}
        warm, _ = timed(lambda: features_together(drawn[SIDES[0]][:4], readers))
        seconds, known = {}, {}
        for side, pictures in drawn.items():
            seconds[side], (found, _) = timed(lambda pictures=pictures: features_together(pictures, readers))
            known[side] = found.features
        small = known[SIDES[0]]
        costs = {"features": _line(seconds), "stored": row_bytes(small), "process": begun + warm}
        costs["scoring"] = query(small, drawn_model(small, reader.made_by, self.scorer))
        for name, how in CODINGS.items():
            files = {side: [_coded(each, name, how) for each in pictures] for side, pictures in drawn.items()}
            costs[name] = _line({s: timed(lambda raws=raws: [*map(decode, raws)])[0] for s, raws in files.items()})
        return costs

    def failed(self, source: Source, reason: str) -> Any:
        raise BadSource(reason)


_RUN = """
import sys, time
from giqa.cli import main
main(sys.argv[1:], standalone_mode=False)
try:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
except ImportError:
    peak = 0
print(time.process_time(), peak)
"""


def _whole_run(work: _Steps, picture: float) -> tuple[float, int]:
    """Seconds of a core and bytes that a run takes for itself, by scoring 20 pictures in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/drawn.npz", images=_drawn(SIDES[0]))
        fit(_drawn(SIDES[0], 60), work.extractor, work.scorer, store=False).save(f"{folder}/reals.giqa")
        asked = [f"{folder}/drawn.npz", "--model", f"{folder}/reals.giqa", "-o", f"{folder}/scores.csv", "--no-store"]
        run = [sys.executable, "-c", _RUN, "score", *asked, "--quiet"]
        paths = os.pathsep.join(filter(None, sys.path))
        done = subprocess.run(run, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True)
        if done.returncode:
            raise BadSource(f"A run over {COUNT} pictures failed: {done.stderr.strip()[-300:]}")
    seconds, memory = done.stdout.split()[-2:]
    return max(0.0, float(seconds) - COUNT * picture), int(memory)


def _drawn(side: int, count: int = COUNT) -> np.ndarray:
    """Landscapes with grain, uint8 (count, side, side, 3)."""
    pictures = []
    for number in range(count):
        rng = np.random.default_rng([side, number])
        pixels = landscape(rng, side)
        pictures.append(np.clip(pixels + rng.normal(scale=GRAIN, size=pixels.shape), 0, 255).astype(np.uint8))
    return np.stack(pictures)


def _coded(pixels: np.ndarray, name: str, how: Mapping[str, Any]) -> bytes:
    from PIL import Image

    file = BytesIO()
    Image.fromarray(pixels).save(file, name, **how)
    return file.getvalue()


def _line(seconds: Mapping[int, float]) -> tuple[float, float]:
    """Seconds a picture and seconds a megapixel, from those of `COUNT` pictures of two sides.

    >>> _line({64: 20 * 0.001, 512: 20 * 0.001})
    (0.001, 0.0)
    """
    (small, few), (large, many) = ((side * side / 1e6, total / COUNT) for side, total in sorted(seconds.items()))
    megapixel = max(0.0, (many - few) / (large - small))
    return few - megapixel * small, megapixel


def _pair(values: Any) -> tuple[float, float]:
    each, megapixel = values
    return float(each), float(megapixel)


def _processor() -> str:
    """The name of the processor, or its architecture."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return platform.processor() or platform.machine()
