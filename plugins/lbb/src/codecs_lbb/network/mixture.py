"""Couplings by distribution functions of mixtures of logistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from codecs_core.entropy import QFormat
from codecs_core.exact import freeze
from codecs_core.learn import Predictor
from codecs_lbb.conditioner import INPUT_BITS, LOG_BITS, SHIFT_BITS, WINDOW
from codecs_lbb.layers.mixture import COEFFICIENT_BITS, limits_of
from codecs_lbb.network.integers import SHIFT, SOURCE, Tensors, inputs

#: Range of a log-scale, in nats.
MIXTURE_RANGE = (-7.0, 4.0)
#: Weight of one more component, of scale 1 in the middle of each mixture: no value is beyond the reach of its tails.
BROAD = 2.0**-12
#: Headroom of what a trunk hands on over the largest that is seen.
HEADROOM = 1.5


class Mixture(nn.Module):
    """y = logit F(x - l): F the distribution function of a mixture of logistics: Flow++ (Ho et al. 2019), section 3.2.

    The parameters of F are those that a network makes of the channels before `part`, or, if there are none, constants. What is
    subtracted before, l, is linear in these, and in the channels before it of its own pixel. Of a pixel, the first channel comes first: the
    mixtures of the others depend on it.

    Parameters
    ----------
    colours
        Channels of a phase.
    part
        First and last (excluded) of the channels that change: whole phases.
    components
        Of the mixture.
    """

    def __init__(self, colours: int, part: tuple[int, int], *, components: int, width: int, blocks: int) -> None:
        super().__init__()
        self.colours, self.part, self.components = colours, part, components
        low, high = part
        self.phases = (high - low) // colours
        each = 3 * colours * components + colours * (colours - 1) // 2
        if not low:
            self.constants = nn.Parameter(torch.zeros(1, self.phases * each, 1, 1))
            start, log_scale = self.constants, -1.5
        else:
            self.p = Predictor(low, self.phases * each, high - low, width=width, blocks=blocks)
            self.others: nn.Sequential | None = None
            if colours > 1:
                out = nn.Conv2d(width, self.phases * (each - 3 * components), 1)
                self.others = nn.Sequential(nn.Conv2d(width + self.phases, width, 1), nn.ReLU(), out)
                for zero in (out.weight, out.bias):
                    nn.init.zeros_(zero)  # type: ignore[arg-type]
                with torch.no_grad():
                    # few inputs among many, and the ones that matter
                    self.others[0].weight[:, width:] *= 6  # type: ignore[index, operator]
            start, log_scale = self.p.network[-1].bias, -2.5  # type: ignore[assignment]
        means = torch.linspace(-0.125, 0.125, components) if components > 1 else torch.zeros(1)
        mixture = torch.cat([torch.zeros(components), means, torch.full((components,), log_scale)])
        with torch.no_grad():
            start.view(self.phases, each)[:, : 3 * colours * components] = mixture.repeat(colours)

    def interpolate(self) -> None:
        """Let the linear predictor of a phase start as the average of its four nearest neighbours in the phases before it."""
        self.p.interpolate(range(self.part[0] // self.colours, self.part[1] // self.colours), self.colours)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Transform the channels of `part`."""
        low, high = self.part
        values, phases, first = x[:, low:high], self.phases, 3 * self.components
        if low:
            hidden, linear = self.p.hidden(x[:, :low]), self.p.linear(x[:, :low])
            values = values - linear
            parameters = self.p.network[-1](hidden).chunk(phases, 1)
            if self.others is not None:
                # in units of 8 grey levels, so that it weighs about as much as what else there is
                seen = torch.cat([hidden, 4 * values[:, :: self.colours]], 1)
                others = self.others(seen).chunk(phases, 1)
                parameters = [
                    torch.cat([p[:, :first], p[:, first:] + q], 1) for p, q in zip(parameters, others, strict=True)
                ]
        else:
            parameters = self.constants.chunk(phases, 1)
        ys, log_slopes = [], torch.zeros(())
        for phase, p in zip(values.chunk(phases, 1), parameters, strict=True):
            y, log_slope = mixture_logit(
                shear(phase, p[:, first * self.colours :]), p[:, : first * self.colours], self.components
            )
            ys.append(y)
            log_slopes = log_slopes + log_slope
        return torch.cat([x[:, :low], *ys, x[:, high:]], 1), log_slopes

    def freeze(self, name: str, x: Tensor) -> tuple[list[Any], Tensors]:
        """Where the channels that change are; constants, or trunk, head, linear predictor and what the other colours add."""
        part, colours, components = list(self.part), self.colours, self.components
        low, high = limits_of(colours, components)
        gain = np.concatenate(
            [
                np.tile(np.repeat([2.0**LOG_BITS, 2.0**SHIFT_BITS, 2.0**LOG_BITS], components), colours),
                np.full(colours * (colours - 1) // 2, 2.0**COEFFICIENT_BITS),
            ]
        )
        targets = [QFormat(bits=0, low=int(a), high=int(b)) for a, b in zip(low, high, strict=True)]
        if not self.part[0]:
            constants = np.rint(self.constants.detach().double().numpy().reshape(self.phases, -1) * gain)
            return [part], {f"{name}.constants": constants.clip(low, high).astype(np.int32).reshape(-1)}
        given = x[:, : self.part[0]]
        known, seen = inputs(given), self.p.hidden(given)
        top = int(np.ceil(float(seen.max()) * HEADROOM * 2**INPUT_BITS))
        span, bits, gains = QFormat(bits=INPUT_BITS, low=0, high=top), self.p.bits, np.tile(gain, self.phases)
        hidden = np.moveaxis(np.rint(seen.double().numpy() * 2**INPUT_BITS), 1, -1).clip(0, top).astype(np.int64)
        *trunk, head = self.p.network
        tensors = freeze(nn.Sequential(*trunk), known, SOURCE, span, weight_bits=bits[:-1]).tensors(f"{name}.trunk")
        last = freeze(nn.Sequential(head), hidden, span, targets * self.phases, weight_bits=bits[-1], gain=gains)
        tensors |= last.tensors(f"{name}.head")
        tensors |= self.p.freeze_linear(name, known, SOURCE, SHIFT, scale=2.0**SHIFT_BITS)
        if self.others is not None:
            values = x[:, slice(*self.part)] - self.p.linear(given)
            joined = np.concatenate([hidden, inputs(4 * values[:, ::colours])], -1)
            span, first = QFormat(bits=INPUT_BITS, low=-WINDOW, high=max(top, WINDOW - 1)), 3 * components
            gains, targets = np.tile(gain[first:], self.phases), targets[first:] * self.phases
            others = freeze(self.others, joined, span, targets, weight_bits=bits[-1], gain=gains)
            tensors |= others.tensors(f"{name}.others")
        return [part], tensors


def shear(x: Tensor, coefficients: Tensor) -> Tensor:
    """Subtract from each channel a linear function of those before it; coefficients in the order 1 on 0, 2 on 0, 2 on 1."""
    out, first = [x[:, 0]], 0
    for c in range(1, x.shape[1]):
        out.append(x[:, c] - (coefficients[:, first : first + c] * x[:, :c]).sum(1))
        first += c
    return torch.stack(out, 1)


def mixture_logit(x: Tensor, parameters: Tensor, components: int) -> tuple[Tensor, Tensor]:
    """The logit of a mixture's distribution function, of the shape of x, and the sum of the logarithms of its slopes.

    Parameters
    ----------
    x
        Shape (n, channels, h, w).
    parameters
        Shape (n, channels * 3 * components, h, w): of each channel logits, means, log-scales.
    """
    logits, means, log_scales = parameters.view(-1, x.shape[1], 3, components, *parameters.shape[2:]).unbind(2)
    precision = torch.exp(-log_scales.clamp(*MIXTURE_RANGE))
    at = (x.unsqueeze(2) - means) * precision
    weights = (1 - BROAD) * torch.softmax(logits, 2)
    below, above = weights * torch.sigmoid(at), torch.sigmoid(-at)
    density = (below * above * precision).sum(2)
    below, above = below.sum(2), (weights * above).sum(2)
    tail_below, tail_above = torch.sigmoid(x), torch.sigmoid(-x)
    below, above = below + BROAD * tail_below, above + BROAD * tail_above
    density = density + BROAD * tail_below * tail_above
    # a standard logistic variable has the density F (1 - F)
    return torch.log(below) - torch.log(above), torch.log(density / (below * above)).sum()
