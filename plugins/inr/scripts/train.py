"""Train the models this plugin ships: ``python train.py FOLDER OUT.safetensors NAME [--rounds N]``.

The folder has the training images of CIFAR-10 (Krizhevsky 2009) as ``train-*.webp``, lossless sprites of 50 x 50 images each.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from codecs_inr.train import Settings, learn
from numpy.typing import NDArray
from PIL import Image

from codecs_core import Model
from codecs_core.learn import Run

#: Of networks with positional latents.
LATENTS = {
    "latents": [16, 16, 16],
    "hidden": [12],
    "frequencies": 4,
    "signals": 1536,
    "rate": 0.02,
    "index_bits": 4,
    "window": 20,
    "steps": 2000,
    "between": 200,
}
#: Sprites that each model learns from.
SPRITES = {"recombiner-1": 4, "recombiner-2": 4}
SETTINGS: dict[str, dict[str, Any]] = {
    "cifar10-1": {"bpp": 0.9375, "signals": 384, "rate": 0.02},
    "cifar10-2": {"bpp": 1.875, "signals": 384, "start": "cifar10-1"},
    "recombiner-1": {"bpp": 0.9375, "numbers": 640, **LATENTS},
    "recombiner-2": {"bpp": 1.875, "numbers": 1024, **LATENTS},
    "combiner-1": {"bpp": 0.9375, "signals": 384, "rate": 0.02, "linear": False},
}


def images(folder: Path, sprites: int) -> NDArray[np.uint8]:
    """The images of the first sprites, shape (n, 32, 32, 3)."""
    parts = []
    for path in sorted(folder.glob("train-*.webp"))[:sprites]:
        sprite = np.asarray(Image.open(path))
        parts.append(sprite.reshape(50, 32, 50, 32, 3).swapaxes(1, 2).reshape(-1, 32, 32, 3))
    return np.concatenate(parts)


def trained(name: str, out: Path, learn: Callable[[Run], tuple[object, Model]], **about: str) -> None:
    """Train one model on one thread, say how far it is, and write it; stopped, the same command goes on."""
    start, state = time.monotonic(), out.with_suffix(".checkpoint")

    def progress(done: float, message: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {done:4.0%}  {message}", flush=True)

    _, model = learn(Run(checkpoint=state, progress=progress, name=name, about=about))
    model.save(out)
    print(f"{len(model.data)} bytes, sha256 {model.sha256}, {model.attrs}")


def main() -> None:
    """Train one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("name", choices=sorted(SETTINGS))
    parser.add_argument("--rounds", type=int, default=120)
    arguments = parser.parse_args()
    sprites = SPRITES.get(arguments.name, 1)
    settings = Settings(rounds=arguments.rounds, **SETTINGS[arguments.name])
    given = f"cifar10 {arguments.name}.safetensors {arguments.name} --rounds {arguments.rounds}"
    trained(
        arguments.name,
        arguments.out,
        lambda run: learn(images(arguments.data, sprites), settings, run),
        command=f"python plugins/inr/scripts/train.py {given}",
        data=f"of the first {2500 * sprites:,} training images of CIFAR-10",
    )


if __name__ == "__main__":
    main()
