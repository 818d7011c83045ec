"""Detail that a file does not tell: a decoder draws it, from randomness that every decoder has alike.

What `LossyVAE` decodes is near the mean of all images that latents leave possible, and smoother than any of them. A second network draws
one of them. Of all images of a given realism those on the line between the two have the least error (Freirich, Michaeli, Meir 2021, "A
theory of the distortion-perception tradeoff in Wasserstein space", section 3), so a share of what is drawn may be added.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from codecs_rec.philox import words
from codecs_rec.quantile import grid

#: Normal variables for each place of the network, one of eight 16-bit numbers of Philox each; and the last word of its counters.
NOISES, STREAM = 8, 5
#: Fractional bits of the variables, and the largest magnitude of one.
NOISE_BITS, LARGEST = 10, 4096
#: Shares of what is drawn are in units of this part.
SHARE = 100


@lru_cache(maxsize=8)
def noise(height: int, width: int) -> NDArray[np.int64]:
    """The variables of height x width places, in units of 2^-10, the same for every image: shape (height, width, 8)."""
    counters = np.zeros((height * width, 4), np.uint64)
    counters[:, 0], counters[:, 3] = np.arange(height * width), STREAM
    found = words(counters, 0)
    halves = np.stack([found & np.uint64(0xFFFF), found >> np.uint64(16)], -1).reshape(height, width, NOISES)
    drawn: NDArray[np.int64] = np.clip(grid()[halves.astype(np.int64)] >> (32 - NOISE_BITS), -LARGEST, LARGEST)
    drawn.flags.writeable = False
    return drawn


def with_noise(seen: NDArray[np.int64]) -> NDArray[np.int64]:
    """What the network is given: images of shape (n, height, width, inputs), and the variables of each place."""
    return np.concatenate([seen, np.broadcast_to(noise(*seen.shape[1:3]), (*seen.shape[:3], NOISES))], axis=3)


def shared(drawn: NDArray[np.int64], detail: int) -> NDArray[np.int64]:
    """A number of hundredths of what was drawn, rounded down."""
    return drawn * detail // SHARE
