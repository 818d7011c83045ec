"""The frozen model of photographs: what the prior of each latent is, given those before, and what latents stand for."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from codecs_core import ModelParts
from codecs_core.entropy import log2
from codecs_core.exact import ExactNet, net_of
from codecs_rec.lossy.model import CORRECTION, GREY, REACH, squeezed, unsqueezed
from codecs_rec.philox import words
from codecs_rec.photograph.lapped import BLOCK, COLOURS, WINDOW, Lapped
from codecs_rec.photograph.prior import GRID_BITS, Prior
from codecs_rec.picture.model import FIRST, LATER, Phases, Place, evaluate
from codecs_rec.transform import VALUE_BITS

if TYPE_CHECKING:
    from codecs_core import Model

#: Largest magnitude of what networks of priors are given, in units of 2^-8, and of a latent in units of 2^-4.
SPAN, MOST = 32767, 32767
#: Largest magnitude of what networks are told of a quality: four times it is within the range of `refine`.
LEVELS = REACH // 4
#: Largest magnitude of a prior's mean, in units of 2^-8 of a spacing; limits of its log-scale and its logits, in 64ths.
MEANS, SCALES, LOGITS = 1 << 18, (-384, 640), 4096
#: Side of the squares of pixels that the network `refine` sees as one.
SQUARE = 2
#: Last word of the counters of shifts, and the key.
STREAM, KEY = 6, 0


class Chooser(Protocol):
    """What decides on, or decodes, the cells of latents."""

    def cells(self, place: Place, prior: Prior) -> NDArray[np.int64]:
        """Of the latents at these places, flat."""
        ...


class Photograph:
    """A frozen codec of images of any size.

    Parameters
    ----------
    model
        Config: ``kind``, "photograph"; ``groups``, the number of latents of a block up to the end of each group; ``components`` of a
        prior. Tensors: ``basis``, ``colours``, ``places`` as `Lapped` has them; ``spacings`` (qualities) of the grids, in units of
        2^-4 of a value; ``levels`` (qualities), what networks are told of them, in units of 2^-8; the networks ``first.0`` to
        ``first.4``, ``trunk.1`` and on, ``prior.1.0``, ``prior.1.1`` and on, ``refine``.

    Raises
    ------
    ModelError
        If anything is missing or does not fit, or a probe gives other integers than when the model was made.
    """

    def __init__(self, model: Model) -> None:
        parts = ModelParts.of(model)
        self.groups = parts.numbers("groups", range(1, 193), range(1, 9))
        parts.require(bool((np.diff(self.groups) > 0).all()), f"groups that end at {self.groups}")
        self.components = parts.number("components", range(1, 9))
        places = parts.integers("places", (self.groups[-1], 3), 0, BLOCK - 1)
        parts.require(int(places[:, 0].max()) < COLOURS, f"places of {int(places[:, 0].max()) + 1} colours")
        parts.require(len(np.unique(places, axis=0)) == len(places), "two places that are alike")
        whole = (-(1 << 13), 1 << 13)
        self.lapped = Lapped(
            parts.integers("basis", (BLOCK, WINDOW), *whole),
            parts.integers("colours", (COLOURS, COLOURS), *whole),
            places,
        )
        self.spacings = parts.integers("spacings", (-1,), 1, 1 << 14)
        self.levels = parts.integers("levels", (len(self.spacings),), -LEVELS, LEVELS)
        parts.require(len(self.spacings) <= 64, f"{len(self.spacings)} qualities")
        self._networks(model.tensors())

    def _networks(self, tensors: dict[str, NDArray[Any]]) -> None:
        sees, sizes = (-SPAN, SPAN), np.diff(self.groups, prepend=0).tolist()

        def prior(name: str, inputs: int, size: int) -> ExactNet:
            count = size * self.components
            low, high = (
                np.repeat(ends, count) for ends in zip((-LOGITS, LOGITS), (-MEANS, MEANS), SCALES, strict=True)
            )
            return net_of(tensors, name, inputs=inputs, span=sees, low=low, high=high)

        self.first = [prior(f"first.{step}", 2 * sizes[0] + 1, sizes[0]) for step in range(len(FIRST))]
        self.trunks, self.priors, width = [], [], 1
        for group, size in enumerate(sizes[1:], 1):
            name = f"trunk.{group}"
            outputs = ExactNet.from_tensors(tensors, name, probed=False).outputs
            ends = np.zeros(outputs, np.int64), np.full(outputs, SPAN)
            inputs = width + 2 * sizes[group - 1]
            self.trunks.append(net_of(tensors, name, inputs=inputs, span=sees, low=ends[0], high=ends[1]))
            width = outputs
            given = width + 1, width + 1 + 2 * size
            self.priors.append([prior(f"prior.{group}.{step}", n, size) for step, n in enumerate(given)])
        squares = COLOURS * SQUARE**2
        ends = np.full(squares, -CORRECTION), np.full(squares, CORRECTION)
        self.refine = net_of(tensors, "refine", inputs=squares + 1, span=(-REACH, REACH), low=ends[0], high=ends[1])

    @property
    def qualities(self) -> int:
        """How many there are."""
        return len(self.spacings)

    def latents_of(self, size: tuple[int, int], quality: int, shifted: bool, choose: Chooser) -> NDArray[np.int64]:
        """Latents of an image of this height and width, in units of 2^-4, shape (rows, columns, L) of blocks.

        They come step by step, and the priors of each follow from those before. `shifted`: whether grids lie where Philox says.
        """
        rows, columns = (-(-side // BLOCK) for side in size)
        y, z = np.zeros((2, rows, columns, self.groups[-1]), np.int64)
        u = shifts(*y.shape) if shifted else None
        trunk = level = np.full((rows, columns, 1), self.levels[quality])
        before = slice(0)
        for group, own in enumerate(slice(*ends) for ends in pairwise((0, *self.groups))):
            if group:
                trunk = evaluate(self.trunks[group - 1], np.concatenate([trunk, features(y[..., before])], -1))
            for step, phases in enumerate(LATER if group else FIRST):
                given = [trunk, level, features(y[..., own])][: 2 + step] if group else [features(y[..., own]), level]
                net = self.priors[group - 1][step] if group else self.first[step]
                place = Place(phases, own)
                prior = self._prior(evaluate(net, np.concatenate(given, -1)), phases)
                prior = prior if u is None else prior.shifted(place.take(u))
                k = choose.cells(place, prior)
                place.put(y, prior.centres(k))
                place.put(z, np.clip(prior.means_of(k) * self.spacings[quality] >> GRID_BITS, -MOST, MOST))
            before = own
        return z

    def _prior(self, out: NDArray[np.int32], phases: Phases) -> Prior:
        """From outputs of a network, of all blocks, the priors of the latents of those of some phases."""
        at, parts = Place(phases, slice(None)), out.reshape(*out.shape[:2], 3, self.components, -1)
        taken = [at.take(parts[:, :, kind].swapaxes(2, 3)) for kind in range(3)]
        logits, means, log_scales = (part.reshape(-1, self.components) for part in taken)
        return Prior.unshifted(logits, means, log_scales)

    def image(self, z: NDArray[np.int64], size: tuple[int, int], quality: int) -> NDArray[np.uint8]:
        """The image of this height and width that latents stand for."""
        base = self.lapped.inverse(z)
        squares = squeezed(np.clip(base, -REACH, REACH)[None], SQUARE)[0]
        level = np.full((*squares.shape[:2], 1), 4 * self.levels[quality])
        refined = evaluate(self.refine, np.concatenate([squares, level], -1))
        out = base + unsqueezed(refined[None], SQUARE)[0]
        shown = np.clip(((out + (1 << (VALUE_BITS - 1))) >> VALUE_BITS) + GREY, 0, 255)
        return np.asarray(shown[: size[0], : size[1]], np.uint8)


def features(y: NDArray[np.int64]) -> NDArray[np.int64]:
    """What networks see of latents, 0 for those that are not known: a quarter of y, and log2(1 + 2 |y|), in units of 2^-8."""
    return np.concatenate([np.clip(y >> 2, -SPAN, SPAN), (log2(128 + np.abs(y)) >> 8) - (7 << 8)], -1)


@lru_cache(maxsize=4)
def shifts(rows: int, columns: int, latents: int) -> NDArray[np.int64]:
    """The u of each latent, in units of 2^-8: shape (rows, columns, latents), the same for every image."""
    count = rows * columns * latents
    counters = np.zeros((-(-count // 16), 4), np.uint64)
    counters[:, 0], counters[:, 3] = np.arange(len(counters)), STREAM
    drawn = words(counters, KEY)[:, :, None] >> np.arange(0, 32, 8, dtype=np.uint64) & np.uint64(255)
    found: NDArray[np.int64] = drawn.reshape(-1)[:count].astype(np.int64).reshape(rows, columns, latents) - 128
    found.flags.writeable = False
    return found
