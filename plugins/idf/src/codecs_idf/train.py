"""Training an integer discrete flow on images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codecs_core import Model
from codecs_core import learn as learning
from codecs_core.entropy import Message
from codecs_core.exact import colour_forward
from codecs_core.learn import Run
from codecs_idf.freeze import frozen, load_into
from codecs_idf.model import Flow
from codecs_idf.network import Network

#: Seconds between two looks at the validation part, and between two checkpoints.
INTERVAL = 120.0
#: Values of the validation part that are looked at.
HELD_OUT_VALUES = 3_000_000
#: Pixels that tell how large activations grow, if the images have as many.
EXAMPLES = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Settings(learning.Schedule):
    """What a training run is made of, beside its data.

    Parameters
    ----------
    couplings
        How many a level, the finest first; an image is halved at each level.
    width, blocks, coupling_width
        Channels and residual blocks of the priors' networks; channels of the couplings'.
    components
        Logistics in a mixture.
    crop
        Images are cut to squares of at most this size.
    start
        Name or path of a model of the same widths to start from, as far as there are levels and couplings in both.
    """

    couplings: Sequence[int] = learning.counts((4, 4, 2, 1), 0, 64, lengths=(1, 8))
    width: int = learning.whole(48, 1, 512)
    blocks: int = learning.whole(2, 1, 32)
    coupling_width: int = learning.whole(32, 1, 512)
    components: int = learning.whole(3, 1, 16)
    crop: int = learning.whole(64, 1, 4096)
    start: str = ""


def fit(
    images: Sequence[NDArray[np.uint8]], held_out: Sequence[NDArray[np.uint8]], settings: Settings, run: Run
) -> tuple[Network, int]:
    """Train a network; returns it and how many steps it took. See `learn`."""
    source = learning.Crops(images)
    torch.manual_seed(settings.seed)
    rng = np.random.Generator(np.random.PCG64(settings.seed))
    network = network_of(source.images[0].shape[0], settings)
    if settings.start:
        learning.start_from("idf.image", settings.start, lambda tensors: load_into(network, tensors))
    # the last prior has few parameters, far from where they belong
    others = [p for p in network.parameters() if p is not network.top]
    steps = run.fit(
        network,
        lambda done: _loss(network, source.draw(rng, settings.batch, settings.crop)),
        lambda: evaluate(network, held_out),
        settings,
        data=f"{source.values} values",
        groups=[{"params": others}, {"params": [network.top], "gain": 10.0}],
        interval=INTERVAL,
        rng=rng,
    )
    return network, steps


def _loss(network: Network, x: Tensor) -> Tensor:
    """Bits per value."""
    bits: Tensor = network.bits(x.to(learning.device())) / x.numel()
    return bits


def network_of(channels: int, settings: Settings) -> Network:
    """A network of these sizes, untrained."""
    sizes = ("couplings", "width", "blocks", "coupling_width", "components")
    network = Network(channels, **{name: getattr(settings, name) for name in sizes})
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def evaluate(network: Network, images: Sequence[NDArray[np.uint8]], values: int = HELD_OUT_VALUES) -> float:
    """Bits per value of whole images: the first ones, up to this number of values."""
    network.eval()
    bits, size = 0.0, 0
    with torch.inference_mode():
        for batch in learning.stacks(images, values):
            z = np.moveaxis(colour_forward(batch), -1, 1).astype(np.float32)
            bits += float(network.bits(torch.from_numpy(z).to(next(network.parameters()).device)))
            size += z.size
    return bits / size


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
        For data that is no set of images of one number of channels.
    ConfigError
        For a checkpoint of another run.
    """
    images, validation = learning.hold_out(learning.image_list(data), run.held_out)
    network, steps = fit(images, validation, settings, run)
    attrs = {**run.about, "steps": steps, "seed": settings.seed, "images": len(images)}
    return network, finish(network, images, validation, attrs=attrs, name=run.name)


def train(data: Sequence[NDArray[Any]] | NDArray[Any], **hyper: Any) -> Model:
    """Train on images and return the model; the settings are those of `Settings` and of `Run`."""
    return learn(data, *Run.of("idf.image", Settings, hyper))[1]


def finish(
    network: Network,
    images: Sequence[NDArray[np.uint8]],
    held_out: Sequence[NDArray[np.uint8]],
    *,
    attrs: Mapping[str, Any],
    name: str = "",
) -> Model:
    """Freeze a trained network and measure it before and after on what is held out."""
    rng = np.random.Generator(np.random.PCG64(0))
    source = learning.Crops(images)
    pixels = min(EXAMPLES, source.values // network.channels)
    crop = max(8, math.isqrt(pixels // 64))
    model = frozen(network, source.draw(rng, max(1, min(1024, pixels // crop**2)), crop), attrs={}, name=name)
    flow = Flow(model.config, model.tensors())
    message, values = Message(), 0
    for batch in learning.stacks(held_out, HELD_OUT_VALUES):
        z = colour_forward(batch)
        flow.codec(*z.shape[:3]).push(message, z)
        values += z.size
    measured = learning.measured(values, float=evaluate(network, held_out), integer=message.bits / values)
    return model.replaced(attrs={**attrs, "held_out": measured})
