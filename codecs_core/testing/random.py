"""Random integers and networks of them: the same on every machine, with every numpy, and without torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
        lows, highs = (
            np.broadcast_to(np.asarray(v if last else w, np.int32), size) for v, w in ((low, 0), (high, 1023))
        )
        window = (kernel, kernel, n) if kernel else (n,)
        spread = 64 * largest * math.isqrt(math.prod(window))
        reach = max(1, int(highs.max()))
        layers.append(
            Layer(
                weight=draw(-127, 127, (size, *window)).astype(np.int8),
                bias=draw(-spread, spread, (size,)),
                shift=np.full(size, max(0, (spread // reach).bit_length() - 1), np.int8),
                low=np.array(lows),
                high=np.array(highs),
            )
        )
        largest = 1023
    return ExactNet(layers, *inputs)
