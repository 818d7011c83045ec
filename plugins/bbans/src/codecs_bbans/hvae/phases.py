"""The four phases of an image, one group after the other, each given those before it: mixtures of logistics, in integers.

Parameters of pixels come from networks that are given the phases before, and for the inner image also features of the latents.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Autoregressive, Bijection, ChannelMixture, QFormat, Serial, StackCodec
from codecs_core.exact import Predictor, cropped, extent, padded, squeeze, unsqueeze

#: Which phases are coded together: the first, then the one across, then the two others.
GROUPS = ((0,), (1,), (2, 3))
#: The phases of a group.
Group: TypeAlias = tuple[NDArray[Any], ...]
#: Format of all that networks are given: pixels divided by UNIT, latents, features.
FEATURE = QFormat(bits=6, low=-512, high=511)
UNIT = 32
#: Pixels are integers from -255 to 255 after the colour transform; as symbols they are centred at the half.
SYMBOLS, PRECISION = 512, 24
#: Fractional bits of means and coefficients.
MEAN_BITS = 8
#: Bounds, in magnitude, of what networks say: of means, of coefficients, of logits; and those of log-scales, in 1/64 of an octave.
MEAN_LIMIT, COEFFICIENT_LIMIT, LOGIT_LIMIT = 1 << 17, 1 << 12, 1 << 12
SCALE_RANGE = (-277, 646)
#: What a correction of 1 is: 3/16 of an octave of log-scales, 2^-4 of log-scales, 1/4 of an octave of a logit; and 2^-8, of a coefficient.
SHIFT, STRETCH_BITS, TILT = 12, 4, 16


class Mixture(Bijection[NDArray[Any], NDArray[Any]]):
    """Pixels of some channels, centred integers, by a mixture whose component they share: `ChannelMixture`.

    Parameters
    ----------
    logits, means, log_scales, coefficients
        As `ChannelMixture` has them, but for the means, which are those of centred pixels.
    """

    def __init__(
        self,
        logits: NDArray[np.int64],
        means: NDArray[np.int64],
        log_scales: NDArray[np.int64],
        coefficients: NDArray[np.int64],
    ) -> None:
        self.logits, self.means, self.log_scales, self.coefficients = logits, means, log_scales, coefficients
        half = SYMBOLS // 2
        self.mixture = ChannelMixture(
            logits, means + (half << MEAN_BITS), log_scales, coefficients, symbols=SYMBOLS, precision=PRECISION
        )
        super().__init__(lambda x: x + half, lambda z: z - half, self.mixture)

    @classmethod
    def of(cls, parameters: NDArray[np.int32], mean: NDArray[np.int32], components: int) -> Mixture:
        """What networks say.

        Parameters
        ----------
        parameters
            Shape (..., `parameters_of`): logits, means, log-scales, coefficients between the channels, each with the components last.
        mean
            Shape (..., channels), in units of 2^-8: added to the means.
        components
            Logistics in the mixture.
        """
        channels = mean.shape[-1]
        rows = parameters.reshape(*mean.shape[:-1], parameters.shape[-1] // components, components).astype(np.int64)
        logits, means, log_scales, coefficients = np.split(rows, np.cumsum([1, channels, channels]), -2)
        return cls(logits[..., 0, :], means + mean[..., None], log_scales, coefficients)

    def corrected(self, numbers: NDArray[np.integer[Any]]) -> Mixture:
        """The mixture with what an encoder tells of each image: shape (n, corrections), in the order of `kinds_of`."""
        n, components = len(self.logits), self.logits.shape[-1]
        channels = self.means.shape[-2]
        shift, stretch, tilt, turn = np.split(
            numbers.astype(np.int64)[:, None, None], np.cumsum([channels, channels, components]), -1
        )
        scales = self.log_scales
        scales = scales + (stretch[..., None] * scales >> STRETCH_BITS) + SHIFT * shift[..., None]
        turned = self.coefficients + turn.reshape(n, 1, 1, *self.coefficients.shape[-2:])
        return Mixture(self.logits + TILT * tilt, self.means, scales.clip(*SCALE_RANGE), turned)

    def lengths(self, x: NDArray[Any]) -> NDArray[np.int64]:
        """Bits of each image, in units of 2^-16 and the same on every machine: shape (n,)."""
        found: NDArray[np.int64] = self.mixture.lengths(x + SYMBOLS // 2).sum((1, 2))
        return found

    def information(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Information content of each value in bits, shape of x."""
        channels: Any = super().information(x)
        return np.stack(channels, -1)

    def mode(self) -> NDArray[np.int64]:
        """The centre of the likeliest component, rounded: what stands for pixels that are not decoded."""
        best = self.logits.argmax(-1)[..., None]
        x = np.take_along_axis(self.means[..., 0, :], best, -1)[..., 0]
        modes, first = [_rounded(x)], 0
        for c in range(1, self.means.shape[-2]):
            shift = sum(self.coefficients[..., first + b, :] * modes[b][..., None] for b in range(c))
            centre = np.take_along_axis(self.means[..., c, :] + shift, best, -1)[..., 0]
            modes.append(_rounded(centre))
            first += c
        return np.stack(modes, -1)


class Phases:
    """p(x_0 | h) p(x_1 | x_0, h) p(x_2, x_3 | x_0, x_1, h) of the four phases of images; without the first one if it is known.

    Parameters
    ----------
    tensors, name
        Those of a model, and what the names of these start with: ``NAME.priorG.network`` and ``NAME.priorG.linear``.
    channels, components
        Of images; logistics in a mixture.
    given
        Channels of h; 0: there is none.
    whole
        Whether the first phase belongs to it.
    """

    def __init__(
        self,
        tensors: Mapping[str, NDArray[Any]],
        name: str,
        *,
        channels: int,
        components: int,
        given: int = 0,
        whole: bool = True,
    ) -> None:
        self.channels, self.components = channels, components
        self.groups = GROUPS if whole else GROUPS[1:]
        low, high = limits_of(channels, components)
        self.priors = [
            Predictor(
                tensors,
                f"{name}.prior{g}",
                inputs=min(group) * channels + given,
                window=-FEATURE.low,
                low=np.tile(low, len(group)),
                high=np.tile(high, len(group)),
                means=len(group) * channels,
                limit=MEAN_LIMIT,
            )
            for g, group in enumerate(self.groups)
        ]

    def codec(
        self,
        size: tuple[int, int],
        known: Sequence[NDArray[Any]] = (),
        h: NDArray[Any] | None = None,
        numbers: NDArray[Any] | None = None,
    ) -> Groups:
        """Codec of the groups of phases of images of this size.

        Parameters
        ----------
        size
            Height and width of the images.
        known
            Phases that are known already.
        h
            Features, of the shape of the first phase.
        numbers
            Corrections of the mixtures, as `Mixture.corrected` takes them: shape (n, phases, corrections); None: there are none.
        """
        return Groups(self, size, known, h, numbers)

    def mixtures(
        self, number: int, size: tuple[int, int], known: Sequence[NDArray[Any]], h: NDArray[Any] | None
    ) -> list[Mixture]:
        """The mixtures of the phases of a group, given all phases before it, as the networks have them."""
        group, whole = self.groups[number], extent(0, size)
        seen = [pixels(padded(x, whole)) for x in known] + ([] if h is None else [h])
        outputs = self.priors[number](np.concatenate(seen, -1))
        found = []
        for phase, parameters, mean in zip(group, *(np.split(x, len(group), -1) for x in outputs), strict=True):
            cut = extent(phase, size)
            found.append(Mixture.of(cropped(parameters, cut), cropped(mean, cut), self.components))
        return found


class Groups(Autoregressive[Group]):
    """Codec of the groups of phases of some images, each given those before: see `Phases.codec`."""

    def __init__(
        self,
        phases: Phases,
        size: tuple[int, int],
        known: Sequence[NDArray[Any]],
        h: NDArray[Any] | None,
        numbers: NDArray[Any] | None = None,
    ) -> None:
        self.phases, self.size, self.known, self.h, self.numbers = phases, size, known, h, numbers
        super().__init__(self._model)

    def _model(self) -> Generator[StackCodec[Group], Group, None]:
        known, first = list(self.known), min(self.phases.groups[0])
        for number, group in enumerate(self.phases.groups):
            mixtures = self.phases.mixtures(number, self.size, known, self.h)
            if self.numbers is not None:
                told = (self.numbers[:, phase - first] for phase in group)
                mixtures = [mixture.corrected(k) for mixture, k in zip(mixtures, told, strict=True)]
            known += yield Serial(*mixtures)

    def pairs(self, groups: Sequence[Group]) -> list[tuple[Mixture, NDArray[Any]]]:
        """Each phase, with its mixture as the networks have it."""
        known, found = list(self.known), list[tuple[Mixture, NDArray[Any]]]()
        for number, group in enumerate(groups):
            found += zip(self.phases.mixtures(number, self.size, known, self.h), group, strict=True)
            known += group
        return found

    def mode(self) -> tuple[Group, ...]:
        """The likeliest phases, each given those before."""
        found: list[Group] = []
        for number in range(len(self.phases.groups)):
            known = [*self.known, *(phase for group in found for phase in group)]
            found.append(tuple(m.mode() for m in self.phases.mixtures(number, self.size, known, self.h)))
        return tuple(found)


def split(x: NDArray[Any]) -> tuple[Group, ...]:
    """The phases of images of shape (n, h, w, channels), by groups."""
    phases = [cropped(phase, extent(i, x.shape[1:3])) for i, phase in enumerate(squeeze(x))]
    return tuple(tuple(phases[i] for i in group) for group in GROUPS)


def join(groups: Sequence[Group], size: tuple[int, int]) -> NDArray[Any]:
    """Inverse of `split`, for images of this size."""
    phases = [padded(phase, extent(0, size)) for group in groups for phase in group]
    return unsqueeze(phases, size)


def pixels(x: NDArray[Any]) -> NDArray[np.int64]:
    """Pixels as networks are given them."""
    return np.asarray(x, np.int64) * ((1 << FEATURE.bits) // UNIT)


def parameters_of(channels: int, components: int) -> int:
    """Outputs of a network that make a `Mixture`: logits, means, log-scales, coefficients."""
    return components * (1 + 2 * channels + channels * (channels - 1) // 2)


def repeats_of(channels: int, components: int) -> list[int]:
    """How many of them are logits, means, log-scales and coefficients."""
    return [components * n for n in (1, channels, channels, channels * (channels - 1) // 2)]


def kinds_of(channels: int, components: int) -> NDArray[np.int64]:
    """The kind of each correction of a `Mixture`.

    0: a shift of the log-scales of a channel. 1: a stretch of them. 2: a shift of the logit of a component. 3: one of a coefficient.
    """
    return np.repeat(np.arange(4), [channels, channels, components, components * (channels * (channels - 1) // 2)])


def limits_of(channels: int, components: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The lowest and the highest each parameter of a `Mixture` can be."""
    repeats = repeats_of(channels, components)
    low = np.repeat([-LOGIT_LIMIT, -MEAN_LIMIT, SCALE_RANGE[0], -COEFFICIENT_LIMIT], repeats)
    return low, np.repeat([LOGIT_LIMIT, MEAN_LIMIT, SCALE_RANGE[1], COEFFICIENT_LIMIT], repeats)


def _rounded(centre: NDArray[np.int64]) -> NDArray[np.int64]:
    return ((centre + (1 << (MEAN_BITS - 1))) >> MEAN_BITS).clip(-SYMBOLS // 2, SYMBOLS // 2 - 1)
