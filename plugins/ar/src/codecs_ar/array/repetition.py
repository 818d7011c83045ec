"""Arrays that repeat themselves more than they vary: along whole axes, in runs of equal values, and bytes that came before, by LZMA."""

from __future__ import annotations

import lzma
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core import ArraySpec
from codecs_core.errors import CorruptDataError

#: Runs are as many values long on average, or more. Where values are the same along axes, one in as many is coded, or fewer.
SHORTEST, SAVING = 64, 16
#: Items of the first axis that may each be the same along other axes.
ITEMS = 16
#: Bytes of the middle of an array that tell whether LZMA is worth a try. Deflate, at its quickest, must bring them to `SOMETHING` of
#: their size, and to `HOPEFUL` times the share that the codec came to; `CERTAIN` times, where it is to be brief, or of differences; else
#: LZMA, briefly, must bring them to `PROMISING` times that share, unless deflate brings them to `REDUNDANT` of their size: then LZMA finds
#: more in the whole. LZMA takes long over what it makes little of: of more bytes than these, to be brief, deflate must make `LITTLE`.
LOOKED, HOPEFUL, CERTAIN, SOMETHING, PROMISING, REDUNDANT = 1 << 16, 2.0, 1.1, 0.8, 1.08, 0.125
LITTLE = 0.4
#: Bytes that LZMA looks back at.
DICTIONARY = 1 << 23
#: How LZMA is brief: by short chains of hashes, and with no further look at a match of this length (of values of one byte, or more).
BRIEFLY = {"mf": lzma.MF_HC4, "depth": 16}
NICE_BYTES, NICE = 16, 64
#: In which order bytes are: value after value, or all first bytes, then all second ones, and so on; the same of differences.
VALUES, PLANES, DIFFERENCES = range(3)


def still(array: NDArray[Any]) -> list[tuple[int, NDArray[Any]]] | None:
    """What is left of an array without the axes along which it stays the same; None if that is much.

    Of the whole array, or of each item of its first axis: axes, a bit each, and the array with these axes of length 1.
    """
    for parts in [array], list(array) if array.ndim > 1 and len(array) <= ITEMS else []:
        found = [(axes, part[_first(axes, part.ndim)]) for part in parts for axes in [_still_axes(part)]]
        if 0 < SAVING * sum(part.size for _, part in found) <= array.size:
            return found
    return None


def _still_axes(array: NDArray[Any]) -> int:
    """The axes along which no bit of an array changes, a bit each."""
    whole = np.ascontiguousarray(array)
    words = whole.reshape(-1).view(f"u{min(array.itemsize, 8)}").reshape(*array.shape, -1)
    axes = 0
    for axis, length in enumerate(array.shape):
        first, last = words.take([0], axis), words.take([length - 1], axis)
        if length > 1 and np.array_equal(first, last) and (words == first).all():
            axes |= 1 << axis
    return axes


def _first(axes: int, ndim: int) -> tuple[slice, ...]:
    """The first place along some axes, everything along the others."""
    return tuple(slice(1 if axes >> axis & 1 else None) for axis in range(ndim))


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
    something = LITTLE if brief and part.size < array.size else SOMETHING
    deflated = len(zlib.compress(part.tobytes(), 1))
    if deflated > min(something, (CERTAIN if brief else HOPEFUL) * share) * part.nbytes:
        deflated = len(zlib.compress(_arranged(part, DIFFERENCES), 1))
        if deflated > min(something, CERTAIN * share) * part.nbytes:
            return False
    if brief or deflated < REDUNDANT * part.nbytes:
        return True
    return len(compressed(part, brief=True)) < PROMISING * share * part.nbytes


def compressed(array: NDArray[Any], *, brief: bool = False) -> bytes:
    """The bytes by LZMA, in the order that is shortest; the first byte says which.

    Briefly, what deflate makes of some of them tells which.
    """
    orders = [VALUES, PLANES, DIFFERENCES] if array.itemsize > 1 else [VALUES, DIFFERENCES]
    if brief:
        part = _middle(array)
        orders = [min(orders, key=lambda order: len(zlib.compress(_arranged(part, order), 1)))]
    return min((_compress(array, order, brief=brief) for order in orders), key=len)


def decompressed(data: bytes, spec: ArraySpec) -> NDArray[Any]:
    """Inverse of `compressed`."""
    if not data or data[0] > DIFFERENCES:
        raise CorruptDataError("the order of an array's bytes is neither 0, 1 nor 2: the payload is damaged")
    width, size, order = np.dtype(spec.dtype).itemsize, spec.nbytes, data[0]
    decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_filters(width, order))
    try:
        found = decoder.decompress(data[1:], size + 1)
    except lzma.LZMAError as error:
        raise CorruptDataError(
            f"the bytes of an array cannot be decompressed ({error}): the payload is damaged"
        ) from error
    if len(found) != size or not decoder.eof or decoder.unused_data:
        raise CorruptDataError(f"LZMA made {len(found)} bytes, where {size} were expected: the payload is damaged")
    values = _rearranged(np.frombuffer(found, np.uint8), width, order)
    if spec.dtype == "bool" and values.max() > 1:
        raise CorruptDataError("LZMA made bytes that are no booleans: the payload is damaged")
    return values.view(spec.dtype).reshape(spec.shape)


def _middle(array: NDArray[Any]) -> NDArray[Any]:
    """Values from the middle."""
    flat = array.reshape(-1)
    count = LOOKED // array.itemsize
    first = max(0, flat.size - count) // 2
    return flat[first : first + count]


def _arranged(array: NDArray[Any], order: int) -> bytes:
    values = array.reshape(-1)
    if order == DIFFERENCES:
        words = values.view(f"u{_word(array.itemsize)}")
        values = np.diff(words, prepend=words[:1] * 0)
    rows = values.view(np.uint8).reshape(-1, values.itemsize)
    return rows.tobytes() if order == VALUES else np.ascontiguousarray(rows.T).tobytes()


def _rearranged(found: NDArray[np.uint8], width: int, order: int) -> NDArray[Any]:
    """Inverse of `_arranged`: the bytes of the values, or words that are the values."""
    if order == VALUES:
        return found
    width = _word(width) if order == DIFFERENCES else width
    rows = np.ascontiguousarray(found.reshape(width, -1).T).reshape(-1)
    return np.cumsum(rows.view(f"u{width}"), dtype=f"u{width}") if order == DIFFERENCES else rows


def _word(width: int) -> int:
    """Bytes of the integers that differences are taken of."""
    return min(width, 8)


def _compress(array: NDArray[Any], order: int, *, brief: bool = False) -> bytes:
    filters = _filters(array.itemsize, order)
    # an encoder need not have room for more than there is
    filters[0]["dict_size"] = min(DICTIONARY, 1 << max(12, array.nbytes.bit_length()))
    if brief:
        filters[0] |= BRIEFLY | {"nice_len": NICE_BYTES if array.itemsize == 1 else NICE}
    return bytes([order]) + lzma.compress(_arranged(array, order), lzma.FORMAT_RAW, filters=filters)


def _filters(width: int, order: int) -> list[dict[str, int]]:
    """LZMA2 that knows how wide values are: as context, places in a value, or the byte before."""
    bits = 0 if order else min(width.bit_length() - 1, 3)
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
