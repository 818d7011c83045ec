"""Machine code of kernels, kept on disk so that the next process need not compile. Nothing ever depends on it.

A file that is empty, cut or altered is as good as none, and so is a disk that takes no more: the kernel is compiled, and where
that is going to happen again and again, a warning says why.
"""

from __future__ import annotations

import hashlib
import pickle
import warnings
from functools import cache
from typing import Any

import numba
from llvmlite import binding as llvm  # type: ignore[import-untyped]
from numba.core.caching import FunctionCache, IndexDataCacheFile, NullCache

from codecs_core.errors import MachineWarning
from codecs_core.jit import notice

_DIGEST = hashlib.sha256().digest_size


class _Files(IndexDataCacheFile):
    """Files named by the key of what they hold, each behind its SHA-256.

    Numba numbers them and keeps an index: two processes that compile different kernels at the same time can both take
    a number, and then one finds the code of the other under its key.
    """

    def save(self, key: Any, data: Any) -> None:
        packed = self._dump(data)  # type: ignore[no-untyped-call]
        with self._open_for_write(self._path(key)) as file:
            file.write(hashlib.sha256(packed).digest() + packed)

    def load(self, key: Any) -> Any:
        try:
            with open(self._path(key), "rb") as file:
                data = file.read()
        except FileNotFoundError:
            return None
        packed = data[_DIGEST:]
        if hashlib.sha256(packed).digest() != data[:_DIGEST]:
            return None
        return pickle.loads(packed)  # noqa: S301

    def _path(self, key: Any) -> str:
        name = f"{self._index_name.removesuffix('.nbi')}.{hashlib.sha256(repr(key).encode()).hexdigest()[:32]}.nbc"
        return str(self._data_path(name))  # type: ignore[no-untyped-call]


class _Kernels(_Files):
    """Files of kernels, which are loaded without their text."""

    def load(self, key: Any) -> Any:
        found = super().load(key)
        return None if found is None else without_text(found)


def without_text(data: Any) -> Any:
    """What was kept of a kernel, with its names alone in place of LLVM's text of it, by which others could be linked with it.

    Nothing links a kernel: what kernels call is part of each. The text as a structure takes three quarters of a kernel's memory, and
    half of the time to load it.
    """
    (name, kind, (code, _)), described, *rest = data
    called = (described.llvm_func_name, described.llvm_cpython_wrapper_name)
    names = llvm.parse_assembly("".join(f'@"{symbol}" = global i8 0\n' for symbol in called))
    return (name, kind, (code, names.as_bitcode())), described, *rest


class CodeCache(FunctionCache):
    """The cache of one kernel.

    Parameters
    ----------
    function
        The kernel in Python.
    fingerprint
        Of the kernel and everything it calls; it takes the place of a time stamp, and says more.

    Raises
    ------
    RuntimeError
        If there is no folder that can be written.
    """

    def __init__(self, function: Any, fingerprint: str) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        self._fingerprint = fingerprint
        self._cache_file = _Kernels(self._cache_path, self._impl.filename_base, None)  # type: ignore[no-untyped-call]

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled kernel, or None if it has to be compiled."""
        try:
            found = super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception:  # whatever a file can make a loader raise
            found = None
        if found is None:
            notice.compiling()
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled, if that is possible."""
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        except OSError as error:
            _warn(f"the folder {self._cache_path} takes nothing: {error.strerror or error}")

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        return (sig, codegen.magic_tuple(), numba.__version__, self._fingerprint, "sha256")


class NoCache(NullCache):
    """Stands for a cache where no folder can be written: everything is compiled, and a warning says so."""

    def save_overload(self, sig: Any, cres: Any) -> None:
        """Let it go."""
        _warn("neither the folder of the program nor one of the user's can be written")


@cache
def _warn(why: str) -> None:
    warnings.warn(
        f"compiled code cannot be kept, since {why}; every start compiles again, which takes seconds to minutes; "
        f"name a folder that can be written in NUMBA_CACHE_DIR",
        MachineWarning,
        stacklevel=2,
    )
