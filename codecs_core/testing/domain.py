"""What a codec takes, found out by asking it: the arrays that its clauses are tried on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.arrays import DTYPES, ArraySpec
from codecs_core.errors import ConfigError, UnsupportedArrayError

if TYPE_CHECKING:
    from codecs_core.codec import Codec

#: Values in the largest array that is tried.
LARGEST = 4096
#: Lengths that an axis is tried with, for arrays of few and of more dimensions.
SIDES, FEW_SIDES = (0, 1, 2, 3, 4, 5, 7, 8, 28, 32, 64), (0, 1, 3, 4, 28, 32)


@dataclass(frozen=True, kw_only=True)
class Domain:
    """Arrays that a codec takes.

    Parameters
    ----------
    specs
        Shapes and dtypes, the smallest first.
    ranges
        The lowest and the highest value that is accepted, for a dtype that is not accepted as a whole.
    """

    specs: tuple[ArraySpec, ...]
    ranges: dict[str, tuple[int, int]]

    @classmethod
    def of(cls, codec: Codec, samples: Sequence[NDArray[Any]] = ()) -> Domain:
        """The domain of a codec with its model.

        Parameters
        ----------
        codec
            Whom to ask: `Codec.check` for the specs, `Codec.encode` for the values.
        samples
            Arrays known to be taken, for codecs that take few shapes.

        Raises
        ------
        ConfigError
            If the codec takes none of the shapes tried.
        """
        specs = tuple(sorted(_specs(codec, samples), key=lambda spec: (spec.size, len(spec.shape), spec.dtype)))
        if not specs:
            raise ConfigError(f"codec {codec.id} takes no array of the shapes tried; give samples of what it takes")
        ranges = {}
        for dtype in {spec.dtype for spec in specs}:
            spec = next((s for s in specs if s.dtype == dtype and s.size), None)
            found = _range(codec, spec, samples) if spec else None
            if found is not None:
                ranges[dtype] = found
        return cls(specs=specs, ranges=ranges)

    def noise(self, spec: ArraySpec, seed: int = 0) -> NDArray[Any]:
        """An array of raw bits, the same with every numpy."""
        return self._within(spec, _bits(spec, seed))

    def smooth(self, spec: ArraySpec, seed: int = 0) -> NDArray[Any]:
        """An array that changes slowly, with a little noise: what a codec may hope for."""
        if spec.dtype == "bool":
            return np.asarray(np.arange(spec.size) // 7 % 2 == 1).reshape(spec.shape)
        noise = _bits(ArraySpec(spec.shape, "uint8"), seed).astype(np.int64) % 5
        return self._within(spec, np.asarray((np.arange(spec.size).reshape(spec.shape) // 3 + noise) % 127))

    def constant(self, spec: ArraySpec, *, high: bool) -> NDArray[Any]:
        """An array of the lowest or of the highest value."""
        return np.full(spec.shape, self.ends(spec.dtype)[high], spec.dtype)

    def ends(self, dtype: str) -> tuple[Any, Any]:
        """The lowest and the highest value of a dtype that are taken."""
        if dtype in self.ranges:
            return self.ranges[dtype]
        kind = np.dtype(dtype).kind
        if kind == "b":
            return False, True
        return (-np.inf, np.inf) if kind in "fc" else (np.iinfo(dtype).min, np.iinfo(dtype).max)

    def _within(self, spec: ArraySpec, array: NDArray[Any]) -> NDArray[Any]:
        if spec.dtype not in self.ranges:
            return np.asarray(array, spec.dtype)
        low, high = self.ranges[spec.dtype]
        return np.asarray(low + array.astype(np.int64) % (high - low + 1), spec.dtype)


def _bits(spec: ArraySpec, seed: int) -> NDArray[Any]:
    words = np.asarray(np.random.Philox(seed).random_raw(spec.nbytes // 8 + 1)).astype("<u8")
    if spec.dtype == "bool":
        return (words.view(np.uint8)[: spec.size] & 1).astype(bool).reshape(spec.shape)
    return words.view(np.uint8)[: spec.nbytes].view(spec.numpy).reshape(spec.shape)


def _specs(codec: Codec, samples: Sequence[NDArray[Any]]) -> Iterator[ArraySpec]:
    shapes = list(_shapes(codec, samples))
    for dtype in codec.info.dtypes or sorted(DTYPES):
        for shape in shapes:
            spec = ArraySpec(shape, dtype)
            try:
                codec.check(spec)
            except UnsupportedArrayError:
                continue
            yield spec


def _shapes(codec: Codec, samples: Sequence[NDArray[Any]]) -> Iterator[tuple[int, ...]]:
    """Shapes of all kinds; such as the samples have; and stacks of what the model's config may call an item."""
    seen = set()
    for ndim in codec.info.ndim or range(5):
        for shape in product(SIDES if ndim < 4 else FEW_SIDES, repeat=ndim):
            if prod(shape) <= LARGEST:
                seen.add(shape)
    items = [a.shape[1:] for a in samples if a.ndim]
    items += [tuple(v) for v in (codec.model.config if codec.model else {}).values() if _is_shape(v)]
    seen |= {(n, *item) for item in items for n in (0, 1, 2, 3, 5)} | {a.shape for a in samples}
    yield from sorted(seen)


def _is_shape(value: Any) -> bool:
    return isinstance(value, list) and 0 < len(value) <= 4 and all(type(n) is int and 0 < n < 1024 for n in value)


def _range(codec: Codec, spec: ArraySpec, samples: Sequence[NDArray[Any]]) -> tuple[int, int] | None:
    """The values that are taken, if these are not all: the first of some guesses that the codec encodes."""
    if spec.numpy.kind not in "iu":
        return None
    limits = np.iinfo(spec.dtype)
    like = [a for a in samples if a.dtype.name == spec.dtype and a.size]
    guesses = [(int(limits.min), int(limits.max))]
    if like:
        guesses.append((min(int(a.min()) for a in like), max(int(a.max()) for a in like)))
    guesses += [(0, 255), (0, 1)]
    for low, high in guesses:
        if limits.min <= low <= high <= limits.max:
            try:
                for value in (low, high):
                    codec.encode(np.full(spec.shape, value, spec.dtype))
            except UnsupportedArrayError:
                continue
            return None if (low, high) == guesses[0] else (low, high)
    return None
