"""Blocks and lattices of relative entropy coding: ``python benchmarks/rec_blocks.py [blocks | lattice | divergences ...] [--samples N]``.

``blocks``: partitioned Gaussian blocks of 32 and 48 bits, their length on a message over D_KL, and the law of their samples.
``lattice``: dithering with E8 beside scaled dithering in one dimension. ``divergences``: D_KL, D_CS and the entropy of indices.
Lengths are those of indices that the table of octaves was not calibrated on.
"""

from __future__ import annotations

import argparse
import math
import time

import numpy as np
from codecs_rec.divergences import channel_simulation, kullback_leibler
from codecs_rec.families import Gaussian, Laplace
from codecs_rec.index import calibrate
from codecs_rec.samplers import (
    OFFSET,
    GreedyPoisson,
    GreedyRejection,
    LatticeDithered,
    Partitioned,
    Rejection,
    ScaledDithered,
    cuts_for,
)
from scipy import stats

from codecs_core.entropy import Message

#: Dimensions, bits that each tells, and bits left to be searched for.
SHAPES = ((8, 4.0, 4.0), (8, 4.0, 0.0), (11, 3.0, 3.0), (11, 3.0, 0.0), (16, 2.0, 0.0))


def blocks(samples: int) -> None:
    """Each shape with 2^15 candidates at the most, and with as many as an exact law takes."""
    for d, bits, left in SHAPES:
        scale, n = 2.0**-bits, max(60, samples // d)
        m = np.random.default_rng(0).normal(0, math.sqrt(1 - scale * scale), (2 * n, d))
        told = ((m * m + scale * scale - 1) / 2 - math.log(scale)).sum(1)[n:].mean() / math.log(2)
        for most in (15, 20):
            sampler, proposal = Partitioned(cuts_for(np.full(d, bits), left), 1 << most), Gaussian(np.zeros(d))
            start = time.process_time()
            index = sampler.encode(Gaussian(m, scale), proposal, 1)
            seconds = (time.process_time() - start) / len(m)
            z = (sampler.decode(index, proposal, 1) - m) / scale
            numbers = (index - 1) % sampler.candidates + 1
            code, message = sampler.code(calibrate(numbers[:n], 21, smooth=True), (n,)), Message()
            code.push(message, index[n:])
            length = message.bits / n
            if not np.array_equal(code.pop(message), index[n:]):
                raise SystemExit("a block does not come back")
            normal = stats.kstest(z.reshape(-1), "norm").pvalue
            radius = stats.kstest(np.square(z).sum(1), stats.chi2(d).cdf).pvalue
            print(
                f"{d} axes of {bits:g} bits, {sampler.bits} digits, at most 2^{most} candidates: D_KL {told:.2f}, length {length:.2f} "
                f"({length / told - 1:+.1%}); {z.size} coordinates: variance {np.square(z).mean():.3f}, Kolmogorov-Smirnov "
                f"p = {normal:.3f} (axes), {radius:.3f} (lengths); {seconds * 1e3:.1f} ms a block",
                flush=True,
            )


def lattice(samples: int) -> None:
    """Bits a dimension over the information of a Gaussian channel."""
    for bits in (1.0, 2.0, 3.0, 4.0, 6.0, 8.0):
        scale, n = 1.0, samples // 8
        spread = math.sqrt(4**bits - 1)
        y, prior = np.random.default_rng(1).normal(0, spread, (n, 8)), Gaussian(np.zeros(8), spread)
        eight, one = LatticeDithered(scale), ScaledDithered(scale)
        lengths = []
        for sampler, code, shift in (
            (eight, eight.code((n,), prior, 3), 0),
            (one, one.code(y.shape, prior, 3), OFFSET),
        ):
            index, message = sampler.encode(Gaussian(y, scale), prior, 3) + shift, Message()
            code.push(message, index)
            lengths.append(message.bits / y.size - bits)
            if not np.array_equal(code.pop(message), index):
                raise SystemExit("a block does not come back")
        z = eight.decode(eight.encode(Gaussian(y, scale), prior, 3), prior, 3) - y
        diagonal, length = z.sum(1) / math.sqrt(8), np.square(z).sum(1)
        p = (
            stats.kstest(z[:, 0], "norm").pvalue,
            stats.kstest(diagonal, "norm").pvalue,
            stats.kstest(length, stats.chi2(8).cdf).pvalue,
        )
        print(
            f"{bits:g} bits: E8 {lengths[0]:+.3f} bits a dimension, scaled dither {lengths[1]:+.3f}; {z.size} coordinates, "
            f"Kolmogorov-Smirnov p = {p[0]:.3f} (axis), {p[1]:.3f} (diagonal), {p[2]:.3f} (lengths)",
            flush=True,
        )


def divergences(samples: int) -> None:
    """D_KL <= D_CS <= H <= D_CS + log2(1 + e), H of the greedy samplers; and the plain one beside them."""
    targets = [
        Gaussian(1.0, 0.25),
        Gaussian(0.0, 0.1),
        Gaussian(2.0, 0.5),
        Laplace(0.0, 0.3),
        Laplace(0.0, 0.05),
        Laplace(1.0, 0.2),
    ]
    for target in targets:
        family = type(target)
        many, found = family(np.broadcast_to(target.location, samples), target.scale), []
        for sampler in (GreedyPoisson(), GreedyRejection(), Rejection()):
            counts = np.unique(sampler.encode(many, family(), 13), return_counts=True)[1]
            plain = -(counts / samples * np.log2(counts / samples)).sum()
            found.append(plain + (counts.size - 1) / (2 * samples * math.log(2)))
        kl, cs = float(kullback_leibler(target, family())), float(channel_simulation(target, family()))
        print(
            f"{family.__name__}({float(target.location):g}, {float(target.scale):g}): D_KL {kl:.3f}, D_CS {cs:.3f}, "
            f"H of GreedyPoisson "
            f"{found[0]:.3f}, of GreedyRejection {found[1]:.3f}, D_CS + log2(1 + e) {cs + math.log2(1 + math.e):.3f}; "
            f"of Rejection {found[2]:.3f}"
        )


def main() -> None:
    """Run the parts."""
    parts = {"blocks": blocks, "lattice": lattice, "divergences": divergences}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help="by default all")
    parser.add_argument("--samples", type=int, default=100_000, help="coordinates of each case")
    arguments = parser.parse_args()
    if unknown := {*arguments.parts} - parts.keys():
        parser.error(f"there is no part {unknown.pop()!r}; there are {', '.join(parts)}")
    for name, part in parts.items():
        if not arguments.parts or name in arguments.parts:
            part(arguments.samples)


if __name__ == "__main__":
    main()
