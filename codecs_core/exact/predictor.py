"""A network of images and a linear predictor beside it, as flows have them, in integers; and the phases of an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.errors import ModelError
from codecs_core.exact.net import ExactNet

#: Pixels that are evaluated together.
PIXELS = 1 << 14
#: The phases of a 2 x 2 block as (row, column).
PHASES = ((0, 0), (1, 1), (0, 1), (1, 0))


class Predictor:
    """A network, and beside it a linear predictor of those of its outputs that are means.

    Parameters
    ----------
    tensors, name
        Those of a model, and what the names of these start with: the networks are ``NAME.network`` and ``NAME.linear``.
    inputs, window
        Channels, and that inputs are from -window to window - 1.
    low, high
        Bounds of the outputs of the network.
    means, limit
        Outputs of the linear predictor, and their largest magnitude.

    Raises
    ------
    ModelError
        For a network that is missing, does not fit, or can give outputs beyond their bounds.
    """

    def __init__(
        self,
        tensors: Mapping[str, NDArray[Any]],
        name: str,
        *,
        inputs: int,
        window: int,
        low: NDArray[np.int64],
        high: NDArray[np.int64],
        means: int,
        limit: int,
    ) -> None:
        given: dict[str, Any] = {"inputs": inputs, "span": (-window, window - 1)}
        ends = np.full(means, limit)
        self.network = net_of(tensors, f"{name}.network", **given, low=low, high=high)
        self.linear = net_of(tensors, f"{name}.linear", **given, low=-ends, high=ends)

    def __call__(self, x: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Outputs of the network and of the linear predictor, for integers of shape (n, h, w, inputs)."""
        return evaluate_images(self.network, x), evaluate_images(self.linear, x)


def net_of(
    tensors: Mapping[str, NDArray[Any]],
    name: str,
    *,
    inputs: int,
    span: tuple[int, int],
    low: NDArray[Any] | None = None,
    high: NDArray[Any] | None = None,
) -> ExactNet:
    """The network that a model's tensors hold under a name.

    Parameters
    ----------
    tensors, name
        Those of a model, and what the names of the network's start with.
    inputs, span
        Inputs, and from where to where they will be.
    low, high
        Bounds of each output; None: there may be any number of outputs, without bounds.

    Raises
    ------
    ModelError
        For a network that is missing, does not take such inputs, or can give outputs beyond their bounds.
    """
    net = ExactNet.from_tensors(tensors, name)
    last = net.layers[-1]
    low, high = (last.low if low is None else low), (last.high if high is None else high)
    if (net.inputs, net.outputs) != (inputs, low.size) or net.low > span[0] or net.high < span[1]:
        raise ModelError(
            f"{name} of a model takes {net.inputs} inputs from {net.low} to {net.high} to {net.outputs} outputs; expected "
            f"{inputs} from {span[0]} to {span[1]} to {low.size}"
        )
    if (last.low < low).any() or (last.high > high).any():
        raise ModelError(f"{name} of a model can give parameters outside their range")
    return net


def evaluate_images(net: ExactNet, x: NDArray[Any]) -> NDArray[np.int32]:
    """A network for images of shape (n, h, w, inputs), a few at a time."""
    n, h, w, _ = x.shape
    out = np.empty((n, h, w, net.outputs), np.int32)
    step = max(1, PIXELS // max(1, h * w))
    for i in range(0, n, step):
        out[i : i + step] = net(x[i : i + step])
    return out


def squeeze(x: NDArray[Any]) -> list[NDArray[Any]]:
    """Images as their four phases, of shape (n, ceil(h / 2), ceil(w / 2), channels); beyond the image is zero, as convolutions have it."""
    h, w = x.shape[1:3]
    x = np.pad(x, ((0, 0), (0, h % 2), (0, w % 2), (0, 0))) if h % 2 or w % 2 else x
    return [np.ascontiguousarray(x[:, row::2, column::2]) for row, column in PHASES]


def unsqueeze(phases: Sequence[NDArray[Any]], size: tuple[int, int] | None = None) -> NDArray[Any]:
    """Inverse of `squeeze`, for images of this size; by default twice that of the phases."""
    n, h, w, channels = phases[0].shape
    x = np.empty((n, 2 * h, 2 * w, channels), phases[0].dtype)
    for (row, column), phase in zip(PHASES, phases, strict=True):
        x[:, row::2, column::2] = phase
    return x if size is None else x[:, : size[0], : size[1]]


def extent(phase: int, size: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of a phase of images of this size: one fewer at the end where height or width is odd."""
    row, column = PHASES[phase]
    return (size[0] + 1 - row) // 2, (size[1] + 1 - column) // 2


def cropped(x: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """The first rows and columns of x."""
    return x[:, : size[0], : size[1]]


def padded(x: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """X and zeros beyond it, as convolutions have it."""
    if x.shape[1:3] == size:
        return x
    full = np.zeros((len(x), *size, x.shape[3]), x.dtype)
    full[:, : x.shape[1], : x.shape[2]] = x
    return full
