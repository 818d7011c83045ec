"""Passes over planes at the same time, each some rows behind the one before it, by as many threads as are free."""

from __future__ import annotations

from collections.abc import Sequence
from queue import SimpleQueue
from threading import Lock

from codecs_ar.passes import Pass
from codecs_core.crew import companions, offer

#: Values that a thread goes through at a time, at least a row of them: about ten milliseconds.
SLAB = 1 << 13


def run(passes: Sequence[Pass], *, together: bool = True) -> None:
    """Finish the passes over all planes, in the order of the planes; what one of them raises is raised.

    The thread that calls it goes on with the first plane that may go on, and others of its crew, when they are free, with the last one:
    alone it goes through one plane after the other, with others all planes end at about the same time.

    Parameters
    ----------
    together
        Whether that is possible: planes that are decoded from one message follow each other.
    """
    if together:
        _Pipeline(passes).run()
    else:
        for one in passes:
            one.finish()


class _Pipeline:
    def __init__(self, passes: Sequence[Pass]) -> None:
        self._open = dict(enumerate(passes))  # those that nobody is at, and that are not finished
        self._busy = self._offers = 0
        self._error: BaseException | None = None
        self._lock = Lock()
        self._news: SimpleQueue[None] = SimpleQueue()  # something for each time that another thread has gone on

    def run(self) -> None:
        try:
            while not self._is_over():
                if not self._go_on(first=True):
                    self._news.get()
        finally:
            self._open.clear()  # an offer that nobody has taken yet keeps nothing alive
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None  # else it would hold this frame, and the frame would hold it

    def _is_over(self) -> bool:
        with self._lock:
            return not self._busy and (self._error is not None or not self._open)

    def _go_on(self, *, first: bool) -> bool:
        """Take the first pass, or the last one, that may go on, by a slab; False if there is none."""
        with self._lock:
            able = [number for number in sorted(self._open) if self._open[number].done < self._open[number].reach]
            if not able or self._error is not None:
                return False
            number = able[0 if first else -1]
            one = self._open.pop(number)
            self._busy += 1
            self._ask_for(len(able) - 1)
        error = None
        try:
            rows = max(1, SLAB // one.width) if companions() or one.notes else one.rows
            one.go_on(min(one.done + rows, one.reach))
        except BaseException as raised:
            error = raised
        with self._lock:
            self._busy -= 1
            self._error = self._error or error
            if one.done < one.rows:
                self._open[number] = one
        return True

    def _ask_for(self, helpers: int) -> None:
        """Offer the work to as many others; the lock is held."""
        for _ in range(min(helpers, companions()) - self._offers):
            self._offers += 1
            offer(self._help)

    def _help(self) -> None:
        with self._lock:
            self._offers -= 1
        if self._go_on(first=False):
            self._news.put(None)
            with self._lock:  # what waits in the crew comes first, then more of this
                self._ask_for(1)
