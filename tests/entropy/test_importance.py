"""Bits-back with several particles: an exact inverse, whose rate is the importance-weighted bound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codecs_core.entropy import (
    BitsBack,
    BucketedGaussian,
    Categorical,
    DiscretizedLogistic,
    ImportanceWeighted,
    Message,
    Serial,
    StackCodec,
    Uniform,
)
from codecs_core.errors import CodecsError, EntropyError
from codecs_core.testing import check_stack_codec

#: p(x | z) of 4 latents and 8 symbols, in 1024ths, and a posterior that is only roughly right.
LIKELIHOOD = np.array(
    [
        [500, 300, 100, 50, 30, 20, 14, 10],
        [20, 60, 400, 400, 60, 40, 24, 20],
        [10, 14, 20, 30, 50, 100, 300, 500],
        [128] * 8,
    ]
)
ROUGH = [400, 200, 200, 224]


def small(n: int = 1) -> BitsBack[NDArray[Any], NDArray[Any]]:
    """A model of n independent symbols, small enough that all of it can be summed."""
    return BitsBack(
        Uniform(4, n),
        lambda z: Categorical(LIKELIHOOD, index=z),
        lambda x: Categorical([ROUGH], index=np.zeros(n, np.int64)),
    )


def gaussian(n: int) -> BitsBack[NDArray[Any], NDArray[Any]]:
    """Latents in buckets, as an autoencoder has them."""
    return BitsBack(
        Uniform(64, n),
        lambda z: DiscretizedLogistic(z * 60, 64, symbols=16, precision=20),
        lambda x: BucketedGaussian((x - 8) * 1000, np.full(n, -64), bucket_bits=6),
    )


@pytest.mark.parametrize("particles", [1, 2, 5, 64])
def test_is_a_stack_codec(particles: int) -> None:
    check_stack_codec(ImportanceWeighted(gaussian(6), particles), [np.arange(6) % 16, np.full(6, 15)], bits=64)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 7), min_size=1, max_size=12), st.integers(1, 40))
def test_pop_undoes_push(symbols: list[int], particles: int) -> None:
    codec = ImportanceWeighted(small(len(symbols)), particles)
    message = Message()
    codec.push(message, np.array(symbols))
    received = Message.from_bytes(message.to_bytes())
    assert codec.pop(received).tolist() == symbols
    received.verify_end()


def test_one_particle_is_bits_back() -> None:
    plain, weighted = Message(), Message()
    x = np.arange(8)
    for _ in range(20):
        small(8).push(plain, x)
        ImportanceWeighted(small(8), 1).push(weighted, x)
    assert weighted.to_bytes() == plain.to_bytes()


def test_of_a_model_that_has_latents_of_its_own() -> None:
    """The likelihood may be bits-back itself: its weight is then by the latents that a new message gives."""
    codec = BitsBack(Uniform(4, 3), lambda z: gaussian(3), lambda x: Uniform(4, 3))
    check_stack_codec(ImportanceWeighted(codec, 6), [np.array([1, 9, 15])], bits=64)


def test_in_a_serial() -> None:
    check_stack_codec(Serial(Uniform(9), ImportanceWeighted(small(2), 3)), [(4, np.array([7, 0]))], bits=64)


def rate(particles: int, repeats: int = 1500) -> tuple[float, float]:
    """Bits a symbol over the evidence, of symbols as the model has them, and the standard error."""
    p = LIKELIHOOD.sum(0) / LIKELIHOOD.sum()
    x = np.random.default_rng(1).choice(8, repeats, p=p)
    codec, message = ImportanceWeighted(small(), particles), Message()
    counted = np.array([codec.push_counted(message, np.array([k])) for k in x])
    assert message.bits == pytest.approx(counted.sum(), abs=1)
    over = counted + np.log2(p[x])
    return float(over.mean()), float(over.std() / repeats**0.5)


def expected(particles: int, draws: int = 200_000) -> float:
    """What the bound says of `rate`, by independent samples of the same posterior."""
    rng, p = np.random.default_rng(2), LIKELIHOOD.sum(0) / LIKELIHOOD.sum()
    x = rng.choice(8, draws, p=p)
    q = np.array(ROUGH) / sum(ROUGH)
    z = rng.choice(4, (draws, particles), p=q)
    weights = LIKELIHOOD[z, x[:, None]] / 1024 / 4 / q[z]
    return float(np.mean(np.log2(p[x]) - np.log2(weights.mean(1))))


def test_the_rate_is_that_of_the_bound_and_falls_to_the_evidence() -> None:
    bounds = {n: expected(n) for n in (1, 4, 16)}
    assert bounds[1] > 3 * bounds[4] > 9 * bounds[16] > 0
    for particles, bound in bounds.items():
        over, error = rate(particles)
        assert abs(over - bound) < 4 * error + 0.003


@pytest.mark.parametrize("particles", [0, -1, 4097, 2.0, True])
def test_refuses_other_numbers_of_particles(particles: Any) -> None:
    with pytest.raises(EntropyError, match="particles must be an integer from 1 to 4096"):
        ImportanceWeighted(small(), particles)


def test_damage_is_found() -> None:
    codec = ImportanceWeighted(gaussian(6), 4)
    message = Message()
    codec.push(message, np.arange(6))
    data = bytearray(message.to_bytes())
    data[0] ^= 1
    received = Message.from_bytes(bytes(data))
    with pytest.raises(CodecsError, match=r"seed words|ends before|cannot be coded"):
        popped_whole(codec, received)


def popped_whole(codec: StackCodec[Any], message: Message) -> None:
    """Pop a symbol and make sure that the message is at its end."""
    codec.pop(message)
    message.verify_end()
