"""The message: bytes, seeds, ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecs_core.entropy import Message, Uniform
from codecs_core.entropy.message import seed_words
from codecs_core.errors import CorruptDataError, EntropyError, ExhaustedMessageError


def splitmix(i: int) -> int:
    """Seed word `i` in plain Python."""
    mask = (1 << 64) - 1
    z = (i + 1) * 0x9E3779B97F4A7C15 & mask
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & mask
    z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
    return (z ^ z >> 31) >> 32


def test_seed_words_are_splitmix64() -> None:
    assert seed_words(0, 50).tolist() == [splitmix(i) for i in range(50)]
    assert seed_words(7, 9).tolist() == [splitmix(7), splitmix(8)]


def test_message_is_one_number_in_plain_python() -> None:
    # a stack of uniform symbols is a number in mixed radix above the first head
    n = 1 << 32 | splitmix(0)
    message = Message()
    for radix, x in ((256, 7), (16, 3), (1 << 16, 12345)):
        Uniform(radix).push(message, x)
        n = n * radix + x
    assert int.from_bytes(message.to_bytes(), "little") == n
    assert len(message) == len(message.to_bytes()) == -(-n.bit_length() // 8)


def test_empty_message_is_five_bytes() -> None:
    assert len(Message().to_bytes()) == 5
    assert Message().bits == 0
    Message().verify_end()
    Message.from_bytes(Message().to_bytes()).verify_end()


@given(st.binary(max_size=200))
def test_bytes_are_a_message_or_an_error(data: bytes) -> None:
    try:
        message = Message.from_bytes(data)
    except CorruptDataError:
        assert len(data) < 5 or data[-1] == 0
    else:
        assert message.to_bytes() == data


@given(st.integers(0, 400), st.integers(1, 28))
@settings(deadline=None)
def test_bits_drawn_from_the_seeds_return(size: int, bits: int) -> None:
    uniform = Uniform(1 << bits, size)
    message = Message()
    drawn = uniform.pop(message)
    assert message.bits <= 0
    assert math.isclose(message.bits, -bits * size, abs_tol=1 + 0.1 * size)
    uniform.push(message, drawn)
    message.verify_end()
    assert message.bits == 0


def test_copies_are_independent() -> None:
    message = Message()
    Uniform(256, 100).push(message, np.arange(100))
    twin = message.copy()
    Uniform(256, 50).pop(twin)
    assert Uniform(256, 100).pop(message).tolist() == list(range(100))


def test_decoder_never_draws_seeds() -> None:
    message = Message()
    Uniform(256, 10).push(message, np.arange(10))
    received = Message.from_bytes(message.to_bytes())
    with pytest.raises(ExhaustedMessageError, match="ends before symbol"):
        Uniform(256, 12).pop(received)
    # a failed pop leaves the message as it was
    assert Uniform(256, 10).pop(received).tolist() == list(range(10))


@pytest.mark.parametrize("size", [3, 20_000])
def test_message_without_seeds_is_exhausted_at_once(size: int) -> None:
    with pytest.raises(ExhaustedMessageError):
        Uniform(1 << 16, size).pop(Message(seeds=False))


def test_damage_is_found_at_the_end() -> None:
    message = Message()
    Uniform(256, 10).push(message, np.arange(10))
    damaged = bytearray(message.to_bytes())
    damaged[-2] ^= 1
    received = Message.from_bytes(bytes(damaged))
    Uniform(256, 10).pop(received)
    with pytest.raises(CorruptDataError, match="seed words"):
        received.verify_end()


def test_zero_probability_cannot_be_pushed() -> None:
    message = Message()
    before = message.to_bytes()
    for size in (5, 30_000):
        symbols = np.zeros(size, int)
        symbols[size // 2] = 9
        with pytest.raises(EntropyError, match=f"symbol {size // 2}"):
            Uniform(9, size).push(message, symbols)
    assert message.to_bytes() == before


def test_random_messages_are_endless_and_differ():
    popped = [Uniform(1 << 16, 5000).pop(Message.random(seed)) for seed in (0, 1, 2, 1)]
    assert np.array_equal(popped[0], Uniform(1 << 16, 5000).pop(Message()))
    assert np.array_equal(popped[1], popped[3])
    assert not np.array_equal(popped[1], popped[2])
    copied = Message.random(3).copy()
    assert np.array_equal(Uniform(1 << 16, 5000).pop(copied), Uniform(1 << 16, 5000).pop(Message.random(3)))
    assert abs(np.concatenate(popped[:3]).mean() - 32767.5) < 500
