"""Compiling kernels that call a function given by their user, with a cache on disk that never goes stale.

Numba's own cache keys a function by its own byte code and file; a kernel that is a closure over another compiled function
is never found again in the next process, and one that calls a function of another file is found although that function
has changed. Both are cured by keying on a fingerprint of everything the kernel calls.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from numba import njit
from numba.core import config
from numba.core.compiler import Compiler
from numba.core.dispatcher import Dispatcher
from numba.core.extending import _Intrinsic

from codecs_core.jit.cache import CodeCache, NoCache

#: Whether NUMBA_DISABLE_JIT=1 is set: functions stay plain Python, as a readable reference.
PLAIN = bool(config.DISABLE_JIT)  # type: ignore[attr-defined]


def fingerprint(function: Dispatcher) -> str:
    """SHA-256 of a compiled function's byte code and of every function, array and number it refers to."""
    return _sha256(repr(_describe(function, (), {})))


def _describe(value: Any, names: tuple[str, ...], seen: dict[int, int]) -> Any:
    """`value` as nested tuples, which `repr` never confuses; `names` are those that the code around a module uses."""
    if id(value) in seen:
        return "seen", seen[id(value)]
    if isinstance(value, Dispatcher):
        seen[id(value)] = len(seen)
        function = value.py_func
        used = _names(function.__code__)
        scope = {name: function.__globals__[name] for name in used if name in function.__globals__}
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        scope |= {name: cell.cell_contents for name, cell in cells}
        said = (function.__code__, function.__defaults__, function.__kwdefaults__, sorted(value.targetoptions.items()))
        return "function", _describe(said, (), seen), [(n, _describe(scope[n], used, seen)) for n in sorted(scope)]
    if isinstance(value, ModuleType):
        seen[id(value)] = len(seen)
        parts = [(n, _describe(getattr(value, n), names, seen)) for n in sorted({*names} & {*vars(value)})]
        del seen[id(value)]  # another function may use other names of it
        return "module", value.__name__, parts
    if isinstance(value, _Intrinsic):
        return "intrinsic", value._name, _definition(value._defn), _file_sha256(value._defn.__code__.co_filename)
    if isinstance(value, CodeType):
        variables = (value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars)
        return "code", value.co_code, value.co_argcount, variables, _describe(value.co_consts, names, seen)
    if isinstance(value, np.ndarray):
        return "array", value.dtype.str, value.shape, _sha256(np.ascontiguousarray(value).tobytes())
    if isinstance(value, tuple | list):
        return type(value).__name__, [_describe(v, names, seen) for v in value]
    if isinstance(value, frozenset):
        return "set", sorted(repr(v) for v in value)
    if isinstance(value, int | float | str | bytes | np.generic | None):
        return repr(value)
    return type(value).__name__, getattr(value, "__module__", None), getattr(value, "__qualname__", None)


def _definition(function: FunctionType) -> Any:
    """A function that emits instructions: its code, and what it is a closure over. Its globals are in the file, which counts as a whole."""
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    held = [_definition(one) if isinstance(one, FunctionType) else _describe(one, (), {}) for one in cells]
    return function.__qualname__, _describe(function.__code__, (), {}), held


def _names(code: CodeType) -> tuple[str, ...]:
    inner = (_names(c) for c in code.co_consts if isinstance(c, CodeType))
    return tuple(sorted({*code.co_names}.union(*inner)))


@cache
def _file_sha256(path: str) -> str:
    """Of a whole file: what emits instructions calls helpers, and has operators beside it that no kernel names."""
    return _sha256(Path(path).read_bytes())


def _sha256(data: str | bytes) -> str:
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


#: Options of every function on a coding path: no fastmath, so no FMA contraction; IEEE division by zero; no GIL.
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": False}


class _Part(Compiler):
    """Compiles a function for other functions alone: without machine code of its own, and without what Python would call.

    It is optimised where it becomes part of a kernel. Numba otherwise optimises, emits and wraps each function that a
    kernel calls as well, and all that these call again in each: half the time that compiling takes.
    """

    def __init__(self, typing: Any, target: Any, library: Any, args: Any, result: Any, flags: Any, names: Any) -> None:
        flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        library = target.codegen().create_library("part")
        library._optimize_final_module = lambda: None
        library._finalize_final_module = lambda: _finish(library)
        super().__init__(typing, target, library, args, result, flags, names)  # type: ignore[no-untyped-call]


def _finish(library: Any) -> None:
    library._finalize_dynamic_globals()
    library._finalized = True


def inline(function: Callable[..., Any]) -> Any:
    """Compile a function that kernels call, as part of each of them: a call would copy every array of its arguments."""
    return _part(function, OPTIONS)


def borrowing(function: Callable[..., Any]) -> Any:
    """`inline` for a function that only borrows arrays: it makes none and returns none, so that none need be counted.

    Numba counts references to every array that a function names, by additions that the processor waits for. In a loop over values
    that is half of the time.

    Raises
    ------
    TypeError
        Where the function is compiled, if it returns an array.
    """
    return _part(function, {**OPTIONS, "_nrt": False})


def _part(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    part = njit(**options, forceinline=True, pipeline_class=_Part)(function)
    if PLAIN:
        return part

    def add_overload(compiled: Any) -> None:
        returned = compiled.target_context.data_model_manager[compiled.signature.return_type]
        if not options.get("_nrt", True) and returned.contains_nrt_meminfo():
            raise TypeError(f"{function.__qualname__} returns an array that nobody counts: it must be inline")
        # what stands for an entry point is the name by which callers find the function
        known = compiled._replace(entry_point=object())
        part.targetctx.insert_user_function(known.entry_point, known.fndesc, [known.library])
        part.overloads[tuple(known.signature.args)] = known

    part.add_overload = add_overload
    # Python gets a function of its own
    part._compile_for_args = lambda *args, **kwargs: _alone(function)
    return part


@cache
def _alone(function: Callable[..., Any]) -> Any:
    return njit(**OPTIONS)(function)


class _Whole(Compiler):
    """Compiles what Python calls, and nothing for C."""

    def __init__(self, typing: Any, target: Any, library: Any, args: Any, result: Any, flags: Any, names: Any) -> None:
        flags.no_cfunc_wrapper = True
        super().__init__(typing, target, library, args, result, flags, names)  # type: ignore[no-untyped-call]


def kernel(function: Callable[..., Any]) -> Any:
    """Compile an entry point, releasing the GIL, and keep its machine code on disk."""
    compiled = njit(**OPTIONS, pipeline_class=_Whole)(function)
    if PLAIN:  # wrapping around 2^64 is meant, and what is divided by 0 is not used
        return np.errstate(over="ignore", divide="ignore", invalid="ignore")(compiled)
    compiled.compile = lambda signature: _compile(compiled, signature)
    try:
        compiled._cache = CodeCache(compiled.py_func, fingerprint(compiled))
    except RuntimeError:  # no folder can be written
        compiled._cache = NoCache()
    return compiled


def _compile(compiled: Any, signature: Any) -> Any:
    """Compile without looking for garbage all the time: of the many objects that a compiler makes, it keeps most to the end."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        return type(compiled).compile(compiled, signature)
    finally:
        if collecting:
            gc.enable()
