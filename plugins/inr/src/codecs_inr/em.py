"""The prior of a kind of signals, by alternation: posteriors of many signals given the prior, then the prior's moments given these.

Guo et al. 2023 (COMBINER), section 3.1; the rate is held as by He et al. 2024 (RECOMBINER).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from codecs_inr.adam import Adam
from codecs_inr.network import Floats, Gradient, Siren
from codecs_inr.positional import Positional
from codecs_inr.posterior import Fit, Posterior
from codecs_inr.principal import principal
from codecs_inr.prior import Prior

#: Steps of a basis are this part of those of posteriors.
BASIS = 0.03
#: Steps of what all networks share, in units of its root mean square, are this part of those of posteriors.
SHARED = 0.05
#: Share of the places that a step looks at.
SHARE = 0.125
#: A number that tells fewer bits is not counted among those that a rate can be had from.
_SILENT = 0.1
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
    numbers
        That the latents of a network that has some are made of.
    many
        Signals whose principal axes latents start from, `y` the first of them; by default those.
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
        numbers: int = 0,
        many: Floats | None = None,
        weight: Floats | None = None,
    ) -> None:
        self.network, self.x, self.y, self.bits, self.rng = network, x, y, bits, rng
        self.weight = np.ones(len(y), np.float32) if weight is None else weight
        self.even = isinstance(network, Positional)
        self.share = 1.0 if self.even else SHARE
        self.rounds = 0
        if isinstance(network, Positional):
            self.prior, self.variance, codes = principal(network, y if many is None else many, bits, numbers, rng)
            self.posteriors = list(self._posteriors(codes[: len(y)]))
        else:
            initial = network.initial(rng)
            widths = np.concatenate([np.full(a * b, math.sqrt(6 / (a - 1)), np.float32) for a, b in network.shapes])
            basis = tuple(np.eye(size, dtype=np.float32) for size in network.parts) if linear else ()
            self.prior, self.variance = Prior(initial, (0.3 * widths).astype(np.float32), basis), 0.1
            self.posteriors = [Posterior(len(part), network.size, 0.3) for part in self._batches(y)]
        self._shared = self._learned()
        self._rates = [SHARED * float(np.sqrt(np.square(part).mean())) if self.even else BASIS for part in self._shared]
        self._adams = [Adam(part.shape) for part in self._shared]

    @property
    def _bases(self) -> tuple[Floats, ...]:
        """Those that are learned. Axes of many signals stay as they are: learned from fewer ones, they fit these and no others."""
        return self.prior.basis[:-1] if self.even else self.prior.basis

    def _learned(self) -> list[Floats]:
        """What all networks share and a step moves, in the order of `_turn`."""
        if not self.even:
            return [*self._bases]
        return [*self._bases, *self.network.shared, *(part[0] for part in self.network.layers(self.prior.mean[None]))]

    def _batches(self, values: Floats) -> list[Floats]:
        batch = BATCH // 2 if self.even else BATCH
        return np.split(values, range(batch, len(values), batch))

    def _posteriors(self, codes: Floats) -> Iterator[Posterior]:
        """Posteriors of signals whose latents have these numbers, shape (n, numbers), as they would be of a linear network."""
        std = self.prior.std[-codes.shape[1] :]
        noise = np.square(std) + np.float32(self.variance)
        for part in self._batches(codes):
            posterior = Posterior(len(part), len(self.prior.std), 0.95)
            posterior.mean[:, -codes.shape[1] :] = part * std / noise
            posterior.log[:, -codes.shape[1] :] = 0.5 * np.log(self.variance / noise)
            yield posterior

    @property
    def adams(self) -> list[Adam]:
        """Everything that remembers its steps."""
        return [*self._adams, *(adam for q in self.posteriors for adam in q.adams)]

    @property
    def arrays(self) -> dict[str, Floats]:
        """All that alternating changes, by name."""
        prior = self.prior
        found = {"mean": prior.mean, "std": prior.std} | {f"basis.{i}": m for i, m in enumerate(prior.basis)}
        found |= {"weight": self.weight} | {f"shared.{i}": layer for i, layer in enumerate(self.network.shared)}
        for i, q in enumerate(self.posteriors):
            found |= {f"posterior.{i}.mean": q.mean, f"posterior.{i}.log": q.log}
        for i, adam in enumerate(self.adams):
            found |= {f"adam.{i}.first": adam.first, f"adam.{i}.second": adam.second}
        return found

    def expect(self, steps: int, rate: float) -> float:
        """The E step: fit every posterior; returns the mean squared error."""
        errors, first = [], 0
        for posterior in self.posteriors:
            part = slice(first, first + len(posterior.mean))
            fit = Fit(self.network, self.x, self.y[part], self.prior, self.variance, self.weight[part])
            watch = (lambda z, found: self._turn(z, found, rate)) if self.prior.basis else None
            errors.append(fit.run(posterior, steps, self.rng, rate=rate, share=self.share, watch=watch))
            first = part.stop
        return float(np.concatenate(errors).mean())

    def _turn(self, z: Floats, found: Gradient, rate: float) -> None:
        """A step of all that networks share, given numbers of some signals and the gradient with respect to their weights."""
        h, first, start = self.prior.std * z, 0, 0
        slopes: list[Floats] = []
        for matrix in self._bases:
            rows, columns = matrix.shape
            slopes.append(
                np.asarray(h[:, first : first + rows].T @ found.weights[:, start : start + columns], np.float32)
            )
            first, start = first + rows, start + columns
        if found.shared:
            slopes += [*found.shared, *(part[0] for part in self.network.layers(found.weights.sum(0)[None]))]
        for value, slope, adam, size in zip(self._shared, slopes, self._adams, self._rates, strict=True):
            adam.step(value, slope, rate * size)

    def maximise(self) -> float:
        """The M step: the prior with the posteriors' moments, and a variance that brings the rate nearer to what it is to be.

        Returns
        -------
        float
            Bits that a signal cost before, on average.
        """
        bits, prior = self._level(), self.prior
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
        self.rounds += 1
        return bits

    def _level(self) -> float:
        """Bring the rate nearer to what it is to be, that of each signal if all are to cost the same; returns what it was on average."""
        each = np.concatenate([q.kl().sum(1) for q in self.posteriors]) / np.float32(math.log(2))
        bits = float(each.mean())
        # at a high rate, each number costs half a bit more for each halving of the variance; half of that step, as posteriors follow slowly
        if self.even:
            live = max(1, int(np.count_nonzero(self.information() > _SILENT)))
            self.weight *= np.exp(np.clip(math.log(2) * (self.bits - each) / live, -0.15, 0.15)).astype(np.float32)
            middle = np.exp(np.log(self.weight).mean())
            self.weight /= middle
            self.variance /= float(middle)
        else:
            step = math.log(2) * (bits - self.bits) / self.network.size
            self.variance *= math.exp(min(0.15, max(-0.15, step)))
        return bits

    def information(self) -> Floats:
        """Bits of each weight, on average over the signals: shape (size,)."""
        total = sum(q.kl().sum(0) for q in self.posteriors) / np.float32(len(self.y) * math.log(2))
        return np.asarray(total, np.float32)
