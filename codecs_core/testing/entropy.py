"""Checks of what authors build of the entropy engine: their own distributions, and their own stack codecs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from codecs_core.entropy import Message, StackCodec, Uniform
from codecs_core.jit import inline
from codecs_core.testing.subject import require

T = TypeVar("T")


def check_cdf(cdf: Callable[..., int], *parameters: Any, symbols: int, precision: int, every: bool = True) -> None:
    """Raise AssertionError unless a function is an integer cumulative distribution function, for these parameters.

    Parameters
    ----------
    cdf
        As `codecs_core.entropy.distribution` takes it.
    *parameters
        What it takes after the symbol: numbers.
    symbols, precision
        As for `distribution`.
    every
        Whether each symbol must have a count, so that it can be pushed.

    Examples
    --------
    >>> for mean in (-1000, 0, 255):
    ...     check_cdf(heavy_tailed, mean, 3, symbols=256, precision=24)
    """
    given = f"with the parameters {', '.join(map(str, parameters))}" if parameters else "without parameters"
    plain, compiled = getattr(cdf, "py_func", cdf), inline(getattr(cdf, "py_func", cdf))
    edges = [compiled(k, *parameters) for k in range(symbols + 1)]
    for k, edge in enumerate(edges):
        whole = isinstance(edge, int | np.integer) and not isinstance(edge, bool)
        require(whole, f"cdf({k}) is {edge!r} {given}; it must be an integer")
        exact = plain(k, *parameters)
        require(
            edge == exact, f"cdf({k}) is {edge} {given} where Python has {exact}; nothing may leave 64 bits on the way"
        )
    require(edges[0] == 0, f"cdf(0) is {edges[0]} {given}; it must be 0")
    require(edges[-1] == 1 << precision, f"cdf({symbols}) is {edges[-1]} {given}; it must be {1 << precision}")
    least = 1 if every else 0
    for k in range(symbols):
        grown = edges[k + 1] - edges[k]
        wrong = "falls" if grown < 0 else "gives no count"
        require(grown >= least, f"cdf {wrong} from symbol {k} to {k + 1} {given}: {edges[k]} and {edges[k + 1]}")


def check_stack_codec(codec: StackCodec[T], symbols: Sequence[T], *, bits: float = 16.0) -> None:
    """Raise AssertionError unless `push` and `pop` of a codec are exact inverses, and its information is what a message grows by.

    Parameters
    ----------
    codec
        What is checked.
    symbols
        Symbols that it takes: numbers, arrays, or tuples of them.
    bits
        By how much the growth of a message may differ from `codec.bits`, beside a thousandth of it.
    """
    for number, x in enumerate(symbols):
        for words in (0, 200):
            where = f"symbol {number} on {'a long' if words else 'an empty'} message"
            message = _filled(words)
            before = message.bits
            codec.push(message, x)
            grown, expected = message.bits - before, codec.bits(x)
            received = Message.from_bytes(message.to_bytes())
            found = codec.pop(received)
            require(_alike(found, x), f"{where}: popped {found!r} where {x!r} was pushed")
            rest = Uniform(1 << 16, words)
            require(_alike(rest.pop(received), rest.pop(_filled(words))), f"{where}: what lay beneath has changed")
            received.verify_end()
            near = abs(grown - expected) <= bits + abs(expected) / 1000
            require(near, f"{where}: the message grew by {grown:.1f} bits, and the codec says {expected:.1f}")


def _filled(words: int) -> Message:
    message = Message()
    Uniform(1 << 16, words).push(message, np.arange(words) * 40503 % 65536)
    return message


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, tuple | list) or isinstance(b, tuple | list):
        if isinstance(a, tuple | list) and isinstance(b, tuple | list) and len(a) == len(b):
            return all(_alike(one, other) for one, other in zip(a, b, strict=True))
        return np.array_equal(np.asarray(a), np.asarray(b))
    return np.array_equal(np.asarray(a), np.asarray(b))
