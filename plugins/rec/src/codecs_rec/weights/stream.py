"""Payloads of ``rec.weights``: groups of values with a scale each, dealt to blocks, and the box and number of each block."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Message, exponents, table
from codecs_core.errors import CorruptDataError
from codecs_rec.bottom import finish, pack, start, unpack
from codecs_rec.index import octave_code
from codecs_rec.latents import KEY, cell_points
from codecs_rec.samplers.partition import MOST_CUTS, cells_of

#: Octaves of a number, at most, and binary digits of a box.
MOST_OCTAVES, MOST_BITS = 22, 40
#: Scales are 2^((e - ZERO) / 8), e a byte.
ZERO = 192
#: Values of a block, at most, and groups.
MOST_VALUES, MOST_GROUPS = 4096, 1 << 16
#: What an octave code has counts of in all, as binary digits; and a share, at most.
PRECISION, SHARE = 20, 255
_POINT_BITS = 16


@dataclass(frozen=True)
class Layout:
    """How values stand in a payload: value i is a coordinate of block i mod B, so that blocks are alike.

    Parameters
    ----------
    block
        Values of a block, at most: B is as small as that allows.
    cuts
        Binary digits that each axis is cut by.
    groups
        Number of values and scale, as a byte, of each group, in order.
    """

    block: int
    cuts: int
    groups: tuple[tuple[int, int], ...]

    @property
    def count(self) -> int:
        """Of all values."""
        return sum(count for count, _ in self.groups)

    @property
    def blocks(self) -> int:
        """How many there are."""
        return -(-self.count // self.block)

    def members(self, b: int) -> NDArray[np.int64]:
        """The values of block b."""
        return np.arange(b, self.count, self.blocks)

    def scales(self) -> NDArray[np.float64]:
        """Of each value: for encoders."""
        return np.repeat([2.0 ** ((e - ZERO) / 8) for _, e in self.groups], [count for count, _ in self.groups])

    def values(self, box: NDArray[np.int64], number: NDArray[np.int64]) -> NDArray[np.float32]:
        """What boxes and numbers of all blocks stand for: integers times a power of two, rounded once."""
        points = np.zeros(self.count, np.int64)
        for b in range(self.blocks):
            at = self.members(b)
            points[at] = self.points(box[b : b + 1], number[b : b + 1], b)
        exponent, fraction = np.divmod(np.array([e for _, e in self.groups], np.int64) - ZERO, 8)
        # 2^(fraction / 8) by the engine's table of 2^(-i / 64)
        mantissa = table("exp2_negative")[np.where(fraction, 64 - 8 * fraction, 0)]
        unit = np.ldexp(1.0, exponent + (fraction > 0) - 16 - _POINT_BITS)
        counts = [count for count, _ in self.groups]
        return np.asarray(points * np.repeat(mantissa, counts) * np.repeat(unit, counts), np.float32)

    def points(self, box: NDArray[np.int64], number: NDArray[np.int64], b: int) -> NDArray[np.int64]:
        """The proposal of one block, in units of 2^-16."""
        cuts = np.full((1, len(self.members(b))), self.cuts)
        return np.asarray(cell_points(_POINT_BITS)[cells_of(box, number, cuts, KEY, np.array([b]))][0])


def write(layout: Layout, box: NDArray[np.int64], number: NDArray[np.int64]) -> bytes:
    """The payload of boxes and numbers of all blocks."""
    octaves = exponents(number)
    shares = shares_of(np.bincount(octaves, minlength=1))
    head = [*_uvarint(layout.block), layout.cuts, len(shares), *shares.tolist(), *_uvarint(len(layout.groups))]
    for count, e in layout.groups:
        head += [*_uvarint(count), e]
    rest = (box << octaves) + number - (np.int64(1) << octaves)
    message = start(*pack(rest, _bits(layout) + octaves))
    octave_code(counts_of(shares), np.zeros(len(octaves), np.int64)).push(message, octaves)
    return bytes(head) + message.to_bytes()


def read(payload: bytes, size: int) -> tuple[Layout, NDArray[np.int64], NDArray[np.int64]]:
    """Layout, boxes and numbers of a payload that must hold `size` values; raises `CorruptDataError`."""
    at = _Bytes(payload)
    block, cuts, octaves = at.uvarint(), at.byte(), at.byte()
    if not (
        1 <= block <= MOST_VALUES and cuts <= MOST_CUTS and cuts * block <= MOST_BITS and 1 <= octaves <= MOST_OCTAVES
    ):
        raise CorruptDataError(
            f"blocks of {block} values, cut by {cuts} digits, with {octaves} octaves: there are no such"
        )
    shares = np.array([at.byte() for _ in range(octaves)], np.int64)
    many = at.uvarint()
    if not shares.all() or not 1 <= many <= min(MOST_GROUPS, size):
        raise CorruptDataError(f"an octave without a share, or {many} groups for {size} values")
    layout = Layout(block, cuts, tuple((at.uvarint(), at.byte()) for _ in range(many)))
    if layout.count != size or not all(count for count, _ in layout.groups):
        raise CorruptDataError(f"groups of {layout.count} values in all, or an empty one; expected {size} values")
    message = Message.from_bytes(at.left())
    found = octave_code(counts_of(shares), np.zeros(layout.blocks, np.int64)).pop(message)
    rest = unpack(*finish(message), _bits(layout) + found)
    within = (np.int64(1) << found) - 1
    return layout, rest >> found, (rest & within) + within + 1


def shares_of(seen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Shares of octaves, from 1 to 255, about as often as they were seen."""
    return np.maximum(np.rint(seen * float(SHARE) / max(int(seen.max()), 1)), 1).astype(np.int64)


def counts_of(shares: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts of octaves that add up to 2^20, shape (1, octaves): the shares' parts of it, rounded down, and the rest to the first."""
    counts = (shares << PRECISION) // int(shares.sum())
    counts[0] += (1 << PRECISION) - int(counts.sum())
    return counts[None]


def _bits(layout: Layout) -> NDArray[np.int64]:
    """Of the box of each block."""
    sizes = np.full(layout.blocks, layout.count // layout.blocks, np.int64)
    sizes[: layout.count % layout.blocks] += 1
    return sizes * layout.cuts


def scale_of(value: float) -> int:
    """The byte of the least scale that is no smaller than this."""
    return min(max(ZERO + math.ceil(8 * math.log2(max(value, 1e-30))), 0), 255)


def _uvarint(value: int) -> list[int]:
    out = []
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return [*out, value]


class _Bytes:
    """What comes before the message, read byte by byte."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def byte(self) -> int:
        """The next one."""
        if self._at >= len(self._data):
            raise CorruptDataError(f"the payload ends within its first part, after {self._at} bytes")
        self._at += 1
        return self._data[self._at - 1]

    def uvarint(self) -> int:
        """Seven binary digits a byte, the least significant first; the top bit says that another one follows."""
        value = 0
        for shift in range(0, 42, 7):
            byte = self.byte()
            value |= (byte & 127) << shift
            if byte < 128:
                if byte == 0 and shift:
                    break
                return value
        raise CorruptDataError("a number of the payload's first part is too long")

    def left(self) -> bytes:
        """The rest."""
        return self._data[self._at :]
