"""Models with random weights: they compress badly and code exactly, so tests need no training and no torch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar import neighbours
from codecs_ar.model import FEATURE_LIMIT, LIMITS
from codecs_core.exact import ExactNet, Layer
from codecs_core.models import Model


def random_model(
    channels: int = 3, *, components: int = 2, width: int = 6, seed: int = 0, name: str = "random"
) -> Model:
    """Make a model of ``ar.image`` that learnt nothing: the same arguments give the same file everywhere."""
    bits = np.random.Philox(seed)

    def draw(low: int, high: int, *shape: int) -> NDArray[np.int64]:
        raw = np.asarray(bits.random_raw(math.prod(shape))) >> np.uint64(32)
        return (low + (raw.astype(np.int64) * (high - low + 1) >> 32)).reshape(shape)

    def layer(inputs: int, low: Any, high: Any, shift: int) -> Layer:
        lows, highs = np.asarray(low, np.int32), np.asarray(high, np.int32)
        return Layer(
            weight=draw(-20, 20, lows.size, inputs).astype(np.int8),
            bias=draw(-1000, 1000, lows.size),
            shift=np.full(lows.size, shift, np.int8),
            low=lows,
            high=highs,
        )

    limit = np.repeat(LIMITS, components)
    tensors: dict[str, NDArray[Any]] = {}
    for plane in range(channels):
        n = neighbours.regressors(plane)
        square = draw(-8, 8, n, n).astype(np.float64)
        products = square @ square.T + 4.0 * np.eye(n)  # of small integers, so exact
        tensors[f"plane{plane}.prior"] = np.concatenate(
            [products[np.tril_indices(n)], draw(-9, 9, n).astype(np.float64)]
        )
        layers = [
            layer(neighbours.features(plane), np.zeros(width), np.full(width, 1000), 6),
            layer(width, np.zeros(width), np.full(width, 1000), 6),
            layer(width, -limit, limit, 8),
        ]
        tensors |= ExactNet(layers, -FEATURE_LIMIT, FEATURE_LIMIT).tensors(f"plane{plane}.network")
    config = {"channels": channels, "components": components, "decays": [192, 240]}
    return Model.create(codec="ar.image", config=config, tensors=tensors, attrs={"seed": seed}, name=name)
