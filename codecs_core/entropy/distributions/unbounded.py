"""Codes for integers without an upper bound: Elias gamma and delta, and a power law."""

from __future__ import annotations

from functools import cache
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy.compiled import inline
from codecs_core.entropy.distributions.categorical import Categorical
from codecs_core.entropy.kernels import from_interval
from codecs_core.entropy.message import Message
from codecs_core.entropy.stack import Distribution, StackCodec, common_shape, fitted, flat, integers
from codecs_core.entropy.tables import table
from codecs_core.errors import CorruptDataError, EntropyError

#: Integers are below 2^62.
OCTAVES = 62
_PRECISION = 28
#: Bits of the mantissa that a power law gives probabilities of their own.
_FINE = 6


@inline
def _bits_interval(symbol, i, params):  # type: ignore[no-untyped-def]
    left = params[0][i]
    k = np.uint64(symbol)
    if symbol < 0 or (k << left) >> np.uint64(16) > np.uint64(0):
        return np.uint64(0), np.uint64(0)
    return k << left, np.uint64(1) << left


@inline
def _bits_find(count, i, params):  # type: ignore[no-untyped-def]
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


class Bits(StackCodec):
    """Uniform over 2^bits values, with up to 62 bits that differ from symbol to symbol; the low 16 bits end at the bottom.

    Parameters
    ----------
    bits
        Integers from 0 to 62.
    """

    def __init__(self, bits: ArrayLike) -> None:
        self.widths = integers(bits, "bits", 0, OCTAVES)
        self.shape = self.widths.shape

    def _parts(self) -> list[tuple[int, _Bits16]]:
        most = int(self.widths.max(initial=0))
        return [(low, _Bits16(np.clip(self.widths - low, 0, 16))) for low in range(0, most, 16)]

    def push(self, message: Message, x: ArrayLike) -> None:
        """Push integers of `shape`; raises `EntropyError` for one that has more bits."""
        values = integers(x, "x", 0, (1 << OCTAVES) - 1)
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

    def bits(self, x: ArrayLike) -> float:
        """The number of bits."""
        return float(self.widths.sum())


class _Octaves(StackCodec):
    """Integers from 1 on: first e = floor(log2 x), by a table, then the bits below the leading one."""

    shape: tuple[int, ...]
    _exponent: StackCodec

    def push(self, message: Message, x: ArrayLike) -> None:
        """Push integers from 1 to 2^62 - 1 that broadcast to `shape`."""
        values = fitted(integers(x, "x", 1, (1 << OCTAVES) - 1), self.shape)
        e = _exponents(values)
        self._push_mantissa(message, values - (np.int64(1) << e), e)
        self._exponent.push(message, e)

    def pop(self, message: Message) -> NDArray[np.int64]:
        """Pop integers of `shape`."""
        e = np.asarray(self._exponent.pop(message), np.int64)
        x: NDArray[np.int64] = (np.int64(1) << e) + self._pop_mantissa(message, e)
        return x

    def bits(self, x: ArrayLike) -> float:
        """Information content in bits."""
        values = fitted(integers(x, "x", 1, (1 << OCTAVES) - 1), self.shape)
        e = _exponents(values)
        return self._exponent.bits(e) + self._mantissa_bits(values - (np.int64(1) << e), e)

    def _mantissa_bits(self, mantissa: NDArray[np.int64], e: NDArray[np.int64]) -> float:
        return float(e.sum())

    def _push_mantissa(self, message: Message, mantissa: NDArray[np.int64], e: NDArray[np.int64]) -> None:
        Bits(e).push(message, mantissa)

    def _pop_mantissa(self, message: Message, e: NDArray[np.int64]) -> NDArray[np.int64]:
        return Bits(e).pop(message)


def _exponents(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """floor(log2 x), by comparisons."""
    powers = np.array([1 << e for e in range(OCTAVES)], np.int64)
    return np.searchsorted(powers, values, side="right").astype(np.int64) - 1


def _round(weights: list[int], total_bits: int = _PRECISION) -> list[int]:
    """Counts of 2^total_bits in proportion to integer weights, at least 1 each: C_k = floor(F_k (2^p - n)) + k."""
    total, n = sum(weights), len(weights)
    below = [0, *accumulate(weights)]
    edges = [w * ((1 << total_bits) - n) // total + k for k, w in enumerate(below)]
    return [b - a for a, b in pairwise(edges)]


class EliasGamma(_Octaves):
    """Integers from 1 on by about 2 floor(log2 x) + 1 bits: p(e) = 2^-(e + 1), then e bits (Elias 1975).

    Parameters
    ----------
    shape
        Of the arrays that are pushed and popped.
    """

    def __init__(self, shape: int | tuple[int, ...] = ()) -> None:
        self.shape = common_shape(shape)
        self._exponent = Categorical(_round([1 << (OCTAVES - e) for e in range(OCTAVES)]), shape=self.shape)


class EliasDelta(_Octaves):
    """Integers from 1 on by about log2 x + 2 log2 log2 x bits: e + 1 by `EliasGamma`, then e bits (Elias 1975).

    Parameters
    ----------
    shape
        Of the arrays that are pushed and popped.
    """

    def __init__(self, shape: int | tuple[int, ...] = ()) -> None:
        self.shape = common_shape(shape)
        self._exponent = _PlusOne(EliasGamma(self.shape))


class _PlusOne(StackCodec):
    def __init__(self, codec: StackCodec) -> None:
        self.codec = codec

    def push(self, message: Message, x: NDArray[np.int64]) -> None:
        self.codec.push(message, x + 1)

    def bits(self, x: NDArray[np.int64]) -> float:
        return self.codec.bits(x + 1)

    def pop(self, message: Message) -> NDArray[np.int64]:
        e: NDArray[np.int64] = self.codec.pop(message) - 1
        if e.size and int(e.max()) >= OCTAVES:
            raise CorruptDataError(
                f"a popped exponent of {e.max()} is beyond the {OCTAVES} octaves of an integer: the message is damaged"
            )
        return e


class Zipf(_Octaves):
    """Integers from 1 on with p(x) in proportion to x^-exponent: exactly up to 63, and from there by steps of a 64th of an octave.

    Parameters
    ----------
    exponent
        In units of 1/64, above 1: from 65 to 512. For relative entropy coding it is 1 + 1 / (information in bits + 1).
    shape
        Of the arrays that are pushed and popped.
    """

    def __init__(self, exponent: int, shape: int | tuple[int, ...] = ()) -> None:
        if not isinstance(exponent, int) or not 65 <= exponent <= 512:
            raise EntropyError(f"exponent is an integer from 65 to 512 (in units of 1/64), not {exponent!r}")
        self.shape = common_shape(shape)
        octaves, self._tables = _zipf_counts(exponent)
        self._exponent = Categorical(octaves, shape=self.shape)

    def _fine(self, e: NDArray[np.int64]) -> tuple[NDArray[np.int64], Categorical]:
        fine = np.minimum(e, _FINE)
        return fine, Categorical(self._tables, index=fine)

    def _mantissa_bits(self, mantissa: NDArray[np.int64], e: NDArray[np.int64]) -> float:
        fine, top = self._fine(e)
        return top.bits(mantissa >> (e - fine)) + float((e - fine).sum())

    def _push_mantissa(self, message: Message, mantissa: NDArray[np.int64], e: NDArray[np.int64]) -> None:
        fine, top = self._fine(e)
        rest = e - fine
        Bits(rest).push(message, mantissa & ((np.int64(1) << rest) - 1))
        top.push(message, mantissa >> rest)

    def _pop_mantissa(self, message: Message, e: NDArray[np.int64]) -> NDArray[np.int64]:
        fine, top = self._fine(e)
        rest = e - fine
        high = top.pop(message).astype(np.int64) << rest
        return high | Bits(rest).pop(message)


@cache
def _zipf_counts(exponent: int) -> tuple[list[int], NDArray[np.int64]]:
    """Counts of the octaves, and of the 2^b equal parts of an octave for b = 0 to 6."""
    log2, exp2 = table("log2_mantissa"), table("exp2_negative")

    def power(i: int) -> int:
        """(1 + i / 256)^-exponent * 2^32, between the entries of the table of powers."""
        cell, part = divmod(int(log2[i]) * exponent, 1 << 16)
        return (int(exp2[cell]) << 16) - (int(exp2[cell] - exp2[cell + 1]) * part)

    rows = np.zeros((_FINE + 1, 1 << _FINE), np.int64)
    sums = []
    for b in range(_FINE + 1):
        # a part is one integer, but from the last octave of the table on it is many, and its middle stands for them
        middle = 2 if b == _FINE else 0
        weights = [power(j * 256 // (1 << b) + middle) for j in range(1 << b)]
        rows[b, : 1 << b] = _round(weights)
        sums.append(sum(weights))
    # octave e has 2^e integers of 2^(-exponent e) times the mean of its parts
    masses = []
    for e in range(OCTAVES):
        cell, part = divmod(e * exponent, 64)
        mass = sums[min(e, _FINE)] << max(e - _FINE, 0)
        masses.append((mass * int(exp2[part]) << 64) >> cell)
    return _round(masses), rows
