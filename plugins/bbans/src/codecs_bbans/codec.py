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
from codecs_core import ArraySpec, Codec, CodecInfo
from codecs_core.entropy import Chain, Message
from codecs_core.errors import ConfigError, UnsupportedArrayError

#: Items a step; part of format version 1.
BATCH = 128


@dataclass(frozen=True, kw_only=True)
class VAECodec(Codec):
    """Stacks of images of the model's shape, losslessly, by bits-back coding with a variational autoencoder.

    A payload is one message: a `Chain` of `BitsBack` steps over the items. Its price beside the model's evidence bound is
    the posterior of the first item, about 50 bytes a chunk.
    """

    id: ClassVar[str] = "bbans.vae"
    format_version: ClassVar[int] = 2
    stores_from: ClassVar[int | None] = 2
    info: ClassVar[CodecInfo] = INFO

    @cached_property
    def _vae(self) -> VAE:
        if self.model is None:
            raise ConfigError("codec bbans.vae needs a model")
        return VAE(self.model)

    def check(self, spec: ArraySpec) -> None:
        """Raise `UnsupportedArrayError` unless items have the model's shape, and dtype bool only for a binary model."""
        super().check(spec)
        shape = self._vae.item_shape
        if spec.shape[1:] != shape or len(spec.shape) == 0:
            raise UnsupportedArrayError(
                f"model {self._name} takes stacks of items of shape {shape}, not an array of shape {spec.shape}"
            )
        if spec.dtype == "bool" and self._vae.largest != 1:
            raise UnsupportedArrayError(f"model {self._name} takes uint8 values, not bool; try a binary model")

    def default_chunk(self, spec: ArraySpec) -> int:
        """Enough items that a chain's seed bits and framing do not matter, few enough for several cores."""
        items = spec.shape[0] if spec.shape else 1
        return max(1, min(items, 20_000 if self._vae.largest == 1 else 5_000))

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        x = chunk.reshape(len(chunk), self._vae.pixels).view(np.uint8)
        if x.size and int(x.max()) > self._vae.largest:
            item = int(np.argmax(x.max(1) > self._vae.largest))
            raise UnsupportedArrayError(
                f"model {self._name} takes values from 0 to {self._vae.largest}; item {item} of a chunk holds {x[item].max()}"
            )
        message = Message(most=self.most(ArraySpec.of(chunk)))
        self._chain(len(x)).push(message, x)
        return message.to_bytes()

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        message = Message.from_bytes(payload)
        x = self._chain(spec.shape[0]).pop(message)
        message.verify_end()
        return x.astype(spec.dtype).reshape(spec.shape)

    def _chain(self, items: int) -> Chain:
        return Chain(self._vae.codec, items, BATCH)

    @property
    def _name(self) -> str:
        return repr(self.model.name or self.model.sha256[:16]) if self.model else "?"

    def _decode_older(self, payload: bytes, spec: ArraySpec, version: int) -> NDArray[Any]:
        """Payloads of version 1 are never stored."""
        return self._decode(payload, spec) if version == 1 else super()._decode_older(payload, spec, version)


def item_bits(codec: VAECodec, x: NDArray[Any]) -> float:
    """Negative evidence bound of a chunk in bits, with the latents its encoding samples: what the model itself costs.

    The file costs as much and, beside its framing, only the first item's posterior and the end of the message.
    """
    return codec._chain(len(x)).bits(x.reshape(len(x), math.prod(x.shape[1:])).view(np.uint8))
