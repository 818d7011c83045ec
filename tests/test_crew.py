"""Help from threads that have nothing else to do."""

import threading
import time

from codecs_core.api.parallel import Crew, aside, ordered
from codecs_core.crew import companions, offer


def check_ends(before):
    """No thread of a crew is left, soon."""
    for _ in range(400):
        if threading.active_count() <= before:
            return
        time.sleep(0.01)
    raise AssertionError("threads are left")


def test_alone():
    """Where there is no crew, an offer is nothing."""
    offer(lambda: 1 / 0)
    assert companions() == 0


def test_an_offer_is_taken_by_an_idle_thread():
    before, taken = threading.active_count(), threading.Event()

    def work():
        offer(taken.set)
        return companions(), taken.wait(30)

    assert aside(work, jobs=3) == (2, True)
    check_ends(before)


def test_chunks_come_first_and_there_are_no_more_threads_than_jobs():
    names, order, go = set(), [], threading.Event()

    def note(what):
        names.add(threading.get_ident())
        order.append(what)

    def work():
        go.wait(30)
        note("chunk")
        offer(lambda: note("help"))

    before, crew = threading.active_count(), Crew(2)
    pending = [crew.submit(work) for _ in range(5)]
    go.set()
    for one in pending:
        one.result()
    crew.dismiss(wait=True)
    assert order[:4] == ["chunk"] * 4  # the fifth is begun by then
    assert len(names) <= 2
    check_ends(before)


def test_offers_beside_a_crew_that_is_left():
    """The program was interrupted, and a codec goes on for a while: what it offers nobody takes, and no thread stays."""
    before, goes_on, offered = threading.active_count(), threading.Event(), threading.Event()

    def work():
        goes_on.wait(30)
        for _ in range(5):
            offer(lambda: None)
        offered.set()

    def source():
        yield 0
        yield 1
        raise KeyboardInterrupt

    try:
        list(ordered(lambda _: work(), source(), jobs=4))
    except KeyboardInterrupt:
        goes_on.set()
    assert offered.wait(30)
    check_ends(before)


def test_an_offer_that_fails_harms_nobody():
    done = threading.Event()

    def work():
        offer(lambda: 1 / 0)
        offer(done.set)
        return done.wait(30)

    assert aside(work, jobs=2)
