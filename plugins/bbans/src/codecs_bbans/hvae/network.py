"""The hierarchical autoencoder in floating point, as it is trained.

Only this module, `train` and `freeze` import torch. `codecs_bbans.hvae.model` is the same model in integers, as it codes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from codecs_bbans.hvae.phases import FEATURE, GROUPS, SCALE_RANGE, UNIT, parameters_of
from codecs_core.entropy import LogisticMixture
from codecs_core.exact import PHASES
from codecs_core.learn import BITS_PER_NAT, Predictor, hidden, residual

#: Range of a feature, of a posterior's mean and of its log standard deviation (nats).
FEATURES = FEATURE.high / 2**FEATURE.bits
MEANS, LOG_SCALES = (-4.0, 4.0), (-5.0, 0.7)
#: Where log standard deviations of posteriors start.
NARROW = -2.5
#: Range of the log-scale of a pixel, in nats: that of `codecs_bbans.hvae.phases`, where it is in octaves.
PIXEL_SCALES = tuple(limit * math.log(2) / 2**LogisticMixture.LOG_SCALE.bits for limit in SCALE_RANGE)


class Level(nn.Module):
    """The networks of one level of latents: what is seen of the image, p(z | h), q(z | seen, h), and the next h given z.

    Latents start as what `seen` says most of: sums and differences of the phases, with little noise. From random ones a network learns
    to do without latents, before it has learnt to use them.

    Parameters
    ----------
    inputs
        Channels of what the level below has seen.
    above
        Channels of h that comes from the level above; 0 at the top.
    latents, features, width, blocks
        Channels of z, of what passes between networks, and within them; residual blocks.
    """

    def __init__(self, inputs: int, above: int, *, latents: int, features: int, width: int, blocks: int) -> None:
        super().__init__()
        self.latents = latents
        sizes = {"width": width, "blocks": blocks}
        self.up = residual(4 * inputs, features, **sizes)
        self.prior = residual(above, 2 * latents, **sizes) if above else None
        self.posterior = residual(above + features, 2 * latents, **sizes)
        self.down = residual(above + latents, features, **sizes)
        let_through(self.up, 0, phases_mixed(inputs))
        let_through(self.posterior, above, torch.eye(latents, features))
        let_through(self.down, above, torch.eye(features, latents))
        if self.prior is not None:
            let_through(self.prior, 0, torch.eye(latents, above))
        with torch.no_grad():
            cast(Tensor, self.posterior[-1].bias)[latents:] = NARROW

    def see(self, below: Tensor) -> Tensor:
        """Features of the image, given those of the level below, at twice the size."""
        return clipped(evaluate(self.up, torch.cat(squeeze(below), 1)))

    def expect(self, above: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation of p(z | h)."""
        if self.prior is None:
            return torch.zeros(()), torch.zeros(())
        return normal(evaluate(self.prior, above[0]))

    def infer(self, above: Sequence[Tensor], seen: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation of q(z | seen, h)."""
        return normal(evaluate(self.posterior, torch.cat([*above, seen], 1)))

    def give(self, above: Sequence[Tensor], z: Tensor) -> Tensor:
        """Compute h of this level."""
        return clipped(evaluate(self.down, torch.cat([*above, clipped(z)], 1)))


def phases_mixed(channels: int) -> Tensor:
    """Half the mean of the four phases of each channel, then their three differences: shape (4 channels, 4 channels)."""
    signs = torch.tensor([[1, 1, 1, 1], [1, -1, 1, -1], [1, -1, -1, 1], [1, 1, -1, -1]])
    return torch.kron(signs * torch.tensor([[0.125], [0.25], [0.25], [0.25]]), torch.eye(channels))


def let_through(network: nn.Sequential, first: int, matrix: Tensor) -> None:
    """Let the first outputs of a residual network start as linear functions of its inputs from `first` on.

    Each takes two channels, for what is above and below zero; there are at most half as many as the network is wide.
    """
    into, out = cast(nn.Conv2d, network[0]), cast(nn.Conv2d, network[-1])
    bias = cast(Tensor, into.bias)
    with torch.no_grad():
        for row, weights in enumerate(matrix[: min(into.out_channels // 2, out.out_channels)]):
            if not bool(weights.any()):
                break
            for sign, channel in ((1, 2 * row), (-1, 2 * row + 1)):
                into.weight[channel], bias[channel] = 0, 0
                into.weight[channel, first : first + len(weights), 1, 1] = sign * weights
                out.weight[row, channel, 0, 0] = sign


def normal(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and log standard deviation, each within its range."""
    mean, log_scale = x.chunk(2, 1)
    return mean.clamp(*MEANS), log_scale.clamp(*LOG_SCALES)


def evaluate(network: nn.Sequential, x: Tensor) -> Tensor:
    """Outputs of a residual network."""
    out: Tensor = network[-1](hidden(network, x))
    return out


def clipped(x: Tensor) -> Tensor:
    """Features within their range."""
    return x.clamp(-FEATURES, FEATURES)


class Phases(nn.Module):
    """p(x_1 | x_0, h) p(x_2, x_3 | x_0, x_1, h) of the four phases of an image, and if `whole` also p(x_0 | h).

    Parameters
    ----------
    channels, given
        Of the image and of h.
    whole
        Whether the first phase belongs to it.
    width, blocks, components
        Sizes of the networks; logistics in a mixture.
    """

    def __init__(self, channels: int, given: int, *, whole: bool, width: int, blocks: int, components: int) -> None:
        super().__init__()
        self.components = components
        self.groups = GROUPS if whole else GROUPS[1:]
        self.priors = nn.ModuleList()
        for group in self.groups:
            inputs, size = min(group) * channels + given, len(group)
            prior = Predictor(
                inputs, size * parameters_of(channels, components), size * channels, width=width, blocks=blocks
            )
            with torch.no_grad():
                prior.network[-1].bias.copy_(initial(channels, components).repeat(size))  # type: ignore[operator]
            if min(group):
                prior.interpolate(group, channels)
            self.priors.append(prior)

    def bits(self, phases: Sequence[Tensor], given: Sequence[Tensor]) -> Tensor:
        """Information in bits of phases, each of shape (n, channels, h, w), of all together: shape ()."""
        total = phases[0].new_zeros(())
        for group, prior in zip(self.groups, self.priors, strict=True):
            known = [phase / UNIT for phase in phases[: min(group)]]
            network, linear = prior(torch.cat([*known, *given], 1))
            parts = network.chunk(len(group), 1), linear.chunk(len(group), 1)
            for phase, parameters, mean in zip(group, *parts, strict=True):
                total = total + mixture_bits(phases[phase], parameters, mean, self.components).sum()
        return total


def initial(channels: int, components: int) -> Tensor:
    """Parameters of a mixture to start from: logits, means, log-scales, coefficients between the channels."""
    means = torch.linspace(-4, 4, components) / UNIT if components > 1 else torch.zeros(1)
    pairs = channels * (channels - 1) // 2
    each = channels * components
    parts = torch.zeros(components), means.repeat(channels), torch.full((each,), 1.5), torch.zeros(pairs * components)
    return torch.cat(parts)


def mixture_bits(z: Tensor, parameters: Tensor, mean: Tensor, components: int) -> Tensor:
    """Information in bits of pixels z of shape (n, channels, h, w): shape (n, h, w).

    The channels share their component, and the mean of each is shifted by those before: PixelCNN++, section 2.1 and 2.2.
    """
    channels, pairs = z.shape[1], z.shape[1] * (z.shape[1] - 1) // 2
    sizes = [components, channels * components, channels * components, pairs * components]
    h, w = z.shape[2:]
    logits, means, log_scales, coefficients = (
        part.reshape(len(part), -1, components, h, w) for part in torch.split(parameters, sizes, 1)
    )
    centre, first = UNIT * (means + mean.unsqueeze(2)), 0
    shifts = [torch.zeros_like(centre[:, 0])]
    for c in range(1, channels):
        shifts.append((coefficients[:, first : first + c] * z[:, :c].unsqueeze(2)).sum(1))
        first += c
    distance = z.unsqueeze(2) - centre - torch.stack(shifts, 1)
    precision = torch.exp(-log_scales.clamp(*PIXEL_SCALES))
    upper, lower = (distance + 0.5) * precision, (distance - 0.5) * precision
    # log(F(upper) - F(lower)), with F(b) - F(a) = F(b) F(-a) (1 - e^(a - b))
    inside = functional.logsigmoid(upper) + functional.logsigmoid(-lower) + torch.log(-torch.expm1(-precision))
    weights = functional.log_softmax(logits[:, 0], 1)
    return -torch.logsumexp(inside.sum(1) + weights, 1) * BITS_PER_NAT


def squeeze(x: Tensor) -> list[Tensor]:
    """The four phases of images of even height and width."""
    return [x[:, :, row::2, column::2] for row, column in PHASES]


class Network(nn.Module):
    """The whole model.

    Parameters
    ----------
    channels
        Of the images.
    latents
        Channels of each level's latents, the finest first.
    features, components
        Channels between networks, logistics in a mixture.
    width, blocks, level_width, level_blocks
        Channels and residual blocks of the networks of pixels, and of those of the levels.
    """

    def __init__(
        self,
        channels: int,
        *,
        latents: Sequence[int],
        features: int,
        components: int,
        width: int,
        blocks: int,
        level_width: int,
        level_blocks: int,
    ) -> None:
        super().__init__()
        self.channels, self.features, self.components = channels, features, components
        self.levels = nn.ModuleList(
            Level(
                features if i else channels,
                features if i + 1 < len(latents) else 0,
                latents=n,
                features=features,
                width=level_width,
                blocks=level_blocks,
            )
            for i, n in enumerate(latents)
        )
        sizes = {"width": width, "blocks": blocks}
        self.inner = Phases(channels, features, whole=True, components=components, **sizes)
        first = cast(Predictor, self.inner.priors[0]).linear
        passed = min(latents[0], level_width // 2, features, 4 * channels)
        with torch.no_grad():  # the first phase is the sum of what `phases_mixed` made
            for j in range(passed):
                first.weight[j % channels, j, 1, 1] = 2.0 if j < channels else 1.0
        self.rest = Phases(channels, 0, whole=False, components=components, **sizes)

    @property
    def unit(self) -> int:
        """Heights and widths in training are multiples of this."""
        return 2 << len(self.levels)

    def bits(self, x: Tensor, beta: float = 1.0) -> Tensor:
        """Bits of images, centred integers of shape (n, channels, h, w) as floats, by one sample; `beta` weighs the divergence."""
        first, *others = squeeze(x)
        divergence, h = self.latents(first)
        return self.rest.bits([first, *others], []) + self.inner.bits(squeeze(first), [h]) + beta * divergence

    def latents(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Divergence of the posterior from the prior, in bits, shape (), and h of the finest level, by one sample."""
        levels = [cast(Level, level) for level in self.levels]
        seen = [x / UNIT]
        for level in levels:
            seen.append(level.see(seen[-1]))
        divergence, above = x.new_zeros(()), list[Tensor]()
        for level in reversed(levels):
            expected, spread = level.expect(above)
            mean, log_scale = level.infer(above, seen.pop())
            z = mean + log_scale.exp() * torch.randn_like(mean)
            ratio = log_scale - spread
            kl = 0.5 * ((2 * ratio).exp() + ((mean - expected) * (-spread).exp()) ** 2 - 1) - ratio
            divergence = divergence + kl.sum() * BITS_PER_NAT
            h = level.give(above, z)
            above = [functional.interpolate(h, scale_factor=2, mode="nearest")]
        return divergence, h
