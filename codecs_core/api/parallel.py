"""Work on many chunks at once, with the results in order and few of them waiting."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

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
        raise ConfigError(f"jobs is {jobs!r} where a positive integer is due")
    return jobs


def ordered(function: Callable[[_In], _Out], items: Iterable[_In], *, jobs: int) -> Iterator[_Out]:
    """Yield ``function(item)`` for each item, in order, computed by `jobs` threads.

    At most ``2 * jobs`` items are taken and not yet yielded, so that memory stays bounded. The first exception
    (also one thrown into the generator) cancels what has not started.
    """
    if jobs == 1:
        yield from map(function, items)
        return
    waiting: deque[Future[_Out]] = deque()
    with ThreadPoolExecutor(jobs, thread_name_prefix="codecs") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= 2 * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
