"""Random integers and networks of them: the same on every machine, with every numpy, and without torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy import CategoricalMixture
from codecs_core.exact import ExactNet, Layer


class Draw:
    """Integers from raw bits of Philox, which are the same with every numpy.

    Parameters
    ----------
    seed
        Another one gives other integers.
    """

    def __init__(self, seed: int) -> None:
        self._bits = np.random.Philox(seed)

    def __call__(self, low: int, high: int, *shape: int | tuple[int, ...]) -> NDArray[np.int64]:
        """Integers from `low` to `high`, both included."""
        sizes = tuple(n for size in shape for n in (size if isinstance(size, tuple) else (size,)))
        raw = np.asarray(self._bits.random_raw(math.prod(sizes))) >> np.uint64(32)
        return (low + (raw.astype(np.int64) * (high - low + 1) >> 32)).reshape(sizes)

    def layer(
        self,
        window: tuple[int, ...],
        low: ArrayLike,
        high: ArrayLike,
        *,
        shift: int,
        weights: int = 20,
        biases: int = 1000,
        skip: int = 0,
    ) -> Layer:
        """A layer with random weights.

        Parameters
        ----------
        window
            Its inputs; for a convolution (height, width, inputs).
        low, high
            Range of each output.
        shift, skip
            As `Layer` has them; one shift for all outputs.
        weights, biases
            Their largest magnitudes.
        """
        lows, highs = np.array(low, np.int32), np.array(high, np.int32)
        weight = self(-weights, weights, lows.size, *window).astype(np.int8)
        bias, shifts = self(-biases, biases, lows.size), np.full(lows.size, shift, np.int8)
        return Layer(weight=weight, bias=bias, shift=shifts, low=lows, high=highs, skip=skip)

    def wide_layer(self, window: tuple[int, ...], largest: int, low: ArrayLike, high: ArrayLike, reach: int) -> Layer:
        """A layer whose outputs spread about as wide as `reach`, where inputs spread as wide as `largest`."""
        spread = 64 * largest * math.isqrt(math.prod(window))
        shift = max(0, (spread // max(1, reach)).bit_length() - 1)
        return self.layer(window, low, high, shift=shift, weights=127, biases=spread)


def random_network(
    draw: Draw, widths: Sequence[int], *, inputs: tuple[int, int], low: ArrayLike, high: ArrayLike, kernel: int = 0
) -> ExactNet:
    """A network with random weights: it predicts nothing and codes exactly, so a codec can be tested with it before any training.

    Parameters
    ----------
    draw
        Where its weights come from.
    widths
        Number of its inputs, of the channels of each layer between, and of its outputs.
    inputs
        Range of its inputs.
    low, high
        Range of its outputs: numbers, or one for each.
    kernel
        0 for a network of vectors; else a network of images with windows of this size, an odd number.
    """
    layers, largest = [], max(abs(inputs[0]), abs(inputs[1]))
    for number, (n, size) in enumerate(pairwise(widths)):
        last = number == len(widths) - 2
        lows, highs = (np.broadcast_to(np.asarray(v if last else w), size) for v, w in ((low, 0), (high, 1023)))
        window = (kernel, kernel, n) if kernel else (n,)
        layers.append(draw.wide_layer(window, largest, lows, highs, max(1, int(highs.max()))))
        largest = 1023
    return ExactNet(layers, *inputs)


def random_autoencoder(
    draw: Draw,
    likelihood: str,
    item_shape: Sequence[int],
    *,
    hidden: int,
    components: int,
    posterior: tuple[ArrayLike, ArrayLike, int],
    outputs: tuple[ArrayLike, ArrayLike, int] | None = None,
    reach: tuple[int, int],
) -> dict[str, NDArray[Any]]:
    """The tensors of a `codecs_core.FrozenAutoencoder` with random weights.

    Parameters
    ----------
    draw
        Where its weights come from.
    likelihood, item_shape
        Of its config.
    hidden, components
        Width of the layer in the middle of each network; tables of a mixture.
    posterior, outputs
        Range of each output of the encoder, and of the decoder, and how wide they spread; by default logits.
    reach
        Of the inputs of the decoder.
    """
    pixels, largest = math.prod(item_shape), 1 if likelihood == "bernoulli" else 255
    if outputs is None:
        logits = np.full(pixels * (components if likelihood == "mixture" else 1), 4096)
        outputs = -logits, logits, 128
    relu, latents = (np.zeros(hidden), np.full(hidden, 4095), 512), np.asarray(posterior[0]).size // 2
    nets = {
        "encoder": [draw.wide_layer((pixels,), largest, *relu), draw.wide_layer((hidden,), 512, *posterior)],
        "decoder": [draw.wide_layer((latents,), 256, *relu), draw.wide_layer((hidden,), 512, *outputs)],
    }
    ends = {"encoder": (0, largest), "decoder": reach}
    tensors = {k: v for name, layers in nets.items() for k, v in ExactNet(layers, *ends[name]).tensors(name).items()}
    if likelihood == "mixture":
        whole = 1 << CategoricalMixture.TABLE_BITS
        counts = draw(1, whole // 512, (components, 256))
        counts[:, 0] += whole - counts.sum(1)
        tensors["tables"] = counts.astype(np.int32)
    return tensors
