"""Combinators are exact inverses."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codecs_core.entropy import (
    Autoregressive,
    Bernoulli,
    Bijection,
    Binned,
    Bits,
    BitsBack,
    Categorical,
    Chain,
    Conditional,
    DiscretizedGaussian,
    Escape,
    Message,
    Serial,
    StackCodec,
    Uniform,
)
from codecs_core.entropy.codec import total
from codecs_core.entropy.combinators import ramp
from codecs_core.errors import EntropyError


def toy_model(n: int) -> BitsBack[NDArray[Any], NDArray[Any]]:
    """z uniform over 16; x given z is a bit whose odds depend on z; a posterior that is only roughly right."""
    return BitsBack(
        Uniform(16, n),
        lambda z: Bernoulli((z + 1) << 12, precision=17),
        lambda x: Uniform(16, n),
    )


def check_inverse(codec: StackCodec[Any], x: Any) -> None:
    """`pop` returns what was pushed and leaves the message as it was, on a fresh message and on a long one."""
    for fill in (0, 300):
        message = Message()
        Uniform(1 << 16, fill).push(message, np.arange(fill) * 77 % 65536)
        untouched = message.copy()
        codec.push(message, x)
        received = Message.from_bytes(message.to_bytes())
        y = codec.pop(received)
        for a, b in zip(*((x, y) if isinstance(x, tuple) else ([x], [y])), strict=True):
            np.testing.assert_array_equal(a, b)
        if message.bits >= 0 and fill:
            assert received.to_bytes() == untouched.to_bytes()
        Uniform(1 << 16, fill).pop(received)
        received.verify_end()


@given(st.lists(st.integers(0, 1), max_size=70), st.integers(1, 20))
@settings(deadline=None)
def test_chain_of_bits_back(bits: list[int], batch: int) -> None:
    x = np.array(bits, np.uint8)
    check_inverse(Chain(toy_model, len(x), batch), x)


def test_a_chain_of_nothing_leaves_the_message_alone() -> None:
    # a codec that has something to say of no items too
    chain = Chain(lambda n: Escape(Bernoulli(1, precision=1, shape=(n, 2))), 0, 4)
    x = np.zeros((0, 2), np.int64)
    check_inverse(chain, x)
    assert chain.pop(Message(seeds=False)).shape == x.shape


@given(st.integers(0, 99), st.lists(st.integers(0, 5), min_size=3, max_size=3))
@settings(deadline=None)
def test_serial(a: int, b: list[int]) -> None:
    check_inverse(Serial(Uniform(100), Uniform(6, 3), toy_model(2)), (np.array(a), np.array(b), np.array([1, 0])))


def test_bijection() -> None:
    x = np.arange(10)
    check_inverse(Bijection(lambda x: (x * 3 + 1) % 16, lambda z: (z - 1) * 11 % 16, Uniform(16, 10)), x)


def test_serial_pops_the_first_element_first() -> None:
    message = Message()
    Serial(Uniform(8), Uniform(100)).push(message, (5, 42))
    assert Uniform(8).pop(message) == 5
    assert Uniform(100).pop(message) == 42


def test_bits_back_returns_the_bits_of_the_latent() -> None:
    # with the exact posterior, coding costs exactly the marginal likelihood
    codec = BitsBack(Uniform(16), lambda z: Uniform(4), lambda x: Uniform(16))
    assert codec.bits(3) == pytest.approx(2.0)


def test_a_chain_pays_for_one_posterior_only() -> None:
    x = np.random.default_rng(0).integers(0, 2, 4000).astype(np.uint8)
    message = Message()
    Chain(toy_model, len(x), 256).push(message, x)
    seeds = 8 * len(message) - message.bits
    assert seeds < 200
    whole = Message()
    toy_model(len(x)).push(whole, x)
    assert 8 * len(whole) - whole.bits > 10_000


@given(st.integers(0, 5000), st.integers(1, 300), st.integers(1, 40))
@settings(deadline=None)
def test_ramp(items: int, batch: int, part: int) -> None:
    sizes = ramp(items, batch, part)
    assert sum(sizes) == items
    assert all(0 < s <= batch for s in sizes)
    assert all(b <= max(1, sum(sizes[:i]) // part) for i, b in enumerate(sizes))
    assert ramp(items, batch) == ramp(items, batch, 4)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, (1 << 20) - 1)), max_size=20))
@settings(deadline=None)
def test_conditional(pairs: list[tuple[int, int]]) -> None:
    widths = np.array([width for width, _ in pairs], np.int64)
    values = np.array([value >> (20 - width) for width, value in pairs], np.int64)
    codec = Conditional(Uniform(21, len(pairs)), Bits)
    check_inverse(codec, (widths, values))
    first, second = codec.information((widths, values))
    assert np.asarray(second).tolist() == widths.tolist()
    assert codec.bits((widths, values)) == pytest.approx(total(first) + widths.sum())


def test_conditional_pops_the_first_element_first() -> None:
    message = Message()
    Conditional(Uniform(8), lambda a: Uniform(int(a) + 1)).push(message, (np.array(5), np.array(3)))
    assert Uniform(8).pop(message) == 5
    assert Uniform(6).pop(message) == 3


COUNTS = np.array([[200, 40, 16], [40, 200, 16], [8, 8, 240]])


def markov(length: int) -> Generator[StackCodec[NDArray[Any]], NDArray[Any], None]:
    """A chain of three states."""
    last = 0
    for _ in range(length):
        last = int((yield Categorical(COUNTS[last])))


@given(st.lists(st.integers(0, 2), max_size=20))
@settings(deadline=None)
def test_autoregressive(states: list[int]) -> None:
    codec = Autoregressive(lambda: markov(len(states)))
    x = tuple(np.array(state) for state in states)
    check_inverse(codec, x)
    expected = [-np.log2(COUNTS[a, b] / 256) for a, b in zip([0, *states], states, strict=False)]
    assert [float(np.asarray(bits)) for bits in codec.information(x)] == pytest.approx(expected)


def test_autoregressive_pops_the_first_symbol_first() -> None:
    message = Message()
    Autoregressive(lambda: markov(3)).push(message, [np.array(state) for state in (2, 1, 0)])
    assert Categorical(COUNTS[0]).pop(message) == 2
    assert Categorical(COUNTS[2]).pop(message) == 1


@pytest.mark.parametrize("length", [0, 2, 4])
def test_autoregressive_takes_as_many_symbols_as_the_model_says(length: int) -> None:
    message = Message()
    with pytest.raises(EntropyError, match=f"{length} symbols"):
        Autoregressive(lambda: markov(3)).push(message, [np.array(1)] * length)
    assert message.bits == 0


def test_serial_takes_one_symbol_for_each_codec() -> None:
    with pytest.raises(EntropyError, match="1 symbols for 2 codecs"):
        Serial(Uniform(2), Uniform(3)).push(Message(), (np.array(1),))  # type: ignore[arg-type]


@given(st.lists(st.integers(-(1 << 40), 1 << 40), max_size=20), st.integers(0, 40))
@settings(deadline=None)
def test_binned(values: list[int], low_bits: int) -> None:
    x = np.array(values, np.int64)
    coarse = Escape(DiscretizedGaussian(np.full(x.shape, 100 << 8), 256, symbols=200))
    codec = Binned(coarse, low_bits)
    check_inverse(codec, x)
    assert codec.information(x) == pytest.approx(coarse.information(x >> low_bits) + low_bits)


def test_binned_takes_low_bits_that_differ() -> None:
    x = np.array([[5, 700], [9, 80_000]])
    check_inverse(Binned(Uniform(100, (2, 2)), [[0, 3], [2, 10]]), x)


def test_information_has_the_form_of_the_symbol() -> None:
    codec = Bijection(
        lambda x: (x, (x + 1, x + 2)), lambda z: z[0], Serial(Uniform(8, 3), Serial(Uniform(16), Uniform(32)))
    )
    first, (second, third) = codec.information(np.array(1))  # type: ignore[misc]
    assert (np.asarray(first).tolist(), float(second), float(third)) == ([3, 3, 3], 4, 5)  # type: ignore[arg-type]
    assert codec.bits(np.array(1)) == 18


def test_the_information_of_a_chain_is_what_it_adds_to_a_message() -> None:
    x = np.random.default_rng(0).integers(0, 2, 300).astype(np.uint8)
    chain, message = Chain(toy_model, len(x), 16), Message()
    chain.push(message, x)
    assert message.bits == pytest.approx(chain.bits(x), abs=1)
    plain = Chain(lambda n: Uniform(100, n), 100, 7)
    assert plain.bits(np.arange(100)) == pytest.approx(100 * np.log2(100), rel=1e-6)
