"""Work for the tests of the runners, in a module that their workers can import."""

import os
import signal
import time
from dataclasses import dataclass

from giqa.errors import BadSource
from giqa.features import devices


@dataclass(frozen=True)
class Reading:
    """Reads the first pixel of each picture; a few numbers stand for what can go wrong."""

    seconds: float = 0.0  # a picture
    deadly: int = -1  # a first pixel that ends the process
    most: int = 10_000  # pictures; of more at a time memory is not enough
    bad: bool = False

    def __call__(self, source):
        if self.bad:
            raise BadSource("refused")
        if len(source) > self.most:
            raise MemoryError
        found = []
        for index, name in enumerate(source.ids):
            time.sleep(self.seconds)
            value = int(source.raw(index)[0, 0, 0])
            if value == self.deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            found.append((name, value))
        return found

    def failed(self, source, reason):
        return [(name, reason) for name in source.ids]


@dataclass(frozen=True)
class Devices:
    """Says where its process computes, after a while in which other processes begin."""

    def __call__(self, source):
        time.sleep(1)
        (device,) = devices._assigned
        return device
