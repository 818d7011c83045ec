"""Hold ``ar.bounded`` to its bound on hostile values: ``python tests/fuzz/bounded.py VALUES SEED [--payloads]``.

Without ``--payloads`` only the rounding is tried, from predictions that may be anything, which is fast enough for 10^8 values; with it
arrays are encoded and decoded. Differences are taken with longer floats than the codec has, and with fractions where it is close. It ends
with the first value that is off by more, or with what was tried.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from codecs_ar.array.bounded import BoundedCodec
from codecs_ar.array.bounds import lattice, rounded, usual, within
from codecs_ar.array.steps import fitted
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec

FLOATS = ("float16", "float32", "float64")
DTYPES = (*FLOATS, "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
Array = NDArray[Any]


def bits(rng: np.random.Generator, dtype: np.dtype[Any], n: int) -> Array:
    """Any bits: huge, tiny, subnormal, infinities, NaN with any payload; or any integers."""
    return np.frombuffer(rng.bytes(n * dtype.itemsize), dtype)


def smooth(rng: np.random.Generator, dtype: np.dtype[Any], n: int) -> Array:
    """A wave with noise around a level."""
    wave = np.sin(np.arange(n) / rng.uniform(2, 60)) + rng.normal(0, 10 ** rng.uniform(-7, 0), n)
    return cast(10 ** rng.uniform(-3, 4) * (wave + rng.choice([0, 1, 100, 1e4])), dtype)


def spread(rng: np.random.Generator, dtype: np.dtype[Any], n: int) -> Array:
    """Magnitudes of many sizes, with zeros of both signs."""
    values = rng.choice([-1, 1], n) * 2.0 ** rng.uniform(-30, 30, n) * rng.choice([0, 1, 1, 1], n)
    return cast(values, dtype)


def extreme(rng: np.random.Generator, dtype: np.dtype[Any], n: int) -> Array:
    """Near the largest value, or subnormal."""
    if dtype.kind != "f":
        about = np.iinfo(dtype)
        near = rng.integers(0, 9, n)
        return np.where(rng.random(n) < 0.5, about.max - near.astype(dtype), about.min + near.astype(dtype)).astype(
            dtype
        )
    info = np.finfo(dtype)
    tiny = (rng.integers(-99, 99, n) * float(info.smallest_subnormal)).astype(dtype)
    huge = (rng.choice([-1, 1], n) * rng.uniform(0.99, 1, n) * float(info.max)).astype(dtype)
    return np.where(rng.random(n) < rng.choice([0, 0.5, 1]), tiny, huge).astype(dtype)


def mixed(rng: np.random.Generator, dtype: np.dtype[Any], n: int) -> Array:
    """A smooth one with some of all others in it."""
    array = smooth(rng, dtype, n).copy()
    for other in (bits, spread, extreme):
        where = rng.random(n) < 10 ** rng.uniform(-5, -1)
        array[where] = other(rng, dtype, int(where.sum()))
    if dtype.kind == "f":
        where = rng.random(n) < 0.01
        array[where] = rng.choice([np.nan, np.inf, -np.inf, -0.0], int(where.sum())).astype(dtype)
    return array


KINDS: tuple[Callable[[np.random.Generator, np.dtype[Any], int], Array], ...] = (
    bits,
    smooth,
    smooth,
    spread,
    extreme,
    mixed,
    mixed,
)


def cast(values: NDArray[np.float64], dtype: np.dtype[Any]) -> Array:
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return values.astype(dtype)
    about = np.iinfo(dtype)
    return np.clip(np.rint(values), max(about.min, -(2.0**52)), min(about.max, 2.0**52)).astype(dtype)


def bound_for(rng: np.random.Generator, array: Array, *, relative: bool) -> float:
    """Tiny, huge, of a few units of the last place, or a part of the range."""
    if relative:
        return float(rng.choice([10 ** rng.uniform(-9, 0), 2.0 ** -rng.integers(1, 24), 1.0, 5e-324, 1e300]))
    with np.errstate(invalid="ignore"):
        wide = array.astype(np.float64)
    wide = np.sort(np.abs(wide[np.isfinite(wide)]))
    most = float(wide[min(int(rng.choice([0.5, 0.9, 1.0]) * wide.size), wide.size - 1)]) if wide.size else 1.0
    place = float(np.spacing(np.float32(min(most, 1e38)))) * rng.integers(1, 40)
    part = min(max(most * 10 ** rng.uniform(-9, 0), 5e-324), 1e308)
    return float(rng.choice([part, part, part, place, np.floor(place), 0.5, 1.0, 3.0, 5e-324, 1e-310, 1e308, 0.0]))


def check(array: Array, decoded: Array, bound: float, *, relative: bool) -> None:
    """Raise unless every value is within the bound, and what is no finite number as it was."""
    finite = np.isfinite(array)
    assert array[~finite].tobytes() == decoded[~finite].tobytes(), "what is no finite number has changed"
    a, b = array[finite], decoded[finite]
    assert np.isfinite(b).all(), "a finite value became infinite"
    same = a == b
    a, b = a[~same], b[~same]
    with np.errstate(all="ignore"):
        off = np.abs(a.astype(np.longdouble) - b.astype(np.longdouble))
        most = np.longdouble(bound) * (np.abs(a.astype(np.longdouble)) if relative else np.longdouble(1))
        clear = off < most * np.longdouble(1 - 2.0**-50)
    for x, y in zip(a[~clear].tolist(), b[~clear].tolist(), strict=True):
        allowed = Fraction(bound) * (abs(Fraction(x)) if relative else 1)
        assert abs(Fraction(x) - Fraction(y)) <= allowed, f"{x!r} became {y!r} under the bound {bound!r}"


def arrays(values: int, seed: int, most: int) -> Iterator[tuple[Array, float, bool]]:
    """Arrays of that many values together, each with a bound."""
    rng = np.random.default_rng(seed)
    while values > 0:
        n = int(min(values, rng.integers(1, most)))
        dtype = np.dtype(str(rng.choice(DTYPES if rng.random() < 0.3 else FLOATS)))
        array = KINDS[rng.integers(len(KINDS))](rng, dtype, n)
        relative = bool(rng.random() < 0.3)
        yield array, bound_for(rng, array, relative=relative), relative
        values -= n


def check_rounding(array: Array, bound: float, seed: int, *, relative: bool) -> int:
    """Round values to multiples, and to steps from predictions; returns how many took part in the second."""
    near = rounded(array, lattice(array, bound, relative=relative), bound, relative=relative)
    check(array, near, bound, relative=relative)
    found = fitted(array, usual(near), bound, relative=relative) if bound else None
    if found is None:
        return 0
    steps, taken = found
    rng = np.random.default_rng(seed)
    wanted = steps.forward(array[taken])
    near_by = wanted + rng.choice([0.5, -0.5, 1.5, 1e-9]) + rng.choice([0, 1, 1e-7]) * rng.normal(0, 1, wanted.size)
    anywhere = rng.uniform(steps.low, steps.high, wanted.size)
    centres = np.clip(np.where(rng.random(wanted.size) < 0.5, near_by, anywhere), steps.low, steps.high)
    decoded = steps.backward(centres + np.rint(wanted - centres), array.dtype)
    kept = within(array[taken], decoded, bound, relative=relative)
    check(array[taken][kept], decoded[kept], bound, relative=relative)
    assert kept.all(), (
        f"{np.count_nonzero(~kept)} values need what the encoder falls back on, bound {bound!r}, {array.dtype}"
    )
    return int(kept.size)


def check_payload(array: Array, bound: float, seed: int, *, relative: bool) -> int:
    """Encode and decode an array; returns how many values have come back changed."""
    side = int(np.sqrt(array.size))
    array = array[: side * side].reshape(side, side) if seed % 3 and side > 3 else array
    codec = BoundedCodec(max_error=bound, relative=relative, effort="fast" if seed % 5 == 0 else "standard")
    decoded = codec.decode(codec.encode(array), ArraySpec.of(array))
    check(array.reshape(-1), decoded.reshape(-1), bound, relative=relative)
    return int(np.count_nonzero(array != decoded))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("values", type=lambda text: int(float(text)))
    parser.add_argument("seed", type=int)
    parser.add_argument("--payloads", action="store_true")
    chosen = parser.parse_args()
    number = tried = changed = 0
    most = 20_000 if chosen.payloads else 60_000
    for number, (array, bound, relative) in enumerate(arrays(chosen.values, chosen.seed, most)):
        run = check_payload if chosen.payloads else check_rounding
        try:
            changed += run(array, bound, number, relative=relative)
        except AssertionError as error:
            raise SystemExit(
                f"array {number} of seed {chosen.seed}, {array.dtype}, relative {relative}: {error}"
            ) from error
        tried += array.size
    what = "came back changed" if chosen.payloads else "were rounded from predictions"
    print(f"{tried:,} values in {number + 1:,} arrays, none off by more than its bound; {changed:,} {what}")


if __name__ == "__main__":
    main()
