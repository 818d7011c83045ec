"""Train the models this plugin ships: ``python train.py FOLDER OUT.safetensors NAME [--rounds N]``.

The folder has the training images of CIFAR-10 (Krizhevsky 2009) as ``train-*.webp``, lossless sprites of 50 x 50 images each; for
models of photographs it has photographs, one a file.
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
#: Of networks that show a patch of a photograph.
PHOTOS = {"hidden": [12, 12, 12, 12], "frequencies": 6, "side": 32, "signals": 1280, "steps": 1000}
#: Sprites that each model learns from.
SPRITES = {"recombiner-1": 4, "recombiner-2": 4}
SETTINGS: dict[str, dict[str, Any]] = {
    "cifar10-1": {"bpp": 0.9375, "signals": 384, "rate": 0.02},
    "cifar10-2": {"bpp": 1.875, "signals": 384, "start": "cifar10-1"},
    "recombiner-1": {"bpp": 0.9375, "numbers": 640, **LATENTS},
    "recombiner-2": {"bpp": 1.875, "numbers": 1024, **LATENTS},
    "combiner-1": {"bpp": 0.9375, "signals": 384, "rate": 0.02, "linear": False},
    "photo-20": {"bpp": 0.2, "shared": [2, 2], **PHOTOS},
    "photo-20-alone": {"bpp": 0.1875, **PHOTOS},
}


def images(folder: Path, sprites: int) -> NDArray[np.uint8]:
    """The images of the first sprites, shape (n, 32, 32, 3)."""
    parts = []
    for path in sorted(folder.glob("train-*.webp"))[:sprites]:
        sprite = np.asarray(Image.open(path))
        parts.append(sprite.reshape(50, 32, 50, 32, 3).swapaxes(1, 2).reshape(-1, 32, 32, 3))
    return np.concatenate(parts)


def photographs(folder: Path) -> list[NDArray[np.uint8]]:
    """Those of a folder, each of shape (h, w, 3)."""
    return [np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.glob("*.webp"))]


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
    sprites, of_photos = SPRITES.get(arguments.name, 1), arguments.name.startswith("photo")
    data: Any = photographs(arguments.data) if of_photos else images(arguments.data, sprites)
    settings = Settings(rounds=arguments.rounds, **SETTINGS[arguments.name])
    folder = "photos/train" if of_photos else "cifar10"
    given = f"{folder} {arguments.name}.safetensors {arguments.name} --rounds {arguments.rounds}"
    trained(
        arguments.name,
        arguments.out,
        lambda run: learn(data, settings, run),
        command=f"python plugins/inr/scripts/train.py {given}",
        data=f"of {len(data)} photographs" if of_photos else f"of the first {len(data):,} training images of CIFAR-10",
    )


if __name__ == "__main__":
    main()
