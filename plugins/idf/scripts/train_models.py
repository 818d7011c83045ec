"""Train the models this plugin ships: ``python train_models.py DATA OUT [cifar10 | photo]``.

DATA is a folder of images: for ``cifar10``, sprites ``train-*.webp`` of 50 x 50 training images of CIFAR-10 each (Krizhevsky 2009);
for ``photo``, photographs of any size.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from codecs_idf.train import Settings, finish, learn, network_of
from numpy.typing import NDArray
from PIL import Image

from codecs_core.learn import Run

SETTINGS = {
    "cifar10": Settings(couplings=(4, 4, 2, 1), crop=32, batch=16, steps=18_000),
    "photo": Settings(couplings=(4, 4, 2, 1, 1), crop=64, batch=8, steps=14_000, rate=3e-3),
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
    """Train one model on one thread; save it, and beside it the network in floating point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("name", choices=sorted(SETTINGS))
    parser.add_argument("--start", default="", help="name or path of a model to start from")
    parser.add_argument("--network", type=Path, help="freeze this network, trained before with the same settings")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings, held = replace(SETTINGS[arguments.name], start=arguments.start), HELD_OUT[arguments.name]
    images, start = load(arguments.data, arguments.name), time.monotonic()

    def progress(done: float, message: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {done:6.1%}  {message}", flush=True)

    about = {
        "command": f"python plugins/idf/scripts/train_models.py DATA {arguments.name}.safetensors {arguments.name}"
        + (f" --start {Path(arguments.start).name}" if arguments.start else ""),
        "data": ABOUT[arguments.name],
    }
    if arguments.network:
        network = network_of(3, settings)
        network.load_state_dict(torch.load(arguments.network, weights_only=True))
        attrs = {**about, "steps": settings.steps, "seed": settings.seed, "images": len(images) - held}
        model = finish(network, images[:-held], images[-held:], attrs=attrs, name=arguments.name)
    else:
        checkpoint = arguments.out.with_suffix(".checkpoint")
        network, model = learn(
            images,
            settings,
            Run(held_out=held, progress=progress, checkpoint=checkpoint, name=arguments.name, about=about),
        )
        torch.save(network.state_dict(), arguments.out.with_suffix(".pt"))
        checkpoint.unlink(missing_ok=True)
    model.save(arguments.out)
    print(f"{len(model.data)} bytes, sha256 {model.sha256}, {model.attrs}")


if __name__ == "__main__":
    main()
