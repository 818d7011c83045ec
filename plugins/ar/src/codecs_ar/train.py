"""Training: what the codec sees of images is collected once; networks learn from a random part of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from codecs_ar import neighbours
from codecs_ar.coarse import FEWEST
from codecs_ar.data import DECAYS, Values, as_images, collect, joined, look, priors_of
from codecs_ar.freeze import frozen, load_into
from codecs_ar.learner import WEIGHT_BITS
from codecs_ar.meta import Passes, adapt
from codecs_ar.model import LONGEST, Autoregression
from codecs_ar.network import Network
from codecs_ar.planes import ROLES
from codecs_ar.workspace import Predictors
from codecs_core import Model, Progress
from codecs_core import learn as learning
from codecs_core.entropy import Message
from codecs_core.learn import Run

#: Seconds between two evaluations.
INTERVAL = 10.0
#: Held-out pixels that training is watched on.
WATCHED = 1 << 17
#: Rates of learning that are tried, as negative exponents of 2: those of weights, and those of biases.
RATES = ((0, 0), (10, 8), (11, 9), (12, 10))
#: Those of passes while networks are trained, and for how many steps by values drawn at random there is one by passes.
WHILE_TRAINING, FEWER = (11, 9), 64


@dataclass(frozen=True, kw_only=True)
class Settings(learning.Schedule):
    """Sizes and schedule.

    Parameters
    ----------
    hidden
        Widths of the layers of each network.
    components
        Logistics in a mixture.
    pixels
        At most this number are kept to learn from.
    enlarge
        Of this share of the images, from 0 to 1, an enlarged part is looked at too: full-size photographs are smoother than reduced ones.
    adapt
        For this share of the training, at its end, networks learn to be what learning begins with; see `codecs_ar.meta`. 0 is for images
        so small that there is nothing to learn from.
    batch
        Values of each plane a step.
    periods
        The short- and the long-sighted predictor are each solved once for this number of values: 1 and 4 are slower, and better.
    start
        Name or path of a model of the same widths to start from.
    weight_bits
        Fractional bits of the weights in the model: with fewer, a file that embeds it is smaller. See `codecs_ar.coarse`.
    """

    hidden: Sequence[int] = learning.counts((64, 64), 1, 512, lengths=(1, 6))
    components: int = learning.whole(3, 1, 16)
    pixels: int = learning.whole(4_000_000, 1, 1 << 30)
    enlarge: float = learning.number(0.5, 0, 1)
    adapt: float = learning.number(0.4, 0, 1)
    batch: int = learning.whole(4096, 1, 1 << 20)
    rate: float = learning.number(5e-3, above=True)
    periods: Sequence[int] = learning.counts((4, 16), 1, LONGEST, lengths=(2, 2))
    start: str = ""
    weight_bits: int = learning.whole(8, FEWEST, WEIGHT_BITS)


def rate_of(networks: Sequence[Network], values: Sequence[Values]) -> float:
    """Bits per value."""
    bits, count = 0.0, 0
    with torch.inference_mode():
        for network, of in zip(networks, values, strict=True):
            where = next(network.parameters()).device
            for start in range(0, len(of), 1 << 14):
                bits += float(
                    network.bits(*(part.to(where) for part in of[start : start + (1 << 14)])).cpu().double().sum()
                )
            count += len(of)
    return bits / count


def begun(channels: int, settings: Settings) -> list[Network]:
    """The networks that training begins with, one a plane."""
    torch.manual_seed(settings.seed)
    networks = [
        Network(neighbours.features(ROLES[i]), hidden=settings.hidden, components=settings.components)
        for i in range(channels)
    ]
    if settings.start:
        learning.start_from("ar.image", settings.start, lambda tensors: load_into(networks, tensors))
    return networks


def fit(
    networks: Sequence[Network], values: Sequence[Values], watched: Sequence[Values], settings: Settings, run: Run
) -> int:
    """Train the networks of all planes together on values drawn at random; returns how many steps it took. See `learn`."""
    rng = np.random.Generator(np.random.PCG64(settings.seed))

    def loss(_: float) -> Tensor:
        total = torch.zeros(())
        for network, of in zip(networks, values, strict=True):
            batch = of[torch.from_numpy(rng.integers(0, len(of), settings.batch))]
            total = total + network.bits(*(part.to(learning.device()) for part in batch)).mean().cpu()
        return total

    return run.fit(
        nn.ModuleList(networks),
        loss,
        lambda: rate_of(networks, watched),
        settings,
        data=f"{len(values[0])} pixels",
        interval=INTERVAL,
        rng=rng,
    )


def learn(data: Sequence[NDArray[Any]] | NDArray[Any], settings: Settings, run: Run) -> tuple[list[Network], Model]:
    """Train on images; return the networks in floating point and, frozen, the model.

    Parameters
    ----------
    data
        Images: an array of shape (n, h, w, channels) or (n, h, w), or arrays of shape (h, w, channels) or (h, w); uint8, or with one
        channel also uint16.
    settings, run
        How.

    Raises
    ------
    UnsupportedArrayError
        For data that is no set of images of one number of channels.
    ConfigError
        For a checkpoint of another run.
    """
    start = time.monotonic()
    images, validation = learning.hold_out(as_images(data), run.held_out)
    images, rng = shuffled(images, settings)
    priors = priors_of(images)
    networks, steps = begun(len(priors), settings), 0
    if settings.adapt < 1:
        values, watched = seen(images, validation, priors, settings, rng, run.progress)
        left = run.budget * (1 - settings.adapt) - (time.monotonic() - start)
        steps = fit(networks, values, watched, settings, replace(run, budget=max(1.0, left)))
    for network in networks:
        network.balance()
    if settings.adapt > 0:
        steps += adapt(
            Passes(networks, priors, settings.periods, WHILE_TRAINING),
            images,
            some(validation),
            enlarge=settings.enlarge,
            budget=max(1.0, run.budget - (time.monotonic() - start)),
            steps=-(-settings.steps // FEWER),
            rng=rng,
            progress=run.progress,
        )
    attrs = {**run.about, "steps": steps, "seed": settings.seed, "images": len(images)}
    return networks, finish(networks, priors, validation, settings, attrs=attrs, name=run.name)


def seen(
    images: Sequence[NDArray[Any]],
    validation: Sequence[NDArray[Any]],
    priors: Sequence[NDArray[np.float64]],
    settings: Settings,
    rng: np.random.Generator,
    progress: Progress | None,
) -> tuple[list[Values], list[Values]]:
    """Values to learn from, and to be watched on."""
    # twice as many pixels are looked at as are kept: more images to learn from
    looked = partial(look, priors=priors, predictors=Predictors.of(DECAYS, settings.periods))
    watched = collect(validation, looked, WATCHED, rng, share=0.5)
    total = sum(x.shape[0] * x.shape[1] for x in images) * (1 + settings.enlarge)
    share, enlarge = min(1.0, max(0.4, settings.pixels / total)), settings.enlarge
    most = settings.pixels
    values = collect(images, looked, most, rng, share=share, enlarge=enlarge, progress=progress)
    return values, watched


def shuffled(images: Sequence[NDArray[Any]], settings: Settings) -> tuple[list[NDArray[Any]], np.random.Generator]:
    """Images in the order in which they are looked at, and the generator that goes on from there."""
    rng = np.random.Generator(np.random.PCG64(settings.seed))
    return [images[i] for i in rng.permutation(len(images))], rng


def some(held_out: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """As many of these images as there is time to look at."""
    parts: list[NDArray[Any]] = []
    for x in held_out:
        parts.append(np.ascontiguousarray(x[:2048, :1024]))
        if sum(part.size for part in parts) >= 3 * WATCHED:
            break
    return parts


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
    parts = some(held_out)
    count = sum(part.size for part in parts)
    how: dict[str, Any] = {"decays": DECAYS, "periods": settings.periods, "weight_bits": settings.weight_bits}
    found = {}
    for rates in RATES:
        model = frozen(networks, priors, rates=rates, attrs={}, name=name, **how)
        coder, bits = Autoregression(model.config, model.tensors()), 0.0
        for stack in learning.stacks(parts, count):
            message = Message()
            coder.push(message, stack)
            bits += message.bits
        found[rates] = bits / count
    rates = min(found, key=lambda rates: found[rates])
    predictors = Predictors.of(DECAYS, settings.periods)
    still = joined([look(part, priors, predictors) for part in parts])
    rate = rate_of(networks, still)
    measured = learning.measured(count, float=rate, integer=found[0, 0], learning=found[rates])
    attrs = {**attrs, "held_out": measured}
    return frozen(networks, priors, rates=rates, attrs=attrs, name=name, **how)


def train(data: Sequence[NDArray[Any]] | NDArray[Any], **hyper: Any) -> Model:
    """Train on images and return the model; the settings are those of `Settings` and of `Run`."""
    return learn(data, *Run.of("ar.image", Settings, hyper))[1]
