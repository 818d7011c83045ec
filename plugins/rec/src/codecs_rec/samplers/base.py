"""What samplers have in common: the interface, the use of counters, and escapes."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy import QFormat
from codecs_core.errors import EntropyError
from codecs_core.jit import inline, kernel
from codecs_rec.families import Family, Pair, relate
from codecs_rec.philox import check_key, philox
from codecs_rec.quantile import TRIANGULAR, UNIFORM, quantiles

#: Last word of a counter: what the bits are for.
SCALARS, BLOCKS, DITHERS, PRIVATE, BOXES, LATTICES, CELLS = (np.uint64(v) for v in range(7))
#: Indices from here on are escapes, up to 2^62. From `NAMED` on they are the 60 leading bits of a float64, a point of the standard
#: proposal. Those below, of 32 bits, are fractions of its distribution function: no encoder makes them any more.
ESCAPE = 1 << 61
NAMED = ESCAPE + (1 << 60)
_LEFT_OUT = np.uint64(4)
_W, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)
_HALF = np.uint64(1 << 31)


@inline
def draw(n, i, stream, key):
    """64 bits for proposal n (int64) of element i."""
    k = np.uint64(n)
    a, b, _, _ = philox(k & _W, k >> _32, np.uint64(i), stream, key)
    return a << _32 | b


@kernel
def numbered(index, key, u):
    """Fill in the 64 bits of the proposal that the index of each element names."""
    for i in range(index.size):
        u[i] = draw(index[i], i, SCALARS, key)


@inline
def private(i, key):
    """State of the generator that the encoder alone uses for element i."""
    return draw(0, i, PRIVATE, key)


@inline
def escape(family, x):
    """The escape that names a point of the standard proposal, wherever on the line it lies."""
    if family == UNIFORM:
        x = min(max(x, 0.0), 1.0 - 2.0**-53)
    return np.int64(NAMED) + np.int64(np.float64(x).view(np.uint64) >> _LEFT_OUT)


def escaped(index: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which indices are escapes."""
    return index >= ESCAPE


class Sampler(ABC):
    """Relative entropy coding of arrays of samples.

    Both ends know the proposal P and a key; the encoder alone knows the target Q. Everything random comes from the key, by
    counters, so equal arguments give equal results, and no state is shared. A key serves for one array: samples of
    two arrays under one key are dependent.
    """

    @abstractmethod
    def encode(self, target: Family, proposal: Family, key: int) -> NDArray[np.int64]:
        """Indices of samples of the target.

        Parameters
        ----------
        target, proposal
            Their parameters broadcast to the shape of the samples.
        key
            Of 64 bits.

        Raises
        ------
        EntropyError
            For a target that the proposal does not cover, and for parameters or a key out of range.
        """

    @abstractmethod
    def decode(self, index: ArrayLike, proposal: Family, key: int) -> NDArray[np.float64]:
        """Samples from indices: the same numbers on every machine.

        Raises
        ------
        EntropyError
            For an index that `encode` never returns.
        """


class ScalarSampler(Sampler):
    """A sampler of one-dimensional targets, each element by itself; it counts indices from 1."""

    def encode(self, target: Family, proposal: Family, key: int) -> NDArray[np.int64]:
        """Indices of the shape that the parameters broadcast to."""
        pair = relate(target, proposal)
        index = np.empty(pair.m.size, np.int64)
        self._encode(pair, proposal.standard, check_key(key), index)
        return index.reshape(pair.m.shape)

    def decode(self, index: ArrayLike, proposal: Family, key: int) -> NDArray[np.float64]:
        """Samples of the shape of `index`."""
        n = QFormat(bits=0, low=1, high=NAMED + (1 << 60) - 1).check(index, "index")
        most = int(n[~escaped(n)].max(initial=1))
        if most > self.largest:
            raise EntropyError(f"an index of {most} is beyond the {self.largest} that this sampler ends at")
        u = np.empty(n.size, np.uint64)
        flat = np.ascontiguousarray(n).reshape(-1)
        self._decode(flat, check_key(key), u)
        fraction, named = (flat >= ESCAPE) & (flat < NAMED), flat >= NAMED
        if int(flat[fraction].max(initial=0)) >= ESCAPE + (1 << 32):
            raise EntropyError(f"an index of {flat[fraction].max()} is none that a sampler makes")
        u[fraction] = ((flat[fraction] - ESCAPE).astype(np.uint64) << _32) | _HALF
        x = quantiles(proposal.standard, u)
        x[named] = _points(flat[named], proposal.standard)
        x = x.reshape(n.shape)
        try:
            return np.asarray(np.broadcast_to(proposal.place(x), n.shape))
        except ValueError:
            raise EntropyError(f"indices of shape {n.shape} do not fit their proposal") from None

    @property
    @abstractmethod
    def largest(self) -> int:
        """The largest index that is not an escape."""

    @abstractmethod
    def _encode(self, pair: Pair, family: int, key: np.uint64, index: NDArray[np.int64]) -> None: ...

    @abstractmethod
    def _decode(self, index: NDArray[np.int64], key: np.uint64, u: NDArray[np.uint64]) -> None: ...


def _points(index: NDArray[np.int64], family: int) -> NDArray[np.float64]:
    """The points that escapes name."""
    x = ((index - NAMED).astype(np.uint64) << _LEFT_OUT).view(np.float64)
    low, high = {UNIFORM: (0.0, 1.0 - 2.0**-53), TRIANGULAR: (-1.0, 1.0)}.get(family, (-np.inf, np.inf))
    wrong = ~(np.isfinite(x) & (low <= x) & (x <= high))
    if wrong.any():
        raise EntropyError(f"an escape names the point {x[wrong][0]}, which its proposal does not have")
    return x
