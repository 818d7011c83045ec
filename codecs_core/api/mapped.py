"""Arrays of an encoder's own: copies that stay as they are while the original changes.

The original may lie in a mapped file. Where such a file is cut, reading the memory ends the process (SIGBUS); asked to write that
memory to a pipe, the system answers with an error instead. So mapped arrays are copied through a pipe.
"""

from __future__ import annotations

import mmap
import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Bytes that go through a pipe at a time; no more than it holds.
_STEP = 1 << 16


def private(array: Any) -> NDArray[Any]:
    """A copy that nobody else holds, in C order.

    Raises
    ------
    InputError
        If the array lies in a mapped file that became too short.
    """
    if isinstance(array, np.ndarray) and _is_mapped(array) and os.name == "posix":
        return np.ascontiguousarray(_piped(array)).reshape(array.shape)
    return np.array(array, order="C", copy=True, subok=False)


class Mapped:
    """An array in a mapped file; what is taken of it is a copy, and an `InputError` if the file has changed.

    Parameters
    ----------
    array
        The array. A change is seen by the stamp of its file, if it is a `numpy.memmap` that may not be written to, and by
        its size if it may: writing to it is no reason to refuse it.
    """

    def __init__(self, array: NDArray[Any]) -> None:
        self.shape, self.dtype = array.shape, array.dtype
        self._path = getattr(array, "filename", None)
        self._written = getattr(array, "mode", None) != "r"
        self._array = array.view(np.ndarray)
        self._before = self._stamp()

    def __getitem__(self, key: Any) -> NDArray[Any]:
        part = private(self._array[key])
        after = self._stamp()
        # Under another inode it is another file: the mapped one is not there any more by its name, yet whole.
        if after != self._before and after[:1] == self._before[:1]:
            raise InputError(f"{self._path} changed while it was read; store it again when nobody writes to it")
        return part

    def _stamp(self) -> tuple[int, ...]:
        if self._path is None:
            return ()
        try:
            status = os.stat(self._path)
        except OSError:
            return ()
        return (status.st_ino, status.st_size, *(() if self._written else (status.st_mtime_ns,)))


def guarded(array: Any) -> Any:
    """`array`, or a `Mapped` one if it lies in a mapped file."""
    return Mapped(array) if isinstance(array, np.ndarray) and _is_mapped(array) else array


def _is_mapped(array: NDArray[Any]) -> bool:
    base: Any = array
    while isinstance(base, np.ndarray | memoryview):
        base = base.base if isinstance(base, np.ndarray) else base.obj
    return isinstance(base, mmap.mmap)


def _piped(array: NDArray[Any]) -> NDArray[Any]:
    """A copy with the axes of the memory in the same order, so that runs of memory are copied as they are."""
    array = array.view(np.ndarray)
    copy = np.empty_like(array, order="K", subok=False)
    axes = sorted(range(array.ndim), key=lambda axis: -abs(copy.strides[axis]))
    reading, writing = os.pipe()
    with closing(os.fdopen(reading, "rb", buffering=0)), closing(os.fdopen(writing, "wb", buffering=0)):
        os.set_blocking(writing, False)
        try:
            _copy(array.transpose(axes), copy.transpose(axes), reading, writing)
        except OSError as error:
            raise InputError(f"a mapped file became shorter while it was read ({error.strerror})") from error
    return copy


def _copy(source: NDArray[Any], target: NDArray[Any], reading: int, writing: int) -> None:
    if not source.flags.c_contiguous:
        for i in range(len(source)):
            _copy(source[i, ...], target[i, ...], reading, writing)
        return
    given, taken = (one.reshape(-1).view(np.uint8).data for one in (source, target))
    at = 0
    while at < len(given):
        n = os.write(writing, given[at : at + _STEP])
        while n:
            got = os.readv(reading, [taken[at : at + n]])
            at, n = at + got, n - got
