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
from codecs_core.entropy import BitsBack, Chain, Message
from codecs_core.errors import CorruptDataError
from codecs_core.fields import one_of

#: Items a step; part of format version 1.
BATCH = 128


@dataclass(frozen=True, kw_only=True)
class VAECodec(ItemCodec, MessageCodec):
    """Stacks of images of the model's shape, losslessly, by bits-back coding with a variational autoencoder.

    A payload is one message: a `Chain` of `BitsBack` steps over the items. Its price beside the model's evidence bound is
    the posterior of the first item, about 50 bytes a chunk.

    Parameters
    ----------
    effort
        "smallest": the posterior of each item is made better before it is used, step by step from what the encoder network says
        (`codecs_bbans.inference`). Files of digits are 2.1 % smaller. The decoder repeats the steps: both ways take 20 to 35 times as long.
    """

    id: ClassVar[str] = "bbans.vae"
    format_version: ClassVar[int] = 3
    stores_from: ClassVar[int | None] = 2
    same_since: ClassVar[int | None] = 1
    info: ClassVar[CodecInfo] = INFO

    effort: str = one_of("standard", ("standard", "smallest"))

    @cached_property
    def _vae(self) -> VAE:
        return VAE(self.learnt)

    @property
    def _items(self) -> VAE:
        return self._vae

    def check(self, spec: ArraySpec) -> None:
        """Raise `UnsupportedArrayError` unless the model takes the array, and `ModelError` unless it allows the effort."""
        super().check(spec)
        if self.effort == "smallest":
            _ = self._vae.inference

    def default_chunk(self, spec: ArraySpec) -> int:
        """Enough items that a chain's seed bits and framing do not matter, few enough for several cores."""
        items = spec.shape[0] if spec.shape else 1
        return max(1, min(items, 20_000 if self._vae.largest == 1 else 5_000))

    def _decode_older(self, payload: bytes, spec: ArraySpec, version: int) -> NDArray[Any]:
        if version in (1, 2) and self.effort != "standard":
            raise CorruptDataError(f"version {version} of bbans.vae had no effort {self.effort!r}: the file is damaged")
        return super()._decode_older(payload, spec, version)

    def _stack_codec(self, spec: ArraySpec) -> Chain:
        return self._chain(spec.shape[0])

    def _information(self, chunk: NDArray[Any]) -> NDArray[np.float64]:
        """Bits of each pixel given the latents that its encoding samples; what an item's latents cost is spread over its pixels."""
        x, message = self._rows(chunk), Message()
        bits, chain, stop = np.empty(x.shape), self._chain(len(x)), len(x)
        for size in chain.sizes:
            step, batch = self._step(size), x[stop - size : stop]
            posterior = step.posterior(batch)
            z = posterior.pop(message)
            likelihood = step.likelihood(z)
            likelihood.push(message, batch)
            step.prior.push(message, z)
            latents = np.sum(step.prior.information(z), 1) - np.sum(posterior.information(z), 1)
            bits[stop - size : stop] = likelihood.information(batch) + latents[:, None] / x.shape[1]
            stop -= size
        return bits.reshape(chunk.shape)

    def _sample(self, message: Message, items: int, size: tuple[int, int]) -> NDArray[Any]:
        x = self._vae.codec(items).pop(message)
        return x.astype(np.uint8).reshape(items, *self._vae.item_shape)

    def _chain(self, items: int) -> Chain:
        return Chain(self._step, items, BATCH)

    def _step(self, items: int) -> BitsBack[NDArray[Any], NDArray[Any]]:
        return self._vae.codec(items, refined=self.effort == "smallest")


def item_bits(codec: VAECodec, x: NDArray[Any]) -> float:
    """Negative evidence bound of a chunk in bits, with the latents its encoding samples: what the model itself costs.

    The file costs as much and, beside its framing, only the first item's posterior and the end of the message.
    """
    return codec._chain(len(x)).bits(x.reshape(len(x), math.prod(x.shape[1:])).view(np.uint8))
