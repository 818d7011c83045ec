"""The figures of exact networks: ``python benchmarks/exact.py``, beside numpy's matrix product and torch's convolution, on one thread.

All of a row take turns (A B C A B C ...), so that whatever else the machine does hits each of them; the best times of the thread on its
processor count. What is timed was compared with integers before. With ``--freeze 300``, a residual network is trained for 300 steps and
frozen instead. ``docs/benchmarks.md`` says what the rows mean.
"""

from __future__ import annotations

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from codecs_core.entropy import QFormat
from codecs_core.exact import ExactNet, Layer, Residual, freeze

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
            start = time.thread_time()
            work()
            times[name].append(time.thread_time() - start)
    return {name: min(taken) for name, taken in times.items()}


def make_layer(rng: np.random.Generator, channels: int, *, skip: int = 0, largest: int = 7, bits: int = 7) -> Layer:
    """A convolution of 3 x 3 with weights up to `largest` in magnitude and outputs of `bits` bits."""
    return Layer(
        weight=rng.integers(-largest, largest + 1, (channels, 3, 3, channels)),
        bias=rng.integers(-1000, 1000, channels),
        shift=np.full(channels, largest.bit_length() + 1),
        low=np.zeros(channels, np.int32),
        high=np.full(channels, (1 << bits) - 1, np.int32),
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
    single = make_layer(rng, channels, bits=11)
    nets = {
        "layer": ExactNet([single], 0, 2047),
        "network": ExactNet(
            [make_layer(rng, channels, bits=11), make_layer(rng, channels, skip=2, bits=11)] * 4, 0, 2047
        ),
        "in parts": ExactNet([make_layer(rng, channels, largest=63, bits=11)] * 8, 0, 2047),
        "float64": ExactNet([make_layer(rng, channels, largest=1 << 20, bits=11)] * 8, 0, 2047),
    }
    dtypes = [set(net.dtypes) for net in nets.values()]
    if dtypes != [{"float32"}, {"float32"}, {"float32"}, {"float64"}]:
        raise ValueError(f"the networks are not those that are to be measured: {dtypes}")
    np.testing.assert_array_equal(nets["layer"](x[:2]), expected(single, x[:2].astype(np.int64)))
    pixels, terms = x[..., 0].size, 9 * channels
    factor = rng.integers(0, 2048, (pixels, terms)).astype(np.float32)
    weight = np.ascontiguousarray(single.weight.reshape(channels, -1).T, np.float32)
    result = np.empty((pixels, channels), np.float32)
    with torch.inference_mode():
        images = torch.from_numpy(np.moveaxis(x, -1, 1).astype(np.float32))
        last = images.contiguous(memory_format=torch.channels_last)
        kernel = torch.from_numpy(np.ascontiguousarray(np.moveaxis(single.weight, -1, 1), np.float32))
        kernel_last = kernel.contiguous(memory_format=torch.channels_last)
        conv = torch.nn.functional.conv2d
        works: dict[str, Work] = {
            **{name: partial(net, x) for name, net in nets.items()},
            "product": lambda: np.matmul(factor, weight, out=result),
            "torch": lambda: conv(images, kernel, padding=1),
            "torch, channels last": lambda: conv(last, kernel_last, padding=1),
        }
        taken = best(works, repeats)
    work = 2e-9 * pixels * terms * channels
    return {name: work * (len(nets[name].layers) if name in nets else 1) / t for name, t in taken.items()}


def pictures(count: int, seed: int) -> torch.Tensor:
    """Smooth random fields with a little noise, 8 bits, shape (count, 3, 16, 16)."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 3, 16, 16, generator=generator)
    for _ in range(3):
        x = nn.functional.avg_pool2d(nn.functional.pad(x, (1, 1, 1, 1), mode="circular"), 3, 1)
    return (180 * x + 128 + 6 * torch.randn(count, 3, 16, 16, generator=generator)).clamp(0, 255).round()


def residual_network(channels: int, blocks: int) -> nn.Sequential:
    def conv(inputs: int) -> list[nn.Module]:
        return [nn.Conv2d(inputs, channels, 3, padding=1), nn.BatchNorm2d(channels)]

    residuals = [Residual(nn.Sequential(*conv(channels), nn.ReLU(), *conv(channels))) for _ in range(blocks)]
    return nn.Sequential(*conv(3), nn.ReLU(), *residuals, nn.Conv2d(channels, 3, 1))


def fit(network: nn.Sequential, steps: int) -> None:
    """Train to take noise away; for 0 steps, let the normalisations see some pictures."""
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    for step in range(steps or 10):
        clean = pictures(16, step) / 256
        loss = ((network(clean + 0.1 * torch.randn_like(clean)) - clean) ** 2).mean()
        if steps:
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()


def frozen_errors(steps: int) -> list[dict[str, Any]]:
    """How far integers are from the floating point they were frozen from, on pictures not seen before."""
    rows = []
    for trained in (0, steps):
        torch.manual_seed(0)
        network = residual_network(32, 4)
        fit(network, trained)
        network.eval()
        examples, x = (pictures(64, seed).permute(0, 2, 3, 1).numpy().astype(np.uint8) for seed in (10**6, 10**6 + 1))
        with torch.inference_mode():
            y = network(torch.from_numpy(x / 256).float().permute(0, 3, 1, 2)).permute(0, 2, 3, 1).double().numpy()
        for weight_bits in (8, 10):
            for activation_bits in (6, 7, 8):
                bits = {"weight_bits": weight_bits, "activation_bits": activation_bits}
                net = freeze(
                    network,
                    examples,
                    QFormat(bits=8, low=0, high=255),
                    QFormat(bits=12, low=-(1 << 20), high=1 << 20),
                    **bits,
                )
                error = net(x) / 4096 - y
                kinds = [f"{step.dtype.name} in {len(step.weight)}" for step in net._plan.steps]
                rows.append(
                    {
                        "trained": trained,
                        **bits,
                        "error": float(np.sqrt(np.mean(error**2)) / y.std()),
                        "largest": float(np.abs(error).max() / y.std()),
                        "layers": ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))),
                    }
                )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--freeze", type=int, default=0, metavar="STEPS")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[dict[str, Any]]
    if args.freeze:
        rows = frozen_errors(args.freeze)
    else:
        sizes = product(SIZES, CHANNELS)
        rows = [{"channels": c, "size": list(size), **measure(c, size, args.repeats)} for size, c in sizes]
    if args.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"load {os.getloadavg()[0]:.1f}; one thread" + ("" if args.freeze else "; GFLOP/s"))
    print("  ".join(f"{name:>13}" for name in rows[0]))
    for row in rows:
        print(
            "  ".join(
                f"{value if not isinstance(value, float) else format(value, '.4g')!s:>13}" for value in row.values()
            )
        )


if __name__ == "__main__":
    main()
