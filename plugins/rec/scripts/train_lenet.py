"""LeNet-5 on MNIST as a file of a kilobyte and a half: ``python train_lenet.py TRAIN.npz TEST.npz OUT.ccf [--block N] [--bits B]``.

The network and what is shared in it are those of Havasi et al. 2019. TRAIN and TEST hold ``images`` (n, 28, 28), uint8, and ``labels``.
The last 5,000 training images are held out. The error that is printed last is that of the network that the file decodes to, on TEST.
OUT.checkpoint keeps the state of training until blocks are sent; the same command goes on from there.
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
    """LeNet-5 as in Caffe: 431,080 weights, 26,580 variables. Pooling before rectifying gives the same and is faster."""
    convolutions = (nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2), nn.ReLU())
    return nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))


def load(path: Path) -> tuple[Tensor, Tensor]:
    """Images of shape (n, 1, 28, 28), from -1/2 to 1/2, and labels."""
    with np.load(path) as stored:
        images, labels = stored["images"], stored["labels"]
    return torch.from_numpy(images)[:, None].float() / 255 - 0.5, torch.from_numpy(labels.astype(np.int64))


def error(module: nn.Module, x: Tensor, y: Tensor) -> float:
    """The share of images with another label."""
    with torch.inference_mode():
        return 1 - float(np.mean([float((module(a).argmax(1) == b).float().mean()) for a, b in _parts(x, y)]))


def cost(module: nn.Module, x: Tensor, y: Tensor) -> float:
    """The cross-entropy, in nats an image."""
    with torch.inference_mode():
        return float(np.mean([float(functional.cross_entropy(module(a), b)) for a, b in _parts(x, y)]))


def _parts(x: Tensor, y: Tensor) -> zip[tuple[Tensor, Tensor]]:
    return zip(x.split(500), y.split(500), strict=True)


def main() -> None:
    """Train, send, and look at what comes back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--block", type=int, default=46, help="variables of a block")
    parser.add_argument("--bits", type=float, default=15.0, help="of a block")
    parser.add_argument("--steps", type=int, default=40_000, help="of training before blocks are sent")
    parser.add_argument("--between", type=int, default=20, help="steps of training after each block that is sent")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=1e-2)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    (x, y), start = load(arguments.train), time.process_time()

    def fresh() -> Compressible:
        return Compressible(network(), bits=arguments.bits, block=arguments.block, share=SHARE)

    def loss(_: float) -> Tensor:
        at = torch.randint(len(x) - 5000, (arguments.batch,))
        with torch.autocast("cpu", torch.bfloat16):
            scores = small(x[at].contiguous(memory_format=torch.channels_last))
        return functional.cross_entropy(scores.float(), y[at])

    def told(done: float, message: str) -> None:
        print(f"{time.process_time() - start:6.0f} s  {done:4.0%}  {message}", flush=True)

    small, held = fresh(), (x[-5000:], y[-5000:])
    checkpoint = arguments.out.with_name(arguments.out.name + ".checkpoint")
    small.fit(
        loss,
        lambda: cost(small, *held),
        budget=1.0,
        steps=arguments.steps,
        rate=arguments.rate,
        progress=told,
        told="nats an image",
        checkpoint=checkpoint,
    )
    told(1.0, f"error of a sample {error(small, *held):.2%}")
    payload = small.compress(loss, steps=arguments.between, rate=arguments.rate / 10, progress=told)
    small.save(arguments.out, payload)
    values = cc.load(arguments.out)
    if isinstance(values, dict):
        raise SystemExit("the file holds more than one array")
    decoded, size = fresh().load_values(values), arguments.out.stat().st_size
    found = error(decoded, *held), error(decoded, *load(arguments.test))
    print(
        f"{size} bytes, payload {len(payload)} bytes; error {found[0]:.2%} on what was held out, {found[1]:.2%} on test"
    )
    checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
