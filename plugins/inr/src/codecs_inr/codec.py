"""Codec ``inr.image``: an image as the weights of a network that shows it, by relative entropy coding."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_core import ArraySpec, CodecInfo, Grid, ImageCodec
from codecs_core.errors import ModelError
from codecs_core.fields import one_of
from codecs_inr import INFO
from codecs_inr.decoder import shown
from codecs_inr.encoder import progressive
from codecs_inr.features import coordinates
from codecs_inr.model import INR
from codecs_inr.packing import packed, unpacked
from codecs_inr.patches import axes, counts, cut, joined, strips

#: What the model's numbers of steps are multiplied by.
EFFORTS = {"fast": 0.25, "standard": 1.0, "smallest": 4.0}
#: Patches of a chunk, which are fitted at once.
PATCHES = 64


@dataclass(frozen=True, kw_only=True)
class InrCodec(ImageCodec):
    """Images as patches, and each patch as a network: a payload is the indices of all groups of weights, and nothing else.

    Parameters
    ----------
    effort
        How long an encoder fits: ``"fast"``, a quarter of the model's steps, ``"standard"`` or ``"smallest"``, four times them. The
        payload has the same length; what differs is how near the image comes.
    """

    id: ClassVar[str] = "inr.image"
    format_version: ClassVar[int] = 1
    stores_from: ClassVar[int | None] = 1
    info: ClassVar[CodecInfo] = INFO

    effort: str = one_of("standard", tuple(EFFORTS), briefly="fast")

    @cached_property
    def _inr(self) -> INR:
        model = self.learnt
        if model.codec != self.id:
            raise ModelError(f"model {model.label} is for codec {model.codec}, not for {self.id}")
        return INR(model)

    @property
    def _channels(self) -> tuple[int, ...]:
        return (self._inr.channels,)

    def default_chunk(self, spec: ArraySpec) -> int:
        """Some patches that are fitted at once: images of a stack, or whole rows of patches of an image."""
        n, h, w, _ = self._images(spec)
        rows, columns = counts(h, w, self._side)
        if len(spec.shape) == 2 or (len(spec.shape) == 3 and spec.shape[-1] == self._inr.channels):
            return max(1, min(h, self._side[0] * max(1, PATCHES // max(1, columns))))
        return max(1, min(n, PATCHES // max(1, rows * columns)))

    @property
    def _side(self) -> tuple[int, int]:
        return self._inr.item_shape[0], self._inr.item_shape[1]

    def _patches(self, spec: ArraySpec) -> int:
        n, h, w, _ = self._images(spec)
        rows, columns = counts(h, w, self._side)
        return n * rows * columns

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        images = chunk.reshape(self._images(ArraySpec.of(chunk)))
        index = progressive(self._inr, cut(images, self._side), EFFORTS[self.effort])
        return packed(index.T, self._inr.groups.bits)

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        return self._shown(payload, spec, self._inr.groups.count)

    def _preview(self, payload: bytes, spec: ArraySpec, levels: int) -> NDArray[Any]:
        """The image of the first `levels` groups of weights; the others are at the prior's mean."""
        return self._shown(payload, spec, min(levels, self._inr.groups.count))

    def _shown(self, payload: bytes, spec: ArraySpec, groups: int) -> NDArray[Any]:
        index = self._index(payload, spec)[:, :groups]
        return joined(self._inr.values(index), self._images(spec)).reshape(spec.shape)

    def _index(self, payload: bytes, spec: ArraySpec) -> NDArray[np.int64]:
        """Indices of all groups of each patch, shape (patches, groups)."""
        return unpacked(payload, self._inr.groups.bits, (self._inr.groups.count, self._patches(spec))).T

    def _axes(self, spec: ArraySpec) -> tuple[int, ...]:
        """Rows and columns."""
        return axes(spec.shape, self._inr.channels)

    def _scaled(self, payload: bytes, spec: ArraySpec, grid: Grid) -> NDArray[Any]:
        """Each patch has the places that lie in it."""
        inr, side = self._inr, self._side
        n, h, w, c = self._images(spec)
        down, across = (grid.places[axis] for axis in self._axes(spec))
        weights = inr.weights(self._index(payload, spec)).reshape(n, *counts(h, w, side), inr.network.size)
        out = np.empty((n, down.count, across.count, c), np.uint8)
        for row, (at, y) in enumerate(strips(down, side[0])):
            for column, (to, x) in enumerate(strips(across, side[1])):
                along = coordinates(y, side[0]), coordinates(x, side[1])
                out[:, at, to] = shown(inr.network, weights[:, row, column], along, inr.frequencies)
        return out.reshape(grid.shape)
