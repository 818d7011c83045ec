"""The canonical subset of MessagePack in plain Python, written from the text of ``spec/container.md``."""

import math
import struct


class Malformed(ValueError):
    """Bytes that are not canonical."""


def require(holds, text):
    if not holds:
        raise Malformed(text)


CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
#: First byte: kind, logarithm of the bytes of a length, the least length that needs them.
LONG = {0xC4: ("bin", 0, 0), 0xD9: ("str", 0, 32), 0xDC: ("list", 1, 16), 0xDE: ("map", 1, 16)}
LONG |= {0xC5: ("bin", 1, 1 << 8), 0xDA: ("str", 1, 1 << 8), 0xDD: ("list", 2, 1 << 16), 0xDF: ("map", 2, 1 << 16)}
LONG |= {0xC6: ("bin", 2, 1 << 16), 0xDB: ("str", 2, 1 << 16)}


#: Bytes, and items of lists and maps, of an entry, and of all else in a header.
BYTES, ITEMS = 1 << 22, 1 << 18


def unpack(data, listed=None):
    """The value that canonical MessagePack stands for; `listed` is the key of a map whose items have room of their own."""
    at, room = 0, ITEMS

    def take(n):
        nonlocal at
        require(at + n <= len(data), "MessagePack ends early")
        at += n
        return data[at - n : at]

    def number(k, signed):
        """An integer of 2^k bytes that no shorter form holds."""
        x = int.from_bytes(take(1 << k), "big", signed=signed)
        short = x >= (-(1 << (4 << k) - 1) if k else -32) if signed else x < (1 << (4 << k) if k else 128)
        require(not short, "a number longer than it needs to be")
        return x

    def alone(depth):
        """A value with room of its own."""
        nonlocal room
        start, before, room = at, room, ITEMS
        found = value(depth)
        require(at - start <= BYTES, "an entry of too many bytes")
        room = before
        return found

    def items(kind, n, depth, key):
        nonlocal room
        if kind == "list" and depth == 14 and key == listed is not None:
            return [alone(depth) for _ in range(n)]
        room -= n if kind == "list" else 2 * n
        require(room >= 0, "lists and maps of too many items")
        if kind == "list":
            return [value(depth) for _ in range(n)]
        found, last = {}, None
        for _ in range(n):
            key = value(0)
            require(type(key) is str and (last is None or key > last), "keys that are no text, or not in order")
            start = at
            found[key], last = value(depth, key), key
            if depth == 15 and key == listed:
                spans.append((start, at))
        return found

    def value(depth, key=None):
        b = take(1)[0]
        if b < 0x80 or b >= 0xE0 or b in CONSTANTS:
            return CONSTANTS.get(b, b) if b < 0xE0 else b - 256
        if 0xCC <= b <= 0xD3:
            return number(b & 3, signed=b >= 0xD0)
        if b == 0xCB:
            (x,) = struct.unpack(">d", take(8))
            require(math.isfinite(x), "a float that is not finite")
            return x
        if b < 0xC0:
            kind, n = ("map", b & 15) if b < 0x90 else ("list", b & 15) if b < 0xA0 else ("str", b & 31)
        else:
            require(b in LONG, f"the forbidden byte {b:#x}")
            kind, k, least = LONG[b]
            n = int.from_bytes(take(1 << k), "big")
            require(n >= least, "a length longer than it needs to be")
        if kind == "str":
            try:
                return take(n).decode()
            except UnicodeDecodeError:
                raise Malformed("text that is not UTF-8") from None
        if kind == "bin":
            return take(n)
        require(depth > 0, "lists and maps too deep")
        return items(kind, n, depth - 1, key)

    spans = []
    found = value(16)
    require(at == len(data), "bytes after the header")
    others = at - sum(stop - start - 1 for start, stop in spans)
    require(others <= BYTES, "too many bytes beside the entries")
    return found
