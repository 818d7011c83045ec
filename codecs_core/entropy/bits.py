"""Bits as they are: integers about which only their number of bits is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy.codec import StackCodec
from codecs_core.entropy.distribution import Distribution, flat, integers
from codecs_core.entropy.kernels import from_interval
from codecs_core.entropy.message import Message
from codecs_core.errors import EntropyError
from codecs_core.jit import inline

#: The most bits of an integer.
MOST = 62


@inline
def _bits_interval(symbol, i, params):
    left = params[0][i]
    k = np.uint64(symbol)
    if symbol < 0 or (k << left) >> np.uint64(16) > np.uint64(0):
        return np.uint64(0), np.uint64(0)
    return k << left, np.uint64(1) << left


@inline
def _bits_find(count, i, params):
    left = params[0][i]
    symbol = count >> left
    return symbol, symbol << left, np.uint64(1) << left


class _Bits16(Distribution):
    """Uniform over 2^bits values, for up to 16 bits that differ from symbol to symbol."""

    symbols = 1 << 16
    precision = 16
    _kernels = from_interval(_bits_interval, _bits_find)

    def __init__(self, bits: NDArray[Any]) -> None:
        self.shape = bits.shape
        self._params = (flat((16 - bits).astype(np.uint64), self.shape),)

    def _rest(self) -> int:
        return int(((1 << 16) - (np.uint64(1) << self._params[0])).sum())


class Bits(StackCodec[NDArray[np.int64]]):
    """Uniform over 2^bits values, with up to 62 bits that differ from symbol to symbol; the low 16 bits end at the bottom.

    Parameters
    ----------
    bits
        Integers from 0 to 62.
    """

    def __init__(self, bits: ArrayLike) -> None:
        self.widths = integers(bits, "bits", 0, MOST)
        self.shape = self.widths.shape

    def _parts(self) -> list[tuple[int, _Bits16]]:
        most = int(self.widths.max(initial=0))
        return [(low, _Bits16(np.clip(self.widths - low, 0, 16))) for low in range(0, most, 16)]

    def push(self, message: Message, x: ArrayLike) -> None:
        """Push integers of `shape`; raises `EntropyError` for one that has more bits."""
        values = integers(x, "x", 0, (1 << MOST) - 1)
        if values.shape != self.shape or (values >> self.widths).any():
            raise EntropyError(f"integers of shape {values.shape} do not fit the bits given, of shape {self.shape}")
        for low, part in self._parts():
            part.push(message, (values >> low) & 0xFFFF)

    def pop(self, message: Message) -> NDArray[np.int64]:
        """Pop integers of `shape`."""
        x = np.zeros(self.shape, np.int64)
        for low, part in reversed(self._parts()):
            x |= part.pop(message) << low
        return x

    def information(self, x: ArrayLike) -> NDArray[np.float64]:
        """The bits given."""
        return self.widths.astype(np.float64)
