"""Training: what the codec sees of images is collected once; networks learn from a random part of it."""

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
from torch import nn

import codecs_core as cc
from codecs_ar.data import DECAYS, Values, as_images, collect, joined, look, priors_of, stacks
from codecs_ar.freezing import frozen, thawed
from codecs_ar.kernels import Predictors
from codecs_ar.model import Autoregression
from codecs_ar.network import Network
from codecs_ar.settings import Settings
from codecs_core.codec import Progress
from codecs_core.entropy import Message
from codecs_core.errors import CodecsError, ConfigError
from codecs_core.models import Model

#: Seconds between two evaluations.
INTERVAL = 10.0
#: Held-out pixels that training is watched on.
WATCHED = 1 << 17
#: Rates of learning, as negative exponents of 2, of which the best ones are taken: of weights, and of biases.
RATES = ((0, 0), (10, 7), (11, 8), (13, 10))
DEFAULT = Settings()


def rate_of(networks: Sequence[Network], values: Sequence[Values]) -> float:
    """Bits per value."""
    bits, count = 0.0, 0
    with torch.inference_mode():
        for network, of in zip(networks, values, strict=True):
            for start in range(0, len(of), 1 << 14):
                bits += float(network.bits(*of[start : start + (1 << 14)]).double().sum())
            count += len(of)
    return bits / count


@dataclass
class State:
    """All that a training run changes, to be saved and taken up again; `run` says which it is."""

    networks: nn.ModuleList
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
            "networks": self.networks.state_dict(),
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
        self.networks.load_state_dict(state["networks"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.rng.bit_generator.state = json.loads(state["rng"])
        self.step, self.seconds = state["step"], state["seconds"]


def fit(
    values: Sequence[Values],
    watched: Sequence[Values],
    settings: Settings,
    *,
    budget: float,
    progress: Progress | None = None,
    checkpoint: str | Path | None = None,
) -> tuple[list[Network], int]:
    """Train the networks of all planes together; returns them and how many steps it took. See `learn`."""
    torch.manual_seed(settings.seed)
    rng = np.random.Generator(np.random.PCG64(settings.seed))
    networks = [Network(v.features.shape[1], hidden=settings.hidden, components=settings.components) for v in values]
    if settings.start:
        begin(networks, settings.start)
    modules = nn.ModuleList(networks)
    optimiser = torch.optim.Adam(modules.parameters(), betas=(0.9, 0.99))
    state = State(modules, optimiser, rng, run=f"{settings} of {len(values[0])} pixels")
    if checkpoint is not None and Path(checkpoint).exists():
        state.load(Path(checkpoint))
    before, start = state.seconds, time.monotonic()
    shown, done = start, 0.0
    while done < 1:
        now = time.monotonic()
        state.seconds = before + now - start
        done = min(1.0, (state.step + 1) / settings.steps if settings.steps else state.seconds / budget)
        for group in optimiser.param_groups:
            group["lr"] = (
                settings.rate * min(1.0, (state.step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-7
            )
        for network, of in zip(networks, values, strict=True):
            batch = of[torch.from_numpy(rng.integers(0, len(of), settings.batch))]
            network.zero_grad()
            network.bits(*batch).mean().backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        state.step += 1
        if now - shown > INTERVAL or done >= 1:
            if progress:
                progress(
                    done, f"step {state.step}: {rate_of(networks, watched):.4f} bits per value on what is held out"
                )
            if checkpoint is not None:
                state.save(Path(checkpoint))
            shown = time.monotonic()
    return networks, state.step


def begin(networks: Sequence[Network], start: str) -> None:
    """Give networks the weights of a model, plane by plane; raises `ConfigError` if there is none, or it does not fit."""
    try:
        model = cc.get_codec("ar.image", model=start).model
        thawed(networks, model.tensors())  # type: ignore[union-attr]
    except CodecsError as error:
        raise ConfigError(f"cannot start from {start!r}: {error}") from error


def learn(
    data: Sequence[NDArray[Any]] | NDArray[Any],
    *,
    budget: float = 1200.0,
    progress: Progress | None = None,
    checkpoint: str | Path | None = None,
    settings: Settings = DEFAULT,
    held_out: int = 0,
    name: str = "",
    about: Mapping[str, Any] | None = None,
) -> tuple[list[Network], Model]:
    """Train on images; return the networks in floating point and, frozen, the model.

    Parameters
    ----------
    data
        Images: an array of shape (n, h, w, channels) or (n, h, w), or arrays of shape (h, w, channels) or (h, w); uint8, or with one
        channel also uint16.
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
    start = time.monotonic()
    images, validation = images[:-held], images[-held:]
    images, rng = shuffled(images, settings)
    priors = priors_of(images)
    # twice as many pixels are looked at as are kept: more images to learn from
    watched = collect(validation, priors, settings.periods, WATCHED, rng, share=0.5)
    total = sum(x.shape[0] * x.shape[1] for x in images) * (1 + settings.enlarge)
    share = min(1.0, max(0.4, settings.pixels / total))
    values = collect(
        images, priors, settings.periods, settings.pixels, rng, share=share, enlarge=settings.enlarge, progress=progress
    )
    left = max(1.0, budget - (time.monotonic() - start))
    networks, steps = fit(values, watched, settings, budget=left, progress=progress, checkpoint=checkpoint)
    attrs = {**(about or {}), "steps": steps, "seed": settings.seed, "images": len(images)}
    return networks, finish(networks, priors, validation, settings, attrs=attrs, name=name)


def shuffled(images: Sequence[NDArray[Any]], settings: Settings) -> tuple[list[NDArray[Any]], np.random.Generator]:
    """Images in the order in which they are looked at, and the generator that goes on from there."""
    rng = np.random.Generator(np.random.PCG64(settings.seed))
    return [images[i] for i in rng.permutation(len(images))], rng


def finish(
    networks: Sequence[Network],
    priors: Sequence[NDArray[np.float64]],
    held_out: Sequence[NDArray[Any]],
    settings: Settings,
    *,
    attrs: Mapping[str, Any],
    name: str = "",
) -> Model:
    """Freeze trained networks, at the rates of learning that are the best for what is held out."""
    parts, count = [], 0
    for x in held_out:
        parts.append(np.ascontiguousarray(x[:2048, :1024]))
        count += parts[-1].size
        if count >= 3 * WATCHED:
            break
    found = {}
    for rates in RATES:
        model = frozen(networks, priors, decays=DECAYS, periods=settings.periods, rates=rates, attrs={}, name=name)
        coder, bits = Autoregression(model.config, model.tensors()), 0.0
        for stack in stacks(parts):
            message = Message()
            coder.push(message, stack)
            bits += message.bits
        found[rates] = bits / count
    rates = min(found, key=lambda rates: found[rates])
    predictors = Predictors.of(DECAYS, (settings.periods[0], settings.periods[1]))
    still = joined([look(part, priors, predictors) for part in parts])
    measured = {
        "values": count,
        "float_bits_per_value": round(rate_of(networks, still), 5),
        "integer_bits_per_value": round(found[0, 0], 5),
        "learning_bits_per_value": round(found[rates], 5),
    }
    attrs = {**attrs, "held_out": measured}
    return frozen(networks, priors, decays=DECAYS, periods=settings.periods, rates=rates, attrs=attrs, name=name)


def train(data: Sequence[NDArray[Any]] | NDArray[Any], **hyper: Any) -> Model:
    """Train on images and return the model; the settings are those of `Settings`, ``checkpoint`` and ``held_out``."""
    own = {"budget", "progress", "checkpoint", "held_out"}
    known = {field.name for field in fields(Settings)}
    if unknown := sorted(hyper.keys() - own - known):
        raise ConfigError(
            f"training of ar.image has no setting {unknown[0]!r}; it has {', '.join(sorted(known | own - {'progress', 'budget'}))}"
        )
    settings = Settings(**{key: hyper[key] for key in hyper.keys() & known})
    return learn(data, settings=settings, **{key: hyper[key] for key in hyper.keys() & own})[1]
