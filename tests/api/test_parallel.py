"""Work by several threads: in order, and with few results that wait."""

import os
import signal
import threading
import time

import pytest

from codecs_core.api.parallel import aside, ordered


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


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="threads have no masks there")
@pytest.mark.parametrize("wait", [aside, lambda work: list(ordered(lambda _: work(), [0], jobs=1))])
def test_a_signal_that_does_not_wake_the_waiting_thread_is_heard(wait):
    """Another thread takes it: so it goes with one that comes just before the wait, too, but that cannot be made to happen."""
    heard, late = threading.Event(), threading.Event()

    def interrupt(number, frame):
        heard.set()
        raise KeyboardInterrupt

    def work():
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
        time.sleep(0.05)  # by now the main thread waits
        os.kill(os.getpid(), signal.SIGUSR1)
        if not heard.wait(30):
            late.set()

    before = signal.signal(signal.SIGUSR1, interrupt)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    try:
        with pytest.raises(KeyboardInterrupt):
            wait(work)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
        signal.signal(signal.SIGUSR1, before)
    assert not late.is_set()
