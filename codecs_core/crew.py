"""Threads that help each other: one that has nothing left to do takes a part of the work of another.

`save`, `load` and their like have a crew of as many threads as ``jobs`` says, and each takes a chunk at a time. A codec that can divide
a chunk offers parts of it to the others: those take them once no chunk waits any more. So there are never more threads than were
asked for, and a codec that is called by itself, where there is no crew, works alone.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["companions", "offer"]


class Crew(Protocol):
    """A group of threads."""

    size: int

    def offer(self, function: Callable[[], object]) -> None:
        """Have `function` called by a thread that has nothing else to do."""


class _Here(threading.local):
    crew: Crew | None = None


_here = _Here()


def join(crew: Crew) -> None:
    """Record that the calling thread belongs to this crew."""
    _here.crew = crew


def companions() -> int:
    """How many threads there are at most beside this one.

    Examples
    --------
    >>> companions()
    0
    """
    return 0 if _here.crew is None else _here.crew.size - 1


def offer(function: Callable[[], object]) -> None:
    """Have `function` called by another thread, once one has nothing else to do: soon, late, or never.

    Parameters
    ----------
    function
        It takes nothing. What it returns or raises, nobody sees.
    """
    if _here.crew is not None:
        _here.crew.offer(function)


def __dir__() -> list[str]:
    return list(__all__)
