"""Distributions that learn: encoder and decoder see the same states, and a message is as long as the states say."""

from __future__ import annotations

import pickle
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codecs_core.entropy import AdaptiveCategorical, Message, StackCodec, Uniform, distribution
from codecs_core.entropy.rans import WIDE
from codecs_core.errors import EntropyError, ExhaustedMessageError


def check_round_trip(codec: StackCodec[Any], x: NDArray[Any]) -> Message:
    """`pop` gives what was pushed and leaves the message as it was. Returns the message."""
    for words in (0, 50):
        message = Message()
        below = np.arange(words) * 7919 % 65536
        Uniform(65536, words).push(message, below)
        before = message.bits
        codec.push(message, x)
        assert message.bits - before == pytest.approx(codec.bits(x), rel=1e-4, abs=1)
        received = Message.from_bytes(message.to_bytes())
        y = codec.pop(received)
        assert y.shape == x.shape
        np.testing.assert_array_equal(y, x)
        np.testing.assert_array_equal(Uniform(65536, words).pop(received), below)
        received.verify_end()
    return message


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), max_size=80),
    st.integers(1, 300),
    st.integers(2, 300),
    st.sampled_from([3, 12, 16, 28]),
)
@settings(deadline=None)
def test_round_trip(pairs: list[tuple[int, int]], prior: int, memory: int, precision: int) -> None:
    contexts, x = np.array(pairs, np.int64).reshape(-1, 2).T
    check_round_trip(
        AdaptiveCategorical(contexts, symbols=6, prior=prior, memory=memory, precision=precision, tables=3), x
    )


@pytest.mark.parametrize("symbols", [1, 2, 255, 256, 257, 4096])
def test_alphabets(symbols: int) -> None:
    x = np.arange(3 * symbols + 5).reshape(-1, 1) * 7 % symbols
    check_round_trip(AdaptiveCategorical(0, symbols=symbols, shape=x.shape), x)


def test_it_learns_each_context_by_itself() -> None:
    rng = np.random.default_rng(0)
    contexts = rng.integers(0, 2, 20_000)
    x = np.where(contexts, 255 - rng.geometric(0.5, contexts.size).clip(max=100), rng.geometric(0.5, contexts.size))
    codec = AdaptiveCategorical(contexts, symbols=256)
    bits = codec.information(x)
    assert bits[:100].mean() > 3
    assert bits[10_000:].mean() == pytest.approx(2, abs=0.1)
    check_round_trip(codec, x)
    assert AdaptiveCategorical(0, symbols=256, shape=x.shape).bits(x) > codec.bits(x) + 0.9 * x.size


def test_up_to_its_memory_it_counts() -> None:
    x = np.array([0, 0, 2, 0, 1, 0, 0, 2])
    counts, expected = np.full(3, 4 / 3), []
    for symbol in x:
        expected.append(np.log2(counts.sum() / counts[symbol]))
        counts[symbol] += 1
    found = AdaptiveCategorical(0, symbols=3, prior=4, shape=x.shape, precision=28).information(x)
    assert found == pytest.approx(expected, abs=1e-3)


def test_each_call_begins_anew() -> None:
    codec, x = AdaptiveCategorical(0, symbols=4, shape=50), np.zeros(50, np.int64)
    first, second = Message(), Message()
    codec.push(first, x)
    codec.push(second, x)
    assert first.to_bytes() == second.to_bytes()
    twin = pickle.loads(pickle.dumps(codec))
    np.testing.assert_array_equal(twin.pop(first), x)


def test_large_arrays_open_no_lanes() -> None:
    # opening fifteen heads would cost a message of so few bits a hundred bytes
    x = np.zeros(4 * WIDE, np.int64)
    message = check_round_trip(AdaptiveCategorical(0, symbols=2, memory=1 << 15, shape=x.shape), x)
    alone = Message()
    AdaptiveCategorical(0, symbols=2, memory=1 << 15, shape=x.shape).push(alone, x)
    assert len(alone) < 20
    assert len(message) < 120


def test_a_short_message_ends() -> None:
    message = Message()
    Uniform(256, 4).push(message, [1, 2, 3, 4])
    received = Message.from_bytes(message.to_bytes())
    before = received.to_bytes()
    with pytest.raises(ExhaustedMessageError, match="before symbol"):
        AdaptiveCategorical(0, symbols=256, shape=100).pop(received)
    assert received.to_bytes() == before


@pytest.mark.parametrize("symbol", [-1, 6, 1 << 40])
def test_symbols_outside_the_support_are_refused(symbol: int) -> None:
    message = Message()
    with pytest.raises(EntropyError, match="symbol 2 of an array"):
        AdaptiveCategorical(0, symbols=6, shape=4).push(message, [0, 1, symbol, 2])
    assert message.bits == 0


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"symbols": 0}, "symbols must be an integer from 1 to 4096, got 0"),
        ({"symbols": 5000}, "symbols"),
        ({"prior": 0}, "prior must be an integer from 1 to 32768, got 0"),
        ({"memory": 1}, "memory"),
        ({"memory": 2.0}, "memory"),
        ({"tables": 1}, "contexts"),
        ({"precision": 2}, "precision"),
    ],
)
def test_parameters_out_of_range(wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(EntropyError, match=text):
        AdaptiveCategorical([0, 1], **({"symbols": 6} | wrong))


@numba.njit
def markov_cdf(k: int, state: NDArray[np.int64]) -> int:
    """Counts of pairs of bits; the last bit is in state[4]."""
    if k == 0:
        return 0
    if k == 2:
        return 1 << 16
    zeros, ones = state[2 * state[4]], state[2 * state[4] + 1]
    return ((zeros << 16) - (zeros << 1)) // (zeros + ones) + 1


@numba.njit
def markov_update(k: int, state: NDArray[np.int64]) -> None:
    state[2 * state[4] + k] += 1
    state[4] = k


def test_a_state_can_depend_on_the_symbols_themselves() -> None:
    Markov = distribution(markov_cdf, symbols=2, precision=16, update=markov_update)
    flips = np.random.default_rng(1).random(5000) < 0.1
    x = np.cumsum(flips) % 2
    start = np.array([1, 1, 1, 1, 0])
    codec = Markov(state=start, shape=x.shape)
    check_round_trip(codec, x)
    assert start.tolist() == [1, 1, 1, 1, 0]
    assert codec.bits(x) / x.size == pytest.approx(0.469, abs=0.03)
    assert AdaptiveCategorical(0, symbols=2, shape=x.shape).bits(x) / x.size > 0.9


@numba.njit
def shifted_cdf(k: int, state: NDArray[np.int64], shift: int) -> int:
    return (k << 4) - (((k > 0) & (k < 16)) * ((state[0] + shift) & 1))


@numba.njit
def shifted_update(k: int, state: NDArray[np.int64], shift: int) -> None:
    state[0] += shift


def test_update_and_cdf_take_the_same_parameters() -> None:
    with pytest.raises(EntropyError, match="update must take the parameters of cdf, , got shift"):
        distribution(markov_cdf, symbols=2, precision=16, update=shifted_update)
    with pytest.raises(EntropyError, match="update must be a function that Numba can compile, got 3"):
        distribution(markov_cdf, symbols=2, precision=16, update=3)
    Shifted = distribution(shifted_cdf, symbols=16, precision=8, update=shifted_update)
    x = np.arange(12) % 16
    check_round_trip(Shifted(np.arange(12), state=np.zeros(1, np.int64)), x)
