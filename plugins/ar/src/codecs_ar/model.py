"""What a model file holds, ready for use: for each plane a prior of the predictor, and a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar import kernels, neighbours
from codecs_ar.planes import PRECISION, ROLES, Planes, Seen
from codecs_core.entropy import LogisticMixture, Message
from codecs_core.entropy.distributions.location_scale import SCALE_RANGE
from codecs_core.errors import ModelError
from codecs_core.exact import ExactNet
from codecs_core.exact.layer import EXACT32

#: Features are integers of at most this magnitude.
FEATURE_LIMIT = 127
#: Bounds, in magnitude, of what networks say: logits, means and log-scales, in units of 1/64.
LIMITS = (1 << 11, 1 << 11, 1 << 10)
#: Layers and widths a model may have.
LAYERS, WIDEST = 8, 1024
#: Values that are pushed at a time: few enough to be coded by one head.
BLOCK = 1 << 13


@dataclass(frozen=True, eq=False)
class Plane:
    """How the values of a plane are coded: the predictor's prior, as `kernels.solve` takes it, and the network."""

    prior: NDArray[np.float64]
    net: ExactNet
    compiled: kernels.Network


class Autoregression:
    """A model as it codes.

    Parameters
    ----------
    config
        `channels`: 1, or 3; `components` of a mixture; `decays`, two of them in 256ths.
    tensors
        ``planeI.prior`` and networks ``planeI.network``.

    Raises
    ------
    ModelError
        For anything missing, out of range or unfit.
    """

    def __init__(self, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> None:
        channels, components, decays = (config.get(key) for key in ("channels", "components", "decays"))
        if channels not in (1, 3) or type(components) is not int or not 1 <= components <= 16:
            raise ModelError(
                f"a model of ar.image has 1 or 3 channels and 1 to 16 components, not {channels!r} and {components!r}"
            )
        if (
            not isinstance(decays, list)
            or len(decays) != 2
            or not all(type(d) is int and 0 <= d <= 255 for d in decays)
        ):
            raise ModelError(f"the decays of a model of ar.image are two integers from 0 to 255, not {decays!r}")
        self.channels, self.components = int(channels), components
        self.decays = np.array(decays) / 256.0
        self.planes = [self._plane(i, tensors) for i in range(self.channels)]

    def _plane(self, plane: int, tensors: Mapping[str, NDArray[Any]]) -> Plane:
        n = neighbours.regressors(plane)
        prior = tensors.get(f"plane{plane}.prior")
        if prior is None or prior.dtype != np.float64 or prior.shape != (n * (n + 1) // 2 + n,):
            raise ModelError(f"a model of ar.image lacks plane{plane}.prior, {n * (n + 1) // 2 + n} doubles")
        if not (np.abs(prior) < 1e12).all():
            raise ModelError(f"plane{plane}.prior of a model holds numbers of 1e12 and more, or none")
        net = ExactNet.from_tensors(tensors, f"plane{plane}.network")
        return Plane(prior.copy(), net, compiled(net, neighbours.features(plane), self.components))

    def push(self, message: Message, images: NDArray[Any]) -> None:
        """Push images of shape (n, height, width, channels), uint8 or uint16: the last plane first, in each the last value first."""
        planes = Planes.of(images)
        seen = [self._look(planes, i) for i in range(planes.count)]
        for i in reversed(range(planes.count)):
            plane, values = self.planes[ROLES[i]], planes.values[i].reshape(-1).astype(np.int32)
            for start in reversed(range(0, values.size, BLOCK)):
                part = slice(start, start + BLOCK)
                self.mixture(plane, seen[i], part, planes.top).push(message, values[part])

    def pop(self, message: Message, shape: tuple[int, int, int, int], dtype: str) -> NDArray[Any]:
        """Pop images of this shape."""
        n, h, w, channels = shape
        planes = Planes((channels, n, h, w), int(np.iinfo(dtype).max))
        for i in range(channels):
            plane = self.planes[ROLES[i]]
            planes.pop(message, i, plane.prior, self.decays, plane.compiled, self.components)
        return planes.images_of(dtype)

    def _look(self, planes: Planes, i: int) -> Seen:
        return planes.look(i, self.planes[ROLES[i]].prior, self.decays)

    def mixture(self, plane: Plane, seen: Seen, part: slice, top: int) -> LogisticMixture:
        """Distribution of some values of a plane."""
        out = plane.net(seen.features[part])
        logits, means, log_scales = np.split(out.astype(np.int64), 3, axis=1)
        centre, spread = seen.centres[part, None], seen.spreads[part, None]
        mean = (centre * kernels.UNIT).astype(np.int64) + np.floor(means * (spread * 4.0)).astype(np.int64)
        log_scale = kernels.log2_of(spread) + log_scales
        return LogisticMixture(logits, mean, np.clip(log_scale, *SCALE_RANGE), symbols=top + 1, precision=PRECISION)


def compiled(net: ExactNet, inputs: int, components: int) -> kernels.Network:
    """A network as the kernel takes it; raises `ModelError` where its shape, its range or its bound is not what that can do."""
    if net.inputs != inputs or net.outputs != 3 * components or (net.low, net.high) != (-FEATURE_LIMIT, FEATURE_LIMIT):
        raise ModelError(
            f"a network of ar.image takes {inputs} numbers from -{FEATURE_LIMIT} to {FEATURE_LIMIT} and gives {3 * components}, "
            f"not {net.inputs} from {net.low} to {net.high} and {net.outputs}"
        )
    if len(net.layers) > LAYERS or any(
        layer.skip or layer.weight.ndim != 2 or layer.outputs > WIDEST for layer in net.layers
    ):
        raise ModelError(f"a network of ar.image has up to {LAYERS} layers of up to {WIDEST} outputs, without a skip")
    bound = np.repeat(LIMITS, components)
    last = net.layers[-1]
    if (last.low < -bound).any() or (last.high > bound).any():
        raise ModelError(f"a network of ar.image gives logits, means and log-scales beyond {LIMITS}")
    sizes = [kernels.padded(inputs)]
    weights: list[NDArray[np.int16]] = []
    fields: list[list[NDArray[np.int64]]] = []
    low, high = (np.full(inputs, v, np.int64) for v in (net.low, net.high))
    for layer in net.layers:
        largest = max(int(np.abs(a.astype(np.float64)).max()) for a in (layer.weight, layer.low, layer.high))
        if layer.reach(low, high).max() >= EXACT32 or largest >= 1 << 15:
            raise ModelError(
                "a network of ar.image has sums of 2^24, or weights or outputs of 2^15 and more: freeze it with fewer bits"
            )
        wide = layer.outputs if layer is last else kernels.padded(layer.outputs)
        weight = np.zeros((wide, sizes[-1]), np.int16)
        weight[: layer.outputs, : layer.inputs] = layer.weight
        rows = [np.zeros(wide, np.int64) for _ in range(4)]
        for row, field in zip(rows, (layer.bias, layer.shift, layer.low, layer.high), strict=True):
            row[: layer.outputs] = field
        weights.append(weight.reshape(-1))
        fields.append(rows)
        sizes.append(wide)
        low, high = layer.low.astype(np.int64), layer.high.astype(np.int64)
    biases, shifts, lows, highs = (np.concatenate(p) for p in zip(*fields, strict=True))
    return kernels.Network(np.concatenate(weights), biases, shifts, lows, highs, np.array(sizes, np.int64), max(sizes))
