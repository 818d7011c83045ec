"""Images to train on: random parts of them, and stacks of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codecs_core.exact import colour_forward

#: Values of a stack.
STACK = 1 << 20


class Crops:
    """Images to draw from: integers after the colour transform.

    Parameters
    ----------
    images
        Arrays of shape (h, w, channels), uint8, or one of shape (n, h, w, channels).
    unit
        What heights and widths that are drawn are multiples of; no image is smaller.
    """

    def __init__(self, images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], unit: int = 1) -> None:
        self.unit = unit
        # channels first, and as small as they go
        self.images = [np.ascontiguousarray(np.moveaxis(colour_forward(x), -1, 0), np.int16) for x in images]
        weights = np.array([x.shape[1] * x.shape[2] for x in self.images], np.float64)
        self.cumulative = np.cumsum(weights / weights.sum())

    @property
    def values(self) -> int:
        """Number of values."""
        return sum(x.size for x in self.images)

    def draw(self, rng: np.random.Generator, batch: int, crop: int) -> Tensor:
        """A batch of random crops, half of them mirrored: floats of shape (batch, channels, h, w), h and w at most `crop` or one unit."""
        places = np.searchsorted(self.cumulative, rng.random(batch)).clip(max=len(self.images) - 1)
        chosen = [self.images[i] for i in places]
        h, w = (min(max(crop, self.unit), *(x.shape[axis] for x in chosen)) // self.unit * self.unit for axis in (1, 2))
        out = np.empty((batch, chosen[0].shape[0], h, w), np.float32)
        for i, x in enumerate(chosen):
            top, left = rng.integers(x.shape[1] - h + 1), rng.integers(x.shape[2] - w + 1)
            cut = x[:, top : top + h, left : left + w]
            out[i] = cut[:, :, ::-1] if rng.random() < 0.5 else cut
        return torch.from_numpy(out)


def stacks(images: Sequence[NDArray[Any]], values: int, unit: int = 1) -> list[NDArray[Any]]:
    """Images of one shape and dtype that follow each other as stacks of at most a million values, up to `values` in all.

    Heights and widths are cut to multiples of `unit`; no image is smaller.
    """
    out: list[NDArray[Any]] = []
    run: list[NDArray[Any]] = []
    for image in images:
        x = image[: image.shape[0] // unit * unit, : image.shape[1] // unit * unit]
        alike = run and x.shape == run[0].shape and x.dtype == run[0].dtype
        if run and not (alike and (len(run) + 1) * x.size <= STACK):
            out.append(np.stack(run))
            run = []
        run.append(x)
        values -= x.size
        if values <= 0:
            break
    return [*out, np.stack(run)] if run else out
