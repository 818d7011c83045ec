"""Codec ``ar.array``: numerical arrays of any type and any number of dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from numpy.typing import NDArray

from codecs_ar import ARRAY_INFO
from codecs_ar.array.coding import STANDARD, encode
from codecs_ar.array.numeric import NumericCodec
from codecs_ar.array.profile import VERSION
from codecs_ar.array.stream import untaught
from codecs_core import ArraySpec, CodecInfo
from codecs_core.errors import ConfigError, ModelError


@dataclass(frozen=True, kw_only=True)
class ArrayCodec(NumericCodec):
    """Arrays of booleans, integers, floats and complex numbers, losslessly, by predictions that adapt to the data.

    It takes a model, but needs none: a profile of what was learnt of such data before, to begin with.

    Parameters
    ----------
    effort
        ``"fast"``; ``"standard"``; or ``"smallest"``, which predicts by more least squares and hears more of each decision: it takes
        about four times as long, both ways. Only ``"standard"`` begins with a profile; with a model the others refuse to encode.
    """

    id: ClassVar[str] = "ar.array"
    format_version: ClassVar[int] = 4
    stores_from: ClassVar[int | None] = 1
    same_since: ClassVar[int | None] = 1
    info: ClassVar[CodecInfo] = ARRAY_INFO

    @cached_property
    def _profile(self) -> dict[str, NDArray[Any]] | None:
        """The tensors of the model, once they were tried."""
        if self.model is None:
            return None
        if self.model.config.get("version") != VERSION:
            raise ModelError(f"model {self.model.name or self.model.sha256[:16]} is no profile of version {VERSION}")
        tensors = self.model.tensors()
        untaught().begin(tensors)
        return tensors

    def check(self, spec: ArraySpec) -> None:
        """Raise `ModelError` if the model is no profile."""
        super().check(spec)
        if self.model is not None:
            _ = self._profile

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        if self.model is not None and self.effort != STANDARD:
            raise ConfigError(
                f"effort={self.effort} begins with no profile: leave the model out, or choose effort={STANDARD}"
            )
        return encode(chunk, self.effort, start=self._profile) if chunk.size else b""

    def _start(self) -> dict[str, NDArray[Any]] | None:
        return self._profile
