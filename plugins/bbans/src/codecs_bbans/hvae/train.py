"""Training a hierarchical autoencoder on images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codecs_bbans.hvae.freeze import frozen
from codecs_bbans.hvae.model import Hierarchy
from codecs_bbans.hvae.network import Network
from codecs_core import Model
from codecs_core import learn as learning
from codecs_core.entropy import Message
from codecs_core.errors import UnsupportedArrayError
from codecs_core.exact import colour_forward
from codecs_core.learn import Run

#: Seconds between two looks at the validation part, and between two checkpoints.
INTERVAL = 120.0
#: Values of the validation part that are looked at.
HELD_OUT_VALUES = 600_000
#: Pixels that tell how large activations grow.
EXAMPLES = 1 << 17


@dataclass(frozen=True, kw_only=True)
class Settings(learning.Schedule):
    """What a training run is made of, beside its data.

    Parameters
    ----------
    latents
        Channels of the latents of each level, the finest first. An image is halved once before the first and at each of them.
    features, width, blocks
        Channels between networks and within them; residual blocks of each.
    components
        Logistics in a mixture.
    crop
        Images are cut to squares of at most this size.
    """

    latents: Sequence[int] = learning.counts((8, 16, 16), 1, 256, lengths=(1, 6))
    features: int = learning.whole(32, 1, 512)
    width: int = learning.whole(48, 1, 512)
    blocks: int = learning.whole(2, 1, 32)
    components: int = learning.whole(4, 1, 16)
    crop: int = learning.whole(64, 1, 4096)


class Images:
    """Images to draw from: integers after the colour transform, channels first.

    Parameters
    ----------
    images
        Arrays of shape (h, w, channels), uint8.
    unit
        What heights and widths are cut to multiples of.

    Raises
    ------
    UnsupportedArrayError
        For an image that is smaller than that.
    """

    def __init__(self, images: Sequence[NDArray[np.uint8]], unit: int) -> None:
        self.unit = unit
        self.images = [np.ascontiguousarray(np.moveaxis(colour_forward(x), -1, 0), np.int16) for x in images]
        for i, x in enumerate(self.images):
            if min(x.shape[1:]) < unit:
                raise UnsupportedArrayError(
                    f"training with these latents takes images of at least {unit} x {unit} pixels; "
                    f"number {i} has {x.shape[1]} x {x.shape[2]}; give fewer levels of latents"
                )
        weights = np.array([x.shape[1] * x.shape[2] for x in self.images], np.float64)
        self.cumulative = np.cumsum(weights / weights.sum())

    @property
    def values(self) -> int:
        """Number of values."""
        return sum(x.size for x in self.images)

    def draw(self, rng: np.random.Generator, batch: int, crop: int) -> Tensor:
        """A batch of random crops, half of them mirrored: shape (batch, channels, size, size), floats."""
        places = np.searchsorted(self.cumulative, rng.random(batch)).clip(max=len(self.images) - 1)
        chosen = [self.images[i] for i in places]
        size = min(max(crop, self.unit), *(min(x.shape[1:]) for x in chosen)) // self.unit * self.unit
        out = np.empty((batch, chosen[0].shape[0], size, size), np.float32)
        for i, x in enumerate(chosen):
            top, left = rng.integers(x.shape[1] - size + 1), rng.integers(x.shape[2] - size + 1)
            cut = x[:, top : top + size, left : left + size]
            out[i] = cut[:, :, ::-1] if rng.random() < 0.5 else cut
        return torch.from_numpy(out)

    def batches(self, values: int) -> list[NDArray[np.int16]]:
        """The first images, up to this number of values, those of one shape that follow each other as stacks of at most 128."""
        runs: list[list[NDArray[np.int16]]] = []
        for x in self.images:
            h, w = (n // self.unit * self.unit for n in x.shape[1:])
            cut = x[:, :h, :w]
            if runs and runs[-1][0].shape == cut.shape and len(runs[-1]) < 128:
                runs[-1].append(cut)
            else:
                runs.append([cut])
            values -= cut.size
            if values <= 0:
                break
        return [np.stack(run) for run in runs]


def evaluate(network: Network, batches: Sequence[NDArray[np.int16]]) -> float:
    """Negative evidence bound in bits per value, by one sample that is the same each time."""
    network.eval()
    where, state = next(network.parameters()).device, torch.get_rng_state()
    torch.manual_seed(0)
    with torch.inference_mode():
        bits = sum(float(network.bits(torch.from_numpy(x.astype(np.float32)).to(where))) for x in batches)
    torch.set_rng_state(state)
    return bits / sum(x.size for x in batches)


def fit(images: Images, held_out: Images, settings: Settings, run: Run) -> tuple[Network, int]:
    """Train a network; returns it and how many steps it took. The weight of the divergence rises over the first fifth."""
    torch.manual_seed(settings.seed)
    rng = np.random.Generator(np.random.PCG64(settings.seed))
    network = network_of(images.images[0].shape[0], settings)
    looked_at = held_out.batches(HELD_OUT_VALUES)

    def loss(done: float) -> Tensor:
        x = images.draw(rng, settings.batch, settings.crop).to(learning.device())
        bits: Tensor = network.bits(x, min(1.0, 5 * done)) / x.numel()
        return bits

    steps = run.fit(
        network,
        loss,
        lambda: evaluate(network, looked_at),
        settings,
        data=f"{images.values} values",
        interval=INTERVAL,
        rng=rng,
    )
    return network, steps


def network_of(channels: int, settings: Settings) -> Network:
    """A network of these sizes, untrained."""
    sizes = {name: getattr(settings, name) for name in ("latents", "features", "width", "blocks", "components")}
    return Network(channels, **sizes).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def learn(data: Sequence[NDArray[Any]] | NDArray[Any], settings: Settings, run: Run) -> tuple[Network, Model]:
    """Train on images; return the network in floating point and, frozen, the model.

    Parameters
    ----------
    data
        Images: an array of shape (n, h, w, channels) or (n, h, w), or arrays of shape (h, w, channels) or (h, w); uint8.
    settings, run
        How.

    Raises
    ------
    UnsupportedArrayError
        For data that is no set of images of one number of channels, and for images that are too small for that many levels.
    ConfigError
        For a checkpoint of another run.
    """
    fitted, validation = learning.hold_out(learning.image_list(data), run.held_out)
    unit = 2 << len(settings.latents)
    images, held_out = Images(fitted, unit), Images(validation, unit)
    network, steps = fit(images, held_out, settings, run)
    attrs = {**run.about, "steps": steps, "seed": settings.seed, "images": len(fitted)}
    return network, finish(network, images, held_out, attrs=attrs, name=run.name)


def train(data: Sequence[NDArray[Any]] | NDArray[Any], **hyper: Any) -> Model:
    """Train on images and return the model; the settings are those of `Settings` and of `Run`."""
    return learn(data, *Run.of("bbans.hvae", Settings, hyper))[1]


def finish(network: Network, images: Images, held_out: Images, *, attrs: Mapping[str, Any], name: str = "") -> Model:
    """Freeze a trained network and measure it before and after on what is held out."""
    rng = np.random.Generator(np.random.PCG64(0))
    crop = max(images.unit, math.isqrt(EXAMPLES // 64))
    model = frozen(network, images.draw(rng, min(512, EXAMPLES // crop**2), crop), attrs={}, name=name)
    hierarchy, message, values = Hierarchy(model.config, model.tensors()), Message(), 0
    looked_at = held_out.batches(HELD_OUT_VALUES)
    for x in looked_at:
        z = np.moveaxis(x, 1, -1)
        hierarchy.codec(*z.shape[:3]).push(message, z)
        values += z.size
    measured = learning.measured(values, float=evaluate(network, looked_at), integer=message.bits / values)
    return model.replaced(attrs={**attrs, "held_out": measured})
