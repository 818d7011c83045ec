"""From a learned prior to a model file: integers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core import Model
from codecs_inr.decoder import REACH, UP_BITS
from codecs_inr.em import Alternation
from codecs_inr.groups import partition
from codecs_inr.hierarchy import Family
from codecs_inr.kinds import Kind
from codecs_inr.model import BASIS_BITS, VARIANCE, units
from codecs_inr.network import Floats
from codecs_inr.positional import Positional


def frozen(
    alternation: Alternation,
    frequencies: NDArray[np.int64],
    kind: Kind,
    *,
    item_shape: Sequence[int],
    index_bits: int,
    window: int,
    steps: Sequence[int],
    attrs: Mapping[str, Any],
    name: str = "",
) -> Model:
    """Make a model of the prior of an alternation, with as many groups as the bits that a signal is to cost are made of."""
    network = alternation.network
    order = np.random.default_rng(0) if window else None
    information = alternation.information()
    many = numbers_of_groups(information.sum(1), alternation.families[0], alternation.bits, index_bits)
    group = np.stack([partition(bits, count, order) for bits, count in zip(information, many, strict=True)])
    config = {
        "item_shape": [int(n) for n in item_shape],
        "hidden": list(network.widths[1:-1]),
        "linear": bool(alternation.prior.basis),
        "index_bits": [index_bits, window] if window else index_bits,
        "steps": [int(n) for n in steps],
        "variance": max(1, round(alternation.variance * VARIANCE)),
    }

    if alternation.group:
        config["shared"] = list(alternation.group)
    up: dict[str, NDArray[Any]] = {}
    if isinstance(network, Positional):
        upsampling = network.upsampling
        config |= {"latents": [*upsampling.grid, upsampling.channels[0]], "up": list(upsampling.channels[1:])}
        turns = [np.rint(layer * ((1 << UP_BITS) / (2 * math.pi))) for layer in upsampling.layers]
        up = {f"up.{i}": np.clip(layer, -(1 << 15), (1 << 15) - 1).astype(np.int16) for i, layer in enumerate(turns)}
    basis, sizes = _integers(alternation.prior.basis)

    def made(mean: NDArray[Any], scale: NDArray[Any]) -> Model:
        tensors: dict[str, NDArray[Any]] = {
            "frequencies": frequencies.astype(np.int32),
            "mean": mean.astype(np.int32),
            "scale": scale.astype(np.int32),
            "group": group.reshape(scale.shape).astype(np.int16),
        }
        tensors |= up | {f"basis.{i}": matrix for i, matrix in enumerate(basis)}
        return Model.create(codec=kind.codec, config=config, tensors=tensors, attrs=dict(attrs), name=name)

    prior = alternation.prior
    unit = units(network, kind)
    mean, scale = (np.rint(a.astype(np.float64) / unit[: a.shape[-1]]) for a in (prior.mean, prior.std * sizes))
    return made(np.clip(mean, -REACH, REACH), np.clip(scale, 1, REACH))


def numbers_of_groups(told: Floats, family: Family, bits: float, index_bits: int) -> list[int]:
    """Groups of each level, whose rows have `told` bits; patches have at least one, and what is left of the bits that one is to cost."""
    *above, patches = family.rows
    many = [round(float(level) / index_bits) for level in told[:-1]]
    spent = sum(count * rows for count, rows in zip(many, above, strict=True)) / patches
    return [*many, max(1, round(bits / index_bits - spent))]


def _integers(basis: Sequence[Floats]) -> tuple[list[NDArray[np.int8]], Floats | float]:
    """Matrices in units of 2^-7, each row as large as fits; and what the deviation of each row's number is multiplied by instead."""
    if not basis:
        return [], 1.0
    sizes = [np.abs(matrix).max(1) * np.float32((1 << BASIS_BITS) / ((1 << BASIS_BITS) - 1)) for matrix in basis]
    rounded = [np.rint(m / size[:, None] * (1 << BASIS_BITS)) for m, size in zip(basis, sizes, strict=True)]
    return [matrix.astype(np.int8) for matrix in rounded], np.concatenate(sizes)
