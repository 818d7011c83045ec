"""The last step of an encoder that searches: of the best proposals of each block, those whose image, as it is decoded, is best.

A search knows the linear decoder alone, to which an error is an error. The network that refines its image removes a part of it, of one
proposal more than of another; so a few proposals of each block are decoded with those that the other blocks have just now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import exponents
from codecs_rec.latents import prices
from codecs_rec.model import scales

if TYPE_CHECKING:
    from codecs_rec.lossy.model import LossyVAE
    from codecs_rec.lossy.plan import Plan

#: Proposals of a block that are decoded.
SHORT = 4


def refined(
    vae: LossyVAE,
    x: NDArray[np.uint8],
    k: NDArray[np.int64],
    quality: int,
    box: NDArray[np.int64],
    number: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Boxes and numbers, shape (n, blocks), that have the best of rate and distortion together.

    Parameters
    ----------
    x, k
        Items, shape (n, pixels), and their classes.
    box, number
        Proposals of each block, the best first, shape (n, blocks, `SHORT`); numbers are 0 where an item has no such block.
    """
    picked = np.zeros(box.shape[:2], np.int64)
    for i, c in enumerate(k.tolist()):
        how = vae.plan(quality, c)
        picked[i, : len(how.blocks)] = _picked(vae, x[i], how, quality, box[i], number[i])
    of = picked[..., None]
    return np.take_along_axis(box, of, 2)[..., 0], np.take_along_axis(number, of, 2)[..., 0]


def _picked(
    vae: LossyVAE, x: NDArray[np.uint8], how: Plan, quality: int, box: NDArray[np.int64], number: NDArray[np.int64]
) -> list[int]:
    """Which proposal each block of an item takes."""
    blocks = range(len(how.blocks))
    parts = [how.latents(box[b], number[b], b) for b in blocks]
    nats = prices(vae.octaves)[how.row][exponents(number[: len(blocks)])]
    unit = 0.5 * float(scales(-2 * vae.noises[quality : quality + 1])[0])
    z = np.zeros((1, vae.deviations.shape[1]), np.int64)
    for at, part in zip(how.blocks, parts, strict=True):
        z[0, at] = part[0]
    picked, error = [], vae.errors(z, x, quality)
    for b in blocks:
        variants = np.repeat(z, len(parts[b]), axis=0)
        variants[:, how.blocks[b]] = parts[b]
        errors = np.append(error, vae.errors(variants[1:], x, quality))
        picked.append(int(np.argmin(errors * unit + nats[b])))
        z, error = variants[picked[b], None], errors[picked[b], None]
    return picked
