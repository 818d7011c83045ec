"""What a stack codec is: a pair of exact inverses, `push` and `pop`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy.message import Message

T = TypeVar("T")

#: Bits: an array of them or, of a symbol that is a tuple, a tuple with an entry for each element.
Information: TypeAlias = NDArray[np.float64] | tuple["Information", ...]


class StackCodec(ABC, Generic[T]):
    """Pushes a symbol (a number, an array, a tuple of them) on a message, and pops it: exact inverses of each other.

    `T` is the type of the symbol, which is what `pop` returns.
    """

    @abstractmethod
    def push(self, message: Message, x: T) -> None:
        """Put `x` on top of the message."""

    @abstractmethod
    def pop(self, message: Message) -> T:
        """Take the symbol on top of the message off it and return it."""

    def information(self, x: T) -> Information:
        """Information content of `x` in bits, under the integer probabilities it is coded with.

        Returns
        -------
        array of float64, or tuple of them
            A value for each symbol where the codec tells symbols apart, else one for the whole of `x`, of shape (). The default is by
            how many bits `x` lengthens a new message.
        """
        message = Message()
        before = message.bits
        self.push(message, x)
        return np.asarray(message.bits - before, np.float64)

    def bits(self, x: T) -> float:
        """Information content of the whole of `x` in bits."""
        return total(self.information(x))

    def push_counted(self, message: Message, x: T) -> float:
        """Push `x` and return its information content in bits: of a model with latent variables, with those that the message gives."""
        self.push(message, x)
        return self.bits(x)


def total(information: Information) -> float:
    """The sum of all that `StackCodec.information` returned."""
    if isinstance(information, tuple):
        return sum(total(part) for part in information)
    return float(information.sum())
