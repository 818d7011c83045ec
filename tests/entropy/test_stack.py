"""Combinators are exact inverses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecs_core.entropy import Bernoulli, Bijection, BitsBack, Chain, Escape, Message, Serial, StackCodec, Uniform
from codecs_core.entropy.stack import ramp


def toy_model(n: int) -> StackCodec:
    """z uniform over 16; x given z is a bit whose odds depend on z; a posterior that is only roughly right."""
    return BitsBack(
        Uniform(16, n),
        lambda z: Bernoulli((z + 1) << 12, precision=17),
        lambda x: Uniform(16, n),
    )


def check_inverse(codec: StackCodec, x: Any) -> None:
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
