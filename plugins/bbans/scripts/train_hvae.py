"""Train the model of ``bbans.hvae`` that this plugin ships: ``python train_hvae.py DATA OUT [--minutes N]``.

DATA is a folder with sprites ``train-*.webp`` of 50 x 50 training images of CIFAR-10 each (Krizhevsky 2009).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from codecs_bbans.hvae.train import Settings, learn
from numpy.typing import NDArray
from PIL import Image

from codecs_core.learn import Run

SETTINGS = Settings(crop=32, width=64, blocks=3, level_width=48, level_blocks=2)
HELD_OUT = 2_500
ABOUT = "the 50,000 training images of CIFAR-10, the last 2,500 of them held out"


def load(folder: Path) -> list[NDArray[np.uint8]]:
    """The images, in the order of the names of their files."""
    sprites = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.glob("train-*.webp"))]
    return [x for s in sprites for x in s.reshape(50, 32, 50, 32, 3).swapaxes(1, 2).reshape(2500, 32, 32, 3)]


def main() -> None:
    """Train on one thread; save the model, and beside it the network in floating point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=60)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    start = time.monotonic()

    def progress(done: float, message: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {done:6.1%}  {message}", flush=True)

    command = f"python plugins/bbans/scripts/train_hvae.py DATA {arguments.out.name} --minutes {arguments.minutes:g}"
    run = Run(
        budget=60 * arguments.minutes,
        held_out=HELD_OUT,
        progress=progress,
        checkpoint=arguments.out.with_suffix(".checkpoint"),
        name="cifar10",
        about={"command": command, "data": ABOUT},
    )
    network, model = learn(load(arguments.data), SETTINGS, run)
    torch.save(network.state_dict(), arguments.out.with_suffix(".pt"))
    model.save(arguments.out)
    print(f"{len(model.data)} bytes, sha256 {model.sha256}, {model.attrs}")


if __name__ == "__main__":
    main()
