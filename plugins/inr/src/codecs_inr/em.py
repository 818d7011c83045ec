"""The prior of a kind of signals, by alternation: posteriors of many signals given the prior, then the prior's moments given these.

Guo et al. 2023 (COMBINER), section 3.1; the rate is held as by He et al. 2024 (RECOMBINER).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from codecs_inr.adam import Adam
from codecs_inr.hierarchy import LEVELS, Family, crop, shared
from codecs_inr.network import Floats, Gradient, Siren
from codecs_inr.positional import Positional
from codecs_inr.posterior import Fit, Posterior
from codecs_inr.principal import LEAST, TINY, principal
from codecs_inr.prior import Prior, spread

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
    group
        If patches share what they have in common, rows and columns of a group of them; the signals then are the patches of images of
        `CROP` groups along each axis, image by image.
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
        group: Sequence[int] = (),
    ) -> None:
        self.network, self.x, self.y, self.bits, self.rng = network, x, y, bits, rng
        self.weight = np.ones(len(y), np.float32) if weight is None else weight
        self.group, self.together = tuple(group), math.prod(crop(group))
        self.positional = isinstance(network, Positional)
        self.even = self.positional and not group
        self.share = 1.0 if self.positional else SHARE
        self.rounds = 0
        if isinstance(network, Positional):
            self.prior, self.variance, codes = principal(network, y if many is None else many, bits, numbers, rng)
            if group:
                self._spread(codes[: len(y)])
            self.posteriors = list(self._posteriors(codes[: len(y)]))
        else:
            initial = network.initial(rng)
            widths = np.concatenate([np.full(a * b, math.sqrt(6 / (a - 1)), np.float32) for a, b in network.shapes])
            basis = tuple(np.eye(size, dtype=np.float32) for size in network.parts) if linear else ()
            self.prior, self.variance = Prior(initial, (0.3 * widths).astype(np.float32), basis), 0.1
            if group:
                self.prior = replace(self.prior, std=np.tile(self.prior.std / math.sqrt(LEVELS), (LEVELS, 1)))
            self.posteriors = [Posterior(sum(self._family(len(q)).rows), network.size, 0.3) for q in self._batches(y)]
        self.families = [self._family(len(part)) for part in self._batches(y)]
        self._shared = self._learned()
        loud = [float(np.sqrt(np.square(part).mean())) for part in self._shared]
        self._rates = [SHARED * each if self.positional else BASIS for each in loud]
        self._adams = [Adam(part.shape) for part in self._shared]

    @property
    def _bases(self) -> tuple[Floats, ...]:
        """Those that are learned. Axes of many signals stay as they are: learned from fewer ones, they fit these and no others."""
        return self.prior.basis[:-1] if self.positional else self.prior.basis

    def _learned(self) -> list[Floats]:
        """What all networks share and a step moves, in the order of `_turn`."""
        if not self.positional:
            return [*self._bases]
        return [*self._bases, *self.network.shared, *(part[0] for part in self.network.layers(self.prior.mean[None]))]

    def _family(self, patches: int) -> Family:
        many = (patches // self.together, *crop(self.group))
        return Family.of(many, self.group) if self.group else Family.alone(patches)

    def _batches(self, values: Floats) -> list[Floats]:
        batch = max(1, (BATCH // 2 if self.positional else BATCH) // self.together) * self.together
        return np.split(values, range(batch, len(values), batch))

    def _spread(self, codes: Floats) -> None:
        """Give each level its part of the variances of numbers of latents, shape (n, numbers)."""
        std = np.tile(self.prior.std / math.sqrt(LEVELS), (LEVELS, 1))
        for row, level in zip(std, self._family(len(codes)).apart(codes), strict=True):
            size = np.square(level).mean(0)
            row[-codes.shape[1] :] = np.sqrt(
                np.maximum(size - self.variance * len(level) / len(codes), LEAST * size + TINY)
            )
        self.prior = replace(self.prior, std=std)

    def _posteriors(self, codes: Floats) -> Iterator[Posterior]:
        """Posteriors of signals whose latents have these numbers, shape (n, numbers), as they would be of a linear network."""
        stds = np.atleast_2d(self.prior.std)
        for batch in self._batches(codes):
            family = self._family(len(batch))
            posterior = Posterior(sum(family.rows), stds.shape[1], 0.95)
            for level, part, row in zip(family.apart(batch), family.parts, stds, strict=True):
                std, variance = row[-codes.shape[1] :], np.float32(self.variance * len(level) / len(batch))
                noise = np.square(std) + variance
                posterior.mean[part, -codes.shape[1] :] = level * std / noise
                posterior.log[part, -codes.shape[1] :] = 0.5 * np.log(variance / noise)
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
        for posterior, family in zip(self.posteriors, self.families, strict=True):
            part = slice(first, first + family.rows[-1])
            prior = shared(self.prior, family)
            fit = Fit(self.network, self.x, self.y[part], prior, self.variance, self.weight[part])
            watch = (lambda z, found, prior=prior: self._turn(prior.numbers(z), found, rate)) if prior.basis else None
            errors.append(fit.run(posterior, steps, self.rng, rate=rate, share=self.share, watch=watch))
            first = part.stop
        return float(np.concatenate(errors).mean())

    def _turn(self, h: Floats, found: Gradient, rate: float) -> None:
        """A step of all that networks share, given numbers of some signals and the gradient with respect to their weights."""
        first, start = 0, 0
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
        """The M step: the prior with the moments of the posteriors of each level, and a variance that brings the rate nearer.

        Returns
        -------
        float
            Bits that a signal cost before, on average.
        """
        bits, prior = self._level(), self.prior
        for level, std in enumerate(np.atleast_2d(prior.std)):
            pairs = [(q, family.parts[level]) for q, family in zip(self.posteriors, self.families, strict=True)]
            z = np.concatenate([q.mean[part] for q, part in pairs])
            deviation = np.concatenate([q.deviation[part] for q, part in pairs])
            centre = z.mean(0)
            size = np.sqrt((np.square(deviation) + np.square(z - centre)).mean(0))
            prior.mean[...] += spread((std * centre)[None], prior.basis)[0]
            std *= size
            for q, part in pairs:
                q.mean[part] = (q.mean[part] - centre) / size
                q.log[part] -= np.log(size)
        self.rounds += 1
        return bits

    def _level(self) -> float:
        """Bring the rate nearer to what it is to be, that of each signal if all are to cost the same; returns what it was on average."""
        each = np.concatenate([q.kl().sum(1) for q in self.posteriors]) / np.float32(math.log(2))
        bits = float(each.sum()) / len(self.y)
        # at a high rate, each number costs half a bit more for each halving of the variance; half of that step, as posteriors follow slowly
        if self.even:
            live = self._live()
            self.weight *= np.exp(np.clip(math.log(2) * (self.bits - each) / live, -0.15, 0.15)).astype(np.float32)
            middle = np.exp(np.log(self.weight).mean())
            self.weight /= middle
            self.variance /= float(middle)
        else:
            step = math.log(2) * (bits - self.bits) / (self._live() if self.group else self.network.size)
            self.variance *= math.exp(min(0.15, max(-0.15, step)))
        return bits

    def _live(self) -> int:
        """How many numbers of a signal tell something."""
        return max(1, int(np.count_nonzero(self.information()[-1] > _SILENT)))

    def information(self) -> Floats:
        """Bits of each weight, on average over the rows of each level: shape (levels, size)."""
        pairs = [(q.kl(), family.parts) for q, family in zip(self.posteriors, self.families, strict=True)]
        every = zip(*([kl[part] for part in parts] for kl, parts in pairs), strict=True)
        nats = np.stack([np.concatenate(level).mean(0) for level in every])
        return np.asarray(nats / math.log(2), np.float32)
