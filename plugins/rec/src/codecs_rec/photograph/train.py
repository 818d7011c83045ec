"""Training a model of photographs: the priors of cells, and the network that refines what is decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from codecs_core import Model
from codecs_core import learn as learning
from codecs_core.errors import ConfigError, UnsupportedArrayError
from codecs_core.learn import Run
from codecs_rec.lossy.model import GREY
from codecs_rec.photograph.codec import WORTH
from codecs_rec.photograph.freeze import frozen
from codecs_rec.photograph.lapped import BLOCK
from codecs_rec.photograph.network import Network, layout

#: Qualities, and qualities of an octave of spacings.
QUALITIES, OCTAVE = 16, 4
#: Seconds between two looks at the validation part, and images of it that are looked at.
INTERVAL, LOOKED_AT = 150.0, 6
#: How much larger photographs are made, at least and at most, so that smooth ones are learnt too; and how much their contrast is changed.
ENLARGED, CONTRAST = ((1.15, 1.5), (1.5, 2.1)), (0.75, 1.1)
#: The rate of Muon beside that of Adam, and its decay of weights; the decay of the average of weights.
MUON, DECAY, AVERAGE = 3.0, 0.05, 0.998
#: How many images have the cells that a search finds; of the others, how much wider than by rounding the cell of 0 is at most, and how many
#: are on shifted grids.
SEARCHED, DEAD, SHIFTED = 0.5, 0.25, 0.12
#: Nats that every image has beside its own, so that logarithms of empty ones are no matter.
FLOOR = 300.0
#: What sides of crops are multiples of: whole blocks, and squares that the network `refine` sees.
SIDES = 2 * BLOCK
#: Crops by which networks are frozen, and their largest side.
EXAMPLES, EXAMPLE = 8, 128


@dataclass(frozen=True, kw_only=True)
class Settings(learning.Schedule):
    """What a training is made of, beside its data.

    Parameters
    ----------
    spacing
        Of the grid of the best quality, in 8-bit values; of each quality before, it is a quarter of an octave wider.
    crop
        Side of the squares that are learnt from, a multiple of 16.
    """

    spacing: float = learning.number(12.0, 1, 64)
    crop: int = learning.whole(160, 32, 1024)
    batch: int = learning.whole(8, 1, 1 << 20)
    rate: float = learning.number(2e-3, above=True)


def learn(
    data: Sequence[NDArray[Any]] | NDArray[Any],
    settings: Settings,
    run: Run,
    groups: list[list[tuple[int, int, int]]] | None = None,
) -> tuple[Network, Model]:
    """Train on photographs; return the networks in floating point and, frozen, the model.

    Parameters
    ----------
    data
        Images of uint8: an array of shape (n, h, w, 3), or arrays of shape (h, w, 3). The last twentieth is held out.
    settings, run
        How; freezing comes on top of the budget.
    groups
        The latents of a block, as `layout` has them.

    Raises
    ------
    UnsupportedArrayError
        For other data, or if fewer than two images are as large as a crop.
    ConfigError
        For a crop that is no multiple of 16.
    """
    crop = settings.crop
    if crop % SIDES:
        raise ConfigError(f"crop must be a multiple of {SIDES}, got {crop}")
    large = [x for x in learning.image_list(data) if x.shape[2] == 3 and min(x.shape[:2]) >= crop]
    if len(large) < 2:
        raise UnsupportedArrayError(
            f"training takes at least 2 colour images of {crop} x {crop} pixels or more, not {len(large)}: give more, or set a smaller crop"
        )
    images, validation = learning.hold_out(large, run.held_out)
    torch.manual_seed(settings.seed)
    rng = np.random.Generator(np.random.PCG64(settings.seed))
    source = Crops(images, rng, crop)
    network = Network(groups or layout(), spacings(settings.spacing))
    steps = run.fit(
        network,
        lambda done: _loss(network, source.draw(settings.batch)),
        lambda: _mean_loss(network, validation[:LOOKED_AT]),
        settings,
        data=f"{len(images)} images",
        groups=learning.groups_of(network, _inner(network), gain=MUON, weight_decay=DECAY),
        average=AVERAGE,
        interval=INTERVAL,
        rng=rng,
        told="of logarithms of nats, and of squared errors, on what is held out",
    )
    attrs = {**run.about, "steps": steps, "seed": settings.seed, "images": len(images)}
    side = min(crop, EXAMPLE)
    examples = [x[:side, :side] for x in images[:: max(1, len(images) // EXAMPLES)]][:EXAMPLES]
    return network, frozen(network, examples, attrs, run.name)


def train(data: Sequence[NDArray[Any]] | NDArray[Any], **hyper: Any) -> Model:
    """Train on photographs and return the model; the settings are those of `Settings` and of `Run`."""
    return learn(data, *Run.of("rec.vae", Settings, hyper))[1]


def spacings(finest: float) -> NDArray[np.float64]:
    """Of the grid of each quality, in 8-bit values."""
    return np.asarray(finest * 2.0 ** (np.arange(QUALITIES)[::-1] / OCTAVE))


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
        self.images = [*images, *(enlarged(x, float(rng.uniform(*by))) for by in ENLARGED for x in images)]
        sizes = np.array([x.shape[0] * x.shape[1] for x in self.images], np.float64)
        self.cumulative = np.cumsum(sizes / sizes.sum())

    def draw(self, count: int) -> Tensor:
        """Crops of shape (count, 3, crop, crop) less grey, mirrored, turned and of another contrast at random."""
        out = np.empty((count, self.crop, self.crop, 3), np.uint8)
        for one, at in zip(out, np.searchsorted(self.cumulative, self.rng.random(count)), strict=True):
            x = self.images[min(int(at), len(self.images) - 1)]
            top, left = (int(self.rng.integers(side - self.crop + 1)) for side in x.shape[:2])
            cut = x[top : top + self.crop, left : left + self.crop]
            cut = cut[:, ::-1] if self.rng.random() < 0.5 else cut
            one[:] = cut.swapaxes(0, 1) if self.rng.random() < 0.5 else cut
        centred = torch.from_numpy(out).permute(0, 3, 1, 2).float() - GREY
        contrast = torch.from_numpy(self.rng.uniform(*CONTRAST, (count, 1, 1, 1))).float()
        return (centred * contrast).contiguous(memory_format=torch.channels_last)


def enlarged(x: NDArray[np.uint8], by: float) -> NDArray[np.uint8]:
    """An image of more pixels, by cubic interpolation."""
    whole = torch.from_numpy(x.copy()).permute(2, 0, 1)[None].float()
    size = [round(side * by) for side in x.shape[:2]]
    found = functional.interpolate(whole, size, mode="bicubic").round().clamp(0, 255)
    return np.asarray(found[0].permute(1, 2, 0).byte().numpy())


def _inner(network: Network) -> list[nn.Parameter]:
    """Weights of all convolutions but the last ones: those that Muon is for."""
    heads = [head for pair in network.heads for head in cast(nn.ModuleList, pair)]
    last = {
        id(cast(nn.Conv2d, cast(nn.Sequential, part)[-1]).weight) for part in (*network.first, *heads, network.refine)
    }
    return [p for p in network.parameters() if p.ndim == 4 and id(p) not in last]


def _drawn(y: Tensor) -> Tensor:
    """Latents in spacings as cells may have them: with dead zones of any width, and some of them on shifted grids."""
    n, where = len(y), y.device
    shifted = (torch.rand(n, 1, 1, 1, device=where) < SHIFTED).float()
    dead = torch.rand(n, 1, 1, 1, device=where) * DEAD * (1 - shifted)
    u = (torch.rand_like(y) - 0.5) * shifted
    off = y - u
    return off.sign() * (off.abs() + 0.5 - dead).floor().clamp_min(0) + u


def _losses(network: Network, x: Tensor, quality: Tensor) -> Tensor:
    """Of each image the logarithms of the nats of its cells, and of its squared errors once refined."""
    level, spacing = network.levels[quality], network.spacings[quality].view(-1, 1, 1, 1)
    y = network.analyse(x) / spacing
    with torch.no_grad():
        cells, means, _ = network.coded(y, level, WORTH)
        base = network.synthesise(means * spacing)
    if network.training:
        searched = torch.rand(len(x), 1, 1, 1, device=x.device) < SEARCHED
        cells = torch.where(searched, cells, _drawn(y))
    told = network.nats(cells, level)
    errors = (network.refined(base, level) - x).square().mean((1, 2, 3))
    return (told + FLOOR).log() + (errors + 1).log()


def _loss(network: Network, x: Tensor) -> Tensor:
    where = next(network.parameters()).device
    with learning.half(True, where):
        return _losses(network, x.to(where), torch.randint(QUALITIES, (len(x),), device=where)).mean()


def _mean_loss(network: Network, images: Sequence[NDArray[np.uint8]]) -> float:
    where, found = next(network.parameters()).device, []
    network.eval()
    with torch.inference_mode():
        for image in images:
            h, w = (side // SIDES * SIDES for side in image.shape[:2])
            x = torch.from_numpy(image[:h, :w].copy()).permute(2, 0, 1)[None].float().to(where) - GREY
            found += [_losses(network, x, torch.tensor([q], device=where)) for q in range(0, QUALITIES, 4)]
    return float(torch.cat(found).mean())
