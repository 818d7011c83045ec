"""Stored payloads: the values of a chunk as they are, where a codec's own code of them is no shorter.

There is no flag. A payload as long as the values holds the values, and a shorter one is the codec's code (``spec/codecs/stored.md``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.errors import CorruptDataError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def stored_size(spec: ArraySpec) -> int:
    """Bytes of a stored payload: those of the values, and of booleans an eighth, rounded up."""
    return -(-spec.size // 8) if spec.dtype == "bool" else spec.nbytes


def store(chunk: NDArray[Any]) -> bytes:
    """The stored payload: the values in C order, little endian; booleans eight a byte, the first one lowest."""
    spec = ArraySpec.of(chunk)
    if spec.dtype == "bool":
        return np.packbits(chunk.reshape(-1), bitorder="little").tobytes()
    return np.asarray(chunk, dtype=spec.numpy).tobytes()


def restore(payload: bytes, spec: ArraySpec) -> NDArray[Any] | None:
    """Inverse of `store`; None if the payload is shorter than that, and so a codec's own code.

    Raises
    ------
    CorruptDataError
        If the payload is longer than the values, or bits are set behind the last boolean.
    """
    size = stored_size(spec)
    if len(payload) < size:
        return None
    if len(payload) > size:
        raise CorruptDataError(
            f"a payload of {len(payload)} bytes is longer than the {size} bytes that {spec.dtype} of shape {spec.shape} takes "
            "as it is; the file is damaged"
        )
    if spec.dtype != "bool":
        return np.frombuffer(payload, spec.numpy).reshape(spec.shape).astype(spec.dtype)
    bits = np.unpackbits(np.frombuffer(payload, np.uint8), bitorder="little")
    if bits[spec.size :].any():
        raise CorruptDataError("a stored payload has bits behind its last boolean; the file is damaged")
    return bits[: spec.size].astype(np.bool_).reshape(spec.shape)
