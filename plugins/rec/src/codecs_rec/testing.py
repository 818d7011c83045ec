"""Models with random weights: they compress badly and code exactly, so tests need no training and no torch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core import Model
from codecs_core.entropy import CategoricalMixture
from codecs_core.exact import ExactNet, Layer
from codecs_core.testing import Draw
from codecs_rec.index import PRECISION
from codecs_rec.latents import Blocks
from codecs_rec.lossy.model import REACH
from codecs_rec.model import MEAN_BITS, VALUE_BITS
from codecs_rec.quantile import grid
from codecs_rec.transform import MATRIX_BITS


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
    draw = Draw(seed)
    pixels = math.prod(item_shape)
    largest = 1 if likelihood == "bernoulli" else 255

    def layer(inputs: int, size: int, low: Any, high: Any, gain: int) -> Layer:
        """Outputs spread about as wide as `gain` where inputs spread as wide as `size`."""
        weight = draw(-127, 127, (len(high), inputs))
        spread = 64 * size * math.isqrt(inputs)
        shift = max(0, (spread // max(1, gain)).bit_length() - 1)
        return Layer(
            weight=weight.astype(np.int8),
            bias=draw(-spread, spread, len(high)),
            shift=np.full(len(high), shift, np.int8),
            low=np.asarray(low, np.int32),
            high=np.asarray(high, np.int32),
        )

    def full(n: int, value: int) -> NDArray[np.int64]:
        return np.full(n, value, np.int64)

    relu = full(hidden, 0), full(hidden, 4095)
    posterior = (
        np.concatenate([full(latents, -(4 << MEAN_BITS)), full(latents, -300)]),
        np.concatenate([full(latents, 4 << MEAN_BITS), full(latents, -1)]),
    )
    outputs = pixels * {"mixture": components, "colour": 2}.get(likelihood, 1)
    bounds = full(outputs, -4096), full(outputs, 4096)
    if likelihood == "colour":
        bounds = full(outputs, 0), full(outputs, largest << VALUE_BITS)
        bounds[0][pixels:], bounds[1][pixels:] = -40, 400
    reach = (int(grid()[-1]) >> (32 - Blocks.BITS)) + 2
    encoder = ExactNet([layer(pixels, largest, *relu, 512), layer(hidden, 512, *posterior, 4096)], 0, largest)
    gain = (largest << VALUE_BITS) // 2 if likelihood == "colour" else 128
    decoder = ExactNet([layer(latents, 256, *relu, 512), layer(hidden, 512, *bounds, gain)], -reach, reach)
    counts = np.full((2, octaves), (1 << PRECISION) // octaves)
    counts[:, -1] += (1 << PRECISION) - counts.sum(1)
    tensors: dict[str, NDArray[Any]] = encoder.tensors("encoder") | decoder.tensors("decoder")
    block = np.arange(latents) % 2
    block[0] = -1
    tensors["blocks"], tensors["octaves"] = block.astype(np.int16), counts.astype(np.int32)
    if likelihood == "mixture":
        tables = draw(1, (1 << CategoricalMixture.TABLE_BITS) // 512, (components, 256))
        tables[:, 0] += (1 << CategoricalMixture.TABLE_BITS) - tables.sum(1)
        tensors["tables"] = tables.astype(np.int32)
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
    seed: int = 0,
    name: str = "random",
) -> Model:
    """Make a model for ``rec.vae`` with two qualities that learnt nothing: the same arguments give the same file everywhere."""
    draw = Draw(seed)
    height, width_, channels = (*item_shape, 1)[:3]
    squeeze = 2 if height % 2 == width_ % 2 == 0 else 1
    pixels, outputs = height * width_ * channels, channels * squeeze**2

    def layer(inputs: int, high: int, low: int, count: int) -> Layer:
        return Layer(
            weight=draw(-9, 9, (count, 3, 3, inputs)).astype(np.int8),
            bias=draw(-4000, 4000, count),
            shift=np.full(count, 6, np.int8),
            low=np.full(count, low, np.int32),
            high=np.full(count, high, np.int32),
        )

    net = ExactNet([layer(outputs + 1, 2000, 0, width), layer(width, 500, -500, outputs)], -REACH, REACH)
    octaves = block_bits + 3
    counts = np.full((block_bits + 1, octaves), (1 << PRECISION) // octaves)
    counts[:, -1] += (1 << PRECISION) - counts.sum(1)
    shares = np.full(classes, (1 << PRECISION) // classes)
    shares[-1] += (1 << PRECISION) - shares.sum()
    places = np.arange(0, pixels, 1 if pixels < 8 else 2)
    tensors: dict[str, NDArray[Any]] = net.tensors("decoder") | {
        # exchanges of pixels and colours: orthonormal, and the same integers everywhere
        "rows": (np.eye(height, dtype=np.int16)[::-1] << MATRIX_BITS).copy(),
        "columns": np.eye(width_, dtype=np.int16) << MATRIX_BITS,
        "colours": (np.eye(channels, dtype=np.int16)[::-1] << MATRIX_BITS).copy(),
        "places": places.astype(np.int32),
        "deviations": draw(200, 480, (classes, places.size)).astype(np.int16),
        "noises": np.array([360, 260], np.int16),
        "classes": shares.astype(np.int32),
        "octaves": counts.astype(np.int32),
    }
    config = {"item_shape": list(item_shape), "largest": largest, "squeeze": squeeze, "block_bits": block_bits}
    return Model.create(codec="rec.vae", config=config, tensors=tensors, attrs={"seed": seed}, name=name)
