"""The lossy variational autoencoder in integers: how images become latents, how these are sent, and what they stand for."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codecs_core import ModelParts
from codecs_core.entropy import log2
from codecs_core.exact import ExactNet
from codecs_rec.index import PRECISION
from codecs_rec.latents import KEY, prices
from codecs_rec.lossy.detail import NOISES, shared, with_noise
from codecs_rec.lossy.plan import DEVIATIONS, Plan, amplitudes, plan, whole_plan
from codecs_rec.model import MOST_OCTAVES, scales
from codecs_rec.samplers.partition import shortlist
from codecs_rec.transform import MATRIX_BITS, VALUE_BITS, Transform

if TYPE_CHECKING:
    from codecs_core import Model

#: Largest magnitude of what the network is given, in units of 2^-4; and of what it gives.
REACH, CORRECTION = 4096, 2048
#: Grey, which latents count from.
GREY = 128
#: Candidates that are looked at for a block, by a search of each effort and for a sample: a matter of speed, not of format.
SEARCHED, SAMPLED = {"standard": 1 << 12, "smallest": 1 << 15}, 1 << 18


class LossyVAE:
    """A frozen autoencoder of images: z ~ N(0, S^2) by class, a linear encoder, and a decoder that refines the linear one by a network.

    Parameters
    ----------
    whole
        Whether blocks are not cut, as in payloads of versions 1 and 2: for decoding alone.
    model
        Config: ``item_shape``, (h, w) or (h, w, c); ``largest``, 1 or 255; ``squeeze``, side of the squares of pixels that the
        network sees as one; ``block_bits``. Tensors: ``rows``, ``columns``, ``colours``, ``places`` as `Transform` has them;
        ``deviations`` (classes, latents) and ``noises`` (qualities), 64 log2 of standard deviations in 8-bit values; ``classes`` and
        ``octaves`` (block_bits + 1, octaves), counts adding up to 2^20; the network ``decoder``; of a model that draws detail, the
        network ``detail``.

    Raises
    ------
    ModelError
        If anything is missing or does not fit, or the probe gives other integers than when the model was made.
    """

    def __init__(self, model: Model, *, whole: bool = False) -> None:
        self._make = whole_plan if whole else plan
        parts = ModelParts.of(model)
        shape = parts.numbers("item_shape", range(1, (1 << 16) + 1), (2, 3))
        self.item_shape, self.pixels = shape, math.prod(shape)
        parts.require(self.pixels <= 1 << 16, f"items of {self.pixels} values")
        self.largest, self.block_bits = parts.number("largest", (1, 255)), parts.number("block_bits", range(1, 18))
        height, width, channels = (*shape, 1)[:3]
        self._unit, self._squeeze = 255 // self.largest, parts.number("squeeze", (1, 2, 4))
        parts.require(height % self._squeeze == width % self._squeeze == 0, f"squeeze {self._squeeze}")
        one = 1 << MATRIX_BITS
        sides = {"rows": height, "columns": width, "colours": channels}
        matrices = [parts.integers(name, (side, side), -one, one) for name, side in sides.items()]
        places = parts.integers("places", (-1,), 0, self.pixels - 1)
        parts.require(bool((np.diff(places) > 0).all()), "places that do not ascend")
        self.transform = Transform(matrices[0], matrices[1], matrices[2], places)
        self.deviations = parts.integers("deviations", (-1, places.size), 0, DEVIATIONS - 1)
        self.noises = parts.integers("noises", (-1,), 0, DEVIATIONS - 1)
        parts.require(len(self.noises) <= 64, f"{len(self.noises)} qualities")
        self.classes = parts.counts("classes", (len(self.deviations),), PRECISION)
        self.octaves = parts.counts("octaves", (self.block_bits + 1, -1), PRECISION)
        parts.require(self.octaves.shape[1] <= MOST_OCTAVES, f"indices of {self.octaves.shape[1]} octaves")
        outputs = channels * self._squeeze**2
        self.decoder = _network(parts, "decoder", outputs + 1, outputs)
        draws = any(name.startswith("detail.") for name in parts.tensors)
        self.detail = _network(parts, "detail", outputs + 1 + NOISES, outputs) if draws else None
        self.plan = lru_cache(maxsize=512)(self._plan)

    def _plan(self, quality: int, k: int) -> Plan:
        """How items of class k are sent at a quality: `plan`, remembered."""
        return self._make(self.deviations[k], int(self.noises[quality]), self.block_bits)

    @property
    def qualities(self) -> int:
        """How many there are."""
        return len(self.noises)

    # --- encoders: floats where they like -----------------------------------------------------------

    def coefficients(self, x: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Coefficients, shape (n, latents), of items of shape (n, pixels), in units of 2^-4."""
        centred = (x.astype(np.int64) * self._unit - GREY) << VALUE_BITS
        return self.transform.forward(centred.reshape(len(x), *self.transform.shape))

    def classify(self, y: NDArray[np.int64], quality: int) -> NDArray[np.int64]:
        """The class with the highest density of the noisy coefficients, for each item."""
        squares = (y * 2.0**-VALUE_BITS) ** 2
        costs = []
        for deviations, count in zip(self.deviations, self.classes, strict=True):
            bits = np.maximum(deviations, self.noises[quality])
            constant = 2 * math.log(2) * (bits.sum() / 64 - int(log2(count)) * 2.0**-16)
            # a running sum has its terms in order on every machine
            costs.append((squares * scales(-2 * bits)).cumsum(1)[:, -1] + constant)
        return np.asarray(np.argmin(costs, axis=0), np.int64)

    def posterior(self, y: NDArray[np.int64], quality: int, k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean (n, latents) and scale (latents,) of q(z | x), in units of the prior's deviation, of items of class k."""
        deviations = self.deviations[k]
        information = np.maximum(deviations - self.noises[quality], 0)
        mean = y * 2.0**-VALUE_BITS * scales(-deviations) * (amplitudes()[np.minimum(information, 511)] * 2.0**-16)
        return mean, scales(-information)

    def indices(
        self, y: NDArray[np.int64], k: NDArray[np.int64], quality: int, *, search: int, length: int = 1
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Boxes of the blocks, and numbers in them, both of shape (n, most blocks, length); 0 where an item has no such block.

        Of `search` candidates of each block they are those with the best of rate and distortion, the best first. If it is 0, they are a
        sample, and the length is 1.
        """
        count = max((len(self.plan(quality, c).blocks) for c in set(k.tolist())), default=0)
        box, number = np.zeros((2, len(y), count, length), np.int64)
        costs = prices(self.octaves)
        # a number is none that the tables lack
        most = min(search or SAMPLED, (1 << costs.shape[1]) - 1)
        for c in sorted(set(k.tolist())):
            rows, how = np.flatnonzero(k == c), self.plan(quality, c)
            mean, scale = self.posterior(y[rows], quality, c)
            price = np.broadcast_to(costs[how.row], (len(rows), costs.shape[1])) if search else np.empty((len(rows), 0))
            for b, at in enumerate(how.blocks):
                m, s = mean[:, at], np.broadcast_to(scale[at], (len(rows), at.size))
                cuts, elements = np.broadcast_to(how.cuts[at], m.shape), np.full(len(rows), b)
                box[rows, b], number[rows, b] = shortlist(m, s, cuts, KEY, most, elements, price, length)
        return box, number

    def errors(self, z: NDArray[np.int64], x: NDArray[np.uint8], quality: int) -> NDArray[np.int64]:
        """Squared errors, in 8-bit values, of an item of shape (pixels,) as latents of shape (n, latents) have it: shape (n,)."""
        difference = self.values(z, quality).astype(np.int64) - x
        return np.asarray(np.square(difference).sum(1) * self._unit**2)

    # --- decoders: integers -------------------------------------------------------------------------

    def counts(self, k: NDArray[np.int64], quality: int) -> NDArray[np.int64]:
        """How many blocks items of these classes have."""
        return np.array([len(self.plan(quality, c).blocks) for c in k.tolist()], np.int64)

    def rows(self, k: NDArray[np.int64], quality: int) -> NDArray[np.int64]:
        """Table of the octaves of each block of each item, flat."""
        which = [self.plan(quality, c) for c in k.tolist()]
        return np.repeat(np.array([p.row for p in which], np.int64), [len(p.blocks) for p in which])

    def bits(self, k: NDArray[np.int64], quality: int) -> NDArray[np.int64]:
        """Of the box of each block of each item, flat."""
        return np.array([bits for c in k.tolist() for bits in self.plan(quality, c).bits()], np.int64)

    def latents(
        self, box: NDArray[np.int64], number: NDArray[np.int64], k: NDArray[np.int64], quality: int
    ) -> NDArray[np.int64]:
        """Coefficients that boxes and numbers as `indices` has them stand for, in units of 2^-4: shape (n, latents)."""
        z = np.zeros((len(number), self.deviations.shape[1]), np.int64)
        for c in sorted(set(k.tolist())):
            rows, how = np.flatnonzero(k == c), self.plan(quality, c)
            for b, at in enumerate(how.blocks):
                z[np.ix_(rows, at)] = how.latents(box[rows, b], number[rows, b], b)
        return z

    def values(self, z: NDArray[np.int64], quality: int, detail: int = 0) -> NDArray[np.uint8]:
        """The pixels that latents stand for, and this many hundredths of the detail that is drawn: shape (n, pixels)."""
        base = self.transform.inverse(z)
        out = base + unsqueezed(self.decoder(self.seen(base, quality)), self._squeeze)
        if detail and self.detail is not None:
            drawn = self.detail(with_noise(self.seen(out, quality)))
            out += shared(unsqueezed(drawn, self._squeeze), detail)
        shown = np.clip(((out + (1 << (VALUE_BITS - 1))) >> VALUE_BITS) + GREY, 0, 255)
        return np.asarray((shown if self.largest == 255 else shown >> 7).reshape(len(z), self.pixels), np.uint8)

    def seen(self, image: NDArray[np.int64], quality: int) -> NDArray[np.int64]:
        """What a network is given: the squares of an image, and the level of the noise."""
        squares = squeezed(np.clip(image, -REACH, REACH), self._squeeze)
        level = np.broadcast_to(4 * self.noises[quality], (*squares.shape[:3], 1))
        return np.concatenate([squares, level], axis=3)


def _network(parts: ModelParts, name: str, inputs: int, outputs: int) -> ExactNet:
    """A network of these widths, whose inputs and outputs have their limits."""
    network = ExactNet.from_tensors(parts.tensors, name)
    widths = network.inputs, network.outputs
    parts.require(widths == (inputs, outputs), f"a network of widths {widths}")
    parts.require(
        (network.low, network.high) == (-REACH, REACH), f"a network of inputs from {network.low} to {network.high}"
    )
    last = network.layers[-1]
    small = int(last.low.min()) >= -CORRECTION and int(last.high.max()) <= CORRECTION
    parts.require(small, f"a network of outputs beyond {CORRECTION}")
    return network


def squeezed(x: NDArray[Any], side: int) -> NDArray[Any]:
    """Images with squares of pixels as pixels: from (n, h, w, c) to (n, h / side, w / side, c side^2), rows of a square within channels."""
    n, h, w, c = x.shape
    x = x.reshape(n, h // side, side, w // side, side, c)
    return x.transpose(0, 1, 3, 5, 2, 4).reshape(n, h // side, w // side, c * side * side)


def unsqueezed(x: NDArray[Any], side: int) -> NDArray[Any]:
    """Inverse of `squeezed`."""
    n, h, w, c = x.shape
    x = x.reshape(n, h, w, c // side**2, side, side)
    return x.transpose(0, 1, 4, 2, 5, 3).reshape(n, h * side, w * side, c // side**2)
