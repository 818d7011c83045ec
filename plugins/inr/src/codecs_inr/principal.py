"""Where a training with latents starts from: principal axes of patches, which the networks show as they are.

Channels of an upsampling network become the principal axes of blocks, of four cells at a time from single places on; latents are the
coefficients of the largest blocks, and the numbers they are made of those of the whole patch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_inr.network import Floats
from codecs_inr.positional import Positional
from codecs_inr.prior import Prior
from codecs_inr.upsampling import CHILDREN, WINDOW, parents

#: What values are multiplied by, so that sines of them are nearly linear.
AMPLITUDE = 0.06
#: Of weights that tell nothing yet: a part of what would make outputs spread.
STILL = 0.02
#: The least variance of a number, as a part of its own, and of any.
LEAST, TINY = 0.02, 2e-6


def axes(x: NDArray[np.floating], count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Variances along the `count` largest principal axes about zero of rows x, and the axes as columns."""
    values, vectors = np.linalg.eigh(np.asarray(x.T @ x, np.float64) / len(x))
    return np.maximum(values[::-1][:count], 0), vectors[:, ::-1][:, :count]


def principal(
    network: Positional, y: Floats, bits: float, numbers: int, rng: np.random.Generator
) -> tuple[Prior, float, Floats]:
    """Give an upsampling network its first layers.

    Parameters
    ----------
    network
        Of all signals.
    y
        Signals, shape (n, places, outputs).
    bits
        What a signal is to cost.
    numbers
        That latents are made of.
    rng
        Of the weights that show nothing yet.

    Returns
    -------
    tuple
        The prior; the variance of the likelihood at that rate; the latents' numbers of all signals, in units of the data, shape
        (n, numbers).
    """
    upsampling, outputs = network.upsampling, y.shape[2]
    height, width = (side << len(upsampling.layers) for side in upsampling.grid)
    _, colours = axes(y.reshape(-1, outputs), outputs)
    cells: NDArray[Any] = (y @ colours.astype(np.float32)).reshape(len(y), height, width, outputs)
    for at in range(len(upsampling.layers) - 1, -1, -1):
        blocks = parents(cells)
        inputs, given = upsampling.channels[at], upsampling.channels[at + 1]
        some = min(inputs, blocks.shape[-1])
        _, vectors = axes(blocks.reshape(-1, blocks.shape[-1]), some)
        layer = upsampling.layers[at]
        layer[...] = 0.02 * AMPLITUDE * rng.standard_normal(layer.shape)
        centre = layer[(WINDOW // 2) * inputs : (WINDOW // 2 + 1) * inputs].reshape(inputs, CHILDREN, given)
        known = cells.shape[-1]
        layer.reshape(-1, CHILDREN, given)[..., :known] = 0
        centre[:some, :, :known] = vectors.T.reshape(some, CHILDREN, known) * (1.0 if at else AMPLITUDE)
        cells = blocks @ vectors.astype(np.float32)
    grid = np.zeros((len(y), *upsampling.grid, upsampling.channels[0]), np.float32)
    grid[..., : cells.shape[-1]] = cells
    latents = grid.reshape(len(y), -1)
    mean = latents.mean(0)
    spread, vectors = axes(latents - mean, numbers)
    variance = _variance(spread, bits)
    std = np.sqrt(np.maximum(spread - variance, LEAST * np.maximum(spread, 1e-4)))

    weights = network.initial(rng)
    *hidden, last = network.layers(weights[None])
    widths = np.concatenate([np.full(a * b, np.sqrt(6 / (a - 1)), np.float32) for a, b in network.shapes])
    widths[: network.ends[-2]] *= AMPLITUDE
    first = network.shapes[0][0] - 1 - upsampling.channels[-1]
    for at, layer in enumerate(hidden):
        layer *= 2 * AMPLITUDE
        layer[0, :, :outputs] = 0
        layer[0, (0 if at else first) + np.arange(outputs), np.arange(outputs)] = 1
    last[...] = 0
    last[0, :outputs] = colours.T / AMPLITUDE
    basis = (*(np.eye(size, dtype=np.float32) for size in network.parts[:-1]), vectors.T.astype(np.float32))
    prior = Prior(
        np.concatenate([weights, mean]).astype(np.float32),
        np.concatenate([STILL * widths, std]).astype(np.float32),
        basis,
    )
    return prior, variance, np.asarray((latents - mean) @ vectors, np.float32)


def _variance(spread: NDArray[np.float64], bits: float) -> float:
    """The distortion at which numbers of these variances tell this number of bits: by reverse water-filling."""
    low, high = 1e-9, float(spread.max())
    for _ in range(60):
        middle = np.sqrt(low * high)
        told = 0.5 * np.log2(np.maximum(spread / middle, 1)).sum()
        low, high = (middle, high) if told > bits else (low, middle)
    return float(high)
