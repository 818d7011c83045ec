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
from torch import Tensor, nn

from codecs_ar import neighbours
from codecs_ar.freezing import frozen
from codecs_ar.model import Autoregression
from codecs_ar.neighbours import MARGIN
from codecs_ar.network import Network
from codecs_ar.planes import ROLES, Planes
from codecs_core.codec import Progress
from codecs_core.entropy import Message
from codecs_core.errors import ConfigError, UnsupportedArrayError
from codecs_core.models import Model

#: Seconds between two evaluations.
INTERVAL = 10.0
#: Held-out pixels that training is watched on, and examples for freezing.
WATCHED, EXAMPLES = 1 << 17, 1 << 14
#: Pixels that priors are made of, and their weight, in pixels.
PRIOR_PIXELS, PRIOR_WEIGHT = 1 << 21, 3.0
#: Of the predictors: 0.72 and 0.95.
DECAYS = (184, 243)
#: Pixels of a part that is looked at at once.
PART = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Sizes and schedule.

    Parameters
    ----------
    hidden
        Widths of the layers of each network.
    components
        Logistics in a mixture.
    pixels
        At most so many are kept to learn from.
    enlarge
        Of so many of the images, from 0 to 1, an enlarged part is looked at too: full-size photographs are smoother than reduced ones.
    batch
        Values of each plane a step.
    rate
        Of Adam; after a short rise it follows a cosine to zero.
    steps
        If not 0, train for so many steps whatever the clock says.
    seed
        Of the initial weights and of the choice of data.
    start
        File with networks of the same sizes to start from.
    """

    hidden: Sequence[int] = (128, 64)
    components: int = 3
    pixels: int = 4_000_000
    enlarge: float = 0.5
    batch: int = 4096
    rate: float = 5e-3
    steps: int = 0
    seed: int = 0
    start: str = ""

    def __post_init__(self) -> None:
        if (
            not isinstance(self.hidden, Sequence)
            or not 1 <= len(self.hidden) <= 6
            or not all(type(n) is int and 1 <= n <= 512 for n in self.hidden)
        ):
            raise ConfigError(f"hidden is a list of 1 to 6 widths from 1 to 512, not {self.hidden!r}")
        object.__setattr__(self, "hidden", tuple(self.hidden))
        for name, low, high in (
            ("components", 1, 16),
            ("pixels", 1, 1 << 30),
            ("batch", 1, 1 << 20),
            ("steps", 0, 1 << 40),
            ("seed", 0, 1 << 62),
        ):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise ConfigError(f"{name} is an integer from {low} to {high}, not {value!r}")
        if not isinstance(self.rate, int | float) or not 0 < self.rate < math.inf:
            raise ConfigError(f"rate is a positive number, not {self.rate!r}")
        if not isinstance(self.enlarge, int | float) or not 0 <= self.enlarge <= 1:
            raise ConfigError(f"enlarge is a number from 0 to 1, not {self.enlarge!r}")
        if not isinstance(self.start, str):
            raise ConfigError(f"start is the path of a file, not {self.start!r}")


@dataclass(frozen=True, eq=False)
class Values:
    """Values of one plane to learn from, as `Network.bits` takes them."""

    features: Tensor
    misses: Tensor
    spreads: Tensor
    low: Tensor
    high: Tensor

    def __len__(self) -> int:
        return len(self.misses)

    def __getitem__(self, at: Any) -> tuple[Tensor, ...]:
        return tuple(part[at] for part in (self.features, self.misses, self.spreads, self.low, self.high))


def normal_equations(planes: Planes, plane: int) -> NDArray[np.float64]:
    """Sums of the products of the regressors and of what they predict, over all but a border, a flat activity counting most, per value."""
    role = ROLES[plane]
    x = planes.x[plane - role : plane + 1]
    h, w, m = planes.height, planes.width, MARGIN

    def at(back: int, place: tuple[int, int]) -> NDArray[np.float64]:
        there = x[role - back, :, m + place[0] : m + place[0] + h, m + place[1] : m + place[1] + w]
        return there[:, m : h - m, m : w - m]

    def difference(back: int, place: tuple[int, int]) -> NDArray[np.float64]:
        return at(back, place) - at(back, (0, -1))

    lists = [neighbours.OWN[role], neighbours.BEFORE, neighbours.EARLIER][: role + 1]
    r = np.stack([difference(back, place) for back, places in enumerate(lists) for place in places], -1)
    activity = np.abs(r[..., :4]).mean(-1)
    weight = (1 / (0.25 * activity * activity + 1)).reshape(-1)
    flat, target = r.reshape(-1, r.shape[-1]), difference(0, (0, 0)).reshape(-1)
    weighted = flat * weight[:, None]
    products, result = weighted.T @ flat, weighted.T @ target
    return np.concatenate([products[np.tril_indices(len(result))], result])


def priors_of(images: Sequence[NDArray[Any]]) -> list[NDArray[np.float64]]:
    """For each plane the mean normal equations, with the weight of `PRIOR_WEIGHT` values."""
    channels = images[0].shape[-1]
    sums = [np.zeros(0)] * channels
    pixels = 0
    for x in images:
        h, w = x.shape[:2]
        # of a small image there may be nothing but border: then it is repeated
        tiled = x if min(h, w) >= 4 * MARGIN else np.tile(x, (-(-4 * MARGIN // h), -(-4 * MARGIN // w), 1))
        planes = Planes.of(tiled[None, :2048, :2048])
        for i in range(channels):
            found = normal_equations(planes, i)
            sums[i] = found if not sums[i].size else sums[i] + found
        pixels += (planes.height - 2 * MARGIN) * (planes.width - 2 * MARGIN)
        if pixels >= PRIOR_PIXELS:
            break
    priors = []
    for i, total in enumerate(sums):
        n = neighbours.regressors(ROLES[i])
        prior = total * (PRIOR_WEIGHT / pixels)
        # keeps images of one colour from being singular
        diagonal = np.cumsum(np.arange(1, n + 1)) - 1
        prior[diagonal] += 1e-3 * (1 + prior[diagonal].mean())
        priors.append(prior)
    return priors


def enlarged(x: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """A part of an image, 1.4 to 2.5 times as large and now and then with a little noise."""
    size = 224
    top, left = (int(rng.integers(max(1, n - size))) for n in x.shape[:2])
    part = x[top : top + size, left : left + size].astype(np.float32)
    factor = float(rng.uniform(1.4, 2.5))
    source = torch.from_numpy(np.moveaxis(part, -1, 0)[None].copy())
    large = nn.functional.interpolate(source, scale_factor=factor, mode="bicubic")[0].numpy()
    noise = rng.uniform(0, 2) * (rng.random() < 0.7) * rng.standard_normal(large.shape)
    out = np.rint(large + noise).clip(0, np.iinfo(x.dtype).max)
    return np.moveaxis(out, 0, -1).astype(x.dtype)


def collect(
    images: Sequence[NDArray[Any]],
    priors: Sequence[NDArray[np.float64]],
    most: int,
    rng: np.random.Generator,
    *,
    share: float = 1.0,
    enlarge: float = 0.0,
    progress: Progress | None = None,
) -> list[Values]:
    """What is seen of images, plane by plane: a random share of the pixels, and as many images as give no more than `most` of them."""
    parts: list[list[tuple[NDArray[Any], ...]]] = [[] for _ in priors]
    count = 0
    for number, x in enumerate(images):
        again = [enlarged(x, rng)] if rng.random() < enlarge else []
        for image in (x, *again):
            flipped = image[:, ::-1] if rng.random() < 0.5 else image
            rows = max(1, PART // max(1, flipped.shape[1]))
            for start in range(0, len(flipped), rows):
                part = flipped[start : start + rows]
                planes = Planes.of(np.ascontiguousarray(part)[None])
                n = part.shape[0] * part.shape[1]
                keep = np.sort(rng.permutation(n)[: max(1, math.ceil(n * share))])
                for i, prior in enumerate(priors):
                    seen = planes.look(i, prior, np.array(DECAYS) / 256.0)
                    values = planes.values[i].reshape(-1)[keep]
                    misses = values - seen.centres[keep]
                    spreads = seen.spreads[keep]
                    ends = values == 0, values == planes.top
                    parts[i].append((seen.features[keep], misses.astype(np.float32), spreads.astype(np.float32), *ends))
                count += keep.size
        if progress:
            progress(0.0, f"looked at {number + 1} images, {count} pixels kept")
        if count >= most:
            break
    return [Values(*(torch.from_numpy(np.concatenate(c)[:most]) for c in zip(*p, strict=True))) for p in parts]


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


def begin(networks: Sequence[Network], path: str) -> None:
    """Give networks the weights in a file, plane by plane; raises `ConfigError` if they do not fit."""
    try:
        states = torch.load(path, weights_only=True)
        for network, state in zip(networks, states, strict=False):
            network.load_state_dict(state)
    except Exception as error:
        raise ConfigError(f"start: {path!r} has no weights for these networks: {error}") from error


def as_images(data: Sequence[NDArray[Any]] | NDArray[Any]) -> list[NDArray[Any]]:
    """Images of shape (h, w, channels); raises `UnsupportedArrayError` for what is not a set of them."""
    if isinstance(data, np.ndarray) and data.ndim == 4 - (data.shape[-1] not in (1, 3, 4)):
        data = list(data)
    images = [x[:, :, None] if isinstance(x, np.ndarray) and x.ndim == 2 else x for x in data]
    for i, x in enumerate(images):
        fits = isinstance(x, np.ndarray) and x.ndim == 3 and x.shape[2] in (1, 3, 4)
        if not fits or not (x.dtype == np.uint8 or (x.dtype == np.uint16 and x.shape[2] == 1)):
            what = f"{x.dtype} of shape {x.shape}" if isinstance(x, np.ndarray) else f"a {type(x).__name__}"
            raise UnsupportedArrayError(
                "training takes images of uint8 with 1, 3 or 4 channels in a last axis, or none, or grey ones of uint16; "
                f"number {i} is {what}"
            )
        if x.shape[2] != images[0].shape[2]:
            raise UnsupportedArrayError(
                f"training takes images of one number of channels; number {i} has {x.shape[2]}, the first has {images[0].shape[2]}"
            )
    # alpha is coded as green is
    images = [x[:, :, :3] for x in images if x.size]
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
    rng = np.random.Generator(np.random.PCG64(settings.seed))
    images = [images[i] for i in rng.permutation(len(images))]
    priors = priors_of(images)
    # twice as many pixels are looked at as are kept: more images to learn from
    watched = collect(validation, priors, WATCHED, rng, share=0.5)
    total = sum(x.shape[0] * x.shape[1] for x in images) * (1 + settings.enlarge)
    share = min(1.0, max(0.4, settings.pixels / total))
    values = collect(images, priors, settings.pixels, rng, share=share, enlarge=settings.enlarge, progress=progress)
    left = max(1.0, budget - (time.monotonic() - start))
    networks, steps = fit(values, watched, settings, budget=left, progress=progress, checkpoint=checkpoint)
    attrs = {**(about or {}), "steps": steps, "seed": settings.seed, "images": len(images)}
    return networks, finish(networks, priors, values, validation, attrs=attrs, name=name)


def finish(
    networks: Sequence[Network],
    priors: Sequence[NDArray[np.float64]],
    values: Sequence[Values],
    held_out: Sequence[NDArray[Any]],
    *,
    attrs: Mapping[str, Any],
    name: str = "",
) -> Model:
    """Freeze trained networks and measure them before and after on what is held out."""
    rng = np.random.Generator(np.random.PCG64(0))
    examples = [v.features[torch.from_numpy(rng.integers(0, len(v), EXAMPLES))].numpy() for v in values]
    model = frozen(networks, priors, examples, decays=DECAYS, attrs={}, name=name)
    coder = Autoregression(model.config, model.tensors())
    message, count, parts = Message(), 0, []
    for x in held_out:
        part = x[None, :2048, :1024]
        coder.push(message, np.ascontiguousarray(part))
        parts.append(part[0])
        count += part.size
        if count >= 3 * WATCHED:
            break
    whole = collect(parts, priors, 1 << 40, rng)
    measured = {
        "values": count,
        "float_bits_per_value": round(rate_of(networks, whole), 5),
        "integer_bits_per_value": round(message.bits / count, 5),
    }
    return Model.create(
        codec=model.codec,
        config=model.config,
        tensors=model.tensors(),
        attrs={**attrs, "held_out": measured},
        name=name,
    )


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
