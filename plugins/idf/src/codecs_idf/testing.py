"""Models with random weights: they compress badly and code exactly, so tests need no training and no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core import Model
from codecs_core.exact import ExactNet
from codecs_core.testing import Draw
from codecs_idf.flow import GROUPS
from codecs_idf.prior import MEAN_LIMIT, WINDOW, limits_of, parameters_of


def random_model(
    channels: int = 3,
    *,
    couplings: Sequence[int] = (2, 1),
    components: int = 2,
    width: int = 6,
    seed: int = 0,
    name: str = "random",
) -> Model:
    """Make a model of ``idf.image`` that learnt nothing: the same arguments give the same file everywhere."""
    draw = Draw(seed)

    def predictor(
        prefix: str, inputs: int, low: NDArray[Any], high: NDArray[Any], means: int
    ) -> dict[str, NDArray[Any]]:
        hidden = np.zeros(width), np.full(width, 1000)
        network = [
            draw.layer((3, 3, inputs), *hidden, shift=4),
            draw.layer((3, 3, width), *hidden, shift=6),
            draw.layer((3, 3, width), *hidden, shift=6, skip=2),
            draw.layer((1, 1, width), low, high, shift=3),
        ]
        limit = np.full(means, MEAN_LIMIT)
        linear = draw.layer((3, 3, inputs), -limit, limit, shift=0)
        nets = {"network": ExactNet(network, -WINDOW, WINDOW - 1), "linear": ExactNet([linear], -WINDOW, WINDOW - 1)}
        return {k: v for key, net in nets.items() for k, v in net.tensors(f"{prefix}.{key}").items()}

    low, high = limits_of(channels, components)
    mean = np.full(channels, MEAN_LIMIT)
    tensors: dict[str, NDArray[Any]] = {}
    for i, n in enumerate(couplings):
        for j in range(n):
            tensors |= predictor(f"level{i}.coupling{j}", 3 * channels, -mean, mean, channels)
        for g, group in enumerate(GROUPS):
            limits = np.tile(low, len(group)), np.tile(high, len(group))
            tensors |= predictor(f"level{i}.prior{g}", min(group) * channels, *limits, len(group) * channels)
    top = draw(-100, 100, parameters_of(channels, components))
    tensors["top"] = (top + 300).clip(low, high).astype(np.int32)
    config = {"channels": channels, "couplings": list(couplings), "components": components}
    return Model.create(codec="idf.image", config=config, tensors=tensors, attrs={"seed": seed}, name=name)
