"""Work in shards: the same bytes as in one go, by one process or several, interrupted or not."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import giqa
from giqa.errors import BadSource, BadSpec, WorkerDied
from giqa.features.reader import Reader
from giqa.images import open_source
from giqa.images.subset import Subset
from giqa.model.fit import fit
from giqa.model.score import score_by
from giqa.model.table import read_scores
from giqa.runners.local import Here, Processes
from giqa.runners.runner import make_runner
from giqa.runners.score import Scoring, missing, parts_of, score_in_shards
from giqa.runners.shards import Shards


def pictures(n, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 16, 16, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def model():
    return fit(pictures(60), "statistics", "knn", store=False)


@pytest.fixture
def source(tmp_path):
    """37 pictures in a file; the last is not a picture."""
    from PIL import Image

    folder = tmp_path / "fakes"
    folder.mkdir()
    for number, pixels in enumerate(pictures(36, seed=1)):
        Image.fromarray(pixels).save(folder / f"{number:02d}.png")
    (folder / "99.png").write_bytes(b"not a picture")
    return open_source(folder)


def scoring(model, source):
    return Scoring(model.judges(source), store=False, workers=1)


def lines(scores):
    return scores.csv().splitlines()


class Small:
    """A runner that cuts shards of 5 in any order, and gives up after `most` of them."""

    def __init__(self, most=100, runner=None):
        self.most, self.runner, self.done = most, runner or Here(), []

    def run(self, work, source, shards):
        rows = [shard[start : start + 5] for shard in shards for start in range(0, len(shard), 5)]
        for number, (part, result) in enumerate(self.runner.run(work, source, rows[::-1])):
            if number == self.most:
                raise KeyboardInterrupt
            self.done.append(part)
            yield part, result


def test_shards_in_any_order_are_the_table(model, source):
    """Every shard by itself, last first: ids, numbers, errors and made_by are those of one go."""
    whole = score_by(model.judges(source), source, store=False)
    parts = score_in_shards(scoring(model, source), source, Small())
    assert lines(parts) == lines(whole) and parts.made_by == whole.made_by
    assert sum(map(bool, whole.error)) == 1


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_an_interrupted_table_is_continued(model, source, tmp_path, ending):
    """After three shards the rest is scored and no more; the bytes are those of an undisturbed run."""
    whole = score_by(model.judges(source), source, store=False)
    out, broken, resumed = tmp_path / f"s{ending}", Small(most=3), Small()
    with pytest.raises(KeyboardInterrupt):
        score_in_shards(scoring(model, source), source, broken, out)
    (kept, *_) = sorted(parts_of(out).glob(f"*{ending}"))
    assert len(read_scores(kept)) == 5  # a shard is a table that other programs can read meanwhile
    parts = score_in_shards(scoring(model, source), source, resumed, out)
    assert sorted(row for rows in broken.done + resumed.done for row in rows) == list(range(37))
    assert lines(parts) == lines(whole) and parts.made_by == whole.made_by


def test_damaged_and_foreign_shards_are_scored_again(model, source, tmp_path):
    """A shard that was cut short, and all of them once a picture has changed."""
    out, first = tmp_path / "s.csv", Small()
    score_in_shards(scoring(model, source), source, first, out)
    damaged = sorted(parts_of(out).glob("*.csv"))[2]
    damaged.write_bytes(damaged.read_bytes()[:-30])
    again = Small()
    score_in_shards(scoring(model, source), source, again, out)
    assert again.done == [range(10, 15)]
    shutil.copy(source.path(0), source.path(1))
    changed = Small()
    score_in_shards(scoring(model, source), source, changed, out)
    assert sum(map(len, changed.done)) == 37


def test_an_archive_that_was_written_again_is_scored_again(model, tmp_path):
    """One of two that braces name, and of some of their pictures: names alone do not show it."""
    for number in (0, 1):
        np.savez(tmp_path / f"r-{number}.npz", images=pictures(5, seed=number))
    out, where = tmp_path / "s.csv", f"{tmp_path}/r-{{0,1}}.npz"

    def scored(rows=range(10)):
        source, run = Subset(open_source(where), rows), Small()
        score_in_shards(scoring(model, source), source, run, out)
        return sum(map(len, run.done))

    assert (scored(), scored()) == (10, 0)
    np.savez_compressed(tmp_path / "r-1.npz", images=pictures(5, seed=2))
    assert scored() == 10


def test_what_is_missing_is_what_no_shard_has():
    assert missing(10, []) == [range(0, 10)]
    assert missing(10, [range(0, 10)]) == []
    assert [len(rows) for rows in missing(3000, [range(0, 100)])] == [1024, 1024, 852]


def test_shards_that_overlap_count_once(model, source, tmp_path):
    """Two runs at once may leave rows twice."""
    work, shards = scoring(model, source), Shards(tmp_path / "parts", ".csv", "job")
    for rows in (range(0, 4), range(2, 6), range(4, 8)):
        shards.write(rows, work(Subset(source, rows)))
    assert [rows for rows, _ in shards.read()] == [range(0, 4), range(4, 8)]


def test_processes_give_the_same_bytes(model, source):
    """Two processes with a device each: scores, and the features that a fit reads."""
    runner = Processes(("cpu", "cpu"))
    whole = score_by(model.judges(source), source, store=False)
    assert lines(score_in_shards(scoring(model, source), source, Small(runner=runner))) == lines(whole)
    alone = Reader("statistics", store=False).features(source)
    apart = Reader("statistics", store=False, runner=Small(runner=runner)).features(source)
    assert apart.failures == alone.failures and apart.features.ids == alone.features.ids
    assert apart.features.matrix().tobytes() == alone.features.matrix().tobytes()


class Deadly(Scoring):
    """Work that ends its process."""

    def __call__(self, source):
        import os

        os._exit(1)


def test_a_process_that_dies_is_an_error_with_a_remedy(model, source):
    with pytest.raises(WorkerDied, match="Run again to go on"):
        list(Processes(("cpu",)).run(Deadly(()), source, [range(0, 3)]))


def test_what_cannot_be_sent_is_refused(model):
    source = giqa.images.from_seeds(lambda seed: np.zeros((8, 8, 3), np.uint8), 3)
    with pytest.raises(BadSource, match="cannot be sent to other processes"):
        list(Processes(("cpu",)).run(Scoring(()), source, [range(0, 3)]))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "slurm"}, "The runners are local and ray, got 'slurm'"),
        ({"name": "ray", "devices": ["cpu", "cuda"]}, "every worker has the same kind of device"),
        ({"address": "auto"}, "give runner='ray'"),
    ],
)
def test_a_runner_that_means_nothing_is_refused(given, words):
    with pytest.raises(BadSpec, match=words):
        make_runner(**given)


def test_the_command_gives_the_same_bytes_by_threads_and_processes(model, source, tmp_path):
    """`--workers` 1 and 3, and `--devices` with two stand-ins for devices."""
    from click.testing import CliRunner

    from giqa.cli import main

    model.save(tmp_path / "m.giqa")
    asked, tables = ["score", source.name, "--model", str(tmp_path / "m.giqa"), "--no-store", "-q", "-o"], []
    for number, how in enumerate((["--workers", "1"], ["--workers", "3"], ["--devices", "cpu,cpu"])):
        out = tmp_path / f"{number}.csv"
        assert CliRunner().invoke(main, [*asked, str(out), *how]).exit_code == 0
        tables.append(out.read_bytes())
    assert tables[0] == tables[1] == tables[2] and len(tables[0].splitlines()) > 37


def test_every_process_has_a_device_of_its_own(source, monkeypatch):
    """Two shards at once, on two stand-ins."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    from ray_work import Devices

    shards = [range(0, 2), range(2, 4)]
    assert {device for _, device in Processes(("cpu", "cuda:1")).run(Devices(), source, shards)} == {"cpu", "cuda:1"}
