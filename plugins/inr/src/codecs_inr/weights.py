"""What the codecs of this plugin that have a model share: a payload is the indices of all groups of weights, and little else."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_core import ArraySpec, Codec, Grid
from codecs_core.errors import ModelError
from codecs_core.fields import one_of
from codecs_inr.decoder import shown
from codecs_inr.encoder import progressive
from codecs_inr.features import coordinates
from codecs_inr.hierarchy import Family
from codecs_inr.kinds import EXPONENT_BITS, Kind
from codecs_inr.model import INR
from codecs_inr.packing import packed, unpacked
from codecs_inr.patches import cut, joined, strips, total

#: What the model's numbers of steps are multiplied by.
EFFORTS = {"fast": 0.25, "standard": 1.0, "smallest": 4.0}
#: Patches of a chunk, which are fitted at once.
PATCHES = 64


@dataclass(frozen=True, kw_only=True)
class WeightsCodec(Codec):
    """Signals as patches, and each patch as a network.

    Parameters
    ----------
    effort
        How long an encoder fits: ``"fast"``, a quarter of the model's steps, ``"standard"`` or ``"smallest"``, four times them. The
        payload has the same length; what differs is how near the signal comes.
    """

    kind: ClassVar[Kind]

    effort: str = one_of("standard", tuple(EFFORTS), briefly="fast")

    @abstractmethod
    def _shape(self, spec: ArraySpec) -> tuple[int, ...]:
        """The shape (n, *grid, channels) of an array's signals."""

    @abstractmethod
    def _axes(self, spec: ArraySpec) -> tuple[int, ...]:
        """Which axes of an array are those of the grid."""

    def _signals(self, chunk: NDArray[Any]) -> NDArray[Any]:
        """An array as signals."""
        return chunk.reshape(self._shape(ArraySpec.of(chunk)))

    def _array(self, signals: NDArray[Any], shape: Sequence[int]) -> NDArray[Any]:
        """Inverse of `_signals`, for an array of this shape."""
        return signals.reshape(shape)

    @cached_property
    def _inr(self) -> INR:
        model = self.learnt
        if model.codec != self.id:
            raise ModelError(f"model {model.label} is for codec {model.codec}, not for {self.id}")
        return INR(model, self.kind)

    def _patches(self, spec: ArraySpec) -> int:
        return total(self._shape(spec), self._inr.grid)

    def _family(self, spec: ArraySpec) -> Family:
        return self._inr.family(self._shape(spec))

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        patches, family = cut(self._signals(chunk), self._inr.grid), self._family(ArraySpec.of(chunk))
        index = progressive(self._inr, patches, EFFORTS[self.effort], family)
        return self._payload(index, self.kind.exponents(patches))

    def _payload(self, index: Sequence[NDArray[np.int64]], exponents: NDArray[np.int64]) -> bytes:
        """Exponents, of kinds that have some, and indices of each level, of shape (rows, groups)."""
        before = packed(exponents, EXPONENT_BITS) if self.kind.loud else b""
        return before + packed(np.concatenate([each.T.reshape(-1) for each in index]), self._inr.groups.bits)

    def _parsed(self, payload: bytes, spec: ArraySpec) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
        """Inverse of `_payload`."""
        patches, before = self._patches(spec), 0
        exponents = np.zeros(patches, np.int64)
        if self.kind.loud:
            before = min(len(payload), -(-patches * EXPONENT_BITS // 8))
            exponents = unpacked(payload[:before], EXPONENT_BITS, (patches,))
        shapes = [(each.count, rows) for each, rows in zip(self._inr.levels, self._family(spec).rows, strict=True)]
        every = unpacked(payload[before:], self._inr.groups.bits, (sum(map(math.prod, shapes)),))
        parts = np.split(every, np.cumsum([math.prod(shape) for shape in shapes])[:-1])
        return [part.reshape(shape).T for part, shape in zip(parts, shapes, strict=True)], exponents

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        index, exponents = self._parsed(payload, spec)
        return self._shown(index, exponents, spec)

    def _preview(self, payload: bytes, spec: ArraySpec, levels: int) -> NDArray[Any]:
        """The signals of the first `levels` groups of weights, level by level; the others are at the prior's mean."""
        index, exponents = self._parsed(payload, spec)
        starts = np.cumsum([0, *(each.count for each in self._inr.levels)])
        first = [each[:, : max(0, levels - start)] for each, start in zip(index, starts, strict=False)]
        return self._shown(first, exponents, spec)

    def _shown(self, index: Sequence[NDArray[np.int64]], exponents: NDArray[np.int64], spec: ArraySpec) -> NDArray[Any]:
        values = self._inr.values(index, exponents, self._family(spec))
        return self._array(joined(values, self._shape(spec)), spec.shape)

    def _scaled(self, payload: bytes, spec: ArraySpec, grid: Grid) -> NDArray[Any]:
        """Each patch has the places that lie in it."""
        inr = self._inr
        n, *_, c = self._shape(spec)
        places = [grid.places[axis] for axis in self._axes(spec)]
        index, exponents = self._parsed(payload, spec)
        weights = inr.weights(index, self._family(spec)).reshape(n, -1, inr.network.size)
        exponents = exponents.reshape(n, -1)
        out = np.empty((n, *(each.count for each in places), c), self.kind.dtype)
        for i, patch in enumerate(product(*(strips(*each) for each in zip(places, inr.grid, strict=True)))):
            along = [coordinates(one, side) for (_, one), side in zip(patch, inr.grid, strict=True)]
            found = shown(inr.network, weights[:, i], along, inr.frequencies, self.kind, exponents[:, i], inr.up)
            out[(slice(None), *(at for at, _ in patch))] = found
        return self._array(out, grid.shape)
