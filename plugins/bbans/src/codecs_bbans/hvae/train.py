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
#: How many times the rate of Adam that of Muon is, and how much its weights shrink in a step, at a rate of 1.
MUON, DECAY = 4.0, 0.05
#: Settings of `Network`.
SIZES = ("latents", "features", "components", "width", "blocks", "level_width", "level_blocks")


@dataclass(frozen=True, kw_only=True)
class Settings(learning.Schedule):
    """What a training run is made of, beside its data.

    Parameters
    ----------
    latents
        Channels of the latents of each level, the finest first. An image is halved once before the first and at each of them.
    features, components
        Channels between networks, logistics in a mixture.
    width, blocks, level_width, level_blocks
        Channels and residual blocks of the networks of pixels, and of those of the levels.
    crop
        Images are cut to squares of at most this size.
    """

    latents: Sequence[int] = learning.counts((8, 16), 1, 256, lengths=(1, 6))
    features: int = learning.whole(32, 1, 512)
    width: int = learning.whole(48, 1, 512)
    blocks: int = learning.whole(2, 1, 32)
    level_width: int = learning.whole(32, 1, 512)
    level_blocks: int = learning.whole(1, 1, 32)
    components: int = learning.whole(4, 1, 16)
    crop: int = learning.whole(64, 1, 4096)


def evaluate(network: Network, images: Sequence[NDArray[np.uint8]]) -> float:
    """Negative evidence bound in bits per value, by one sample that is the same each time."""
    network.eval()
    where, state = next(network.parameters()).device, torch.get_rng_state()
    torch.manual_seed(0)
    bits, values = 0.0, 0
    with torch.inference_mode():
        for batch in learning.stacks(images, HELD_OUT_VALUES, network.unit):
            z = np.moveaxis(colour_forward(batch), -1, 1).astype(np.float32)
            bits += float(network.bits(torch.from_numpy(z).to(where)))
            values += z.size
    torch.set_rng_state(state)
    return bits / values


def fit(
    images: learning.Crops,
    held_out: Sequence[NDArray[np.uint8]],
    settings: Settings,
    run: Run,
    start: Mapping[str, Tensor] | None = None,
) -> tuple[Network, int]:
    """Train a network; returns it and how many steps it took. The weight of the divergence rises over the first twentieth."""
    torch.manual_seed(settings.seed)
    rng = np.random.Generator(np.random.PCG64(settings.seed))
    network = network_of(images.images[0].shape[0], settings)
    if start is not None:
        network.load_state_dict(start)

    def loss(done: float) -> Tensor:
        x = images.draw(rng, settings.batch, settings.crop).to(learning.device())
        bits: Tensor = network.bits(x, min(1.0, 20 * done)) / x.numel()
        return bits

    steps = run.fit(
        network,
        loss,
        lambda: evaluate(network, held_out),
        settings,
        data=f"{images.values} values",
        groups=learning.groups_of(network, learning.inner_weights(network), gain=MUON, weight_decay=DECAY),
        interval=INTERVAL,
        rng=rng,
    )
    return network, steps


def network_of(channels: int, settings: Settings) -> Network:
    """A network of these sizes, untrained."""
    sizes = {name: getattr(settings, name) for name in SIZES}
    return Network(channels, **sizes).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def learn(
    data: Sequence[NDArray[Any]] | NDArray[Any],
    settings: Settings,
    run: Run,
    start: Mapping[str, Tensor] | None = None,
) -> tuple[Network, Model]:
    """Train on images; return the network in floating point and, frozen, the model.

    Parameters
    ----------
    data
        Images: an array of shape (n, h, w, channels) or (n, h, w), or arrays of shape (h, w, channels) or (h, w); uint8.
    settings, run
        How.
    start
        Weights to start from, of a network of the same sizes; by default random ones.

    Raises
    ------
    UnsupportedArrayError
        For data that is no set of images of one number of channels, and for images that are too small for that many levels.
    ConfigError
        For a checkpoint of another run.
    """
    every, unit = learning.image_list(data), 2 << len(settings.latents)
    for i, x in enumerate(every):
        if min(x.shape[:2]) < unit:
            raise UnsupportedArrayError(
                f"training with these latents takes images of at least {unit} x {unit} pixels; "
                f"number {i} has {x.shape[0]} x {x.shape[1]}; give fewer levels of latents"
            )
    fitted, held_out = learning.hold_out(every, run.held_out)
    images = learning.Crops(fitted, unit)
    network, steps = fit(images, held_out, settings, run, start)
    attrs = {**run.about, "steps": steps, "seed": settings.seed, "images": len(fitted)}
    return network, finish(network, images, held_out, attrs=attrs, name=run.name)


def train(data: Sequence[NDArray[Any]] | NDArray[Any], **hyper: Any) -> Model:
    """Train on images and return the model; the settings are those of `Settings` and of `Run`."""
    return learn(data, *Run.of("bbans.hvae", Settings, hyper))[1]


def finish(
    network: Network,
    images: learning.Crops,
    held_out: Sequence[NDArray[np.uint8]],
    *,
    attrs: Mapping[str, Any],
    name: str = "",
) -> Model:
    """Freeze a trained network and measure it before and after on what is held out."""
    rng = np.random.Generator(np.random.PCG64(0))
    crop = max(images.unit, math.isqrt(EXAMPLES // 64))
    model = frozen(network, images.draw(rng, min(512, EXAMPLES // crop**2), crop), attrs={}, name=name)
    hierarchy, message, values = Hierarchy(model.config, model.tensors()), Message(), 0
    for batch in learning.stacks(held_out, HELD_OUT_VALUES, images.unit):
        z = colour_forward(batch)
        hierarchy.codec(*z.shape[:3]).push(message, z)
        values += z.size
    measured = learning.measured(values, float=evaluate(network, held_out), integer=message.bits / values)
    return model.replaced(attrs={**attrs, "held_out": measured})
