"""What a layer of a flow does: it maps values of the grid, and codes what it forgets of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Message
from codecs_lbb import local
from codecs_lbb.grid import Grid
from codecs_lbb.layers.entry import Entry


class Layer(ABC):
    """Integers of shape (n, h, w, channels) in units of the grid, to such integers."""

    @classmethod
    @abstractmethod
    def parse(cls, entry: Entry) -> Self:
        """The layer that an entry of a model file describes; raises `ModelError` for one that it does not fit."""

    @abstractmethod
    def push(self, message: Message, x: NDArray[Any]) -> NDArray[np.int64]:
        """Code x given y, with bits of the message; returns y, which is left to be coded."""

    @abstractmethod
    def pop(self, message: Message | None, y: NDArray[Any]) -> NDArray[np.int64]:
        """Inverse of `push`: returns x, and leaves the message as it was. Without a message, the x nearest to f^-1(y)."""

    @abstractmethod
    def forward(self, x: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The y nearest to what the flow makes of x without noise, and by how many bits that shortens the code of each value of x."""

    def placed(self, bits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of bits of the values of y, how many are those of each value of x."""
        return bits

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of y for that of x."""
        return shape


class Shuffle(Layer):
    """A bijection of the grid: it codes nothing."""

    @abstractmethod
    def to(self, x: NDArray[Any]) -> NDArray[np.int64]:
        """The map."""

    @abstractmethod
    def back(self, y: NDArray[Any]) -> NDArray[np.int64]:
        """Inverse of `to`."""

    def push(self, message: Message, x: NDArray[Any]) -> NDArray[np.int64]:
        """Map x."""
        return self.to(x)

    def pop(self, message: Message | None, y: NDArray[Any]) -> NDArray[np.int64]:
        """Map y back."""
        return self.back(y)

    def forward(self, x: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Map x, whose code that does not shorten."""
        return self.to(x), np.zeros(x.shape)


class Elementwise(Layer):
    """y = f(x + shift) for some values: the shift is free, f is local bits-back coding."""

    grid: Grid

    @abstractmethod
    def step(self, x: NDArray[Any]) -> tuple[Any, Any, local.Map | None]:
        """An index of what changes, its shift in units of the grid, and f, or None for the identity; by the other values of x, or of y."""

    def push(self, message: Message, x: NDArray[Any]) -> NDArray[np.int64]:
        """Shift, and local bits-back coding."""
        y, (at, shift, f) = x.astype(np.int64), self.step(x)
        moved = y[at] + shift
        y[at] = moved if f is None else local.push(message, self.grid, moved, f)
        return y

    def pop(self, message: Message | None, y: NDArray[Any]) -> NDArray[np.int64]:
        """Inverse of `push`."""
        x, (at, shift, f) = y.astype(np.int64), self.step(y)
        x[at] = (x[at] if f is None else local.pop(message, self.grid, x[at], f)) - shift
        return x

    def forward(self, x: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Shift and map."""
        y, shorter, (at, shift, f) = x.astype(np.int64), np.zeros(x.shape), self.step(x)
        y[at] += shift
        if f is not None:
            y[at], shorter[at] = local.forward(self.grid, y[at], f)
        return y, shorter
