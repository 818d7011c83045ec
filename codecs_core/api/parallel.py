"""Work on many chunks at once, with the results in order and few of them waiting."""

from __future__ import annotations

import os
import signal
from collections import deque
from contextlib import contextmanager, suppress
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from codecs_core import crew
from codecs_core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: Seconds of one turn of waiting. Python hears a signal between two instructions of the main thread: one that comes just before
#: the thread begins to wait, or that another thread takes, does not end the wait, and is heard at the end of the turn.
TURN = 0.25

_In = TypeVar("_In")
_Out = TypeVar("_Out")


def job_count(jobs: int | None) -> int:
    """Number of threads: `jobs`, or the CPUs this process may use.

    Raises
    ------
    ConfigError
        If `jobs` is not a positive integer.
    """
    if jobs is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if type(jobs) is not int or jobs < 1:
        raise ConfigError(f"jobs must be a positive integer, got {jobs!r}")
    return jobs


class Pending(Generic[_Out]):
    """The result of a call that another thread makes.

    A `concurrent.futures.Future` would not do: a signal in the middle of its locks leaves another error than the handler's.
    """

    def __init__(self) -> None:
        self._answer: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        self._needed = True

    def call(self, function: Callable[[], _Out]) -> None:
        """Call `function`, if it is still needed."""
        if self._needed:
            try:
                self._answer.put((function(), None))
            except BaseException as error:
                self._answer.put((None, error))

    def cancel(self) -> None:
        """Nobody asks for it any more: a call that has not begun is not made."""
        self._needed = False

    def result(self) -> _Out:
        """What the call gave, waited for; what it raised is raised. To be asked for once."""
        value: _Out
        while True:
            try:
                value, error = self._answer.get(timeout=TURN)
            except Empty:
                continue
            if error is None:
                return value
            try:
                raise error
            finally:
                del error  # else it would hold this frame, and the frame would hold it


class Crew:
    """Threads that work while the thread that waits for them stays open to signals: it never computes itself.

    A kernel, ours or of a library, cannot be interrupted. Who is interrupted while waiting leaves the crew behind: it finishes
    what it has begun, which nobody asks for any more, and does not keep the program from ending.

    Parameters
    ----------
    size
        How many threads at most; they start as they are needed.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._tasks: SimpleQueue[tuple[Pending[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._vacant: SimpleQueue[None] = SimpleQueue()  # one for each thread that may yet start
        for _ in range(size):
            self._vacant.put(None)

    def submit(self, function: Callable[[], _Out]) -> Pending[_Out]:
        """Have `function` called."""
        pending: Pending[_Out] = Pending()
        self._tasks.put((pending, function))
        self._grow()
        return pending

    def offer(self, function: Callable[[], object]) -> None:
        """Have `function` called after all that was submitted, unless the crew is dismissed before; nobody waits for it."""
        self._tasks.put((Pending(), function))
        with suppress(RuntimeError):  # no more threads on this machine
            self._grow()

    def dismiss(self, *, wait: bool) -> None:
        """Let the threads end once they have nothing to do, and wait for it or not."""
        for _ in range(self.size):  # also for those that an offer starts now
            self._tasks.put(None)
        if wait:
            for thread in self._threads:
                while thread.is_alive():
                    thread.join(TURN)

    def _grow(self) -> None:
        """Start a thread, if there may be one more."""
        with suppress(Empty):
            self._vacant.get_nowait()
            thread = Thread(target=_serve, args=(self, self._tasks), name="codecs", daemon=True)
            self._threads.append(thread)
            with _undisturbed():
                thread.start()


def aside(function: Callable[[], _Out], *, jobs: int = 1) -> _Out:
    """``function()``, computed by another thread, or by up to `jobs`, so that this one can be interrupted."""
    threads = Crew(jobs)
    try:
        return threads.submit(function).result()
    finally:
        threads.dismiss(wait=False)


def ordered(function: Callable[[_In], _Out], items: Iterable[_In], *, jobs: int) -> Iterator[_Out]:
    """Yield ``function(item)`` for each item, in order, computed by `jobs` threads.

    At most ``2 * jobs`` items are taken and not yet yielded, so that memory stays bounded. The first exception
    (also one thrown into the generator) cancels what has not started.
    """
    waiting: deque[Pending[_Out]] = deque()
    threads, stay = Crew(jobs), True
    try:
        for item in items:
            waiting.append(threads.submit(partial(function, item)))
            if len(waiting) >= 2 * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except (KeyboardInterrupt, GeneratorExit):
        stay = False
        raise
    finally:
        for pending in waiting:
            pending.cancel()
        threads.dismiss(wait=stay)


def _serve(threads: Crew, tasks: SimpleQueue[tuple[Pending[Any], Callable[[], Any]] | None]) -> None:
    crew.join(threads)
    while (task := tasks.get()) is not None:
        pending, function = task
        pending.call(function)
        del task, pending, function  # while it waits for the next, it keeps nothing alive


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals that end the program wait until this is over; a thread that is started here takes none.

    In the middle of the locks of `threading`, a handler's exception would become another one.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
