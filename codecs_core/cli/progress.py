"""A progress bar on stderr: on a terminal only, and only for work of more than a second."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from codecs_core.cli.output import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codecs_core.codec import Progress

#: Seconds of silence before the bar appears.
PATIENCE = 1.0


class _Bar:
    def __init__(self, title: str) -> None:
        self.title = title
        self.state = (0.0, "")
        self.lock = threading.Lock()
        self.bar: Any = None
        self.task: Any = None
        self.closed = False
        # A timer rather than a look at the clock: work that does not report for long is what a bar is for.
        self.timer = threading.Timer(PATIENCE, self._open)
        self.timer.daemon = True
        self.timer.start()

    def __call__(self, fraction: float, message: str) -> None:
        with self.lock:
            self.state = (
                min(1.0, max(0.0, fraction)),
                shown(message).replace("[", r"\["),
            )  # rich reads brackets as markup
            if self.bar is not None:
                self.bar.update(self.task, completed=self.state[0], message=self.state[1])

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            SpinnerColumn,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        columns = [
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[message]}"),
        ]
        with self.lock:
            if self.closed:
                return
            bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self.task = bar.add_task(self.title, total=1.0, message=self.state[1])
            bar.update(self.task, completed=self.state[0])
            bar.start()
            self.bar = bar

    def close(self) -> None:
        self.timer.cancel()
        with self.lock:
            self.closed = True
            if self.bar is not None:
                self.bar.stop()


@contextmanager
def progress(title: str) -> Iterator[Progress | None]:
    """Yield what to call with a fraction and a message; None where nobody would see it."""
    if not sys.stderr.isatty():
        yield None
        return
    bar = _Bar(title)
    try:
        yield bar
    finally:
        bar.close()
