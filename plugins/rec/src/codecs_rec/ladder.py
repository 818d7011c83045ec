"""Codec ``rec.vae-latents``: the first blocks of the latents that ``rec.vae-lossless`` sends, without what they leave open."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_core import ArraySpec, CodecInfo
from codecs_core.entropy import Message, exponents
from codecs_core.fields import whole
from codecs_rec import LATENTS
from codecs_rec.bottom import finish, pack, start, unpack
from codecs_rec.codec import LatentCodec
from codecs_rec.index import octave_code
from codecs_rec.model import VAE


@dataclass(frozen=True, kw_only=True)
class LatentsCodec(LatentCodec):
    """Images as a choice of latents, which decode to the pixels that are expected given them.

    Latents are chosen as if the pixels were to follow: they are those with the shortest message for what is left out. What
    indices leave of their octaves is the number that the message starts from: see `codecs_rec.bottom`.

    Parameters
    ----------
    levels
        How many of the blocks of latents are kept; 0: all.
    """

    id: ClassVar[str] = "rec.vae-latents"
    stores_from: ClassVar[int | None] = 1
    info: ClassVar[CodecInfo] = LATENTS

    levels: int = whole(0, 0, 255)

    @cached_property
    def _vae(self) -> VAE:
        return VAE(self._own(), self.levels)

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        index = self._indices(self._rows(chunk)).reshape(-1)
        octaves = exponents(index)
        message = start(*pack(index - (np.int64(1) << octaves), octaves))
        octave_code(self._blocks.octaves, self._numbers(len(chunk))).push(message, octaves)
        return message.to_bytes()

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        return self._preview(payload, spec, self._blocks.count)

    def _preview(self, payload: bytes, spec: ArraySpec, levels: int) -> NDArray[Any]:
        """What fewer blocks than are kept say of items; with as many, or more, the items as they decode."""
        message, items = Message.from_bytes(payload), spec.shape[0]
        octaves = octave_code(self._blocks.octaves, self._numbers(items)).pop(message)
        index = unpack(*finish(message), octaves) + (np.int64(1) << octaves)
        index = index.reshape(items, self._blocks.count)[:, :levels]
        z = self._blocks.first(levels).latents(index)
        return self._vae.shown(z).astype(spec.dtype).reshape(spec.shape)

    def _numbers(self, items: int) -> NDArray[np.int64]:
        """The number of the block of each index."""
        return np.tile(np.arange(self._blocks.count), items)
