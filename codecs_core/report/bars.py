"""Progress bars: on stderr if that is a terminal, in the output of a cell in a notebook, and for work of more than a second.

Rich draws the one on a terminal; the one in a notebook is a line of HTML and takes nothing but IPython.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codecs_core.codec import Progress

#: Seconds of silence before the bar appears.
PATIENCE = 1.0


class _Bar:
    """Shows itself if it is not closed within a second."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.state = (0.0, "")
        self.lock = threading.Lock()
        self.open = False
        self.closed = False
        # A timer rather than a look at the clock: work that does not report for long is what a bar is for.
        self.timer = threading.Timer(PATIENCE, self._start)
        self.timer.daemon = True
        self.timer.start()

    def __call__(self, fraction: float, message: str) -> None:
        with self.lock:
            # Names come from files and must not command a terminal.
            text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message)
            self.state = (min(1.0, max(0.0, fraction)), text)
            if self.open:
                self.update()

    def _start(self) -> None:
        with self.lock:
            if not self.closed:
                self.start()
                self.open = True

    def close(self) -> None:
        self.timer.cancel()
        with self.lock:
            self.closed = True
            if self.open:
                self.stop()

    def start(self) -> None:
        raise NotImplementedError

    def update(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError


class _OnTerminal(_Bar):
    def start(self) -> None:
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
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self.task = self.bar.add_task(self.title, total=1.0, message="")
        self.update()
        self.bar.start()

    def update(self) -> None:
        fraction, message = self.state
        self.bar.update(self.task, completed=fraction, message=message.replace("[", r"\["))  # rich reads [ as markup

    def stop(self) -> None:
        self.bar.stop()


class _InNotebook(_Bar):
    def start(self) -> None:
        self.ipython = import_module("IPython.display")
        self.drawn = self._html()
        self.handle = self.ipython.display(self.ipython.HTML(self.drawn), display_id=True)

    def update(self) -> None:
        if (now := self._html()) != self.drawn:
            self.handle.update(self.ipython.HTML(now))
            self.drawn = now

    def stop(self) -> None:
        self.update()

    def _html(self) -> str:
        percent = int(100 * self.state[0])
        return f"{escape(self.title)} <progress value={percent} max=100></progress> {percent} % {escape(self.state[1])}"


@contextmanager
def progress_bar(title: str) -> Iterator[Progress | None]:
    """A bar to give as ``progress=`` to what may take long; None where nobody would see it.

    Parameters
    ----------
    title
        What is being done.
    """
    kind = _InNotebook if _in_notebook() else _OnTerminal if sys.stderr.isatty() else None
    if kind is None:
        yield None
        return
    bar = kind(title)
    try:
        yield bar
    finally:
        bar.close()


def _in_notebook() -> bool:
    # Whoever runs in a notebook has IPython loaded.
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"
