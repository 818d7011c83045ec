"""The command line: one module a verb. What a verb needs is imported when it runs, not before."""

import signal
import sys


def main() -> None:
    """Run `codecs` with the arguments of the process; the console script."""
    for stream in (sys.stdout, sys.stderr):
        # A name in a file must not end the program because the terminal's encoding lacks a character.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    # Asked to end, or left by its terminal, it ends as if interrupted: with nothing half-written left behind.
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    from codecs_core.cli.app import app

    app(prog_name="codecs")
