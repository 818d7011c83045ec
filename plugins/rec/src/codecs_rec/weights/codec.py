"""Codec ``rec.weights``: numbers as samples around them, whose deviation is what a network tolerates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_core import ArraySpec, Codec, CodecInfo
from codecs_core.errors import ConfigError, CorruptDataError, UnsupportedArrayError
from codecs_rec import WEIGHTS
from codecs_rec.latents import KEY
from codecs_rec.samplers.partition import MOST_CUTS, choose
from codecs_rec.weights.stream import MOST_BITS, MOST_OCTAVES, Layout, read, scale_of, write

#: Standard deviations that the largest value is from 0, so that all are within reach of proposals.
REACH = 4.0
#: Binary digits that a block leaves to be searched for, of about half a digit an axis, and candidates of a search.
LEFT, CANDIDATES = 5, 1 << 18


@dataclass(frozen=True, kw_only=True)
class WeightsCodec(Codec):
    """Arrays of float32, each value x as a sample of N(x, (deviation p)^2) relative to N(0, p^2), p a quarter of the largest magnitude.

    Errors are Gaussian, independent, and have no bias. `codecs_rec.weights.compressible` trains a network so that its weights have
    deviations of their own, which is what makes a network small; its files are of this codec, and need nothing else to be decoded.

    Parameters
    ----------
    deviation
        Of errors, in units of p, from 2^-6 to 1/2: a value costs about log2(1 / deviation) bits and a third of a bit.
    """

    id: ClassVar[str] = "rec.weights"
    format_version: ClassVar[int] = 1
    stores_from: ClassVar[int | None] = 1
    info: ClassVar[CodecInfo] = WEIGHTS

    deviation: float = 0.0625

    def __post_init__(self) -> None:
        if type(self.deviation) is not float or not 2.0**-MOST_CUTS <= self.deviation <= 0.5:
            raise ConfigError(f"deviation must be a number from 1/64 to 1/2, got {self.deviation!r}")

    def default_chunk(self, spec: ArraySpec) -> int:
        """Arrays are one chunk: a network is read as a whole."""
        return max(1, spec.shape[0] if spec.shape else 1)

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        x = chunk.reshape(-1)
        if not x.size:
            return b""
        if not np.isfinite(x).all():
            raise UnsupportedArrayError("codec rec.weights takes finite numbers; the array has others")
        cuts = round(-math.log2(self.deviation))
        layout = Layout(min(2 * LEFT, MOST_BITS // cuts), cuts, ((x.size, scale_of(float(np.abs(x).max()) / REACH)),))
        m, blocks = x / layout.scales(), np.arange(layout.blocks)
        box, number = np.zeros_like(blocks), np.ones_like(blocks)
        # the first blocks may have a value more than the others
        for part in np.split(blocks, [x.size % layout.blocks]):
            if part.size:
                at = np.stack([layout.members(b) for b in part.tolist()])
                scale, cut = np.full(at.shape, self.deviation), np.full(at.shape, cuts)
                box[part], number[part] = choose(m[at], scale, cut, KEY, CANDIDATES, elements=part)
        return write(layout, box, number)

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        if not spec.size and not payload:
            return np.zeros(spec.shape, np.float32)
        layout, box, number = read(payload, spec.size)
        if int(number.max(initial=0)) >= 1 << MOST_OCTAVES:
            raise CorruptDataError("a number of a proposal is out of range")
        return layout.values(box, number).reshape(spec.shape)
