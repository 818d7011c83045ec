"""Codec ``inr.coin``: an image as the weights of a network, rounded and entropy-coded; what relative entropy coding is compared with.

Dupont, Goliński, Alizadeh, Teh, Doucet 2021, "COIN: compression with implicit neural representations".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_core import ArraySpec, Codec, CodecInfo, Grid, tell
from codecs_core.entropy import DiscretizedLaplace, Message, Uniform
from codecs_core.errors import UnsupportedArrayError
from codecs_core.fields import whole
from codecs_inr import COIN
from codecs_inr import decoder as exactly
from codecs_inr.adam import Adam
from codecs_inr.features import FREQUENCY_BITS, coordinates, fourier
from codecs_inr.kinds import IMAGE
from codecs_inr.model import units
from codecs_inr.network import Floats, Siren
from codecs_inr.patches import axes
from codecs_inr.sine import VALUE_BITS

#: Rounded weights are from -MIDDLE to MIDDLE; the last layer's steps are this much larger, in grey levels, than the others' in turns.
MIDDLE, GREY_BITS = 1023, 8
#: Scales of a layer's weights, each 2^(1/4) times the one before; the first one is a quarter of a step.
SCALES, OCTAVE, FIRST = 64, 16, -128
#: Size of a step of the fit, its share of the pixels, and the part at the end that looks at all of them.
RATE, SHARE, WHOLE = 0.02, 0.25, 0.1
#: Steps between two times that it is told how far the fit is.
LOOK = 50


@dataclass(frozen=True, kw_only=True)
class CoinCodec(Codec):
    """Images as networks, one for each, without a prior that was learned: all weights are fitted, rounded, and coded.

    Parameters
    ----------
    width, depth
        Units of a hidden layer, and hidden layers.
    frequencies
        Fourier features on each axis: 1, 2, 4, ... periods.
    digits
        Weights are multiples of 2^-digits turns.
    steps
        Of the fit.
    """

    id: ClassVar[str] = "inr.coin"
    format_version: ClassVar[int] = 1
    stores_from: ClassVar[int | None] = 1
    info: ClassVar[CodecInfo] = COIN

    width: int = whole(12, 1, 256)
    depth: int = whole(2, 1, 16)
    frequencies: int = whole(5, 1, 11)
    digits: int = whole(6, 1, 12)
    steps: int = whole(2000, 1, 1 << 20)

    def check(self, spec: ArraySpec) -> None:
        """Raise `UnsupportedArrayError` for what is no image or stack of images."""
        super().check(spec)
        self._images(spec)

    def _images(self, spec: ArraySpec) -> tuple[int, int, int, int]:
        """The shape (n, h, w, channels) of an array's images."""
        shape = spec.shape
        if len(shape) == 4 and shape[3] not in (1, 3):
            raise UnsupportedArrayError(
                f"codec {self.id} takes images of 1 or 3 channels, not an array of shape {shape}"
            )
        if len(shape) > 2 and shape[-1] in (1, 3):
            n, h, w, c = (1, *shape)[-4:]
        else:
            (n, h, w), c = (1, *shape)[-3:], 1
        return n, h, w, c

    def default_chunk(self, spec: ArraySpec) -> int:
        """The whole of an image, and some images of a stack."""
        n, h, *_ = self._images(spec)
        alone = math.prod(spec.shape[1:]) == math.prod(self._images(spec)[2:])
        return max(1, h if alone else min(n, 64))

    def _network(self, channels: int) -> Siren:
        return Siren((4 * self.frequencies, *[self.width] * self.depth, channels))

    def _features(self, h: int, w: int) -> NDArray[np.float64]:
        return fourier((h, w), self._octaves)

    @property
    def _octaves(self) -> NDArray[np.int64]:
        return np.int64(1) << (FREQUENCY_BITS + np.arange(self.frequencies))

    def _steps(self, network: Siren) -> NDArray[np.int64]:
        """What weights are multiples of, in units of 2^-20, shape (size,)."""
        step = np.full(network.size, 1 << (exactly.WEIGHT_BITS - self.digits), np.int64)
        step[network.ends[-2] :] <<= GREY_BITS
        return step

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        images = chunk.reshape(self._images(ArraySpec.of(chunk)))
        network = self._network(images.shape[3])
        w = self._fit(network, images) / units(network, IMAGE)
        q = np.clip(np.rint(w / self._steps(network)), -MIDDLE, MIDDLE).astype(np.int64)
        means = np.stack([np.abs(part).mean((1, 2)) for part in network.layers(q.astype(np.float64))], axis=1)
        scales = np.clip(np.rint(4 * np.log2(np.maximum(means, 0.25))) - FIRST / OCTAVE, 0, SCALES - 1).astype(np.int64)
        message = Message(most=self.most(ArraySpec.of(chunk)))
        self._weights(network, scales).push(message, q + MIDDLE)
        Uniform(SCALES, scales.shape).push(message, scales)
        return message.to_bytes()

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        n, h, w, c = self._images(spec)
        network, weights = self._read(payload, n, c)
        return exactly.values(network, weights, self._features(h, w), IMAGE, _zeros(n)).reshape(spec.shape)

    def _read(self, payload: bytes, n: int, channels: int) -> tuple[Siren, NDArray[np.int64]]:
        """The network of n images, and its weights for each."""
        network, message = self._network(channels), Message.from_bytes(payload)
        scales = Uniform(SCALES, (n, self.depth + 1)).pop(message)
        q = self._weights(network, scales).pop(message) - MIDDLE
        message.verify_end()
        return network, np.clip(q * self._steps(network), -exactly.REACH, exactly.REACH)

    def _axes(self, spec: ArraySpec) -> tuple[int, ...]:
        """Rows and columns."""
        return axes(spec.shape, self._images(spec)[3])

    def _scaled(self, payload: bytes, spec: ArraySpec, grid: Grid) -> NDArray[Any]:
        n, h, w, c = self._images(spec)
        network, weights = self._read(payload, n, c)
        down, across = (grid.places[axis] for axis in self._axes(spec))
        along = coordinates(down, h), coordinates(across, w)
        return exactly.shown(network, weights, along, self._octaves, IMAGE, _zeros(n)).reshape(grid.shape)

    def _weights(self, network: Siren, scales: NDArray[np.int64]) -> DiscretizedLaplace:
        """Code of weights of shape (n, size), given the scale of each layer, shape (n, layers)."""
        sizes = [rows * columns for rows, columns in network.shapes]
        each = FIRST + OCTAVE * np.repeat(scales, sizes, axis=1)
        return DiscretizedLaplace(np.full_like(each, MIDDLE << 8), each, symbols=2 * MIDDLE + 1, precision=24)

    def _fit(self, network: Siren, images: NDArray[np.uint8]) -> Floats:
        """Weights of least squares, shape (n, size)."""
        rng = np.random.Generator(np.random.Philox(0))
        x = (self._features(*images.shape[1:3]) / (1 << VALUE_BITS)).astype(np.float32)
        y = IMAGE.standardised(images, _zeros(len(images)))
        w = np.repeat(network.initial(rng)[None], len(images), 0)
        adam, places = Adam(w.shape), len(x)
        for step in range(self.steps if images.size else 0):
            late = step >= (1 - WHOLE) * self.steps
            at = slice(None) if late else rng.permutation(places)[: max(1, round(SHARE * places))]
            found = network.gradient(w, x[at], y[:, at])
            adam.step(w, found.weights, RATE * (1 - 0.95 * step / self.steps))
            if step % LOOK == 0:
                tell(step / self.steps, f"{IMAGE.decibels(found.squares.mean() / y[0, at].size):.1f} dB")
        return w


def _zeros(n: int) -> NDArray[np.int64]:
    """Exponents of images."""
    return np.zeros(n, np.int64)
