"""Work by several threads: in order, and with few results that wait."""

import threading
import time

import pytest

from codecs_core.api.parallel import ordered


def test_results_come_in_order_and_few_wait():
    taken = []

    def source():
        for i in range(100):
            taken.append(i)
            yield i

    def work(i):
        time.sleep(0.001 * (i % 3))
        return i * i

    for n, result in enumerate(ordered(work, source(), jobs=4)):
        assert result == n * n
        assert len(taken) - n <= 8
    assert len(taken) == 100


def test_the_first_error_cancels_the_rest():
    done, before = [], threading.active_count()

    def work(i):
        if i == 3:
            raise ValueError("three")
        time.sleep(0.01)
        done.append(i)

    with pytest.raises(ValueError, match="three"):
        list(ordered(work, range(1000), jobs=2))
    assert len(done) < 10
    assert threading.active_count() <= before + 2
