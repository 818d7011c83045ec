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
#: Range of the log-scale of a pixel, in nats: that of `codecs_bbans.hvae.phases`, where it is in octaves.
PIXEL_SCALES = tuple(limit * math.log(2) / 2**LogisticMixture.LOG_SCALE.bits for limit in SCALE_RANGE)


class Level(nn.Module):
    """The networks of one level of latents: what is seen of the image, q(z | seen, h), and h given z.

    Parameters
    ----------
    inputs
        Channels of what the level below has seen, squeezed.
    above
        Channels of h that comes from the level above; 0 at the top.
    latents, features, width, blocks
        Channels of z, of what passes between networks, and within them; residual blocks.
    """

    def __init__(self, inputs: int, above: int, *, latents: int, features: int, width: int, blocks: int) -> None:
        super().__init__()
        self.latents = latents
        self.up = residual(inputs, features, width=width, blocks=blocks)
        self.posterior = residual(above + features, 2 * latents, width=width, blocks=blocks)
        self.down = residual(above + latents, features, width=width, blocks=blocks)
        for part in self.up, self.down:  # features that start at zero would hide the latents
            part[-1].reset_parameters()  # type: ignore[operator]

    def see(self, below: Tensor) -> Tensor:
        """Features of the image, given those of the level below, at twice the size."""
        return clipped(evaluate(self.up, torch.cat(squeeze(below), 1)))

    def infer(self, above: Sequence[Tensor], seen: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation of q(z | seen, h)."""
        mean, log_scale = evaluate(self.posterior, torch.cat([*above, seen], 1)).chunk(2, 1)
        return mean.clamp(*MEANS), log_scale.clamp(*LOG_SCALES)

    def give(self, above: Sequence[Tensor], z: Tensor) -> Tensor:
        """Compute h of this level."""
        return clipped(evaluate(self.down, torch.cat([*above, clipped(z)], 1)))


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
    features, width, blocks, components
        Channels between networks and within them, residual blocks, logistics in a mixture.
    """

    def __init__(
        self, channels: int, *, latents: Sequence[int], features: int, width: int, blocks: int, components: int
    ) -> None:
        super().__init__()
        self.channels, self.features, self.components = channels, features, components
        sizes = {"width": width, "blocks": blocks}
        self.levels = nn.ModuleList(
            Level(
                4 * (features if i else channels),
                features if i + 1 < len(latents) else 0,
                latents=n,
                features=features,
                **sizes,
            )
            for i, n in enumerate(latents)
        )
        self.inner = Phases(channels, features, whole=True, components=components, **sizes)
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
            mean, log_scale = level.infer(above, seen.pop())
            z = mean + log_scale.exp() * torch.randn_like(mean)
            kl = 0.5 * (mean * mean + (2 * log_scale).exp() - 1) - log_scale
            divergence = divergence + kl.sum() * BITS_PER_NAT
            h = level.give(above, z)
            above = [functional.interpolate(h, scale_factor=2, mode="nearest")]
        return divergence, h
