"""Train the models of ``bbans.hvae`` that this plugin ships: ``python train_hvae.py DATA OUT [cifar10 | photo] [--minutes N]``.

DATA is a folder of images: for ``cifar10``, sprites ``train-*.webp`` of 50 x 50 training images of CIFAR-10 each (Krizhevsky 2009);
for ``photo``, photographs of any size. ``--start NETWORK.pt`` begins with a network that was trained before.
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

SETTINGS = {
    "cifar10": Settings(crop=32, width=64, blocks=3, level_width=48, level_blocks=2),
    "photo": Settings(crop=64, batch=4, rate=2e-3, width=64, blocks=3, level_width=48, level_blocks=2),
}
HELD_OUT = {"cifar10": 2_500, "photo": 12}
ABOUT = {
    "cifar10": "the 50,000 training images of CIFAR-10, the last 2,500 of them held out",
    "photo": "433 photographs, 21 million pixels, reduced 2 or 3 times; the last 12 of them held out",
}


def load(folder: Path, name: str) -> list[NDArray[np.uint8]]:
    """The images, in the order of the names of their files."""
    if name == "photo":
        return [np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.iterdir())]
    sprites = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.glob("train-*.webp"))]
    return [x for s in sprites for x in s.reshape(50, 32, 50, 32, 3).swapaxes(1, 2).reshape(2500, 32, 32, 3)]


def main() -> None:
    """Train on one thread; save the model, and beside it the network in floating point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("name", nargs="?", default="cifar10", choices=sorted(SETTINGS))
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--start", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    began = time.monotonic()

    def progress(done: float, message: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {done:6.1%}  {message}", flush=True)

    name, out = arguments.name, arguments.out
    command = f"python plugins/bbans/scripts/train_hvae.py DATA {out.name} {name} --minutes {arguments.minutes:g}"
    run = Run(
        budget=60 * arguments.minutes,
        held_out=HELD_OUT[name],
        progress=progress,
        checkpoint=out.with_suffix(".checkpoint"),
        name=name,
        about={
            "command": command + (f" --start {arguments.start.name}" if arguments.start else ""),
            "data": ABOUT[name] + (f"; from {arguments.start.stem}" if arguments.start else ""),
        },
    )
    start = torch.load(arguments.start, weights_only=True) if arguments.start else None
    network, model = learn(load(arguments.data, name), SETTINGS[name], run, start)
    torch.save(network.state_dict(), out.with_suffix(".pt"))
    model.save(out)
    print(f"{len(model.data)} bytes, sha256 {model.sha256}, {model.attrs}")


if __name__ == "__main__":
    main()
