"""Work on a Ray cluster of two nodes on this machine: the same bytes, and every picture once whatever dies."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ray", reason="needs Ray: pip install 'giqa[ray]'")
sys.path.insert(0, str(Path(__file__).parent))

from ray_work import Reading

from giqa.errors import BadSource
from giqa.features.reader import Reader, cut
from giqa.images.arrays import ArraySource
from giqa.model.fit import fit
from giqa.model.score import score_by
from giqa.runners.ray import Ray
from giqa.runners.score import Scoring, score_in_shards

MEMORY = 80 * 2**20  # bytes of the object store of a node; the least that Ray takes is 75 MB


@pytest.fixture(scope="module")
def cluster():
    """A head and a node with one core each."""
    import ray
    from ray.cluster_utils import Cluster

    before = os.environ.get("PYTHONPATH")
    places = [str(Path(__file__).parent), str(Path(__import__("giqa").__file__).parents[1]), *sys.path[1:]]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, places))
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    head = {"num_cpus": 1, "object_store_memory": MEMORY, "include_dashboard": False}
    try:
        cluster = Cluster(True, head_node_args=head)
        cluster.other = cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    except Exception as error:  # seen on machines so busy that an agent of Ray's did not start within 30 s
        pytest.skip(f"Ray did not start two nodes here: {error}")
    yield cluster
    ray.shutdown()
    cluster.shutdown()
    os.environ.pop("PYTHONPATH")
    if before is not None:
        os.environ["PYTHONPATH"] = before


def numbered(n):
    """The first pixel of picture i is i."""
    images = np.random.default_rng(0).integers(0, 256, (n, 16, 16, 3), dtype=np.uint8)
    images[:, 0, 0, 0] = np.arange(n)
    return ArraySource(images)


def results(work, source, size):
    """Everything in the order of the source, and that no row came twice."""
    parts = sorted(Ray().run(work, source, cut(len(source), size)), key=lambda part: part[0].start)
    assert [row for rows, _ in parts for row in rows] == list(range(len(source)))
    return [each for _, part in parts for each in part]


def test_two_nodes_give_the_bytes_of_one_process(cluster):
    """The features that a fit reads, and a table of scores."""
    source = numbered(60)
    alone, apart = (Reader("statistics", store=False, runner=runner).features(source) for runner in (None, Ray()))
    assert apart.features.ids == alone.features.ids
    assert apart.features.matrix().tobytes() == alone.features.matrix().tobytes()
    model = fit(source, "statistics", "knn", store=False)
    whole = score_by(model.judges(source), source, store=False)
    parts = score_in_shards(Scoring(model.judges(source), store=False, workers=1), source, Ray())
    assert parts.csv() == whole.csv() and parts.made_by == whole.made_by


def test_a_picture_that_kills_its_worker_fails_alone(cluster):
    """Three workers die of number 13: two with its shard, one with it alone; all other pictures are there, once."""
    found = results(Reading(deadly=13), numbered(20), 10)
    assert [value for name, value in found if name != "13"] == [i for i in range(20) if i != 13]
    assert "every worker that read it died" in found[13][1]


def test_work_that_needs_too_much_memory_is_cut(cluster):
    """Shards of 20 are too many for memory at a time, 7 are not."""
    assert [value for _, value in results(Reading(most=7), numbered(40), 20)] == list(range(40))


def test_an_error_of_giqa_ends_the_run(cluster):
    """A wrong option is no reason to try again."""
    with pytest.raises(BadSource, match="refused"):
        results(Reading(bad=True), numbered(4), 2)


def test_a_node_that_is_lost_costs_no_picture(cluster):
    """It is killed while it works: each picture is there once. The last test, since the node stays away."""
    source, parts = numbered(80), []
    for rows, part in Ray().run(Reading(seconds=0.02), source, cut(80, 5)):
        parts += part
        if len(parts) == 10:
            cluster.remove_node(cluster.other, allow_graceful=False)
        assert len(rows) == len(part)
    assert sorted(value for _, value in parts) == list(range(80))
