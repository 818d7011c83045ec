"""How an exact network is evaluated: layer by layer, a few images at a time, so that what passes between layers stays in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.exact.blas import one_thread
from codecs_core.exact.layer import EXACT32, Layer
from codecs_core.exact.step import Step, parts, view

#: Pixels that go through a network together, rounded up to whole images; an item without height and width is one pixel.
PIXELS = 1024

_NOTHING = np.empty((0, 0), np.float32)


class Plan:
    """The steps of a network and the buffers between them.

    Parameters
    ----------
    layers
        Checked, and chained.
    spans
        The lowest and highest inputs of each layer.
    bounds
        The bound of each layer, with its bias and its skip, below 2^53.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        spans: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
        bounds: Sequence[int],
    ) -> None:
        self.spans = spans[: len(layers)]
        self.widths = [layers[0].inputs]  # of the buffers
        self.steps: list[Step] = []
        # activation 0 is the input of the network, activation i + 1 the output of layer i
        last_use = {i: i for i in range(len(layers))}
        last_use |= {i + 1 - layer.skip: i for i, layer in enumerate(layers) if layer.skip}
        held = {0: 0}
        for i, layer in enumerate(layers):
            target = -1
            if i < len(layers) - 1:
                target = next(b for b in range(len(held) + 1) if b not in held.values())
                self.widths += [0] * (target == len(self.widths))
                self.widths[target] = max(self.widths[target], layer.outputs)
            dtype = np.dtype(np.float32 if bounds[i] < EXACT32 else np.float64)
            cuts = parts(layer, *spans[i])
            weight = layer.weight.reshape(layer.outputs, -1).T.astype(np.float32 if cuts else np.float64)
            self.steps.append(
                Step(
                    weight=[np.ascontiguousarray(weight[cut]) for cut in cuts or [slice(None)]],
                    taps=(1, 1) if layer.weight.ndim == 2 else layer.weight.shape[1:3],
                    bias=layer.bias.astype(dtype),
                    scale=np.ldexp(np.ones(layer.outputs, dtype), -layer.shift.astype(np.int32)),
                    low=layer.low.astype(dtype),
                    high=layer.high.astype(dtype),
                    source=held[i],
                    skip=held[i + 1 - layer.skip] if layer.skip else -1,
                    target=target,
                )
            )
            held[i + 1] = target
            held = {a: b for a, b in held.items() if last_use.get(a, 0) > i}

    def __call__(self, x: NDArray[Any]) -> NDArray[np.int32]:
        """Evaluate images of shape (batch, height, width, inputs) to (batch, height, width, outputs)."""
        batch, height, width, _ = x.shape
        out = np.empty((*x.shape[:3], self.steps[-1].outputs), np.int32)
        if out.size == 0:
            return out
        images = min(-(-PIXELS // (height * width)), batch)
        pixels = images * height * width
        # inputs and outputs of a layer are below 2^24: float32 holds them whatever the layer is evaluated in
        buffers = [np.empty(pixels * n * 4, np.uint8) for n in self.widths]
        sizes = zip(*(step.scratch(pixels) for step in self.steps), strict=True)
        columns, sums = (np.empty(max(n), np.uint8) for n in sizes)
        # sums are proven exact, whatever flags a kernel raises for lanes that it computes and does not use
        with one_thread(), np.errstate(all="ignore"):
            for first in range(0, batch, images):
                self._evaluate(x[first : first + images], out[first : first + images], buffers, columns, sums)
        return out

    def _evaluate(
        self,
        x: NDArray[Any],
        out: NDArray[np.int32],
        buffers: list[NDArray[np.uint8]],
        columns: NDArray[np.uint8],
        sums: NDArray[np.uint8],
    ) -> None:
        size = x.shape[1], x.shape[2]
        pixels = x.shape[0] * size[0] * size[1]

        def activations(buffer: int, channels: int) -> NDArray[Any]:
            return view(buffers[buffer], np.float32, pixels, channels)

        activations(0, x.shape[3]).reshape(x.shape)[:] = x
        for step in self.steps:
            skip = activations(step.skip, step.outputs) if step.skip >= 0 else _NOTHING
            result = activations(step.target, step.outputs) if step.target >= 0 else out.reshape(pixels, -1)
            step(activations(step.source, step.inputs), skip, result, size, columns, sums)
