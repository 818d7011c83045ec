"""Progress bars: for people who see them, and for nobody else."""

import sys
import time
from types import ModuleType

import pytest

from codecs_core.report import bars


class Handle:
    def __init__(self, shown):
        self.shown = shown

    def update(self, html):
        self.shown.append(html)


@pytest.fixture
def notebook(monkeypatch):
    """A stand-in for IPython in a notebook; what was displayed."""
    shown = []
    package, display = ModuleType("IPython"), ModuleType("IPython.display")
    package.get_ipython = type("ZMQInteractiveShell", (), {})
    display.HTML = str
    display.display = lambda html, display_id: shown.append(html) or Handle(shown)
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return shown


def test_in_a_notebook(notebook, monkeypatch):
    monkeypatch.setattr(bars, "PATIENCE", 0.0)
    with bars.progress_bar("a < b") as bar:
        bar(0.25, "x & y")
        while not notebook:
            time.sleep(0.001)
        bar(1.0, "\x1b[31mend")
    assert notebook[-1] == "a &lt; b <progress value=100 max=100></progress> 100 % \\x1b[31mend"


def test_work_that_is_soon_done_shows_nothing(notebook):
    with bars.progress_bar("quick") as bar:
        bar(0.5, "")
    assert notebook == []


def test_nobody_sees_a_pipe():
    with bars.progress_bar("encoding") as bar:
        assert bar is None


def test_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(bars, "PATIENCE", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with bars.progress_bar("encoding") as bar:
        bar(0.5, "[bold]name")
        while not bar.open:
            time.sleep(0.001)
    assert "encoding" in capsys.readouterr().err
