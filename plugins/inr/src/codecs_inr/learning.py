"""What trainings have in common: the prior of the networks of a user's signals, by expectation and maximisation."""

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
from codecs_core import learn as core
from codecs_core.errors import ConfigError
from codecs_core.learn import Run
from codecs_inr import checkpoint as states
from codecs_inr.em import Alternation
from codecs_inr.features import FREQUENCY_BITS, fourier
from codecs_inr.freeze import frozen
from codecs_inr.hierarchy import crop
from codecs_inr.kinds import Kind
from codecs_inr.model import INR, MOST_LINEAR
from codecs_inr.network import Siren
from codecs_inr.positional import Positional
from codecs_inr.sine import VALUE_BITS
from codecs_inr.upsampling import Upsampling

#: Steps of an E step.
STEPS = 25
#: Seconds between two checkpoints.
INTERVAL = 60.0
#: Bits that a weight can tell, at the most: beyond that more weights are better.
BITS_A_WEIGHT = 8


@dataclass(frozen=True, kw_only=True)
class Settings(core.Settings):
    """What a training is made of, beside its data and its rate.

    Parameters
    ----------
    hidden
        Units of the hidden layers.
    linear
        Whether to learn a basis for the weights of each layer (RECOMBINER); if not, weights are independent (COMBINER).
    frequencies, highest
        Of the Fourier features, on each axis; the highest one in periods from end to end, 0: half of the longest side.
    signals
        The most patches to learn from.
    index_bits
        Of a group of weights: the search for an index looks at 2^index_bits proposals.
    window
        If not 0, bits that name a proposal, those of an index and of those before it, at least twice as many as `index_bits`: groups may be
        small, and are searched together.
    steps, between
        Steps of an encoder's fit, and after each group; with a window, after the first half of them.
    rate
        Size of a step, in units of the prior's deviation; it follows a cosine.
    rounds
        If not 0, train for this number of rounds, however long they take.
    start
        Name or path of a model of the same network to start from, which may be one for another rate.
    seed
        Of the initial weights, of the choice of patches and of all noise.
    """

    hidden: Sequence[int] = core.counts((16, 16, 16), 1, 256, lengths=(1, 8))
    linear: bool = True
    frequencies: int = core.whole(8, 1, 64)
    highest: float = core.number(0.0, 0, 1024)
    signals: int = core.whole(512, 2, 1 << 20)
    index_bits: int = core.whole(16, 1, 20)
    window: int = core.whole(0, 0, 20)
    steps: int = core.whole(2000, 1, 1 << 20)
    between: int = core.whole(20, 1, 1 << 20)
    rate: float = core.number(0.05, above=True)
    rounds: int = core.whole(0, 0, 1 << 20)
    start: str = ""
    seed: int = core.whole(0, 0, (1 << 63) - 1)


@dataclass(frozen=True)
class Latents:
    """Positional latents of networks.

    Parameters
    ----------
    channels
        Of the grid of latents, then of each layer of the upsampling network.
    numbers
        That the latents of a signal are made of, if there is a basis.
    """

    channels: Sequence[int]
    numbers: int

    @property
    def side(self) -> int:
        """Places along each axis for a cell of the grid."""
        return 1 << (len(self.channels) - 1)


@dataclass(frozen=True)
class Rate:
    """What every place of a signal is to cost.

    Parameters
    ----------
    bits
        For each place.
    name
        Of the setting.
    """

    bits: float
    name: str


def learned(
    patches: NDArray[Any],
    kind: Kind,
    rate: Rate,
    settings: Settings,
    run: Run,
    rng: np.random.Generator,
    latents: Latents | None = None,
    group: Sequence[int] = (),
) -> tuple[Alternation, Model]:
    """Train on the first of these patches, shape (n, *grid, channels), as many as the settings say; principal axes are those of all.

    With `group`, patches share what they have in common: they are as `Alternation` takes them.

    Returns
    -------
    tuple
        The prior in floating point, with the posteriors that it is made of, and the model.

    Raises
    ------
    ConfigError
        For a rate that the network cannot tell or that is less than one group, and a checkpoint of another training.
    """
    _, *grid, channels = patches.shape
    highest = settings.highest or max(2.0, max(grid) / 2)
    frequencies = np.rint(np.geomspace(1, highest, settings.frequencies) * (1 << FREQUENCY_BITS)).astype(np.int64)
    x = (fourier(grid, frequencies) / (1 << VALUE_BITS)).astype(np.float32)
    exponents = kind.exponents(patches)
    y, weight = kind.standardised(patches, exponents), kind.weight(exponents)
    network, numbers = _network((x.shape[1], *settings.hidden, channels), grid, latents, settings.linear)
    if settings.window and (settings.index_bits > 8 or 2 * settings.index_bits > settings.window):
        raise ConfigError(
            f"a window must have at least twice the bits of an index, 1 to 8, got {settings.window} and {settings.index_bits}"
        )
    if settings.linear and (widest := max(network.parts)) > MOST_LINEAR:
        raise ConfigError(
            f"layers with a basis must have at most {MOST_LINEAR} weights, got {widest}; take fewer units, or linear=false"
        )
    _check_rate(rate, len(x), network.size, settings)
    together = math.prod(crop(group))
    few = max(1, settings.signals // together) * together
    alternation = Alternation(
        network,
        x,
        y[:few],
        rate.bits * len(x),
        rng,
        linear=settings.linear,
        weight=weight[:few],
        numbers=numbers,
        many=y,
        group=group,
    )
    if settings.start:
        _start(alternation, settings.start, kind)
    _alternate(alternation, settings, run, kind)
    if run.progress:
        run.progress(1.0, f"{alternation.rounds} rounds for {rate.bits:g} bits per {kind.place}")
    attrs = {**run.about, "rounds": alternation.rounds, "seed": settings.seed, "signals": len(alternation.y)}
    model = frozen(
        alternation,
        frequencies,
        kind,
        item_shape=patches.shape[1:],
        index_bits=settings.index_bits,
        window=settings.window,
        steps=(settings.steps, settings.between),
        attrs=attrs,
        name=run.name,
    )
    return alternation, model


def _network(widths: tuple[int, ...], grid: Sequence[int], latents: Latents | None, linear: bool) -> tuple[Siren, int]:
    """The network of each signal, and the numbers that its latents are made of."""
    if latents is None:
        return Siren(widths), 0
    if not linear:
        raise ConfigError("with latents, linear must be true: what latents are made of are principal axes")
    if any(n % latents.side for n in grid):
        raise ConfigError(f"with latents, sides of patches must be multiples of {latents.side}, got {tuple(grid)}")
    height, width = (n // latents.side for n in grid)
    upsampling = Upsampling((height, width), latents.channels)
    network = Positional((widths[0] + latents.channels[-1], *widths[1:]), upsampling)
    return network, min(latents.numbers, upsampling.size)


def some(patches: NDArray[Any], count: int, rng: np.random.Generator) -> NDArray[Any]:
    """No more patches than are to be learned from."""
    return patches if len(patches) <= count else patches[rng.permutation(len(patches))[:count]]


def _start(alternation: Alternation, name: str, kind: Kind) -> None:
    """Give an alternation the prior of a model."""
    inr, prior = INR(cc.load_model(name, codec=kind.codec), kind), alternation.prior
    found = _structure(inr.network, inr.basis, inr.shared)
    expected = _structure(alternation.network, prior.basis, alternation.group)
    if found != expected:
        raise ConfigError(f"start must be a model of the same network: {name} has {found}, expected {expected}")
    prior.mean[...], prior.std[...] = inr.prior.mean, inr.prior.std
    for matrix, given in zip(prior.basis, inr.prior.basis, strict=True):
        matrix[...] = given
    for layer, given in zip(alternation.network.shared, inr.network.shared, strict=True):
        layer[...] = given
    for posterior, family in zip(alternation.posteriors, alternation.families, strict=True):
        posterior.mean[...] = 0
        for groups, part in zip(inr.levels, family.parts, strict=True):
            posterior.log[part] = -math.log(2) * groups.told
    alternation.variance = inr.variance


def _structure(network: Siren, basis: Sequence[NDArray[Any]], group: Sequence[int]) -> str:
    """What two networks must have in common."""
    latents = network.upsampling.channels if isinstance(network, Positional) else ()
    rows = [len(matrix) for matrix in basis]
    return (
        f"widths {list(network.widths)}, latents {list(latents)}, groups of {list(group)} and bases of {rows} numbers"
    )


def _alternate(alternation: Alternation, settings: Settings, run: Run, kind: Kind) -> None:
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
                told = f"{bits:.0f} bits a signal, {kind.decibels(error):.2f} dB"
                run.progress(done, f"round {alternation.rounds}: {told}")
        if path is not None and (done >= 1 or time.monotonic() - kept > INTERVAL):
            states.save(path, alternation, same, seconds)
            kept = time.monotonic()


def _check_rate(rate: Rate, places: int, size: int, settings: Settings) -> None:
    least, most = settings.index_bits / places, BITS_A_WEIGHT * size / places
    if not settings.index_bits <= rate.bits * places <= BITS_A_WEIGHT * size:
        raise ConfigError(
            f"{rate.name} must be from {least:.3g}, one group of {settings.index_bits} bits, to {most:.3g}, {BITS_A_WEIGHT} bits for each "
            f"of the {size} weights of hidden={list(settings.hidden)}, got {rate.bits:g}; more hidden units reach a higher rate"
        )
