"""Training: the prior of the networks of somebody's images, by expectation and maximisation."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core import Model
from codecs_core import learn as learning
from codecs_core.errors import ConfigError
from codecs_core.learn import Run
from codecs_inr import checkpoint as states
from codecs_inr.em import Alternation
from codecs_inr.features import FREQUENCY_BITS, fourier
from codecs_inr.freeze import frozen
from codecs_inr.model import INR, MOST_LINEAR, decibels, standardised
from codecs_inr.network import Siren
from codecs_inr.patches import cut
from codecs_inr.sine import VALUE_BITS

#: Steps of an E step.
STEPS = 25
#: Seconds between two checkpoints.
INTERVAL = 60.0
#: Bits that a weight can tell, at the most: beyond that more weights are better.
BITS_A_WEIGHT = 8
#: Sides of images that become one patch.
SMALL = 64


@dataclass(frozen=True, kw_only=True)
class Settings(learning.Settings):
    """What a training is made of, beside its data.

    Parameters
    ----------
    bpp
        Bits per pixel that an image is to cost: every image has a payload of the same length.
    hidden
        Units of the hidden layers.
    linear
        Whether to learn a basis for the weights of each layer (RECOMBINER); if not, weights are independent (COMBINER).
    frequencies, highest
        Of the Fourier features, on each axis; the highest one in periods from end to end, 0: half of the longest side.
    side
        Images are cut into squares of this side; 0: images of one size up to 64 x 64 are not cut, others are to squares of 32.
    signals
        The most patches to learn from.
    index_bits
        Of a group of weights: the search for an index looks at 2^index_bits proposals.
    steps, between
        Steps of an encoder's fit, and after each group.
    rate
        Size of a step, in units of the prior's deviation; it follows a cosine.
    rounds
        If not 0, train for this number of rounds, however long they take.
    start
        Name or path of a model of the same network to start from, which may be one for another rate.
    seed
        Of the initial weights, of the choice of patches and of all noise.
    """

    bpp: float = learning.number(1.0, above=True)
    hidden: Sequence[int] = learning.counts((16, 16, 16), 1, 256, lengths=(1, 8))
    linear: bool = True
    frequencies: int = learning.whole(8, 1, 64)
    highest: float = learning.number(0.0, 0, 1024)
    side: int = learning.whole(0, 0, 256)
    signals: int = learning.whole(512, 2, 1 << 20)
    index_bits: int = learning.whole(16, 1, 20)
    steps: int = learning.whole(2000, 1, 1 << 20)
    between: int = learning.whole(20, 1, 1 << 20)
    rate: float = learning.number(0.05, above=True)
    rounds: int = learning.whole(0, 0, 1 << 20)
    start: str = ""
    seed: int = learning.whole(0, 0, (1 << 63) - 1)


def learn(data: Sequence[NDArray[Any]] | NDArray[Any], settings: Settings, run: Run) -> tuple[Alternation, Model]:
    """Train on images; return the prior in floating point, with the posteriors that it is made of, and the model.

    Parameters
    ----------
    data
        Shape (n, h, w), (n, h, w, 1) or (n, h, w, 3), uint8; or a list of images of shape (h, w) or (h, w, c).
    settings, run
        How; all images are learned from, and none is held out.

    Raises
    ------
    UnsupportedArrayError
        For data of another dtype or shape, or fewer than two images.
    ConfigError
        For a rate that the network cannot tell or that is less than one group, and a checkpoint of another training.
    """
    rng = np.random.default_rng(settings.seed)
    patches = _patches(data, settings, rng)
    _, *grid, channels = patches.shape
    highest = settings.highest or max(2.0, max(grid) / 2)
    frequencies = np.rint(np.geomspace(1, highest, settings.frequencies) * (1 << FREQUENCY_BITS)).astype(np.int64)
    x = (fourier(grid, frequencies) / (1 << VALUE_BITS)).astype(np.float32)
    y = standardised(patches)
    network = Siren((x.shape[1], *settings.hidden, channels))
    bits = settings.bpp * len(x)
    if settings.linear and (widest := max(a * b for a, b in network.shapes)) > MOST_LINEAR:
        raise ConfigError(
            f"layers with a basis must have at most {MOST_LINEAR} weights, got {widest}; take fewer units, or linear=false"
        )
    _check_rate(bits, len(x), network.size, settings)
    alternation = Alternation(network, x, y, bits, rng, linear=settings.linear)
    if settings.start:
        _start(alternation, settings.start)
    _alternate(alternation, settings, run)
    attrs = {**run.about, "rounds": alternation.rounds, "seed": settings.seed, "signals": len(patches)}
    model = frozen(
        alternation,
        frequencies,
        item_shape=patches.shape[1:],
        index_bits=settings.index_bits,
        steps=(settings.steps, settings.between),
        attrs=attrs,
        name=run.name,
    )
    return alternation, model


def train(data: Sequence[NDArray[Any]] | NDArray[Any], **hyper: Any) -> Model:
    """Train on images and return the model; the settings are those of `Settings` and of `Run`, but for ``held_out``."""
    return learn(data, *Run.of("inr.image", Settings, hyper, beside=("budget", "progress", "checkpoint")))[1]


def _start(alternation: Alternation, name: str) -> None:
    """Give an alternation the prior of a model."""
    inr, prior = INR(cc.load_model(name, codec="inr.image")), alternation.prior
    found, expected = (
        (each[0].widths, bool(each[1])) for each in ((inr.network, inr.basis), (alternation.network, prior.basis))
    )
    if found != expected:
        raise ConfigError(
            f"start must be a model of the same network: {name} has widths {list(found[0])} and linear={str(found[1]).lower()}, "
            f"expected {list(expected[0])} and {str(expected[1]).lower()}"
        )
    prior.mean[...], prior.std[...] = inr.prior.mean, inr.prior.std
    for matrix, given in zip(prior.basis, inr.prior.basis, strict=True):
        matrix[...] = given
    alternation.variance = inr.variance


def _alternate(alternation: Alternation, settings: Settings, run: Run) -> None:
    """Rounds of expectation and maximisation until the time is over, from a checkpoint on if there is one."""
    path = None if run.checkpoint is None else Path(run.checkpoint)
    data = hashlib.sha256(alternation.y.tobytes()).hexdigest()
    same = json.dumps([dataclasses.asdict(settings), data])
    before = states.load(path, alternation, same) if path is not None and path.exists() else 0.0
    start = kept = time.monotonic()
    done = 0.0
    while done < 1:
        seconds = before + time.monotonic() - start
        done = alternation.rounds / settings.rounds if settings.rounds else min(1.0, seconds / run.budget)
        if done < 1:
            error = alternation.expect(STEPS, settings.rate * (0.05 + 0.95 * math.cos(0.5 * math.pi * done)))
            bits = alternation.maximise()
            if run.progress:
                run.progress(done, f"round {alternation.rounds}: {bits:.0f} bits a signal, {decibels(error):.2f} dB")
        if path is not None and (done >= 1 or time.monotonic() - kept > INTERVAL):
            states.save(path, alternation, same, seconds)
            kept = time.monotonic()
    if run.progress:
        run.progress(1.0, f"{alternation.rounds} rounds for {settings.bpp:g} bits per pixel")


def _patches(data: Any, settings: Settings, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Patches to learn from, shape (n, h, w, channels)."""
    images = learning.image_list(data)
    if images[0].shape[2] not in (1, 3):
        raise ConfigError(f"training of inr.image takes images of 1 or 3 channels, got {images[0].shape[2]}")
    shapes = {image.shape[:2] for image in images}
    whole = settings.side == 0 and len(shapes) == 1 and max(images[0].shape[:2]) <= SMALL
    side = next(iter(shapes)) if whole else (settings.side or 32,) * 2
    order = rng.permutation(len(images))
    parts, count = [], 0
    for i in order:
        if count >= settings.signals:
            break
        parts.append(cut(images[i][None], (side[0], side[1])))
        count += len(parts[-1])
    every = np.concatenate(parts)
    return every if len(every) <= settings.signals else every[rng.permutation(len(every))[: settings.signals]]


def _check_rate(bits: float, pixels: int, size: int, settings: Settings) -> None:
    least, most = settings.index_bits / pixels, BITS_A_WEIGHT * size / pixels
    if not settings.index_bits <= bits <= BITS_A_WEIGHT * size:
        raise ConfigError(
            f"bpp must be from {least:.3g}, one group of {settings.index_bits} bits, to {most:.3g}, {BITS_A_WEIGHT} bits for each of "
            f"the {size} weights of hidden={list(settings.hidden)}, got {settings.bpp:g}; more hidden units reach a higher rate"
        )
