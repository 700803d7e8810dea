"""Small studies, simulated raters and a server that starts quickly, for the tests."""

import contextlib
import multiprocessing
import os
import socket
import time

import numpy as np

from giqa.study.access import new_cookie
from giqa.study.session import join, rater_of
from giqa.study.setup import Given
from giqa.study.study import Settings


def pictures(number, generator, size=32):
    """Noise that nobody could tell apart by name, with the shape of the rest."""

    def read(index):
        rng = np.random.default_rng([index, len(generator)])
        return rng.integers(0, 256, (size, size, 3), dtype=np.uint8)

    return [Given(f"{generator or 'real'}_{i:03d}.png", generator, lambda i=i: read(i)) for i in range(number)]


def small(task, **given):
    """Settings of a study that takes eight questions, two of them controls, after two examples."""
    few = {"votes_each": 2, "sitting": 6, "controls": 2, "tutorial": 2, "countdown": 0, "break_every": 5}
    return Settings(task, **few | given)


def new_rater(store, study):
    cookie = new_cookie()
    assert join(store, study, cookie)
    return rater_of(store, study, cookie)


def a_vote(trial, name, answer="real", revision=0):
    return {
        "id": name.ljust(20, "x"),
        "trial": trial.id,
        "answer": answer,
        "revision": revision,
        "shown_ms": None,
        "response_ms": 512.0,
    }


FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["giqa.cli", "giqa.study.app"])


def label_serve(*words):
    from giqa.cli import main

    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        main(["label", "serve", *words])


class ForkedServer:
    """`giqa label serve` in a process of its own, forked from one that has imported everything: it starts quickly."""

    def __init__(self, store, port):
        self.words, self.port, self.process = ("--store", store, "--port", str(port)), port, None

    def start(self):
        self.process = FORKS.Process(target=label_serve, args=self.words, daemon=True)
        self.process.start()
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self.process.is_alive(), "the server ended"
                time.sleep(0.01)

    def kill(self):
        """SIGKILL."""
        self.process.kill()
        self.process.join()
