"""A trained flow of images as a black box: ``python benchmarks/lbb_box.py cifar10 test-00.webp [--side 16] [--step 5]``.

The first image, cut to a side that the model takes, is coded layer by layer and by algorithm 1 of Ho, Lohn, Abbeel 2019, whose Jacobian
is of differences: CPU time, and bits a dimension on the grid of the model.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from codecs_lbb import black_box
from codecs_lbb.base import Base
from codecs_lbb.layers import FactorOut
from codecs_lbb.model import FlowModel
from lbb import images
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.entropy import Message

#: Images that go through the flow together.
BATCH = 64
Vectors = NDArray[np.float64]


class Vector:
    """A flow of images of one shape, (h, w, channels), as a map of vectors."""

    def __init__(self, model: FlowModel, shape: tuple[int, ...]) -> None:
        self.model, self.shape, self.grid = model, shape, model.grid

    def forward(self, x: Vectors) -> Vectors:
        """Z of images, some at a time."""
        parts = []
        for start in range(0, len(x), BATCH):
            batch = self.grid.units(x[start : start + BATCH]).reshape(-1, *self.shape)
            points = self.model.codec(len(batch), *self.shape[:2]).forward(batch)
            parts.append(np.concatenate([z.reshape(len(batch), -1) for z in points], 1))
        return self.grid.values(np.concatenate(parts))

    def inverse(self, z: Vectors) -> Vectors:
        """Images of z."""
        flow, units = self.model.codec(len(z), *self.shape[:2]), self.grid.units(z)
        shapes = [a.shape for a in flow.forward(np.zeros((len(z), *self.shape), np.int64))]
        ends = np.cumsum([np.prod(shape[1:]) for shape in shapes])[:-1]
        points = [part.reshape(shape) for part, shape in zip(np.split(units, ends, 1), shapes, strict=True)]
        return self.grid.values(flow.inverse(points).reshape(len(z), -1))


def measured(model: FlowModel, x: NDArray[np.uint8]) -> dict[str, Any]:
    """One image, of shape (1, h, w, channels), by both."""
    flow, start = model.codec(*x.shape[:3]), Message.random(0)
    centred = flow.centred(x)
    noisy = centred + flow.noise(centred).pop(start)
    message, z, slopes = start.copy(), noisy, 0.0
    began = time.process_time()
    for layer in flow.layers:
        z = layer.push(message, z)
    layers = message.bits - start.bits, time.process_time() - began
    z = noisy
    for layer in flow.layers:
        z, shorter = layer.forward(z)
        slopes += 0.0 if isinstance(layer, FactorOut) else shorter.sum()
    vector, row, message = Vector(model, x.shape[1:]), noisy.reshape(1, -1), start.copy()
    began = time.process_time()
    points = black_box.push(message, model.grid, row, vector)
    Base(model.grid, points.shape).push(message, points)
    box = message.bits - start.bits, time.process_time() - began
    return {
        "dimensions": x.size,
        "layers_bits_per_dimension": layers[0] / x.size,
        "layers_seconds": layers[1],
        "log2_determinant_per_dimension_of_the_layers": slopes / x.size,
        "black_box_bits_per_dimension": box[0] / x.size,
        "black_box_seconds": box[1],
        "slower": box[1] / layers[1],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="name or path")
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--side", type=int, default=16, help="of what is cut out of the first image")
    parser.add_argument("--step", type=int, default=5, help="differences are of 2^-STEP to either side")
    arguments = parser.parse_args()
    model = cc.get_codec("lbb.flow", model=arguments.model).learnt
    flow, side = FlowModel(model.config, model.tensors()), arguments.side
    x = images(arguments.data)[:1, :side, :side].reshape(1, side, side, -1)
    black_box.MOST, black_box._STEP_BITS = max(black_box.MOST, x.size), arguments.step
    measured(flow, x[:, : flow.step, : flow.step])  # compiles
    print(json.dumps(measured(flow, x), indent=2))


if __name__ == "__main__":
    main()
