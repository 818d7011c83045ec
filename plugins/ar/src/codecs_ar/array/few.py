"""Arrays of one value with a few others among them: that value, the others and their places, as numbers of few bytes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array import maps
from codecs_ar.array.payload import Reader, Writer
from codecs_core.errors import CorruptDataError

#: Others that an array has at most.
MOST = 64
#: How values are written: as ordered integers (0), or times 10^(way - 1), if that makes them whole; the last power is 10^22, a double.
WAYS = 24
#: Whole numbers up to this one, and down to its negative, are doubles.
EXACT = 1 << 53


def encode(array: NDArray[Any]) -> bytes | None:
    """The numbers of an array of reals that is not empty; None if more values than `MOST` are others."""
    values = array.reshape(-1)
    some = maps.ordered(values[:: max(1, values.size // maps.LOOKED)])
    found, counts = maps.occurring(some)
    usual = found[counts.argmax()]
    if some.size - counts.max() > MOST:
        return None
    codes = maps.ordered(values)
    places = np.flatnonzero(codes != usual)
    if places.size > MOST:
        return None
    numbers, way = _numbers(np.concatenate([[usual], codes[places]]), array.dtype)
    writer = Writer()
    writer.natural(places.size * WAYS + way)
    for number in numbers:
        writer.integer(int(number))
    for place in places:
        writer.rest(int(place).to_bytes(_width(codes.size), "little"))
    return writer.to_bytes()


def decode(reader: Reader, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Inverse of `encode`."""
    size = math.prod(shape)
    count, way = divmod(reader.natural(), WAYS)
    if count > min(MOST, size - 1) or (way and dtype.kind != "f"):
        raise CorruptDataError(
            f"the payload has {count} other values among {size}, written in the way {way}, which {dtype} cannot have: it is damaged"
        )
    values = _values([reader.integer() for _ in range(count + 1)], way, dtype)
    places = [int.from_bytes(reader.take(_width(size)), "little") for _ in range(count)]
    if any(place >= after for place, after in zip(places, [*places, size][1:], strict=True)):
        raise CorruptDataError(
            f"the places of {count} values among {size} are not in ascending order: the payload is damaged"
        )
    array = np.full(size, values[0])
    array[places] = values[1:]
    return array.reshape(shape)


def _width(size: int) -> int:
    """Bytes of a place among as many."""
    return (size - 1).bit_length() + 7 >> 3


def _numbers(codes: NDArray[np.int64], dtype: np.dtype[Any]) -> tuple[NDArray[np.int64], int]:
    """Values, given as ordered integers, as the smallest numbers, and the way in which these are written."""
    if dtype.kind == "f":
        with np.errstate(all="ignore"):
            values = maps.restored(codes, dtype).astype(np.float64)
            for way in range(1, WAYS):
                near = np.rint(values * _power(way))
                if not np.all(np.abs(near) <= EXACT):
                    break
                numbers = near.astype(np.int64)  # which have one zero
                if np.array_equal(maps.ordered(_decimal(numbers, way, dtype)), codes):
                    return numbers, way
    return codes, 0


def _values(numbers: list[int], way: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Inverse of `_numbers`."""
    least, most = (-EXACT, EXACT) if way else (-1 << 63, (1 << 63) - 1)
    if not least <= min(numbers) <= max(numbers) <= most:
        raise CorruptDataError(f"the payload has numbers beyond {least} to {most}: it is damaged")
    whole = np.array(numbers, np.int64)
    return _decimal(whole, way, dtype) if way else maps.restored(whole, dtype)


def _decimal(whole: NDArray[np.int64], way: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Whole numbers over a power of ten, each rounded once to a double and then to the dtype."""
    with np.errstate(all="ignore"):
        return (whole.astype(np.float64) / _power(way)).astype(dtype)


def _power(way: int) -> float:
    """10^(way - 1), computed in integers: a mathematical library may be off by one bit."""
    return float(10 ** (way - 1))
