"""Compiling kernels that call a function given by somebody else, with a cache on disk that never goes stale.

Numba's own cache keys a function by its own byte code and file; a kernel that is a closure over another compiled function
is never found again in the next process, and one that calls a function of another file is found although that function
has changed. Both are cured by keying on a fingerprint of everything the kernel calls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from types import CodeType
from typing import Any

import numpy as np
from numba import njit
from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher


def fingerprint(function: Dispatcher) -> str:
    """SHA-256 of a compiled function's byte code and of every function, array and number it refers to."""
    digest = hashlib.sha256()
    _update(digest, function, set())
    return digest.hexdigest()


def _update(digest: Any, value: Any, seen: set[int]) -> None:
    if isinstance(value, Dispatcher):
        if id(value) in seen:
            return
        seen.add(id(value))
        digest.update(repr(sorted(value.targetoptions.items(), key=str)).encode())
        function = value.py_func
        _update(digest, function.__code__, seen)
        names = {name: function.__globals__[name] for name in _names(function.__code__) if name in function.__globals__}
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        names |= {name: cell.cell_contents for name, cell in cells}
        for name in sorted(names):
            digest.update(name.encode())
            _update(digest, names[name], seen)
    elif isinstance(value, CodeType):
        digest.update(value.co_code)
        for const in value.co_consts:
            _update(digest, const, seen)
    elif isinstance(value, np.ndarray):
        digest.update(f"{value.dtype.str}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, int | float | str | bytes | bool | np.generic | tuple | None):
        digest.update(repr(value).encode())


def _names(code: CodeType) -> set[str]:
    return set(code.co_names).union(*(_names(c) for c in code.co_consts if isinstance(c, CodeType)))


class _FingerprintCache(FunctionCache):
    def __init__(self, kernel: Dispatcher) -> None:
        super().__init__(kernel.py_func)  # type: ignore[no-untyped-call]
        self._fingerprint = fingerprint(kernel)

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        return (sig, codegen.magic_tuple(), self._fingerprint)


#: Options of every function on a coding path: no fastmath, so no FMA contraction; IEEE division by zero; no GIL.
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": False}


def inline(function: Callable[..., Any]) -> Any:
    """Compile a function that kernels call, as part of each of them: a call would copy every array of its arguments."""
    return njit(**OPTIONS, forceinline=True)(function)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile an entry point, releasing the GIL, and keep its machine code on disk."""
    compiled = njit(**OPTIONS)(function)
    if not isinstance(compiled, Dispatcher):
        # NUMBA_DISABLE_JIT=1: the plain function, as a readable reference; wrapping around 2^64 is meant
        return np.errstate(over="ignore")(compiled)
    compiled._cache = _FingerprintCache(compiled)  # type: ignore[attr-defined]
    return compiled
