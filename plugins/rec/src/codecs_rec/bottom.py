"""The bottom of a message: a number that takes the place of its seed words.

A message of `codecs_core.entropy` starts from 33 bits that say nothing, which for a single small image is a fifth of the file. The last
symbols to be decoded can be the number that a message starts from instead, beneath a leading one that tells its length.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Message
from codecs_core.errors import CorruptDataError

#: The head of a message holds as many bits at least.
LEAST = 32


def start(value: int, bits: int) -> Message:
    """A message that starts from a number of `bits` bits, or of 32 if these are fewer."""
    number = 1 << max(bits, LEAST) | value
    return Message.from_bytes(number.to_bytes((number.bit_length() + 7) // 8, "little"))


def finish(message: Message) -> tuple[int, int]:
    """The number a message started from, once all else is popped, and its bits: 32 or more."""
    number = int.from_bytes(message.to_bytes(), "little")
    bits = number.bit_length() - 1
    return number - (1 << bits), bits


def pack(values: NDArray[np.int64], widths: NDArray[np.int64]) -> tuple[int, int]:
    """Integers of the given number of bits each as one number, the first at the top; returns (number, bits)."""
    text = "".join(f"{v:0{w}b}" for v, w in zip(values.tolist(), widths.tolist(), strict=True) if w)
    return int(text or "0", 2), len(text)


def unpack(number: int, bits: int, widths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Inverse of `pack`; raises `CorruptDataError` for a number of more bits than that."""
    total = int(widths.sum())
    if bits != max(total, LEAST) or number >> total:
        raise CorruptDataError(f"the bottom of a message holds {bits} bits; expected {max(total, LEAST)}")
    text = f"{number:0{total}b}" if total else ""
    ends = np.cumsum(widths).tolist()
    return np.array(
        [int(text[e - w : e] or "0", 2) for e, w in zip(ends, widths.tolist(), strict=True)], np.int64
    ).reshape(widths.shape)


def arithmetic_encode(bits: NDArray[np.uint8], ones: NDArray[np.int64], precision: int) -> tuple[int, int]:
    """The arithmetic code of bits that are 1 with probability ones / 2^precision each: (number, its bits), in exact arithmetic.

    The number is the shortest binary fraction, of 32 bits at least, within the interval of the sequence (Rissanen, Langdon
    1979); 0 comes first in each interval.
    """
    low, width = 0, 1
    for bit, one in zip(bits.tolist(), ones.tolist(), strict=True):
        zero = (1 << precision) - one
        low = (low << precision) + (width * zero if bit else 0)
        width *= one if bit else zero
    total = precision * len(bits)
    # an interval of width 2^-k holds a fraction of k or k + 1 bits
    n = max(LEAST, total - width.bit_length())
    while True:
        value = -(-low >> (total - n)) if total >= n else low << (n - total)
        if value << max(total - n, 0) < (low + width) << max(n - total, 0) and value >> n == 0:
            return value, n
        n += 1


def arithmetic_decode(value: int, n: int, ones: NDArray[np.int64], precision: int) -> NDArray[np.uint8]:
    """Inverse of `arithmetic_encode`; raises `CorruptDataError` for a number that it never gives."""
    total = precision * len(ones)
    target = value << (total - n) if total >= n else value >> (n - total)
    bits = np.zeros(len(ones), np.uint8)
    left, width = total, 1
    for i, one in enumerate(ones.tolist()):
        left -= precision
        split = width * ((1 << precision) - one)
        bits[i] = target >> left >= split
        if bits[i]:
            target -= split << left
            width *= one
        else:
            width = split
    if arithmetic_encode(bits, ones, precision) != (value, n):
        raise CorruptDataError("the bottom of a message is no arithmetic code of its pixels: it is damaged")
    return bits
