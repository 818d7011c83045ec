"""The codec with a bound of the error: no value breaks it, whatever it is."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from codecs_ar.array.bounded import BoundedCodec
from codecs_ar.array.codec import ArrayCodec
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec
from codecs_core.errors import ConfigError


def check_bound(array: NDArray[Any], bound: float, *, relative: bool) -> bytes:
    codec = BoundedCodec(max_error=bound, relative=relative)
    payload = codec.encode(array)
    decoded = codec.decode(payload, ArraySpec.of(array))
    for a, b in zip(array.reshape(-1), decoded.reshape(-1), strict=True):
        if not np.isfinite(a):
            assert a.tobytes() == b.tobytes()
            continue
        exact = Fraction(float(a))
        most = Fraction(bound) * abs(exact) if relative else Fraction(bound)
        assert abs(Fraction(float(b)) - exact) <= most
    return payload


def hostile(dtype: str) -> NDArray[Any]:
    """Subnormal, huge, and values that are no numbers, beside a smooth field."""
    info = np.finfo(dtype)
    y, x = np.mgrid[:20, :20]
    field = (np.sin(x / 5) * np.cos(y / 6)).astype(dtype)
    field[3] = info.smallest_subnormal * np.arange(20)
    field[4] = np.linspace(-0.9, 0.9, 20) * float(info.max)
    field[5, :6] = [np.nan, np.inf, -np.inf, -0.0, info.max, info.min]
    bits = np.asarray(np.random.Philox(5).random_raw(60)).view(np.uint8)[: 20 * field.itemsize]
    field[6] = bits.view(dtype)
    return field


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("relative", [False, True])
def test_no_value_is_off_by_more(dtype: str, relative: bool) -> None:
    for bound in (0, 1e-12, 1e-3, 0.0123, 0.3, 1.0, 1e9):
        check_bound(hostile(dtype), bound, relative=relative)


def test_a_bound_makes_smaller_payloads() -> None:
    y, x = np.mgrid[:64, :64]
    field = (np.sin(x / 9) * np.cos(y / 7) + 3).astype(np.float32)
    exact = len(ArrayCodec().encode(field))
    assert len(check_bound(field, 1e-3, relative=False)) < exact / 3
    assert len(check_bound(field, 1e-3, relative=True)) < exact / 3
    assert len(check_bound(field, 1e-2, relative=False)) < len(check_bound(field, 1e-3, relative=False))


@pytest.mark.parametrize("bound", [-1, np.nan, np.inf, "0.1", True])
def test_bounds_that_are_none(bound: object) -> None:
    with pytest.raises(ConfigError, match="max_error must be"):
        BoundedCodec(max_error=bound)
