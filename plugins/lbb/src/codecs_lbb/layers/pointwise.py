"""Layers whose map depends on nothing but the channel."""

from __future__ import annotations

from typing import Any, Self

from numpy.typing import NDArray

from codecs_core.errors import ModelError
from codecs_lbb import local
from codecs_lbb.conditioner import SHIFT_BITS, on_grid
from codecs_lbb.elementwise import Logit as LogitMap
from codecs_lbb.elementwise import Scale
from codecs_lbb.grid import Grid
from codecs_lbb.layers.entry import Entry
from codecs_lbb.layers.layer import Elementwise

#: Of a logit, at either end of the range of grey levels.
MARGIN = 0.05
#: The largest log-scale of a normalisation, in nats.
LOG_LIMIT = 8 << SHIFT_BITS


class Logit(Elementwise):
    """y = logit(margin + (1 - 2 margin) p) of grey levels 256 p, that come less `centre` in units of 32: Dinh et al. 2017, section 4.1."""

    def __init__(self, grid: Grid, centre: int) -> None:
        self.grid = grid
        self.map = LogitMap(MARGIN + (1 - 2 * MARGIN) * centre / 256, (1 - 2 * MARGIN) / 8)

    @classmethod
    def parse(cls, entry: Entry) -> Self:
        """Nothing follows the kind."""
        entry.nothing()
        return cls(entry.grid, entry.centre)

    def step(self, x: NDArray[Any]) -> tuple[Any, Any, local.Map]:
        """All change."""
        return ..., 0, self.map


class ActNorm(Elementwise):
    """y = (x + shift) e^scale, channel by channel: Glow, section 3.1 of Kingma and Dhariwal 2018.

    Parameters
    ----------
    shift, log_scale
        Integers, shape (channels,), in units of 2^-16 (of a nat).
    """

    def __init__(self, grid: Grid, shift: NDArray[Any], log_scale: NDArray[Any]) -> None:
        least, most = int(log_scale.min()), int(log_scale.max())
        if least < -LOG_LIMIT or most > LOG_LIMIT:
            raise ModelError(
                f"a normalisation has log-scales from {least} to {most}; expected magnitudes up to {LOG_LIMIT}"
            )
        self.grid, self.shift = grid, on_grid(grid, shift)
        self.map = Scale(log_scale * 2.0**-SHIFT_BITS)

    @classmethod
    def parse(cls, entry: Entry) -> Self:
        """Nothing follows the kind; the tensors are ``shift`` and ``log_scale``."""
        entry.nothing()
        return cls(entry.grid, entry.tensor("shift"), entry.tensor("log_scale"))

    def step(self, x: NDArray[Any]) -> tuple[Any, Any, local.Map]:
        """All change."""
        return ..., self.shift, self.map
