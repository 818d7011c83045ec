"""Integers of a few bits each as bytes, the first one in the lowest bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codecs_core.errors import CorruptDataError


def packed(values: NDArray[np.int64], bits: int) -> bytes:
    """Integers below 2^bits, in C order; the last byte is filled up with zeros."""
    digits = (values.reshape(-1, 1) >> np.arange(bits)) & 1
    return np.packbits(digits.astype(np.uint8), bitorder="little").tobytes()


def unpacked(payload: bytes, bits: int, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Inverse of `packed`; raises `CorruptDataError` for another number of bytes, and for bits behind the last integer."""
    count = int(np.prod(shape))
    size = -(-count * bits // 8)
    if len(payload) != size:
        raise CorruptDataError(
            f"a payload of {count} indices must have {size} bytes, got {len(payload)}; it is damaged"
        )
    digits = np.unpackbits(np.frombuffer(payload, np.uint8), bitorder="little")
    if digits[count * bits :].any():
        raise CorruptDataError("a payload has bits behind its last index; it is damaged")
    powers = np.int64(1) << np.arange(bits)
    return np.asarray(digits[: count * bits].reshape(*shape, bits) @ powers, np.int64)
