"""Payloads of the kind ``picture`` of ``rec.vae``: image by image and step by step, classes of cells, octaves, and boxes with the rests."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Bits, Categorical, Message, exponents, log2
from codecs_rec.latents import prices
from codecs_rec.lossy.model import SAMPLED
from codecs_rec.model import scales
from codecs_rec.picture.blocks import Blocks
from codecs_rec.picture.model import CELL, TOLD, Picture, Place
from codecs_rec.transform import VALUE_BITS

#: Candidates that are looked at for a block, by a search of each effort: a matter of speed, not of format.
SEARCHED = {"standard": 1 << 14, "smallest": 1 << 16}


@dataclass(frozen=True, eq=False)
class Pictures:
    """A codec of stacks of pictures, shape (n, h, w, 3), at one quality of a model.

    Parameters
    ----------
    picture, quality
        The model, and which of its qualities, from 0 on.
    search, effort
        As `LossyCodec` has them.
    """

    picture: Picture
    quality: int
    search: bool = True
    effort: str = "standard"

    def encode(self, images: NDArray[np.uint8]) -> bytes:
        """The message of images."""
        parts = [part for image in images for part in self.choose(image).parts] if images.size else []
        message = Message()
        for codec, symbols in reversed(parts):
            codec.push(message, symbols)
        return message.to_bytes()

    def decode(self, payload: bytes, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """Images of this shape."""
        out, size = np.zeros(shape, np.uint8), (shape[1], shape[2])
        known = Known(self.picture, Message.from_bytes(payload), size)
        for i in range(shape[0] if out.size else 0):
            out[i] = self.picture.image(self.picture.latents_of(size, self.quality, known), size, self.quality)
        known.message.verify_end()
        return out

    def choose(self, image: NDArray[np.uint8]) -> Chosen:
        """What is sent of an image."""
        searched = SEARCHED[self.effort] if self.search else 0
        chosen = Chosen(self.picture, self.quality, self.picture.analyse(image), searched)
        self.picture.latents_of((image.shape[0], image.shape[1]), self.quality, chosen)
        return chosen


@dataclass(frozen=True, eq=False)
class Known:
    """What a message says was chosen."""

    picture: Picture
    message: Message
    size: tuple[int, int]

    def classes(self, step: int, place: Place, means: NDArray[np.int64], told: NDArray[np.int64]) -> NDArray[np.int64]:
        """Pop the class of each cell."""
        cells = told.shape[0] // CELL, told.shape[1] // CELL
        return np.asarray(classes_of(self.picture, step, cells).pop(self.message))

    def boxes(
        self, blocks: Blocks, place: Place | None, means: NDArray[np.int64] | int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pop the box of each block, and the number in it."""
        octaves = octaves_of(self.picture, blocks).pop(self.message)
        rest = Bits(blocks.bits() + octaves).pop(self.message)
        leading = np.int64(1) << octaves
        return rest >> octaves, leading + (rest & (leading - 1))


@dataclass(frozen=True, eq=False)
class Chosen:
    """What is chosen for an image with the latents `y`, among a number of candidates; 0: by ordered random coding.

    ``parts`` has what is to be pushed, in the order in which it is popped.
    """

    picture: Picture
    quality: int
    y: NDArray[np.float64]
    searched: int
    parts: list[tuple[Any, NDArray[np.int64]]] = field(default_factory=list)
    blocks: list[tuple[Blocks, NDArray[np.int64]]] = field(default_factory=list)
    kinds: list[tuple[int, NDArray[np.int64]]] = field(default_factory=list)

    def classes(self, step: int, place: Place, means: NDArray[np.int64], told: NDArray[np.int64]) -> NDArray[np.int64]:
        """The class of each cell under which its latents, and the class, have the largest density."""
        picture = self.picture
        squares = np.square(self.y[..., place.group] - means * 2.0**-VALUE_BITS)
        there, alone = np.zeros((*told.shape[:2], 1)), Place(place.phases, slice(None))
        alone.put(there, np.ones(alone.take(there).size))
        nats = -log2(picture.classes[step]) * 2.0**-16 * math.log(2)
        costs = []
        for boost, price in zip(picture.boosts, nats, strict=True):
            deviations = picture.noises[self.quality] + np.clip(told + boost, 0, TOLD)
            each = 0.5 * squares * scales(-2 * deviations) + deviations * (math.log(2) / 64)
            # a running sum has its terms in order on every machine
            of = each.cumsum(2)[..., -1] * there[..., 0]
            costs.append(of[::2, ::2] + of[::2, 1::2] + of[1::2, ::2] + of[1::2, 1::2] + price)
        k = np.argmin(costs, axis=0)
        self.parts.append((classes_of(picture, step, k.shape), k))
        self.kinds.append((step, k))
        return np.asarray(k)

    def boxes(
        self, blocks: Blocks, place: Place | None, means: NDArray[np.int64] | int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Search for each block."""
        picture, costs = self.picture, prices(self.picture.octaves)
        if place is None:
            mean = picture.summarise(self.y, self.quality).reshape(-1)[blocks.members]
        else:
            mean = blocks.standardised(place.take(self.y) - means * 2.0**-VALUE_BITS)
        # a number is none that the tables lack
        most = min(self.searched or SAMPLED, (1 << costs.shape[1]) - 1)
        box, number = blocks.choose(mean, most, costs[blocks.row] if self.searched else costs[0, :0])
        octaves = exponents(number)
        rest = (box << octaves) + number - (np.int64(1) << octaves)
        self.parts.extend([(octaves_of(picture, blocks), octaves), (Bits(blocks.bits() + octaves), rest)])
        self.blocks.append((blocks, number))
        return box, number


def classes_of(picture: Picture, step: int, cells: tuple[int, ...]) -> Categorical:
    """Code of the classes of cells."""
    return Categorical(picture.classes[step], shape=cells)


def octaves_of(picture: Picture, blocks: Blocks) -> Categorical:
    """Code of the octaves of blocks' numbers."""
    return Categorical(picture.octaves, index=np.full(blocks.count, blocks.row))
