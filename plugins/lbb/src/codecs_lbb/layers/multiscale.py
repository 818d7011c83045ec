"""What makes a flow multi-scale: squeezing, and factoring out variables that are done (RealNVP, section 3.6 of Dinh et al. 2017)."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Message
from codecs_core.exact import squeeze, unsqueeze
from codecs_lbb.base import Base
from codecs_lbb.grid import Grid
from codecs_lbb.layers.entry import Entry
from codecs_lbb.layers.layer import Layer, Shuffle


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

    def placed(self, bits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each at its pixel."""
        return unsqueeze(np.split(bits, 4, -1))

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Half of the height and of the width, four times the channels."""
        n, h, w, c = shape
        return n, h // 2, w // 2, 4 * c


class FactorOut(Layer):
    """All channels but the first are coded with the base distribution.

    Parameters
    ----------
    channels, keep
        How many there are, and how many go on; 0 is the end of a flow.
    """

    def __init__(self, grid: Grid, channels: int, keep: int) -> None:
        self.grid, self.channels, self.keep = grid, channels, keep

    @classmethod
    def parse(cls, entry: Entry) -> Self:
        """How many channels are kept follows the kind."""
        return cls(entry.grid, entry.channels, entry.keep())

    def push(self, message: Message, x: NDArray[Any]) -> NDArray[np.int64]:
        """Push what is done, return what is kept."""
        done = x[..., self.keep :]
        Base(self.grid, done.shape).push(message, done)
        return x[..., : self.keep]

    def pop(self, message: Message | None, y: NDArray[Any]) -> NDArray[np.int64]:
        """Inverse of `push`; without a message, what is done is at its mean, zero."""
        shape = *y.shape[:-1], self.channels - self.keep
        done = Base(self.grid, shape).pop(message) if message is not None else np.zeros(shape, np.int64)
        return np.concatenate([y, done], -1)

    def forward(self, x: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The kept channels, and minus the code length of the others in bits, by the density that the distribution stands for."""
        z, shorter = np.abs(self.grid.values(x[..., self.keep :])), np.zeros(x.shape)
        shorter[..., self.keep :] = -(z + 2 * np.log1p(np.exp(-z))) / math.log(2) - self.grid.bits
        return x[..., : self.keep], shorter

    def placed(self, bits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Those of the kept channels; the others have none left."""
        return np.concatenate([bits, np.zeros((*bits.shape[:-1], self.channels - self.keep))], -1)

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The channels that are kept."""
        return *shape[:-1], self.keep
