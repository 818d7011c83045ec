"""The prior of a kind of signals, by alternation: posteriors of many signals given the prior, then the prior's moments given these.

Guo et al. 2023 (COMBINER), section 3.1; the rate is held as by He et al. 2024 (RECOMBINER).
"""

from __future__ import annotations

import math

import numpy as np

from codecs_inr.adam import Adam
from codecs_inr.network import Floats, Siren
from codecs_inr.posterior import Fit, Posterior
from codecs_inr.prior import Prior

#: Steps of a basis are this part of those of posteriors.
BASIS = 0.03
#: Share of the places that a step looks at.
SHARE = 0.125
#: Signals whose posteriors are fitted at once.
BATCH = 128


class Alternation:
    """Posteriors of n signals, and the prior that they make.

    Parameters
    ----------
    network
        Of every signal.
    x, y
        Features of the places, shape (places, inputs), and signals, shape (n, places, outputs).
    bits
        What a signal is to cost.
    rng
        Of the initial weights and of all noise.
    linear
        Whether to learn a basis for each layer, starting from none.
    weight
        What squared errors of each signal count, shape (n,); by default 1.
    """

    def __init__(
        self,
        network: Siren,
        x: Floats,
        y: Floats,
        bits: float,
        rng: np.random.Generator,
        *,
        linear: bool = False,
        weight: Floats | None = None,
    ) -> None:
        self.network, self.x, self.y, self.bits, self.rng = network, x, y, bits, rng
        self.weight = np.ones(len(y), np.float32) if weight is None else weight
        initial = network.initial(rng)
        widths = np.concatenate([np.full(a * b, math.sqrt(6 / (a - 1)), np.float32) for a, b in network.shapes])
        basis = tuple(np.eye(a * b, dtype=np.float32) for a, b in network.shapes) if linear else ()
        self.prior = Prior(initial, (0.3 * widths).astype(np.float32), basis)
        self._adams = [Adam(matrix.shape) for matrix in basis]
        self.variance = 0.1
        self.rounds = 0
        self.posteriors = [Posterior(len(part), network.size, 0.3) for part in np.split(y, range(BATCH, len(y), BATCH))]

    @property
    def adams(self) -> list[Adam]:
        """Everything that remembers its steps."""
        return [*self._adams, *(adam for q in self.posteriors for adam in q.adams)]

    @property
    def arrays(self) -> dict[str, Floats]:
        """All that alternating changes, by name."""
        prior = self.prior
        found = {"mean": prior.mean, "std": prior.std} | {f"basis.{i}": m for i, m in enumerate(prior.basis)}
        for i, q in enumerate(self.posteriors):
            found |= {f"posterior.{i}.mean": q.mean, f"posterior.{i}.log": q.log}
        for i, adam in enumerate(self.adams):
            found |= {f"adam.{i}.first": adam.first, f"adam.{i}.second": adam.second}
        return found

    def expect(self, steps: int, rate: float, share: float = SHARE) -> float:
        """The E step: fit every posterior; returns the mean squared error."""
        errors, first = [], 0
        for posterior in self.posteriors:
            part = slice(first, first + len(posterior.mean))
            fit = Fit(self.network, self.x, self.y[part], self.prior, self.variance, self.weight[part])
            watch = (lambda z, slope: self._turn(z, slope, BASIS * rate)) if self.prior.basis else None
            errors.append(fit.run(posterior, steps, self.rng, rate=rate, share=share, watch=watch))
            first = part.stop
        return float(np.concatenate(errors).mean())

    def _turn(self, z: Floats, slope: Floats, rate: float) -> None:
        """A step of the basis, given numbers of some signals and the gradient with respect to their weights."""
        h, first = self.prior.std * z, 0
        for matrix, adam in zip(self.prior.basis, self._adams, strict=True):
            at = slice(first, first + len(matrix))
            adam.step(matrix, np.asarray(h[:, at].T @ slope[:, at], np.float32), rate)
            first = at.stop

    def maximise(self) -> float:
        """The M step: the prior with the posteriors' moments, and a variance that brings the rate nearer to what it is to be.

        Returns
        -------
        float
            Bits that a signal cost before, on average.
        """
        bits = self.information().sum()
        prior = self.prior
        z = np.concatenate([q.mean for q in self.posteriors])
        deviation = np.concatenate([q.deviation for q in self.posteriors])
        centre = z.mean(0)
        spread = np.sqrt((np.square(deviation) + np.square(z - centre)).mean(0))
        prior.mean[...] = prior.place(centre[None])[0]
        prior.std[...] *= spread
        for posterior in self.posteriors:
            posterior.mean -= centre
            posterior.mean /= spread
            posterior.log -= np.log(spread)
        # at a high rate, each weight costs half a bit more for each halving of the variance; half of that step, as posteriors follow slowly
        step = math.log(2) * (bits - self.bits) / self.network.size
        self.variance *= math.exp(min(0.15, max(-0.15, step)))
        self.rounds += 1
        return float(bits)

    def information(self) -> Floats:
        """Bits of each weight, on average over the signals: shape (size,)."""
        total = sum(q.kl().sum(0) for q in self.posteriors) / np.float32(len(self.y) * math.log(2))
        return np.asarray(total, np.float32)
