"""Work on many chunks at once, with the results in order and few of them waiting."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from codecs_core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

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
        self._size = size
        self._tasks: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._threads: list[Thread] = []

    def submit(self, function: Callable[[], _Out]) -> Future[_Out]:
        """Have `function` called."""
        future: Future[_Out] = Future()
        self._tasks.put((future, function))
        if len(self._threads) < self._size:
            thread = Thread(target=_serve, args=(self._tasks,), name="codecs", daemon=True)
            self._threads.append(thread)
            thread.start()
        return future

    def dismiss(self, *, wait: bool) -> None:
        """Let the threads end once they have nothing to do, and wait for it or not."""
        for _ in self._threads:
            self._tasks.put(None)
        if wait:
            for thread in self._threads:
                thread.join()


def aside(function: Callable[[], _Out]) -> _Out:
    """``function()``, computed by another thread, so that this one can be interrupted."""
    crew = Crew(1)
    try:
        return crew.submit(function).result()
    finally:
        crew.dismiss(wait=False)


def ordered(function: Callable[[_In], _Out], items: Iterable[_In], *, jobs: int) -> Iterator[_Out]:
    """Yield ``function(item)`` for each item, in order, computed by `jobs` threads.

    At most ``2 * jobs`` items are taken and not yet yielded, so that memory stays bounded. The first exception
    (also one thrown into the generator) cancels what has not started.
    """
    waiting: deque[Future[_Out]] = deque()
    crew, stay = Crew(jobs), True
    try:
        for item in items:
            waiting.append(crew.submit(partial(function, item)))
            if len(waiting) >= 2 * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except (KeyboardInterrupt, GeneratorExit):
        stay = False
        raise
    finally:
        for future in waiting:
            future.cancel()
        crew.dismiss(wait=stay)


def _serve(tasks: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]) -> None:
    while (task := tasks.get()) is not None:
        future, function = task
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)
        del task, future, function  # while it waits for the next, it keeps nothing alive
