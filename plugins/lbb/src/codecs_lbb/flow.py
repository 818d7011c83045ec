"""A flow as it codes images: dequantisation, layers, base distribution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Message, StackCodec
from codecs_core.exact import grey_levels
from codecs_lbb.dequantise import GREY_BITS, Noise
from codecs_lbb.grid import Grid
from codecs_lbb.layers import FactorOut, Layer


class Flow(StackCodec[NDArray[Any]]):
    """Images by local bits-back coding, layer by layer: Ho, Lohn, Abbeel 2019, section 3.4.3.

    Parameters
    ----------
    grid
        Of all values.
    layers
        From the data on; the last one factors out all that is left.
    noise
        Function of images on the grid: codec of their dequantisation noise.
    shape
        Of the images, (n, h, w, channels).
    centre
        The grey level that stands for zero.
    """

    def __init__(
        self,
        grid: Grid,
        layers: Sequence[Layer],
        noise: Callable[[NDArray[np.int64]], Noise],
        shape: tuple[int, int, int, int],
        centre: int,
    ) -> None:
        self.grid, self.layers, self.noise, self.centre = grid, layers, noise, centre
        self._level = grid.bits - GREY_BITS
        #: Of what the last layer leaves: no channels.
        self.end: tuple[int, ...] = shape
        for layer in layers:
            self.end = layer.shape(self.end)

    def push(self, message: Message, x: NDArray[Any]) -> None:
        """Push images, integers from 0 to 255."""
        z = self.centred(x)
        z = z + self.noise(z).pop(message)
        for layer in self.layers:
            z = layer.push(message, z)

    def pop(self, message: Message) -> NDArray[np.uint8]:
        """Pop images; raises `CorruptDataError` for a message that holds none."""
        z = self._point(message)
        levels = z >> self._level
        x = grey_levels(levels + self.centre)
        centred = levels << self._level
        self.noise(centred).push(message, z - centred)
        return x

    def sample(self, message: Message) -> NDArray[np.uint8]:
        """What the flow makes of z off a message of random bits; values beyond those of an image are cut off."""
        return self._shown(self._point(message))

    def points(self, x: NDArray[Any]) -> list[NDArray[np.int64]]:
        """What the base distribution is of: z of images in the middle of their grey levels, an array for each layer that factors out."""
        return self.forward(self.centred(x) + (1 << self._level >> 1))

    def image(self, points: Sequence[NDArray[np.int64]]) -> NDArray[np.uint8]:
        """Inverse of `points`; what is beyond the values of an image is cut off."""
        return self._shown(self.inverse(points))

    def forward(self, z: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """What the layers make of values of the grid, as near to it as that is, an array for each layer that factors out."""
        found = []
        for layer in self.layers:
            if isinstance(layer, FactorOut):
                found.append(z[..., layer.keep :])
            z, _ = layer.forward(z)
        return found

    def inverse(self, points: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """Inverse of `forward`, as near to the grid as that is."""
        z, left = np.zeros(self.end, np.int64), list(points)
        for layer in reversed(self.layers):
            z = np.concatenate([z, left.pop()], -1) if isinstance(layer, FactorOut) else layer.pop(None, z)
        return z

    def _shown(self, z: NDArray[np.int64]) -> NDArray[np.uint8]:
        return ((z >> self._level) + self.centre).clip(0, 255).astype(np.uint8)

    def _point(self, message: Message) -> NDArray[np.int64]:
        """Pop z, layer by layer, as far as the noisy image on the grid."""
        z = np.zeros(self.end, np.int64)
        for layer in reversed(self.layers):
            z = layer.pop(message, z)
        return z

    def theory(self, x: NDArray[Any], message: Message) -> NDArray[np.float64]:
        """Bits of each value by the densities that the flow stands for, -log2 p(x + u) + log2 q(u | x), for noise u that is popped.

        What a convolution mixes shares its bits. Noise, and what a layer spreads, can make them less than nothing.
        """
        z = self.centred(x)
        noise = self.noise(z)
        u: Any = noise.pop(message)
        drawn: NDArray[np.float64] = np.asarray(noise.information(u))
        z, shorter = z + u, list[NDArray[np.float64]]()
        for layer in self.layers:
            z, each = layer.forward(z)
            shorter.append(each)
        bits = np.zeros(self.end)
        for layer, each in zip(reversed(self.layers), reversed(shorter), strict=True):
            bits = layer.placed(bits) - each
        return bits - drawn

    def centred(self, x: NDArray[Any]) -> NDArray[np.int64]:
        """Images on the grid, without noise."""
        return (x.astype(np.int64) - self.centre) << self._level


def arc(ends: NDArray[np.int64], items: int) -> NDArray[np.int64]:
    """From the first to the second of two arrays, shape (2, ...), in `items` steps.

    Independent variables keep their variance on the way, as they would not on a straight line: what is halfway is as likely as the ends.
    """
    t = (np.arange(items) / (items - 1)).reshape(-1, *[1] * (ends.ndim - 1))
    mixed: NDArray[np.float64] = ((1 - t) * ends[0] + t * ends[1]) / np.sqrt((1 - t) * (1 - t) + t * t)
    return np.asarray(np.floor(mixed + 0.5), np.int64)
