"""Train the models of ``ar.stack`` that this plugin ships: ``python train_stack_models.py DATA OUT NAME [--minutes N]``.

DATA is, for ``mnist`` and ``mnist-binary``, the file ``mnist_train.npz`` with the array ``images`` of the 60,000 training images of MNIST
(LeCun et al. 1998); for ``cifar10``, a folder of sprites ``train-*.webp`` of 50 x 50 training images of CIFAR-10 each (Krizhevsky 2009).
A training that was interrupted goes on when the same command is given again.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from codecs_ar.stack import train as training
from codecs_ar.stack.settings import Settings
from numpy.typing import NDArray
from PIL import Image

from codecs_core.learn import Run

SETTINGS = {
    "mnist-binary": Settings(width=224, narrow=128, blocks=2, reach=7, batch=2048, weight_bits=9, draw=True),
    "mnist": Settings(width=96, narrow=64, blocks=1, reach=4, batch=2048, weight_bits=9),
    "cifar10": Settings(width=160, narrow=96, blocks=1, reach=4, components=5, batch=2048, weight_bits=9),
    # ten minutes of an accelerator
    "cifar10-large": Settings(width=512, narrow=256, blocks=4, reach=7, components=6, batch=16384, rate=2e-3),
}
HELD_OUT = {"mnist": 5000, "mnist-binary": 5000, "cifar10": 2000, "cifar10-large": 2000}
ABOUT = {
    "mnist": "the 60,000 training images of MNIST, the last 5,000 of them held out",
    "cifar10": "the 50,000 training images of CIFAR-10, the last 2,000 of them held out, as many again mirrored",
    "cifar10-large": "the 50,000 training images of CIFAR-10, the last 2,000 of them held out, as many again mirrored",
    "mnist-binary": "the 60,000 training images of MNIST, the last 5,000 of them held out, each value drawn as 0 or 1, again and again",
}


def load(path: Path) -> NDArray[np.uint8]:
    """The images, shape (n, height, width) or (n, height, width, 3); those of CIFAR-10 also mirrored, before them as they are."""
    if path.is_file():
        images: NDArray[np.uint8] = np.load(path)["images"]
        return images
    sprites = [np.asarray(Image.open(file).convert("RGB")) for file in sorted(path.glob("train-*.webp"))]
    colour = np.concatenate([x.reshape(50, 32, 50, 32, 3).swapaxes(1, 2).reshape(2500, 32, 32, 3) for x in sprites])
    return np.concatenate([colour[: -HELD_OUT["cifar10"], :, ::-1], colour])


def main() -> None:
    """Train one model and save it, and beside it the networks in floating point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("name", choices=sorted(SETTINGS))
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--interval", type=float, default=120, help="seconds between two looks at what is held out")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    training.INTERVAL = arguments.interval
    start = time.monotonic()

    def progress(done: float, message: str) -> None:
        print(
            f"{time.monotonic() - start:6.0f} s  {time.process_time():6.0f} s of one core  {done:6.1%}  {message}",
            flush=True,
        )

    name, checkpoint = arguments.name, arguments.out.with_suffix(".checkpoint")
    command = f"python plugins/ar/scripts/train_stack_models.py DATA {name}.safetensors {name} --minutes {arguments.minutes:g}"
    about: dict[str, Any] = {"command": command, "data": ABOUT[name]}
    run = Run(
        budget=60 * arguments.minutes,
        held_out=HELD_OUT[name],
        progress=progress,
        checkpoint=checkpoint,
        name=name,
        about=about,
    )
    lessons, model = training.learn(load(arguments.data), SETTINGS[name], run)
    torch.save(lessons.networks.state_dict(), arguments.out.with_suffix(".pt"))
    model.save(arguments.out)
    print(f"{len(model.data)} bytes, sha256 {model.sha256}, {model.attrs}")


if __name__ == "__main__":
    main()
