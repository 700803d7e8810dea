"""The same scoring by a Ray cluster of two nodes on this machine, and by as many processes without Ray.

    python -m benchmarks.speed.runners --pictures 1000

Needs: Ray (`pip install 'giqa[ray]'`).
Takes: about 3 minutes.

Pictures of 64 x 64 px in a folder; features are not kept. The cluster has two nodes of one core each
(`ray.cluster_utils.Cluster`), and starts before the clock does, as a cluster of one's own would; the processes of
`--devices cpu,cpu` start within it. The ways take turns; the first round does not count. The tables must be equal.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

import giqa
from benchmarks.shared import ROOT, command, head, interleaved, median_range, results, row, say
from benchmarks.speed.plan import picture, reals
from giqa.runners import make_runner

NODES = 2
MEMORY = 80 * 2**20  # bytes of the object store of a node; the least that Ray takes is 75 MB


def cluster():
    """A head and a node with one core each, connected to."""
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), *sys.path]))
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - 15 without: all else on the machine goes first
    import ray
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": MEMORY}
    found = Cluster(True, head_node_args={**node, "include_dashboard": False})
    for _ in range(NODES - 1):
        found.add_node(**node)
    ray.init(address=found.address, log_to_driver=False, logging_level="ERROR")
    return found


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--pictures", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with results(options), tempfile.TemporaryDirectory() as name:
        fakes = Path(name, "fakes")
        fakes.mkdir()
        for seed in range(options.pictures):
            Image.fromarray(picture(seed)).save(fakes / f"{seed:05d}.png")
        model = giqa.fit(reals(), store=False)
        runners = {"processes": make_runner(devices=["cpu"] * NODES), "ray": make_runner("ray")}
        tables: dict[str, set[bytes]] = {way: set() for way in runners}

        def clock(way: str) -> float:
            began = time.perf_counter()
            scores = giqa.score(fakes, model=model, store=False, runner=runners[way])
            seconds = time.perf_counter() - began
            tables[way].add(scores.csv().encode())
            say(f"{way}: {seconds:.1f} s")
            return seconds

        nodes = cluster()
        say("the cluster is there")
        seconds = interleaved({way: lambda way=way: clock(way) for way in runners}, options.rounds)
        head("runner", "pictures/s", "range")
        rates = {way: [options.pictures / each for each in spent] for way, spent in seconds.items()}
        for way, rate in rates.items():
            row(way, *median_range(rate, ".0f"))
        ratios = [ray / plain for ray, plain in zip(rates["ray"], rates["processes"], strict=True)]
        print(f"\nRay against processes: {' to '.join(f'{r:.2f}' for r in sorted({min(ratios), max(ratios)}))} times")
        print(f"The same bytes: {len(tables['ray'] | tables['processes']) == 1}")
        import ray

        ray.shutdown()
        nodes.shutdown()


if __name__ == "__main__":
    main()
