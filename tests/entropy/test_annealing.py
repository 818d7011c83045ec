"""Bits-back along a Markov chain: an exact inverse, whose rate is the bound of annealed importance sampling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codecs_core.entropy import (
    AdaptiveCategorical,
    Annealed,
    Bernoulli,
    BitsBack,
    BucketedGaussian,
    Categorical,
    Chain,
    DiscretizedLogistic,
    Distribution,
    Message,
    Metropolis,
    Serial,
    Uniform,
    quantise,
    reversible,
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
EVIDENCE = LIKELIHOOD.sum(0) / LIKELIHOOD.sum()
Kernels = Callable[[int, int], list[Any]]


def small(n: int) -> BitsBack[NDArray[Any], NDArray[Any]]:
    """A model of n independent items, small enough that all of it can be summed."""
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


def walk(model: BitsBack[Any, Any], x: NDArray[Any], steps: int, latents: int) -> list[Metropolis]:
    """Metropolis steps that propose any latent: v - z for a v that is popped."""
    posterior: Any = model.posterior(x)
    prior: Any = model.prior

    def length(z: NDArray[Any], n: int) -> NDArray[np.int64]:
        likelihood: Any = model.likelihood(z)
        joint = prior.lengths(z) + likelihood.lengths(x)
        return np.asarray((n * joint + (steps + 1 - n) * posterior.lengths(z)) // (steps + 1))

    proposals = Uniform(latents, x.size)
    return [
        Metropolis(lambda z: proposals, lambda z, v: ((v - z) % latents, v), lambda z, v, n=n: length(z, n))  # type: ignore[misc]
        for n in range(1, steps + 1)
    ]


def gibbs(x: NDArray[Any], steps: int) -> list[Any]:
    """Each item's latent again, from f_n itself."""
    logs = np.log2(LIKELIHOOD / 4096)[:, x].T, np.log2(np.array(ROUGH) / 1024)
    f = [np.exp2((n * logs[0] + (steps + 1 - n) * logs[1]) / (steps + 1)) for n in range(1, steps + 1)]
    return [reversible(lambda z, codec=Categorical(quantise(p, 16), precision=16): codec) for p in f]  # noqa: B008


def annealed(model: BitsBack[Any, Any], steps: int, latents: int, size: int) -> Annealed[Any, Any]:
    return Annealed(model, lambda x: walk(model, x, steps, latents), fresh=size * 30)


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_is_a_stack_codec(steps: int) -> None:
    check_stack_codec(annealed(gaussian(6), steps, 64, 6), [np.arange(6) % 16, np.full(6, 15)], bits=200)


def test_of_reversible_kernels_is_a_stack_codec() -> None:
    codec = Annealed(small(6), lambda x: gibbs(x, 4), fresh=100)
    check_stack_codec(codec, [np.arange(6), np.full(6, 7)], bits=100)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 7), min_size=1, max_size=12), st.integers(0, 9), st.integers(0, 100))
def test_pop_undoes_push(symbols: list[int], steps: int, fresh: int) -> None:
    """Also where there are too few fresh bits, or none."""
    model = small(len(symbols))
    codec = Annealed(model, lambda x: [*walk(model, x, steps, 4), *gibbs(x, steps)], fresh)
    message = Message()
    codec.push(message, np.array(symbols))
    received = Message.from_bytes(message.to_bytes())
    assert codec.pop(received).tolist() == symbols
    received.verify_end()


def test_no_kernels_are_bits_back() -> None:
    plain, without = Message(), Message()
    for _ in range(20):
        small(8).push(plain, np.arange(8))
        annealed(small(8), 0, 4, 8).push(without, np.arange(8))
    assert without.to_bytes() == plain.to_bytes()


def test_of_one_item_without_an_axis() -> None:
    prior, likelihood = Uniform(4), lambda z: Categorical(LIKELIHOOD[int(z)])
    model: BitsBack[Any, Any] = BitsBack(prior, likelihood, lambda x: Categorical(ROUGH))

    def kernels(x: NDArray[Any]) -> list[Metropolis]:
        length = lambda z, v: prior.lengths(z) + likelihood(z).lengths(x)  # noqa: E731
        return [Metropolis(lambda z: Uniform(4), lambda z, v: ((v - z) % 4, v), length)] * 3

    check_stack_codec(Annealed(model, kernels, fresh=32), [np.array(5), np.array(0)], bits=64)


def test_items_of_several_latents_move_or_stay_as_a_whole() -> None:
    prior, start = Uniform(4, (3, 5)), np.arange(15).reshape(3, 5) % 4
    better = np.array([False, True, False])
    length = lambda z, v: np.where((z == start).all(1) == better, 100 << 16, 0)  # noqa: E731
    kernel = Metropolis(lambda z: prior, lambda z, v: (v ^ z, v), length)
    message = Message.random(1)
    moved = kernel(message, start)
    assert ((moved == start).all(1) == ~better).all()
    assert (kernel(message, moved) == start).all()


def test_in_a_chain_and_a_serial() -> None:
    items = Chain(lambda n: annealed(small(n), 3, 4, n), 20, 8)
    check_stack_codec(Serial(Uniform(9), items), [(4, np.arange(20) % 8)], bits=400)


def expected(kernels: Kernels, steps: int) -> float:
    """Bits over the evidence that the bound says: all transitions, summed."""
    total = 0.0
    for x in range(8):
        gain = np.log2(np.array(ROUGH) / 1024) - np.log2(LIKELIHOOD[:, x] / 4096)
        now = np.array(ROUGH) / 1024
        cost = now @ gain
        for matrix in kernels(x, steps):
            now = now @ matrix
            cost += now @ gain
        total += EVIDENCE[x] * (cost / (steps + 1) + np.log2(EVIDENCE[x]))
    return float(total)


def f(x: int, n: int, steps: int) -> NDArray[np.float64]:
    """f_n of all latents, normalised."""
    weights = (LIKELIHOOD[:, x] / 4096) ** (n / (steps + 1)) * (np.array(ROUGH) / 1024) ** (1 - n / (steps + 1))
    return np.asarray(weights / weights.sum())


def gibbs_matrices(x: int, steps: int) -> list[NDArray[Any]]:
    return [np.tile(f(x, n, steps), (4, 1)) for n in range(1, steps + 1)]


def walk_matrices(x: int, steps: int) -> list[NDArray[Any]]:
    found = []
    for n in range(1, steps + 1):
        p = f(x, n, steps)
        moves = np.minimum(1, p[None] / p[:, None]) / 4
        np.fill_diagonal(moves, 0)
        found.append(moves + np.diag(1 - moves.sum(1)))
    return found


@pytest.mark.parametrize("chain", ["gibbs", "walk"])
def test_the_rate_is_that_of_the_bound_and_falls_to_the_evidence(chain: str) -> None:
    matrices = gibbs_matrices if chain == "gibbs" else walk_matrices
    bounds = {steps: expected(matrices, steps) for steps in (0, 4, 16)}
    assert bounds[0] > 2 * bounds[4] > 4 * bounds[16] > 0
    items = 20_000
    x = np.random.default_rng(1).choice(8, items, p=EVIDENCE)
    model = small(items)
    for steps, bound in bounds.items():
        kernels = (lambda x, n=steps: gibbs(x, n)) if chain == "gibbs" else (lambda x, n=steps: walk(model, x, n, 4))
        message = Message.random(3)
        Uniform(1 << 16, 1 << 16).push(message, np.random.default_rng(2).integers(0, 1 << 16, 1 << 16))
        counted = Annealed(model, kernels, fresh=26 * items).push_counted(message, x)
        # by how much the codes of these items differ from their share
        over = (counted + np.log2(EVIDENCE[x]).sum()) / items
        assert abs(over - bound) < 0.02


def test_without_fresh_bits_a_chain_goes_back() -> None:
    """What a Gibbs step pushed is what the next one pops: two of them are none."""
    x = np.arange(800) % 8
    message = Message.random(1)
    z = small(800).posterior(x).pop(message)
    kernel = gibbs(x, 1)[0]
    assert not np.array_equal(kernel(message, z), z)
    assert np.array_equal(kernel(message, kernel(message, z)), z)


@pytest.mark.parametrize("longer", [-(1 << 50), -1, 0, 1, 1 << 50])
def test_a_proposal_of_any_length_can_be_taken_back(longer: int) -> None:
    length = lambda z, v: z * np.int64(longer)  # noqa: E731
    kernel = Metropolis(lambda z: Uniform(2, 1), lambda z, v: (1 - z, v), length)
    message = Message()
    moved = kernel(message, np.array([0]))
    assert kernel(message, moved).tolist() == [0]
    message.verify_end()


@pytest.mark.parametrize(
    ("codec", "x"),
    [
        (Categorical(LIKELIHOOD, index=np.arange(4)), np.array([7, 0, 3, 5])),
        (Bernoulli([1, 100, (1 << 18) - 1]), np.array([1, 0, 1])),
        (Uniform(10), np.array(3)),
        (BucketedGaussian(np.zeros((2, 3), np.int64), -64), np.arange(6).reshape(2, 3)),
        (AdaptiveCategorical([0] * 6, symbols=4), np.array([1, 1, 1, 1, 3, 0])),
    ],
)
def test_lengths_are_the_information_in_integers(codec: Distribution, x: NDArray[Any]) -> None:
    lengths, bits = codec.lengths(x), codec.information(x)
    assert lengths.dtype == np.int64
    assert lengths.shape == bits.shape == codec.shape
    units = lengths - bits * (1 << 16)
    assert (units > -1e-6).all()
    assert (units <= 3).all()


def test_lengths_refuse_what_is_outside_the_support() -> None:
    with pytest.raises(EntropyError, match="outside the support"):
        Uniform(4, 2).lengths(np.array([1, 4]))


@pytest.mark.parametrize("fresh", [-1, 2.0, None])
def test_refuses_other_numbers_of_fresh_bits(fresh: Any) -> None:
    with pytest.raises(EntropyError, match="fresh must be an integer of at least 0"):
        Annealed(small(1), lambda x: [], fresh)


def test_refuses_lengths_that_are_no_integers() -> None:
    """Logarithms of the platform, say, which a decoder elsewhere would not have."""
    kernel = Metropolis(lambda z: Uniform(4, 3), lambda z, v: (v ^ z, v), lambda z, v: np.log2(1.0 + z))  # type: ignore[arg-type,return-value]
    with pytest.raises(EntropyError, match="a length is an array of integers, not of float64"):
        kernel(Message(), np.arange(3))


def test_damage_is_found() -> None:
    codec = annealed(gaussian(6), 2, 64, 6)
    message = Message()
    codec.push(message, np.arange(6))
    data = bytearray(message.to_bytes())
    data[0] ^= 1
    received = Message.from_bytes(bytes(data))
    with pytest.raises(CodecsError, match=r"seed words|ends before|cannot be coded"):  # noqa: PT012
        codec.pop(received)
        received.verify_end()
