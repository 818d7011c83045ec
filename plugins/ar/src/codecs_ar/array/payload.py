"""Numbers as bytes: integers seven bits a byte, and parts with their length before them."""

from __future__ import annotations

import struct

from codecs_core.errors import CorruptDataError


class Writer:
    """Bytes that grow."""

    def __init__(self) -> None:
        self._parts = bytearray()

    def natural(self, value: int) -> None:
        """An integer, 0 or more."""
        while value > 127:
            self._parts.append(value & 127 | 128)
            value >>= 7
        self._parts.append(value)

    def integer(self, value: int) -> None:
        """Any integer."""
        self.natural(2 * value if value >= 0 else -2 * value - 1)

    def real(self, value: float) -> None:
        """A binary64."""
        self._parts += struct.pack("<d", value)

    def part(self, data: bytes) -> None:
        """Bytes, after their number."""
        self.natural(len(data))
        self._parts += data

    def rest(self, data: bytes) -> None:
        """Bytes up to the end."""
        self._parts += data

    def to_bytes(self) -> bytes:
        """All that was written."""
        return bytes(self._parts)


class Reader:
    """The inverse of `Writer`; every method raises `CorruptDataError` at the end of the bytes."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def natural(self) -> int:
        """An integer, 0 or more, below 2^70."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise CorruptDataError(f"the integer that ends at byte {self._at} is too long: the payload is damaged")

    def integer(self) -> int:
        """Any integer."""
        value = self.natural()
        return -(value + 1 >> 1) if value & 1 else value >> 1

    def real(self) -> float:
        """A binary64."""
        (value,) = struct.unpack("<d", self.take(8))
        return float(value)

    def part(self) -> bytes:
        """Bytes, after their number."""
        return self.take(self.natural())

    def rest(self) -> bytes:
        """Bytes up to the end."""
        return self.take(len(self._data) - self._at)

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if count > len(self._data) - self._at:
            raise CorruptDataError(
                f"the payload ends after {len(self._data)} bytes, where {count} more than {self._at} were expected"
            )
        self._at += count
        return self._data[self._at - count : self._at]

    def ahead(self) -> memoryview:
        """All that follows, which is not taken yet."""
        return memoryview(self._data)[self._at :]

    def finish(self) -> None:
        """Raise `CorruptDataError` unless all was read."""
        if self._at != len(self._data):
            raise CorruptDataError(f"{len(self._data) - self._at} bytes follow the end of the payload: it is damaged")
