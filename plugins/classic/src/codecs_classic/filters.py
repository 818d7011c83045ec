"""Reversible rearrangements of an array that let a byte compressor see more: differences, and bytes or bits in planes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLAIN, BYTES, BITS = 0, 1, 2


def difference(words: NDArray[Any], axis: int) -> NDArray[Any]:
    """Each value minus the one before it along `axis`, modulo 2 to the number of bits; the first stays as it is."""
    out = words.copy()
    later = [slice(None)] * words.ndim
    later[axis] = slice(1, None)
    earlier = [slice(None)] * words.ndim
    earlier[axis] = slice(None, -1)
    out[tuple(later)] -= words[tuple(earlier)]
    return out


def accumulate(words: NDArray[Any], axis: int) -> NDArray[Any]:
    """Inverse of `difference`."""
    return np.cumsum(words, axis=axis, dtype=words.dtype).astype(words.dtype, copy=False)  # which makes native ones


def shuffle(words: NDArray[Any], kind: int) -> bytes:
    """The bytes of little-endian unsigned words: as they are, byte after byte of all words, or bit after bit.

    A plane of bits has the first word in the lowest bit of its first byte, and zeros at the end of its last byte.
    """
    if kind == BYTES:
        return np.ascontiguousarray(words.reshape(-1, 1).view(np.uint8).T).tobytes()
    if kind == BITS:
        flat = words.reshape(-1)
        planes = [(flat >> flat.dtype.type(k)) & flat.dtype.type(1) for k in range(8 * words.itemsize)]
        return b"".join(np.packbits(plane.astype(np.uint8), bitorder="little").tobytes() for plane in planes)
    return words.tobytes()


def unshuffle(data: bytes, dtype: np.dtype[Any], count: int, kind: int) -> NDArray[Any]:
    """Inverse of `shuffle`: `count` words of a little-endian `dtype`, flat."""
    if kind == BYTES:
        planes = np.frombuffer(data, np.uint8).reshape(dtype.itemsize, count)
        return np.ascontiguousarray(planes.T).view(dtype).reshape(count)
    if kind == BITS:
        words = np.zeros(count, dtype)
        for k, plane in enumerate(np.frombuffer(data, np.uint8).reshape(8 * dtype.itemsize, -1)):
            words |= np.unpackbits(plane, count=count, bitorder="little").astype(dtype) << dtype.type(k)
        return words
    return np.frombuffer(data, dtype)


def shuffled_bytes(dtype: np.dtype[Any], count: int, kind: int) -> int:
    """How many bytes `shuffle` makes of `count` words."""
    return 8 * dtype.itemsize * -(-count // 8) if kind == BITS else count * dtype.itemsize
