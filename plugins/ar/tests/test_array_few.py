"""Arrays of one value with a few others among them: numbers of few bytes, and what a decoder refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codecs_ar.array.bounded import BoundedCodec
from codecs_ar.array.codec import ArrayCodec
from codecs_ar.array.coding import FEW
from codecs_ar.array.few import EXACT, MOST, WAYS
from codecs_ar.array.payload import Writer
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from codecs_core.arrays import DTYPES, ArraySpec
from codecs_core.errors import CorruptDataError


def payload(numbers: list[int], places: list[int], *, way: int = 0, width: int = 1, count: int | None = None) -> bytes:
    writer = Writer()
    writer.natural(FEW)
    writer.natural(WAYS * (len(places) if count is None else count) + way)
    for number in numbers:
        writer.integer(number)
    for place in places:
        writer.rest(place.to_bytes(width, "little"))
    return writer.to_bytes()


def check_round_trip(array: NDArray[Any]) -> bytes:
    found = ArrayCodec(effort="fast").encode(array)
    assert ArrayCodec().decode(found, ArraySpec.of(array)).tobytes() == array.tobytes()
    return found


def test_decimals_take_the_bytes_of_their_digits() -> None:
    array = np.zeros(1 << 16)
    array[12345], array[54321] = -13245.72, 289098.81
    assert len(check_round_trip(array)) == 1 + 1 + 1 + 4 + 4 + 2 * 2


def test_one_value_everywhere() -> None:
    assert check_round_trip(np.full((30, 4), 0.25)) == payload([25], [], way=3)


@st.composite
def nearly_constant(draw: st.DrawFn) -> NDArray[Any]:
    dtype = np.dtype(draw(st.sampled_from(sorted(DTYPES))))
    some = st.binary(min_size=dtype.itemsize, max_size=dtype.itemsize)
    if dtype.kind == "b":
        some = st.sampled_from([b"\0", b"\1"])
    elif dtype.kind == "f":
        largest = min(10**9, int(np.finfo(dtype).max) // 2)
        decimals = st.decimals(-largest, largest, places=3).map(
            lambda number: np.array(float(number)).astype(dtype).tobytes()
        )
        some |= decimals
    values = draw(st.lists(some, min_size=1, max_size=5))
    array = np.full(draw(st.integers(1, 700)), np.frombuffer(values[0], dtype)[0])
    for value in values[1:]:
        array[draw(st.integers(0, array.size - 1))] = np.frombuffer(value, dtype)[0]
    return array


@given(nearly_constant())
def test_any_values(array: NDArray[Any]) -> None:
    check_round_trip(array)


@pytest.mark.parametrize("special", [-0.0, np.nan, -np.inf, 5e-324, 1.7e308, 2.0**53 + 2])
def test_floats_that_are_no_decimals(special: float) -> None:
    array = np.ones(500)
    array[77] = special
    check_round_trip(array)


@pytest.mark.parametrize(
    ("data", "dtype", "why"),
    [
        (payload([0, 1, 2], [4, 4]), "int16", "ascending"),
        (payload([0, 1, 2], [5, 4]), "int16", "ascending"),
        (payload([0, 1], [200]), "int16", "ascending"),
        (payload([0], [], way=1), "int16", "cannot have"),
        (payload([0], [], count=MOST + 1), "int16", "cannot have"),
        (payload([40000], []), "int16", "stand for no value"),
        (payload([1 << 63], []), "int64", "numbers beyond"),
        (payload([-1 - (1 << 63)], []), "float64", "numbers beyond"),
        (payload([EXACT + 1], [], way=1), "float64", "numbers beyond"),
        (payload([2], []), "bool", "neither 0 nor 1"),
        (payload([0, 1], []), "int16", "follow the end"),
        (payload([0, 1], [], count=1), "int16", "the payload ends"),
    ],
)
def test_damage(data: bytes, dtype: str, why: str) -> None:
    for codec in [ArrayCodec()] if dtype == "bool" else [ArrayCodec(), BoundedCodec()]:
        with pytest.raises(CorruptDataError, match=why):
            codec.decode(data, ArraySpec((200,), dtype))


def test_more_others_than_values() -> None:
    with pytest.raises(CorruptDataError, match="cannot have"):
        ArrayCodec().decode(payload([0, 1, 2], [0, 1]), ArraySpec((2,), "int64"))
