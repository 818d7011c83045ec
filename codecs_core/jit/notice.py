"""The line that a terminal shows when kernels are compiled, which is once on a machine and takes seconds."""

from __future__ import annotations

import multiprocessing
import sys
from functools import cache


@cache
def compiling() -> None:
    """Say on a terminal that kernels are being compiled: once in a process, and not in the workers that it starts."""
    stream = sys.stderr
    if stream is None or not stream.isatty() or multiprocessing.parent_process() is not None:
        return
    # a bar may stand on the line; it is drawn below again
    stream.write("\r\x1b[Kcompiling for this machine, once; this takes some seconds (`codecs warm` does it ahead)\n")
    stream.flush()
