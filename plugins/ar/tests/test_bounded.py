"""The codec with a bound of the error: no value breaks it, whatever it is."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from codecs_ar.array.bounded import BoundedCodec
from codecs_ar.array.codec import ArrayCodec
from codecs_ar.array.coding import NEAR
from codecs_ar.array.steps import Steps
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec
from codecs_core.errors import ConfigError, CorruptDataError


def check_bound(array: NDArray[Any], bound: float, *, relative: bool) -> bytes:
    codec = BoundedCodec(max_error=bound, relative=relative)
    payload = codec.encode(array)
    decoded = codec.decode(payload, ArraySpec.of(array))
    for a, b in zip(array.reshape(-1), decoded.reshape(-1), strict=True):
        if not np.isfinite(a):
            assert a.tobytes() == b.tobytes()
            continue
        exact = Fraction(a.item())
        most = Fraction(bound) * abs(exact) if relative else Fraction(bound)
        assert abs(Fraction(b.item()) - exact) <= most
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


def test_rounding_does_not_go_beyond_the_first_and_the_last_nan() -> None:
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    for bound in (0.01, 0.02, 0.05, 0.3):
        check_bound(every, bound, relative=True)
    edges = np.array([-1, -2, 0x7FFFFFFF, 0x7FFFFFFE], np.int32).view(np.float32)
    check_bound(np.tile(edges, 20), 0.04, relative=True)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("relative", [False, True])
def test_integers(dtype: str, relative: bool) -> None:
    info = np.iinfo(dtype)
    y, x = np.mgrid[:20, :20]
    field = (60 + 40 * np.sin(x / 5) * np.cos(y / 6)).astype(dtype)
    field[5, :6] = [info.min, info.max, info.max - 1, 0, info.min + 1, info.max // 2]
    field[6] = np.asarray(np.random.Philox(5).random_raw(20)).astype(dtype)
    for bound in (0, 0.1, 0.9) if relative else (0, 0.7, 1, 2.5, 20, 1e9, 1e19):
        check_bound(field, bound, relative=relative)


@pytest.mark.parametrize("relative", [False, True])
def test_both_ways_of_rounding_keep_the_bound(relative: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    y, x = np.mgrid[:40, :30]
    field = (280 + 9 * np.sin(x / 5) * np.cos(y / 6)).astype(np.float32)
    field[3:9, 4:20], field[20, 20:25] = 1e20, np.nan
    for steps in (False, True):
        monkeypatch.setattr(BoundedCodec, "_smaller", lambda *_, steps=steps: steps)
        payload = check_bound(field, 1e-4 if relative else 0.02, relative=relative)
        assert (payload[0] == NEAR) is steps


def test_what_would_break_the_bound_is_rounded_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedCodec, "_smaller", lambda *_: True)
    backward = Steps.backward
    monkeypatch.setattr(Steps, "backward", lambda *args: backward(*args) + np.float32(0.03))
    field = np.sin(np.arange(900) / 9).astype(np.float32)
    assert check_bound(field, 0.01, relative=False)[0] != NEAR


def test_a_bound_makes_smaller_payloads() -> None:
    y, x = np.mgrid[:64, :64]
    field = (np.sin(x / 9) * np.cos(y / 7) + 3).astype(np.float32)
    exact = len(ArrayCodec().encode(field))
    assert len(check_bound(field, 1e-3, relative=False)) < exact / 3
    assert len(check_bound(field, 1e-3, relative=True)) < exact / 3
    assert len(check_bound(field, 1e-2, relative=False)) < len(check_bound(field, 1e-3, relative=False))


def test_damage_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedCodec, "_smaller", lambda *_: True)
    field = np.sin(np.arange(600) / 9).astype(np.float32)
    field[7] = np.nan
    codec = BoundedCodec(max_error=0.01)
    payload = codec.encode(field)
    for at in range(len(payload)):
        try:
            codec.decode(payload[:at] + bytes([payload[at] ^ 0x41]) + payload[at + 1 :], ArraySpec.of(field))
        except CorruptDataError:
            continue
    for end in range(0, len(payload), 3):
        with pytest.raises(CorruptDataError):
            codec.decode(payload[:end], ArraySpec.of(field))


@pytest.mark.parametrize("bound", [-1, np.nan, np.inf, "0.1", True])
def test_bounds_that_are_none(bound: object) -> None:
    with pytest.raises(ConfigError, match="max_error must be"):
        BoundedCodec(max_error=bound)
