"""Models with predictors: `ar.image`'s are fitted to each image as it is coded, and a network sees what they say, and a window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar import neighbours
from codecs_ar.neighbours import MARGIN
from codecs_ar.passes import places
from codecs_ar.stack import fitting
from codecs_ar.stack.regression import IMAGES, packed
from codecs_ar.stack.tensors import unpacked
from codecs_ar.workspace import Predictors
from codecs_core import ModelParts
from codecs_core.entropy import WIDE, LogisticMixture, Message, table
from codecs_core.exact import ExactNet

#: What a plane is looked at with: what is seen, predictors, and room to work in.
Sight = tuple[fitting.Scenery, fitting.Group, fitting.Desk]
#: The largest height and width, components, and period of a predictor.
SIDE, COMPONENTS, LONGEST = 128, 16, 1 << 16
#: Bounds of what a network says, in units of 1/64: logits of a base 2, means in scales of errors, octaves of log-scales.
LIMITS = (-(1 << 12), 1 << 12), (-(1 << 11), 1 << 11), (-(1 << 10), 1 << 10)
#: Log-scales of a mixture.
FINEST, COARSEST = -384, 1280
#: Images that are looked at together where all are known.
TOGETHER = 32


@dataclass(frozen=True, eq=False)
class Plane:
    """How the values of a channel are coded: the prior of its predictors, the window, shape (t, 3) as `View.taps`, and a network."""

    prior: NDArray[np.float32]
    window: NDArray[np.int8]
    network: ExactNet


class Fitted:
    """A model as it codes.

    Parameters
    ----------
    config
        `shape`: height, width and channels of an image, 1 or 3. `order`: the channels as they are coded. `components` of mixtures.
        `decays` of both predictors, in 256ths; `periods`: for this number of values each is solved once.
    tensors
        As `tensors.packed` makes them, without curves; and for each channel, in the order in which they are coded, the prior
        ``planeI.prior`` as in a model of ``ar.image``.

    Raises
    ------
    ModelError
        For anything missing, out of range or unfit.
    """

    symbols = 256

    def __init__(self, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> None:
        parts = ModelParts(config, tensors, "ar.stack")
        height, width, channels = parts.numbers("shape", range(1, SIDE + 1), (3,))
        parts.require(channels in (1, 3), f"{channels} channels; a model with predictors has 1 or 3")
        self.shape = height, width, channels
        self.channels = parts.numbers("order", range(channels), (channels,))
        complete = sorted(self.channels) == [*range(channels)]
        parts.require(complete, f"order {self.channels}, which does not name each of {channels} channels once")
        self.components = parts.number("components", range(1, COMPONENTS + 1))
        decays = parts.numbers("decays", range(256), (2,))
        self.predictors = Predictors.of(decays, parts.numbers("periods", range(1, LONGEST + 1), (2,)))
        every = unpacked(channels, tensors, curves=False)
        self.planes = [self._plane(i, parts, every) for i in range(channels)]

    def _plane(self, plane: int, parts: ModelParts, tensors: Mapping[str, NDArray[Any]]) -> Plane:
        n = neighbours.regressors(plane)
        prior = parts.tensor(f"plane{plane}.prior", "float64", (n * (n + 1) // 2 + n,))
        parts.require(bool((np.abs(prior) < 1e12).all()), f"a plane{plane}.prior of numbers of 1e12 and more, or none")
        window = tensors[f"plane{plane}.taps"]
        last = 0
        for down, right, before in window.astype(int):
            known = last <= before <= plane and (before > 0 or (down, right) < (0, 0))
            near = max(abs(down), abs(right)) <= MARGIN
            parts.require(known and near, f"a tap ({down}, {right}, {before}) in plane {plane}, not known or too far")
            last = before
        network = ExactNet.from_tensors(tensors, f"plane{plane}")
        inputs, outputs = neighbours.features(plane) + len(window), 3 * self.components
        parts.require(
            (network.inputs, network.outputs) == (inputs, outputs),
            f"a network of {network.inputs} inputs and {network.outputs} outputs in plane {plane}; expected {inputs} and {outputs}",
        )
        low, high = limits(self.components)
        end = network.layers[-1]
        parts.require(
            network.low <= -127 and network.high >= 127 and not (end.low < low).any() and not (end.high > high).any(),
            f"a network in plane {plane} that takes fewer inputs, or says more, than it may",
        )
        return Plane(packed(prior, n), window, network)

    @property
    def room(self) -> int:
        """Values of an image with its margins."""
        height, width, channels = self.shape
        return (height + 2 * MARGIN) * (width + 2 * MARGIN) * channels

    def push(self, message: Message, images: NDArray[np.uint8]) -> None:
        """Push images of shape (n, height, width, channels): what is popped last is pushed first."""
        scene = Scene.of(self, images)
        # places are pushed together as far as their array is coded by one head, as that of one place is: the same message
        together = max(1, (WIDE - 1) // max(1, len(images)))
        for i, (outputs, told) in reversed([(i, scene.follow(i)) for i in range(len(self.planes))]):
            values = scene.by_place(i)
            for first in reversed(range(0, len(values), together)):
                part = np.s_[first : first + together]
                self.mixture(outputs[part], told[part]).push(message, values[part])

    def information(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Bits that each value of images costs."""
        scene, bits = Scene.of(self, images), np.empty(images.shape)
        for i, channel in enumerate(self.channels):
            found = self.mixture(*scene.follow(i)).information(scene.by_place(i))
            bits[..., channel] = found.T.reshape(images.shape[:3])
        return bits

    def pop(self, message: Message, count: int) -> NDArray[np.uint8]:
        """Pop `count` images."""
        scene = Scene(self, count)
        height, width, _ = self.shape
        for i, plane in enumerate(self.planes):
            scenery, groups, desk = scene.start(i, count)
            described = neighbours.features(i)
            rows, told = np.empty((count, plane.network.inputs), np.int8), np.empty((count, fitting.TOLD), np.float32)
            values = np.empty(count, np.int32)
            for place in range(height * width):
                fitting.go_on(scenery, groups, desk, place, described, values, rows, told)
                values = self.mixture(plane.network(rows), told).pop(message)
            fitting.go_on(scenery, groups, desk, height * width, described, values, rows, told)
        images = np.empty((count, *self.shape), np.uint8)
        images[..., self.channels] = scene.values.transpose(1, 2, 3, 0)
        return images

    def mixture(self, outputs: NDArray[Any], told: NDArray[np.float32]) -> LogisticMixture:
        """The distribution of values, from what a network says of them, shape (..., 3 * components), and what was told of them."""
        shape = *outputs.shape[:-1], self.components
        logits, means, log_scales = (np.empty(shape, np.int32) for _ in range(3))
        rows = (a.reshape(-1, a.shape[-1]) for a in (outputs, told))
        fitting.mix(*rows, FINEST, COARSEST, *(a.reshape(-1, self.components) for a in (logits, means, log_scales)))
        return LogisticMixture(logits, means, log_scales)


def limits(components: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The lowest and the highest each output of a network can be."""
    low, high = np.repeat(np.array(LIMITS), components, axis=0).T
    return low, high


class Scene:
    """Images while they are coded, as planes with margins.

    Parameters
    ----------
    model
        The model.
    count
        How many images.
    """

    def __init__(self, model: Fitted, count: int) -> None:
        height, width, channels = model.shape
        self.model, self.count = model, count
        padded = channels, count, height + 2 * MARGIN, width + 2 * MARGIN
        self.x, self.e = np.zeros(padded, np.float32), np.zeros(padded, np.float32)
        self.values = self.x[:, :, MARGIN : MARGIN + height, MARGIN : MARGIN + width]

    @classmethod
    def of(cls, model: Fitted, images: NDArray[np.uint8]) -> Scene:
        """Images of shape (n, height, width, channels), all known."""
        scene = cls(model, len(images))
        scene.values[:] = images.transpose(3, 0, 1, 2)[[*model.channels]]
        return scene

    def by_place(self, plane: int) -> NDArray[np.uint8]:
        """The values of a plane, shape (places, images)."""
        height, width, _ = self.model.shape
        values: NDArray[np.uint8] = self.values[plane].astype(np.uint8)
        return values.transpose(1, 2, 0).reshape(height * width, self.count)

    def start(self, plane: int, images: int) -> Sight:
        """Begin a plane, with the predictors of this number of images."""
        model, (height, width, _) = self.model, self.model.shape
        of, stride = model.planes[plane], width + 2 * MARGIN
        x, e = (a[: plane + 1].reshape(-1) for a in (self.x, self.e))
        rows, columns, before = of.window.astype(np.int64).T
        scenery = fitting.Scenery(
            (plane, self.count, height, width, model.symbols - 1),
            x,
            e,
            places(plane, stride),
            of.prior,
            model.predictors,
            table("log2_mantissa"),
            rows * stride + columns,
            np.searchsorted(before, np.arange(plane + 2)),
        )
        n, described = neighbours.regressors(plane), neighbours.features(plane)
        groups = fitting.Group.empty(-(-images // IMAGES), n, height, width)
        return scenery, groups, fitting.Desk.empty(described, len(of.window), n)

    def rows(
        self, plane: int, first: int, last: int, sight: Sight | None = None
    ) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """What is seen of the values of known images from `first` to before `last`, and told of them; planes before were looked at."""
        scenery, groups, desk = sight or self.start(plane, 1)
        height, width, _ = self.model.shape
        described = neighbours.features(plane)
        rows = np.empty(((last - first) * height * width, described + scenery.window.size), np.int8)
        told = np.empty((len(rows), fitting.TOLD), np.float32)
        fitting.follow(scenery, groups, desk, first, last, described, rows, told)
        return rows, told

    def follow(self, plane: int) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
        """What a plane's network says of all values, once all planes before it were followed: place after place, of all images."""
        network, (height, width, _) = self.model.planes[plane].network, self.model.shape
        outputs = np.empty((height * width, self.count, network.outputs), np.int16)
        every = np.empty((height * width, self.count, fitting.TOLD), np.float32)
        sight = self.start(plane, 1)
        for first in range(0, self.count, TOGETHER):
            last = min(first + TOGETHER, self.count)
            rows, told = self.rows(plane, first, last, sight)
            for of_all, found in ((outputs, network(rows)), (every, told)):
                of_all[:, first:last] = found.reshape(last - first, height * width, -1).swapaxes(0, 1)
        return outputs, every
