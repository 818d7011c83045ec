"""Train the model ``cifar10``: ``python train_cifar10.py DATA OUT [--network STATE]``.

DATA is a folder with sprites ``train-*.webp`` of 50 x 50 training images of CIFAR-10 each (Krizhevsky 2009).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from codecs_lbb.train import Settings
from numpy.typing import NDArray
from PIL import Image
from train_mnist import run

SETTINGS = Settings(kind="flow++", noise_width=32, steps=13_859)


def load(folder: Path) -> NDArray[np.uint8]:
    """The images, in the order of the names of their files."""
    sprites = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.glob("train-*.webp"))]
    return np.concatenate([s.reshape(50, 32, 50, 32, 3).swapaxes(1, 2).reshape(2500, 32, 32, 3) for s in sprites])


if __name__ == "__main__":
    run(
        "cifar10",
        load,
        SETTINGS,
        held_out=2_500,
        data="the 50,000 training images of CIFAR-10, the last 2,500 of them held out",
    )
