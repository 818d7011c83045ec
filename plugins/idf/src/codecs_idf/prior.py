"""The prior of variables that are factored out: mixtures of discretised logistics."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Autoregressive, Bijection, Escape, LogisticMixture, StackCodec

#: Integers from -WINDOW to WINDOW - 1 are in the support of a prior; others escape. Networks see nothing beyond either.
WINDOW = 512
PRECISION = 24
#: Fractional bits of means, shifts and coefficients.
MEAN_BITS = 8
#: Bounds, in magnitude, of what networks say: of means and shifts, of coefficients; of logits.
MEAN_LIMIT, COEFFICIENT_LIMIT, LOGIT_LIMIT = 1 << 20, 1 << 12, 1 << 12
#: Bounds of log-scales, in units of 1/64 of an octave.
SCALE_RANGE = (-277, 646)


class Mixture(Bijection[NDArray[Any], tuple[NDArray[Any], ...]]):
    """Pixels by mixtures of discretised logistics, each mean shifted by the channels before: PixelCNN++ (Salimans et al. 2017).

    Parameters
    ----------
    parameters
        Shape (..., 3 channels components + channels (channels - 1) / 2): logits, means and log-scales as `LogisticMixture` takes them,
        each channel after channel, and the coefficients in units of 2^-8, in the order 1 on 0, 2 on 0, 2 on 1, ...
    mean
        Shape (..., channels), in units of 2^-8: added to the means.
    """

    def __init__(self, parameters: NDArray[np.int32], mean: NDArray[np.int32]) -> None:
        *self.shape, self.channels = mean.shape
        pairs = self.channels * (self.channels - 1) // 2
        split = parameters.shape[-1] - pairs
        three = parameters[..., :split].reshape(*self.shape, 3, self.channels, split // (3 * self.channels))
        self.logits, self.means, self.log_scales = (three[..., i, :, :] for i in range(3))
        self.coefficients, self.mean = parameters[..., split:], mean

        super().__init__(
            lambda x: tuple(np.moveaxis(x, -1, 0)),
            lambda channels: np.stack(channels, -1),
            Autoregressive(self._channels),
        )

    def _channels(self) -> Generator[StackCodec[NDArray[Any]], NDArray[Any], None]:
        """The prior of each channel, given the channels before it."""
        x = np.empty((*self.shape, self.channels), np.int64)
        for channel in range(self.channels):
            x[..., channel] = yield self.prior(channel, x)

    def centre(self, channel: int, x: NDArray[Any]) -> NDArray[np.int64]:
        """Means of the components of a channel, given the channels before it."""
        first = channel * (channel - 1) // 2
        centre = self.mean[..., channel].astype(np.int64)
        for before in range(channel):
            centre += self.coefficients[..., first + before] * x[..., before].clip(-WINDOW, WINDOW - 1)
        return self.means[..., channel, :] + centre[..., None]

    def prior(self, channel: int, x: NDArray[Any]) -> StackCodec[NDArray[Any]]:
        """Codec of a channel, given the channels before it."""
        mixture = LogisticMixture(
            self.logits[..., channel, :],
            self.centre(channel, x) + (WINDOW << MEAN_BITS),
            self.log_scales[..., channel, :],
            symbols=2 * WINDOW,
            precision=PRECISION,
        )
        return Bijection(lambda x: x + WINDOW, lambda z: z - WINDOW, Escape(mixture))

    def information(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Information content of each integer in bits."""
        return np.stack([np.asarray(bits) for bits in self.base.information(self.forward(x))], -1)

    def mode(self) -> NDArray[np.int64]:
        """The centre of the likeliest component, rounded: what stands for pixels that are not decoded."""
        x = np.empty((*self.shape, self.channels), np.int64)
        for channel in range(self.channels):
            best = self.logits[..., channel, :].argmax(-1)[..., None]
            centre = np.take_along_axis(self.centre(channel, x), best, -1)[..., 0]
            x[..., channel] = (centre + (1 << (MEAN_BITS - 1))) >> MEAN_BITS
        return x


def parameters_of(channels: int, components: int) -> int:
    """Outputs of a network that make a `Mixture`."""
    return 3 * channels * components + channels * (channels - 1) // 2


def limits_of(channels: int, components: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The lowest and the highest each parameter of a `Mixture` can be."""
    each, pairs = channels * components, channels * (channels - 1) // 2
    repeats = [each, each, each, pairs]
    low = np.repeat([-LOGIT_LIMIT, -MEAN_LIMIT, SCALE_RANGE[0], -COEFFICIENT_LIMIT], repeats)
    return low, np.repeat([LOGIT_LIMIT, MEAN_LIMIT, SCALE_RANGE[1], COEFFICIENT_LIMIT], repeats)
