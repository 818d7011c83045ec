"""Models with random weights: they compress badly and code exactly, so tests need no training and no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
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
from codecs_rec.photograph import model as photograph
from codecs_rec.photograph.lapped import WINDOW
from codecs_rec.picture.model import BLOCK, CELL, COLOURS, MARGIN, MEANS, MOST, SPAN, TOLD, steps
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


def random_photograph(groups: tuple[int, ...] = (1, 3), *, components: int = 2, seed: int = 0) -> Model:
    """Make a model for ``rec.vae`` of the kind "photograph", with two qualities, that learnt nothing: the same file everywhere."""
    draw, sees = Draw(seed), (-photograph.SPAN, photograph.SPAN)

    def prior(taps: int, inputs: int, size: int) -> ExactNet:
        limits = (photograph.LOGITS, photograph.MEANS, 200)
        ends = (np.repeat([sign * limit for limit in limits], size * components) for sign in (-1, 1))
        return ExactNet([draw.layer((taps, taps, inputs), *ends, shift=5, weights=9, biases=6000)], *sees)

    squares = COLOURS * photograph.SQUARE**2
    ends = np.full(squares, -500), np.full(squares, 500)
    layer = draw.layer((1, 1, squares + 1), *ends, shift=6, weights=9, biases=4000)
    networks = {"refine": ExactNet([layer], -REACH, REACH)}
    networks |= {f"first.{step}": prior(3, 2 * groups[0] + 1, groups[0]) for step in range(5)}
    width = 1
    for group, (earlier, end) in enumerate(pairwise(groups), 1):
        size, before, outputs = end - earlier, earlier - (groups[group - 2] if group > 1 else 0), 2
        ends = np.zeros(outputs, int), np.full(outputs, photograph.SPAN)
        trunk = draw.layer((3, 3, width + 2 * before), *ends, shift=4, weights=9, biases=6000)
        networks[f"trunk.{group}"], width = ExactNet([trunk], *sees), outputs
        for step, inputs in enumerate((width + 1, width + 1 + 2 * size)):
            networks[f"prior.{group}.{step}"] = prior(1, inputs, size)
    places = [(colour, u, v) for u in range(BLOCK) for v in range(BLOCK) for colour in range(COLOURS)]
    tensors: dict[str, NDArray[Any]] = {
        "basis": draw(-4000, 4000, BLOCK, WINDOW).astype(np.int16),
        "colours": draw(-8192, 8192, COLOURS, COLOURS).astype(np.int16),
        "places": np.array(places[: groups[-1]], np.int8),
        "spacings": np.array([900, 300], np.int16),
        "levels": np.array([-256, 128], np.int16),
    }
    for name, network in networks.items():
        tensors |= network.tensors(name)
    config = {"kind": "photograph", "groups": list(groups), "components": components}
    return Model.create(codec="rec.vae", config=config, tensors=tensors, attrs={"seed": seed}, name="random")


def random_picture(groups: tuple[int, ...] = (1, 2), *, hyper: int = 2, block_bits: int = 4, seed: int = 0) -> Model:
    """Make a model for ``rec.vae`` of the kind "picture", with two qualities, that learnt nothing: the same file everywhere."""
    draw, latents, seen, middle = Draw(seed), groups[-1], 1, 2

    def net(taps: int, inputs: int, span: tuple[int, int], outputs: int, low: int, high: int, shift: int) -> ExactNet:
        ends = np.full(outputs, low), np.full(outputs, high)
        layer = draw.layer((taps, taps, inputs), *ends, shift=shift, weights=9, biases=4000)
        return ExactNet([layer], *span)

    squares, pixels, sees = COLOURS * CELL**2, COLOURS * BLOCK**2, (-SPAN, SPAN)
    networks = {
        "synthesis": net(3, latents, (-MOST, MOST), pixels, -REACH, REACH, 6),
        "refine": net(1, squares + 1, (-REACH, REACH), squares, -500, 500, 6),
        "hyper_decoder": net(1, hyper + 1, sees, seen * CELL**2, -SPAN, SPAN, 4),
        "hyper_encoder.0": net(1, 2 * latents + 1, sees, middle, 0, MOST, 4),
        "hyper_encoder.1": net(1, middle * CELL**2, (0, MOST), hyper, -SPAN, SPAN, 6),
    }
    for number, (group, _) in enumerate(steps(len(groups))):
        count = groups[group] - (groups[group - 1] if group else 0)
        prior = draw.layer(
            (3, 3, 2 * groups[group] + seen + 1),
            *(np.repeat(ends, count) for ends in ([-MEANS, 0], [MEANS, TOLD])),
            shift=5,
            weights=9,
            biases=9000,
        )
        networks[f"prior.{number}"] = ExactNet([prior], *sees)
    window = BLOCK + 2 * MARGIN
    tensors: dict[str, NDArray[Any]] = {
        "noises": np.array([360, 260], np.int16),
        "units": draw(0, 9, latents).astype(np.int8),
        "signs": (1 - 2 * draw(0, 1, 2, latents)).astype(np.int8),
        "hyper_information": draw(0, 200, hyper).astype(np.int16),
        "octaves": even(block_bits + 1, block_bits + 3),
        "boosts": np.array([0, -40, 70], np.int16),
        "classes": even(len(steps(len(groups))), 3),
        "analysis": draw(-127, 127, latents, COLOURS, window, window).astype(np.int8),
    }
    for name, network in networks.items():
        tensors |= network.tensors(name)
    config = {"kind": "picture", "groups": list(groups), "hyper": hyper, "block_bits": block_bits}
    return Model.create(codec="rec.vae", config=config, tensors=tensors, attrs={"seed": seed}, name="random")


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
