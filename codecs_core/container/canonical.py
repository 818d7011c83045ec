"""A strict subset of MessagePack in which every value has exactly one encoding.

None, booleans, integers of 64 bits, finite 64-bit floats, text, bytes, lists, and maps with text keys in sorted order.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import msgpack  # type: ignore[import-untyped]

from codecs_core.errors import ConfigError, FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Levels of lists and maps, the outermost included.
MAX_DEPTH = 16
#: In this number of bytes there are too few values for their number to matter.
_SMALL = 1 << 15
#: Bytes of what is parsed at once, and values in it, keys and containers too: a byte of a file may become a hundred bytes of memory.
MAX_BYTES, MAX_VALUES = 1 << 22, 1 << 18

_NOT = "is not canonical MessagePack"
_CHECKED = frozenset([float, list, dict])


def pack(value: Any) -> bytes:
    """Encode `value`; raises `ConfigError` if it has no canonical form, or is too large. Tuples are written as lists."""
    try:
        packed = _dump(_normal(value, "", MAX_DEPTH))
    except (_NotCanonicalError, OverflowError, UnicodeEncodeError) as e:
        raise ConfigError(f"cannot be stored in a container: {e}") from e
    if len(packed) > MAX_BYTES or (len(packed) > MAX_VALUES and _count(value) > MAX_VALUES):
        raise ConfigError(
            f"cannot be stored in a container: settings or attributes of {len(packed)} bytes, at most {MAX_BYTES} bytes and "
            f"{MAX_VALUES} values together can; keep what is large as an array of its own"
        )
    return packed


def unpack(data: bytes, depth: int = MAX_DEPTH) -> Any:
    """Decode `data`; raises `FormatError` unless it is what `pack` makes of the value it holds, which has up to `depth` levels."""
    if len(data) <= _SMALL:
        try:
            value = msgpack.unpackb(data, raw=False, strict_map_key=True, ext_hook=_refuse_ext, max_ext_len=0)
        except (_NotCanonicalError, ValueError, OverflowError, msgpack.UnpackException):
            pass  # what is wrong is said below
        else:
            if _dump(value) == data and _is_canonical(value, depth):
                return value
    parts = Parts(data)
    value = parts.value(depth)
    parts.end()
    return value


class Parts:
    """A document that is read part by part, in order: so no more than one of them is in memory.

    Parameters
    ----------
    data
        The document. Each method raises `FormatError` where it is not canonical.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._room = data, _Room()
        #: Where the next part starts, and how many values the last one might have had on top of those that it had.
        self.at, self.left = 0, MAX_VALUES
        self._pack = msgpack.Packer(use_bin_type=True).pack
        self._unpacker = msgpack.Unpacker(
            io.BytesIO(data),
            read_size=1 << 16,
            max_buffer_size=MAX_BYTES,
            raw=False,
            strict_map_key=True,
            object_pairs_hook=self._room.pairs,
            list_hook=self._room.list,
            ext_hook=_refuse_ext,
            max_str_len=MAX_BYTES,
            max_bin_len=MAX_BYTES,
            max_array_len=MAX_VALUES,
            max_map_len=MAX_VALUES,
            max_ext_len=0,
        )

    def map(self) -> int:
        """Enter a map: the number of its pairs, whose keys and values are the next parts."""
        return self._enter("read_map_header", "pack_map_header")

    def list(self) -> int:
        """Enter a list: the number of its values, which are the next parts."""
        return self._enter("read_array_header", "pack_array_header")

    def value(self, depth: int = MAX_DEPTH, most: int = MAX_VALUES) -> Any:
        """The next part as a whole, which must have no more than this number of levels and of values."""
        self._room.left = most
        value = self._read(self._unpacker.unpack)
        self.left = self._room.left
        if (size := self._unpacker.tell() - self.at) > MAX_BYTES:
            raise FormatError(f"{_NOT}: what starts at byte {self.at} has {size} bytes, more than {MAX_BYTES}")
        try:
            _check(value, depth)
        except _NotCanonicalError as e:
            raise FormatError(f"{_NOT}: {e}") from e
        self._same(self._pack(value))
        return value

    def slices(self, n: int) -> Iterator[tuple[int, int]]:
        """Where each of the next `n` parts starts and ends. They are not looked into: give each to `unpack`."""
        for _ in range(n):
            self._read(self._unpacker.skip)
            start, self.at = self.at, self._unpacker.tell()
            yield start, self.at

    def end(self) -> None:
        """Raise unless all was read."""
        if self.at != len(self._data):
            raise FormatError(f"{_NOT}: it goes on behind its end at byte {self.at}")

    def _enter(self, read: str, write: str) -> int:
        n: int = self._read(getattr(self._unpacker, read))
        self._same(getattr(msgpack.Packer(), write)(n))
        return n

    def _read(self, method: Callable[[], Any]) -> Any:
        try:
            return method()
        except (_NotCanonicalError, ValueError, OverflowError, msgpack.UnpackException) as e:
            text = str(e) or type(e).__name__
            if isinstance(e, msgpack.BufferFull):
                text = f"what starts at byte {self.at} has more than {MAX_BYTES} bytes"
            raise FormatError(f"{_NOT}: {text}") from e

    def _same(self, again: bytes) -> None:
        start, self.at = self.at, self._unpacker.tell()
        if self._data[start : self.at] != again:
            stored = self._data[start : self.at]
            at = next((i for i, (a, b) in enumerate(zip(again, stored, strict=False)) if a != b), len(again))
            raise FormatError(
                f"{_NOT}: byte {start + at} is not what its values encode to (a number longer than it needs to be, or a "
                "32-bit float)"
            )


class _NotCanonicalError(Exception):
    """A value outside the subset; the public functions say whose fault it is."""


class _Room:
    """Hooks of the parser: count what it builds, and refuse keys that are not in order."""

    def __init__(self) -> None:
        self.left = MAX_VALUES

    def _take(self, n: int) -> None:
        self.left -= n
        if self.left < 0:
            raise _NotCanonicalError(f"more than {MAX_VALUES} values in one part")

    def pairs(self, items: list[tuple[Any, Any]]) -> dict[Any, Any]:
        if not items:
            return {}
        self._take(2 * len(items))
        before = None
        for key, _ in items:
            if type(key) is not str:
                raise _NotCanonicalError("a map has a key that is no text")
            if before is not None and key <= before:
                raise _NotCanonicalError("a map has unsorted keys, or the same key twice")
            before = key
        return dict(items)

    def list(self, items: list[Any]) -> list[Any]:
        self._take(len(items))
        return items


def _refuse_ext(code: int, data: bytes) -> Any:
    raise _NotCanonicalError(f"an extension value (type {code})")


def _check(value: Any, depth: int) -> None:
    """Raise for what the parser lets pass and the subset does not hold. Nothing is copied: values take much memory."""
    kind = type(value)
    if kind is float and not math.isfinite(value):
        raise _NotCanonicalError(f"{value}, where only finite floats are")
    if kind is list or kind is dict:
        if depth == 0:
            raise _NotCanonicalError(f"lists and maps are nested deeper than {MAX_DEPTH}")
        for item in value if kind is list else value.values():
            if type(item) in _CHECKED:
                _check(item, depth - 1)


def _is_canonical(value: Any, depth: int) -> bool:
    """Whether a value that was parsed without hooks, and is packed as it was, is of the subset."""
    kind = type(value)
    if kind is float:
        return math.isfinite(value)
    if kind is not list and kind is not dict:
        return True
    if kind is dict and value and not _has_sorted_keys(value):
        return False
    for one in value if kind is list else value.values():
        if type(one) in _CHECKED and not _is_canonical(one, depth - 1):
            return False
    return depth > 0


def _has_sorted_keys(value: dict[Any, Any]) -> bool:
    keys = list(value)
    return set(map(type, keys)) == {str} and (len(keys) == 1 or sorted(keys) == keys)


def _count(value: Any) -> int:
    """Values in lists and maps, keys too."""
    if type(value) is dict:
        return 2 * len(value) + sum(map(_count, value.values()))
    return len(value) + sum(map(_count, value)) if type(value) in (list, tuple) else 0


def _dump(value: Any) -> bytes:
    packed: bytes = msgpack.packb(value, use_bin_type=True)
    return packed


def _normal(value: Any, where: str, depth: int) -> Any:
    """Copy `value` with sorted keys and lists for tuples, or raise. Types are exact: a numpy scalar is no float."""
    kind = type(value)
    if value is None or kind is bool or kind is bytes or kind is str:
        return value
    if kind is int:
        if not -(1 << 63) <= value < 1 << 64:
            raise _NotCanonicalError(f"{where or 'the value'} is an integer of more than 64 bits")
        return value
    if kind is float:
        if not math.isfinite(value):
            raise _NotCanonicalError(f"{where or 'the value'} is {value}, and only finite floats are")
        return value
    if depth == 0:
        raise _NotCanonicalError(f"lists and maps are nested deeper than {MAX_DEPTH}")
    if kind is list or kind is tuple:
        return [_normal(item, f"{where}[{i}]", depth - 1) for i, item in enumerate(value)]
    if kind is dict:
        for key in value:
            if type(key) is not str:
                raise _NotCanonicalError(f"{where or 'the value'} has the key {key!r}, and only text can be a key")
        return {key: _normal(value[key], f"{where}[{key!r}]", depth - 1) for key in sorted(value)}
    raise _NotCanonicalError(f"{where or 'the value'} is of type {kind.__name__}")
