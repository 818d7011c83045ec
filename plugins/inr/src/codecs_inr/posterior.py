"""The posterior of the weights of a signal's network: independent normal distributions, fitted by steps along a noisy gradient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from codecs_inr.adam import Adam
from codecs_inr.network import Floats, Gradient, Siren
from codecs_inr.prior import Prior


class Posterior:
    """Posteriors of n signals, in units of the prior: of the numbers z that `Prior.place` makes weights of, z ~ N(mean, deviation^2).

    The prior of z is N(0, 1) whatever the network, and so steps of one size suit all weights.

    Parameters
    ----------
    n, size
        Signals, and weights of each.
    deviation
        To start from; the mean starts from 0.
    """

    def __init__(self, n: int, size: int, deviation: float) -> None:
        self.mean: Floats = np.zeros((n, size), np.float32)
        self.log: Floats = np.full((n, size), np.log(deviation), np.float32)
        self.adams = Adam((n, size)), Adam((n, size))
        self._free = np.ones((n, size), np.float32)

    @property
    def deviation(self) -> Floats:
        """Standard deviations, 0 where a weight is fixed."""
        return np.exp(self.log) * self._free

    def fix(self, columns: NDArray[np.int64], values: NDArray[np.floating], rows: slice = slice(None)) -> None:
        """Give weights of some rows, by default all, their final values, shape (rows, columns)."""
        self.mean[rows, columns], self._free[rows, columns] = values, 0
        for adam in self.adams:
            adam.first[rows, columns] = 0

    def kl(self) -> Floats:
        """D_KL(posterior || prior) of each weight in nats, shape (n, size); 0 where it is fixed."""
        nats = 0.5 * (np.square(self.mean) + np.exp(2 * self.log) - 1) - self.log
        return np.asarray(nats * self._free, np.float32)

    def step(self, gradient: Floats, noise: Floats, weight: Floats | float, rate: float) -> None:
        """A step of Adam down on E[loss] + weight D_KL.

        Parameters
        ----------
        gradient
            Of the loss with respect to z, at z = mean + deviation noise: shape (n, size).
        noise
            Standard normal, shape (n, size).
        weight
            Of the divergence, in units of the loss: broadcasts to (n, size).
        rate
            Size of a step, in units of the prior's deviation.
        """
        deviation = np.exp(self.log)
        slopes = (
            gradient + weight * self.mean,
            gradient * noise * deviation + weight * (np.square(deviation) - 1),
        )
        for value, slope, adam in zip((self.mean, self.log), slopes, self.adams, strict=True):
            adam.step(value, slope * self._free, rate)


class Fit:
    """Signals, and what their posteriors are fitted by: the evidence bound of a Gaussian likelihood.

    The loss of a signal is weight sum (f(x) - y)^2 / (2 variance) + D_KL(q || p) in nats, with f at one sample of q, and at places drawn at
    random.

    Parameters
    ----------
    network
        Of every signal.
    x
        Features of the places, shape (places, inputs).
    y
        Signals, shape (n, places, outputs).
    prior
        Of the weights.
    variance
        Of the likelihood: the squared error that a bit more or less is worth.
    weight
        What squared errors of each signal count, shape (n,); by default 1.
    """

    def __init__(
        self, network: Siren, x: Floats, y: Floats, prior: Prior, variance: float, weight: Floats | None = None
    ) -> None:
        self.network, self.x, self.y, self.prior, self.variance = network, x, y, prior, variance
        self.weight = np.ones(len(y), np.float32) if weight is None else weight

    def run(
        self,
        posterior: Posterior,
        steps: int,
        rng: np.random.Generator,
        *,
        rate: float,
        weight: Floats | float = 1.0,
        share: float = 0.25,
        watch: Callable[[Floats, Gradient], None] | None = None,
    ) -> Floats:
        """Take some steps, each at a share of the places; returns the mean squared error of each signal at the last one, weighted.

        In each, `watch` is given the sample z, shape (n, numbers), and the gradient of the loss with respect to the weights.
        """
        places = len(self.x)
        some = max(1, round(share * places))
        squares = np.zeros(len(self.y), np.float32)
        noise = np.empty_like(posterior.mean)
        for step in range(steps):
            if step % 2:
                np.negative(noise, out=noise)  # what the noise adds to the gradient cancels over two steps
            else:
                rng.standard_normal(dtype=np.float32, out=noise)
            at = slice(None) if some == places else rng.permutation(places)[:some]
            z = posterior.mean + posterior.deviation * noise
            scale = np.float32(places / some / self.variance) * self.weight
            found = self.network.gradient(self.prior.place(z), self.x[at], self.y[:, at], scale)
            squares = found.squares
            if watch is not None:
                watch(z, found)
            posterior.step(self.prior.pull(found.weights), noise, weight, rate)
        return np.asarray(self.weight * squares / (some * self.y.shape[2]))
