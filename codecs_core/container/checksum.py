"""CRC32C of stored bytes, xxh3-128 of decoded arrays: a damaged file is one thing, another machine's result another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import google_crc32c
import numpy as np
import xxhash

if TYPE_CHECKING:
    from numpy.typing import NDArray


def crc32c(data: bytes) -> int:
    """CRC32C (Castagnoli) of `data`."""
    return int(google_crc32c.value(data))


def digest(array: NDArray[Any]) -> bytes:
    """xxh3-128 of the C-order little-endian bytes of an array.

    The shape and the dtype are not hashed; the header of a container holds them under its own checksum.
    """
    array = np.asarray(array)
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return xxhash.xxh3_128_digest(little.reshape(-1).view(np.uint8).data)
