"""A progress bar on stderr: on a terminal only, and only for work of more than a second."""

from __future__ import annotations

import sys
import time
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
        self.start = time.monotonic()
        self.bar: Any = None
        self.task: Any = None

    def __call__(self, fraction: float, message: str) -> None:
        if self.bar is None:
            if time.monotonic() - self.start < PATIENCE:
                return
            self._open()
        text = shown(message).replace("[", r"\[")  # rich reads brackets as markup
        self.bar.update(self.task, completed=min(1.0, max(0.0, fraction)), message=text)

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        columns = [
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[message]}"),
        ]
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self.bar.start()
        self.task = self.bar.add_task(self.title, total=1.0, message="")

    def close(self) -> None:
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
