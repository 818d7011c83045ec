"""A single symbol is coded without a kernel, to the same message."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from codecs_core.entropy import Bernoulli, Categorical, Distribution, Message, Uniform
from codecs_core.errors import EntropyError, ExhaustedMessageError

#: A distribution of one symbol, the same one of arrays, and its symbols that can be coded.
CASES = {
    "uniform": (Uniform(6), Uniform(6, 1), range(6)),
    "uniform of a power of two": (Uniform(16), Uniform(16, 1), range(16)),
    "uniform of many": (Uniform((1 << 28) - 5), Uniform((1 << 28) - 5, 1), [0, 7, 1 << 20, (1 << 28) - 6]),
    "one in a thousand": (Bernoulli(262), Bernoulli([262]), range(2)),
    "nearly always": (Bernoulli((1 << 28) - 1, precision=28), Bernoulli([(1 << 28) - 1], precision=28), range(2)),
    "table": (Categorical([3, 0, 9, 4, 0]), Categorical([3, 0, 9, 4, 0], shape=1), [0, 2, 3]),
    "table in an array": (Categorical(np.array([1, 7])), Categorical([[1, 7]]), range(2)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_same_message_as_the_kernel(name: str) -> None:
    single, array, symbols = CASES[name]
    one, many = Message(), Message()
    drawn = []
    for _ in range(3):  # from the seeds, and then from what lies there
        drawn.append(int(single.pop(one)))
        assert array.pop(many).tolist() == drawn[-1:]
    for symbol in [*symbols, *reversed(drawn)] * 20:
        single.push(one, symbol)
        array.push(many, [symbol])
        assert one.to_bytes() == many.to_bytes()
    for symbol in [*symbols, *reversed(drawn)][::-1] * 20:
        popped = single.pop(one)
        assert (popped.shape, popped.dtype) == ((), single.dtype)
        assert popped == symbol
        array.pop(many)
    assert one.to_bytes() == many.to_bytes()


@pytest.mark.parametrize("codec", [Uniform(6), Bernoulli(5), Categorical([1, 0, 3])])
def test_what_is_no_symbol_is_refused(codec: Distribution) -> None:
    message = Message()
    wrong: list[Any] = [-1, 6, 1 << 70, np.array(-1)]
    for symbol in [*wrong, 1] if isinstance(codec, Categorical) else wrong:
        with pytest.raises((EntropyError, OverflowError)):
            codec.push(message, symbol)
    for symbol in (0.5, np.array(1.0), "a", [0, 1]):
        with pytest.raises(EntropyError):
            codec.push(message, symbol)
    assert message.bits == 0


@pytest.mark.parametrize("symbol", [1, True, np.int8(1), np.array(1), np.array(True), np.uint64(1)])
def test_numbers_of_all_kinds(symbol: Any) -> None:
    for codec in (Uniform(6), Bernoulli(5), Categorical([1, 3])):
        message = Message()
        codec.push(message, symbol)
        assert codec.pop(message) == 1
        message.verify_end()


def test_a_short_message_ends() -> None:
    message = Message.from_bytes(b"\0\0\0\0\1")
    for codec in (Uniform(256, 4), Uniform(1 << 28)):
        with pytest.raises(ExhaustedMessageError, match="before symbol"):
            codec.pop(message)
    assert message.to_bytes() == b"\0\0\0\0\1"


def test_information_of_a_single_symbol() -> None:
    assert Uniform(8).bits(3) == 3
    assert Categorical([1, 3]).information(0).shape == ()
    assert Bernoulli(1, precision=4).bits(1) == 4
