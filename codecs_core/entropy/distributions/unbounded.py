"""Codes for integers without an upper bound: Elias gamma and delta, and a power law."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy.bits import MOST as OCTAVES
from codecs_core.entropy.bits import Bits
from codecs_core.entropy.codec import StackCodec
from codecs_core.entropy.combinators import Bijection, Binned, Conditional
from codecs_core.entropy.distribution import common_shape, fitted, integers
from codecs_core.entropy.distributions.categorical import Categorical
from codecs_core.entropy.fixed import in_proportion
from codecs_core.entropy.tables import table
from codecs_core.errors import CorruptDataError, EntropyError

_PRECISION = 28
#: Bits of the mantissa that a power law gives probabilities of their own.
_FINE = 6


class Octaves(Bijection[NDArray[np.int64], tuple[NDArray[np.int64], NDArray[np.int64]]]):
    """Integers from 1 on: the exponent e = floor(log2 x), then the mantissa x - 2^e, given the exponent.

    Parameters
    ----------
    exponent
        Codec of e.
    mantissa
        Function of e: codec of x - 2^e, integers from 0 to 2^e - 1; by default all are equally likely.
    shape
        Of the arrays that are pushed and popped.
    largest
        What is above cannot be pushed.
    """

    def __init__(
        self,
        exponent: StackCodec[Any],
        mantissa: Callable[[NDArray[np.int64]], StackCodec[NDArray[np.int64]]] = Bits,
        *,
        shape: tuple[int, ...],
        largest: int = (1 << OCTAVES) - 1,
    ) -> None:
        self.shape, self.largest = shape, largest
        self._parts = Conditional(exponent, mantissa)
        super().__init__(self._split, _join, self._parts)

    def information(self, x: ArrayLike) -> NDArray[np.float64]:
        """Information content of each integer in bits."""
        exponent, mantissa = self._parts.information(self._split(x))
        return np.asarray(exponent) + np.asarray(mantissa)

    def _split(self, x: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        values = fitted(integers(x, "x", 1, self.largest), self.shape)
        e = exponents(values)
        return e, values - (np.int64(1) << e)


def _join(parts: tuple[NDArray[np.int64], NDArray[np.int64]]) -> NDArray[np.int64]:
    e, mantissa = parts
    x: NDArray[np.int64] = (np.int64(1) << np.asarray(e, np.int64)) + mantissa
    return x


def exponents(values: ArrayLike) -> NDArray[np.int64]:
    """floor(log2 x) of integers from 1 on, by comparisons."""
    powers = np.array([1 << e for e in range(OCTAVES)], np.int64)
    return np.searchsorted(powers, np.asarray(values), side="right").astype(np.int64) - 1


class EliasGamma(Octaves):
    """Integers from 1 on by about 2 floor(log2 x) + 1 bits: p(e) = 2^-(e + 1), then e bits (Elias 1975).

    Parameters
    ----------
    shape
        Of the arrays that are pushed and popped.
    """

    def __init__(self, shape: int | tuple[int, ...] = ()) -> None:
        wanted = common_shape(shape)
        super().__init__(
            Categorical(in_proportion([1 << (OCTAVES - e) for e in range(OCTAVES)], _PRECISION), shape=wanted),
            shape=wanted,
        )


class EliasDelta(Octaves):
    """Integers from 1 on by about log2 x + 2 log2 log2 x bits: e + 1 by `EliasGamma`, then e bits (Elias 1975).

    Parameters
    ----------
    shape
        Of the arrays that are pushed and popped.
    """

    def __init__(self, shape: int | tuple[int, ...] = ()) -> None:
        wanted = common_shape(shape)
        super().__init__(Bijection(_one_more, _exponent, EliasGamma(wanted)), shape=wanted)


def _one_more(e: NDArray[np.int64]) -> NDArray[np.int64]:
    return e + 1


def _exponent(one_more: NDArray[np.int64]) -> NDArray[np.int64]:
    e: NDArray[np.int64] = one_more - 1
    if e.size and int(e.max()) >= OCTAVES:
        raise CorruptDataError(
            f"a popped exponent of {e.max()} is beyond the {OCTAVES} octaves of an integer: the message is damaged"
        )
    return e


class Zipf(Octaves):
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
        wanted = common_shape(shape)
        octaves, self._tables = _zipf_counts(exponent)
        super().__init__(Categorical(octaves, shape=wanted), self._mantissa, shape=wanted)

    def _mantissa(self, e: NDArray[np.int64]) -> Binned:
        fine = np.minimum(e, _FINE)
        return Binned(Categorical(self._tables, index=fine), e - fine)


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
        rows[b, : 1 << b] = in_proportion(weights, _PRECISION)
        sums.append(sum(weights))
    # octave e has 2^e integers of 2^(-exponent e) times the mean of its parts
    masses = []
    for e in range(OCTAVES):
        cell, part = divmod(e * exponent, 64)
        mass = sums[min(e, _FINE)] << max(e - _FINE, 0)
        masses.append((mass * int(exp2[part]) << 64) >> cell)
    return in_proportion(masses, _PRECISION), rows
