"""Symbols outside the modelled range, at no cost where there are none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy.codec import StackCodec
from codecs_core.entropy.distribution import Distribution, fitted, integers
from codecs_core.entropy.distributions.bernoulli import Bernoulli
from codecs_core.entropy.distributions.unbounded import EliasDelta
from codecs_core.entropy.message import Message
from codecs_core.errors import CorruptDataError

#: A block without an escape costs -log2(1 - 2^-20) bits.
_FLAG = Bernoulli(1, precision=20)
_LIMIT = 1 << 60


class Escape(StackCodec[NDArray[np.int64]]):
    """Integers that are nearly all, but not all, in the support of a distribution.

    A block without an escape costs 10^-6 bits more than the distribution alone. Otherwise a list follows: how many escapes there
    are, the gaps between their positions, and by how much each is outside, all by `EliasDelta`; the distribution codes the
    nearest symbol in their places.

    Parameters
    ----------
    distribution
        Of the integers that do not escape, 0 to n - 1.
    """

    def __init__(self, distribution: Distribution) -> None:
        self.distribution = distribution
        self.shape = distribution.shape

    def push(self, message: Message, x: ArrayLike) -> None:
        """Push integers between -2^60 and 2^60 that broadcast to `shape`."""
        for codec, part in self._parts(x):
            codec.push(message, part)

    def pop(self, message: Message) -> NDArray[np.int64]:
        """Pop integers of `shape`."""
        where = outside = np.zeros(0, np.int64)
        if _FLAG.pop(message):
            size, most = int(EliasDelta().pop(message)), int(np.prod(self.shape, dtype=np.int64))
            if size > most:
                raise CorruptDataError(f"a block of {most} integers has {size} escapes: the message is damaged")
            where = np.cumsum(EliasDelta(size).pop(message)) - 1
            code = EliasDelta(size).pop(message)
            outside = np.where(code % 2 == 0, -(code // 2), (code + 1) // 2)
        x = np.array(self.distribution.pop(message), np.int64).reshape(-1)
        if where.size and (int(where.min()) < 0 or int(where.max()) >= x.size):
            raise CorruptDataError("an escape lies outside its block: the message is damaged")
        x[where] += outside
        return x.reshape(self.shape)

    def information(self, x: ArrayLike) -> NDArray[np.float64]:
        """Information content of each integer in bits; what the list of escapes costs, or that there is none, all share alike."""
        (_, inside), *escapes = self._parts(x)
        bits = self.distribution.information(inside)
        shared = sum(codec.bits(part) for codec, part in escapes)
        return bits + shared / max(1, bits.size)

    def _parts(self, x: ArrayLike) -> Iterator[tuple[StackCodec[Any], Any]]:
        """What is pushed, in this order: codecs and their symbols."""
        values = fitted(integers(x, "x", -_LIMIT, _LIMIT), self.shape)
        inside = np.clip(values, 0, self.distribution.symbols - 1)
        excess = (values - inside).reshape(-1)
        where = np.flatnonzero(excess)
        yield self.distribution, inside
        if where.size:
            outside = excess[where]
            yield EliasDelta(where.size), np.where(outside < 0, -2 * outside, 2 * outside - 1)
            yield EliasDelta(where.size), np.diff(where, prepend=-1)
            yield EliasDelta(), where.size
        yield _FLAG, int(where.size > 0)
