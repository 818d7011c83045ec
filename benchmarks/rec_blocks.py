"""Blocks and lattices of relative entropy coding: ``python benchmarks/rec_blocks.py [PART ...] [--samples N] [--json FILE]``.

``blocks``: partitioned Gaussian blocks of 32 and 48 bits, their length on a message over D_KL, and the law of their samples.
``lattice``: dithering with E8 and with the Leech lattice beside scaled dithering in one dimension.
``divergences``: D_KL, D_CS and the entropy of indices.
Lengths are those of indices that the table of octaves was not calibrated on.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from codecs_rec.divergences import channel_simulation, kullback_leibler
from codecs_rec.families import Gaussian, Laplace
from codecs_rec.index import calibrate
from codecs_rec.samplers import (
    OFFSET,
    GreedyPoisson,
    GreedyRejection,
    LatticeDithered,
    LeechDithered,
    Partitioned,
    Rejection,
    ScaledDithered,
    cuts_for,
)
from scipy import stats

from codecs_core.entropy import Message

Row = dict[str, Any]
#: Dimensions, bits that each tells, and bits left to be searched for.
SHAPES = ((8, 4.0, 4.0), (8, 4.0, 0.0), (11, 3.0, 3.0), (11, 3.0, 0.0), (16, 2.0, 0.0))


def blocks(samples: int) -> Iterator[Row]:
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
            yield {
                "axes": d,
                "bits": bits,
                "digits": sampler.bits,
                "most": most,
                "kl": told,
                "length": length,
                "coordinates": z.size,
                "variance": float(np.square(z).mean()),
                "p, axes": float(stats.kstest(z.reshape(-1), "norm").pvalue),
                "p, lengths": float(stats.kstest(np.square(z).sum(1), stats.chi2(d).cdf).pvalue),
                "ms a block": seconds * 1e3,
            }


def lattice(samples: int) -> Iterator[Row]:
    """Bits a dimension over the information of a Gaussian channel, dimensions a second of a processor, and the law of the noise."""
    n = samples // 24 * 24
    for bits in (1.0, 2.0, 3.0, 4.0, 6.0, 8.0):
        spread = math.sqrt(4**bits - 1)
        row: Row = {"bits": bits, "coordinates": n}
        y = np.random.default_rng(1).normal(0, spread, n)
        ways = (("E8", LatticeDithered(1.0), 8), ("Leech", LeechDithered(1.0), 24), ("scaled", ScaledDithered(1.0), 1))
        for name, sampler, size in ways:
            shape = (n,) if size == 1 else (n // size, size)
            target, prior = Gaussian(y.reshape(shape), 1.0), Gaussian(np.zeros(size), spread)
            sampler.decode(sampler.encode(Gaussian(np.zeros(size), 1.0), prior, 3), prior, 3)  # compiles
            start = time.process_time()
            index = sampler.encode(target, prior, 3)
            middle = time.process_time()
            z = sampler.decode(index, prior, 3) - target.location
            end = time.process_time()
            code, message = sampler.code(shape[:1], prior, 3), Message()
            sent = index + OFFSET if size == 1 else index
            code.push(message, sent)
            row[name] = message.bits / n - bits
            if not np.array_equal(code.pop(message), sent):
                raise SystemExit("a block does not come back")
            row |= {f"{name}, encoded a second": n / (middle - start), f"{name}, decoded a second": n / (end - middle)}
            if size > 1:
                diagonal, length = z.sum(1) / math.sqrt(size), np.square(z).sum(1)
                cells = np.bincount((stats.chi2(size).cdf(length) * 40).astype(int), minlength=40)
                row |= {
                    f"{name}, p, axis": float(stats.kstest(z[:, 0], "norm").pvalue),
                    f"{name}, p, diagonal": float(stats.kstest(diagonal, "norm").pvalue),
                    f"{name}, p, all": float(stats.kstest(z.reshape(-1), "norm").pvalue),
                    f"{name}, p, lengths": float(stats.kstest(length, stats.chi2(size).cdf).pvalue),
                    f"{name}, p, chi-square": float(stats.chisquare(cells).pvalue),
                }
        yield row


def divergences(samples: int) -> Iterator[Row]:
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
        yield {
            "target": f"{family.__name__}({float(target.location):g}, {float(target.scale):g})",
            "D_KL": kl,
            "D_CS": cs,
            **dict(zip(("H of GreedyPoisson", "H of GreedyRejection", "H of Rejection"), found, strict=True)),
            "D_CS + log2(1 + e)": cs + math.log2(1 + math.e),
        }


def shown(row: Row) -> str:
    """A line of what was measured."""
    return ", ".join(
        f"{key} {value:.3f}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items()
    )


def main() -> None:
    """Run the parts."""
    parts = {"blocks": blocks, "lattice": lattice, "divergences": divergences}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help="by default all")
    parser.add_argument("--samples", type=int, default=100_000, help="coordinates of each case")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    arguments = parser.parse_args()
    if unknown := {*arguments.parts} - parts.keys():
        parser.error(f"there is no part {unknown.pop()!r}; there are {', '.join(parts)}")
    found: dict[str, list[Row]] = {}
    for name, part in parts.items():
        if not arguments.parts or name in arguments.parts:
            for row in part(arguments.samples):
                found.setdefault(name, []).append(row)
                print(shown(row), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
