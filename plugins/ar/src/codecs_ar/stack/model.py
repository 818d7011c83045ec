"""What a model file holds, ready for use: for each channel what is seen of an image, and a network."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar.stack.kernels import look
from codecs_ar.stack.mixture import Mixture
from codecs_ar.stack.tensors import unpacked
from codecs_ar.stack.view import HIGH, LOW, ONE, Canvas, Order, View
from codecs_core import ModelParts
from codecs_core.entropy import Message
from codecs_core.errors import ModelError
from codecs_core.exact import ExactNet

#: The largest height and width, channels, atoms and tallies, components, and reach of a tap.
SIDE, CHANNELS, ATOMS, COMPONENTS, REACH = 128, 4, 16, 16, 31


#: Rows and columns of pixels, a plane, outputs of its network, which of them are those of each pixel, and what is expected there.
Step = tuple[NDArray[Any], NDArray[Any], int, NDArray[Any], NDArray[Any], NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Plane:
    """How the values of a channel are coded."""

    view: View
    mixture: Mixture
    network: ExactNet


class Stack:
    """A model as it codes.

    Parameters
    ----------
    config
        `shape`: height, width and channels of an image. `symbols`: values are below; 2 to 256. `atoms` and `components` of mixtures.
        `tallies`: values that are counted. `order`: the channels as they are coded. `referred`: whether there are references.
    tensors
        As `tensors.packed` makes them: for each channel, in the order in which they are coded, what is seen and a network.

    Raises
    ------
    ModelError
        For anything missing, out of range or unfit.
    """

    def __init__(self, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> None:
        parts = ModelParts(config, tensors, "ar.stack")
        height, width, channels = parts.numbers("shape", range(1, SIDE + 1), (3,))
        parts.require(channels <= CHANNELS, f"{channels} channels; expected 1 to {CHANNELS}")
        self.shape = height, width, channels
        self.symbols = parts.number("symbols", range(2, 257))
        components = parts.number("components", range(COMPONENTS + 1))
        atoms, tallies = (parts.numbers(key, range(self.symbols), range(ATOMS + 1)) for key in ("atoms", "tallies"))
        said = bool(atoms) or components > 0 or self.symbols == 2
        parts.require(said, "neither atoms nor components for more than two values")
        self.channels = parts.numbers("order", range(CHANNELS), (channels,))
        complete = sorted(self.channels) == [*range(channels)]
        parts.require(complete, f"order {self.channels}, which does not name each of {channels} channels once")
        self.referred = config.get("referred") is True
        if type(config.get("referred")) is not bool or (self.referred and self.symbols == 2):
            raise ModelError("referred of a model of ar.stack must be true or false, and false for two values")
        self.mixture = Mixture(self.symbols, atoms, components, self.referred)
        self.tallies = tallies
        every = unpacked(channels, tensors)
        self.planes = [self._plane(i, every) for i in range(channels)]
        taps = [plane.view.taps for plane in self.planes]
        if self.referred:
            taps.append(np.array([(-1, -1, 0), (0, -1, 0), (-1, 0, 0)], np.int8))
        self.canvas, self.order = Canvas.of(self.shape, *taps), Order.of(self.shape, *taps)

    def _plane(self, plane: int, tensors: Mapping[str, NDArray[Any]]) -> Plane:
        taps, curves, counting = (tensors[f"plane{plane}.{key}"] for key in ("taps", "curves", "counting"))
        for down, right, channel in taps.astype(int):
            known = down < 0 or (down == 0 and right < 0) or (down == right == 0 and channel < plane)
            if not known or max(-down, abs(right)) > REACH or not 0 <= channel < self.shape[2]:
                raise ModelError(
                    f"plane{plane}.taps of a model has ({down}, {right}, {channel}), which is not known or too far"
                )
        if curves.shape[1] != (511 if self.referred else 256):
            raise ModelError(f"curves of plane {plane} of a model have {curves.shape[1]} columns")
        for table in (curves, counting):
            if table.size and not LOW <= int(table.min()) <= int(table.max()) <= HIGH:
                raise ModelError(
                    f"plane{plane} of a model sees {table.min()} to {table.max()}; expected {LOW} to {HIGH}"
                )
        view = View(self.shape, taps, curves, self.tallies, counting, plane, self.referred)
        network = ExactNet.from_tensors(tensors, f"plane{plane}")
        if (network.inputs, network.outputs) != (view.inputs, self.mixture.outputs):
            raise ModelError(
                f"the network of plane {plane} of a model has {network.inputs} inputs and {network.outputs} outputs; "
                f"expected {view.inputs} and {self.mixture.outputs}"
            )
        low, high = self.mixture.limits()
        last = network.layers[-1]
        if network.low > LOW or network.high < HIGH or (last.low < low).any() or (last.high > high).any():
            raise ModelError(f"the network of plane {plane} of a model takes fewer inputs, or says more, than it may")
        return Plane(view, self.mixture, network)

    @property
    def room(self) -> int:
        """Values of an image with its margins."""
        return math.prod(self.canvas.whole)

    def push(self, message: Message, images: NDArray[np.uint8]) -> None:
        """Push images of shape (n, height, width, channels): what is popped last is pushed first."""
        scene = Scene(self, len(images))
        scene.inside[:] = images[..., self.channels]
        for rows, columns, i, outputs, which, expectations in reversed(list(self._outputs(scene))):
            values = scene.inside[:, rows, columns, i].T.reshape(-1)
            self.mixture(outputs[which], expectations).push(message, values)

    def information(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Bits that each value of images costs."""
        scene = Scene(self, len(images))
        scene.inside[:] = images[..., self.channels]
        bits = np.empty(images.shape)
        for rows, columns, i, outputs, which, expectations in self._outputs(scene):
            values = scene.inside[:, rows, columns, i].T
            found = self.mixture(outputs[which], expectations).information(values.reshape(-1))
            bits[:, rows, columns, self.channels[i]] = found.reshape(values.shape).T
        return bits

    def _outputs(self, scene: Scene) -> Iterator[Step]:
        """Of all networks, front after front, for images that are known."""
        for rows, columns in self.order.fronts:
            for i, plane in enumerate(self.planes):
                inputs, which, expectations = scene.look(i, rows, columns)
                yield rows, columns, i, plane.network(inputs), which, expectations
            scene.count(rows, columns)

    def pop(self, message: Message, count: int) -> NDArray[np.uint8]:
        """Pop `count` images."""
        scene = Scene(self, count)
        for rows, columns in self.order.fronts:
            for i, plane in enumerate(self.planes):
                inputs, which, expectations = scene.look(i, rows, columns)
                distribution = self.mixture(plane.network(inputs)[which], expectations)
                scene.inside[:, rows, columns, i] = distribution.pop(message).reshape(len(rows), count).T
            scene.count(rows, columns)
        images = np.empty((count, *self.shape), np.uint8)
        images[..., self.channels] = scene.inside
        return images


class Scene:
    """Images while they are coded: what is known of them, and how often the values that are counted were coded.

    Parameters
    ----------
    stack
        The model.
    count
        How many images.
    """

    def __init__(self, stack: Stack, count: int) -> None:
        self.stack = stack
        self.canvas = stack.canvas.new(count)
        self.flat = self.canvas.reshape(count, math.prod(stack.canvas.whole))
        self.inside = stack.canvas.inside(self.canvas)
        self.places = stack.canvas.places()
        views = [plane.view for plane in stack.planes]
        self.taps = [np.stack([stack.canvas.offsets(v.taps), v.taps[:, 2].astype(np.int64)], 1) for v in views]
        self.tallies = np.zeros((len(stack.planes), count, len(stack.tallies)), np.int32)

    def look(
        self, plane: int, rows: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> tuple[NDArray[np.int16], NDArray[np.int32], NDArray[np.int64]]:
        """Inputs of a plane's network for pixels of all images; which of them are those of each; and what is expected of each."""
        view, count = self.stack.planes[plane].view, len(self.canvas)
        out = np.zeros((len(rows) * count, view.inputs), np.int16)
        which, expectations = np.empty(len(out), np.int32), np.zeros(len(out) * view.referred, np.int64)
        _, width, channels = self.stack.canvas.whole
        used = look(
            self.flat,
            self.places[rows, columns],
            view.marks(rows, columns),
            self.taps[plane],
            view.curves,
            self.tallies[plane],
            view.counting,
            (int(view.referred), width * channels, channels, plane),
            ONE,
            out,
            which,
            expectations,
        )
        return out[:used], which, expectations

    def count(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> None:
        """Count the values of pixels, which are known now."""
        for i, value in enumerate(self.stack.tallies):
            self.tallies[:, :, i] += (self.inside[:, rows, columns] == value).sum(1, dtype=np.int32).T
