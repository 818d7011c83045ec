"""Training a learned transform on photographs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from codecs_core import Model
from codecs_core import learn as learning
from codecs_core.errors import UnsupportedArrayError
from codecs_core.learn import Run
from codecs_rec.lossy.model import GREY
from codecs_rec.picture.cosines import Layout
from codecs_rec.picture.freeze import frozen
from codecs_rec.picture.network import Transform

#: Qualities, and 64 log2 of how much the noise of each exceeds that of the next.
QUALITIES, STEP = 8, 24
#: Seconds between two looks at the validation part, and images of it that are looked at.
INTERVAL, LOOKED_AT = 120.0, 6
#: How much larger photographs are made, at least and at most, so that smooth ones are learnt too.
ENLARGED = (1.3, 2.0)
#: The rate of the transform beside that of the networks: it starts near its best.
GENTLY = 0.01
#: Crops by which networks are frozen and tables calibrated.
EXAMPLES = 8


@dataclass(frozen=True, kw_only=True)
class Settings(learning.Schedule):
    """What a training is made of, beside its data.

    Parameters
    ----------
    sigma
        Standard deviation of the noise of latents at the best quality, in 8-bit values; of each quality before, it is 1.3 times as much.
    block_bits
        Information of a block beyond its box, on average, at most: what is left to be searched for.
    crop
        Side of the squares that are learnt from, a multiple of 32.
    """

    sigma: float = learning.number(7.0, 1, 64)
    block_bits: int = learning.whole(12, 1, 17)
    crop: int = learning.whole(128, 32, 1024)
    batch: int = learning.whole(8, 1, 1 << 20)
    rate: float = learning.number(6e-4, above=True)


def learn(
    data: Sequence[NDArray[Any]] | NDArray[Any], settings: Settings, run: Run, layout: Layout | None = None
) -> tuple[Transform, Model]:
    """Train on photographs; return the networks in floating point and, frozen, the model.

    Parameters
    ----------
    data
        Images of uint8: an array of shape (n, h, w, 3), or arrays of shape (h, w, 3). The last twentieth is held out.
    settings, run
        How; freezing and calibration come on top of the budget.
    layout
        What the latents of a block are; by default 96 of them.

    Raises
    ------
    UnsupportedArrayError
        For other data, or if fewer than two images are as large as a crop.
    """
    crop = settings.crop // 32 * 32
    large = [x for x in learning.image_list(data) if x.shape[2] == 3 and min(x.shape[:2]) >= crop]
    if len(large) < 2:
        raise UnsupportedArrayError(
            f"training takes at least 2 colour images of {crop} x {crop} pixels or more, not {len(large)}"
        )
    images, validation = learning.hold_out(large, run.held_out)
    torch.manual_seed(settings.seed)
    rng = np.random.Generator(np.random.PCG64(settings.seed))
    source = Crops(images, rng, crop)
    network = Transform(layout or Layout(), noises(settings.sigma))
    with torch.no_grad():
        y = network.analyse(source.draw(64))
        network.begin(y.transpose(0, 1).flatten(1).std(1))
    gentle = [network.analysis, network.synthesis.weight]
    others = [p for p in network.parameters() if all(p is not one for one in gentle)]
    steps = run.fit(
        network,
        lambda done: _loss(network, source.draw(settings.batch)),
        lambda: _mean_loss(network, validation[:LOOKED_AT]),
        settings,
        data=f"{len(images)} images",
        groups=[{"params": others}, {"params": gentle, "gain": GENTLY}],
        interval=INTERVAL,
        rng=rng,
        told="of the logarithm of nats a value and distortion on what is held out",
    )
    attrs = {**run.about, "steps": steps, "seed": settings.seed, "images": len(images)}
    examples = [x[:crop, :crop] for x in images[:: max(1, len(images) // EXAMPLES)]][:EXAMPLES]
    return network, frozen(network, examples, settings.block_bits, attrs, run.name)


def train(data: Sequence[NDArray[Any]] | NDArray[Any], **hyper: Any) -> Model:
    """Train on photographs and return the model; the settings are those of `Settings` and of `Run`."""
    return learn(data, *Run.of("rec.vae", Settings, hyper))[1]


def noises(sigma: float) -> NDArray[np.int64]:
    """64 log2 of the deviation of the noise of each quality, that of the best one being `sigma`."""
    return np.asarray(round(64 * math.log2(sigma)) + STEP * np.arange(QUALITIES)[::-1])


class Crops:
    """Squares of photographs, as they are and enlarged.

    Parameters
    ----------
    images
        Arrays of shape (h, w, 3), uint8, none of them smaller than a crop.
    rng
        Generator to draw from.
    crop
        Side of a square.
    """

    def __init__(self, images: Sequence[NDArray[np.uint8]], rng: np.random.Generator, crop: int) -> None:
        self.rng, self.crop = rng, crop
        self.images = [version for x in images for version in (x, enlarged(x, float(rng.uniform(*ENLARGED))))]
        sizes = np.array([x.shape[0] * x.shape[1] for x in self.images], np.float64)
        self.cumulative = np.cumsum(sizes / sizes.sum())

    def draw(self, count: int) -> Tensor:
        """Crops of shape (count, 3, crop, crop) less grey, mirrored and turned at random."""
        out = np.empty((count, self.crop, self.crop, 3), np.uint8)
        for one, at in zip(out, np.searchsorted(self.cumulative, self.rng.random(count)), strict=True):
            x = self.images[min(int(at), len(self.images) - 1)]
            top, left = (int(self.rng.integers(side - self.crop + 1)) for side in x.shape[:2])
            cut = x[top : top + self.crop, left : left + self.crop]
            cut = cut[:, ::-1] if self.rng.random() < 0.5 else cut
            one[:] = cut.swapaxes(0, 1) if self.rng.random() < 0.5 else cut
        return (torch.from_numpy(out).permute(0, 3, 1, 2).float() - GREY).contiguous(memory_format=torch.channels_last)


def enlarged(x: NDArray[np.uint8], by: float) -> NDArray[np.uint8]:
    """An image of more pixels, by cubic interpolation."""
    whole = torch.from_numpy(x).permute(2, 0, 1)[None].float()
    size = [round(side * by) for side in x.shape[:2]]
    found = functional.interpolate(whole, size, mode="bicubic").round().clamp(0, 255)
    return np.asarray(found[0].permute(1, 2, 0).byte().numpy())


def _losses(network: Transform, x: Tensor, quality: Tensor) -> Tensor:
    """Of each image the nats and the squared error over twice the variance of the noise, a value."""
    _, shown, nats = network(x, quality)
    variance = torch.exp2(network.noises[quality] / 32)
    errors = (shown - x).square().sum((1, 2, 3)) / (2 * variance)
    return cast(Tensor, (nats.sum(1) + errors) / x[0].numel())


def _loss(network: Transform, x: Tensor) -> Tensor:
    """The mean logarithm: smooth images count as much as others."""
    where = next(network.parameters()).device
    with learning.half(True, where):
        losses = _losses(network, x.to(where), torch.randint(QUALITIES, (len(x),), device=where))
    return losses.log().mean()


def _mean_loss(network: Transform, images: Sequence[NDArray[np.uint8]]) -> float:
    where, found = next(network.parameters()).device, []
    for image in images:
        h, w = (side // 16 * 16 for side in image.shape[:2])
        x = torch.from_numpy(image[:h, :w].copy()).permute(2, 0, 1)[None].float().to(where) - GREY
        found += [_losses(network, x, torch.tensor([q], device=where)).log() for q in range(0, QUALITIES, 2)]
    return float(torch.cat(found).mean())
