"""Arrays that repeat themselves more than they vary: runs of equal values, and bytes that came before, by LZMA."""

from __future__ import annotations

import lzma
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core import ArraySpec
from codecs_core.errors import CorruptDataError

#: Runs are as many values long on average, or more.
SHORTEST = 64
#: Bytes of the middle of an array that tell whether LZMA is worth a try. Deflate, at its quickest, must bring them to `SOMETHING` of their
#: size, and to `HOPEFUL` times the share that the codec came to; `CERTAIN` times, where it is to be brief; else LZMA must itself
#: bring them to `PROMISING` times that share, unless deflate brings them to `REDUNDANT` of their size: then LZMA finds more in the whole.
LOOKED, HOPEFUL, CERTAIN, SOMETHING, PROMISING, REDUNDANT = 1 << 16, 2.0, 1.1, 0.8, 1.05, 0.125
#: Bytes that LZMA looks back at.
DICTIONARY = 1 << 23
#: How LZMA is brief: by short chains of hashes, and with no further look at a match of this length (of values of one byte, or more).
BRIEFLY = {"mf": lzma.MF_HC4, "depth": 16}
NICE_BYTES, NICE = 16, 64


def runs(array: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[Any]] | None:
    """Lengths and values of runs of the same bits; None if they are short."""
    flat = array.reshape(-1)
    words = flat.view(f"u{min(flat.itemsize, 8)}").reshape(flat.size, -1)
    changed = np.zeros(flat.size - 1, bool)
    for word in words.T:
        changed |= word[1:] != word[:-1]
    starts = np.concatenate([[0], np.flatnonzero(changed) + 1])
    if starts.size * SHORTEST > flat.size:
        return None
    return np.diff(starts, append=flat.size), flat[starts]


def repeated(lengths: NDArray[np.int64], values: NDArray[Any], size: int) -> NDArray[Any]:
    """Inverse of `runs`, flat."""
    if lengths.min() < 1 or lengths.max() > size or int(lengths.sum()) != size:
        raise CorruptDataError(f"the runs of an array are not {size} values together: the payload is damaged")
    return np.repeat(values, lengths)


def is_promising(array: NDArray[Any], share: float, *, brief: bool) -> bool:
    """Whether LZMA may come to less than a share of the bytes, as far as a look tells."""
    part = _middle(array)
    deflated = len(zlib.compress(part.tobytes(), 1))
    if deflated > min(SOMETHING, (CERTAIN if brief else HOPEFUL) * share) * part.nbytes:
        return False
    if brief or part.size == array.size or deflated < REDUNDANT * part.nbytes:
        return True
    return len(compressed(part)) < PROMISING * share * part.nbytes


def compressed(array: NDArray[Any], *, brief: bool = False) -> bytes:
    """The bytes by LZMA, value after value or plane after plane, whichever is shorter; the first byte says which.

    Briefly, what deflate makes of some of them tells which.
    """
    orders = [False, True] if array.itemsize > 1 else [False]
    if brief:
        part = _middle(array)
        orders = [min(orders, key=lambda planes: len(zlib.compress(_ordered(part, planes=planes), 1)))]
    return min((_compress(array, planes=planes, brief=brief) for planes in orders), key=len)


def decompressed(data: bytes, spec: ArraySpec) -> NDArray[Any]:
    """Inverse of `compressed`."""
    if not data or data[0] > 1:
        raise CorruptDataError("the order of an array's bytes is neither 0 nor 1: the payload is damaged")
    width, size, planes = np.dtype(spec.dtype).itemsize, spec.nbytes, data[0] == 1
    decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_filters(width, planes))
    try:
        found = decoder.decompress(data[1:], size + 1)
    except lzma.LZMAError as error:
        raise CorruptDataError(
            f"the bytes of an array cannot be decompressed ({error}): the payload is damaged"
        ) from error
    if len(found) != size or not decoder.eof or decoder.unused_data:
        raise CorruptDataError(f"LZMA made {len(found)} bytes, where {size} were expected: the payload is damaged")
    rows = np.frombuffer(found, np.uint8)
    if spec.dtype == "bool" and rows.max() > 1:
        raise CorruptDataError("LZMA made bytes that are no booleans: the payload is damaged")
    values = np.ascontiguousarray(rows.reshape(width, -1).T) if planes else rows
    return values.reshape(-1).view(spec.dtype).reshape(spec.shape)


def _middle(array: NDArray[Any]) -> NDArray[Any]:
    """Values from the middle."""
    flat = array.reshape(-1)
    count = LOOKED // array.itemsize
    first = max(0, flat.size - count) // 2
    return flat[first : first + count]


def _ordered(array: NDArray[Any], *, planes: bool) -> bytes:
    """The bytes of flat values, value after value or plane after plane."""
    rows = array.reshape(-1).view(np.uint8).reshape(-1, array.itemsize)
    return rows.T.tobytes() if planes else rows.tobytes()


def _compress(array: NDArray[Any], *, planes: bool, brief: bool) -> bytes:
    filters = _filters(array.itemsize, planes)
    # an encoder need not have room for more than there is
    filters[0]["dict_size"] = min(DICTIONARY, 1 << max(12, array.nbytes.bit_length()))
    if brief:
        filters[0] |= BRIEFLY | {"nice_len": NICE_BYTES if array.itemsize == 1 else NICE}
    return bytes([planes]) + lzma.compress(_ordered(array, planes=planes), lzma.FORMAT_RAW, filters=filters)


def _filters(width: int, planes: bool) -> list[dict[str, int]]:
    """LZMA2 that knows how wide values are: as context, places in a value, or the byte before."""
    bits = 0 if planes else min(width.bit_length() - 1, 3)
    return [
        {
            "id": lzma.FILTER_LZMA2,
            "preset": 6,
            "dict_size": DICTIONARY,
            "lc": 0 if bits else 3,
            "lp": bits,
            "pb": bits,
        }
    ]
