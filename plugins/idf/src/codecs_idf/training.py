"""Training an integer discrete flow on somebody's images."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import codecs_core as cc
from codecs_core.codec import Progress
from codecs_core.entropy import Message
from codecs_core.errors import CodecsError, ConfigError, UnsupportedArrayError
from codecs_core.models import Model
from codecs_idf import colour
from codecs_idf.flow import Flow
from codecs_idf.freezing import frozen, thawed
from codecs_idf.network import Network

#: Seconds between two looks at the validation part, and between two checkpoints.
INTERVAL = 120.0
#: Values of the validation part that are looked at.
HELD_OUT_VALUES = 3_000_000
#: Pixels that tell how large activations grow.
EXAMPLES = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Settings:
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
        Images are cut to squares of this size, at most, so many at a step.
    rate
        Of Adam; after a short rise it follows a cosine to zero.
    steps
        If not 0, train for so many steps whatever the clock says.
    seed
        Of the initial weights and of the order of the data.
    start
        Name or path of a model of the same widths to start from, as far as there are levels and couplings in both.
    """

    couplings: Sequence[int] = (4, 4, 2, 1)
    width: int = 48
    blocks: int = 2
    coupling_width: int = 32
    components: int = 3
    crop: int = 64
    batch: int = 16
    rate: float = 4e-3
    steps: int = 0
    seed: int = 0
    start: str = ""

    def __post_init__(self) -> None:
        if (
            not isinstance(self.couplings, Sequence)
            or not 1 <= len(self.couplings) <= 8
            or not all(type(n) is int and 0 <= n <= 64 for n in self.couplings)
        ):
            raise ConfigError(f"couplings is a list of 1 to 8 numbers from 0 to 64, not {self.couplings!r}")
        object.__setattr__(self, "couplings", tuple(self.couplings))
        limits = {"width": 512, "blocks": 32, "coupling_width": 512, "components": 16, "crop": 4096, "batch": 4096}
        for name, most in limits.items():
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= most:
                raise ConfigError(f"{name} is an integer from 1 to {most}, not {value!r}")
        if not isinstance(self.rate, int | float) or not 0 < self.rate < math.inf:
            raise ConfigError(f"rate is a positive number, not {self.rate!r}")
        if not isinstance(self.start, str):
            raise ConfigError(f"start is the name or the path of a model, not {self.start!r}")
        for name, most in {"steps": 1 << 40, "seed": 1 << 62}.items():
            value = getattr(self, name)
            if type(value) is not int or not 0 <= value <= most:
                raise ConfigError(f"{name} is an integer, 0 or more, not {value!r}")


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
    top = [network.top]
    others = [p for p in network.parameters() if p is not network.top]
    # the last prior has few parameters, far from where they belong
    groups = [{"params": others, "gain": 1.0}, {"params": top, "gain": 10.0}]
    optimiser = torch.optim.Adam(groups, betas=(0.9, 0.99))
    state = State(network, optimiser, rng, run=f"{settings} of {source.values} values")
    if checkpoint is not None and Path(checkpoint).exists():
        state.load(Path(checkpoint))
    before, start = state.seconds, time.monotonic()
    shown, done = start, 0.0
    while done < 1:
        now = time.monotonic()
        state.seconds = before + now - start
        done = min(1.0, (state.step + 1) / settings.steps if settings.steps else state.seconds / budget)
        for group in optimiser.param_groups:
            warm = min(1.0, (state.step + 1) / 100)
            group["lr"] = settings.rate * group["gain"] * warm * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-7
        network.train()
        x = source.draw(rng, settings.batch, settings.crop)
        loss = network.bits(x) / x.numel()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        state.step += 1
        if now - shown > INTERVAL or done >= 1:
            if progress:
                rate = evaluate(network, held_out)
                progress(done, f"step {state.step}: {rate:.4f} bits per value on what is held out")
            if checkpoint is not None:
                state.save(Path(checkpoint))
            shown = time.monotonic()
    return network, state.step


def begin(network: Network, start: str) -> None:
    """Give a network the weights of a model; raises `ConfigError` if there is none, or it does not fit."""
    try:
        model = cc.get_codec("idf.image", model=start).model
        thawed(network, model.tensors())  # type: ignore[union-attr]
    except CodecsError as error:
        raise ConfigError(f"cannot start from {start!r}: {error}") from error


@dataclass
class State:
    """All that a training run changes, to be saved and taken up again.

    Parameters
    ----------
    network, optimiser, rng
        As they are now.
    run
        Says which run it is.
    """

    network: Network
    optimiser: torch.optim.Optimizer
    rng: np.random.Generator
    run: str
    step: int = 0
    seconds: float = 0.0

    def save(self, path: Path) -> None:
        """Write everything to a file, all of it or nothing."""
        partial = path.with_name(path.name + ".part")
        state = {
            "run": self.run,
            "step": self.step,
            "seconds": self.seconds,
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rng": json.dumps(self.rng.bit_generator.state),
        }
        torch.save(state, partial)
        os.replace(partial, path)

    def load(self, path: Path) -> None:
        """Go on from a file; raises `ConfigError` for one of another run, or none at all."""
        try:
            state = torch.load(path, weights_only=True)
            run = state["run"]
        except Exception as error:
            raise ConfigError(f"{path} is no checkpoint of a training run: {error}") from error
        if run != self.run:
            raise ConfigError(
                f"checkpoint {path} is of another run ({run}, not {self.run}); name another file, or delete it"
            )
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.rng.bit_generator.state = json.loads(state["rng"])
        self.step, self.seconds = state["step"], state["seconds"]


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
    """Bits per value of whole images, the first ones up to so many values."""
    network.eval()
    bits, size = 0.0, 0
    with torch.inference_mode():
        for batch in batches(images, values):
            z = np.moveaxis(colour.forward(batch), -1, 1).astype(np.float32)
            bits += float(network.bits(torch.from_numpy(z)))
            size += z.size
    return bits / size


def batches(images: Sequence[NDArray[np.uint8]], values: int) -> list[NDArray[np.uint8]]:
    """Images of one shape that follow each other as stacks of at most a million values, up to so many in all."""
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


def as_images(data: Sequence[NDArray[Any]] | NDArray[Any]) -> list[NDArray[np.uint8]]:
    """Images of shape (h, w, channels); raises `UnsupportedArrayError` for what is not a set of them."""
    if isinstance(data, np.ndarray) and data.ndim == 4 - (data.shape[-1] not in (1, 3, 4)):
        data = list(data)
    images = [x[:, :, None] if isinstance(x, np.ndarray) and x.ndim == 2 else x for x in data]
    for i, x in enumerate(images):
        if not isinstance(x, np.ndarray) or x.dtype != np.uint8 or x.ndim != 3 or x.shape[2] not in (1, 3, 4):
            what = f"{x.dtype} of shape {x.shape}" if isinstance(x, np.ndarray) else f"a {type(x).__name__}"
            raise UnsupportedArrayError(
                f"training takes images of uint8 with 1, 3 or 4 channels in a last axis, or none; number {i} is {what}"
            )
        if x.shape[2] != images[0].shape[2]:
            raise UnsupportedArrayError(
                f"training takes images of one number of channels; number {i} has {x.shape[2]}, the first has {images[0].shape[2]}"
            )
    images = [x for x in images if x.size]
    if len(images) < 2:
        raise UnsupportedArrayError(f"training takes at least 2 images, one of them to validate on, not {len(images)}")
    return images


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
    if not isinstance(budget, int | float) or not 0 < budget < math.inf:
        raise ConfigError(f"budget is a positive number of seconds, not {budget!r}")
    images = as_images(data)
    held = held_out or max(1, len(images) // 20)
    if not 0 < held < len(images):
        raise ConfigError(f"held_out is a number of images from 1 to {len(images) - 1}, not {held_out}")
    images, validation = images[:-held], images[-held:]
    network, steps = fit(images, validation, settings, budget=budget, progress=progress, checkpoint=checkpoint)
    attrs = {**(about or {}), "steps": steps, "seed": settings.seed, "images": len(images)}
    return network, finish(network, images, validation, attrs=attrs, name=name)


def train(data: Sequence[NDArray[Any]] | NDArray[Any], **hyper: Any) -> Model:
    """Train on images and return the model; the settings are those of `Settings`, ``checkpoint`` and ``held_out``."""
    own = {"budget", "progress", "checkpoint", "held_out"}
    known = {field.name for field in fields(Settings)}
    if unknown := sorted(hyper.keys() - own - known):
        raise ConfigError(
            f"training of idf.image has no setting {unknown[0]!r}; it has {', '.join(sorted(known | own - {'progress', 'budget'}))}"
        )
    settings = Settings(**{key: hyper[key] for key in hyper.keys() & known})
    return learn(data, settings=settings, **{key: hyper[key] for key in hyper.keys() & own})[1]


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
    return Model.create(
        codec=model.codec,
        config=model.config,
        tensors=model.tensors(),
        attrs={**attrs, "held_out": measured},
        name=name,
    )
