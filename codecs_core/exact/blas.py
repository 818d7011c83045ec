"""Keeping a matrix product on the thread that asks for it.

Chunks are coded in parallel by a pool of threads, and a BLAS with threads of its own then has more of them than there are
cores, which wait for each other: on two cores, one of them busy with something else, coding was ten times slower. The number of threads of
OpenBLAS, which numpy's wheels bring, is a property of the process, so it is set to 1 while any exact network is being evaluated and
back to what it was after the last. Results do not depend on it.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

#: How builds of OpenBLAS name their functions: numpy's wheels first, then distributions.
_NAMES = ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}")

_lock = threading.Lock()
_inside = 0
_before = 0


#: Kernels of OpenBLAS that multiply small matrices as they are, without packing them first.
_UNPACKED = ("SkylakeX", "Cooperlake", "SapphireRapids")


@cache
def _openblas(name: str) -> Any:
    """A function of the OpenBLAS that numpy is linked to; None if that is another BLAS, or out of reach."""
    try:
        # looking up a symbol in numpy's extension module searches what it is linked to
        library = ctypes.CDLL(np._core._multiarray_umath.__file__)  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return None
    return next((library[n.format(name)] for n in _NAMES if hasattr(library, n.format(name))), None)


@cache
def core() -> str:
    """Which kernels OpenBLAS chose for this processor; empty for another BLAS."""
    function = _openblas("get_corename")
    if function is None:
        return ""
    function.restype = ctypes.c_char_p
    return str(function().decode())


def small_terms() -> int:
    """Terms of the largest matrix product that is faster than its share of a large one; 0 where no product is."""
    return 10**6 if core() in _UNPACKED else 0


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep matrix products of numpy on their thread; does nothing for another BLAS than OpenBLAS."""
    global _inside, _before
    get, set_ = _openblas("get_num_threads"), _openblas("set_num_threads")
    if get is None or set_ is None:
        yield
        return
    with _lock:
        if _inside == 0:
            _before = get()
            if _before != 1:
                set_(1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and _before != 1:
                set_(_before)
