"""A codec author's own distribution: one compiled function, the integer CDF, gives push and pop at native speed."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher
from numba.np.unsafe.ndarray import to_fixed_tuple
from numpy.typing import ArrayLike

from codecs_core.entropy.compiled import PLAIN, inline
from codecs_core.entropy.distribution import Distribution, common_shape, flat, integers
from codecs_core.entropy.kernels import from_cdf
from codecs_core.entropy.message import check_precision
from codecs_core.errors import EntropyError


def distribution(cdf: Any, *, symbols: int, precision: int) -> type[Distribution]:
    """Make a distribution class of an integer cumulative distribution function.

    Parameters
    ----------
    cdf
        ``cdf(k, *parameters)``, compiled by ``numba.njit``: how many of the 2^precision counts lie below symbol k. For all
        parameters ``cdf(0) = 0``, ``cdf(symbols) = 2**precision``, and it never falls; a symbol of count 0 cannot be pushed. It takes and
        returns int64 and, as encoder and decoder must agree on every machine, uses integers, or ``+ - * / sqrt`` of floats, only.
    symbols
        The support is 0 to `symbols` - 1.
    precision
        Bits, at most 28.

    Returns
    -------
    type
        A `Distribution` whose constructor takes the parameters (integer arrays that broadcast) in the order of `cdf`, and ``shape=``.

    Examples
    --------
    >>> @numba.njit
    ... def cdf(k, peak):  # a triangle
    ...     return (k * k << 16) // (peak * peak) if k < peak else 1 << 16
    """
    if not isinstance(cdf, Dispatcher) and not (PLAIN and inspect.isfunction(cdf)):
        raise EntropyError("cdf is a function compiled by numba.njit")
    if not isinstance(symbols, int) or symbols < 1:
        raise EntropyError(f"symbols is an integer from 1 on, not {symbols!r}")
    check_precision(precision, symbols)
    function = getattr(cdf, "py_func", cdf)
    names = list(inspect.signature(function).parameters)[1:]
    count = len(names)
    compiled = inline(function)
    unpack = _tuple if PLAIN else to_fixed_tuple

    @inline
    def at(k, i, params):  # type: ignore[no-untyped-def]
        return np.uint64(compiled(k, *unpack(params[1][i], count)))  # type: ignore[call-arg]

    kernels = from_cdf(at)

    class Custom(Distribution):
        _kernels = kernels

        def __init__(self, *parameters: ArrayLike, shape: int | tuple[int, ...] | None = None) -> None:
            if len(parameters) != count:
                raise EntropyError(
                    f"this distribution takes {count} parameters, {', '.join(names)}; {len(parameters)} were given"
                )
            limit = np.iinfo(np.int64)
            arrays = [integers(p, n, limit.min, limit.max) for n, p in zip(names, parameters, strict=True)]
            self.symbols, self.precision = symbols, precision
            self.shape = common_shape(shape, *arrays)
            columns = [flat(a, self.shape) for a in arrays]
            size = int(np.prod(self.shape, dtype=np.int64))
            self._params = (np.int64(symbols), np.stack(columns, 1) if columns else np.zeros((size, 0), np.int64))

    return Custom


def _tuple(row: Any, count: int) -> tuple[Any, ...]:
    return tuple(row)
