"""Train the models this plugin ships: ``python train_mnist.py mnist_train.npz OUT [mnist | mnist-binary] [--epochs N]``.

The file holds the 60,000 training images of MNIST (LeCun et al.) as ``images``, uint8, shape (60000, 28, 28).
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from codecs_bbans.train import Settings, learn

from codecs_core.learn import Run

SETTINGS = {
    "mnist": Settings(epochs=60, hidden=512, latents=50, components=8, seed=0),
    "mnist-binary": Settings(epochs=100, hidden=512, latents=40, binarise=True, seed=0),
}


def main() -> None:
    """Train one model on one thread; save it, and beside it the network in floating point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("name", choices=sorted(SETTINGS))
    parser.add_argument("--epochs", type=int)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings = SETTINGS[arguments.name]
    if arguments.epochs:
        settings = replace(settings, epochs=arguments.epochs)
    start = time.monotonic()

    def progress(done: float, message: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {done:4.0%}  {message}", flush=True)

    images = np.load(arguments.data)["images"]
    about = {
        "command": f"python plugins/bbans/scripts/train_mnist.py mnist_train.npz {arguments.name}.safetensors {arguments.name}",
        "data": "the 60,000 training images of MNIST, the last 3,000 of them held out",
    }
    network, model = learn(images, settings, Run(progress=progress, name=arguments.name, about=about))
    torch.save(network.state_dict(), arguments.out.with_suffix(".pt"))
    model.save(arguments.out)
    print(f"{len(model.data)} bytes, sha256 {model.sha256}, {model.attrs}")


if __name__ == "__main__":
    main()
