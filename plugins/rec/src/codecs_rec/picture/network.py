"""The learned transform in floating point, as it is trained."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from codecs_core.learn import residual
from codecs_rec.picture.cosines import Layout
from codecs_rec.picture.model import BLOCK, COLOURS, MARGIN, Phases, steps

#: Numbers of a hyper-latent cell, and of what is made of it for each block.
HYPER, SEEN = 16, 32
#: Widths of the networks of the priors of each group, and of the one that refines.
WIDTHS, REFINE = (64, 80, 96), 48
#: The refining network's unit, in 8-bit values.
UNIT = 64.0


class Transform(nn.Module):
    """From pixels to latents of blocks and back, what starts as a lapped cosine transform, and the networks of priors.

    Parameters
    ----------
    layout
        What the latents of a block are.
    noises
        64 log2 of the deviation of the noise of each quality.
    """

    unit: Tensor
    signs: Tensor
    noises: Tensor

    def __init__(self, layout: Layout, noises: NDArray[np.int64]) -> None:
        super().__init__()
        kernels = torch.from_numpy(layout.kernels()).float()  # (latents, colours, 24, 24)
        count, sides = len(kernels), (COLOURS, 3, BLOCK, 3, BLOCK)
        self.layout, self.steps = layout, steps(len(layout.ends))
        self.analysis = nn.Parameter(kernels.clone())
        self.synthesis = nn.Conv2d(count, COLOURS * BLOCK**2, 3, padding=1, bias=False)
        with torch.no_grad():
            taps = kernels.view(count, *sides).flip(2, 4)
            self.synthesis.weight.copy_(taps.permute(1, 3, 5, 0, 2, 4).reshape(-1, count, 3, 3))
        self.register_buffer("unit", torch.ones(count))  # that networks see latents in: powers of two
        self.register_buffer("signs", torch.from_numpy(layout.signs()).float())  # (2, latents)
        self.register_buffer("noises", torch.from_numpy(noises).float())
        self.hyper_encoder = nn.Sequential(
            nn.Conv2d(2 * count + 1, 64, 1),
            nn.ReLU(),
            nn.PixelUnshuffle(2),
            nn.Conv2d(256, 64, 1),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(64, HYPER, 1),
        )
        self.hyper_noise = nn.Parameter(torch.zeros(HYPER))
        self.hyper_decoder = nn.Sequential(
            nn.Conv2d(HYPER + 1, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 4 * SEEN, 1)
        )
        self.priors = nn.ModuleList(
            _prior(2 * layout.edges[group + 1] + SEEN + 1, WIDTHS[group], 2 * layout.sizes[group], 3 if group else 5)
            for group, _ in self.steps
        )
        squares = 4 * COLOURS
        self.refine = residual(squares + 1, squares, width=REFINE, blocks=2, last=3)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def begin(self, deviations: Tensor) -> None:
        """Start from priors of these deviations at a middle quality: shape (latents,)."""
        edges, middle = self.layout.edges, float(self.noises.median()) / 64
        with torch.no_grad():
            self.unit.copy_(torch.exp2(deviations.log2().round().clamp(0, 9)))
            for (group, _), prior in zip(self.steps, self.priors, strict=True):
                told = deviations[edges[group] : edges[group + 1]].log2() - middle
                cast(Tensor, cast(nn.Sequential, prior)[-1].bias)[len(told) :] = told.clamp_min(0.1)

    def analyse(self, x: Tensor) -> Tensor:
        """Latents (n, latents, h / 8, w / 8) of images (n, 3, h, w) less grey: sides are multiples of 8."""
        with torch.autocast("cpu", enabled=False):
            return functional.conv2d(mirrored(x, MARGIN), self.analysis, stride=BLOCK)

    def synthesise(self, z: Tensor) -> Tensor:
        """The image of latents."""
        z = torch.cat([self.signs[0, :, None, None] * z[:, :, :1], z, self.signs[0, :, None, None] * z[:, :, -1:]], 2)
        z = torch.cat([self.signs[1, :, None, None] * z[..., :1], z, self.signs[1, :, None, None] * z[..., -1:]], 3)
        with torch.autocast("cpu", enabled=False):
            return functional.pixel_shuffle(self.synthesis(z)[:, :, 1:-1, 1:-1], BLOCK)

    def features(self, z: Tensor) -> Tensor:
        """What networks see of latents: values in their unit, and logarithms of magnitudes."""
        linear = (z / self.unit[: z.shape[1], None, None]).clamp(-8, 8)
        return torch.cat([linear, (1 + 16 * z.abs()).log2() / 4], 1)

    def refined(self, base: Tensor, level: Tensor) -> Tensor:
        """The image with the errors taken away that the network expects."""
        seen = functional.pixel_unshuffle(base / UNIT, 2)
        out = self.refine(torch.cat([seen, level.expand(-1, 1, *seen.shape[2:])], 1))
        return base + UNIT * functional.pixel_shuffle(out.float(), 2)

    def hyper(self, y: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """What is seen of hyper-latents sampled for latents y, and the nats they tell, per image."""
        features = torch.cat([self.features(y), level.expand(-1, 1, *y.shape[2:])], 1)
        mean = self.hyper_encoder(features).float()
        variance = torch.sigmoid(self.hyper_noise)[:, None, None]
        nats = 0.5 * (mean.square() + variance - 1 - variance.log())
        h = mean + variance.sqrt() * torch.randn_like(mean)
        seen = self.hyper_decoder(torch.cat([h, level.expand(-1, 1, *h.shape[2:])], 1))
        return functional.pixel_shuffle(seen.float(), 2), nats.sum((1, 2, 3))

    def forward(self, x: Tensor, quality: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Images as they come back, by the transform alone and refined, and nats of an image: of hyper-latents, then of each step."""
        noise = self.noises[quality]
        level = (noise / 256)[:, None, None, None]
        deviation = torch.exp2(noise / 64)[:, None, None, None]
        y = self.analyse(x)
        seen, nats = self.hyper(y, level)
        z, told = torch.zeros_like(y), [nats]
        level_map = level.expand(-1, 1, *y.shape[2:])
        edges = self.layout.edges
        for (group, phases), prior in zip(self.steps, self.priors, strict=True):
            first, last = edges[group], edges[group + 1]
            mask = self.mask(phases, y)
            out = prior(torch.cat([self.features(z[:, :last]), seen, level_map], 1)).float()
            mean, u = out.chunk(2, 1)
            mean = mean * self.unit[first:last, None, None]
            soft = functional.softplus(4 * u) / 4
            information = (u.relu().detach() + soft - soft.detach()).clamp_max(7.9)
            part, nats = channel(y[:, first:last], mean, information, deviation)
            told.append((nats * mask).sum((1, 2, 3)))
            z = torch.cat([z[:, :first], torch.where(mask, part, z[:, first:last]), z[:, last:]], 1)
        base = self.synthesise(z)
        return base, self.refined(base, level), torch.stack(told, 1)

    def mask(self, phases: Phases, y: Tensor) -> Tensor:
        """Blocks of these phases: shape (h / 8, w / 8)."""
        out, (side, places) = torch.zeros(y.shape[2:], dtype=torch.bool), phases
        for row, column in places:
            out[row::side, column::side] = True
        return out


def channel(y: Tensor, mean: Tensor, information: Tensor, deviation: Tensor) -> tuple[Tensor, Tensor]:
    """Samples of the posterior of a Gaussian test channel, and the nats that they tell.

    The prior is N(m, S^2 - D), D = `deviation`^2 and S^2 = D 4^`information`; the posterior N(m + (y - m) (1 - D / S^2), D (1 - D / S^2)).
    """
    share = torch.exp2(-2 * information)
    kept = 1 - share
    off = y - mean
    nats = 0.5 * (share - 1 + (off / deviation).square() * share * kept) + math.log(2) * information
    noise = deviation * ((kept + 1e-3).sqrt() - math.sqrt(1e-3))
    return mean + off * kept + noise * torch.randn_like(y), nats


def mirrored(x: Tensor, margin: int) -> Tensor:
    """Images with `margin` rows and columns on each side that mirror those inside."""
    x = torch.cat([x[:, :, :margin].flip(2), x, x[:, :, -margin:].flip(2)], 2)
    return torch.cat([x[..., :margin].flip(3), x, x[..., -margin:].flip(3)], 3)


def _prior(inputs: int, width: int, outputs: int, taps: int) -> nn.Sequential:
    last = nn.Conv2d(width, outputs, 1)
    with torch.no_grad():
        last.weight.mul_(0.3)
    first = nn.Conv2d(inputs, width, taps, padding=taps // 2)
    return nn.Sequential(first, nn.ReLU(), nn.Conv2d(width, width, 1), nn.ReLU(), last)
