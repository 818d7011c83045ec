"""What a training run is made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from codecs_ar.model import LONGEST
from codecs_core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Settings:
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

    hidden: Sequence[int] = (64, 64)
    components: int = 3
    pixels: int = 4_000_000
    enlarge: float = 0.5
    batch: int = 4096
    rate: float = 5e-3
    steps: int = 0
    seed: int = 0
    periods: Sequence[int] = (4, 16)
    start: str = ""

    def __post_init__(self) -> None:
        if (
            not isinstance(self.hidden, Sequence)
            or not 1 <= len(self.hidden) <= 6
            or not all(type(n) is int and 1 <= n <= 512 for n in self.hidden)
        ):
            raise ConfigError(f"hidden is a list of 1 to 6 widths from 1 to 512, not {self.hidden!r}")
        object.__setattr__(self, "hidden", tuple(self.hidden))
        for name, low, high in (
            ("components", 1, 16),
            ("pixels", 1, 1 << 30),
            ("batch", 1, 1 << 20),
            ("steps", 0, 1 << 40),
            ("seed", 0, 1 << 62),
        ):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise ConfigError(f"{name} is an integer from {low} to {high}, not {value!r}")
        if (
            not isinstance(self.periods, Sequence)
            or len(self.periods) != 2
            or not all(type(n) is int and 1 <= n <= LONGEST for n in self.periods)
        ):
            raise ConfigError(f"periods are two integers from 1 to {LONGEST}, not {self.periods!r}")
        object.__setattr__(self, "periods", tuple(self.periods))
        if not isinstance(self.rate, int | float) or not 0 < self.rate < math.inf:
            raise ConfigError(f"rate is a positive number, not {self.rate!r}")
        if not isinstance(self.enlarge, int | float) or not 0 <= self.enlarge <= 1:
            raise ConfigError(f"enlarge is a number from 0 to 1, not {self.enlarge!r}")
        if not isinstance(self.start, str):
            raise ConfigError(f"start is the name or the path of a model, not {self.start!r}")
