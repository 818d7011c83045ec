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

    def follow(self, posterior: Posterior, settled: int = 0) -> None:
        """Move on by what the groups tell now; those that windows join have one price, as they share their bits."""
        share = np.float32(math.log(2) * self.groups.bits)
        if self.groups.window:
            nats = posterior.kl().sum(1, keepdims=True) / (share * np.float32(self.groups.count - settled))
        else:
            nats = self.groups.sums(posterior.kl()) / share
        self.of_groups *= np.exp(np.clip(_GAIN * (nats - 1), -0.2, 0.2))
        np.clip(self.of_groups, 1e-4, 1e4, out=self.of_groups)


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

    def tell(self, done: int, groups: int, posterior: Posterior, errors: Floats) -> None:
        """After `done` steps, and with `groups` of weights settled; `errors` as `Fit.run` returns them."""
        each = groups * self.inr.groups.bits + float(posterior.kl().sum(1).mean()) / math.log(2)
        kind = self.inr.kind
        rate = f"{each / math.prod(self.inr.grid):.2f} bits per {kind.place}"
        told = f"{rate}, {kind.decibels(float(errors.mean())):.1f} dB"
        tell(done / self.steps, f"{told}, {groups} of {self.inr.groups.count} groups")


def progressive(
    inr: INR, signals: NDArray[Any], effort: float, told: Callable[[int, Posterior], None] | None = None
) -> NDArray[np.int64]:
    """Indices of all groups for signals of the model's shape, shape (n, *grid, c): shape (n, groups).

    Parameters
    ----------
    effort
        What the model's numbers of steps are multiplied by.
    told
        Called before each group is settled, with its number and the posterior, which is then what the index is to tell.
    """
    n, groups = len(signals), inr.groups
    index = np.zeros((n, groups.count), np.int64)
    if not n:
        return index
    rng = np.random.Generator(np.random.Philox(0))
    exponents = inr.kind.exponents(signals)
    y, weight = inr.kind.standardised(signals, exponents), inr.kind.weight(exponents)
    fit = Fit(inr.network, inr.features, y, inr.prior, inr.variance, weight)
    posterior = Posterior(n, len(groups.group), 0.5)
    if groups.window:
        posterior.log[...] = -math.log(2) * groups.told
    whole = isinstance(inr.network, Positional)
    shares = (1.0, 1.0) if whole else (SHARE, 1.0)
    still = np.flatnonzero(groups.group < 0)
    posterior.fix(still, np.zeros((n, still.size)))
    prices = Prices(groups, n)
    steps, between = (max(1, round(effort * count)) for count in inr.steps)
    headway = Headway(inr, steps + between * len(groups.stages))
    look = LOOK if groups.window else between
    for done in range(0, steps, LOOK):
        late = done >= (1 - WHOLE) * steps
        rate = RATE * (1 - (0.95 if whole else 0.8) * done / steps)
        errors = fit.run(
            posterior, min(LOOK, steps - done), rng, rate=rate, weight=prices.of_weights, share=shares[late]
        )
        headway.tell(min(done + LOOK, steps), 0, posterior, errors)
        prices.follow(posterior)
    for i, stage in enumerate(groups.stages):
        if told:
            for g in stage:
                told(g, posterior)
        index[:, stage] = groups.choose(stage, index[:, : stage.start], posterior.mean, posterior.deviation)
        at = np.concatenate([groups.members[g] for g in stage])
        z = groups.values(index[:, : stage.stop])[:, at]
        posterior.fix(at, z * 2.0**-16)
        if stage.stop < groups.count:
            for done in range(0, between, look):
                some = min(look, between - done)
                errors = fit.run(posterior, some, rng, rate=FINE * RATE, weight=prices.of_weights, share=shares[0])
                if groups.window or i % 4 == 0:
                    prices.follow(posterior, stage.stop)
            headway.tell(steps + between * (i + 1), stage.stop, posterior, errors)
    return index
