"""Training an integer discrete flow on images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import codecs_core as cc
from codecs_core import Model, Progress
from codecs_core import learn as learning
from codecs_core.entropy import Message
from codecs_core.errors import CodecsError, ConfigError
from codecs_idf import colour
from codecs_idf.freeze import frozen, load_into
from codecs_idf.model import Flow
from codecs_idf.network import Network

#: What training takes beside its `Settings`.
OWN = ("budget", "progress", "checkpoint", "held_out")
#: Seconds between two looks at the validation part, and between two checkpoints.
INTERVAL = 120.0
#: Values of the validation part that are looked at.
HELD_OUT_VALUES = 3_000_000
#: Pixels that tell how large activations grow.
EXAMPLES = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Settings(learning.Settings):
    """What a training run is made of, beside its data; the same settings and steps give the same model again on the same build.

    Parameters
    ----------
    couplings
        How many a level, the finest first; an image is halved at each level.
    width, blocks, coupling_width
        Channels and residual blocks of the priors' networks; channels of the couplings'.
    components
        Logistics in a mixture.
    crop, batch
        Images are cut to squares of at most this size; a step takes this number of them.
    rate
        Of Adam; after a short rise it follows a cosine to zero.
    steps
        If not 0, train for this number of steps, however long they take.
    seed
        Of the initial weights and of the order of the data.
    start
        Name or path of a model of the same widths to start from, as far as there are levels and couplings in both.
    """

    couplings: Sequence[int] = learning.counts((4, 4, 2, 1), 0, 64, lengths=(1, 8))
    width: int = learning.whole(48, 1, 512)
    blocks: int = learning.whole(2, 1, 32)
    coupling_width: int = learning.whole(32, 1, 512)
    components: int = learning.whole(3, 1, 16)
    crop: int = learning.whole(64, 1, 4096)
    batch: int = learning.whole(16, 1, 4096)
    rate: float = learning.number(4e-3, above=True)
    steps: int = learning.whole(0, 0, 1 << 40)
    seed: int = learning.whole(0, 0, 1 << 62)
    start: str = ""


class Images:
    """Images to draw from: integers after the colour transform.

    Parameters
    ----------
    images
        Arrays of shape (h, w, channels), uint8, or one of shape (n, h, w, channels).
    """

    def __init__(self, images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> None:
        # channels first, and as small as they go
        self.images = [np.ascontiguousarray(np.moveaxis(colour.forward(x), -1, 0), np.int16) for x in images]
        weights = np.array([x.shape[1] * x.shape[2] for x in self.images], np.float64)
        self.cumulative = np.cumsum(weights / weights.sum())

    @property
    def values(self) -> int:
        """Number of values."""
        return sum(x.size for x in self.images)

    def draw(self, rng: np.random.Generator, batch: int, crop: int) -> Tensor:
        """A batch of random crops, half of them mirrored: shape (batch, channels, size, size), floats."""
        chosen = [
            self.images[i] for i in np.searchsorted(self.cumulative, rng.random(batch)).clip(max=len(self.images) - 1)
        ]
        size_y = min(crop, *(x.shape[1] for x in chosen))
        size_x = min(crop, *(x.shape[2] for x in chosen))
        out = np.empty((batch, chosen[0].shape[0], size_y, size_x), np.float32)
        for i, x in enumerate(chosen):
            top = rng.integers(x.shape[1] - size_y + 1)
            left = rng.integers(x.shape[2] - size_x + 1)
            cut = x[:, top : top + size_y, left : left + size_x]
            out[i] = cut[:, :, ::-1] if rng.random() < 0.5 else cut
        return torch.from_numpy(out)


def fit(
    images: Sequence[NDArray[np.uint8]],
    held_out: Sequence[NDArray[np.uint8]],
    settings: Settings,
    *,
    budget: float = 1200.0,
    progress: Progress | None = None,
    checkpoint: str | Path | None = None,
) -> tuple[Network, int]:
    """Train a network; returns it and how many steps it took. See `learn`."""
    source = Images(images)
    torch.manual_seed(settings.seed)
    rng = np.random.Generator(np.random.PCG64(settings.seed))
    network = network_of(source.images[0].shape[0], settings)
    if settings.start:
        begin(network, settings.start)
    # the last prior has few parameters, far from where they belong
    others = [p for p in network.parameters() if p is not network.top]
    steps = learning.fit(
        network,
        lambda done: _loss(network, source.draw(rng, settings.batch, settings.crop)),
        lambda: evaluate(network, held_out),
        rate=settings.rate,
        budget=budget,
        steps=settings.steps,
        groups=[{"params": others}, {"params": [network.top], "gain": 10.0}],
        interval=INTERVAL,
        rng=rng,
        run=f"{settings} of {source.values} values",
        checkpoint=None if checkpoint is None else Path(checkpoint),
        progress=progress,
    )
    return network, steps


def _loss(network: Network, x: Tensor) -> Tensor:
    """Bits per value."""
    bits: Tensor = network.bits(x.to(learning.device())) / x.numel()
    return bits


def begin(network: Network, start: str) -> None:
    """Give a network the weights of a model; raises `ConfigError` if there is none, or it does not fit."""
    try:
        model = cc.get_codec("idf.image", model=start).model
        load_into(network, model.tensors())  # type: ignore[union-attr]
    except CodecsError as error:
        raise ConfigError(f"cannot start from {start!r}: {error}") from error


def network_of(channels: int, settings: Settings) -> Network:
    """A network of these sizes, untrained."""
    network = Network(
        channels,
        couplings=settings.couplings,
        width=settings.width,
        blocks=settings.blocks,
        coupling_width=settings.coupling_width,
        components=settings.components,
    )
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def evaluate(network: Network, images: Sequence[NDArray[np.uint8]], values: int = HELD_OUT_VALUES) -> float:
    """Bits per value of whole images: the first ones, up to this number of values."""
    network.eval()
    bits, size = 0.0, 0
    with torch.inference_mode():
        for batch in batches(images, values):
            z = np.moveaxis(colour.forward(batch), -1, 1).astype(np.float32)
            bits += float(network.bits(torch.from_numpy(z).to(next(network.parameters()).device)))
            size += z.size
    return bits / size


def batches(images: Sequence[NDArray[np.uint8]], values: int) -> list[NDArray[np.uint8]]:
    """Images of one shape that follow each other as stacks of at most a million values, up to this number of values in all."""
    out: list[NDArray[np.uint8]] = []
    run: list[NDArray[np.uint8]] = []
    for x in images:
        if run and (x.shape != run[0].shape or len(run) * x.size > 1 << 20):
            out.append(np.stack(run))
            run = []
        run.append(x)
        values -= x.size
        if values <= 0:
            break
    return [*out, np.stack(run)] if run else out


def learn(
    data: Sequence[NDArray[Any]] | NDArray[Any],
    *,
    budget: float = 1200.0,
    progress: Progress | None = None,
    checkpoint: str | Path | None = None,
    settings: Settings = Settings(),
    held_out: int = 0,
    name: str = "",
    about: Mapping[str, Any] | None = None,
) -> tuple[Network, Model]:
    """Train on images; return the network in floating point and, frozen, the model.

    Parameters
    ----------
    data
        Images: an array of shape (n, h, w, channels) or (n, h, w), or arrays of shape (h, w, channels) or (h, w); uint8.
    budget
        Seconds; the learning rate falls to zero over them, unless `settings` says how many steps.
    progress
        Called with the fraction done and the validation rate in bits per value.
    checkpoint
        File that the state of training is written to now and then. Where it exists, training goes on from there.
    settings
        Sizes and schedule.
    held_out
        Images to validate on, the last ones; 0: the last twentieth.
    name, about
        Of the model; `about` joins the attributes that say how it came about.

    Raises
    ------
    UnsupportedArrayError
        For data that is no set of images of one number of channels.
    ConfigError
        For a setting out of range, or a checkpoint of another run.
    """
    images, validation = learning.hold_out(learning.image_list(data), held_out)
    network, steps = fit(images, validation, settings, budget=budget, progress=progress, checkpoint=checkpoint)
    attrs = {**(about or {}), "steps": steps, "seed": settings.seed, "images": len(images)}
    return network, finish(network, images, validation, attrs=attrs, name=name)


def train(data: Sequence[NDArray[Any]] | NDArray[Any], **hyper: Any) -> Model:
    """Train on images and return the model; the settings are those of `Settings`, ``checkpoint`` and ``held_out``."""
    settings = Settings.of("idf.image", hyper, beside=OWN)
    return learn(data, settings=settings, **{key: hyper[key] for key in hyper.keys() & {*OWN}})[1]


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
    source = Images(images)
    crop = max(8, math.isqrt(EXAMPLES // 64))
    model = frozen(network, source.draw(rng, min(1024, EXAMPLES // crop**2), crop), attrs={}, name=name)
    flow = Flow(model.config, model.tensors())
    message, values = Message(), 0
    for batch in batches(held_out, HELD_OUT_VALUES):
        z = colour.forward(batch)
        flow.codec(*z.shape[:3]).push(message, z)
        values += z.size
    measured = {
        "values": values,
        "float_bits_per_value": round(evaluate(network, held_out), 5),
        "integer_bits_per_value": round(message.bits / values, 5),
    }
    return model.replaced(attrs={**attrs, "held_out": measured})
