import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from giqa.threads import _libraries, in_order, one_blas_thread


@pytest.mark.parametrize("allowed", [1, 2, 4])
def test_pieces_come_back_in_the_order_they_were_given(allowed):
    """Also when the first is ready last; and not more are begun than are allowed, and one."""
    first_done, begun, seen = threading.Event(), [], []

    def work(item):
        begun.append(item)
        if item == 0 and allowed > 1:
            first_done.wait(timeout=5)  # let go by the second
        if item == 1:
            first_done.set()
        return item * 10

    with threadpool_limits(allowed, user_api="blas"):
        for found in in_order(work, range(6)):
            seen.append(found)
            assert len(begun) <= len(seen) + allowed + 1
    assert seen == [0, 10, 20, 30, 40, 50]


def test_bits_do_not_depend_on_the_number_of_threads():
    """Sums of products, piece by piece, with one, two and four threads allowed."""
    x = np.random.default_rng(0).normal(size=(700, 130)).astype(np.float32)
    found = []
    for allowed in (1, 2, 4):
        with threadpool_limits(allowed, user_api="blas"):
            found.append(
                sum(in_order(lambda start: x[start : start + 100].T @ x[start : start + 100], range(0, 700, 100)))
            )
    assert (found[0] == found[1]).all() and (found[0] == found[2]).all()


def test_a_mistake_inside_comes_out_and_the_limit_is_restored():
    def work(item):
        return 1 / item

    with threadpool_limits(2, user_api="blas"):
        with pytest.raises(ZeroDivisionError):
            list(in_order(work, [1, 0, 2]))
        with one_blas_thread():
            names = {threading.current_thread().name}
            list(in_order(lambda _: names.add(threading.current_thread().name), range(3)))
        assert len(names) == 1  # inside, one by one
        list(in_order(lambda _: names.add(threading.current_thread().name), range(3)))
        assert len(names) > 1


@pytest.mark.parametrize("held", ["by a call", "by a block"])
def test_the_limit_holds_in_every_thread_whoever_set_one_before(held):
    """threadpoolctl 3.8 lets one thread set limits; in any other ours would be passed over, and bits change."""

    def allowed():
        return {library.num_threads for library in _libraries()}

    seen = []

    def work():
        seen.append(allowed())
        with one_blas_thread():
            seen.append(allowed())
        seen.append(allowed())

    before = allowed()
    limit = threadpool_limits(2, user_api="blas")
    if held == "by a block":
        limit.__enter__()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    limit.__exit__(None, None, None) if held == "by a block" else limit.restore_original_limits()
    assert seen == [{2}, {1}, {2}]
    assert allowed() == before
