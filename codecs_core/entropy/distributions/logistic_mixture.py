"""Mixtures of discretised logistics: of one channel, and of several with the component in common (PixelCNN++)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy.compiled import inline, kernel
from codecs_core.entropy.distributions.location_scale import (
    MEAN_LIMIT,
    SCALE_RANGE,
    interpolate,
    reciprocal,
    standard_cdf,
    standard_pair,
)
from codecs_core.entropy.distributions.softmax import softmax
from codecs_core.entropy.kernels import from_cdf
from codecs_core.entropy.message import Message, check_precision
from codecs_core.entropy.stack import Distribution, StackCodec, integers
from codecs_core.entropy.tables import table
from codecs_core.errors import EntropyError

_CELL_BITS = 18
_MIDDLE, _TOP = 2048 << _CELL_BITS, (4096 << _CELL_BITS) - 1


@inline
def _cdf(k, i, params):  # type: ignore[no-untyped-def]
    n, weights, means, log_scales, cdf, _, exp2, precision, _, _ = params
    if k <= 0:
        return np.uint64(0)
    if k >= n:
        return np.uint64(1) << precision
    # until the weights, which add up to 2^16, are used up: a loop that is not turned into slow gathers
    below, c, left = np.int64(0), np.uint64(0), np.int64(1 << 16)
    while left > 0:
        weight = np.int64(weights[i, c])
        below += weight * standard_cdf(k, means[i, c], log_scales[i, c], cdf, _CELL_BITS, exp2)
        left -= weight
        c += np.uint64(1)
    return ((np.uint64(below >> 16) * ((np.uint64(1) << precision) - np.uint64(n))) >> np.uint64(32)) + np.uint64(k)


@inline
def _pair(k, i, params):  # type: ignore[no-untyped-def]
    n, weights, means, log_scales, cdf, _, exp2, precision, _, _ = params
    low, high, c, left = np.int64(0), np.int64(0), np.uint64(0), np.int64(1 << 16)
    while left > 0:
        weight = np.int64(weights[i, c])
        a, b = standard_pair(k, means[i, c], log_scales[i, c], cdf, _CELL_BITS, exp2)
        low += weight * a
        high += weight * b
        left -= weight
        c += np.uint64(1)
    rest = (np.uint64(1) << precision) - np.uint64(n)
    start = ((np.uint64(low >> 16) * rest) >> np.uint64(32)) + np.uint64(k)
    stop = ((np.uint64(high >> 16) * rest) >> np.uint64(32)) + np.uint64(k + 1)
    return start if k > 0 else np.uint64(0), stop if k < n - 1 else np.uint64(1) << precision


@inline
def _window(k, i, params):  # type: ignore[no-untyped-def]
    n, weights, means, log_scales, cdf, _, exp2, precision, _, _ = params
    a, b, c, d = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    component, left = np.uint64(0), np.int64(1 << 16)
    while left > 0:
        weight = np.int64(weights[i, component])
        multiplier, shift = reciprocal(log_scales[i, component], exp2)
        at = (((k - 1) << 8) - 128 - np.int64(means[i, component])) * multiplier + (_MIDDLE << shift)
        width = multiplier << 8
        p, q, r, s = at >> shift, (at + width) >> shift, (at + 2 * width) >> shift, (at + 3 * width) >> shift
        if p < 0 or s > _TOP:
            p, q = min(max(p, 0), _TOP), min(max(q, 0), _TOP)
            r, s = min(max(r, 0), _TOP), min(max(s, 0), _TOP)
        a += weight * interpolate(p, cdf, _CELL_BITS)
        b += weight * interpolate(q, cdf, _CELL_BITS)
        c += weight * interpolate(r, cdf, _CELL_BITS)
        d += weight * interpolate(s, cdf, _CELL_BITS)
        left -= weight
        component += np.uint64(1)
    rest = (np.uint64(1) << precision) - np.uint64(n)
    return (
        _ends(k - 1, n, ((np.uint64(a >> 16) * rest) >> np.uint64(32)) + np.uint64(k - 1), precision),
        _ends(k, n, ((np.uint64(b >> 16) * rest) >> np.uint64(32)) + np.uint64(k), precision),
        _ends(k + 1, n, ((np.uint64(c >> 16) * rest) >> np.uint64(32)) + np.uint64(k + 1), precision),
        _ends(k + 2, n, ((np.uint64(d >> 16) * rest) >> np.uint64(32)) + np.uint64(k + 2), precision),
    )


@inline
def _ends(k, n, value, precision):  # type: ignore[no-untyped-def]
    """The CDF at k: 0 up to the support and 2^precision beyond it, whatever the tails say."""
    value = np.uint64(0) if k <= 0 else value
    return np.uint64(1) << precision if k >= n else value


@inline
def _guess(count, i, params):  # type: ignore[no-untyped-def]
    """The quantile of the one logistic that has the mixture's mean and variance."""
    cell = (count << np.uint64(10)) >> params[7]
    return (params[8][i] + ((params[5][cell] * params[9][i]) >> 24) + 128) >> 8


@kernel
def _moments(weights, means, log_scales, exp2, centres, spreads):  # type: ignore[no-untyped-def]
    """Mean, and scale of a logistic of the same variance, of each mixture in units of 2^-8: for guesses, so floats will do."""
    size, components = weights.shape
    for i in range(size):
        mean, square = 0.0, 0.0
        for c in range(components):
            weight, m = weights[i, c] / 65536.0, np.float64(means[i, c])
            octave, rest = log_scales[i, c] >> 6, log_scales[i, c] & 63
            scale = np.float64(exp2[64 - rest]) * 2.0**-7 * np.float64(np.int64(1) << (octave + 6)) / 64.0
            mean += weight * m
            # the variance of a logistic is 3.29 times its squared scale
            square += weight * (3.29 * scale * scale + m * m)
        centres[i] = np.int32(mean)
        spreads[i] = np.int32(min(np.sqrt(max(square - mean * mean, 0.0) / 3.29), 2.0**30))


@kernel
def _condition(symbols, n, weights, means, log_scales, cdf, exp2, out):  # type: ignore[no-untyped-def]
    """Weights of the components once a symbol is known: w p(symbol), normalised to 2^16 again."""
    size, components = weights.shape
    for i in range(size):
        k = np.int64(symbols[i])
        total = np.int64(0)
        largest = 0
        for c in range(components):
            weight = np.int64(weights[i, c])
            low = standard_cdf(k, means[i, c], log_scales[i, c], cdf, _CELL_BITS, exp2) if k > 0 else np.int64(0)
            high = np.int64(1) << 32
            if k < n - 1:
                high = standard_cdf(k + 1, means[i, c], log_scales[i, c], cdf, _CELL_BITS, exp2)
            # one more, so that no component is ever ruled out by the limits of the table
            out[i, c] = (weight * (high - low) >> 16) + 1
            total += out[i, c]
            if out[i, c] > out[i, largest]:
                largest = c
        rest = np.int64(1) << 16
        for c in range(components):
            out[i, c] = (out[i, c] << 16) // total
            rest -= out[i, c]
        out[i, largest] += rest


class LogisticMixture(Distribution):
    """A mixture of discretised logistics over bins 0 to `symbols` - 1; the outer bins take in the tails.

    Parameters
    ----------
    logits
        Weights before the softmax, to base 2 and in units of 1/64: integers of shape (*shape, components).
    means, log_scales
        As in `DiscretizedLogistic`, of the same shape.
    symbols
        Bins, at most 2^20.
    precision
        Bits, at most 28.
    """

    dtype = np.int32
    _kernels = from_cdf(_cdf, _guess, _pair, _window)

    def __init__(
        self,
        logits: ArrayLike,
        means: ArrayLike,
        log_scales: ArrayLike,
        *,
        symbols: int = 256,
        precision: int = 24,
    ) -> None:
        z = integers(logits, "logits", -(1 << 30), 1 << 30, np.int32)
        if z.ndim < 1 or z.shape[-1] < 1 or z.shape != np.shape(means) or z.shape != np.shape(log_scales):
            raise EntropyError(
                f"logits, means and log_scales of shapes {z.shape}, {np.shape(means)} and {np.shape(log_scales)} "
                "are not alike with the components as their last axis"
            )
        self._set(softmax(z.reshape(-1, z.shape[-1])), z.shape, means, log_scales, symbols, precision)

    def _set(
        self,
        weights: NDArray[np.uint32],
        shape: tuple[int, ...],
        means: ArrayLike,
        log_scales: ArrayLike,
        symbols: int,
        precision: int,
    ) -> None:
        if not isinstance(symbols, int) or not 1 <= symbols <= 1 << 20:
            raise EntropyError(f"symbols is an integer from 1 to {1 << 20}, not {symbols!r}")
        self.symbols, self.precision, self.shape = symbols, check_precision(precision, symbols), shape[:-1]
        m = np.ascontiguousarray(integers(means, "means", -MEAN_LIMIT, MEAN_LIMIT, np.int32)).reshape(-1, shape[-1])
        s = np.ascontiguousarray(integers(log_scales, "log_scales", *SCALE_RANGE, np.int32)).reshape(-1, shape[-1])
        exp2 = table("exp2_negative")
        centres, spreads = np.empty((2, len(m)), np.int32)
        _moments(weights, m, s, exp2, centres, spreads)
        cdf, quantiles = table("logistic_cdf"), table("logistic_quantile")
        self._params = (np.int64(symbols), weights, m, s, cdf, quantiles, exp2, np.uint64(precision), centres, spreads)

    def condition(self, x: NDArray[Any]) -> NDArray[np.uint32]:
        """Weights of the components, in units of 2^-16, once `x` is known: shape (size, components)."""
        n, weights, means, log_scales, cdf, _, exp2, _, _, _ = self._params
        out = np.empty(weights.shape, np.int64)  # sums of products need the room; the weights themselves do not
        _condition(self._symbols(x), n, weights, means, log_scales, cdf, exp2, out)
        return out.astype(np.uint32)


class ChannelMixture(StackCodec):
    """Pixels of several channels by a mixture whose component they share, each mean shifted by the channels before.

    Salimans et al. 2017 (PixelCNN++, arXiv:1701.05517), section 2.1 and 2.2: p(r, g, b) = sum over c of
    w_c p_c(r) p_c(g | r) p_c(b | r, g). Channels are coded one after the other; the weights of the next are those of
    the components given the symbols so far.

    Parameters
    ----------
    logits
        Shape (*shape, components), as in `LogisticMixture`.
    means, log_scales
        Shape (*shape, channels, components).
    coefficients
        In units of 2^-8, from -2^15 to 2^15: shape (*shape, channels (channels - 1) / 2, components), in the order g on r,
        b on r, b on g. The mean of a channel is shifted by the sum of coefficient * (symbol - symbols // 2).
    symbols, precision
        As in `LogisticMixture`.
    """

    def __init__(
        self,
        logits: ArrayLike,
        means: ArrayLike,
        log_scales: ArrayLike,
        coefficients: ArrayLike,
        *,
        symbols: int = 256,
        precision: int = 24,
    ) -> None:
        self.logits = integers(logits, "logits", -(1 << 30), 1 << 30)
        self.means = integers(means, "means", -MEAN_LIMIT, MEAN_LIMIT)
        self.log_scales = integers(log_scales, "log_scales", *SCALE_RANGE)
        self.coefficients = integers(coefficients, "coefficients", -(1 << 15), 1 << 15)
        self.symbols, self.precision = symbols, precision
        *shape, self.channels, components = self.means.shape if self.means.ndim > 1 else (0, 0)
        pairs = self.channels * (self.channels - 1) // 2
        if (
            self.logits.shape != (*shape, components)
            or self.log_scales.shape != self.means.shape
            or self.coefficients.shape != (*shape, pairs, components)
        ):
            raise EntropyError(
                f"logits {self.logits.shape}, means {self.means.shape}, log_scales {self.log_scales.shape} and "
                f"coefficients {self.coefficients.shape} are not (..., K), (..., C, K), (..., C, K) and (..., C (C - 1) / 2, K)"
            )

    def _channel(self, c: int, before: NDArray[Any], last: LogisticMixture | None) -> LogisticMixture:
        """The mixture of channel `c`, given the symbols of the channels before and the mixture of the last of them."""
        first = c * (c - 1) // 2
        centred = before.astype(np.int64) - self.symbols // 2
        shift = np.einsum("...jk,...j->...k", self.coefficients[..., first : first + c, :], centred)
        means, log_scales = self.means[..., c, :] + shift, self.log_scales[..., c, :]
        if last is None:
            return LogisticMixture(self.logits, means, log_scales, symbols=self.symbols, precision=self.precision)
        mixture = LogisticMixture.__new__(LogisticMixture)
        weights = last.condition(before[..., c - 1])
        mixture._set(weights, means.shape, means, log_scales, self.symbols, self.precision)
        return mixture

    def push(self, message: Message, x: ArrayLike) -> None:
        """Push pixels of shape (*shape, channels), the last channel first."""
        pixels = integers(x, "x", 0, self.symbols - 1)
        if pixels.shape != self.means.shape[:-1]:
            raise EntropyError(f"pixels of shape {pixels.shape} do not fit a mixture of {self.means.shape[:-1]}")
        mixtures: list[LogisticMixture] = []
        for c in range(self.channels):
            mixtures.append(self._channel(c, pixels[..., :c], mixtures[-1] if mixtures else None))
        for c in reversed(range(self.channels)):
            mixtures[c].push(message, pixels[..., c])

    def pop(self, message: Message) -> NDArray[np.int64]:
        """Pop pixels, the first channel first."""
        pixels = np.zeros(self.means.shape[:-1], np.int64)
        mixture = None
        for c in range(self.channels):
            mixture = self._channel(c, pixels[..., :c], mixture)
            pixels[..., c] = mixture.pop(message)
        return pixels
