"""Training a lossy autoencoder on images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from codecs_core import Model
from codecs_core import learn as learning
from codecs_core.entropy import quantise
from codecs_core.errors import ConfigError, UnsupportedArrayError
from codecs_core.learn import Run
from codecs_rec.index import PRECISION
from codecs_rec.lossy import drawing
from codecs_rec.lossy.freeze import frozen
from codecs_rec.lossy.model import GREY
from codecs_rec.lossy.network import Channel, Decoder
from codecs_rec.lossy.plan import DEVIATIONS
from codecs_rec.transform import MATRIX_BITS, VALUE_BITS, Transform, cosines

#: Qualities, and 64 log2 of how much the noise of each exceeds that of the next.
QUALITIES, STEP = 8, 24
#: Items that classes are made of, and what tables are calibrated on.
CLASSIFIED, CALIBRATION = 20_000, 64
#: Seconds between two looks at the validation part.
INTERVAL = 10.0
#: Octaves of candidates beyond a block's mean information.
SPARE = 3


def classify(y: NDArray[Any], classes: int, floor: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Variances (classes, coefficients) and shares (classes,) of a mixture of Gaussians, by the Lloyd algorithm from classes by energy."""
    squares, whole = np.square(y), np.square(y).mean(0)
    label = np.empty(len(y), np.int64)
    label[np.argsort(squares.sum(1), kind="stable")] = np.arange(len(y)) * classes // len(y)
    for _ in range(12):
        sizes = np.bincount(label, minlength=classes)
        sums = np.stack([squares[label == k].sum(0) for k in range(classes)])
        variances = (sums + 20 * whole) / (sizes[:, None] + 20)
        shares = (sizes + 1) / (len(y) + classes)
        bounded = np.maximum(variances, floor)
        label = (squares @ (1 / bounded).T + np.log(bounded).sum(1) - 2 * np.log(shares)).argmin(1)
    return variances, shares


@dataclass(frozen=True, kw_only=True)
class Settings(learning.Settings):
    """What a training is made of, beside its data.

    Parameters
    ----------
    sigma
        Standard deviation of the noise of latents at the best quality, in 8-bit values; of each quality before, it is 1.3 times as much.
    classes
        Sets of prior deviations that an image is given the best of, at most; a class has 50 items or more on average.
    width, depth
        Channels and residual blocks of the network.
    block_bits
        Information of a block beyond its box, on average, at most: what is left to be searched for.
    epochs
        If not 0, train for this number of epochs, however long they take: with `seed`, the same model again on the same build.
    batch, rate
        Of Adam; the rate follows a cosine.
    seed
        Of the initial weights, of the order of the data and of the noise.
    start
        Name or path of a model that is to draw detail: it stays as it is, and gets a network for that, of this width and depth.
    """

    sigma: float = learning.number(12.0, 1, 64)
    classes: int = learning.whole(32, 1, 256)
    width: int = learning.whole(48, 1, 1024)
    depth: int = learning.whole(2, 0, 64)
    block_bits: int = learning.whole(12, 1, 17)
    epochs: int = learning.whole(0, 0, 1 << 20)
    batch: int = learning.whole(32, 1, 1 << 20)
    rate: float = learning.number(1.5e-3, above=True)
    seed: int = learning.whole(0, 0, (1 << 63) - 1)
    start: str = ""


def learn(data: NDArray[Any], settings: Settings, run: Run) -> tuple[nn.Module, Model]:
    """Train on a stack of images; return the network in floating point and, frozen, the model.

    Parameters
    ----------
    data
        Shape (n, h, w) or (n, h, w, c) with up to four channels, uint8 or bool; h w c is at most 2^16. The last twentieth is held out.
    settings, run
        How; freezing and calibration come on top of the budget.

    Raises
    ------
    UnsupportedArrayError
        For data of another dtype or shape, or fewer than 40 items.
    """
    fits = data.ndim in (3, 4) and data.shape[3:] in ((), (1,), (2,), (3,), (4,))
    if data.dtype not in (np.uint8, np.bool_) or not fits or len(data) < 40 or not 0 < data[0].size <= 1 << 16:
        raise UnsupportedArrayError(
            f"training takes a stack of 40 small images or more, of dtype uint8 or bool, not {data.dtype} of shape {data.shape}; "
            "for photographs of any size: kind=photograph"
        )
    torch.manual_seed(settings.seed)
    items = np.array(data).view(np.uint8).reshape(*data.shape[:3], -1)
    if settings.start:
        return drawing.learn(items, settings, run)
    largest = 1 if int(items.max()) <= 1 else 255
    x = torch.from_numpy(items) if largest == 255 else torch.from_numpy(items * np.uint8(255))
    held = max(8, len(x) // 20)
    fit, validation = x[:-held], x[-held:][:1000]
    height, width_, channels = items.shape[1:]
    squeeze = next(side for side in (2, 1) if height % side == width_ % side == 0)
    noises = round(64 * math.log2(settings.sigma)) + STEP * np.arange(QUALITIES)[::-1]
    noises = np.clip(noises, 0, DEVIATIONS - 1)
    transform, deviations, shares = _linear(fit[:CLASSIFIED].numpy(), settings.classes, noises)
    channel = Channel(transform, deviations, shares)
    network = Decoder(channels, squeeze, width=settings.width, depth=settings.depth)
    levels = torch.from_numpy(noises).float()
    epoch = len(fit) // min(settings.batch, len(fit))
    batches = learning.shuffled(fit, settings.batch)
    steps = learning.fit(
        network,
        lambda done: _loss(network, channel, next(batches), levels),
        lambda: _error(network, channel, validation, levels),
        rate=settings.rate,
        budget=run.budget,
        steps=settings.epochs * epoch,
        interval=INTERVAL,
        rng=np.random.default_rng(settings.seed),
        run=f"{settings} of {len(fit)} items",
        checkpoint=None if run.checkpoint is None else Path(run.checkpoint),
        progress=run.progress,
        told="grey levels of error, on average over the qualities, on what is held out",
    )
    attrs = {**run.about, "epochs": round(steps / epoch, 2), "seed": settings.seed, "items": len(fit)}
    config = {
        "item_shape": list(data.shape[1:]),
        "largest": largest,
        "squeeze": squeeze,
        "block_bits": settings.block_bits,
    }
    tensors: dict[str, NDArray[Any]] = {
        "rows": transform.rows.astype(np.int16),
        "columns": transform.columns.astype(np.int16),
        "colours": transform.colours.astype(np.int16),
        "places": transform.places.astype(np.int32),
        "deviations": deviations.astype(np.int16),
        "noises": noises.astype(np.int16),
        "classes": quantise(shares, PRECISION).astype(np.int32),
    }
    tensors["octaves"] = quantise(np.ones((settings.block_bits + 1, settings.block_bits + SPARE)), PRECISION).astype(
        np.int32
    )
    model = frozen(network, channel, fit[:CALIBRATION], config, tensors, attrs, run.name)
    return network, model


def train(data: Sequence[NDArray[Any]] | NDArray[Any], **hyper: Any) -> Model:
    """Train on a stack of small images and return the model; the settings are those of `Settings`.

    With ``kind="photograph"`` it is a model for photographs of any size: see `codecs_rec.photograph.train`.

    Raises
    ------
    ConfigError
        For another kind.
    """
    kind = hyper.pop("kind", "items")
    if kind == "photograph":
        from codecs_rec.photograph.train import train as train_photographs

        return train_photographs(data, **hyper)
    if kind != "items":
        raise ConfigError(f"kind must be items or photograph, got {kind!r}")
    if isinstance(data, list) and len({x.shape for x in data}) > 1:
        raise UnsupportedArrayError("training takes images of one shape; for photographs of any size: kind=photograph")
    return learn(np.asarray(data), *Run.of("rec.vae", Settings, hyper, beside=("budget", "progress", "checkpoint")))[1]


def _linear(
    items: NDArray[np.uint8], classes: int, noises: NDArray[np.int64]
) -> tuple[Transform, NDArray[np.int64], NDArray[np.float64]]:
    """The transform, with the coefficients that some class sends at the best quality; 64 log2 of deviations; shares of classes."""
    n, height, width, channels = items.shape
    pixels = items.reshape(-1, channels)[:: max(1, n // 2000)].astype(np.float64)
    pixels -= pixels.mean(0)
    colours = np.rint(np.linalg.eigh(pixels.T @ pixels)[1].T[::-1] * (1 << MATRIX_BITS)).astype(np.int64)
    whole = Transform(cosines(height), cosines(width), colours, np.arange(height * width * channels))
    y = whole.forward((items.astype(np.int64) - GREY) << VALUE_BITS) * 2.0**-VALUE_BITS
    least, middle = 2.0 ** (noises.min() / 32), 2.0 ** (noises[len(noises) // 2] / 32)
    near = np.flatnonzero((y * y).mean(0) > 0.3 * least)
    near = near if near.size else np.arange(1)
    variances, shares = classify(y[:, near], max(1, min(classes, n // 50)), middle)
    kept = (variances > least).any(0)
    kept[0] |= not kept.any()
    deviations = np.rint(32 * np.log2(np.maximum(variances[:, kept], 1.0))).astype(np.int64)
    transform = Transform(whole.rows, whole.columns, whole.colours, near[kept])
    return transform, np.clip(deviations, 0, DEVIATIONS - 1), shares


def _loss(network: Decoder, channel: Channel, x: Tensor, levels: Tensor) -> Tensor:
    """Squared errors over the deviation of the noise, each item at a quality drawn for it."""
    x = x.float() - GREY
    noise = levels[torch.randint(len(levels), (len(x),))]
    with torch.no_grad():
        base = channel.synthesise(channel.sample(channel.analyse(x), noise)[0])
    where = next(network.parameters()).device
    base, noise, x = base.to(where), noise.to(where), x.to(where)
    errors: Tensor = (network(base, noise) - x).square().mean((1, 2, 3))
    return (errors / torch.exp2(noise / 64)).mean() / 10


def _error(network: Decoder, channel: Channel, x: Tensor, levels: Tensor) -> float:
    """The root mean square error, on average over the qualities."""
    decibels = [peak for _, peak in evaluate(network, channel, x, levels)]
    return float(np.mean([255 * 10 ** (-peak / 20) for peak in decibels]))


def evaluate(network: Decoder, channel: Channel, x: Tensor, levels: Tensor) -> list[tuple[float, float]]:
    """Information in bits per pixel, and PSNR, at each quality."""
    network.eval()
    where = next(network.parameters()).device
    points = []
    with torch.inference_mode():
        centred = x.float() - GREY
        y = channel.analyse(centred)
        for level in levels:
            noise = level.expand(len(x))
            z, bits = channel.sample(y, noise)
            shown = network(channel.synthesise(z).to(where), noise.to(where)).cpu().clamp(-GREY, 255 - GREY)
            error = max(float((shown - centred).square().mean()), 1e-9)
            points.append((float(bits.mean()) / math.prod(x.shape[1:3]), 10 * math.log10(255**2 / error)))
    return points
