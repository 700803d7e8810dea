"""Threads that share work without changing a bit of it: BLAS keeps to one thread, and pieces come back in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

Item, Result = TypeVar("Item"), TypeVar("Result")

_lock, _inside, _limit = threading.Lock(), 0, None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """BLAS works with one thread as long as anybody is inside; the last one out restores what was."""
    global _inside, _limit
    with _lock:
        _inside += 1
        if _inside == 1:
            _take_control()
            _limit = _blas().limit(limits=1, user_api="blas")
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _take_control()
                _limit.restore_original_limits()
                _take_control()  # from this thread, so that whoever set a limit before can lift it


def _take_control() -> None:
    """threadpoolctl 3.8 gives limits to the first thread that sets one, and says nothing to the others."""
    for library in _libraries():
        if hasattr(library, "clear_controlling_thread"):  # OpenBLAS, from 3.8 on
            library.clear_controlling_thread(force=True)


def in_order(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """work(item) for every item, in the order of the items; several at a time, each with one thread of BLAS.

    Parameters
    ----------
    work : callable
        Takes an item.
    items : iterable
        They are taken as they are needed: no more are held in memory than are worked on.

    Yields
    ------
    object
        What `work` returned.

    Notes
    -----
    As many at a time as BLAS may use threads (`OMP_NUM_THREADS`), so inside another `in_order` one by one. BLAS rounds
    otherwise when its threads share a product; here every piece has the same bits with any number of threads.

    Examples
    --------
    >>> list(in_order(lambda x: x * x, range(4)))
    [0, 1, 4, 9]
    """
    workers = _allowed()
    with one_blas_thread():
        if workers == 1:
            yield from map(work, items)
            return
        with ThreadPoolExecutor(workers, "giqa-in-order") as pool:
            waiting: deque[Future[Result]] = deque()
            try:
                for item in items:
                    waiting.append(pool.submit(work, item))
                    if len(waiting) > workers:  # no more than that is held in memory
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()


def _allowed() -> int:
    """Threads that BLAS may use now."""
    return max([library.num_threads for library in _libraries()], default=1)


def blas_name() -> str:
    """The BLAS that NumPy multiplies with, its version and kernel, such as "openblas 0.3.31 Haswell"."""
    return ", ".join(
        " ".join(str(part) for part in (x.internal_api, x.version, getattr(x, "architecture", None)) if part)
        for x in _libraries()
    )


def _libraries() -> list[Any]:
    return [library for library in _blas().lib_controllers if library.user_api == "blas"]


@lru_cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()
