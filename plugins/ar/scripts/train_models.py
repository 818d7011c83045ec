"""Train the models this plugin ships: ``python train_models.py DATA OUT NAME [--minutes N] [--start FILE]``.

DATA is a folder of images: for ``cifar10``, sprites ``train-*.webp`` of 50 x 50 training images of CIFAR-10 each (Krizhevsky 2009); for
``photo`` and ``gray``, photographs of any size.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from codecs_ar.data import as_images, priors_of
from codecs_ar.network import Network
from codecs_ar.train import Settings, finish, learn, shuffled
from numpy.typing import NDArray
from PIL import Image

from codecs_core.learn import Run

SETTINGS = {
    "photo": Settings(pixels=8_000_000, periods=(2, 32)),
    "cifar10": Settings(hidden=(128, 64), periods=(1, 4), pixels=6_000_000, enlarge=0.0, adapt=0.0),
    "gray": Settings(pixels=4_000_000, rate=3e-3),
}
HELD_OUT = {"photo": 12, "cifar10": 500, "gray": 12}
ABOUT = {
    "photo": "433 photographs, 21 million pixels, reduced 2 or 3 times; the last 12 of them held out",
    "cifar10": "the 50,000 training images of CIFAR-10, the last 500 of them held out",
    "gray": "the photographs of photo in grey, every third one as 12 to 16 bits; the last 12 of them held out",
}


def deep(x: NDArray[np.float64], number: int) -> NDArray[np.uint16]:
    """A grey image of more than 8 bits: the mean of 2 x 2 pixels, with as many bits as there are then in it or more."""
    h, w = (n // 2 * 2 for n in x.shape)
    mean = x[:h, :w].reshape(h // 2, 2, w // 2, 2).mean((1, 3))
    return np.rint(mean * (16, 64, 256)[number % 3]).astype(np.uint16)


def load(folder: Path, name: str) -> list[NDArray[Any]]:
    """The images, in the order of the names of their files."""
    if name == "cifar10":
        sprites = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.glob("train-*.webp"))]
        return [x for s in sprites for x in s.reshape(50, 32, 50, 32, 3).swapaxes(1, 2).reshape(2500, 32, 32, 3)]
    colour = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.iterdir())]
    if name == "photo":
        return list(colour)
    grey = [x @ np.array([0.299, 0.587, 0.114]) for x in colour]
    deeper: list[NDArray[Any]] = [deep(x, i) for i, x in enumerate(grey[:-12:3])]
    return [*deeper, *(np.rint(x).astype(np.uint8) for x in grey)]


def kept_networks(path: Path) -> list[Network]:
    """The networks in floating point that were saved beside a model."""
    networks = []
    for state in torch.load(path, weights_only=True):
        weights = [v for k, v in state.items() if k.endswith("weight")]
        hidden = [len(w) for w in weights[:-1]]
        networks.append(Network(weights[0].shape[1], hidden=hidden, components=len(weights[-1]) // 3))
        networks[-1].load_state_dict(state)
    return networks


def main() -> None:
    """Train one model on one thread; save it, and beside it the networks in floating point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("name", choices=sorted(SETTINGS))
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument(
        "--start", default="", help="name or path of a model to start from, whose networks only go over images"
    )
    parser.add_argument("--network", type=Path, help="freeze these networks, trained before with the same settings")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings = replace(SETTINGS[arguments.name], start=arguments.start)
    if arguments.start:
        settings = replace(settings, adapt=1.0)
    images, start = load(arguments.data, arguments.name), time.monotonic()

    def progress(done: float, message: str) -> None:
        if done > 0:
            print(f"{time.monotonic() - start:6.0f} s  {done:6.1%}  {message}", flush=True)

    name = arguments.name
    command = (
        f"python plugins/ar/scripts/train_models.py DATA {name}.safetensors {name} --minutes {arguments.minutes:g}"
    )
    if arguments.start:
        command += f" --start {Path(arguments.start).name}"
    about: dict[str, Any] = {"command": command, "data": ABOUT[name]}
    held, checkpoint = HELD_OUT[name], arguments.out.with_suffix(".checkpoint")
    if arguments.network:
        items = as_images(images)
        kept, _ = shuffled(items[:-held], settings)
        networks = kept_networks(arguments.network)
        about |= {"seed": settings.seed, "images": len(kept)}
        model = finish(networks, priors_of(kept), items[-held:], settings, attrs=about, name=name)
    else:
        run = Run(
            budget=60 * arguments.minutes,
            held_out=held,
            progress=progress,
            checkpoint=checkpoint,
            name=name,
            about=about,
        )
        networks, model = learn(images, settings, run)
        torch.save([network.state_dict() for network in networks], arguments.out.with_suffix(".pt"))
        checkpoint.unlink(missing_ok=True)
    model.save(arguments.out)
    print(f"{len(model.data)} bytes, sha256 {model.sha256}, {model.attrs}")


if __name__ == "__main__":
    main()
