"""Models with random weights: they compress badly and code exactly, so tests need no training and no torch."""

from __future__ import annotations

import math
from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar import neighbours
from codecs_ar.smallest import places
from codecs_ar.smallest.panel import LENGTH
from codecs_core import Model


def random_model(
    channels: int = 3,
    *,
    components: int = 2,
    width: int = 6,
    second: bool = False,
    seed: int = 0,
    name: str = "random",
) -> Model:
    """Make a model of ``ar.image`` that learnt nothing, with a `second` opinion or without.

    The same arguments give the same file everywhere.
    """
    bits = np.random.Philox(seed)

    def draw(low: int, high: int, *shape: int) -> NDArray[np.int64]:
        raw = np.asarray(bits.random_raw(math.prod(shape))) >> np.uint64(32)
        return (low + (raw.astype(np.int64) * (high - low + 1) >> 32)).reshape(shape)

    tensors: dict[str, NDArray[Any]] = {}

    def add(kind: str, plane: int, view: ModuleType, components: int) -> None:
        n = view.regressors(plane)
        square = draw(-8, 8, n, n).astype(np.float64)
        products = square @ square.T + 4.0 * np.eye(n)  # of small integers, so exact
        tensors[f"{kind}{plane}.prior"] = np.concatenate(
            [products[np.tril_indices(n)], draw(-9, 9, n).astype(np.float64)]
        )
        sizes = [view.features(plane), width, width, 3 * components]
        for i, (inputs, outputs) in enumerate(pairwise(sizes)):
            tensors[f"{kind}{plane}.{i}.weight"] = draw(-(1 << 19), 1 << 19, outputs, inputs).astype(np.int32)
            tensors[f"{kind}{plane}.{i}.bias"] = draw(-(1 << 22), 1 << 22, outputs).astype(np.int32)

    for plane in range(channels):
        add("plane", plane, neighbours, components)
    rest: dict[str, Any] = {"decays": [192, 240], "periods": [1, 4], "rates": [10, 7]}
    config: dict[str, Any] = {"channels": channels, "components": components, **rest}
    if second:
        config["wide"] = {"components": components + 1, **rest, "periods": [2, 3]}
        for plane in range(channels):
            add("wide", plane, places, components + 1)
            tensors[f"wide{plane}.panel"] = draw(0, 1 << 12, LENGTH).astype(np.int32)
    return Model.create(codec="ar.image", config=config, tensors=tensors, attrs={"seed": seed}, name=name)
