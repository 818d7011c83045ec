"""What the compiled part is given, works in, and fills in: arrays by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar import regression
from codecs_ar.learner import Network
from codecs_ar.neighbours import MARGIN

#: Probabilities of values are multiples of 2^-24.
PRECISION = 24


class Places(NamedTuple):
    """Offsets, as `neighbours.offsets` makes them, of one plane."""

    own: NDArray[np.int64]
    before: NDArray[np.int64]
    earlier: NDArray[np.int64]
    near: NDArray[np.int64]
    weights: NDArray[np.float32]
    errors: NDArray[np.int64]
    values: NDArray[np.int64]
    around: NDArray[np.int64]
    cross: NDArray[np.int64]


class Predictors(NamedTuple):
    """Two least-squares predictors that forget: what is a step away counts `short`, or `long`, times as much.

    Each is solved again after as many values as its period says.
    """

    short: np.float32
    long: np.float32
    short_period: int
    long_period: int

    @classmethod
    def of(cls, decays: Sequence[int], periods: Sequence[int]) -> Predictors:
        """Decays in 256ths."""
        return cls(np.float32(decays[0] / 256), np.float32(decays[1] / 256), periods[0], periods[1])


class Family(NamedTuple):
    """What mixtures are made of: their symbols and components, and tables."""

    symbols: np.int64
    components: int
    exp2: NDArray[np.int64]
    cells: NDArray[np.int64]
    reciprocals: NDArray[np.int64]
    variances: NDArray[np.float64]
    quantiles: NDArray[np.int64]
    inverses: NDArray[np.float64]


class Given(NamedTuple):
    """What a pass over one plane of images is given.

    `rows` are the first one at hand and the one after the last, counted on from image to image; `size` is (planes seen before it, images,
    height, width, largest value); `x` are these planes and itself with their margins, and `e` the errors of their predictions, both flat;
    `prior` is what `regression.packed` makes, `mantissas` the log2 of mantissas.
    """

    decoding: bool
    rows: tuple[int, int]
    size: tuple[int, int, int, int, int]
    x: NDArray[np.float32]
    e: NDArray[np.float32]
    places: Places
    prior: NDArray[np.float32]
    predictors: Predictors
    mantissas: NDArray[np.int64]
    network: Network
    family: Family


class Seen(NamedTuple):
    """Of each of n values of a plane features (n, F), predictions and scales, in grey levels and multiples of 2^-8: for training."""

    features: NDArray[np.int8]
    centres: NDArray[np.float32]
    spreads: NDArray[np.float32]

    @classmethod
    def empty(cls, n: int, features: int) -> Seen:
        """To be written."""
        return cls(np.empty((n, features), np.int8), np.empty(n, np.float32), np.empty(n, np.float32))


class Coded(NamedTuple):
    """The interval of each of n values: how many counts of 2^24 are below it, and how many it has."""

    starts: NDArray[np.uint32]
    freqs: NDArray[np.uint32]

    @classmethod
    def empty(cls, n: int) -> Coded:
        """To be written."""
        return cls(np.empty(n, np.uint32), np.empty(n, np.uint32))

    @property
    def bits(self) -> float:
        """Information content of the values."""
        return float(PRECISION * self.freqs.size - np.log2(self.freqs, dtype=np.float64).sum())


class Fit(NamedTuple):
    """Both predictors at work: the short one in the first half of an array, the long one in the second.

    Sums that each column hands down, and sums along the row; weights; absolute errors in this image. Then of each column of the row: what
    is predicted and its regressors, how much it is trusted, the error of the blended prediction. And room to solve in.
    """

    above: NDArray[np.float32]
    run: NDArray[np.float32]
    weights: NDArray[np.float32]
    misses: NDArray[np.float32]
    vectors: NDArray[np.float32]
    trust: NDArray[np.float32]
    errors: NDArray[np.float32]
    rows: NDArray[np.float32]
    inverses: NDArray[np.float32]

    @classmethod
    def empty(cls, n: int, height: int, width: int) -> Fit:
        """For n regressors of the values of images of this size."""
        sums, wide, area = regression.terms(n), regression.width(n), (height + 2 * MARGIN) * (width + 2 * MARGIN)
        sizes = 2 * width * sums, 2 * sums, 2 * wide, 2 * area, width * wide, width, width, (n + 1) * wide, wide
        return cls(*(np.zeros(size, np.float32) for size in sizes))


class Bias(NamedTuple):
    """Fading sums of absolute errors, of errors and of weights: those that each column hands down, along the row, and of a value."""

    above: NDArray[np.float32]
    run: NDArray[np.float32]
    past: NDArray[np.float32]

    @classmethod
    def empty(cls, width: int) -> Bias:
        """For rows of this width."""
        return cls(np.zeros((width, 3), np.float32), np.zeros(3, np.float32), np.zeros(3, np.float32))


class Room(NamedTuple):
    """To work in: features and what they are made of; what the network says; a mixture, as `mixture_find` takes it, and its gradient."""

    row: NDArray[np.float32]
    found: NDArray[np.float32]
    said: NDArray[np.int64]
    logits: NDArray[np.int64]
    weights: NDArray[np.uint32]
    means: NDArray[np.int32]
    log_scales: NDArray[np.int32]
    parts: NDArray[np.float64]

    @classmethod
    def empty(cls, inputs: int, components: int) -> Room:
        """For networks of `inputs` features, and mixtures of `components` logistics."""
        row, found = np.zeros(inputs, np.float32), np.zeros(inputs + 16, np.float32)
        said, logits = np.zeros(3 * components, np.int64), np.zeros(components, np.int64)
        weights, means = np.zeros((1, components), np.uint32), np.zeros((1, components), np.int32)
        return cls(row, found, said, logits, weights, means, np.zeros_like(means), np.zeros((4, components)))
