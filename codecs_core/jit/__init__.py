"""Compiled kernels for codecs, from Python alone: `kernel` and `inline` compile, `lanes` has vectors, `elementary` has `log` and `exp`.

A kernel is what Python calls; what kernels call is inline, or, if it makes no arrays, borrowing. All are plain functions over numbers,
arrays and tuples of them. They release the GIL, add and multiply in the order that is written, and give the same results on
every machine. Machine code is kept on disk under a fingerprint of all that a kernel calls, so it is found again in every process,
and is never out of date. With ``NUMBA_DISABLE_JIT=1`` in the environment the same functions run as plain Python.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from codecs_core.jit.compile import OPTIONS, PLAIN, borrowing, fingerprint, inline, kernel

if TYPE_CHECKING:
    from codecs_core.jit import elementary as elementary
    from codecs_core.jit import lanes as lanes

_MODULES = ("elementary", "lanes")

__all__ = ["OPTIONS", "PLAIN", "borrowing", "fingerprint", "inline", "kernel"]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"codecs_core.jit.{name}")
    raise AttributeError(f"module 'codecs_core.jit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *_MODULES]
