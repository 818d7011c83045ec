"""Models with random weights: they compress badly and code exactly, so tests need no training and no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core import Model
from codecs_core.exact import ExactNet, Layer
from codecs_core.testing import Draw, random_autoencoder
from codecs_rec.index import PRECISION
from codecs_rec.latents import Blocks, prices, shortlist
from codecs_rec.lossy.codec import LossyCodec
from codecs_rec.lossy.detail import NOISES
from codecs_rec.lossy.model import REACH, LossyVAE
from codecs_rec.model import MEAN_BITS, VALUE_BITS
from codecs_rec.quantile import grid
from codecs_rec.transform import MATRIX_BITS


def even(*shape: int) -> NDArray[np.int32]:
    """Rows of counts that are as even as they go and add up to 2^20."""
    counts = np.full(shape, (1 << PRECISION) // shape[-1], np.int32)
    counts[..., -1] += (1 << PRECISION) - counts.sum(-1)
    return counts


def random_model(
    likelihood: str = "bernoulli",
    item_shape: tuple[int, ...] = (4, 3),
    *,
    latents: int = 6,
    hidden: int = 16,
    components: int = 3,
    octaves: int = 6,
    seed: int = 0,
    name: str = "random",
) -> Model:
    """Make a lossless model that learnt nothing: the same arguments give the same file everywhere.

    It is for ``rec.vae-lossless``. Of its latents the first is not sent, the others make two blocks.
    """
    draw, outputs = Draw(seed), None
    if likelihood == "colour":
        pixels, most = math.prod(item_shape), 255 << VALUE_BITS
        outputs = np.repeat([0, -40], pixels), np.repeat([most, 400], pixels), most // 2
    reach = (int(grid()[-1]) >> (32 - Blocks.BITS)) + 2
    mean = 4 << MEAN_BITS
    tensors = random_autoencoder(
        draw,
        likelihood,
        item_shape,
        hidden=hidden,
        components=components,
        posterior=(np.repeat([-mean, -300], latents), np.repeat([mean, -1], latents), 4096),
        outputs=outputs,
        reach=(-reach, reach),
    )
    block = np.arange(latents) % 2
    block[0] = -1
    tensors["blocks"], tensors["octaves"] = block.astype(np.int16), even(2, octaves)
    if likelihood == "colour":
        channels = item_shape[-1]
        tensors["coefficients"] = draw(-300, 300, channels * (channels - 1) // 2).astype(np.int32)
    config = {
        "likelihood": likelihood,
        "item_shape": list(item_shape),
        "latents": latents,
    }
    return Model.create(codec="rec.vae-lossless", config=config, tensors=tensors, attrs={"seed": seed}, name=name)


def random_lossy(
    item_shape: tuple[int, ...] = (4, 4, 3),
    *,
    classes: int = 3,
    width: int = 5,
    block_bits: int = 4,
    largest: int = 255,
    detail: bool = False,
    seed: int = 0,
    name: str = "random",
) -> Model:
    """Make a model for ``rec.vae`` with two qualities that learnt nothing: the same arguments give the same file everywhere.

    With `detail` it draws detail.
    """
    draw = Draw(seed)
    height, width_, channels = (*item_shape, 1)[:3]
    squeeze = 2 if height % 2 == width_ % 2 == 0 else 1
    pixels, outputs = height * width_ * channels, channels * squeeze**2

    def layer(inputs: int, high: int, low: int, count: int) -> Layer:
        ends = np.full(count, low), np.full(count, high)
        return draw.layer((3, 3, inputs), *ends, shift=6, weights=9, biases=4000)

    def network(inputs: int) -> ExactNet:
        return ExactNet([layer(inputs, 2000, 0, width), layer(width, 500, -500, outputs)], -REACH, REACH)

    places = np.arange(0, pixels, 1 if pixels < 8 else 2)
    tensors: dict[str, NDArray[Any]] = network(outputs + 1).tensors("decoder") | {
        # exchanges of pixels and colours: orthonormal, and the same integers everywhere
        "rows": (np.eye(height, dtype=np.int16)[::-1] << MATRIX_BITS).copy(),
        "columns": np.eye(width_, dtype=np.int16) << MATRIX_BITS,
        "colours": (np.eye(channels, dtype=np.int16)[::-1] << MATRIX_BITS).copy(),
        "places": places.astype(np.int32),
        "deviations": draw(200, 480, (classes, places.size)).astype(np.int16),
        "noises": np.array([360, 260], np.int16),
        "classes": even(classes),
        "octaves": even(block_bits + 1, block_bits + 3),
    }
    if detail:
        tensors |= network(outputs + 1 + NOISES).tensors("detail")
    config = {"item_shape": list(item_shape), "largest": largest, "squeeze": squeeze, "block_bits": block_bits}
    return Model.create(codec="rec.vae", config=config, tensors=tensors, attrs={"seed": seed}, name=name)


class _WholeVAE(LossyVAE):
    """Blocks that are not cut, and the proposal of each that is best for its price, of all that an index can name."""

    def indices(
        self, y: NDArray[np.int64], k: NDArray[np.int64], quality: int, *, search: int, length: int = 1
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        number = np.zeros((len(y), int(self.counts(k, quality).max(initial=0)), length), np.int64)
        costs = prices(self.octaves)
        for c in sorted(set(k.tolist())):
            rows, how = np.flatnonzero(k == c), self.plan(quality, c)
            mean, scale = self.posterior(y[rows], quality, c)
            price = np.broadcast_to(costs[how.row], (len(rows), costs.shape[1]))
            for b, at in enumerate(how.blocks):
                m, s = mean[:, at], np.broadcast_to(scale[at], (len(rows), at.size))
                number[rows, b] = shortlist(m, s, np.full(len(rows), at.size), b, price, 1)
        return np.zeros_like(number), number


@dataclass(frozen=True, kw_only=True)
class OlderLossyCodec(LossyCodec):
    """``rec.vae`` as it wrote payloads of versions 1 and 2."""

    @cached_property
    def _vae(self) -> LossyVAE:
        return _WholeVAE(self._own(), whole=True)
