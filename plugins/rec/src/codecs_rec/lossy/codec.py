"""Codec ``rec.vae``: images as latents near those of the image, by relative entropy coding."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_core import ArraySpec, CodecInfo
from codecs_core.entropy import WIDE, Bijection, Categorical, Message, Serial, StackCodec, exponents
from codecs_core.errors import ConfigError
from codecs_core.fields import flag, whole
from codecs_rec import LOSSY
from codecs_rec.bottom import finish, pack, start, unpack
from codecs_rec.codec import RecCodec
from codecs_rec.lossy.model import LossyVAE


@dataclass(frozen=True, kw_only=True)
class LossyCodec(RecCodec):
    """Images as latents near those of the image: a message is classes and octaves of indices on top of what these leave of them.

    Parameters
    ----------
    quality
        From 1 to what the model has; 0 is its best.
    search
        Whether to take, of all proposals, the one with the best of rate and distortion. If not, latents are drawn by ordered random
        coding, among as many candidates as the model's tables of octaves have indices. These are too few to be samples of the
        posterior: with the shipped model the variance of latent errors is 1.12 (quality 1) to 1.21 (quality 8) times its own.
    """

    id: ClassVar[str] = "rec.vae"
    format_version: ClassVar[int] = 2
    stores_from: ClassVar[int | None] = 2
    same_since: ClassVar[int | None] = 1
    info: ClassVar[CodecInfo] = LOSSY

    quality: int = whole(0, 0, 64)
    search: bool = flag(True)

    @cached_property
    def _vae(self) -> LossyVAE:
        return LossyVAE(self._own())

    @property
    def _items(self) -> LossyVAE:
        return self._vae

    @cached_property
    def _level(self) -> int:
        levels = self._vae.qualities
        if self.quality > levels:
            raise ConfigError(f"model {self.learnt.label} has qualities 1 to {levels}, not {self.quality}")
        return (self.quality or levels) - 1

    def check(self, spec: ArraySpec) -> None:
        """Raise `ConfigError` for a quality that the model lacks, too."""
        super().check(spec)
        _ = self._level

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        vae, level = self._vae, self._level
        y = vae.coefficients(self._rows(chunk))
        k = vae.classify(y, level)
        index = vae.indices(y, k, level, search=self.search)
        index = index[index > 0]
        octaves = exponents(index)
        message = start(*pack(index - (np.int64(1) << octaves), octaves))
        _code(vae.octaves, vae.rows(k, level)).push(message, octaves)
        _code(vae.classes[None], np.zeros(len(k), np.int64)).push(message, k)
        return message.to_bytes()

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        vae, level = self._vae, self._level
        message = Message.from_bytes(payload)
        k = _code(vae.classes[None], np.zeros(spec.shape[0], np.int64)).pop(message)
        counts = vae.counts(k, level)
        octaves = _code(vae.octaves, vae.rows(k, level)).pop(message)
        rest = unpack(*finish(message), octaves)
        index = np.zeros((len(k), int(counts.max(initial=0))), np.int64)
        index[np.arange(index.shape[1]) < counts[:, None]] = (np.int64(1) << octaves) + rest
        return vae.values(vae.latents(index, k, level), level).astype(spec.dtype).reshape(spec.shape)


def _code(counts: NDArray[np.int64], rows: NDArray[np.int64]) -> StackCodec[NDArray[Any]]:
    """Code of symbols by these rows of counts, in parts that one head codes: there may be nothing beneath to open others with."""
    ends = range(WIDE - 1, len(rows), WIDE - 1)
    parts = Serial(*(Categorical(counts, index=part) for part in np.split(rows, ends) if part.size))
    return Bijection(
        lambda x: tuple(np.split(x, ends)) if len(x) else (),
        lambda each: np.concatenate([np.zeros(0, np.int64), *each]).astype(np.int64),
        parts,
    )
