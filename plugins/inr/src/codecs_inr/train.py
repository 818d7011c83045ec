"""Training of ``inr.image``: the prior of the networks of somebody's images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core import Model
from codecs_core import learn as core
from codecs_core.errors import ConfigError
from codecs_core.learn import Run
from codecs_inr import learning
from codecs_inr.em import Alternation
from codecs_inr.hierarchy import crop
from codecs_inr.kinds import IMAGE
from codecs_inr.learning import Latents, Rate
from codecs_inr.patches import cut

#: Sides of images that become one patch.
SMALL = 64
#: Patches that principal axes are looked for in, at the most.
AXES = 10_000


@dataclass(frozen=True, kw_only=True)
class Settings(learning.Settings):
    """What a training is made of, beside its data; further settings are those of `learning.Settings`.

    Parameters
    ----------
    bpp
        Bits per pixel that an image is to cost: every image has a payload of the same length.
    latents
        Channels of positional latents, then of each layer of the upsampling network, which doubles rows and columns; none: no latents.
    numbers
        The most numbers that the latents of a patch are made of, if `linear`.
    shared
        Rows and columns of patches that are a group: patches then share what they have in common with their group and their image, and
        what is learned from are crops of two by two groups; none: patches are alone.
    side
        Images are cut into squares of this side; 0: images of one size up to 64 x 64 are not cut, others are to squares of 32.
    """

    bpp: float = core.number(1.0, above=True)
    latents: Sequence[int] = core.counts((), 1, 64, lengths=(0, 7))
    numbers: int = core.whole(1024, 1, 1 << 12)
    shared: Sequence[int] = core.counts((), 1, 64, lengths=(0, 2))
    side: int = core.whole(0, 0, 256)


def learn(data: Sequence[NDArray[Any]] | NDArray[Any], settings: Settings, run: Run) -> tuple[Alternation, Model]:
    """Train on images; return what `learning.learned` does.

    Parameters
    ----------
    data
        Shape (n, h, w), (n, h, w, 1) or (n, h, w, 3), uint8; or a list of images of shape (h, w) or (h, w, c).
    settings, run
        How; all images are learned from, and none is held out.

    Raises
    ------
    UnsupportedArrayError
        For data of another dtype or shape, or fewer than two images.
    ConfigError
        As `learning.learned` says.
    """
    rng = np.random.default_rng(settings.seed)
    latents = Latents(settings.latents, settings.numbers) if len(settings.latents) > 1 else None
    most, group = max(settings.signals, AXES) if latents else settings.signals, settings.shared
    if len(group) == 1:
        raise ConfigError(f"shared must be rows and columns of patches, two numbers, or none, got {list(group)}")
    patches = _crops(data, settings, most, rng) if group else _patches(data, settings.side, most, rng)
    return learning.learned(patches, IMAGE, Rate(settings.bpp, "bpp"), settings, run, rng, latents, group)


def train(data: Sequence[NDArray[Any]] | NDArray[Any], **hyper: Any) -> Model:
    """Train on images and return the model; the settings are those of `Settings` and of `Run`, but for ``held_out``."""
    return learn(data, *Run.of(IMAGE.codec, Settings, hyper, beside=("budget", "progress", "checkpoint")))[1]


def _images(data: Any) -> list[NDArray[np.uint8]]:
    images = core.image_list(data)
    if images[0].shape[2] not in IMAGE.channels:
        raise ConfigError(f"training of inr.image takes images of 1 or 3 channels, got {images[0].shape[2]}")
    return images


def _crops(data: Any, settings: Settings, most: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Patches, shape (n, side, side, channels), of crops of two groups along each axis, crop by crop."""
    side, many = settings.side or 32, crop(settings.shared)
    height, width = (side * count for count in many)
    crops = [
        image[None, top : top + height, left : left + width]
        for image in _images(data)
        for top in range(0, image.shape[0] - height + 1, height)
        for left in range(0, image.shape[1] - width + 1, width)
    ]
    if len(crops) < 2:
        raise ConfigError(
            f"groups of {list(settings.shared)} patches take at least 2 crops of {height} x {width} pixels, got {len(crops)}"
        )
    order = rng.permutation(len(crops))[: max(1, most // math.prod(many))]
    return np.concatenate([cut(crops[i], (side, side)) for i in order])


def _patches(data: Any, side: int, most: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """No more patches than `most`, shape (n, h, w, channels)."""
    images = _images(data)
    shapes = {image.shape[:2] for image in images}
    whole = side == 0 and len(shapes) == 1 and max(images[0].shape[:2]) <= SMALL
    sides = next(iter(shapes)) if whole else (side or 32,) * 2
    order = rng.permutation(len(images))
    parts, count = [], 0
    for i in order:
        if count >= most:
            break
        parts.append(cut(images[i][None], sides))
        count += len(parts[-1])
    return learning.some(np.concatenate(parts), most, rng)
