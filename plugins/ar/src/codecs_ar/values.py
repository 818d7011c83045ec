"""The values of images as codes from 0 to 65535 at the most, plane after plane, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.payload import Reader, Writer
from codecs_ar.planes import ORDER
from codecs_core.errors import CorruptDataError

#: Bits of a code at the most.
BITS = 16
#: A channel is coded by ranks where at most 4 of 5 values occur, each of them 64 times on average.
OF_FIVE, EACH = 4, 64
#: Values of each channel, at the most, that tell in which order planes are coded.
LOOKED = 1 << 16
#: What the first number of a description says: whether there is a range, ranks, and an order.
RANGED, RANKED, ORDERED = 1, 2, 4


@dataclass(frozen=True, eq=False)
class Values:
    """How the values of images of c channels become codes.

    Parameters
    ----------
    low, shift
        Values less `low`, without their lowest `shift` bits, are codes.
    top
        The largest code.
    order
        Which channel each plane is.
    ranks
        Of each channel its values in rising order, whose places are the codes; None where they are codes themselves.
    """

    low: int
    shift: int
    top: int
    order: tuple[int, ...]
    ranks: tuple[NDArray[np.uint16] | None, ...]

    @classmethod
    def of(cls, images: NDArray[Any]) -> Values:
        """Those of integers of shape (n, h, w, c) that are not empty."""
        low, most = int(images.min()), int(images.max())
        shift = max(0, (most - low).bit_length() - BITS)
        top = (most - low) >> shift
        if images.dtype in (np.uint8, np.uint16):
            low, top = 0, int(np.iinfo(images.dtype).max)
        codes = _codes(images, low, shift)
        ranks = tuple(None if shift else _ranks(codes[..., i]) for i in range(images.shape[-1]))
        if any(r is not None for r in ranks):
            top = max((most - low if r is None else r.size - 1) for r in ranks)
        return cls(low, shift, max(top, 1), _order(codes), ranks)

    @classmethod
    def plain(cls, dtype: np.dtype[Any], channels: int) -> Values:
        """Those of unsigned integers of up to 16 bits as they are."""
        return cls(0, 0, int(np.iinfo(dtype).max), tuple(usual_order(channels)), (None,) * channels)

    def forward(self, images: NDArray[Any]) -> tuple[NDArray[np.uint16], NDArray[np.uint64]]:
        """Planes of codes, of shape (c, n, h, w), and the lowest bits of the values, in the order of the array, if there are any."""
        codes = _codes(images, self.low, self.shift)
        planes = np.empty((len(self.order), *images.shape[:-1]), np.uint16)
        for plane, channel in enumerate(self.order):
            ranks = self.ranks[channel]
            part = codes[..., channel]
            planes[plane] = part if ranks is None else np.searchsorted(ranks, part)
        lowest = _above(images, self.low) & np.uint64((1 << self.shift) - 1) if self.shift else np.zeros(0, np.uint64)
        return planes, lowest.reshape(-1)

    def backward(self, planes: NDArray[np.uint16], lowest: NDArray[np.uint64], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Inverse of `forward`."""
        codes = np.empty((*planes.shape[1:], len(self.order)), np.uint64)
        for plane, channel in enumerate(self.order):
            ranks = self.ranks[channel]
            codes[..., channel] = planes[plane] if ranks is None else ranks[np.minimum(planes[plane], ranks.size - 1)]
        if self.shift:
            codes = codes << np.uint64(self.shift) | lowest.reshape(codes.shape)
        return (codes + np.uint64(self.low % (1 << 64))).astype(f"u{dtype.itemsize}").view(dtype)

    def write(self, writer: Writer, dtype: np.dtype[Any]) -> None:
        """Append a description to a payload."""
        plain = Values.plain(dtype, len(self.order)) if dtype in (np.uint8, np.uint16) else None
        ranked = any(r is not None for r in self.ranks)
        ranged = plain is None or (self.low, self.shift, self.top) != (plain.low, plain.shift, plain.top)
        ordered = self.order != tuple(usual_order(len(self.order)))
        writer.natural(RANGED * ranged + RANKED * ranked + ORDERED * ordered)
        if ranged:
            writer.integer(self.low)
            writer.natural(self.shift)
            writer.natural(self.top)
        for ranks in self.ranks if ranked else ():
            writer.natural(0 if ranks is None else ranks.size)
            for gap in [] if ranks is None else np.diff(ranks.astype(np.int64), prepend=-1):
                writer.natural(int(gap) - 1)
        for channel in self.order if ordered else ():
            writer.natural(channel)

    @classmethod
    def read(cls, reader: Reader, dtype: np.dtype[Any], channels: int) -> Values:
        """Inverse of `write`."""
        first = reader.natural()
        low, shift, top = 0, 0, 255 if dtype.itemsize == 1 else 65535
        if first & RANGED:
            low, shift, top = reader.integer(), reader.natural(), reader.natural()
        if first > 7 or not 1 <= top < 1 << BITS or shift > 64 - BITS:
            raise CorruptDataError(f"values up to {top} after {shift} bits, by {first}: the payload is damaged")
        ranks = tuple(_read_ranks(reader) if first & RANKED else None for _ in range(channels))
        order = tuple(reader.natural() for _ in range(channels)) if first & ORDERED else tuple(usual_order(channels))
        if sorted(order) != list(range(channels)):
            raise CorruptDataError(f"planes in the order {order}, where each channel was expected once")
        return cls(low, shift, top, order, ranks)


def usual_order(channels: int) -> Sequence[int]:
    """The order of planes where a payload names none."""
    return ORDER.get(channels, range(channels))


def _above(images: NDArray[Any], low: int) -> NDArray[np.uint64]:
    """How far values are above the lowest one."""
    wide: NDArray[np.uint64] = images.astype(np.int64 if images.dtype.kind == "i" else np.uint64).view(np.uint64)
    return wide - np.uint64(low % (1 << 64))


def _codes(images: NDArray[Any], low: int, shift: int) -> NDArray[np.uint16]:
    return (_above(images, low) >> np.uint64(shift)).astype(np.uint16)


def _ranks(codes: NDArray[np.uint16]) -> NDArray[np.uint16] | None:
    """The values that occur, if coding their places is worth it."""
    found = np.flatnonzero(np.bincount(codes.reshape(-1))).astype(np.uint16)
    span = int(found[-1]) - int(found[0]) + 1
    return found if 5 * found.size <= OF_FIVE * span and found.size * EACH <= codes.size else None


def _read_ranks(reader: Reader) -> NDArray[np.uint16] | None:
    count, last, found = reader.natural(), -1, []
    if count > 1 << BITS:
        raise CorruptDataError(f"{count} values of 16 bits are ranked: the payload is damaged")
    for _ in range(count):
        last += 1 + reader.natural()
        found.append(last)
    if last >= 1 << BITS:
        raise CorruptDataError(f"a ranked value is {last}, where 65535 was the most expected: the payload is damaged")
    return np.array(found, np.uint16) if count else None


def _order(codes: NDArray[np.uint16]) -> tuple[int, ...]:
    """In which order planes are coded: the next one is always that which goes most with one of the two before it."""
    channels = codes.shape[-1]
    if channels < 3:
        return tuple(usual_order(channels))
    rows = codes.reshape(-1, codes.shape[-2], channels)
    step = max(1, rows.shape[0] * rows.shape[1] // LOOKED)
    looked = rows[::step].astype(np.int64)
    slopes = (looked[:, 1:] - looked[:, :-1]).reshape(-1, channels)
    products = [[int((slopes[:, i] * slopes[:, j]).sum()) for j in range(channels)] for i in range(channels)]
    alike = [
        [p * p / (products[i][i] * products[j][j] + 1) for j, p in enumerate(row)] for i, row in enumerate(products)
    ]
    order = [max(range(channels), key=lambda i: (math.fsum(alike[i]), -i))]
    while len(order) < channels:
        left = [i for i in range(channels) if i not in order]
        order.append(max(left, key=lambda i: (math.fsum(alike[i][j] for j in order[-2:]), -i)))
    return tuple(order)
