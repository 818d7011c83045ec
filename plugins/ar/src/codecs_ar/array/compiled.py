"""How functions that kernels call are compiled: each by itself, so that a kernel of many takes seconds and not minutes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

from codecs_core.jit import OPTIONS


def called(function: Callable[..., Any]) -> Any:
    """Compile a function that kernels call."""
    return njit(**OPTIONS)(function)
