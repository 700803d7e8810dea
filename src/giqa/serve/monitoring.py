"""Metrics in the text format of Prometheus, of one process or of all."""

from __future__ import annotations

import os
import re
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.process_collector import ProcessCollector

SHARED = "PROMETHEUS_MULTIPROC_DIR"  # where the processes of one service put their numbers; set before this is imported
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Monitoring:
    """What is counted. Names of models and paths are those of the service, so that nobody can add labels."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("giqa_requests", "Requests answered.", ["path", "status"], registry=registry)
        self.seconds = Histogram(
            "giqa_request_seconds", "From head to answer.", ["path"], buckets=SECONDS, registry=registry
        )
        self.pictures = Counter("giqa_pictures", "Pictures answered.", ["model", "outcome"], registry=registry)
        self.held = Gauge(
            "giqa_queue_pictures", "Waiting or being scored.", multiprocess_mode="livesum", registry=registry
        )
        self.batches = Histogram(
            "giqa_batch_pictures", "Pictures scored together.", buckets=(1, 2, 4, 8, 16, 32, 64), registry=registry
        )
        self.scoring = Counter("giqa_scoring_seconds", "Spent on batches, added up.", registry=registry)
        if SHARED not in os.environ:
            ProcessCollector(registry=registry)

    def scored(self, pictures: int, seconds: float) -> None:
        """Count a batch."""
        self.batches.observe(pictures)
        self.scoring.inc(seconds)

    def text(self) -> bytes:
        """What Prometheus reads; the sum over the processes of the service."""
        registry = self.registry
        if SHARED in os.environ:
            for file in Path(os.environ[SHARED]).glob("gauge_live*.db"):
                pid = int(re.findall(r"\d+", file.stem)[-1])
                if not _is_alive(pid):
                    mark_process_dead(pid)
            registry = CollectorRegistry()
            MultiProcessCollector(registry)
        return generate_latest(registry)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
