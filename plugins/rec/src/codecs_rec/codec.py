"""Codecs ``rec.vae`` and ``rec.vae-lossless``: the latents of a variational autoencoder by relative entropy coding."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec
from codecs_core.codec import Codec, CodecInfo, Progress
from codecs_core.entropy import Message
from codecs_core.entropy.distributions.categorical import Categorical
from codecs_core.entropy.rans import WIDE
from codecs_core.errors import ConfigError, ModelError, UnsupportedArrayError
from codecs_core.models import Model
from codecs_rec import LOSSLESS, LOSSY
from codecs_rec.bottom import arithmetic_decode, arithmetic_encode, finish, pack, start, unpack
from codecs_rec.index import octaves_of
from codecs_rec.latents import Blocks
from codecs_rec.vae import PIXEL_PRECISION, VAE

#: Items that are searched together, and candidates of a block whose pixels are looked at: matters of speed, not of format.
BATCH, SHORTLIST = 16, 64
#: Rounds of choosing each block given the others.
ROUNDS = 2


@dataclass(frozen=True, kw_only=True)
class RecCodec(Codec):
    """What the two codecs have in common: the model, and which arrays it takes."""

    @cached_property
    def _vae(self) -> VAE:
        if self.model is None:
            raise ConfigError(f"codec {self.id} needs a model")
        vae = VAE(self.model)
        if (vae.kind == "values") != (self.info.kind == "lossy"):
            raise ModelError(f"model {self._name} is for a {'lossy' if vae.kind == 'values' else 'lossless'} codec")
        return vae

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
        """Some hundred items: they cost nothing but their own bits, so chunks are for access and for several cores."""
        items = spec.shape[0] if spec.shape else 1
        return max(1, min(items, 500))

    def _pixels(self, chunk: NDArray[Any]) -> NDArray[np.uint8]:
        """Items as rows; raises `UnsupportedArrayError` for values beyond the model's."""
        x = chunk.reshape(len(chunk), self._vae.pixels).view(np.uint8)
        if x.size and int(x.max()) > self._vae.largest:
            item = int(np.argmax(x.max(1) > self._vae.largest))
            raise UnsupportedArrayError(
                f"model {self._name} takes values from 0 to {self._vae.largest}; item {item} of a chunk holds {x[item].max()}"
            )
        return x

    @property
    def _name(self) -> str:
        return repr(self.model.name or self.model.sha256[:16]) if self.model else "?"

    @classmethod
    def train(cls, data: NDArray[Any], *, budget: float, progress: Progress | None = None, **hyper: Any) -> Model:
        """Train on a stack of items, shape (n, ...), of dtype uint8 or bool; see `codecs_rec.training.train`."""
        from codecs_rec.training import train

        return train(data, cls.id, budget=budget, progress=progress, **hyper)


@dataclass(frozen=True, kw_only=True)
class LossyCodec(RecCodec):
    """Images as samples of the posterior: a message is the octaves of their indices on top of what these leave of them.

    Parameters
    ----------
    quality
        From 1 to what the model has; 0 is its best.
    """

    id: ClassVar[str] = "rec.vae"
    format_version: ClassVar[int] = 1
    info: ClassVar[CodecInfo] = LOSSY

    quality: int = 0

    def __post_init__(self) -> None:
        if type(self.quality) is not int or not 0 <= self.quality <= 64:
            raise ConfigError(f"quality is an integer from 0 to 64, not {self.quality!r}")

    @cached_property
    def _level(self) -> int:
        levels = len(self._vae.tempers)
        if self.quality > levels:
            raise ConfigError(f"model {self._name} has qualities 1 to {levels}, not {self.quality}")
        return (self.quality or levels) - 1

    @property
    def _blocks(self) -> Blocks:
        return self._vae.blocks[self._level]

    def check(self, spec: ArraySpec) -> None:
        """Raise `ConfigError` for a quality that the model lacks, too."""
        super().check(spec)
        _ = self._level

    def _octaves(self, items: int) -> list[Categorical]:
        """Codes of the octaves of so many items, in parts that one head codes: there may be nothing beneath to open others with."""
        count = self._blocks.count
        step = (WIDE - 1) // count
        return [
            Categorical(self._blocks.octaves, index=np.tile(np.arange(count), (min(step, items - i), 1)))
            for i in range(0, items, step)
        ]

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        x = self._pixels(chunk)
        index = self._blocks.sample(*self._vae.posterior(x, self._level))
        octaves = octaves_of(index)
        message = start(*pack((index - (np.int64(1) << octaves)).reshape(-1), octaves.reshape(-1)))
        end = len(x)
        for code in reversed(self._octaves(len(x))):
            code.push(message, octaves[end - code.shape[0] : end])
            end -= code.shape[0]
        return message.to_bytes()

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        message = Message.from_bytes(payload)
        parts = [code.pop(message) for code in self._octaves(spec.shape[0])]
        octaves = np.concatenate([np.zeros((0, self._blocks.count), np.int64), *parts]).astype(np.int64)
        rest = unpack(*finish(message), octaves.reshape(-1)).reshape(octaves.shape)
        z = self._blocks.latents((np.int64(1) << octaves) + rest)
        return self._vae.values(z).astype(spec.dtype).reshape(spec.shape)


@dataclass(frozen=True, kw_only=True)
class LosslessCodec(RecCodec):
    """Images as a choice of latents, and the pixels given them on the same message.

    Of a binary model, the last item's pixels are the number that the message starts from: see `codecs_rec.bottom`.

    Parameters
    ----------
    search
        Whether to look for the latents with the shortest message; if not, they are samples of the posterior.
    """

    id: ClassVar[str] = "rec.vae-lossless"
    format_version: ClassVar[int] = 1
    info: ClassVar[CodecInfo] = LOSSLESS

    search: bool = True

    def __post_init__(self) -> None:
        if type(self.search) is not bool:
            raise ConfigError(f"search is true or false, not {self.search!r}")

    @property
    def _blocks(self) -> Blocks:
        return self._vae.blocks[-1]

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        x, vae, blocks = self._pixels(chunk), self._vae, self._blocks
        index = np.ones((len(x), blocks.count), np.int64)
        for i in range(0, len(x), BATCH):
            index[i : i + BATCH] = self._indices(x[i : i + BATCH], i)
        z = blocks.latents(index)
        message, beneath = Message(), self._beneath(len(x))
        if beneath:
            message = start(*arithmetic_encode(x[-1], vae.ones(z[-1:])[0], PIXEL_PRECISION))
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
            x[-1] = arithmetic_decode(*finish(message), vae.ones(z[-1:])[0], PIXEL_PRECISION)
        else:
            message.verify_end()
        return x.astype(spec.dtype).reshape(spec.shape)

    def _beneath(self, items: int) -> int:
        """How many items are the bottom of a message of so many: one where that matters, as long as no other head is opened above it."""
        return int(self._vae.kind == "bernoulli" and 0 < items * self._vae.pixels < WIDE)

    def _indices(self, x: NDArray[np.uint8], first: int) -> NDArray[np.int64]:
        """Indices of the latents of a few items, of which the first is item `first` of its chunk."""
        vae, blocks, n = self._vae, self._blocks, len(x)
        mean, scale = vae.posterior(x, -1)
        if not self.search:
            return blocks.sample(mean, scale, first)
        lists = blocks.shortlist(mean, scale, SHORTLIST, first)
        index = lists[:, :, 0].copy()
        z = blocks.latents(index, first)
        pixels = np.repeat(x, SHORTLIST, 0)
        for _ in range(ROUNDS if blocks.count > 1 else 1):
            for b in range(blocks.count):
                choices = lists[:, b].reshape(-1)
                elements = np.repeat(blocks.elements(n, b, first), SHORTLIST)
                trial = np.repeat(z, SHORTLIST, 0)
                trial[:, blocks.members(b)] = blocks.part(choices, b, elements)
                bits = vae.likelihood(trial).information(pixels)
                bits += blocks.prices(b)[octaves_of(choices)] / np.log(2.0)
                best = np.arange(n) * SHORTLIST + bits.reshape(n, SHORTLIST).argmin(1)
                index[:, b], z = choices[best], trial[best]
        return index
