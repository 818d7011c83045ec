"""Codec ``ar.bounded``: numerical arrays of which no value is off by more than a bound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_ar import BOUNDED_INFO
from codecs_ar.array.codec import CHUNK_BYTES
from codecs_ar.array.coding import LEVELS, STANDARD, decode, encode
from codecs_ar.array.maps import Coarse, Map, Multiples, spread
from codecs_core import ArraySpec, Codec, CodecInfo
from codecs_core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class BoundedCodec(Codec):
    """Floats of which no decoded value is off by more than a bound; the encoder checks every one.

    NaN and infinities come back as they are, bit by bit, and so does every value that the bound would be broken for.

    Parameters
    ----------
    max_error
        The bound, 0 or more: no decoded value differs from the original by more.
    relative
        Whether the bound is a fraction of the original's magnitude.
    effort
        As in ``ar.array``.
    """

    id: ClassVar[str] = "ar.bounded"
    format_version: ClassVar[int] = 1
    stores_from: ClassVar[int | None] = 1
    info: ClassVar[CodecInfo] = BOUNDED_INFO

    max_error: float = 0.0
    relative: bool = False
    effort: str = STANDARD

    def __post_init__(self) -> None:
        if isinstance(self.max_error, bool) or not isinstance(self.max_error, int | float):
            raise ConfigError(f"max_error must be a number, got {self.max_error!r}")
        if not 0 <= self.max_error < math.inf:
            raise ConfigError(f"max_error must be 0 or a positive finite number, got {self.max_error!r}")
        if not isinstance(self.relative, bool):
            raise ConfigError(f"relative must be true or false, got {self.relative!r}")
        if self.effort not in LEVELS:
            raise ConfigError(f"effort must be one of {', '.join(LEVELS)}, got {self.effort!r}")

    def default_chunk(self, spec: ArraySpec) -> int:
        """Items of about 4 MiB."""
        items = spec.shape[0] if spec.shape else 1
        return max(1, min(items, CHUNK_BYTES * items // max(1, spec.nbytes)))

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        chosen = self._map(chunk)
        if chosen is None:
            return encode(chunk, self.effort)
        return encode(approximated(chunk, chosen, self.max_error, relative=self.relative), self.effort, chosen)

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        return decode(payload, spec)

    def _map(self, array: NDArray[Any]) -> Map | None:
        """The map whose steps are as large as the bound allows; None if it allows none."""
        if not self.relative:
            step = 2.0 * float(self.max_error)
            least = max(4.0 * float(np.finfo(array.dtype).tiny), 1e-300)  # no multiple, and no bound, is subnormal
            return (
                spread(Multiples(array.dtype, step, divided=False, beyond=0), array) if least < step < 1e300 else None
            )
        steps = int(min(2.0 * self.max_error, 0.5) * 2.0 ** np.finfo(array.dtype).nmant)
        return Coarse(array.dtype, steps) if steps > 1 else None


def approximated(array: NDArray[Any], chosen: Map, bound: float, *, relative: bool) -> NDArray[Any]:
    """Each value as the map gives it back, or as it is where that would be off by more than the bound."""
    near = chosen.backward(chosen.forward(array))
    return np.where(within(array, near, bound, relative=relative), near, array)


def within(array: NDArray[Any], near: NDArray[Any], bound: float, *, relative: bool) -> NDArray[np.bool_]:
    """Where values differ by no more than a bound, exactly: the rounding of the difference is made up for.

    Of a relative bound, subnormal values are kept, which some processes take as zero.
    """
    with np.errstate(all="ignore"):
        a, b = near.astype(np.float64), array.astype(np.float64)
        most = np.abs(b) * bound if relative else np.float64(bound)
        difference = a - b
        rest = a - difference  # what the difference leaves out, by the sum without error of Moller and Knuth
        missing = (a - (rest + difference)) + (rest - b)
        least = np.nextafter(most, 0.0)
        exact = (missing == 0.0) & (np.abs(difference) <= (least if relative else most))
        fits: NDArray[np.bool_] = np.isfinite(b) & np.isfinite(a) & (exact | (np.abs(difference) < least))
        if relative:
            fits &= np.minimum(np.abs(a), np.abs(b)) >= np.finfo(array.dtype).tiny
    return fits
