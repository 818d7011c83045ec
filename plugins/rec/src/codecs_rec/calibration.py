"""Blocks for a trained model: which latents go together, and how their indices are distributed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core import Model
from codecs_rec.codec import LosslessCodec
from codecs_rec.index import calibrate
from codecs_rec.latents import Blocks
from codecs_rec.model import VAE

#: Bits on average that a latent tells for it to be sent.
LEAST_BITS = 0.01
#: Octaves of candidates beyond a block's mean information.
SPARE = 4


def information(mean: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """D_KL of N(mean, scale^2) to N(0, 1) in bits, for each latent of each item."""
    return np.asarray((0.5 * (mean * mean + scale * scale - 1) - np.log(scale)) / math.log(2.0))


def partition(bits: NDArray[np.float64], budget: float) -> NDArray[np.int64]:
    """The block of each latent, or -1: as few blocks as hold `budget` bits on average, the largest latents first into the emptiest."""
    sent = np.flatnonzero(bits >= LEAST_BITS)
    if not sent.size:
        sent = np.array([int(np.argmax(bits))])
    loads = np.zeros(max(1, math.ceil(bits[sent].sum() / budget)))
    loads = loads[: sent.size]
    block = np.full(bits.size, -1, np.int64)
    for latent in sent[np.argsort(-bits[sent], kind="stable")]:
        block[latent] = np.argmin(loads)
        loads[block[latent]] += bits[latent]
    return block


def arranged(mean: NDArray[np.float64], scale: NDArray[np.float64], budget: float) -> Blocks:
    """Blocks for posteriors of shape (items, latents), with tables calibrated on their samples."""
    bits = information(mean, scale).mean(0)
    block = partition(bits, budget)
    count = int(block.max()) + 1
    octaves = math.ceil(max(bits[block == b].sum() for b in range(count)) + SPARE)
    flat = Blocks(block, np.stack([calibrate(np.ones(0, np.int64), octaves, prior=1.0)] * count))
    return recalibrated(flat, flat.sample(mean, scale))


def recalibrated(blocks: Blocks, index: NDArray[np.int64]) -> Blocks:
    """The same blocks with tables for indices of shape (items, blocks)."""
    octaves = np.stack([calibrate(index[:, b], blocks.octaves.shape[1], smooth=True) for b in range(blocks.count)])
    return Blocks(blocks.block, octaves)


def block_tensors(blocks: Blocks) -> dict[str, NDArray[Any]]:
    """The tensors of a model that hold them."""
    return {"blocks": blocks.block.astype(np.int16), "octaves": blocks.octaves.astype(np.int32)}


def finished(model: Model, x: NDArray[np.uint8], *, rounds: int = 2) -> Model:
    """A model whose tables fit what searching chooses for items `x`, shape (n, pixels)."""
    for _ in range(rounds):
        codec = LosslessCodec(model=model)
        tensors = model.tensors() | block_tensors(recalibrated(VAE(model).blocks, codec._indices(x)))
        model = model.replaced(tensors=tensors)
    return model


__all__ = ["arranged", "block_tensors", "finished", "information", "partition", "recalibrated"]
