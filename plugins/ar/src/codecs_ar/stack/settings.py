"""What a training run is made of."""

from __future__ import annotations

from dataclasses import dataclass

from codecs_core import learn as learning
from codecs_core.learn import number, whole


@dataclass(frozen=True, kw_only=True)
class Settings(learning.Schedule):
    """Sizes and schedule.

    Parameters
    ----------
    width, narrow, blocks
        Of the first layer, and of the others; residual blocks. A width of 0: 128, or with `items` as large as pays; and two thirds of it.
    reach
        Radius of the window; beyond it, twice as far, every second pixel is seen.
    components
        Logistics in a mixture.
    weight_bits
        Of a weight. 0: 8, or with `items` whichever makes file and model smallest.
    items
        How many images the model will code: then its bytes are a part of what training minimises. 0: enough that they do not matter.
    batch
        Pixels a step.
    rate
        Of Adam, that of Muon is 7 times as high; after a short rise it falls to zero.
    draw
        Values are probabilities, in 255ths: each is drawn as 0 or 1.
    """

    width: int = whole(0, 0, 1024)
    narrow: int = whole(0, 0, 1024)
    blocks: int = whole(1, 0, 16)
    reach: int = whole(5, 1, 10)
    components: int = whole(4, 1, 12)
    weight_bits: int = whole(0, 0, 12)
    items: int = whole(0, 0, 1 << 40)
    batch: int = whole(4096, 1, 1 << 20)
    rate: float = number(3e-3, above=True)
    draw: bool = False
