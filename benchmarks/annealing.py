"""Annealed importance sampling in bits-back coding: ``python benchmarks/annealing.py MNIST.npz --steps 4 16 --particles 48 192 [--json]``.

The latents of a model of `bbans.vae` are on a fine grid here, and Hamiltonian steps (Duane et al. 1987) move them, exactly, by the
integer gradients of inference while coding. Whole messages, decoded again and compared, beside importance weighting.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bbans import binarised
from codecs_bbans.model import VAE
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.entropy import (
    Annealed,
    BitsBack,
    Chain,
    DiscretizedGaussian,
    ImportanceWeighted,
    Message,
    Metropolis,
    StackCodec,
    exp2,
)

Integers = NDArray[np.int64]
#: Latents from -4 to 4 in units of 2^-8, those that decoder networks take; symbol 1024 is 0.
SYMBOLS, ZERO = 2048, 1024
#: Momenta, in units of 2^-8 deviations: symbol 2047 is 0, and both ends are as far from it.
MOMENTA, REST = 4095, 2047
#: Leaps of a step, and their size in units of 2^-8 deviations; ln 2 in units of 2^-16.
LEAPS, SIZE, LN2 = 4, 128, 45426
#: Fresh bits for each latent and step, and what a batch of the chain has of the items before it: bits enough for both.
FRESH, PART = 11, 8
#: Times that a bound is drawn, for its mean.
BOUNDS = 4


class Model:
    """A model of `bbans.vae` with latents on a grid: arrays of symbols of shape (n, latents)."""

    def __init__(self, vae: VAE) -> None:
        self.vae = vae
        self.edges = int(vae.representatives[0]), int(vae.representatives[-1])

    def codec(self, n: int) -> BitsBack[NDArray[Any], NDArray[Any]]:
        """Codec of n items, as pixels of shape (n, pixels)."""
        prior = DiscretizedGaussian(ZERO << 8, 8 << 6, symbols=SYMBOLS, precision=28, shape=(n, self.vae.latents))
        return BitsBack(prior, self.likelihood, self.posterior)

    def likelihood(self, z: NDArray[Any]) -> Any:
        return self.vae.pixel_codec(self.vae.decoder(self.inputs(z)))

    def posterior(self, x: NDArray[np.uint8]) -> DiscretizedGaussian:
        mean, log_scale = np.split(self.vae.encoder(x), 2, axis=1)
        return DiscretizedGaussian((mean << 4) + (ZERO << 8), log_scale + (8 << 6), symbols=SYMBOLS, precision=28)

    def inputs(self, z: NDArray[Any]) -> NDArray[Any]:
        """Latents as the decoder network takes them."""
        return np.asarray((z - ZERO).clip(*self.edges))


class Hamiltonian:
    """The kernels of some items: M steps. Step n leaves q(z | x)^(1 - b) p(x, z)^b as it is, with b = n / (M + 1).

    Parameters
    ----------
    model
        The model.
    x
        Items, shape (n, pixels).
    steps
        M.
    """

    def __init__(self, model: Model, x: NDArray[np.uint8], steps: int) -> None:
        self.model, self.x, self.steps = model, x, steps
        self.codec, self.posterior = model.codec(len(x)), model.posterior(x)
        mean, log_scale = np.split(model.vae.encoder(x).astype(np.int64), 2, axis=1)
        self.mean, self.scale, self.inverse = mean >> 4, exp2(log_scale, 16), exp2(-log_scale, 16)
        self.momenta = DiscretizedGaussian(REST << 8, 8 << 6, symbols=MOMENTA, precision=28, shape=mean.shape)

    def kernels(self) -> list[Metropolis]:
        """Each step, in order."""
        return [self.kernel(n) for n in range(1, self.steps + 1)]

    def kernel(self, n: int) -> Metropolis:
        return Metropolis(
            lambda z: self.momenta, lambda z, v: self.leapfrog(z, v, n), lambda z, v: self.length(z, v, n)
        )

    def leapfrog(self, z: NDArray[Any], v: NDArray[Any], n: int) -> tuple[Integers, Integers]:
        """Some leaps, and back: of the new momentum the opposite. Numbers are on circles, so that every leap is a bijection."""
        z, p = z.astype(np.int64), v.astype(np.int64) - REST
        p = circle(p - self.kick(z, n))
        for leap in range(LEAPS):
            # the way is as long for -p as for p
            way = (np.abs(p) * self.scale * SIZE >> 24) * np.sign(p)
            z = (z + way) % SYMBOLS
            kick = self.kick(z, n)
            p = circle(p - (kick if leap == LEAPS - 1 else 2 * kick))
        return z, REST - p

    def kick(self, z: Integers, n: int) -> Integers:
        """Half of the change of the momentum in a leap: the gradient of -log f_n in nats, times deviations."""
        slope = self.model.vae.inference.slope(self.model.inputs(z), self.x) * LN2 >> 16
        joint = (z - ZERO + slope) * self.scale >> 16
        posterior = (z - ZERO - self.mean) * self.inverse >> 16
        return np.asarray((n * joint + (self.steps + 1 - n) * posterior) * SIZE // (self.steps + 1) >> 9)

    def length(self, z: NDArray[Any], v: NDArray[Any], n: int) -> Integers:
        """-log2 of f_n(z) and of the momentum, in units of 2^-16 bits, shape (n,)."""
        joint, posterior = self.lengths(z)
        return np.asarray(
            (n * joint + (self.steps + 1 - n) * posterior) // (self.steps + 1) + self.momenta.lengths(v).sum(1)
        )

    def lengths(self, z: NDArray[Any]) -> tuple[Integers, Integers]:
        """Those of p(x, z) and of q(z | x)."""
        likelihood, prior = self.codec.likelihood(z), self.model.codec(len(z)).prior
        joint = likelihood.lengths(self.x).sum(1) + prior.lengths(z).sum(1)  # type: ignore[attr-defined]
        return joint, self.posterior.lengths(z).sum(1)


def circle(p: Integers) -> Integers:
    """A momentum of `MOMENTA` that are on a circle, the one nearest to 0."""
    return (p + REST) % MOMENTA - REST


def annealed(model: Model, x: NDArray[np.uint8], steps: int) -> Chain:
    """Codec of items: with no steps, bits-back itself."""
    fresh = FRESH * model.vae.latents
    step = lambda n: Annealed(model.codec(n), lambda x: Hamiltonian(model, x, steps).kernels(), fresh * n)  # noqa: E731
    return Chain(step, len(x), 128, PART)


def bound(model: Model, x: NDArray[np.uint8], steps: int, seed: int) -> NDArray[np.float64]:
    """-log2 of p(x) as annealed importance sampling bounds it, of each item: all random numbers are others, and weights are floats."""
    hamiltonian, codec = Hamiltonian(model, x, steps), model.codec(len(x))
    z = hamiltonian.posterior.pop(Message.random(seed))
    bits = np.zeros(len(x))
    for n in range(steps + 1):
        z = hamiltonian.kernel(n)(Message.random(seed + n), z) if n else z
        parts = codec.likelihood(z).information(x), codec.prior.information(z), -hamiltonian.posterior.information(z)
        bits += sum(np.sum(part, 1) for part in parts) / (steps + 1)
    return bits


def coded(stack: StackCodec[Any], x: NDArray[np.uint8]) -> dict[str, Any]:
    """A whole message, decoded again and compared, in bits per value, and CPU time of an item."""
    message, start = Message(), time.process_time()
    stack.push(message, x)
    pushed, data = time.process_time(), message.to_bytes()
    received, begun = Message.from_bytes(data), time.process_time()
    found = stack.pop(received)
    popped = time.process_time()
    received.verify_end()
    return {
        "decoded_equal": bool(np.array_equal(found, x)),
        "bits_per_value": message.bits / x.size,
        "with_initial_bits": 8 * len(data) / x.size,
        "encode_ms": 1e3 * (pushed - start) / len(x),
        "decode_ms": 1e3 * (popped - begun) / len(x),
    }


def figures(model: Model, x: NDArray[np.uint8], steps: Sequence[int], particles: Sequence[int]) -> dict[str, Any]:
    """Everything that is measured of one model."""
    for stack in (annealed(model, x[:2], 1), Chain(lambda n: ImportanceWeighted(model.codec(n), 2), 2, 1)):
        coded(stack, x[:2])  # compiles
    chains, weighted = [], []
    for n in steps:
        found = {
            "bound": float(np.mean([bound(model, x, n, seed << 16) for seed in range(1, BOUNDS + 1)])) / x.shape[1]
        }
        # forward and backward passes for slopes, and two of the decoder alone for whether to move
        chains.append({"steps": n, "passes": n * (2 * (LEAPS + 1) + 2)} | coded(annealed(model, x, n), x) | found)
    for n in particles:
        stack = Chain(lambda size, n=n: ImportanceWeighted(model.codec(size), n), len(x), 1)  # type: ignore[misc]
        weighted.append({"particles": n, "passes": n} | coded(stack, x))
    return {"items": len(x), "annealed": chains, "weighted": weighted}


def main() -> int:
    """Measure and print; the exit status is 1 if a message did not decode to what was encoded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="images of MNIST, as `images` of a .npz file")
    parser.add_argument("--model", default="mnist-binary", help="name or path of a model of bbans.vae")
    parser.add_argument("--items", type=int, default=400, help="use the first N images")
    parser.add_argument("--steps", type=int, nargs="*", default=[0, 4, 16, 64], help="of annealed importance sampling")
    parser.add_argument("--particles", type=int, nargs="*", default=[48, 192, 768], help="of importance weighting")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    vae = cc.get_codec("bbans.vae", model=arguments.model)._vae
    images = np.load(arguments.data)["images"]
    images = (binarised(images) if vae.largest == 1 else images)[: arguments.items]
    found = figures(Model(vae), images.reshape(len(images), -1), arguments.steps, arguments.particles)
    rows = [*found["annealed"], *found["weighted"]]
    if arguments.json:
        print(json.dumps(found, indent=1))
    else:
        for row in rows:
            print(", ".join(f"{key} {value:.5g}" for key, value in row.items()))
    return int(not all(row["decoded_equal"] for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
