"""LeNet-5 on MNIST as a file of a kilobyte and a half: ``python train_lenet.py TRAIN.npz TEST.npz OUT.ccf [--block N] [--bits B]``.

TRAIN and TEST hold ``images`` (n, 28, 28), uint8, and ``labels``. The last 5,000 training images are held out. The error that is printed
last is that of the network that the file decodes to, on TEST. OUT.checkpoint keeps the state of training until blocks are sent; the same
command goes on from there. OUT.json says how the file was made: where it is there, the file is measured again, and nothing is trained.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

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
    parser.add_argument("--block", type=int, default=6, help="variables of a block")
    parser.add_argument("--bits", type=float, default=14.7, help="of a block")
    parser.add_argument("--steps", type=int, default=40_000, help="of training before blocks are sent")
    parser.add_argument("--between", type=int, default=16, help="steps of training after each block that is sent")
    parser.add_argument("--json", type=Path, help="where the figures go, for a program")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    about = arguments.out.with_name(arguments.out.name + ".json")
    if not about.exists():
        names = ("block", "bits", "steps", "between")
        about.write_text(json.dumps(trained(arguments.train, arguments.out, {n: getattr(arguments, n) for n in names})))
    figures = measured(arguments.test, arguments.out, json.loads(about.read_text()))
    print(
        f"{figures['bytes']} bytes; error {figures['held_out']:.2%} of what was held out, {figures['test']:.2%} of TEST"
    )
    if arguments.json:
        arguments.json.write_text(json.dumps(figures))


def trained(train: Path, out: Path, chosen: dict[str, Any]) -> dict[str, Any]:
    """Train, and write the file; return how it was made, and the error of what was held out."""
    start, checkpoint = time.process_time(), out.with_name(out.name + ".checkpoint")

    def told(done: float, message: str) -> None:
        print(f"{time.process_time() - start:6.0f} s  {done:4.0%}  {message}", flush=True)

    small, model = learn(dict(np.load(train)), Settings(**chosen), Run(progress=told, checkpoint=checkpoint))
    small.save(out, model.tensors()["payload"].tobytes())
    checkpoint.unlink(missing_ok=True)
    return {**chosen, "held_out": model.attrs["held_out"]["error"]}


def measured(test: Path, out: Path, about: dict[str, Any]) -> dict[str, Any]:
    """The size of the file, and the error of the network that it decodes to."""
    values = cc.load(out)
    if isinstance(values, dict):
        raise SystemExit("the file must hold one array")
    decoded = compressible((28, 28, 1), 10, bits=about["bits"], block=about["block"]).load_values(values)
    with np.load(test) as stored:
        images, labels = stored["images"], torch.from_numpy(stored["labels"].astype(np.int64))
    return {**about, "bytes": out.stat().st_size, "test": error(decoded, images_of(images), labels)}


if __name__ == "__main__":
    main()
