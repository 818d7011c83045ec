"""Codec ``bbans.vae``: a chunk is one chain of items on one message."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_bbans import INFO
from codecs_bbans.model import VAE
from codecs_core import ArraySpec, CodecInfo, ItemCodec, MessageCodec
from codecs_core.entropy import Chain, Message

#: Items a step; part of format version 1.
BATCH = 128


@dataclass(frozen=True, kw_only=True)
class VAECodec(ItemCodec, MessageCodec):
    """Stacks of images of the model's shape, losslessly, by bits-back coding with a variational autoencoder.

    A payload is one message: a `Chain` of `BitsBack` steps over the items. Its price beside the model's evidence bound is
    the posterior of the first item, about 50 bytes a chunk.
    """

    id: ClassVar[str] = "bbans.vae"
    format_version: ClassVar[int] = 2
    stores_from: ClassVar[int | None] = 2
    same_since: ClassVar[int | None] = 1
    info: ClassVar[CodecInfo] = INFO

    @cached_property
    def _vae(self) -> VAE:
        return VAE(self.learnt)

    @property
    def _items(self) -> VAE:
        return self._vae

    def default_chunk(self, spec: ArraySpec) -> int:
        """Enough items that a chain's seed bits and framing do not matter, few enough for several cores."""
        items = spec.shape[0] if spec.shape else 1
        return max(1, min(items, 20_000 if self._vae.largest == 1 else 5_000))

    def _stack_codec(self, spec: ArraySpec) -> Chain:
        return self._chain(spec.shape[0])

    def _sample(self, message: Message, items: int, size: tuple[int, int]) -> NDArray[Any]:
        x = self._vae.codec(items).pop(message)
        return x.astype(np.uint8).reshape(items, *self._vae.item_shape)

    def _chain(self, items: int) -> Chain:
        return Chain(self._vae.codec, items, BATCH)


def item_bits(codec: VAECodec, x: NDArray[Any]) -> float:
    """Negative evidence bound of a chunk in bits, with the latents its encoding samples: what the model itself costs.

    The file costs as much and, beside its framing, only the first item's posterior and the end of the message.
    """
    return codec._chain(len(x)).bits(x.reshape(len(x), math.prod(x.shape[1:])).view(np.uint8))
