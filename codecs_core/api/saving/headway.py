"""How far a file is that is being written: the chunks that are in it, and what the encoders of others tell."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from codecs_core.telling import heard

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from codecs_core.capabilities import Progress
    from codecs_core.container import Entry


class Headway:
    """Adds up the bytes of chunks, for a bar that moves while a slow encoder is at work on one.

    Parameters
    ----------
    progress
        Who is told; None: nobody.
    total
        Bytes of all chunks.
    """

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, max(1, total), 0
        self._begun: dict[tuple[str, int], float] = {}

    def at(self, entry: Entry, number: int) -> AbstractContextManager[None]:
        """A block in which this thread encodes a chunk."""
        return heard(None if self._progress is None else partial(self._told, entry, number))

    def add(self, entry: Entry, number: int) -> None:
        """A chunk is in the file."""
        self._begun.pop((entry.name, number), None)
        self._done += entry.chunk_spec(number).nbytes
        self._show(entry.name or entry.codec)

    def _told(self, entry: Entry, number: int, fraction: float, message: str) -> None:
        self._begun[entry.name, number] = fraction * entry.chunk_spec(number).nbytes
        self._show(f"{entry.name or entry.codec}: {message}")

    def _show(self, message: str) -> None:
        if self._progress is not None:
            begun = sum(list(self._begun.values()))  # a list, since other threads add to it
            self._progress(min(1.0, (self._done + begun) / self._total), message)
