"""The logit: RealNVP, section 4.1 of Dinh et al. 2017."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Message
from codecs_lbb import local
from codecs_lbb.elementwise import Logit as LogitMap
from codecs_lbb.grid import Grid
from codecs_lbb.layers.entry import Entry
from codecs_lbb.layers.layer import Layer

#: Of a logit, at either end of the range of grey levels.
MARGIN = 0.05


class Logit(Layer):
    """y = logit(margin + (1 - 2 margin) p) of grey levels 256 p, that come less `centre` in units of 32: Dinh et al. 2017, section 4.1."""

    def __init__(self, grid: Grid, centre: int) -> None:
        self.grid = grid
        self.map = LogitMap(MARGIN + (1 - 2 * MARGIN) * centre / 256, (1 - 2 * MARGIN) / 8)

    @classmethod
    def parse(cls, entry: Entry) -> Self:
        """Nothing follows the kind."""
        entry.nothing()
        return cls(entry.grid, entry.centre)

    def push(self, message: Message, x: NDArray[Any]) -> NDArray[np.int64]:
        """Local bits-back coding."""
        return local.push(message, self.grid, x, self.map)

    def pop(self, message: Message, y: NDArray[Any]) -> NDArray[np.int64]:
        """Inverse of `push`."""
        return local.pop(message, self.grid, y, self.map)

    def forward(self, x: NDArray[Any]) -> tuple[NDArray[np.int64], float]:
        """Elementwise."""
        y, nats = local.forward(self.grid, x, self.map)
        return y, nats / math.log(2)
