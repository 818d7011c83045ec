"""Give a model of `ar.image` a second opinion, for the level smallest: ``python train_smallest.py DATA OUT NAME [--minutes N]``.

DATA is a folder of photographs of any size, OUT the file that is written, NAME the model that is in it too, such as ``photo``.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from codecs_ar.codec import ImageCodec
from codecs_ar.network import Network
from codecs_ar.smallest import training
from codecs_ar.train import some
from PIL import Image

import codecs_core as cc

HELD_OUT, PANELS = 12, 30
ABOUT = "433 photographs, 21 million pixels, reduced 2 or 3 times; the last 12 of them held out"


def kept(path: Path, networks: list[Network]) -> list[Network]:
    """Networks with the weights that were saved beside a model."""
    for network, state in zip(networks, torch.load(path, weights_only=True), strict=True):
        network.load_state_dict(state)
        network.balance()
    return networks


def main() -> None:
    """Train on one thread; save the model, and beside it the networks in floating point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("name")
    parser.add_argument("--minutes", type=float, default=36)
    parser.add_argument("--network", type=Path, help="take these networks, trained before")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model, start = cc.load_model(arguments.name, codec="ar.image"), time.monotonic()
    images = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(arguments.data.iterdir())]
    order = np.random.Generator(np.random.PCG64(0)).permutation(len(images) - HELD_OUT)
    shuffled = [images[i] for i in order]
    wide_priors = training.wide_priors_of(shuffled)

    def progress(done: float, message: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {done:6.1%}  {message}", flush=True)

    if arguments.network:
        inputs = [training.places.features(i) for i in range(3)]
        fresh = [Network(n, hidden=training.HIDDEN, components=training.COMPONENTS) for n in inputs]
        networks = kept(arguments.network, fresh)
    else:
        networks = training.networks_of(
            model, shuffled, images[-HELD_OUT:], wide_priors, budget=60 * arguments.minutes, progress=progress
        )
        torch.save([network.state_dict() for network in networks], arguments.out.with_suffix(".pt"))
    name = arguments.out.stem
    command = f"python plugins/ar/scripts/train_smallest.py DATA {name}.safetensors {arguments.name}"
    about: dict[str, Any] = {
        "command": f"{command} --minutes {arguments.minutes:g}",
        "data": ABOUT,
        "made_of": model.sha256,
    }
    beginnings = [training.usual()] * len(networks)
    for number in range(2):
        found = training.attached(model, networks, wide_priors, beginnings)
        beginnings = training.beginnings_of(found, images[: -HELD_OUT : -(-(len(images) - HELD_OUT) // PANELS)])
        progress(1.0, f"panels looked at, {number + 1} of 2")
    found = training.attached(model, networks, wide_priors, beginnings)
    codec, parts = ImageCodec(model=found, effort="smallest"), some(images[-HELD_OUT:])
    values, bits = sum(x.size for x in parts), sum(8 * len(codec.encode(x)) for x in parts)
    about["held_out"] = {"learning_bits_per_value": round(bits / values, 5), "values": values}
    found = training.attached(model, networks, wide_priors, beginnings, attrs=about, name=name)
    found.save(arguments.out)
    print(f"{len(found.data)} bytes, sha256 {found.sha256}, {found.attrs}")


if __name__ == "__main__":
    main()
