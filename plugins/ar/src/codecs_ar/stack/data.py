"""What a network sees of a stack of images, to learn from: rows of inputs, drawn where there is something to learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from codecs_ar.stack.view import ONE, Canvas, Order, View

CPU = torch.device("cpu")
#: The neighbours that are all alike where a pixel is quiet.
NEAR = ((0, -1), (0, -2), (-1, -2), (-1, -1), (-1, 0), (-1, 1), (-1, 2), (-2, 0))
#: Share of the quiet pixels in a batch; there are more of them, and each counts for more.
QUIET = 0.2


@dataclass(frozen=True, eq=False)
class Batch:
    """Pixels of a channel: what `Network.bits` takes, and what each counts for; the weights add up to 1."""

    x: Tensor
    rows: Tensor
    columns: Tensor
    values: Tensor
    expectations: Tensor
    weights: Tensor


class Images:
    """Images as a channel's network sees them.

    Parameters
    ----------
    images
        Shape (n, height, width, channels), uint8, the channels as they are coded.
    view
        What is seen.
    order
        The order of the pixels.
    shares
        Where values are drawn as 1 with a probability, these, in 255ths, of the shape of `images`; they are learnt from.
    device
        Where tensors are.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        view: View,
        order: Order,
        *,
        shares: NDArray[np.uint8] | None = None,
        device: torch.device = CPU,
    ) -> None:
        height, width, _ = view.shape
        self.view, self.area, self.width, self.device = view, height * width, width, device
        near = np.array([(*place, view.plane) for place in NEAR], np.int8)
        canvas = Canvas.of(view.shape, view.taps, near)
        padded = canvas.new(len(images))
        canvas.inside(padded)[:] = images
        self.quiet, self.busy = _split(padded, canvas, near)
        self.canvas, self.each = torch.from_numpy(padded).flatten().to(device), padded[0].size
        self.places = torch.from_numpy(canvas.places().reshape(-1)).to(device)
        self.offsets = torch.from_numpy(canvas.offsets(view.taps)).to(device)
        self.channels = torch.from_numpy(view.taps[:, 2].astype(np.int64)).to(device)
        self.above = canvas.whole[1] * canvas.whole[2]
        self.curves = torch.from_numpy(view.curves.T / np.float32(ONE)).to(device)
        targets = images if shares is None else shares
        self.scale = 1.0 if shares is None else 1 / 255
        self.targets = torch.from_numpy(np.ascontiguousarray(targets[..., view.plane]).reshape(-1)).to(device)
        self.fronts = torch.from_numpy(order.front.reshape(-1)).to(device)
        self.counting = torch.from_numpy(view.counting / np.float32(ONE)).to(device)
        self.tallies = torch.from_numpy(_tallies(images[..., view.plane], view.tallies, order)).to(device)

    def __len__(self) -> int:
        return len(self.targets)

    def rows(self, at: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Inputs, rows, columns, values and expectations of pixels by number, image after image."""
        image, place = at // self.area, at % self.area
        first = image * self.each + self.places[place]
        values, expectations = self.canvas[first[:, None] + self.offsets].int(), torch.zeros_like(at)
        parts = []
        if self.view.referred:
            references, innovations = self._references(first)
            expectations = references[:, self.view.plane]
            values = values - references[:, self.channels] + 255
            parts = [(references - 128) / ONE, innovations / ONE]
        x = torch.cat([nn.functional.embedding(values, self.curves).flatten(1), *parts], 1)
        if self.tallies.shape[2]:
            counts = self.tallies[image, self.fronts[place]].int()
            shares = ONE * counts // (counts.sum(1, keepdim=True) + 1)
            x = torch.cat([x, self.counting[counts.clamp(max=255)], shares / ONE], 1)
        return x, place // self.width, place % self.width, self.targets[at] * self.scale, expectations

    def _references(self, place: Tensor) -> tuple[Tensor, Tensor]:
        """As `kernels.look` has them: the reference of each channel, and of each known channel its value less what was expected."""
        channels, plane = self.view.shape[2], self.view.plane
        across = torch.arange(channels, device=self.device)
        here, west, north, corner = (
            self.canvas[(place - back)[:, None] + across].int()
            for back in (0, channels, self.above, self.above + channels)
        )
        alone = _median(west, north, west + north - corner)
        west, north, corner = (x - x[:, :1] for x in (west, north, corner))
        together = (_median(west, north, west + north - corner) + here[:, :1]).clamp(0, 255)
        expected = torch.where(across == 0, alone, together)
        references = torch.where(across < plane, here, torch.where(across == plane, expected, alone))
        return references, (here - expected)[:, :plane]

    def draw(self, count: int) -> Batch:
        """Random pixels, of the quiet ones fewer than their share."""
        share = min(QUIET, len(self.quiet) / len(self))
        quiet = round(count * share) if len(self.busy) else count
        numbers = [n for n in ((quiet, self.quiet), (count - quiet, self.busy)) if n[0]]
        at = torch.cat([pixels[torch.randint(len(pixels), (n,))] for n, pixels in numbers]).long()
        weights = torch.cat([torch.full((n,), len(pixels) / (n * len(self))) for n, pixels in numbers])
        return Batch(*self.rows(at.to(self.device)), weights.to(self.device))


def _median(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    return torch.maximum(torch.minimum(a, b), torch.minimum(torch.maximum(a, b), c))


def _split(padded: NDArray[np.uint8], canvas: Canvas, near: NDArray[np.int8]) -> tuple[Tensor, Tensor]:
    """Numbers of the quiet pixels, and of the others."""
    height, width, _ = canvas.shape
    quiet = np.ones((len(padded), height, width), bool)
    first: NDArray[Any] | None = None
    for down, right, channel in near.astype(int):
        top, left = canvas.above + down, canvas.left + right
        there = padded[:, top : top + height, left : left + width, channel]
        first = there if first is None else first
        quiet &= there == first
    flat = quiet.reshape(-1)
    return tuple(torch.from_numpy(np.flatnonzero(x).astype(np.int32)) for x in (flat, ~flat))  # type: ignore[return-value]


def _tallies(values: NDArray[np.uint8], counted: tuple[int, ...], order: Order) -> NDArray[np.int16]:
    """How often each value was coded before a front: shape (images, fronts, counted)."""
    fronts = int(order.front.max()) + 1
    tallies = np.zeros((len(values), fronts, len(counted)), np.int16)
    for i, value in enumerate(counted):
        image, row, column = np.nonzero(values == value)
        at = image * fronts + order.front[row, column]
        hits = np.bincount(at, minlength=len(values) * fronts).reshape(len(values), fronts)
        tallies[:, 1:, i] = hits.cumsum(1)[:, :-1]
    return tallies
