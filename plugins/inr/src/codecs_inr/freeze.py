"""From a learned prior to a model file: integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core import Model
from codecs_inr.em import Alternation
from codecs_inr.groups import partition
from codecs_inr.model import INR, REACH, SPREAD


def frozen(
    alternation: Alternation,
    frequencies: NDArray[np.int64],
    *,
    item_shape: Sequence[int],
    index_bits: int,
    steps: Sequence[int],
    attrs: Mapping[str, Any],
    name: str = "",
) -> Model:
    """Make a model of the prior of an alternation, with as many groups as the bits that a signal is to cost are made of."""
    network = alternation.network
    group = partition(alternation.information(), max(1, round(alternation.bits / index_bits)))
    config = {
        "item_shape": [int(n) for n in item_shape],
        "hidden": list(network.widths[1:-1]),
        "index_bits": index_bits,
        "steps": [int(n) for n in steps],
        "variance": max(1, round(alternation.variance * SPREAD**2 * 256)),
    }

    def made(mean: NDArray[Any], scale: NDArray[Any]) -> Model:
        tensors: dict[str, NDArray[Any]] = {
            "frequencies": frequencies.astype(np.int32),
            "mean": mean.astype(np.int32),
            "scale": scale.astype(np.int32),
            "group": group.astype(np.int16),
        }
        return Model.create(codec="inr.image", config=config, tensors=tensors, attrs=dict(attrs), name=name)

    units = INR(made(np.zeros(network.size), np.zeros(network.size))).units
    mean, scale = (np.rint(a.astype(np.float64) / units) for a in alternation.prior)
    return made(np.clip(mean, -REACH, REACH), np.clip(scale, 1, REACH))
