"""How a verb says how far it is: a bar on a terminal, and for work of hours a line now and then elsewhere."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from codecs_core.cli.output import say, shown
from codecs_core.report.bars import progress_bar as progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codecs_core.codec import Progress

__all__ = ["notes", "progress"]

#: Seconds from one line to the next.
EVERY = 30.0


@contextmanager
def notes(bar: Progress | None) -> Iterator[Progress]:
    """`bar`, or where there is none, lines on stderr: what was last said, every half a minute and at the end."""
    if bar is not None:
        yield bar
        return
    said, last = time.monotonic(), ""

    def note(fraction: float, message: str) -> None:
        nonlocal said, last
        last = f"{fraction:4.0%}  {shown(message)}"
        if time.monotonic() - said >= EVERY:
            say(last)
            said, last = time.monotonic(), ""

    yield note
    if last:
        say(last)
