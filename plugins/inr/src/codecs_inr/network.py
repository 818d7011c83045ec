"""The network in floating point, as it is fitted: a SIREN, many of them at once (Sitzmann et al. 2020), and its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Gradient:
    """What `Siren.gradient` finds.

    Parameters
    ----------
    squares
        Squared errors, summed for each network: shape (n,).
    weights
        The gradient of half of them, scaled: shape (n, size).
    error
        The same with respect to the sums of the first layer: shape (n, places, units).
    shared
        Likewise, of what all networks share.
    """

    squares: Floats
    weights: Floats
    error: Floats
    shared: Sequence[Floats] = field(default=())


class Siren:
    """Layers of sines, the last one linear: y = W sin(... sin(W x + b) ...) + b.

    A signal has a network of its own. Its weights are a row of numbers: layer by layer, of each a matrix of shape (inputs + 1,
    outputs) whose last row is the bias.

    Parameters
    ----------
    widths
        Inputs, hidden units of each layer, outputs.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        self.widths = tuple(widths)
        self.shapes = [(a + 1, b) for a, b in pairwise(widths)]
        self.ends = np.cumsum([a * b for a, b in self.shapes]).tolist()
        self.size: int = self.ends[-1]
        self.parts = [a * b for a, b in self.shapes]

    @property
    def shared(self) -> Sequence[Floats]:
        """What all networks share and is learned: nothing here."""
        return ()

    def layers(self, w: NDArray[np.floating]) -> list[NDArray[np.floating]]:
        """Views of rows of weights, shape (n, size), as matrices of shape (n, inputs + 1, outputs)."""
        starts = [0, *self.ends[:-1]]
        return [w[:, a:b].reshape(len(w), *shape) for a, b, shape in zip(starts, self.ends, self.shapes, strict=True)]

    def initial(self, rng: np.random.Generator) -> Floats:
        """Weights to start from, shape (size,), and so large that every layer's outputs spread alike: uniform, +-sqrt(6 / inputs)."""
        parts = [rng.uniform(-1, 1, shape) * np.sqrt(6 / (shape[0] - 1)) for shape in self.shapes]
        return np.concatenate([part.reshape(-1) for part in parts]).astype(np.float32)

    def __call__(self, w: Floats, x: Floats) -> Floats:
        """Outputs of n networks, shape (n, places, outputs), at places with features of shape (places, inputs)."""
        *hidden, last = self.layers(w)
        for layer in hidden:
            x = np.sin(_affine(x, layer))
        return _affine(x, last)

    def gradient(self, w: Floats, x: Floats, y: Floats, scale: Floats | None = None) -> Gradient:
        """Squared errors against `y`, shape (n, places, outputs), and the gradient of half of them, times `scale`, shape (n,)."""
        *hidden, last = self.layers(w)
        inputs, slopes = [x], []
        for layer in hidden:
            u = _affine(inputs[-1], layer)
            inputs.append(np.sin(u))
            slopes.append(np.cos(u, out=u))
        error = _affine(inputs[-1], last)
        error -= y
        squares = np.einsum("npc,npc->n", error, error)
        if scale is not None:
            error *= scale[:, None, None]
        found = np.empty_like(w)
        parts = self.layers(found)
        ones = np.ones((1, error.shape[1]), np.float32)  # a product is faster than a sum along the middle axis
        for at in range(len(hidden), -1, -1):
            np.matmul(np.swapaxes(inputs[at], -1, -2), error, out=parts[at][:, :-1])
            parts[at][:, -1] = (ones @ error)[:, 0]
            if at:
                layer = (*hidden, last)[at]
                error = error @ layer[:, :-1].swapaxes(1, 2)
                error *= slopes[at - 1]
        return Gradient(squares, found, error)


def _affine(x: Floats, layer: NDArray[np.floating]) -> Floats:
    out: Floats = x @ layer[:, :-1]
    out += layer[:, -1:]
    return out
