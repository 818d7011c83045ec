"""What a training run is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codecs_ar.model import LONGEST
from codecs_core import learn as learning
from codecs_core.learn import counts, number, whole


@dataclass(frozen=True, kw_only=True)
class Settings(learning.Settings):
    """Sizes and schedule.

    Parameters
    ----------
    hidden
        Widths of the layers of each network.
    components
        Logistics in a mixture.
    pixels
        At most so many are kept to learn from.
    enlarge
        Of so many of the images, from 0 to 1, an enlarged part is looked at too: full-size photographs are smoother than reduced ones.
    batch
        Values of each plane a step.
    rate
        Of Adam; after a short rise it follows a cosine to zero.
    steps
        If not 0, train for so many steps whatever the clock says.
    seed
        Of the initial weights and of the choice of data.
    periods
        For so many values the short-sighted predictor, and the long-sighted one, are solved once: 1 and 4 are a little better, and slower.
    start
        Name or path of a model of the same widths to start from.
    """

    hidden: Sequence[int] = counts((64, 64), 1, 512, lengths=(1, 6))
    components: int = whole(3, 1, 16)
    pixels: int = whole(4_000_000, 1, 1 << 30)
    enlarge: float = number(0.5, 0, 1)
    batch: int = whole(4096, 1, 1 << 20)
    rate: float = number(5e-3, above=True)
    steps: int = whole(0, 0, 1 << 40)
    seed: int = whole(0, 0, 1 << 62)
    periods: Sequence[int] = counts((4, 16), 1, LONGEST, lengths=(2, 2))
    start: str = ""
