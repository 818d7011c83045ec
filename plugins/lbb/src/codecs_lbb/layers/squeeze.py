"""Space to depth."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from codecs_core.exact import squeeze, unsqueeze
from codecs_lbb.layers.entry import Entry
from codecs_lbb.layers.layer import Shuffle


class Squeeze(Shuffle):
    """The four phases of an image of even height and width, one after the other as channels."""

    @classmethod
    def parse(cls, entry: Entry) -> Self:
        """Nothing follows the kind."""
        entry.nothing()
        return cls()

    def to(self, x: NDArray[Any]) -> NDArray[np.int64]:
        """Shape (n, h, w, c) to (n, h / 2, w / 2, 4 c)."""
        return np.concatenate(squeeze(x), -1)

    def back(self, y: NDArray[Any]) -> NDArray[np.int64]:
        """Inverse of `to`."""
        return unsqueeze(np.split(y, 4, -1))

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Half of the height and of the width, four times the channels."""
        n, h, w, c = shape
        return n, h // 2, w // 2, 4 * c
