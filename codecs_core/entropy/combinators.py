"""Larger stack codecs from smaller ones. All are exact inverses by construction: `pop` undoes the steps of `push` in reverse order.

A message is a stack, so what is to be popped first is pushed last. Every combinator pushes its last part first, while models
that look at what came before run from the first part to the last.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Generic, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy.bits import Bits
from codecs_core.entropy.codec import Information, StackCodec, total
from codecs_core.entropy.message import Message
from codecs_core.errors import EntropyError

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")


class Serial(StackCodec[T]):
    """A tuple of independent symbols, each by its own codec; the first ends on top.

    Parameters
    ----------
    codecs
        One for each element of the tuple.
    """

    @overload
    def __init__(self: Serial[tuple[A]], a: StackCodec[A], /) -> None: ...
    @overload
    def __init__(self: Serial[tuple[A, B]], a: StackCodec[A], b: StackCodec[B], /) -> None: ...
    @overload
    def __init__(self: Serial[tuple[A, B, C]], a: StackCodec[A], b: StackCodec[B], c: StackCodec[C], /) -> None: ...
    @overload
    def __init__(
        self: Serial[tuple[A, B, C, D]], a: StackCodec[A], b: StackCodec[B], c: StackCodec[C], d: StackCodec[D], /
    ) -> None: ...
    @overload
    def __init__(self: Serial[tuple[Any, ...]], *codecs: StackCodec[Any]) -> None: ...
    def __init__(self, *codecs: StackCodec[Any]) -> None:
        self.codecs = codecs

    def push(self, message: Message, x: T) -> None:
        """Push the elements of `x`, the last one first; raises `EntropyError` unless it has one for each codec."""
        for codec, element in zip(reversed(self.codecs), reversed(self._elements(x)), strict=True):
            codec.push(message, element)

    def pop(self, message: Message) -> T:
        """Pop the elements, the first one first."""
        return tuple(codec.pop(message) for codec in self.codecs)  # type: ignore[return-value]

    def information(self, x: T) -> tuple[Information, ...]:
        """Information content of each element."""
        return tuple(codec.information(e) for codec, e in zip(self.codecs, self._elements(x), strict=True))

    def _elements(self, x: Any) -> Sequence[Any]:
        if len(x) != len(self.codecs):
            raise EntropyError(f"a tuple of {len(x)} symbols for {len(self.codecs)} codecs")
        elements: Sequence[Any] = x
        return elements


class Conditional(StackCodec[tuple[A, B]]):
    """Two symbols, the second depending on the first: p(a, b) = p(a) p(b | a). The first ends on top.

    Parameters
    ----------
    first
        Codec of a.
    second
        Function of a: codec of b given a.

    Examples
    --------
    >>> Conditional(Uniform(63), lambda width: Bits(width))
    """

    def __init__(self, first: StackCodec[A], second: Callable[[A], StackCodec[B]]) -> None:
        self.first, self.second = first, second

    def push(self, message: Message, x: tuple[A, B]) -> None:
        """Push b given a, then a."""
        a, b = x
        self.second(a).push(message, b)
        self.first.push(message, a)

    def pop(self, message: Message) -> tuple[A, B]:
        """Pop a, then b given a."""
        a = self.first.pop(message)
        return a, self.second(a).pop(message)

    def information(self, x: tuple[A, B]) -> tuple[Information, Information]:
        """Information content of a, and of b given a."""
        a, b = x
        return self.first.information(a), self.second(a).information(b)


class Autoregressive(StackCodec[tuple[T, ...]]):
    """Symbols that each depend on those before them: p(x) = p(x_1) p(x_2 | x_1) p(x_3 | x_1, x_2) ... The first ends on top.

    The model is a generator. It yields the codec of a symbol, receives the symbol, and so on until it returns. It runs forward in
    both directions: to push, it is asked for all codecs first, and then the last symbol is pushed first.

    Parameters
    ----------
    model
        Function without arguments that starts the generator.

    Examples
    --------
    A first-order Markov chain of ten symbols:

    >>> def chain():
    ...     last = 0
    ...     for _ in range(10):
    ...         last = yield Categorical(counts[last])
    >>> Autoregressive(chain)
    """

    def __init__(self, model: Callable[[], Generator[StackCodec[T], T, None]]) -> None:
        self.model = model

    def push(self, message: Message, x: Sequence[T]) -> None:
        """Push a sequence, the last symbol first; raises `EntropyError` unless it is as long as the model says."""
        for codec, symbol in reversed(self._steps(x)):
            codec.push(message, symbol)

    def pop(self, message: Message) -> tuple[T, ...]:
        """Pop the symbols, the first one first."""
        symbols: list[T] = []
        model = self.model()
        codec = next(model, None)
        while codec is not None:
            symbols.append(codec.pop(message))
            codec = _after(model, symbols[-1])
        return tuple(symbols)

    def information(self, x: Sequence[T]) -> tuple[Information, ...]:
        """Information content of each symbol given those before."""
        return tuple(codec.information(symbol) for codec, symbol in self._steps(x))

    def _steps(self, x: Sequence[T]) -> list[tuple[StackCodec[T], T]]:
        """Each symbol and its codec."""
        steps: list[tuple[StackCodec[T], T]] = []
        model = self.model()
        codec = next(model, None)
        for symbol in x:
            if codec is None:
                break
            steps.append((codec, symbol))
            codec = _after(model, symbol)
        if codec is not None or len(steps) != len(x):
            more = "more" if codec is not None else str(len(steps))
            raise EntropyError(f"a sequence of {len(x)} symbols for a model of {more}")
        return steps


def _after(model: Generator[StackCodec[T], T, None], symbol: T) -> StackCodec[T] | None:
    """The codec of the symbol after this one, or None where it was the last."""
    try:
        return model.send(symbol)
    except StopIteration:
        return None


class Binned(StackCodec[NDArray[np.int64]]):
    """Integers by their high bits, which follow a codec, and their low bits, over which all values are equally likely.

    A bin is 2^low_bits integers wide. Where the density hardly changes within a bin this costs next to nothing, and the codec
    of the bins has a support that is 2^low_bits times smaller.

    Parameters
    ----------
    coarse
        Codec of ``x >> low_bits``.
    low_bits
        Integers from 0 to 62, broadcast to the shape of x.
    """

    def __init__(self, coarse: StackCodec[Any], low_bits: ArrayLike) -> None:
        self.coarse, self.low_bits = coarse, np.asarray(low_bits, np.int64)

    def push(self, message: Message, x: NDArray[np.int64]) -> None:
        """Push the low bits, then the high ones."""
        self._low(x.shape).push(message, x & ((np.int64(1) << self.low_bits) - 1))
        self.coarse.push(message, x >> self.low_bits)

    def pop(self, message: Message) -> NDArray[np.int64]:
        """Pop the high bits, then the low ones."""
        high = np.asarray(self.coarse.pop(message), np.int64)
        x: NDArray[np.int64] = (high << self.low_bits) + self._low(high.shape).pop(message)
        return x

    def information(self, x: NDArray[np.int64]) -> NDArray[np.float64]:
        """Information content of each integer, where the codec of the bins tells them apart."""
        high = self.coarse.information(x >> self.low_bits)
        low = self._low(np.shape(x)).information(x)
        if isinstance(high, tuple) or high.shape != low.shape:
            return np.asarray(total(high) + low.sum())
        return high + low

    def _low(self, shape: tuple[int, ...]) -> Bits:
        bits = self.low_bits
        return Bits(
            np.full(shape, bits) if bits.ndim == 0 else bits if bits.shape == shape else np.broadcast_to(bits, shape)
        )


class Bijection(StackCodec[A], Generic[A, B]):
    """A symbol coded as its image under an invertible map: Hoogeboom et al. 2019, integer discrete flows.

    Parameters
    ----------
    forward, inverse
        Functions of x and of z, exact inverses of each other.
    base
        Codec of z = forward(x).
    """

    def __init__(self, forward: Callable[[A], B], inverse: Callable[[B], A], base: StackCodec[B]) -> None:
        self.forward, self.inverse, self.base = forward, inverse, base

    def push(self, message: Message, x: A) -> None:
        """Push the image of x."""
        self.base.push(message, self.forward(x))

    def pop(self, message: Message) -> A:
        """Pop an image and map it back."""
        return self.inverse(self.base.pop(message))

    def information(self, x: A) -> Information:
        """Information content of the image of x, in the form that `base` gives it."""
        return self.base.information(self.forward(x))


class BitsBack(StackCodec[A], Generic[A, B]):
    """Latent variable models by bits-back coding: Townsend, Bird, Barber 2019, "Practical lossless compression", section 2.

    Parameters
    ----------
    prior
        Codec of the latent z.
    likelihood
        Function of z: codec of x given z.
    posterior
        Function of x: codec of z given x.
    """

    def __init__(
        self,
        prior: StackCodec[B],
        likelihood: Callable[[B], StackCodec[A]],
        posterior: Callable[[A], StackCodec[B]],
    ) -> None:
        self.prior, self.likelihood, self.posterior = prior, likelihood, posterior

    def push(self, message: Message, x: A) -> None:
        """Sample z from the posterior with bits of the message, then push x and z."""
        z = self.posterior(x).pop(message)
        self.likelihood(z).push(message, x)
        self.prior.push(message, z)

    def pop(self, message: Message) -> A:
        """Pop z and x, and give the bits of z back."""
        z = self.prior.pop(message)
        x = self.likelihood(z).pop(message)
        self.posterior(x).push(message, z)
        return x

    def information(self, x: A) -> NDArray[np.float64]:
        """The negative evidence bound, -log2 p(x | z) p(z) / q(z | x), of shape (), with the z that a new message gives."""
        return np.asarray(self.push_counted(Message(), x))

    def push_counted(self, message: Message, x: A) -> float:
        """Push x and return the negative evidence bound in bits."""
        posterior = self.posterior(x)
        z = posterior.pop(message)
        bits = self.likelihood(z).push_counted(message, x) - posterior.bits(z)
        return bits + self.prior.push_counted(message, z)


def ramp(items: int, batch: int, part: int = 4) -> list[int]:
    """Batch sizes of a `Chain`. Each is 1 / `part` of the items coded so far, within [1, batch]; they add up to `items`."""
    sizes: list[int] = []
    done = 0
    while done < items:
        sizes.append(min(max(1, done // part), batch, items - done))
        done += sizes[-1]
    return sizes


class Chain(StackCodec[NDArray[Any]]):
    """Items of an array, coded in batches on one message, so that each batch finds its bits-back seeds in those before.

    The first batch is paid for with seed words, so it has one item, and the next ones grow slowly (`ramp`): a batch draws no
    seeds as long as an item's posterior takes less than `part` times the bits that an item adds.

    Parameters
    ----------
    codec
        Function of n: codec of an array of n items.
    items
        Length of the first axis.
    batch
        The most items of a step. It changes the bitstream, not only the memory that coding takes, and so does `part`.
    part
        A step has at most 1/`part` of the number of items coded before it: a quarter, unless posteriors are very precise.
    """

    def __init__(self, codec: Callable[[int], StackCodec[Any]], items: int, batch: int, part: int = 4) -> None:
        self.codec, self.sizes = codec, ramp(items, batch, part)
        self.items = items

    def push(self, message: Message, x: NDArray[Any]) -> None:
        """Push an array, its last items first."""
        for codec, batch in self._steps(x):
            codec.push(message, batch)

    def pop(self, message: Message) -> NDArray[Any]:
        """Pop an array, its first items first."""
        if not self.items:  # nothing was pushed: another message says what the array would look like
            return np.asarray(self.codec(0).pop(Message()))
        return np.concatenate([self.codec(size).pop(message) for size in reversed(self.sizes)])

    def information(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Information content of all items together, of shape (), with the latents that coding them samples."""
        message = Message()
        return np.asarray(sum(codec.push_counted(message, batch) for codec, batch in self._steps(x)), np.float64)

    def _steps(self, x: NDArray[Any]) -> Generator[tuple[StackCodec[Any], NDArray[Any]], None, None]:
        """Each batch and its codec, the last items first."""
        stop = self.items
        for size in self.sizes:
            yield self.codec(size), x[stop - size : stop]
            stop -= size
