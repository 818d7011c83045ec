"""LeNet-5 on MNIST as a file of a kilobyte and a half: ``python train_lenet.py TRAIN.npz TEST.npz OUT.ccf [--block N] [--bits B]``.

TRAIN and TEST hold ``images`` (n, 28, 28), uint8, and ``labels``. The last 5,000 training images are held out. The error that is printed
last is that of the network that the file decodes to, on TEST. OUT.checkpoint keeps the state of training until blocks are sent; the same
command goes on from there.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from codecs_rec.weights.lenet import compressible, error, images_of
from codecs_rec.weights.train import Settings, learn

import codecs_core as cc
from codecs_core.learn import Run


def main() -> None:
    """Train, send, and look at what comes back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--block", type=int, default=46, help="variables of a block")
    parser.add_argument("--bits", type=float, default=15.0, help="of a block")
    parser.add_argument("--steps", type=int, default=40_000, help="of training before blocks are sent")
    parser.add_argument("--between", type=int, default=8, help="steps of training after each block that is sent")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    start, checkpoint = time.process_time(), arguments.out.with_name(arguments.out.name + ".checkpoint")

    def told(done: float, message: str) -> None:
        print(f"{time.process_time() - start:6.0f} s  {done:4.0%}  {message}", flush=True)

    settings = Settings(block=arguments.block, bits=arguments.bits, steps=arguments.steps, between=arguments.between)
    train, test = dict(np.load(arguments.train)), dict(np.load(arguments.test))
    small, model = learn(train, settings, Run(progress=told, checkpoint=checkpoint))
    small.save(arguments.out, model.tensors()["payload"].tobytes())
    values = cc.load(arguments.out)
    if isinstance(values, dict):
        raise SystemExit("the file holds more than one array")
    decoded = compressible((28, 28, 1), 10, bits=arguments.bits, block=arguments.block).load_values(values)
    labels = torch.from_numpy(test["labels"].astype(np.int64))
    print(
        f"{arguments.out.stat().st_size} bytes; error {model.attrs['held_out']['error']:.2%} of what was held out, "
        f"{error(decoded, images_of(test['images']), labels):.2%} of the test images"
    )
    checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
