"""Payloads of the kind ``photograph`` of ``rec.vae``: image by image and step by step, the cells of latents."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Message
from codecs_rec.lossy.model import GREY
from codecs_rec.photograph.model import Photograph
from codecs_rec.photograph.prior import GRID_BITS, Prior
from codecs_rec.picture.model import Place
from codecs_rec.transform import VALUE_BITS

#: What a bit is worth to a search, in squares of a grid's spacing.
WORTH = 0.07


@dataclass(frozen=True, eq=False)
class Photographs:
    """A codec of stacks of photographs, shape (n, h, w, 3), at one quality of a model.

    Parameters
    ----------
    photograph, quality
        The model, and which of its qualities, from 0 on.
    search
        Whether cells have the best of rate and distortion. If not, grids are shifted, and latents are samples.
    """

    photograph: Photograph
    quality: int
    search: bool = True

    def encode(self, images: NDArray[np.uint8]) -> bytes:
        """The message of images."""
        message = Message()
        chosen = [self.choose(image) for image in images] if images.size else []
        for one in reversed(chosen):
            for prior, k in reversed(one.parts):
                prior.push(message, k)
        return message.to_bytes()

    def decode(self, payload: bytes, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """Images of this shape."""
        out, size = np.zeros(shape, np.uint8), (shape[1], shape[2])
        known = Known(Message.from_bytes(payload))
        for i in range(shape[0] if out.size else 0):
            z = self.photograph.latents_of(size, self.quality, not self.search, known)
            out[i] = self.photograph.image(z, size, self.quality)
        known.message.verify_end()
        return out

    def choose(self, image: NDArray[np.uint8]) -> Chosen:
        """What is sent of an image."""
        photograph = self.photograph
        spacing = photograph.spacings[self.quality] * 2.0**-VALUE_BITS
        chosen = Chosen(photograph.lapped.forward(image.astype(np.float64) - GREY) / spacing, self.search)
        photograph.latents_of((image.shape[0], image.shape[1]), self.quality, not self.search, chosen)
        return chosen


@dataclass(frozen=True, eq=False)
class Known:
    """What a message says was chosen."""

    message: Message

    def cells(self, place: Place, prior: Prior) -> NDArray[np.int64]:
        """Pop the cells of latents."""
        return prior.pop(self.message)


@dataclass(frozen=True, eq=False)
class Chosen:
    """What is chosen for an image with the latents `y`, in spacings of the grid; ``parts`` has it in the order in which it is popped."""

    y: NDArray[np.float64]
    search: bool
    parts: list[tuple[Prior, NDArray[np.int64]]] = field(default_factory=list)

    def cells(self, place: Place, prior: Prior) -> NDArray[np.int64]:
        """The cells that latents lie in; by a search, those cells or their neighbours nearer to 0."""
        y = place.take(self.y)
        k = prior.nearest(y)
        if self.search:
            nearer = k - np.sign(k)
            k = np.where(_cost(prior, y, nearer) < _cost(prior, y, k), nearer, k)
        self.parts.append((prior, k))
        return k


def _cost(prior: Prior, y: NDArray[np.float64], k: NDArray[np.int64]) -> NDArray[np.float64]:
    """Squared error of each latent, and what its cell is worth."""
    return np.square(y - prior.means_of(k) * 2.0**-GRID_BITS) + WORTH * prior.bits(k)
