"""LeNet-5 on MNIST as a file of about a kilobyte: ``python train_lenet.py TRAIN.npz TEST.npz OUT.ccf [--bits B] [--budget S]``.

The network and what is shared in it are those of Havasi et al. 2019. TRAIN and TEST hold ``images`` (n, 28, 28), uint8, and ``labels``.
The last 5,000 training images are held out. The error that is printed last is that of the network that the file decodes to, on TEST.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from codecs_rec.weights.compressible import Compressible
from torch import Tensor, nn
from torch.nn import functional

import codecs_core as cc

#: Weights that are one variable.
SHARE = {"3.weight": 2, "7.weight": 50}


def network() -> nn.Sequential:
    """LeNet-5 as in Caffe: 431,080 weights, 26,580 variables."""
    convolutions = (nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2))
    return nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))


def load(path: Path) -> tuple[Tensor, Tensor]:
    """Images of shape (n, 1, 28, 28), from -1/2 to 1/2, and labels."""
    with np.load(path) as stored:
        images, labels = stored["images"], stored["labels"]
    return torch.from_numpy(images)[:, None].float() / 255 - 0.5, torch.from_numpy(labels.astype(np.int64))


def error(module: nn.Module, x: Tensor, y: Tensor) -> float:
    """The share of images with another label."""
    with torch.inference_mode():
        return float(
            np.mean(
                [
                    float((module(a).argmax(1) != b).float().mean())
                    for a, b in zip(x.split(1000), y.split(1000), strict=True)
                ]
            )
        )


def main() -> None:
    """Train, send, and look at what comes back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--bits", type=float, default=10.0, help="of a block of 30 variables")
    parser.add_argument("--budget", type=float, default=600.0, help="seconds of training before blocks are sent")
    parser.add_argument("--steps", type=int, default=2, help="of training after each block that is sent")
    parser.add_argument("--batch", type=int, default=128)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    (x, y), start = load(arguments.train), time.monotonic()
    small = Compressible(network(), bits=arguments.bits, block=30, share=SHARE)

    def loss(_: float) -> Tensor:
        at = torch.randint(len(x) - 5000, (arguments.batch,))
        return functional.cross_entropy(small(x[at]), y[at])

    def told(done: float, message: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {done:4.0%}  {message}", flush=True)

    held = x[-5000:], y[-5000:]
    small.fit(
        loss, lambda: error(small, *held), budget=arguments.budget, rate=1e-2, interval=60, progress=told, told="error"
    )
    payload = small.compress(loss, steps=arguments.steps, rate=1e-3)
    small.save(arguments.out, payload)
    values = cc.load(arguments.out)
    if isinstance(values, dict):
        raise SystemExit("the file holds more than one array")
    decoded = Compressible(network(), bits=arguments.bits, block=30, share=SHARE).load_values(values)
    size = arguments.out.stat().st_size
    print(
        f"{size} bytes, payload {len(payload)} bytes; error on the test images {error(decoded, *load(arguments.test)):.2%}"
    )


if __name__ == "__main__":
    main()
