"""A strict subset of MessagePack in which every value has exactly one encoding.

None, booleans, integers of 64 bits, finite 64-bit floats, text, bytes, lists, and maps with text keys in sorted order.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import msgpack  # type: ignore[import-untyped]

from codecs_core.errors import ConfigError, FormatError

#: Levels of lists and maps, the outermost included.
MAX_DEPTH = 16
#: Lists and maps in one document: a byte of file may not become a hundred bytes of memory without end.
MAX_CONTAINERS = 1 << 22


def pack(value: Any) -> bytes:
    """Encode `value`; raises `ConfigError` if it has no canonical form. Tuples are written as lists."""
    try:
        return _dump(_normal(value, "", MAX_DEPTH))
    except (_NotCanonicalError, OverflowError, UnicodeEncodeError) as e:
        raise ConfigError(f"cannot be stored in a container: {e}") from e


def unpack(data: bytes) -> Any:
    """Decode `data`; raises `FormatError` unless it is what `pack` makes of the value it holds."""
    room = _Room()
    try:
        value = msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=True,
            object_pairs_hook=room.pairs,
            list_hook=room.list,
            ext_hook=_refuse_ext,
            max_str_len=len(data),
            max_bin_len=len(data),
            max_array_len=len(data),
            max_map_len=len(data),
            max_ext_len=0,
        )
        _check(value, MAX_DEPTH)
        again = _dump(value)
    except (_NotCanonicalError, ValueError, OverflowError) as e:
        raise FormatError(f"is not canonical MessagePack: {str(e) or type(e).__name__}") from e
    if again != data:
        at = next((i for i, (a, b) in enumerate(zip(again, data, strict=False)) if a != b), len(again))
        raise FormatError(
            f"is not canonical MessagePack: byte {at} is not what its values encode to (a number longer than it "
            f"needs to be, or a 32-bit float)"
        )
    return value


class _NotCanonicalError(Exception):
    """A value outside the subset; the public functions say whose fault it is."""


class _Room:
    """Hooks of the parser: count what it builds, and refuse keys that are not in order."""

    def __init__(self) -> None:
        self._left = MAX_CONTAINERS

    def _take(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise _NotCanonicalError(f"more than {MAX_CONTAINERS} lists and maps")

    def pairs(self, items: list[tuple[Any, Any]]) -> dict[Any, Any]:
        self._take()
        keys = [key for key, _ in items]
        if any(type(key) is not str for key in keys):
            raise _NotCanonicalError("a map has a key that is no text")
        if any(a >= b for a, b in pairwise(keys)):
            raise _NotCanonicalError("a map has unsorted keys, or the same key twice")
        return dict(items)

    def list(self, items: list[Any]) -> list[Any]:
        self._take()
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
            _check(item, depth - 1)


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
