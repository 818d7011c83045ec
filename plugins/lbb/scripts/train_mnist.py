"""Train the model ``mnist``: ``python train_mnist.py mnist_train.npz OUT [--network STATE]``.

The file holds the 60,000 training images of MNIST (LeCun et al.) as ``images``, uint8, shape (60000, 28, 28).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from codecs_lbb.freeze import frozen
from codecs_lbb.train import EXAMPLES, GRIDS, Settings, evaluate, fit, network_of, tensor
from numpy.typing import NDArray

from codecs_core.learn import Run

SETTINGS = Settings(
    kind="realnvp",
    couplings=(4, 6),
    width=32,
    blocks=1,
    noise_width=16,
    centre=0,
    mirror=False,
    batch=32,
    steps=1_960,
)


def load(path: Path) -> NDArray[np.uint8]:
    """The images, with an axis for their one channel."""
    images: NDArray[np.uint8] = np.load(path)["images"][..., None]
    return images


def run(name: str, load: Callable[[Path], NDArray[np.uint8]], settings: Settings, *, held_out: int, data: str) -> None:
    """Train one model on one thread; save it, and beside it the network in floating point."""
    parser = argparse.ArgumentParser(description=f"Train the model {name}.")
    parser.add_argument("data", type=Path, help="the training images")
    parser.add_argument("out", type=Path, help="OUT.safetensors; beside it OUT.pt, and while it lasts OUT.checkpoint")
    parser.add_argument("--network", type=Path, help="freeze this network, trained before with the same settings")
    parser.add_argument("--steps", type=int, help="in place of the settings' own number of them")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.steps:
        settings = replace(settings, steps=arguments.steps)
    images, start = load(arguments.data), time.monotonic()
    fitted, held = images[:-held_out], images[-held_out:]

    def progress(done: float, message: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {done:6.1%}  {message}", flush=True)

    if arguments.network:
        network = network_of(images.shape[3], settings)
        network.load_state_dict(torch.load(arguments.network, weights_only=True))
    else:
        checkpoint = arguments.out.with_suffix(".checkpoint")
        network, _ = fit(fitted, held, settings, Run(progress=progress, checkpoint=checkpoint))
        torch.save(network.state_dict(), arguments.out.with_suffix(".pt"))
        checkpoint.unlink(missing_ok=True)
    said = {
        "command": f"python plugins/lbb/scripts/train_{name}.py DATA {name}.safetensors",
        "data": data,
        "held_out": {"float_bits_per_value": round(evaluate(network, held), 5)},
        "kind": settings.kind,
        "steps": settings.steps,
    }
    model = frozen(network, tensor(fitted[:EXAMPLES]), grid=GRIDS[settings.kind], attrs=said, name=name)
    model.save(arguments.out)
    print(f"{len(model.data)} bytes, sha256 {model.sha256}, {model.attrs}")


if __name__ == "__main__":
    run(
        "mnist",
        load,
        SETTINGS,
        held_out=2_500,
        data="the 60,000 training images of MNIST, the last 2,500 of them held out",
    )
