"""The networks of photographs in floating point, as they are trained."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from codecs_core.learn import residual
from codecs_rec.photograph.lapped import BLOCK, COLOURS, MARGIN, lapped, opponent
from codecs_rec.photograph.model import SQUARE
from codecs_rec.photograph.prior import PARTS
from codecs_rec.picture.model import FIRST, LATER, Phases

#: Where the groups of latents of brightness end, by the sums of the numbers of a cosine; those of colours follow, fewer along an axis.
ENDS, FEW = (1, 3, 6, 14), 4
#: Channels of the networks of the first group, of the trunk, of the other priors and of the network that refines, and its blocks.
FIRST_WIDTH, TRUNK, WIDTH, REFINE, BLOCKS = 64, 80, 112, 48, 3
#: Components of a prior; the refining network's unit, in 8-bit values.
COMPONENTS, UNIT = 2, 64.0


def layout(ends: Sequence[int] = ENDS, few: int = FEW) -> list[list[tuple[int, int, int]]]:
    """The latents of a block, group by group: colour, and numbers of the cosines along rows and columns."""
    square = [(u, v) for u in range(BLOCK) for v in range(BLOCK)]
    starts = (-1, *ends[:-1])
    groups = [[(0, u, v) for u, v in square if a < u + v <= b] for a, b in zip(starts, ends, strict=True)]
    colours = [(c, u, v) for c in range(1, COLOURS) for u, v in square if max(u, v) < few]
    return [*groups, sorted(colours, key=lambda one: (one[1] + one[2], one[1], one[0]))]


class Network(nn.Module):
    """Priors of latents that are known as cells of a grid, and the network that refines images.

    Parameters
    ----------
    groups
        The latents of a block, as `layout` has them.
    spacings
        Of the grids, in 8-bit values, falling.
    """

    kernels: Tensor
    signs: Tensor
    spacings: Tensor
    levels: Tensor

    def __init__(self, groups: list[list[tuple[int, int, int]]], spacings: NDArray[np.float64]) -> None:
        super().__init__()
        self.groups, self.places = groups, np.array([place for group in groups for place in group])
        self.edges = np.cumsum([0, *map(len, groups)]).tolist()
        basis, colours = lapped(), opponent()
        kernels = np.array([colours[c][:, None, None] * np.outer(basis[u], basis[v]) for c, u, v in self.places])
        self.register_buffer("kernels", torch.from_numpy(kernels).float(), persistent=False)
        self.register_buffer("signs", torch.from_numpy(1.0 - 2 * (self.places[:, 1:].T & 1)).float(), persistent=False)
        self.register_buffer("spacings", torch.from_numpy(spacings).float())
        # 0 in the middle, and about 1 at both ends
        half = len(spacings) / 2
        self.register_buffer("levels", ((torch.arange(len(spacings)) - half) / half).float())
        sizes = [3 * COMPONENTS * len(group) for group in groups]
        self.first = nn.ModuleList(_prior(2 * len(groups[0]) + 1, FIRST_WIDTH, sizes[0], 5) for _ in FIRST)
        self.trunk, self.heads = nn.ModuleList(), nn.ModuleList()
        for group in range(1, len(groups)):
            inputs, taps = 2 * len(groups[group - 1]) + (TRUNK if group > 1 else 1), 3 if group > 1 else 5
            self.trunk.append(nn.Sequential(nn.Conv2d(inputs, TRUNK, taps, padding=taps // 2), nn.ReLU()))
            given = TRUNK + 1, TRUNK + 1 + 2 * len(groups[group])
            self.heads.append(nn.ModuleList(_prior(n, WIDTH, sizes[group], 3) for n in given))
        squares = COLOURS * SQUARE**2
        self.refine = residual(squares + 1, squares, width=REFINE, blocks=BLOCKS, last=3)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def analyse(self, x: Tensor) -> Tensor:
        """Latents (n, L, h / 8, w / 8) of images (n, 3, h, w) less grey: sides are multiples of 8."""
        x = torch.cat([x[:, :, :MARGIN].flip(2), x, x[:, :, -MARGIN:].flip(2)], 2)
        x = torch.cat([x[..., :MARGIN].flip(3), x, x[..., -MARGIN:].flip(3)], 3)
        return functional.conv2d(x, self.kernels, stride=BLOCK)

    def synthesise(self, z: Tensor) -> Tensor:
        """The image of latents."""
        rows, columns = self.signs[:, :, None, None]
        z = torch.cat([rows * z[:, :, :1], z, rows * z[:, :, -1:]], 2)
        z = torch.cat([columns * z[..., :1], z, columns * z[..., -1:]], 3)
        edge = BLOCK + MARGIN
        return functional.conv_transpose2d(z, self.kernels, stride=BLOCK)[..., edge:-edge, edge:-edge]

    def steps(self, v: Tensor, level: Tensor) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """For each step, which latents it is about, a mask of the blocks, and the outputs of its network.

        Of `v`, the latents in spacings, shape (n, L, rows, columns), only what is known in a step is looked at when it comes.
        """
        n, _, rows, columns = v.shape
        level = level.view(-1, 1, 1, 1).expand(n, 1, rows, columns)
        trunk, previous = level, v[:, :0]
        for group in range(len(self.groups)):
            own = slice(self.edges[group], self.edges[group + 1])
            if group:
                trunk = self.trunk[group - 1](torch.cat([trunk, features(previous)], 1))
            known = torch.zeros(rows, columns, device=v.device)
            for step, phases in enumerate(LATER if group else FIRST):
                mask, seen = _mask(phases, v), features(v[:, own] * known)
                given = [seen, level] if not group else [trunk, level, seen][: 2 + step]
                net = cast(nn.ModuleList, self.heads[group - 1])[step] if group else self.first[step]
                yield own, mask, net(torch.cat(given, 1)).float()
                known = known + mask
            previous = v[:, own]

    def nats(self, v: Tensor, level: Tensor) -> Tensor:
        """What the latents of each image tell: shape (n,)."""
        told = torch.zeros(len(v), device=v.device)
        for own, mask, out in self.steps(v, level):
            told = told + (nats(v[:, own], *parameters(out)) * mask).sum((1, 2, 3))
        return told

    def coded(self, y: Tensor, level: Tensor, worth: float) -> tuple[Tensor, Tensor, Tensor]:
        """Latents y, in spacings, as the search finds them: their cells, their means, and the nats they tell."""
        v, means, told = torch.zeros_like(y), torch.zeros_like(y), torch.zeros(len(y), device=y.device)
        for own, mask, out in self.steps(v, level):
            prior, part = parameters(out), y[:, own]
            k = part.round()
            best = k, expected(k, *prior), nats(k, *prior)
            k = k - k.sign()
            other = k, expected(k, *prior), nats(k, *prior)
            costs = [(part - mean).square() + worth / math.log(2) * cost for _, mean, cost in (best, other)]
            chosen = [torch.where(costs[1] < costs[0], b, a) for a, b in zip(best, other, strict=True)]
            v[:, own] = torch.where(mask > 0, chosen[0], v[:, own])
            means[:, own] = torch.where(mask > 0, chosen[1], means[:, own])
            told = told + (chosen[2] * mask).sum((1, 2, 3))
        return v, means, told

    def refined(self, base: Tensor, level: Tensor) -> Tensor:
        """The image with the errors taken away that the network expects."""
        seen = functional.pixel_unshuffle(base / UNIT, SQUARE)
        told = level.view(-1, 1, 1, 1).expand(-1, 1, *seen.shape[2:])
        out = self.refine(torch.cat([seen, told], 1))
        return base + UNIT * functional.pixel_shuffle(out.float(), SQUARE)


def features(v: Tensor) -> Tensor:
    """What networks see of latents: a quarter of them, and logarithms of magnitudes."""
    return torch.cat([v / 4, (1 + 2 * v.abs()).log2()], 1)


def parameters(out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, means and logarithms of scales, each of shape (n, components, latents, rows, columns), from outputs of a network."""
    n, channels, rows, columns = out.shape
    gains, offsets = scaling(channels, out.device)
    out = out * gains[:, None, None] + offsets[:, None, None]
    logits, means, scales = out.view(n, 3, COMPONENTS, -1, rows, columns).unbind(1)
    return logits, means, scales.clamp(-6, 6)


def scaling(channels: int, device: Any = None) -> tuple[Tensor, Tensor]:
    """What outputs of networks of priors are multiplied by, and what is added: a narrow and a wide component at first, in nats."""
    first = torch.tensor([[1.0, -1.0], [0.0, 0.0], [-1.0, 0.3]], device=device)
    return torch.full((channels,), 2.0, device=device), first.reshape(-1).repeat_interleave(channels // first.numel())


def nats(v: Tensor, logits: Tensor, means: Tensor, scales: Tensor) -> Tensor:
    """Of latents in spacings, what the cells around them tell."""
    off, inverse = (v[:, None] - means).abs(), (-scales).exp()
    upper, lower = (0.5 - off) * inverse, (-0.5 - off) * inverse
    inside = torch.log(-torch.expm1((lower - upper).clamp_max(-1e-6)))
    each = functional.logsigmoid(upper) + functional.logsigmoid(-lower) + inside
    return -torch.logsumexp(functional.log_softmax(logits, 1) + each, 1)


def expected(v: Tensor, logits: Tensor, means: Tensor, scales: Tensor) -> Tensor:
    """Means of the cells around v: parts of each by what they hold."""
    weights, inverse = functional.softmax(logits, 1), (-scales).exp()
    moment, whole = torch.zeros_like(v), torch.full_like(v, 1e-12)
    lower = (v[:, None] - 0.5 - means) * inverse
    for part in range(PARTS):
        upper = lower + inverse / PARTS
        # on the side where both are small, so that their difference is known
        side = torch.where(lower > 0, -1.0, 1.0)
        held = side * (torch.sigmoid(side * upper) - torch.sigmoid(side * lower))
        mass = (weights * held).sum(1)
        moment, whole, lower = moment + mass * ((part + 0.5) / PARTS - 0.5), whole + mass, upper
    return v + moment / whole


def _mask(phases: Phases, v: Tensor) -> Tensor:
    """Blocks of these phases: shape (rows, columns)."""
    out, (side, places) = torch.zeros(v.shape[2:], device=v.device), phases
    for row, column in places:
        out[row::side, column::side] = 1
    return out


def _prior(inputs: int, width: int, outputs: int, taps: int) -> nn.Sequential:
    last = nn.Conv2d(width, outputs, 1)
    with torch.no_grad():
        last.weight.mul_(0.3)
    first = nn.Conv2d(inputs, width, taps, padding=taps // 2)
    return nn.Sequential(first, nn.ReLU(), nn.Conv2d(width, width, 1), nn.ReLU(), last)
