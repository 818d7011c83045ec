"""Which values a coupling changes, and what its network is given of the others: RealNVP, section 3.4 of Dinh et al. 2017."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Mask(ABC):
    """A part of the values of arrays of shape (n, h, w, channels)."""

    @abstractmethod
    def sizes(self, channels: int) -> tuple[int, int]:
        """How many channels a network is given, and for how many it has outputs."""

    @abstractmethod
    def index(self, shape: tuple[int, ...]) -> Any:
        """What changes: an index of an array of this shape."""

    @abstractmethod
    def given(self, x: NDArray[Any]) -> NDArray[Any]:
        """What a network is given."""

    @abstractmethod
    def outputs(self, out: NDArray[Any]) -> NDArray[Any]:
        """Of a network's outputs, those for what changes, of the shape of what `index` gives."""


@dataclass(frozen=True)
class Channels(Mask):
    """Channels `first` to `last` - 1 change; a network is given all others."""

    first: int
    last: int

    def sizes(self, channels: int) -> tuple[int, int]:
        """All others, and these."""
        return channels - (self.last - self.first), self.last - self.first

    def index(self, shape: tuple[int, ...]) -> Any:
        """A slice of the last axis."""
        return ..., slice(self.first, self.last)

    def given(self, x: NDArray[Any]) -> NDArray[Any]:
        """The other channels."""
        return np.delete(x, slice(self.first, self.last), -1)

    def outputs(self, out: NDArray[Any]) -> NDArray[Any]:
        """All."""
        return out


@dataclass(frozen=True)
class Checkerboard(Mask):
    """Pixels whose row plus column is even (0) or odd (1) change; a network is given all, with zeros for these."""

    parity: int

    def sizes(self, channels: int) -> tuple[int, int]:
        """All and all."""
        return channels, channels

    def index(self, shape: tuple[int, ...]) -> Any:
        """Half of the pixels."""
        rows, columns = np.ogrid[: shape[1], : shape[2]]
        return slice(None), (rows + columns) % 2 == self.parity

    def given(self, x: NDArray[Any]) -> NDArray[Any]:
        """The other pixels, in their places."""
        known = x.copy()
        known[self.index(x.shape)] = 0
        return known

    def outputs(self, out: NDArray[Any]) -> NDArray[Any]:
        """Those of half of the pixels."""
        return out[self.index(out.shape)]  # type: ignore[no-any-return]
