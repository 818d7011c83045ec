"""Errors as people and scripts see them: one sentence on stderr, and an exit status."""

from __future__ import annotations

import os
import traceback

import typer

from codecs_core.cli import INTERRUPTED, NOTHING_LEFT
from codecs_core.cli.output import say, shown
from codecs_core.errors import CodecsError

#: What a bug ends with: EX_SOFTWARE of sysexits.h.
BUG = 70


def report(error: BaseException) -> int | None:
    """Tell the user about `error` and return the exit status; None leaves it to Typer (usage, exit, closed pipe)."""
    if isinstance(error, CodecsError):
        if os.environ.get("CODECS_DEBUG"):
            say(traceback.format_exc())
        say(f"error: {shown(error)}")
        return error.exit_status
    if isinstance(error, KeyboardInterrupt):
        say(f"interrupted; {shown(error) or NOTHING_LEFT}")
        return INTERRUPTED
    if isinstance(error, MemoryError):
        say(
            "error: there is not enough memory for this; ask for less at once: fewer --jobs, or a smaller --chunk when encoding"
        )
        return 1
    if not isinstance(error, Exception) or isinstance(error, (typer.Exit, typer.Abort, BrokenPipeError)):
        return None
    if hasattr(error, "exit_code"):  # a usage error of Typer's
        return None
    if os.environ.get("CODECS_DEBUG"):
        say(traceback.format_exc())
    say(f"error: this is a bug in codecs or a plugin: {type(error).__name__}: {shown(error)}")
    if not os.environ.get("CODECS_DEBUG"):
        say("set CODECS_DEBUG=1 to see where")
    return BUG
