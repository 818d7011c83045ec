"""A codec author's own distribution: one compiled function, the integer CDF, gives push and pop at native speed."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numba.core.dispatcher import Dispatcher
from numba.np.unsafe.ndarray import to_fixed_tuple
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy.adaptive import Adaptive, make_adaptive
from codecs_core.entropy.distribution import Distribution, common_shape, flat, integers
from codecs_core.entropy.kernels import from_cdf
from codecs_core.entropy.message import check_precision
from codecs_core.errors import EntropyError
from codecs_core.jit import PLAIN, inline


class Family(Protocol):
    """What `distribution` makes: a class of distributions, whose constructor takes the parameters of a CDF."""

    symbols: int
    precision: int

    def __call__(
        self, *parameters: ArrayLike, shape: int | tuple[int, ...] | None = None, **state: ArrayLike
    ) -> Distribution:
        """The distribution with these parameters, integer arrays that broadcast."""
        ...


def distribution(
    cdf: Callable[..., int], *, symbols: int, precision: int, update: Callable[..., None] | None = None
) -> Family:
    """Make a distribution class of an integer cumulative distribution function.

    Parameters
    ----------
    cdf
        ``cdf(k, *parameters)``: how many of the 2^precision counts lie below symbol k. A function that Numba can compile, or has
        compiled. For all parameters ``cdf(0) = 0``, ``cdf(symbols) = 2**precision``, and it never falls; a symbol of count 0 cannot be
        pushed. It takes and returns int64 and, as encoder and decoder must agree on every machine, uses integers, or ``+ - * / sqrt`` of
        floats, only.
    symbols
        The support is 0 to `symbols` - 1.
    precision
        Bits, at most 28.
    update
        Of a distribution that learns from each symbol before it codes the next: ``update(k, state, *parameters)``, compiled like `cdf`,
        changes `state`, an array, once symbol k is known. `cdf` is then ``cdf(k, state, *parameters)``.

    Returns
    -------
    type
        A `Distribution` whose constructor takes the parameters (integer arrays that broadcast) in the order of `cdf`, and ``shape=``; with
        `update` also ``state=``, the array that each call of `push` and of `pop` begins with, in a copy.

    Examples
    --------
    >>> def cdf(k, peak):  # a triangle
    ...     return (k * k << 16) // (peak * peak) if k < peak else 1 << 16
    """
    for name, function in {"cdf": cdf, **({"update": update} if update else {})}.items():
        if not isinstance(function, Dispatcher) and not inspect.isfunction(function):
            raise EntropyError(f"{name} must be a function that Numba can compile, got {function!r}")
    if not isinstance(symbols, int) or symbols < 1:
        raise EntropyError(f"symbols must be an integer from 1 on, got {symbols!r}")
    check_precision(precision, symbols)
    made: Family = _learning(cdf, update, symbols) if update else _fixed(cdf, symbols)
    made.symbols, made.precision = symbols, precision
    return made


def _fixed(cdf: Any, symbols: int) -> Any:
    """A distribution whose parameters are all that it depends on."""
    names, compiled, arguments = _names(cdf, 1), inline(_plain(cdf)), _arguments(_names(cdf, 1))

    @inline
    def at(k, i, params):
        return np.uint64(compiled(k, *arguments(i, params)))

    class Custom(Distribution):
        _kernels = from_cdf(at)

        def __init__(self, *parameters: ArrayLike, shape: int | tuple[int, ...] | None = None) -> None:
            self.shape, columns = _columns(names, parameters, shape)
            self._params = (np.int64(symbols), columns)

    return Custom


def _learning(cdf: Any, update: Any, symbols: int) -> Any:
    """A distribution with a state that changes after each symbol."""
    names, arguments = _names(cdf, 2), _arguments(_names(cdf, 2))
    if _names(update, 2) != names:
        raise EntropyError(
            f"update must take the parameters of cdf, {', '.join(names)}, got {', '.join(_names(update, 2))}"
        )
    compiled, changes = inline(_plain(cdf)), inline(_plain(update))

    @inline
    def at(k, i, params):
        return np.uint64(compiled(k, params[2], *arguments(i, params)))

    @inline
    def learn(symbol, i, params):
        changes(symbol, params[2], *arguments(i, params))

    class Custom(Adaptive):
        _adaptive = make_adaptive(at, learn)

        def __init__(
            self, *parameters: ArrayLike, state: ArrayLike, shape: int | tuple[int, ...] | None = None
        ) -> None:
            self.shape, self._columns = _columns(names, parameters, shape)
            self._state = np.array(state)

        def _start(self) -> tuple[Any, ...]:
            return np.int64(symbols), self._columns, self._state.copy()

    return Custom


def _plain(function: Any) -> Any:
    return getattr(function, "py_func", function)


def _names(function: Any, skip: int) -> list[str]:
    """The names of a function's parameters but for the first ones."""
    return list(inspect.signature(_plain(function)).parameters)[skip:]


def _arguments(names: list[str]) -> Any:
    """Compiled ``arguments(i, params)``: the parameters at position i as a tuple."""
    count, unpack = len(names), _tuple if PLAIN else to_fixed_tuple

    @inline
    def arguments(i, params):
        return unpack(params[1][i], count)  # type: ignore[call-arg]

    return arguments


def _columns(
    names: list[str], parameters: tuple[ArrayLike, ...], shape: int | tuple[int, ...] | None
) -> tuple[tuple[int, ...], NDArray[np.int64]]:
    """The shape of the symbols, and their parameters, a row a symbol."""
    if len(parameters) != len(names):
        raise EntropyError(
            f"this distribution takes {len(names)} parameters, {', '.join(names)}; {len(parameters)} were given"
        )
    limit = np.iinfo(np.int64)
    arrays = [integers(p, n, limit.min, limit.max) for n, p in zip(names, parameters, strict=True)]
    common = common_shape(shape, *arrays)
    columns = [flat(a, common) for a in arrays]
    return common, np.stack(columns, 1) if columns else np.zeros((math.prod(common), 0), np.int64)


def _tuple(row: Any, count: int) -> tuple[Any, ...]:
    return tuple(row)
