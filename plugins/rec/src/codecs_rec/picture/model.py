"""The learned transform in integers: how a picture becomes latents, what the prior of each is, and what they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from codecs_core import ModelParts
from codecs_core.entropy import log2
from codecs_core.exact import ExactNet, evaluate_images, net_of
from codecs_rec.index import PRECISION
from codecs_rec.lossy.model import CORRECTION, GREY, REACH, squeezed, unsqueezed
from codecs_rec.model import MOST_OCTAVES
from codecs_rec.picture.blocks import Blocks
from codecs_rec.transform import MATRIX_BITS, VALUE_BITS

if TYPE_CHECKING:
    from codecs_core import Model

#: Side of a block in pixels, pixels that its window reaches beyond it, and colours.
BLOCK, MARGIN, COLOURS = 8, 8, 3
#: Side of what a cell of hyper-latents stands for, in blocks.
CELL = 2
#: Largest magnitude of a latent in units of 2^-4, and of what networks see, in units of 2^-8; fractional bits of that.
MOST, SPAN, SEEN_BITS = 32767, 2048, 8
#: Fractional bits of means, which are in units of their own, and their largest magnitude.
MEAN_BITS, MEANS = 10, 16383
#: The most that a latent tells, in 64ths of a bit.
TOLD = 511

#: Of which blocks latents are sent in a step: side of a square of blocks, and (row, column) of some in it. Those of the first group
#: come from coarse to fine, so that most blocks have neighbours that are known.
Phases = tuple[int, tuple[tuple[int, int], ...]]
FIRST: tuple[Phases, ...] = (
    (4, ((0, 0),)),
    (4, ((2, 2),)),
    (4, ((0, 2), (2, 0))),
    (2, ((1, 1),)),
    (2, ((0, 1), (1, 0))),
)
LATER: tuple[Phases, ...] = ((2, ((0, 0), (1, 1))), (2, ((0, 1), (1, 0))))


@dataclass(frozen=True, eq=False)
class Place:
    """Where the latents of a step are: a group of those of the blocks of some phases, phase by phase, row by row.

    Parameters
    ----------
    phases
        Of which blocks.
    group
        Which latents of a block.
    """

    phases: Phases
    group: slice

    def take(self, x: NDArray[Any]) -> NDArray[Any]:
        """Those latents, flat, of an array of all."""
        return np.concatenate([part.reshape(-1) for part in self._parts(x)])

    def put(self, x: NDArray[Any], values: NDArray[Any]) -> None:
        """The inverse of `take`."""
        first = 0
        for part in self._parts(x):
            part[...] = values[first : first + part.size].reshape(part.shape)
            first += part.size

    def _parts(self, x: NDArray[Any]) -> list[NDArray[Any]]:
        side, places = self.phases
        return [x[i::side, j::side, self.group] for i, j in places]


class Chooser(Protocol):
    """What decides on, or decodes, what is sent."""

    def classes(self, step: int, place: Place, means: NDArray[np.int64], told: NDArray[np.int64]) -> NDArray[np.int64]:
        """The class of each cell, shape (rows, columns) of cells, given means and information of all blocks, by their priors."""
        ...

    def boxes(
        self, blocks: Blocks, place: Place | None, means: NDArray[np.int64] | int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """A box and a number for each block.

        Given are where the latents of the step are, and the means of their priors, flat, in units of 2^-4; None and 0 for hyper-latents.
        """
        ...


def steps(groups: int) -> list[tuple[int, Phases]]:
    """The group of latents and the phases of blocks of each step."""
    return [(0, phases) for phases in FIRST] + [(group, phases) for group in range(1, groups) for phases in LATER]


class Picture:
    """A frozen transform of pictures of any size.

    Parameters
    ----------
    model
        Config: ``kind``, "picture"; ``groups``, the number of latents of a block up to the end of each group; ``hyper``, that of a
        cell's hyper-latents; ``block_bits``. Tensors: ``noises`` (qualities), 64 log2 of the deviation of the noise in 8-bit values;
        ``units`` (latents), log2 of what networks see each latent in; ``signs`` (2, latents), what the latent of a block that is
        mirrored, up and down or left and right, is multiplied by; ``hyper_information`` (hyper), in 64ths of a bit; ``octaves``
        (block_bits + 1, octaves), counts adding up to 2^20; ``boosts`` (classes), what is added to the information of a cell's latents;
        ``classes`` (steps, classes), counts adding up to 2^20; ``analysis`` (latents, colours, 24, 24) in units of 2^-13, for encoders;
        the networks ``synthesis``, ``refine``, ``hyper_decoder``, ``prior.0`` and on, and for encoders ``hyper_encoder.0`` and ``.1``.

    Raises
    ------
    ModelError
        If anything is missing or does not fit, or a probe gives other integers than when the model was made.
    """

    def __init__(self, model: Model) -> None:
        parts = ModelParts.of(model)
        self.groups = parts.numbers("groups", range(1, 1025), range(1, 9))
        parts.require(bool((np.diff(self.groups) > 0).all()), f"groups that end at {self.groups}")
        self.latents = self.groups[-1]
        self.hyper, self.block_bits = parts.number("hyper", range(1, 257)), parts.number("block_bits", range(1, 18))
        self.noises = parts.integers("noises", (-1,), 0, 511)
        parts.require(len(self.noises) <= 64, f"{len(self.noises)} qualities")
        self.units = parts.integers("units", (self.latents,), 0, 12)
        self.signs = parts.integers("signs", (2, self.latents), -1, 1)
        self.hyper_information = parts.integers("hyper_information", (self.hyper,), 0, TOLD)
        self.octaves = parts.counts("octaves", (self.block_bits + 1, -1), PRECISION)
        parts.require(self.octaves.shape[1] <= MOST_OCTAVES, f"indices of {self.octaves.shape[1]} octaves")
        self.boosts = parts.integers("boosts", (-1,), -TOLD, TOLD)
        self.classes = parts.counts("classes", (len(steps(len(self.groups))), len(self.boosts)), PRECISION)
        window = BLOCK + 2 * MARGIN
        self.analysis = parts.integers("analysis", (self.latents, COLOURS, window, window), -(1 << 15), 1 << 15)
        self._networks(model.tensors())

    def _networks(self, tensors: dict[str, NDArray[Any]]) -> None:
        seen = (-SPAN, SPAN)
        pixels, squares = COLOURS * BLOCK**2, COLOURS * CELL**2

        def net(name: str, inputs: int, span: tuple[int, int], outputs: int, low: Any, high: Any) -> ExactNet:
            ends = (np.broadcast_to(np.asarray(v, np.int64), outputs) for v in (low, high))
            return net_of(tensors, name, inputs=inputs, span=span, low=next(ends), high=next(ends))

        self.synthesis = net("synthesis", self.latents, (-MOST, MOST), pixels, -REACH, REACH)
        self.refine = net("refine", squares + 1, (-REACH, REACH), squares, -CORRECTION, CORRECTION)
        decoder = ExactNet.from_tensors(tensors, "hyper_decoder", probed=False)
        self.seen = decoder.outputs // CELL**2
        self.hyper_decoder = net("hyper_decoder", self.hyper + 1, seen, self.seen * CELL**2, -SPAN, SPAN)
        middle = ExactNet.from_tensors(tensors, "hyper_encoder.0", probed=False).outputs
        self.hyper_encoder = (
            net("hyper_encoder.0", 2 * self.latents + 1, seen, middle, 0, MOST),
            net("hyper_encoder.1", middle * CELL**2, (0, MOST), self.hyper, -SPAN, SPAN),
        )
        self.priors = []
        for number, (group, _) in enumerate(steps(len(self.groups))):
            count = self.groups[group] - (self.groups[group - 1] if group else 0)
            low, high = np.repeat([-MEANS, 0], count), np.repeat([MEANS, TOLD], count)
            inputs = 2 * self.groups[group] + self.seen + 1
            self.priors.append(net(f"prior.{number}", inputs, seen, 2 * count, low, high))

    @property
    def qualities(self) -> int:
        """How many there are."""
        return len(self.noises)

    # --- encoders: floats where they like -----------------------------------------------------------

    def analyse(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Latents, shape (rows, columns, latents) of blocks, of an image of shape (h, w, 3), in 8-bit values."""
        h, w, _ = image.shape
        side = BLOCK * CELL
        whole = np.pad(image.astype(np.float64) - GREY, ((0, -h % side), (0, -w % side), (0, 0)), "symmetric")
        whole = np.pad(whole, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), "symmetric")
        window = BLOCK + 2 * MARGIN
        windows = np.lib.stride_tricks.sliding_window_view(whole, (window, window), (0, 1))[::BLOCK, ::BLOCK]
        matrix = self.analysis.reshape(self.latents, -1).T * 2.0**-MATRIX_BITS
        return np.stack([row.reshape(len(row), -1) @ matrix for row in windows])

    def summarise(self, y: NDArray[np.float64], quality: int) -> NDArray[np.float64]:
        """Means of the hyper-latents' posterior, shape (rows, columns, hyper) of cells."""
        z = np.clip(np.rint(y * 2.0**VALUE_BITS), -MOST, MOST).astype(np.int64)
        first = evaluate(self.hyper_encoder[0], self._given([self.features(z)], quality))
        found = evaluate(self.hyper_encoder[1], squeezed(first[None], CELL)[0])
        return np.asarray(found * 2.0**-SEEN_BITS, np.float64)

    # --- both ends: integers ------------------------------------------------------------------------

    def latents_of(self, size: tuple[int, int], quality: int, choose: Chooser) -> NDArray[np.int64]:
        """Latents of an image of this height and width, in units of 2^-4, shape (rows, columns, latents) of blocks.

        They come step by step, hyper-latents first: the priors of each follow from those before.
        """
        side = BLOCK * CELL
        cells = -(-size[0] // side), -(-size[1] // side)
        noise = int(self.noises[quality])
        flat = np.broadcast_to(self.hyper_information, (*cells, self.hyper)).reshape(-1)
        blocks = Blocks.of(flat, 0, self.block_bits, 0)
        h = blocks.values(*choose.boxes(blocks, None, 0), flat.size, SEEN_BITS).reshape(*cells, self.hyper)
        seen = unsqueezed(evaluate(self.hyper_decoder, self._given([h], quality))[None], CELL)[0]
        z, first = np.zeros((cells[0] * CELL, cells[1] * CELL, self.latents), np.int64), blocks.count
        for step, ((group, phases), prior) in enumerate(zip(steps(len(self.groups)), self.priors, strict=True)):
            start, end = (self.groups[group - 1] if group else 0), self.groups[group]
            out = evaluate(prior, self._given([self.features(z[..., :end]), seen], quality)).astype(np.int64)
            out[..., : end - start] = (out[..., : end - start] << self.units[start:end]) >> (MEAN_BITS - VALUE_BITS)
            place, told = Place(phases, slice(start, end)), out[..., end - start :]
            if phases[0] == CELL:
                k = choose.classes(step, place, out[..., : end - start], told)
                told = np.clip(told + spread(self.boosts[k])[..., None], 0, TOLD)
            means = Place(phases, slice(0, end - start)).take(out)
            blocks = Blocks.of(Place(phases, slice(None)).take(told), noise, self.block_bits, first)
            values = means + blocks.values(*choose.boxes(blocks, place, means), means.size)
            place.put(z, np.clip(values, -MOST, MOST))
            first += blocks.count
        return z

    def features(self, z: NDArray[np.int64]) -> NDArray[np.int64]:
        """What networks see of latents: values in units of each, and logarithms of magnitudes; in units of 2^-8."""
        linear = np.clip((z << (SEEN_BITS - VALUE_BITS)) >> self.units[: z.shape[-1]], -SPAN, SPAN)
        return np.concatenate([linear, log2(1 + np.abs(z)) >> 10], axis=-1)

    def _given(self, arrays: list[NDArray[np.int64]], quality: int) -> NDArray[np.int64]:
        level = np.full((*arrays[0].shape[:2], 1), int(self.noises[quality]))
        return np.concatenate([*arrays, level], axis=-1)

    def image(self, z: NDArray[np.int64], size: tuple[int, int], quality: int) -> NDArray[np.uint8]:
        """The image of this height and width that latents stand for."""
        edged = np.concatenate([self.signs[0] * z[:1], z, self.signs[0] * z[-1:]], 0)
        edged = np.concatenate([self.signs[1] * edged[:, :1], edged, self.signs[1] * edged[:, -1:]], 1)
        base = unsqueezed(evaluate(self.synthesis, edged)[None, 1:-1, 1:-1], BLOCK)
        squares = squeezed(base, CELL)[0]
        level = np.full((*squares.shape[:2], 1), 4 * int(self.noises[quality]))
        refined = evaluate(self.refine, np.concatenate([squares, level], -1))
        out = base[0] + unsqueezed(refined[None], CELL)[0]
        shown = np.clip(((out + (1 << (VALUE_BITS - 1))) >> VALUE_BITS) + GREY, 0, 255)
        return np.asarray(shown[: size[0], : size[1]], np.uint8)


def spread(x: NDArray[Any]) -> NDArray[Any]:
    """What cells have, for each of their blocks."""
    return x.repeat(CELL, 0).repeat(CELL, 1)


def evaluate(net: ExactNet, x: NDArray[np.int64]) -> NDArray[np.int32]:
    """A network for one image of shape (h, w, inputs)."""
    return np.asarray(evaluate_images(net, x[None])[0])
