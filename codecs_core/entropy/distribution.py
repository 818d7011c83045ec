"""Probability distributions over integers as stack codecs, and the checks that their constructors share."""

from __future__ import annotations

import math
from functools import cached_property
from operator import index
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy.codec import StackCodec
from codecs_core.entropy.kernels import Kernels
from codecs_core.entropy.message import Message
from codecs_core.entropy.rans import THIN, WIDE
from codecs_core.errors import EntropyError
from codecs_core.jit import kernel


class Distribution(StackCodec[NDArray[Any]]):
    """A probability distribution over integers for each element of an array.

    A subclass sets these attributes, `_kernels`, and `_params`: what its kernels take, flat arrays with one element a symbol among it.

    Attributes
    ----------
    shape : tuple of int
        Shape of the arrays that are pushed and popped.
    precision : int
        Probabilities are multiples of 2^-precision.
    symbols : int
        The support is 0 to `symbols` - 1.
    dtype : dtype
        Of the arrays that `pop` returns.
    """

    shape: tuple[int, ...]
    precision: int
    symbols: int
    dtype: ClassVar[Any] = np.int64
    _kernels: Kernels
    _params: tuple[Any, ...]

    def push(self, message: Message, x: ArrayLike) -> None:
        """Push an integer array that broadcasts to `shape`; raises `EntropyError` for symbols outside the support."""
        if self._single:
            try:
                symbol = index(x)  # type: ignore[arg-type]
            except TypeError:  # no single number; the kernel's checks say what it is
                pass
            else:
                message.push_interval(*self._interval(symbol), self.precision)
                return
        push = self._kernels.push if self.precision < 16 else self._kernels.push_precise
        message.push_symbols(push, self._symbols(x), self.precision, self._params, thin=self._thin)

    def pop(self, message: Message) -> NDArray[Any]:
        """Pop an array of `shape`; raises `ExhaustedMessageError` if the message ends before."""
        if self._single:
            return np.array(message.pop_interval(self._find, self.precision), self.dtype)
        out = np.empty(math.prod(self.shape), self.dtype)
        return message.pop_symbols(self._kernels.pop, out, self.precision, self._params, thin=self._thin).reshape(
            self.shape
        )

    def information(self, x: ArrayLike) -> NDArray[np.float64]:
        """Information content of each symbol in bits, under the integer frequencies it is coded with."""
        return np.asarray(self.precision - np.log2(self._frequencies(x), dtype=np.float64))

    def lengths(self, x: ArrayLike) -> NDArray[np.int64]:
        """`information` in integers, in units of 2^-16 bits and at most 3 of them above it: the same on every machine."""
        from codecs_core.entropy.fixed import LOG2_BITS, log2

        return np.asarray((self.precision << LOG2_BITS) - log2(self._frequencies(x)))

    def _frequencies(self, x: ArrayLike) -> NDArray[np.uint32]:
        """The count of each symbol, of 2^precision; raises `EntropyError` for symbols outside the support."""
        symbols = self._symbols(x)
        freqs = np.empty(symbols.size, np.uint32)
        self._kernels.frequencies(symbols, freqs, self._params)
        if not freqs.all():
            raise EntropyError(f"symbol {np.argmin(freqs)} of an array is outside the support of its distribution")
        return freqs.reshape(self.shape)

    #: Whether it is of one symbol, and has the next two methods for it.
    _single: bool = False

    def _interval(self, symbol: int) -> tuple[int, int]:
        """Start and frequency of the one symbol; a frequency of 0 refuses it."""
        raise NotImplementedError

    def _find(self, count: int) -> tuple[int, int, int]:
        """The one symbol whose interval holds `count`, and that interval."""
        raise NotImplementedError

    @cached_property
    def _thin(self) -> bool:
        """Whether a large array is known to hold so little information that lanes would lengthen it."""
        return math.prod(self.shape) >= WIDE and self._rest() < THIN << self.precision

    def _rest(self) -> int | float:
        """The counts that are not those of the likeliest symbol, summed over the array, where that is easily told."""
        return math.inf

    def _symbols(self, x: ArrayLike) -> NDArray[Any]:
        array = np.asarray(x)
        if array.dtype.kind not in "iub":
            raise EntropyError(f"symbols are integers, not {array.dtype}")
        array = fitted(array, self.shape)
        # kernels are compiled for three dtypes of symbols
        array = array.view(np.uint8) if array.dtype == np.bool_ else array
        narrow = array.dtype in (np.uint8, np.int32, np.int64) and array.dtype.isnative
        return np.ascontiguousarray(array, array.dtype if narrow else np.int64).reshape(-1)


def integers(value: ArrayLike, name: str, low: int, high: int, dtype: Any = np.int64) -> NDArray[Any]:
    """`value` as an integer array; raises `EntropyError` for other dtypes (NaN among them) and values outside [low, high]."""
    array = np.asarray(value)
    if array.dtype.kind not in "iub":
        raise EntropyError(f"{name} is an array of integers, not of {array.dtype}")
    if array.size >= _MANY and array.dtype in (np.int64, np.int32, np.uint32) and array.flags.c_contiguous:
        # one pass instead of three, and no copy of what has the right type already
        same = array.dtype == dtype
        narrow = array if same else np.empty(array.shape, dtype)
        if (_within if same else _narrow)(array.reshape(-1), narrow.reshape(-1), low, high):
            return narrow
    if array.size and (int(array.min()) < low or int(array.max()) > high):
        raise EntropyError(f"{name} holds {array.min()} to {array.max()}; expected {low} to {high}")
    return np.asarray(array, dtype)


_MANY = 4096


@kernel
def _within(array, _, low, high):
    """Whether all is within [low, high]."""
    outside = 0
    for i in range(array.size):
        outside |= (array[i] < low) | (array[i] > high)
    return outside == 0


@kernel
def _narrow(array, out, low, high):
    """Copy into a narrower type; returns whether all was within [low, high]."""
    outside = 0
    for i in range(array.size):
        outside |= (array[i] < low) | (array[i] > high)
        out[i] = array[i]
    return outside == 0


def fitted(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Symbols broadcast to the shape of their distribution; raises `EntropyError` where they cannot be."""
    if array.shape == shape:
        return array
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise EntropyError(f"symbols of shape {array.shape} do not fit a distribution of {shape}") from None


def flat(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """`array` broadcast to `shape` and flattened, as kernels take it."""
    return np.ascontiguousarray(np.broadcast_to(array, shape)).reshape(-1)


def common_shape(shape: int | tuple[int, ...] | None, *arrays: NDArray[Any]) -> tuple[int, ...]:
    """The shape given, or the one the parameters broadcast to; raises `EntropyError` where they do not."""
    try:
        implied = np.broadcast_shapes(*(a.shape for a in arrays))
        if shape is None:
            return implied
        wanted = (shape,) if isinstance(shape, int) else tuple(shape)
        if np.broadcast_shapes(implied, wanted) != wanted:
            raise ValueError
    except ValueError:
        raise EntropyError(
            f"parameters of shapes {', '.join(str(a.shape) for a in arrays)} do not broadcast"
            + ("" if shape is None else f" to {shape}")
        ) from None
    return wanted
