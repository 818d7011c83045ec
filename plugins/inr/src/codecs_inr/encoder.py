"""Progressive encoding: fit a posterior, settle on the weights of one group after the other, and let the rest make up for it.

Guo et al. 2023 (COMBINER), sections 3.2 and 3.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core import tell
from codecs_inr.groups import Groups
from codecs_inr.hierarchy import Family, shared
from codecs_inr.model import INR
from codecs_inr.network import Floats
from codecs_inr.positional import Positional
from codecs_inr.posterior import Fit, Posterior

#: Size of a step, in units of the prior's deviation; steps between two looks at the rates of the groups.
RATE, LOOK = 0.05, 10
#: Between groups, steps are this part of it.
FINE = 0.2
#: Share of the places that a step looks at, and the part of the fit, its end, that looks at all of them.
SHARE, WHOLE = 0.25, 0.1
#: How fast the price of a group's bits follows what they are over its share.
_GAIN = 0.3


class Prices:
    """What a nat of each group costs each signal, so that each group tells the bits of its index: they rise where it tells more."""

    def __init__(self, groups: Groups, n: int) -> None:
        self.groups = groups
        self.of_groups = np.ones((n, groups.count), np.float32)

    @property
    def of_weights(self) -> Floats:
        """Shape (n, size)."""
        return self.groups.spread(self.of_groups)

    def follow(self, kl: Floats, settled: int = 0) -> None:
        """Move on by what the groups tell now, shape (n, size); those that windows join have one price, as they share their bits."""
        if settled == self.groups.count:
            return
        share = np.float32(math.log(2) * self.groups.bits)
        if self.groups.window:
            nats = self.groups.rows(kl).sum(1, keepdims=True) / (share * np.float32(self.groups.count - settled))
        else:
            nats = self.groups.sums(kl) / share
        self.of_groups *= np.exp(np.clip(_GAIN * (nats - 1), -0.2, 0.2))
        np.clip(self.of_groups, 1e-4, 1e4, out=self.of_groups)


class Search:
    """Posteriors of all levels, and the indices of the groups that are settled.

    Parameters
    ----------
    inr
        The model.
    signals
        Of its shape, shape (n, *grid, c).
    family
        Of the signals.
    """

    def __init__(self, inr: INR, signals: NDArray[Any], family: Family) -> None:
        self.levels, self.parts = inr.levels, family.parts
        each = list(zip(inr.levels, family.rows, strict=True))
        self.index = [np.zeros((rows, groups.count), np.int64) for groups, rows in each]
        self.settled, self.sent = [0] * len(each), 0
        self.prices = [Prices(groups, rows) for groups, rows in each]
        self.rng = np.random.Generator(np.random.Philox(0))
        exponents = inr.kind.exponents(signals)
        y, weight = inr.kind.standardised(signals, exponents), inr.kind.weight(exponents)
        self.fit = Fit(inr.network, inr.features, y, shared(inr.prior, family), inr.variance, weight)
        self.posterior = Posterior(sum(family.rows), inr.scale.shape[-1], 0.5)
        for groups, part in zip(self.levels, self.parts, strict=True):
            if groups.window:
                self.posterior.log[part] = -math.log(2) * groups.told
            still = np.flatnonzero(groups.group < 0)
            self.posterior.fix(still, np.zeros((1, still.size)), part)

    def run(self, steps: int, rate: float, share: float) -> Floats:
        """Some steps of the fit; what `Fit.run` returns."""
        weight = np.concatenate([price.of_weights for price in self.prices])
        return self.fit.run(self.posterior, steps, self.rng, rate=rate, weight=weight, share=share)

    def follow(self) -> None:
        """Move all prices on."""
        kl = self.posterior.kl()
        for price, part, settled in zip(self.prices, self.parts, self.settled, strict=True):
            price.follow(kl[part], settled)

    def settle(self, level: int, stage: range) -> None:
        """Choose the indices of groups of a level, and give their weights what these stand for."""
        groups, part, index = self.levels[level], self.parts[level], self.index[level]
        mean, deviation = self.posterior.mean[part], self.posterior.deviation[part]
        index[:, stage] = groups.choose(stage, index[:, : stage.start], mean, deviation)
        at = np.concatenate([groups.members[g] for g in stage])
        self.posterior.fix(at, groups.values(index[:, : stage.stop])[:, at] * 2.0**-16, part)
        self.settled[level] = stage.stop
        self.sent += groups.bits * len(stage) * len(index)


@dataclass(frozen=True)
class Headway:
    """Says how far a fit is, with the rate and the distortion so far.

    Parameters
    ----------
    inr
        The model.
    steps
        That the fit takes.
    """

    inr: INR
    steps: int

    def tell(self, done: int, search: Search, errors: Floats) -> None:
        """After `done` steps; `errors` as `Fit.run` returns them."""
        kind = self.inr.kind
        bits = (search.sent + float(search.posterior.kl().sum()) / math.log(2)) / (
            len(errors) * math.prod(self.inr.grid)
        )
        told = f"{bits:.2f} bits per {kind.place}, {kind.decibels(float(errors.mean())):.1f} dB"
        groups = f"{sum(search.settled)} of {sum(level.count for level in self.inr.levels)} groups"
        tell(done / self.steps, f"{told}, {groups}")


def progressive(
    inr: INR,
    signals: NDArray[Any],
    effort: float,
    family: Family,
    told: Callable[[int, int, Posterior], None] | None = None,
) -> list[NDArray[np.int64]]:
    """Indices of all groups of each level, shape (rows, groups), for signals of the model's shape, shape (n, *grid, c).

    Parameters
    ----------
    effort
        What the model's numbers of steps are multiplied by.
    family
        Of the signals.
    told
        Called before each group is settled, with its level, its number and the posterior, which is then what the index is to tell.
    """
    search = Search(inr, signals, family)
    if not len(signals):
        return search.index
    stages = [(level, stage) for level, groups in enumerate(inr.levels) for stage in groups.stages]
    whole = isinstance(inr.network, Positional)
    shares = (1.0, 1.0) if whole else (SHARE, 1.0)
    steps, between = (max(1, round(effort * count)) for count in inr.steps)
    headway = Headway(inr, steps + between * len(stages))
    look = LOOK if inr.groups.window else between
    for done in range(0, steps, LOOK):
        late = done >= (1 - WHOLE) * steps
        rate = RATE * (1 - (0.95 if whole else 0.8) * done / steps)
        errors = search.run(min(LOOK, steps - done), rate, shares[late])
        headway.tell(min(done + LOOK, steps), search, errors)
        search.follow()
    for i, (level, stage) in enumerate(stages):
        if told:
            for g in stage:
                told(level, g, search.posterior)
        search.settle(level, stage)
        if i + 1 < len(stages):
            for done in range(0, between, look):
                errors = search.run(min(look, between - done), FINE * RATE, shares[0])
                if inr.groups.window or i % 4 == 0:
                    search.follow()
            headway.tell(steps + between * (i + 1), search, errors)
    return search.index
