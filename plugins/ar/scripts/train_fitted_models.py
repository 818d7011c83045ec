"""Train the model ``cifar10`` of ``ar.stack``, with the predictors of ``ar.image``: ``python train_fitted_models.py DATA OUT``.

DATA is a folder of sprites ``train-*.webp`` of 50 x 50 training images of CIFAR-10 each (Krizhevsky 2009). What is seen of them is written
once, 0.6 GB a part into the folder of OUT; then the networks learn from random batches of it, on one thread, at a rate that falls to zero
in N minutes. A training that was interrupted goes on when the same command is given again; with another rate a second one begins, from
where the first one ended. The model that ships had two: ``--minutes 61 --parts 8`` and then ``--minutes 33 --rate 0.0012``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from codecs_ar import neighbours
from codecs_ar.stack.fitted import Fitted, Plane, Scene
from codecs_ar.stack.fitted_network import FEATURE_BITS, Network, frozen
from codecs_ar.stack.regression import packed
from codecs_ar.workspace import Predictors
from numpy.typing import NDArray
from PIL import Image

import codecs_core as cc
from codecs_core.entropy import Message
from codecs_core.learn.muon import optimiser_of

#: Widths of the networks. Squares of the radius of each window: in its own plane, without what is described anyway; in those before it.
WIDTHS, WINDOWS, COMPONENTS = ((192, 128), (160, 96), (160, 96)), ((20,), (0, 5), (0, 5, 5)), 5
#: Training images in a part, and parts; images held out at the end, watched, and measured when all is done.
PART, PARTS, HELD, WATCHED, MEASURED = 2500, 19, 2000, 200, 500
BATCH, RATE, MUON, INTERVAL = 8192, 3e-3, 7.0, 75.0
SHAPE, ORDER, DECAYS, PERIODS = [32, 32, 3], [1, 0, 2], [184, 243], [1, 4]
DATA = "the first {:,} training images of CIFAR-10; the last 2,000 held out"

Rows = tuple[NDArray[np.int8], NDArray[np.float32], NDArray[np.uint8]]


def load(folder: Path) -> NDArray[np.uint8]:
    """The images, shape (n, 32, 32, 3)."""
    sprites = [np.asarray(Image.open(file).convert("RGB")) for file in sorted(folder.glob("train-*.webp"))]
    return np.concatenate([x.reshape(50, 32, 50, 32, 3).swapaxes(1, 2).reshape(2500, 32, 32, 3) for x in sprites])


def window(plane: int) -> NDArray[np.int8]:
    """Taps in a plane, and in those before it."""
    own, *others = WINDOWS[plane]
    grid = [(row, column) for row in range(-4, 5) for column in range(-4, 5)]
    taps = [(*p, 0) for p in grid if p < (0, 0) and p[0] ** 2 + p[1] ** 2 <= own and p not in neighbours.VALUES]
    for before, most in enumerate(others, 1):
        taps += [(*p, before) for p in grid if 0 < p[0] ** 2 + p[1] ** 2 <= most]
    return np.array(taps, np.int8).reshape(-1, 3)


def seen(images: NDArray[np.uint8], priors: list[NDArray[np.float64]]) -> list[Rows]:
    """Of each plane features, what is expected and its scale, and values, image after image."""
    planes = [Plane(packed(prior, neighbours.regressors(i)), window(i), None) for i, prior in enumerate(priors)]  # type: ignore[arg-type]
    model = SimpleNamespace(
        shape=SHAPE, channels=ORDER, symbols=256, predictors=Predictors.of(DECAYS, PERIODS), planes=planes
    )
    scene = Scene.of(model, images)  # type: ignore[arg-type]
    found = []
    for i in range(len(planes)):
        rows, told = scene.rows(i, 0, len(images))
        found.append((rows, told[:, :2].copy(), scene.by_place(i).T.reshape(-1)))
    return found


def part(number: int, images: NDArray[np.uint8], priors: list[NDArray[np.float64]], folder: Path) -> list[Rows]:
    """What is seen of a part of the images, in random order: written once, then mapped."""
    files = [[folder / f"part{number}-{i}-{j}.npy" for j in range(3)] for i in range(3)]
    if not files[-1][-1].exists():
        rng = np.random.default_rng(number)
        for names, plane in zip(files, seen(images, priors), strict=True):
            order = rng.permutation(len(plane[0]))
            for file, field in zip(names, plane, strict=True):
                np.save(file.with_suffix(".new.npy"), field[order])
                os.replace(file.with_suffix(".new.npy"), file)
    return [tuple(np.load(file, mmap_mode="r") for file in names) for names in files]  # type: ignore[misc]


def bits(network: Network, rows: Rows) -> torch.Tensor:
    """What values cost."""
    features, told, values = (torch.from_numpy(np.array(field)).float() for field in rows)
    return network.bits(features * 2.0**-FEATURE_BITS, values, told)


def rate(network: Network, rows: Rows) -> float:
    """Bits per value, without training."""
    network.eval()
    with torch.inference_mode():
        cuts = range(0, len(rows[0]), BATCH)
        found = sum(float(bits(network, tuple(field[a : a + BATCH] for field in rows)).sum()) for a in cuts)  # type: ignore[arg-type]
    network.train()
    return found / len(rows[0])


class Run:
    """Networks and what is needed to go on with them; `spent` are seconds."""

    def __init__(self, path: Path, rate: float) -> None:
        torch.manual_seed(0)
        inputs = [neighbours.features(i) + len(window(i)) for i in range(3)]
        sizes = zip(inputs, WIDTHS, strict=True)
        self.networks = [Network(n, width=a, narrow=b, components=COMPONENTS) for n, (a, b) in sizes]
        self.optimisers = [optimiser_of(self.groups(network), rate) for network in self.networks]
        self.path, self.rate, self.steps, self.spent = path, rate, 0, 0.0
        if path.exists():
            state = torch.load(path, weights_only=True)
            for own, saved in zip((*self.networks, *self.optimisers), state["parts"], strict=True):
                own.load_state_dict(saved)
            self.steps, self.spent = state["steps"], state["spent"] if state["rate"] == rate else 0.0

    @staticmethod
    def groups(network: Network) -> list[dict[str, Any]]:
        """Matrices for Muon, and all else."""
        matrices = network.matrices()
        others = [p for p in network.parameters() if not any(p is m for m in matrices)]
        return [{"params": others, "gain": 1.0}, {"params": matrices, "matrices": True, "gain": MUON}]

    def save(self) -> None:
        """Write a checkpoint."""
        parts = [own.state_dict() for own in (*self.networks, *self.optimisers)]
        torch.save(
            {"parts": parts, "steps": self.steps, "spent": self.spent, "rate": self.rate}, self.path.with_suffix(".new")
        )
        os.replace(self.path.with_suffix(".new"), self.path)

    def step(self, parts: list[list[Rows]], share: float, rng: np.random.Generator) -> None:
        """One of each network, at a share of the rate."""
        for i, (network, optimiser) in enumerate(zip(self.networks, self.optimisers, strict=True)):
            rows = parts[rng.integers(len(parts))][i]
            first = int(rng.integers(len(rows[0]) - BATCH))
            optimiser.zero_grad()
            bits(network, tuple(field[first : first + BATCH] for field in rows)).mean().backward()  # type: ignore[arg-type]
            if torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0).isfinite():
                for group in optimiser.param_groups:
                    group["lr"] = self.rate * group["gain"] * share
                optimiser.step()
        self.steps += 1


def main() -> None:
    """Train, freeze and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--parts", type=int, default=PARTS, help="of 2,500 images, to learn from")
    parser.add_argument(
        "--rate", type=float, default=RATE, help="of Adam at the beginning; that of Muon is 7 times as high"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    images, out = load(arguments.data), arguments.out
    known = cc.load_model("cifar10", codec="ar.image").tensors()
    priors = [known[f"plane{i}.prior"] for i in range(3)]
    parts = [part(k, images[k * PART : (k + 1) * PART], priors, out.parent) for k in range(arguments.parts)]
    watched, run = seen(images[-HELD:][:WATCHED], priors), Run(out.with_suffix(".checkpoint"), arguments.rate)
    start, look, rng = time.monotonic() - run.spent, 0.0, np.random.default_rng(run.steps)
    while (done := run.spent / (60 * arguments.minutes)) < 1:
        run.step(parts, min(1.0, (run.steps + 1) / 100) * (1 - done), rng)
        run.spent = time.monotonic() - start
        if run.spent > look:
            found = [rate(network, rows) for network, rows in zip(run.networks, watched, strict=True)]
            print(f"{run.spent:6.0f} s  {done:6.1%}  step {run.steps}: {np.mean(found):.4f} bits per value", flush=True)
            run.save()
            look = run.spent + INTERVAL
    run.save()
    last = images[-MEASURED:]
    floating = float(
        np.mean([rate(network, rows) for network, rows in zip(run.networks, seen(last, priors), strict=True)])
    )
    command = " ".join(["python plugins/ar/scripts/train_fitted_models.py DATA cifar10.safetensors", *sys.argv[3:]])
    learnt = PART * arguments.parts
    model = frozen(
        run.networks,
        [window(i) for i in range(3)],
        priors,
        [rows[::13] for rows, *_ in seen(images[:60], priors)],
        config={"shape": SHAPE, "order": ORDER, "decays": DECAYS, "periods": PERIODS},
        attrs={"command": command, "data": DATA.format(learnt), "images": learnt, "seed": 0, "steps": run.steps},
        name="cifar10",
    )
    message = Message()
    Fitted(model.config, model.tensors()).push(message, last)
    held = {"float_bits_per_value": floating, "integer_bits_per_value": message.bits / last.size, "values": last.size}
    model = model.replaced(attrs={**model.attrs, "held_out": held})
    model.save(out)
    print(f"{len(model.data)} bytes, sha256 {model.sha256}, {model.attrs}")


if __name__ == "__main__":
    main()
