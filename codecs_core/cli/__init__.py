"""The command line: one module a verb. What a verb needs is imported when it runs, not before."""

import signal
import sys
from typing import Any

#: Exit status of an interrupted program, as shells have it for SIGINT.
INTERRUPTED = 130
NOTHING_LEFT = "nothing half-written is left behind"


def main() -> None:
    """Run `codecs` with the arguments of the process; the console script."""
    numbers = _heard()
    try:
        for number in numbers:
            signal.signal(number, _interrupt)
        for stream in (sys.stdout, sys.stderr):
            # A name in a file must not end the program because the terminal's encoding lacks a character.
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:
                reconfigure(errors="backslashreplace")
        from codecs_core.cli.app import app

        app(prog_name="codecs")
    except KeyboardInterrupt:
        _deaf(numbers)
        print(f"interrupted; {NOTHING_LEFT}", file=sys.stderr)
        sys.exit(INTERRUPTED)
    finally:
        _deaf(numbers)  # all is said and done: what comes now changes nothing any more


def _heard() -> list[int]:
    """The signals that end the program with nothing half-written left behind; those that the parent ignores stay ignored."""
    found = []
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # asked to end, or left by its terminal
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            found.append(number)
    return found


def _interrupt(number: int, frame: Any) -> None:
    """Raise `KeyboardInterrupt`. A second signal does not disturb the cleaning up, unless it comes from a keyboard."""
    if number != signal.SIGINT:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _deaf(numbers: list[int]) -> None:
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)
