"""The integer discrete flow in floating point, as it is trained: Hoogeboom et al. 2019, with IDF++ (van den Berg et al. 2021).

Only this module, `train` and `freeze` import torch. `codecs_idf.flow` is the same flow in integers, as it codes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from codecs_core.entropy import LogisticMixture
from codecs_core.exact import PHASES
from codecs_core.learn import Predictor
from codecs_idf.flow import GROUPS
from codecs_idf.prior import SCALE_RANGE

#: Integers are divided by this before a network sees them, and what it says of means is multiplied by it.
UNIT = 32.0
#: Range of a log-scale, in nats: that of `codecs_idf.prior`, where it is in octaves.
LOG_SCALE_RANGE = tuple(limit * math.log(2) / 2**LogisticMixture.LOG_SCALE.bits for limit in SCALE_RANGE)


class Round(torch.autograd.Function):
    """Rounding whose gradient is that of the identity (straight-through): Hoogeboom et al. 2019, section 3.1."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Round half up, as integers do it with a shift."""
        return torch.floor(x + 0.5)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Pass the gradient on."""
        return gradient


class Coupling(nn.Module):
    """Integer discrete coupling (section 3.1): one phase is shifted by what a network makes of the three others.

    Which phase it is stands for the permutation of the paper, undone right after as in IDF++; the network starts at zero (rezero).
    """

    def __init__(self, channels: int, phase: int, *, width: int) -> None:
        super().__init__()
        self.phase = phase
        self.t = Predictor(3 * channels, channels, channels, width=width, blocks=1)

    def forward(self, phases: list[Tensor], masks: list[Tensor] | None) -> list[Tensor]:
        """Shift one of the phases, each of shape (n, channels, h, w)."""
        given = torch.cat([p for i, p in enumerate(phases) if i != self.phase], 1) / UNIT
        network, linear = self.t(given)
        shift = Round.apply(UNIT * (network + linear))  # type: ignore[no-untyped-call]
        if masks:
            shift = shift * masks[self.phase]
        return [p + shift if i == self.phase else p for i, p in enumerate(phases)]


class Prior(nn.Module):
    """Mixtures of discretised logistics for some phases given others: the learned prior of what is factored out (section 3.3)."""

    def __init__(self, channels: int, group: Sequence[int], *, width: int, blocks: int, components: int) -> None:
        super().__init__()
        self.channels, self.components = channels, components
        given, phases = min(group), len(group)
        self.parameters_of = 3 * channels * components + channels * (channels - 1) // 2
        self.p = Predictor(given * channels, phases * self.parameters_of, phases * channels, width=width, blocks=blocks)
        start = initial(channels, components)
        with torch.no_grad():
            self.p.network[-1].bias.copy_(start.repeat(phases))  # type: ignore[operator]
        self.p.interpolate(group, channels)

    def bits(self, given: Sequence[Tensor], phases: Sequence[Tensor], masks: Sequence[Tensor] | None) -> Tensor:
        """Bits of phases, each of shape (n, channels, h, w), given others: shape ()."""
        network, linear = self.p(torch.cat(list(given), 1) / UNIT)
        total = torch.zeros(())
        for i, (z, parameters, mean) in enumerate(
            zip(phases, network.chunk(len(phases), 1), linear.chunk(len(phases), 1), strict=True)
        ):
            bits = mixture_bits(z, parameters, mean, self.components)
            total = total + (bits * masks[i] if masks else bits).sum()
        return total


def initial(channels: int, components: int) -> Tensor:
    """Parameters to start from: logits, means, log-scales, coefficients between the channels."""
    means = torch.linspace(-4, 4, components) / UNIT if components > 1 else torch.zeros(1)
    each = channels * components
    return torch.cat(
        [
            torch.zeros(each),
            means.repeat(channels),
            torch.full((each,), 1.5),
            torch.zeros(channels * (channels - 1) // 2),
        ]
    )


def mixture_bits(z: Tensor, parameters: Tensor, mean: Tensor | None, components: int) -> Tensor:
    """Information content in bits of integers z of shape (n, channels, h, w), element by element.

    The mean of a channel is shifted by the channels before it, as in PixelCNN++ (Salimans et al. 2017, section 2.2).
    """
    channels = z.shape[1]
    each = channels * components
    pairs = channels * (channels - 1) // 2
    logits, means, log_scales, coefficients = torch.split(parameters, [each, each, each, pairs], 1)
    shape = (-1, channels, components, parameters.shape[2], parameters.shape[3])
    shifts, first = [torch.zeros_like(z[:, 0])], 0
    for c in range(1, channels):
        shifts.append((coefficients[:, first : first + c] * z[:, :c]).sum(1))
        first += c
    centre = torch.stack(shifts, 1)
    if mean is not None:
        centre = centre + UNIT * mean
    distance = (z - centre).unsqueeze(2) - UNIT * means.view(shape)
    precision = torch.exp(-log_scales.view(shape).clamp(*LOG_SCALE_RANGE))
    upper, lower = (distance + 0.5) * precision, (distance - 0.5) * precision
    # log(F(upper) - F(lower)), with F(b) - F(a) = F(b) F(-a) (1 - e^(a - b))
    inside = functional.logsigmoid(upper) + functional.logsigmoid(-lower) + torch.log(-torch.expm1(-precision))
    mixed = torch.logsumexp(inside + functional.log_softmax(logits.view(shape), 2), 2)
    return -mixed / math.log(2)


class Level(nn.Module):
    """Squeeze, couplings, factor-out: one level of the flow (figure 4)."""

    def __init__(self, channels: int, couplings: int, **sizes: int) -> None:
        super().__init__()
        width = sizes.pop("coupling_width")
        # the last one shifts the phase that is kept
        order = [(couplings - 1 - i) % 4 for i in range(couplings)]
        self.couplings = nn.ModuleList(Coupling(channels, phase, width=width) for phase in order)
        self.priors = nn.ModuleList(Prior(channels, group, **sizes) for group in GROUPS)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The phase that is kept, shape (n, channels, ceil(h / 2), ceil(w / 2)), and the bits of the others."""
        phases, masks = squeeze(x)
        for coupling in self.couplings:
            phases = coupling(phases, masks)
        bits = torch.zeros(())
        for prior, group in zip(self.priors, GROUPS, strict=True):
            real = [masks[i] for i in group] if masks else None
            bits = bits + prior.bits(phases[: min(group)], [phases[i] for i in group], real)  # type: ignore[operator]
        return phases[0], bits


def squeeze(x: Tensor) -> tuple[list[Tensor], list[Tensor] | None]:
    """The four phases of an image, and where they are real if its height or width is odd: beyond it is zero, as convolutions have it."""
    h, w = x.shape[2:]
    real = None
    if h % 2 or w % 2:
        ones = functional.pad(torch.ones(1, 1, h, w), (0, w % 2, 0, h % 2))
        x = functional.pad(x, (0, w % 2, 0, h % 2))
        real = [ones[:, :, r::2, c::2] for r, c in PHASES]
    return [x[:, :, r::2, c::2] for r, c in PHASES], real


class Network(nn.Module):
    """The whole flow.

    Parameters
    ----------
    channels
        Of the images.
    couplings
        How many a level, the finest first.
    width, blocks, coupling_width
        Sizes of the networks of priors and of couplings.
    components
        Logistics in a mixture.
    """

    def __init__(
        self, channels: int, *, couplings: Sequence[int], width: int, blocks: int, coupling_width: int, components: int
    ) -> None:
        super().__init__()
        self.channels, self.components = channels, components
        self.levels = nn.ModuleList(
            Level(channels, n, width=width, blocks=blocks, coupling_width=coupling_width, components=components)
            for n in couplings
        )
        self.top = nn.Parameter(initial(channels, components).view(1, -1, 1, 1) * 2)

    def bits(self, x: Tensor) -> Tensor:
        """Bits of images whose colours are transformed and centred: integers of shape (n, channels, h, w), as floats."""
        total = torch.zeros(())
        for level in self.levels:
            x, bits = level(x)
            total = total + bits
        return total + mixture_bits(x, self.top, None, self.components).sum()
