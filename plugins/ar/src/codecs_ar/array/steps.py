"""Steps as large as a bound allows: real numbers whose integers are apart by about twice the bound, and the values near them.

For a bound relative to the values they are steps of logarithms, by the table of `real`, so that every machine finds the same values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.payload import Reader, Writer
from codecs_ar.array.real import logarithms
from codecs_core.errors import CorruptDataError

#: Most steps between two values: up to here they are told apart exactly wherever a prediction is.
MOST = 1 << 30
#: By so much steps are smaller than a bound allows, which makes up for rounding; the same of logarithms, whose slope is right to 0.4 %.
SLACK, SLACK_OF_LOGARITHMS = 2.0**-20, 0.005
#: Relative bounds are no larger, so that steps of logarithms are smaller than 1, and what is near 1 is never taken for 0.
COARSEST = 0.4
#: One in this number of values may be too coarse for the bound.
FEW = 64
#: Logarithms are no larger; magnitudes that have one, and steps, are no smaller.
LARGEST, SMALL, TINY = 2.0**12, 2.0**-1000, 1e-250
#: Integers that are larger take no part: doubles do not tell them apart, or not halves of them.
WHOLE = 2.0**52


@dataclass(frozen=True)
class Steps:
    """Values, or their logarithms, are near origin + x * step, for real x from `low` to `high`.

    The logarithm of v is log2(|v|) - base + 1, with the sign of v, where no magnitude is below 2^base; that of 0 is 0.

    Parameters
    ----------
    step, origin
        As above.
    low, high
        Integers that no x is beyond.
    base
        As above; None for steps of values.
    """

    step: float
    origin: float
    low: int
    high: int
    base: int | None = None

    @property
    def reach(self) -> int:
        """Steps between a value and a prediction at the most."""
        return self.high - self.low + 2

    def write(self, writer: Writer) -> None:
        """Append to a payload."""
        writer.real(self.step)
        writer.real(self.origin)
        writer.natural(-self.low)
        writer.natural(self.high)
        writer.natural(self.base is not None)
        if self.base is not None:
            writer.integer(self.base)

    @classmethod
    def read(cls, reader: Reader) -> Steps:
        """Inverse of `write`."""
        found = cls(reader.real(), reader.real(), -reader.natural(), reader.natural())
        if reader.natural():
            found = replace(found, base=reader.integer())
        sound = TINY < found.step < math.inf and math.isfinite(found.origin) and found.reach <= MOST
        if not sound or abs(found.base or 0) > LARGEST:
            raise CorruptDataError("the steps of a stream are impossible: the payload is damaged")
        return found

    def forward(self, array: NDArray[Any]) -> NDArray[np.float64]:
        """Numbers x of values."""
        with np.errstate(all="ignore"):
            wide = array.astype(np.float64)
            return ((wide if self.base is None else _logarithm(wide, self.base)) - self.origin) / self.step

    def backward(self, steps: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Values of a dtype near numbers x."""
        with np.errstate(all="ignore"):
            wide = self.origin + steps * self.step
            wide = wide if self.base is None else _power(wide, self.base)
            if dtype == np.float16:
                return wide.astype(dtype)
            if dtype.kind == "f":  # subnormal values are zero in some processes, and here in all
                return np.where(np.abs(wide) < np.finfo(dtype).tiny, 0.0, wide).astype(dtype)
            about = np.iinfo(dtype)
            least, most = max(float(about.min), -WHOLE), min(float(about.max), WHOLE)
            return np.minimum(np.maximum(np.rint(wide), least), most).astype(dtype)


def _logarithm(values: NDArray[np.float64], base: int) -> NDArray[np.float64]:
    """As `Steps` says."""
    nodes = logarithms()
    part, exponent = np.frexp(values)
    place = (np.abs(part) * 2.0 - 1.0) * 256.0
    i = np.where((place >= 0.0) & (place < 256.0), place, 0.0).astype(np.int64)  # there is none of 0 and NaN
    found = (exponent - base) + (nodes[i] + (nodes[i + 1] - nodes[i]) * (place - i))
    return np.where(values == 0.0, 0.0, np.copysign(found, values))


def _power(logarithm: NDArray[np.float64], base: int) -> NDArray[np.float64]:
    """Inverse of `_logarithm`; what is nearer to 0 than to 1 is 0."""
    nodes = logarithms()
    size = np.minimum(np.abs(logarithm), LARGEST)
    whole = np.floor(size)
    rest = size - whole
    i = np.minimum(np.searchsorted(nodes, rest, side="right") - 1, 255)
    part = 1.0 + (i + (rest - nodes[i]) / (nodes[i + 1] - nodes[i])) / 256.0
    found = np.where(size < 0.5, 0.0, np.ldexp(part, whole.astype(np.int64) + (base - 1)))
    return np.copysign(found, logarithm)


def is_zero(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Which values are zero, by their bits."""
    whole = array.view(f"u{array.itemsize}") << 1 if array.dtype.kind == "f" else array
    zero: NDArray[np.bool_] = whole == 0
    return zero


def spacing(array: NDArray[Any]) -> NDArray[np.float64]:
    """From each value to the next one of its dtype; infinite where doubles do not tell it."""
    if array.dtype.kind != "f":
        return np.where(np.abs(array.astype(np.float64)) < WHOLE, 1.0, math.inf)
    with np.errstate(all="ignore"):
        found = np.abs(np.spacing(array).astype(np.float64))
    return np.where(np.isfinite(found), found, math.inf)


def fitted(
    array: NDArray[Any], usual: NDArray[np.bool_], bound: float, *, relative: bool
) -> tuple[Steps, NDArray[np.bool_]] | None:
    """Steps that keep a bound, and which of the usual values take part; None where too many are too coarse for it."""
    coarse, bound = spacing(array), min(bound, COARSEST) if relative else bound
    with np.errstate(all="ignore"):
        size = np.abs(array.astype(np.float64))
        fine = coarse <= bound / 4 * size if relative else coarse <= (bound / 4 if array.dtype.kind == "f" else 1.0)
    if relative:
        least = 4.0 * float(np.finfo(array.dtype).tiny) if array.dtype.kind == "f" else 0.0
        fine = (fine & (size >= max(least, SMALL))) | is_zero(array)
    taken = usual & fine
    if not taken.any() or FEW * np.count_nonzero(usual & ~fine) > np.count_nonzero(usual):
        return None
    found = _of_logarithms(array[taken], coarse[taken], bound) if relative else _of_values(array[taken], bound)
    return (found, taken) if found else None


def _of_values(values: NDArray[Any], bound: float) -> Steps | None:
    largest, half = float(np.abs(values.astype(np.float64)).max()), math.floor(min(bound, WHOLE)) + 0.5
    if largest + 2.0 * bound >= (float(np.finfo(values.dtype).max) if values.dtype.kind == "f" else WHOLE):
        return None
    if values.dtype.kind == "f":
        tiny = 4.0 * float(np.finfo(values.dtype).tiny)
        half = bound - float(spacing(np.array(largest + bound, values.dtype))) / 2 - tiny
    return _spanned(values, Steps(2.0 * half * (1.0 - SLACK), 0.0, 0, 0), largest)


def _of_logarithms(values: NDArray[Any], coarse: NDArray[np.float64], bound: float) -> Steps | None:
    size = np.abs(values.astype(np.float64))
    some = size > 0.0
    if not some.any():
        return None
    half = bound - float((coarse[some] / size[some]).max())
    if values.dtype.kind == "f" and float(size.max()) * (1.0 + half) >= float(np.finfo(values.dtype).max):
        return None
    step = 2.0 * float(_logarithm(np.array(1.0 + half), 1)) * (1.0 - SLACK_OF_LOGARITHMS)
    _, exponent = np.frexp(size[some].min())
    return _spanned(values, Steps(step, 0.0, 0, 0, int(exponent) - 1), LARGEST)


def _spanned(values: NDArray[Any], steps: Steps, size: float) -> Steps | None:
    """The steps around the median of the values, with their range, unless they are too small to be told apart."""
    if not (TINY < steps.step < math.inf and steps.step > size / MOST):
        return None
    places = steps.forward(values) * steps.step
    steps = replace(steps, origin=float(np.partition(places, places.size // 2)[places.size // 2]))
    places = steps.forward(values)
    reach = float(places.max()) - float(places.min())
    if not reach < MOST - 4:
        return None
    return replace(steps, low=min(0, math.floor(places.min())), high=max(0, math.ceil(places.max())))
