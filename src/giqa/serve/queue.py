"""Pictures that wait to be scored, and the threads that score them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from ..features.reader import CHUNK
from .models import Served

THREADS = 2  # while one waits for the last pictures of its batch, the other begins the next
GATHER = 8  # pictures: a batch of fewer costs up to twice as much a picture ...
GATHER_SECONDS = 0.02  # ... so a thread waits so long for more while the other one scores
LONGEST = 60  # seconds that a client is asked to wait at most


class Full(Exception):
    """There is no room; `seconds` until there is likely to be."""

    def __init__(self, seconds: int, why: str = "The queue is full"):
        super().__init__(f"{why}; try again in {seconds} s.")
        self.seconds = seconds


@dataclass(eq=False)
class _Job:
    model: Served
    pictures: Sequence[bytes]
    rows: Future[list[dict[str, Any]]] = field(default_factory=Future)


class Queue:
    """A bounded queue of pictures; those of several requests are scored together, 64 at a time.

    That changes no score, since none depends on the other pictures in the batch.

    Parameters
    ----------
    most : int
        Pictures that wait or are being scored.
    pixels : int
        Pixels of a picture, at most.
    workers : int or None
        Threads that decode, of each of two batches at a time.
    scored : callable or None
        Called with (pictures, seconds) after each batch.
    """

    def __init__(
        self,
        most: int,
        pixels: int,
        workers: int | None = None,
        scored: Callable[[int, float], None] | None = None,
    ):
        self.most, self.pixels, self.workers, self.scored = most, pixels, workers, scored
        self.held = 0  # pictures that were accepted and are not done
        self._seconds = 0.02  # a picture, as measured of late
        self._jobs: deque[_Job] = deque()
        self._changed, self._closed = threading.Condition(), False
        self._scoring = 0  # batches that are being scored
        self._threads = [threading.Thread(target=self._work, name=f"giqa-score-{n}") for n in range(THREADS)]

    def start(self) -> None:
        """Begin to score."""
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether pictures that are put now will be scored."""
        return not self._closed and all(thread.is_alive() for thread in self._threads)

    def wait_seconds(self) -> int:
        """How long what is accepted will take, in whole seconds from 1."""
        return max(1, min(LONGEST, round(self.held * self._seconds)))

    def check_room(self, pictures: int = 1) -> None:
        """Raise `Full` if so many pictures have no room now."""
        if self.held + pictures > self.most:
            raise Full(self.wait_seconds())

    def put(self, model: Served, pictures: Sequence[bytes]) -> Future[list[dict[str, Any]]]:
        """The rows of these pictures, once they are scored; one that is cancelled before is left out; `Full`."""
        job = _Job(model, pictures)
        with self._changed:
            if self._closed:
                raise Full(LONGEST)
            self.check_room(len(pictures))
            self.held += len(pictures)
            self._jobs.append(job)
            self._changed.notify()
        return job.rows

    def close(self) -> None:
        """Score what was accepted, and accept no more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _work(self) -> None:
        while jobs := self._take():
            begun, pictures = time.perf_counter(), sum(len(job.pictures) for job in jobs)
            try:
                self._score(jobs)
            finally:
                with self._changed:
                    self.held -= pictures
                    self._scoring -= 1
                    self._changed.notify_all()
            seconds = time.perf_counter() - begun
            self._seconds = 0.8 * self._seconds + 0.2 * seconds / max(pictures, 1) / THREADS
            if self.scored:
                self.scored(pictures, seconds)

    def _take(self) -> list[_Job]:
        """Jobs for one batch: the oldest, and what follows it for the same model; none once all is done."""
        with self._changed:
            jobs: list[_Job] = []
            while not jobs and (self._jobs or not self._closed):
                while not self._jobs and not self._closed:
                    self._changed.wait()
                self._gather()
                while self._jobs and (not jobs or self._fits(jobs, self._jobs[0])):
                    job = self._jobs.popleft()
                    if job.rows.set_running_or_notify_cancel():
                        jobs.append(job)
                    else:
                        self.held -= len(job.pictures)
            self._scoring += bool(jobs)
            return jobs

    def _gather(self) -> None:
        """While another batch is scored, a short wait for more pictures: nobody who asks alone waits for it."""
        until = time.monotonic() + GATHER_SECONDS

        def enough() -> bool:
            waiting = sum(len(job.pictures) for job in self._jobs)
            return self._closed or not self._scoring or waiting >= GATHER

        while not enough() and (left := until - time.monotonic()) > 0:
            self._changed.wait(left)

    def _fits(self, jobs: Sequence[_Job], job: _Job) -> bool:
        return job.model is jobs[0].model and sum(len(each.pictures) for each in (*jobs, job)) <= CHUNK

    def _score(self, jobs: Sequence[_Job]) -> None:
        """Rows to who waits for them; where a batch fails, each request on its own, so that one costs no other."""
        try:
            pictures = [picture for job in jobs for picture in job.pictures]
            rows = jobs[0].model.score(pictures, self.pixels, self.workers)
        except Exception as error:
            if len(jobs) > 1:
                for job in jobs:
                    self._score([job])
            else:
                jobs[0].rows.set_exception(error)
            return
        for job in jobs:
            job.rows.set_result(rows[: len(job.pictures)])
            rows = rows[len(job.pictures) :]
