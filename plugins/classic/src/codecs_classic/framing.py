"""Streams one after another in a payload: each with its length in front (LEB128), the last up to the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codecs_core.errors import CorruptDataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def join(streams: Sequence[bytes], *, measure_last: bool) -> bytes:
    """Concatenate `streams`; `measure_last` gives the last a length too, for formats that cannot see their own end."""
    parts: list[bytes] = []
    for i, stream in enumerate(streams):
        if measure_last or i < len(streams) - 1:
            parts.append(_length(len(stream)))
        parts.append(stream)
    return b"".join(parts)


def split(payload: bytes, count: int, *, measure_last: bool) -> Iterator[bytes]:
    """Inverse of `join`: exactly `count` streams and, once they are all taken, nothing left over."""
    at = 0
    for i in range(count):
        if measure_last or i < count - 1:
            size, at = _read_length(payload, at)
        else:
            size = len(payload) - at
        if size > len(payload) - at:
            raise CorruptDataError(f"stream {i} of {count} ends {size - len(payload) + at} bytes behind its payload")
        yield payload[at : at + size]
        at += size
    if at != len(payload):
        raise CorruptDataError(f"{len(payload) - at} bytes are left over after {count} streams")


def _length(n: int) -> bytes:
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def _read_length(payload: bytes, at: int) -> tuple[int, int]:
    value = 0
    for k in range(5):
        if at + k >= len(payload):
            raise CorruptDataError(f"the payload of {len(payload)} bytes ends within a length at byte {at}")
        byte = payload[at + k]
        value |= (byte & 0x7F) << (7 * k)
        if byte < 0x80:
            if byte == 0 and k:
                break
            return value, at + k + 1
    raise CorruptDataError(f"the length at byte {at} of the payload is not in its shortest form")
