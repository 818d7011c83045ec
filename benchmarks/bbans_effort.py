"""Inference while coding of ``bbans.vae``: ``python benchmarks/bbans_effort.py MNIST.npz [--items N] [--gap N] [--json]``.

Of each model that ships: whole files of test images at both levels of ``effort``, decoded again and compared, and CPU time of one
thread. And how much there is to gain: the evidence bound of the first images after steps of Adam on their posteriors, in floating point.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from bbans import binarised
from codecs_bbans.codec import VAECodec
from codecs_bbans.model import VAE
from numpy.typing import NDArray

import codecs_core as cc

#: Samples of the latents for a step, and for the bound that is shown; the rate of Adam, in deviations.
SAMPLES, SHOWN, RATE = 4, 20, 0.1


def levels(model: str, x: NDArray[np.uint8], path: Path) -> Iterator[dict[str, Any]]:
    """A file at each level."""
    for effort in ("standard", "smallest"):
        codec = cc.get_codec("bbans.vae", model=model, effort=effort)
        cc.get_codec("bbans.vae", model=model, effort=effort).encode(x[:20])  # compiles
        encoding, _ = cpu_seconds(lambda codec=codec: cc.save(path, x, codec=codec, jobs=1))
        decoding, found = cpu_seconds(lambda: cc.load(path, jobs=1))
        size = path.stat().st_size
        yield {
            "effort": effort,
            "file_bytes": size,
            "bits_per_value": 8 * size / x.size,
            "decoded_equal": bool(np.array_equal(found, x)),
            "encode_ms": 1e3 * encoding / len(x),
            "decode_ms": 1e3 * decoding / len(x),
        }


def cpu_seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU time that `work` takes, and what it returns."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def gap(vae: VAE, x: NDArray[np.uint8], steps: int) -> dict[int, float]:
    """By how much, relatively, the bound falls in 20, 50 and `steps` steps of Adam, by torch and without any rounding."""
    import torch

    rows = torch.from_numpy(x.reshape(len(x), -1).astype(np.int64))
    mean, log_scale = np.split(vae.encoder(x.reshape(len(x), -1)), 2, axis=1)
    start = torch.from_numpy(mean / 2.0**12), torch.from_numpy(log_scale / 64 * math.log(2))
    moves = [torch.zeros_like(start[0], requires_grad=True) for _ in range(2)]
    likelihood = Likelihood(vae)

    def bound(samples: int, seed: int) -> torch.Tensor:
        noise = torch.randn((samples, *start[0].shape), generator=torch.Generator().manual_seed(seed)).double()
        m, s = start[0] + moves[0] * start[1].exp(), start[1] + moves[1]
        nats = torch.stack([likelihood(m + s.exp() * e, rows) for e in noise]).mean(0)
        return (nats + (0.5 * (m * m + (2 * s).exp() - 1) - s).sum(1)).sum()

    adam = torch.optim.Adam([{"params": moves[:1]}, {"params": moves[1:]}], betas=(0.9, 0.99))
    with torch.no_grad():
        before, found = float(bound(SHOWN, 0)), {}
    for t in range(1, steps + 1):
        for group, share in zip(adam.param_groups, (1.0, 0.5), strict=True):
            group["lr"] = RATE * share * (1 - 0.9 * t / steps)
        adam.zero_grad()
        bound(SAMPLES, t).backward()  # type: ignore[no-untyped-call]
        adam.step()
        if t in (20, 50, steps):
            with torch.no_grad():
                found[t] = float(bound(SHOWN, 0)) / before - 1
    return found


class Likelihood:
    """-ln p(x | z) of a frozen model in torch, without its rounding."""

    def __init__(self, vae: VAE) -> None:
        import torch

        self.torch, self.vae, self.layers = torch, vae, []
        for layer in vae.decoder.layers:
            unit = np.ldexp(1.0, -layer.shift.astype(np.int64))
            half = np.where(layer.shift > 0, 0.5, 0)
            parts = layer.weight * unit[:, None], layer.bias * unit - half, layer.low, layer.high
            self.layers.append([torch.from_numpy(np.asarray(part, np.float64)) for part in parts])
        self.tables = torch.from_numpy(np.log(vae.tables / 2.0**18 + 1e-9))

    def __call__(self, z: Any, x: Any) -> Any:
        y = z * 256
        for weight, bias, low, high in self.layers:
            y = (y @ weight.T + bias).clamp(low, high)
        y = y * (math.log(2) / 64)
        if self.vae.kind == "bernoulli":
            return (self.torch.nn.functional.softplus(y) - y * x).sum(1)
        weights = self.torch.log_softmax(y.reshape(*x.shape, -1), -1)
        return -self.torch.logsumexp(weights + self.tables.T[x], -1).sum(1)


def main() -> int:
    """Measure and print; the exit status is 1 if a file did not decode to what was encoded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the test images of MNIST, as `images` of a .npz file")
    parser.add_argument("--items", type=int, help="use only the first N images")
    parser.add_argument("--gap", type=int, default=0, help="also what there is to gain, of the first N images")
    parser.add_argument("--steps", type=int, default=100, help="of Adam, for that")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    images, models = np.load(arguments.data)["images"][: arguments.items], []
    with tempfile.TemporaryDirectory() as folder:
        for model in ("mnist", "mnist-binary"):
            codec = cc.get_codec("bbans.vae", model=model)
            if not isinstance(codec, VAECodec):
                raise TypeError(f"{codec.id} is no codec of bbans.vae")
            x = binarised(images) if codec._vae.largest == 1 else images
            found = {"model": model, "items": len(x), "levels": list(levels(model, x, Path(folder) / "digits.ccf"))}
            found["gap"] = gap(codec._vae, x[: arguments.gap], arguments.steps) if arguments.gap else {}
            models.append(found)
    if arguments.json:
        print(json.dumps({"models": models}, indent=2))
    else:
        for found in models:
            show(found)
    return 0 if all(level["decoded_equal"] for found in models for level in found["levels"]) else 1


def show(found: dict[str, Any]) -> None:
    """Print the figures of a model."""
    standard = found["levels"][0]
    for level in found["levels"]:
        print(
            f"{found['model']:13} {level['effort']:9} {level['file_bytes']:9,} bytes, {level['bits_per_value']:.4f} bits per pixel "
            f"({level['file_bytes'] / standard['file_bytes'] - 1:+.2%}), {level['encode_ms']:.2f} ms an item to encode, "
            f"{level['decode_ms']:.2f} to decode, {'equal' if level['decoded_equal'] else 'NOT WHAT WAS ENCODED'}"
        )
    for steps, change in found["gap"].items():
        print(f"{'':13} {steps} steps of Adam in floating point: {change:+.2%} of the bound")


if __name__ == "__main__":
    sys.exit(main())
