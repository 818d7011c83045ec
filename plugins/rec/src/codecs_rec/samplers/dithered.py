"""Dithered quantisation: samples with uniform noise, and by randomly scaled dithers with Gaussian noise, in one step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy import DiscretizedGaussian, Escape, QFormat
from codecs_core.entropy import table as engine_table
from codecs_core.errors import EntropyError
from codecs_core.jit import kernel
from codecs_rec.families import Family, Gaussian, Uniform
from codecs_rec.philox import check_key
from codecs_rec.samplers.base import DITHERS, Sampler, draw
from codecs_rec.tables import table

#: Steps from 0 that an index may be away.
REACH = 1 << 52
#: Bins of the index code, the middle one for index 0; the rest escapes.
BINS = 1 << 16
OFFSET = BINS // 2


@kernel
def _draw(key, u, row):
    for i in range(u.size):
        bits = draw(0, i, DITHERS, key)
        u[i] = np.float64(bits >> np.uint64(12)) * 2.0**-52 - 0.5
        row[i] = np.int64(bits & np.uint64(0xFFF))


class Dithered(Sampler):
    """y + U(-width / 2, width / 2): both ends know a dither u, and k = round(y / width + u) is sent (Ziv 1985; Roberts 1962).

    Exact. The target is a `Uniform` of this width; of the proposal decoding needs the location alone, which indices count from.

    Parameters
    ----------
    width
        Of the noise, known to both ends.
    """

    def __init__(self, width: ArrayLike) -> None:
        self.width: NDArray[np.float64] = np.array(width, np.float64)
        if not (np.isfinite(self.width) & (self.width > 0)).all():
            raise EntropyError("the width of a dither is positive and finite")

    def encode(self, target: Family, proposal: Family, key: int) -> NDArray[np.int64]:
        """Signed integers, of the shape that the parameters broadcast to."""
        centre = np.asarray(self._centre(target) - proposal.location)
        u, width = self._dither(centre.shape, key)
        k = np.floor(centre / width + u + 0.5)
        if k.size and float(np.abs(k).max()) >= REACH:
            raise EntropyError(f"a target is {np.abs(k).max():.3g} widths from its proposal; at most 2^52 can be sent")
        return k.astype(np.int64)

    def decode(self, index: ArrayLike, proposal: Family, key: int) -> NDArray[np.float64]:
        """Samples of the shape of `index`."""
        k = QFormat(bits=0, low=1 - REACH, high=REACH - 1).check(index, "index")
        u, width = self._dither(k.shape, key)
        return np.asarray(proposal.location + width * (k - u))

    def code(self, shape: tuple[int, ...], proposal: Gaussian, key: int) -> Escape:
        """The index code under a Gaussian prior of the target's centre, given the dither; it codes index + `OFFSET`."""
        u, width = self._dither(shape, key)
        mean = np.floor((u + OFFSET) * 256).astype(np.int64)
        steps = log2_64(np.broadcast_to(proposal.scale, shape) / width)
        log_scale = steps.clip(DiscretizedGaussian.LOG_SCALE.low, DiscretizedGaussian.LOG_SCALE.high)
        return Escape(DiscretizedGaussian(mean, log_scale, symbols=BINS))

    def _centre(self, target: Family) -> NDArray[np.float64]:
        if not isinstance(target, Uniform) or not _same(target.scale, self.width):
            raise EntropyError("the target of a dither is a Uniform of the dither's width")
        return np.asarray(target.location + 0.5 * target.scale)

    def _dither(self, shape: tuple[int, ...], key: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Dithers in [-1/2, 1/2), and the width of each."""
        u, _ = _draws(shape, key)
        return u, np.broadcast_to(self.width, shape)


class ScaledDithered(Dithered):
    """N(y, scale^2), where `width` is the scale: a Gaussian is a mixture of uniforms whose half-widths are Maxwell distributed.

    Both ends know the half-width too, one of 4096 equally likely ones (Hegazy, Li 2022, "Randomized quantization with exact error
    distribution"). The target is a `Gaussian` of this scale.
    """

    def _centre(self, target: Family) -> NDArray[np.float64]:
        if not isinstance(target, Gaussian) or not _same(target.scale, self.width):
            raise EntropyError("the target of a scaled dither is a Gaussian of the dither's scale")
        return np.asarray(np.broadcast_to(target.location, target.shape))

    def _dither(self, shape: tuple[int, ...], key: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        u, row = _draws(shape, key)
        return u, np.broadcast_to(self.width, shape) * (table("maxwell")[row] * 2.0**-31)


def _same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return bool(np.all(a == b))


def _draws(shape: tuple[int, ...], key: int) -> tuple[NDArray[np.float64], NDArray[Any]]:
    size = int(np.prod(shape, dtype=np.int64))
    u, row = np.empty(size), np.empty(size, np.int64)
    _draw(check_key(key), u, row)
    return u.reshape(shape), row.reshape(shape)


def log2_64(x: NDArray[np.float64]) -> NDArray[np.int64]:
    """floor(64 log2 x), by the exponent of a float and comparisons of its mantissa with committed numbers."""
    mantissa, exponent = np.frexp(x)
    steps = engine_table("exp2_negative")[64:0:-1] * 2.0**-16
    return np.asarray(64 * (exponent.astype(np.int64) - 1) + np.searchsorted(steps, mantissa, side="right") - 1)
