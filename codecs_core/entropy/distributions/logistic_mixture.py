"""Mixtures of discretised logistics: of one channel, and of several with the component in common (PixelCNN++)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy.codec import Information, StackCodec
from codecs_core.entropy.combinators import Autoregressive
from codecs_core.entropy.distribution import Distribution, integers
from codecs_core.entropy.distributions.location_scale import DiscretizedLogistic, standard_cdf
from codecs_core.entropy.distributions.mixture_kernels import CELL_BITS, kernels, mixture_tables
from codecs_core.entropy.distributions.softmax import softmax
from codecs_core.entropy.fixed import QFormat
from codecs_core.entropy.message import Message, check_precision
from codecs_core.errors import EntropyError
from codecs_core.jit import kernel


@kernel
def _condition(symbols, n, weights, means, log_scales, cells, reciprocals, out):
    """Weights of the components once a symbol is known: w p(symbol), normalised to 2^16 again."""
    size, components = weights.shape
    for i in range(size):
        k = np.int64(symbols[i])
        total = np.int64(0)
        largest = 0
        for c in range(components):
            weight = np.int64(weights[i, c])
            low = (
                standard_cdf(k, means[i, c], log_scales[i, c], cells, CELL_BITS, reciprocals) if k > 0 else np.int64(0)
            )
            high = np.int64(1) << 32
            if k < n - 1:
                high = standard_cdf(k + 1, means[i, c], log_scales[i, c], cells, CELL_BITS, reciprocals)
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

    #: Formats of the parameters.
    LOGIT = QFormat(bits=6, low=-(1 << 30), high=1 << 30)
    MEAN, LOG_SCALE = DiscretizedLogistic.MEAN, DiscretizedLogistic.LOG_SCALE
    dtype = np.int32
    _kernels = kernels

    def __init__(
        self,
        logits: ArrayLike,
        means: ArrayLike,
        log_scales: ArrayLike,
        *,
        symbols: int = 256,
        precision: int = 24,
    ) -> None:
        z = self.LOGIT.check(logits, "logits", np.int32)
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
        m = np.ascontiguousarray(self.MEAN.check(means, "means", np.int32)).reshape(-1, shape[-1])
        s = np.ascontiguousarray(self.LOG_SCALE.check(log_scales, "log_scales", np.int32)).reshape(-1, shape[-1])
        cells, reciprocals, *guesses = mixture_tables()
        self._params = (np.int64(symbols), weights, m, s, cells, reciprocals, np.uint64(precision), *guesses)

    def given(self, x: NDArray[Any], means: ArrayLike, log_scales: ArrayLike) -> LogisticMixture:
        """The mixture of a second variable that shares its component with `x`, once `x` is known."""
        weights = self.condition(x)
        mixture = LogisticMixture.__new__(LogisticMixture)
        mixture._set(weights, np.shape(means), means, log_scales, self.symbols, self.precision)
        return mixture

    def condition(self, x: NDArray[Any]) -> NDArray[np.uint32]:
        """Weights of the components, in units of 2^-16, once `x` is known: shape (size, components)."""
        n, weights, means, log_scales, cells, reciprocals, *_ = self._params
        out = np.empty(weights.shape, np.int64)  # sums of products need the room; the weights themselves do not
        _condition(self._symbols(x), n, weights, means, log_scales, cells, reciprocals, out)
        return out.astype(np.uint32)


class ChannelMixture(StackCodec[NDArray[np.int64]]):
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

    #: Formats of the parameters.
    LOGIT, MEAN, LOG_SCALE = LogisticMixture.LOGIT, LogisticMixture.MEAN, LogisticMixture.LOG_SCALE
    COEFFICIENT = QFormat(bits=8, low=-(1 << 15), high=1 << 15)

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
        self.logits = self.LOGIT.check(logits, "logits")
        self.means = self.MEAN.check(means, "means")
        self.log_scales = self.LOG_SCALE.check(log_scales, "log_scales")
        self.coefficients = self.COEFFICIENT.check(coefficients, "coefficients")
        self.symbols, self.precision = symbols, precision
        *shape, self.channels, components = self.means.shape if self.means.ndim > 1 else (0, 0)
        pairs = self.channels * (self.channels - 1) // 2
        if (
            self.channels < 1
            or self.logits.shape != (*shape, components)
            or self.log_scales.shape != self.means.shape
            or self.coefficients.shape != (*shape, pairs, components)
        ):
            raise EntropyError(
                f"logits {self.logits.shape}, means {self.means.shape}, log_scales {self.log_scales.shape} and "
                f"coefficients {self.coefficients.shape} are not (..., K), (..., C, K), (..., C, K) and (..., C (C - 1) / 2, K)"
            )

    def push(self, message: Message, x: ArrayLike) -> None:
        """Push pixels, the last channel first."""
        self._model.push(message, self._split(x))

    def pop(self, message: Message) -> NDArray[np.int64]:
        """Pop pixels."""
        return np.stack(self._model.pop(message), -1).astype(np.int64)

    def information(self, x: ArrayLike) -> tuple[Information, ...]:
        """Information content of each channel given those before."""
        return self._model.information(self._split(x))

    @property
    def _model(self) -> Autoregressive[NDArray[Any]]:
        """Made again each time, since a mixture that held it would be held by it, and its arrays would stay."""
        return Autoregressive(self._channels)

    def lengths(self, x: ArrayLike) -> NDArray[np.int64]:
        """Information content of each pixel in units of 2^-16 bits, as `Distribution.lengths` has it: shape of x without the channels."""
        steps: Any = self._model._steps(self._split(x))
        lengths: NDArray[np.int64] = sum(mixture.lengths(channel) for mixture, channel in steps)
        return lengths

    def _channels(self) -> Generator[StackCodec[NDArray[Any]], NDArray[Any], None]:
        """The mixture of each channel, given the symbols of the channels before."""
        before = np.zeros((*self.means.shape[:-2], self.channels), np.int64)
        mixture = LogisticMixture(
            self.logits,
            self._means(0, before),
            self.log_scales[..., 0, :],
            symbols=self.symbols,
            precision=self.precision,
        )
        for c in range(self.channels):
            before[..., c] = yield mixture
            if c + 1 < self.channels:
                mixture = mixture.given(before[..., c], self._means(c + 1, before), self.log_scales[..., c + 1, :])

    def _means(self, c: int, before: NDArray[np.int64]) -> NDArray[np.int64]:
        """The means of channel `c`, given the symbols of the channels before."""
        first = c * (c - 1) // 2
        centred = before[..., :c] - self.symbols // 2
        shift = np.einsum("...jk,...j->...k", self.coefficients[..., first : first + c, :], centred)
        means: NDArray[np.int64] = self.means[..., c, :] + shift
        return means

    def _split(self, x: ArrayLike) -> tuple[NDArray[Any], ...]:
        pixels = integers(x, "x", 0, self.symbols - 1)
        if pixels.shape != self.means.shape[:-1]:
            raise EntropyError(f"pixels of shape {pixels.shape} do not fit a mixture of {self.means.shape[:-1]}")
        return tuple(np.moveaxis(pixels, -1, 0))
