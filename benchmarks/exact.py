"""The figures of exact networks: ``python benchmarks/exact.py``, beside numpy's matrix product and torch's convolution, on one thread.

All of a row take turns (A B C A B C ...), so that whatever else the machine does hits each of them, and their best times count. What is
timed was compared with integers before. ``docs/benchmarks.md`` says what the rows mean.
"""

from __future__ import annotations

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from codecs_core.exact import ExactNet, Layer

#: Channels; batch, height, width.
CHANNELS = (32, 64, 96)
SIZES = ((64, 16, 16), (256, 4, 4), (4, 64, 64))
Work = Callable[[], Any]


def best(works: dict[str, Work], repeats: int) -> dict[str, float]:
    """The shortest time of each of the works, taken in turns after one run of each to warm up."""
    for work in works.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    return {name: min(taken) for name, taken in times.items()}


def make_layer(rng: np.random.Generator, channels: int, *, skip: int = 0, wide: bool = False) -> Layer:
    """A convolution of 3 x 3 whose sums fit float32, or with `wide` only float64."""
    largest = 127 if wide else 7
    return Layer(
        weight=rng.integers(-largest, largest + 1, (channels, 3, 3, channels)).astype(np.int8),
        bias=rng.integers(-1000, 1000, channels),
        shift=np.full(channels, 8 if wide else 4, np.int8),
        low=np.zeros(channels, np.int32),
        high=np.full(channels, 2047 if not wide else 4095, np.int32),
        skip=skip,
    )


def expected(layer: Layer, x: NDArray[np.int64]) -> NDArray[np.int64]:
    """One layer without a skip in integers."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    taps = [(i, j) for i in range(3) for j in range(3)]
    height, width = x.shape[1:3]
    weight = layer.weight.astype(np.int64)
    sums = sum(padded[:, i : i + height, j : j + width] @ weight[:, i, j].T for i, j in taps) + layer.bias
    return np.clip(sums >> layer.shift, layer.low, layer.high)


def measure(channels: int, size: tuple[int, int, int], repeats: int) -> dict[str, float]:
    """GFLOP/s of one layer of 3 x 3 from `channels` to as many, and of what it is compared with."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2048, (*size, channels)).astype(np.int32)
    single = make_layer(rng, channels)
    layer = ExactNet([single], 0, 2047)
    wide = ExactNet([make_layer(rng, channels, wide=True)], 0, 2047)
    block = [make_layer(rng, channels), make_layer(rng, channels, skip=2)]
    network = ExactNet(block * 4, 0, 2047)
    assert (layer.dtypes, set(network.dtypes), wide.dtypes) == (["float32"], {"float32"}, ["float64"])
    np.testing.assert_array_equal(layer(x[:2]), expected(single, x[:2].astype(np.int64)))
    pixels, terms = x[..., 0].size, 9 * channels
    factor = rng.integers(0, 2048, (pixels, terms)).astype(np.float32)
    weight = np.ascontiguousarray(single.weight.reshape(channels, -1).T, np.float32)
    product = np.empty((pixels, channels), np.float32)
    with torch.inference_mode():
        images = torch.from_numpy(np.moveaxis(x, -1, 1).astype(np.float32))
        last = images.contiguous(memory_format=torch.channels_last)
        kernel = torch.from_numpy(np.ascontiguousarray(np.moveaxis(single.weight, -1, 1), np.float32))
        kernel_last = kernel.contiguous(memory_format=torch.channels_last)
        conv = torch.nn.functional.conv2d
        works: dict[str, Work] = {
            "layer": lambda: layer(x),
            "network": lambda: network(x),
            "float64": lambda: wide(x),
            "product": lambda: np.matmul(factor, weight, out=product),
            "torch": lambda: conv(images, kernel, padding=1),
            "torch, channels last": lambda: conv(last, kernel_last, padding=1),
        }
        taken = best(works, repeats)
    work = 2e-9 * pixels * terms * channels
    return {name: work * (8 if name == "network" else 1) / seconds for name, seconds in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = [
        {"channels": channels, "batch, height, width": list(size), **measure(channels, size, args.repeats)}
        for size in SIZES
        for channels in CHANNELS
    ]
    if args.json:
        print(json.dumps(rows, indent=2))
        return
    names = list(rows[0])[2:]
    print(f"load {os.getloadavg()[0]:.1f}; GFLOP/s, one thread")
    print(" " * 22 + "".join(f"{name:>22}" for name in names))
    for row in rows:
        print(f"{row['channels']:>4}  {row['batch, height, width']!s:16}" + "".join(f"{row[name]:>22.1f}" for name in names))


if __name__ == "__main__":
    main()
