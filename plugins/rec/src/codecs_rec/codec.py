"""Codec ``rec.vae-lossless``: the latents of a variational autoencoder by relative entropy coding; and what other codecs share with it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_core import ArraySpec, CodecInfo, ItemCodec, Model
from codecs_core.entropy import WIDE, Message, exponents
from codecs_core.errors import ModelError
from codecs_core.fields import flag, one_of
from codecs_rec import LOSSLESS
from codecs_rec.bottom import arithmetic_decode, arithmetic_encode, finish, start
from codecs_rec.latents import Blocks, prices
from codecs_rec.model import VAE

#: Items whose pixels are looked at together, and candidates of a block in each round of choosing: matters of speed, not of format.
BATCH, ROUNDS = 16, {"standard": (16, 4), "smallest": (64, 16, 8)}


@dataclass(frozen=True, kw_only=True)
class RecCodec(ItemCodec):
    """What the codecs of images have in common: models, and chunks."""

    def _own(self) -> Model:
        """The model, if it is of this codec."""
        model = self.learnt
        if model.codec != (self.info.models_of or self.id):
            raise ModelError(f"model {model.label} is for codec {model.codec}, not for {self.id}")
        return model

    def default_chunk(self, spec: ArraySpec) -> int:
        """Some hundred items: they cost nothing but their own bits, so chunks are for access and for several cores."""
        items = spec.shape[0] if spec.shape else 1
        return max(1, min(items, 500))


@dataclass(frozen=True, kw_only=True)
class LatentCodec(RecCodec):
    """How latents are chosen.

    Parameters
    ----------
    search
        Whether to look for the latents with the shortest message; if not, they are drawn by ordered random coding, near to samples
        of the posterior. What is decoded without loss does not depend on it.
    effort
        "smallest": steps on the posterior of each item before it is coded, and a longer search (see `codecs_rec.inference`). It takes
        0.1 to 0.5 s an item and is about a hundredth smaller. Another machine may choose other latents; decoding is the same.
    """

    search: bool = flag(True)
    effort: str = one_of("standard", ("standard", "smallest"))

    @cached_property
    def _vae(self) -> VAE:
        return VAE(self._own())

    @property
    def _items(self) -> VAE:
        return self._vae

    @property
    def _blocks(self) -> Blocks:
        return self._vae.blocks

    def _indices(self, x: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Indices of the latents of items, shape (n, blocks)."""
        mean, scale = self._vae.posterior(x)
        if self.effort == "smallest":
            from codecs_rec.inference import refined

            batches = [slice(i, i + BATCH) for i in range(0, len(x), BATCH)]
            parts = [refined(self._vae, x[at], mean[at], scale[at]) for at in batches]
            if parts:
                mean, scale = (np.concatenate(part) for part in zip(*parts, strict=True))
        if not self.search:
            return self._blocks.sample(mean, scale)
        lists = self._blocks.shortlist(mean, scale, ROUNDS[self.effort][0])
        chosen = [self._chosen(x[i : i + BATCH], lists[i : i + BATCH]) for i in range(0, len(x), BATCH)]
        return np.concatenate([np.zeros((0, self._blocks.count), np.int64), *chosen])

    def _chosen(self, x: NDArray[np.uint8], lists: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of shortlists, the indices with the shortest message: block by block, given the others; in the second round among the best."""
        vae, blocks, n = self._vae, self._blocks, len(x)
        index = lists[:, :, 0].copy()
        z = blocks.latents(index)
        rounds = ROUNDS[self.effort]
        for length in rounds if blocks.count > 1 else rounds[:1]:
            pixels = np.repeat(x, length, 0)
            for b in range(blocks.count):
                choices = lists[:, b, :length].reshape(-1)
                trial = np.repeat(z, length, 0)
                trial[:, blocks.members(b)] = blocks.part(choices, b)
                bits = vae.information(trial, pixels)
                bits += prices(blocks.octaves[b])[exponents(choices)] / np.log(2.0)
                order = bits.reshape(n, length).argsort(1, kind="stable")
                best = np.arange(n) * length + order[:, 0]
                index[:, b], z = choices[best], trial[best]
                lists[:, b, :length] = np.take_along_axis(lists[:, b, :length], order, 1)
        return index


@dataclass(frozen=True, kw_only=True)
class LosslessCodec(LatentCodec):
    """Images as a choice of latents, and the pixels given them on the same message.

    Of a binary model, the last item's pixels are the number that the message starts from: see `codecs_rec.bottom`.
    """

    id: ClassVar[str] = "rec.vae-lossless"
    format_version: ClassVar[int] = 2
    stores_from: ClassVar[int | None] = 2
    same_since: ClassVar[int | None] = 1
    info: ClassVar[CodecInfo] = LOSSLESS

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        x, vae, blocks = self._rows(chunk), self._vae, self._blocks
        index = self._indices(x)
        z = blocks.latents(index)
        message, beneath = Message(), self._beneath(len(x))
        if beneath:
            message = start(*arithmetic_encode(x[-1], vae.ones(z[-1:])[0], vae.PIXEL_PRECISION))
        above = len(x) - beneath
        vae.likelihood(z[:above]).push(message, x[:above])
        blocks.code(len(x)).push(message, index)
        return message.to_bytes()

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        vae, blocks, items = self._vae, self._blocks, spec.shape[0]
        message = Message.from_bytes(payload)
        z = blocks.latents(blocks.code(items).pop(message))
        beneath = self._beneath(items)
        x = np.empty((items, vae.pixels), np.uint8)
        x[: items - beneath] = vae.likelihood(z[: items - beneath]).pop(message)
        if beneath:
            x[-1] = arithmetic_decode(*finish(message), vae.ones(z[-1:])[0], vae.PIXEL_PRECISION)
        else:
            message.verify_end()
        return x.astype(spec.dtype).reshape(spec.shape)

    def _beneath(self, items: int) -> int:
        """How many of the items are the bottom of a message: one where that matters, as long as no other head is opened above it."""
        return int(self._vae.kind == "bernoulli" and 0 < items * self._vae.pixels < WIDE)

    def _preview(self, payload: bytes, spec: ArraySpec, levels: int) -> NDArray[Any]:
        """What the first `levels` blocks of latents say of items, as `rec.vae-latents` shows it; with more than there are, the items."""
        if levels > self._blocks.count:
            return self._decode(payload, spec)
        index = self._blocks.code(spec.shape[0]).pop(Message.from_bytes(payload))
        z = self._blocks.first(levels).latents(index[:, :levels])
        return self._vae.shown(z).astype(spec.dtype).reshape(spec.shape)

    def _preview_older(self, payload: bytes, spec: ArraySpec, levels: int, version: int) -> NDArray[Any]:
        return self._preview(payload, spec, levels)
