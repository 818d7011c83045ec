"""What a message starts from comes back once all else is popped."""

from __future__ import annotations

import numpy as np
import pytest
from codecs_rec.bottom import LEAST, arithmetic_decode, arithmetic_encode, finish, pack, start, unpack
from hypothesis import given, settings
from hypothesis import strategies as st

from codecs_core.entropy import Uniform
from codecs_core.errors import CorruptDataError


@given(value=st.integers(0, 2**300), seed=st.integers(0, 99), spare=st.integers(0, 40))
@settings(deadline=None)
def test_start_and_finish(value: int, seed: int, spare: int) -> None:
    bits = value.bit_length() + spare
    message = start(value, bits)
    x = np.random.default_rng(seed).integers(0, 1000, 50)
    Uniform(1000, 50).push(message, x)
    again = type(message).from_bytes(message.to_bytes())
    np.testing.assert_array_equal(Uniform(1000, 50).pop(again), x)
    assert finish(again) == (value, max(bits, LEAST))


@given(pairs=st.lists(st.integers(0, 20).flatmap(lambda w: st.tuples(st.integers(0, (1 << w) - 1), st.just(w)))))
def test_pack(pairs: list[tuple[int, int]]) -> None:
    values, widths = (
        (np.array(column, np.int64) for column in zip(*pairs, strict=True)) if pairs else (np.zeros(0, np.int64),) * 2
    )
    number, bits = pack(values, widths)
    assert bits == widths.sum()
    np.testing.assert_array_equal(unpack(number, max(bits, LEAST), widths), values)
    for wrong in ((number, bits + 40), (number + (1 << bits), max(bits, LEAST))):
        with pytest.raises(CorruptDataError):
            unpack(*wrong, widths)


@given(seed=st.integers(0, 2**32), n=st.integers(0, 300), precision=st.integers(1, 28), sure=st.booleans())
@settings(deadline=None)
def test_arithmetic_code(seed: int, n: int, precision: int, sure: bool) -> None:
    rng = np.random.default_rng(seed)
    ones = rng.integers(1, 1 << precision, n)
    bits = (ones > 1 << (precision - 1) if sure else rng.random(n) < ones / 2**precision).astype(np.uint8)
    value, size = arithmetic_encode(bits, ones, precision)
    np.testing.assert_array_equal(arithmetic_decode(value, size, ones, precision), bits)
    information = precision * n - np.log2(np.where(bits, ones, (1 << precision) - ones)).sum()
    assert size <= max(LEAST, information + 2)
    assert value < 1 << size


def test_other_numbers_are_no_arithmetic_codes() -> None:
    ones = np.full(60, 1 << 15)
    value, size = arithmetic_encode(np.arange(60) % 2, ones, 16)  # type: ignore[arg-type]
    for wrong in ((value, size + 1), (value * 2, size + 1), ((value << 8) + 3, size + 8)):
        with pytest.raises(CorruptDataError):
            arithmetic_decode(*wrong, ones, 16)
