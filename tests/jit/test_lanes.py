"""Vectors in compiled kernels compute what numpy computes, lane by lane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numba.core.errors import TypingError
from numpy.typing import NDArray

from codecs_core.jit import kernel
from codecs_core.jit.lanes import clamped, cleared, floored, folded, load8, load16, magnitude, signed, store

Array = NDArray[np.float32]
_LOW, _HIGH, _LEAST = np.array([-2.5, 3, 0.5], np.float32)


@kernel
def _add(a, b, out):
    store(out, 0, load16(a, 0) + load16(b, 0))


@kernel
def _subtract(a, b, out):
    store(out, 2, load8(a, 3) - load8(b, 5))


@kernel
def _scale(a, b, out):
    store(out, 0, b[0] * load16(a, 0))


@kernel
def _divide(a, b, out):
    store(out, 0, b[0] / load16(a, 0))


@kernel
def _product_and_sum(a, b, out):
    total = load16(a, 0)
    store(out, 0, total + total * load16(b, 0))


@kernel
def _clamp(a, b, out):
    store(out, 0, clamped(load16(a, 0), _LOW, _HIGH))


@kernel
def _clear(a, b, out):
    store(out, 0, cleared(load16(a, 0), _LEAST))


@kernel
def _whole(a, b, out):
    store(out, 0, signed(floored(magnitude(load16(a, 0))), load16(b, 0)))


@kernel
def _fold(a, b, out):
    out[0], out[1] = folded(load16(a, 0)), folded(load8(b, 8))


def _within(x: Array) -> Array:
    return np.array([_LOW if not v > _LOW else min(v, _HIGH) for v in x], np.float32)


def _halves(x: Array) -> np.float32:
    return x[0] if len(x) == 1 else _halves(x[: len(x) // 2] + x[len(x) // 2 :])


def _placed(at: int, values: Array) -> Array:
    out = np.zeros(16, np.float32)
    out[at : at + len(values)] = values
    return out


CASES: dict[str, tuple[Any, Callable[[Array, Array], Array]]] = {
    "add": (_add, lambda a, b: a + b),
    "divide": (_divide, lambda a, b: b[0] / a[:16]),
    "subtract": (_subtract, lambda a, b: _placed(2, a[3:11] - b[5:13])),
    "scale": (_scale, lambda a, b: b[0] * a),
    "product and sum": (_product_and_sum, lambda a, b: a + a * b),
    "clamp": (_clamp, lambda a, b: _within(a)),
    "clear": (_clear, lambda a, b: np.array([v if abs(v) > _LEAST else 0 for v in a], np.float32)),
    "whole": (_whole, lambda a, b: np.copysign(np.floor(np.abs(a)), b)),
    "fold": (_fold, lambda a, b: _placed(0, np.array([_halves(a), _halves(b[8:])]))),
}

vectors = arrays(np.float32, 16, elements=st.floats(width=32))


@pytest.mark.parametrize("name", CASES)
@given(a=vectors, b=vectors)
@settings(deadline=None, max_examples=60)
def test_numpy_says_the_same(name: str, a: Array, b: Array) -> None:
    compiled, reference = CASES[name]
    out = np.zeros(16, np.float32)
    with np.errstate(all="ignore"):
        compiled(a, b, out)
        expected = reference(a, b)
    # the same bits, but for what a number that is none is made of
    known = ~np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(out), ~known)
    np.testing.assert_array_equal(out[known].view(np.uint32), expected[known].view(np.uint32))


def test_doubles() -> None:
    a, b, out = np.linspace(0, 1, 16), np.geomspace(1, 9, 16), np.zeros(16)
    _product_and_sum(a, b, out)
    np.testing.assert_array_equal(out, a + a * b)
    _fold(a, b, out)
    assert out[0] == _halves(a)
    with pytest.raises(TypingError):
        _add(a, a, np.zeros(16, np.float32))


@pytest.mark.parametrize(
    "wrong", [np.zeros(32, np.int32), np.zeros((2, 16), np.float32), np.zeros(32, np.float32)[::2]]
)
def test_other_arrays_are_refused(wrong: NDArray[Any]) -> None:
    with pytest.raises(TypingError):
        _add(wrong, wrong, wrong)
