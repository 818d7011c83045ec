"""Train the models this plugin ships: ``python train.py NAME DATA OUT [--epochs N | --budget S]``.

NAME is ``mnist-binary``, ``mnist``, ``colour``, ``colour-detail``, which starts from ``colour``, or ``photo``.

DATA of the first two holds the 60,000 training images of MNIST (LeCun et al.) as ``images`` of a .npz, uint8, shape (60000,
28, 28); of those of colour it is a .npy of shape (n, 32, 32, 3), or a folder with the training images of CIFAR-10 as lossless WebP
sprites ``train-*.webp``, grids of 32 x 32 pixels; of ``photo`` a folder of photographs as lossless WebP, whose last twelve are held out.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from codecs_rec import train
from codecs_rec.lossy import train as lossy_train
from codecs_rec.photograph import train as photograph_train

from codecs_core.learn import Run

SETTINGS: dict[str, train.Settings | lossy_train.Settings | photograph_train.Settings] = {
    "mnist-binary": train.Settings(epochs=60, latents=40, binarise=True),
    "mnist": train.Settings(epochs=25, hidden=384, latents=50, components=8),
    "colour": lossy_train.Settings(epochs=2),
    "colour-detail": lossy_train.Settings(epochs=8, start="colour"),
    "photo": photograph_train.Settings(),
}
DATA = {
    "mnist-binary": "the 60,000 training images of MNIST, binarised; the last 3,000 held out",
    "mnist": "the 60,000 training images of MNIST, the last 3,000 of them held out",
    "colour": "the 50,000 training images of CIFAR-10, the last 2,500 of them held out",
    "colour-detail": "20,000 training images of CIFAR-10; the last 2,500 of them all held out",
    "photo": "421 photographs of 0.05 million pixels on average, as they are and enlarged twice; 12 more held out",
}


def load(path: Path, name: str) -> Any:
    """Images of a .npz, a .npy, or a folder of sprites; of ``photo`` a list of photographs."""
    if path.is_dir():
        from PIL import Image

        if name == "photo":
            return [np.asarray(Image.open(file).convert("RGB")) for file in sorted(path.glob("*.webp"))]
        sprites = [np.asarray(Image.open(file)) for file in sorted(path.glob("train-*.webp"))]
        grids = [s.reshape(s.shape[0] // 32, 32, s.shape[1] // 32, 32, 3).swapaxes(1, 2) for s in sprites]
        return np.concatenate([g.reshape(-1, 32, 32, 3) for g in grids])
    loaded = np.load(path)
    return np.asarray(loaded["images"] if path.suffix == ".npz" else loaded)


def main() -> None:
    """Train one model on one thread; save it, and beside it the network in floating point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(SETTINGS))
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--budget", type=float, help="seconds instead of epochs")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings = SETTINGS[arguments.name]
    if (arguments.epochs or arguments.budget) and not isinstance(settings, photograph_train.Settings):
        settings = replace(settings, epochs=arguments.epochs or 0)
    start = time.monotonic()

    def progress(done: float, message: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {done:4.0%}  {message}", flush=True)

    about = {
        "command": f"python plugins/rec/scripts/train.py {arguments.name} DATA {arguments.name}.safetensors",
        "data": DATA[arguments.name],
    }
    photo = arguments.name == "photo"
    learn: Any = photograph_train.learn if photo else train.learn
    if arguments.name.startswith("colour"):
        learn = lossy_train.learn
    seconds, held_out = arguments.budget or (7200 if photo else 600), 12 if photo else 0
    run = Run(budget=seconds, progress=progress, name=arguments.name, about=about, held_out=held_out)
    network, model = learn(load(arguments.data, arguments.name), settings, run)
    torch.save(network.state_dict(), arguments.out.with_suffix(".pt"))
    model.save(arguments.out)
    print(f"{len(model.data)} bytes, sha256 {model.sha256}, {model.attrs}")


if __name__ == "__main__":
    main()
