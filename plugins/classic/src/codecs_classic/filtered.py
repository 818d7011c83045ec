"""xz or Zstandard behind the filters that suit the chunk: differences along an axis, and bytes or bits in planes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from codecs_classic import filters
from codecs_classic.catalogue import INFO
from codecs_core import ArraySpec, Codec
from codecs_core.errors import CorruptDataError
from codecs_core.fields import one_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from codecs_classic.bytewise import ByteCodec

#: In place of an axis: no differences are taken.
NO_AXIS = 255
#: Filters are tried on about this many values by a fast compressor. The best few of them that come this near to the best, and no
#: filters if they do, are tried by the codec itself on about this many bytes, or a quarter of the chunk.
_TRIED, _BEST, _NEAR, _JUDGED = 1 << 17, 4, 1.25, 1 << 18


@dataclass(frozen=True, kw_only=True)
class Filtered(Codec):
    """Filters, then xz or Zstandard. The encoder tries them on a part of each chunk.

    Parameters
    ----------
    method
        ``"xz"`` for small files, ``"zstd"`` to decode fast.
    """

    id: ClassVar[str] = "classic.filtered"
    stores_from: ClassVar[int | None] = 1
    info = INFO[id]

    method: str = one_of("xz", ("xz", "zstd"))

    @cached_property
    def _inner(self) -> ByteCodec:
        if self.method == "zstd":
            from codecs_classic.zstd import Zstd

            return Zstd()
        from codecs_classic.stdlib import Lzma

        return Lzma()

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        if not chunk.size:
            return b""
        words = _words(chunk)
        axis, kind = self._choice(words)
        return bytes([axis, kind]) + self._inner.compress(_filtered(words, axis, kind))

    def _choice(self, words: NDArray[Any]) -> tuple[int, int]:
        """An axis and a shuffle: what a fast compressor makes small is not always what the codec makes small."""
        part = _middle(words, _TRIED)
        costs = {one: len(zlib.compress(_filtered(part, *one), 4)) for one in _choices(words.shape, words.itemsize)}
        near = [one for one in sorted(costs, key=costs.__getitem__) if costs[one] <= _NEAR * min(costs.values())]
        left = [one for k, one in enumerate(near) if k < _BEST or one == (NO_AXIS, filters.PLAIN)]
        if len(left) == 1:
            return left[0]
        part = _middle(words, min(_JUDGED, words.nbytes // 4) // words.itemsize)
        return min(left, key=lambda one: len(self._inner.compress(_filtered(part, *one))))

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        if not spec.size and not payload:
            return np.empty(spec.shape, spec.dtype)
        if len(payload) < 2:
            raise CorruptDataError(f"a payload of codec {self.id} has {len(payload)} bytes; expected 2 or more")
        axis, kind = payload[0], payload[1]
        dtype, shape = _word(spec.numpy), _shape(spec)
        if kind > filters.BITS or not (axis == NO_AXIS or axis < len(shape)):
            raise CorruptDataError(
                f"a payload of codec {self.id} names axis {axis} and shuffle {kind}, which do not exist"
            )
        count = spec.nbytes // dtype.itemsize
        nbytes = filters.shuffled_bytes(dtype, count, kind)
        data = self._inner.expand(payload[2:], nbytes)
        if len(data) != nbytes:
            raise CorruptDataError(f"a payload of codec {self.id} holds {len(data)} bytes, expected {nbytes}")
        words = filters.unshuffle(data, dtype, count, kind).reshape(shape)
        if axis != NO_AXIS:
            words = filters.accumulate(words, axis)
        if spec.dtype == "bool" and (words > 1).any():
            raise CorruptDataError(f"a payload of codec {self.id} holds a boolean that is neither 0 nor 1")
        return np.ascontiguousarray(words).view(spec.numpy).reshape(spec.shape).astype(spec.dtype)


def _word(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The unsigned integers that stand for a dtype; a complex number is two."""
    return np.dtype(f"<u{dtype.itemsize // 2 if dtype.kind == 'c' else dtype.itemsize}")


def _shape(spec: ArraySpec) -> tuple[int, ...]:
    """The shape of the words: a complex number is two along a last axis, and a scalar has an axis."""
    return (*spec.shape, 2) if spec.numpy.kind == "c" else spec.shape or (1,)


def _words(chunk: NDArray[Any]) -> NDArray[Any]:
    spec = ArraySpec.of(chunk)
    values = np.ascontiguousarray(np.asarray(chunk, dtype=spec.numpy)).reshape(-1)
    return values.view(_word(spec.numpy)).reshape(_shape(spec))


def _filtered(words: NDArray[Any], axis: int, kind: int) -> bytes:
    return filters.shuffle(words if axis == NO_AXIS else filters.difference(words, axis), kind)


def _choices(shape: tuple[int, ...], itemsize: int) -> Iterator[tuple[int, int]]:
    kinds = (filters.PLAIN, filters.BYTES, filters.BITS) if itemsize > 1 else (filters.PLAIN, filters.BITS)
    axes = [NO_AXIS, *(axis for axis in range(len(shape)) if shape[axis] > 1)]
    return ((axis, kind) for axis in axes[:5] for kind in kinds)


def _middle(words: NDArray[Any], count: int) -> NDArray[Any]:
    """Items from the middle that have about `count` words."""
    items = max(1, count // max(1, words[0].size))
    start = max(0, (len(words) - items) // 2)
    return words[start : start + items]
