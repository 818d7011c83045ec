"""Codec ``inr.image``: an image as the weights of a network that shows it, by relative entropy coding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from codecs_core import ArraySpec, CodecInfo, ImageCodec
from codecs_inr import INFO
from codecs_inr.kinds import IMAGE, Kind
from codecs_inr.patches import axes, counts
from codecs_inr.weights import PATCHES, WeightsCodec

#: Patches of a chunk of images that share what they have in common, which is then told less often.
SHARING = 512


@dataclass(frozen=True, kw_only=True)
class InrCodec(WeightsCodec, ImageCodec):
    """Images as patches, and each patch as a network: its fields are those of `WeightsCodec`."""

    id: ClassVar[str] = "inr.image"
    format_version: ClassVar[int] = 1
    stores_from: ClassVar[int | None] = 1
    info: ClassVar[CodecInfo] = INFO
    kind: ClassVar[Kind] = IMAGE

    @property
    def _channels(self) -> tuple[int, ...]:
        return (self._inr.channels,)

    def _shape(self, spec: ArraySpec) -> tuple[int, ...]:
        return self._images(spec)

    def _axes(self, spec: ArraySpec) -> tuple[int, ...]:
        """Rows and columns."""
        return axes(spec.shape, self._inr.channels)

    def default_chunk(self, spec: ArraySpec) -> int:
        """Some patches that are fitted at once: images of a stack, or whole rows of patches, or of groups of them, of an image."""
        n, h, w, _ = self._images(spec)
        rows, columns = counts((h, w), self._inr.grid)
        high, _ = self._inr.shared or (1, 1)
        most = SHARING if self._inr.shared else PATCHES
        if len(spec.shape) == 2 or (len(spec.shape) == 3 and spec.shape[-1] == self._inr.channels):
            return max(1, min(h, self._inr.grid[0] * high * max(1, most // max(1, columns * high))))
        return max(1, min(n, most // max(1, rows * columns)))
