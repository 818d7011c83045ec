"""The weights that learning begins with: moved towards those that it ends with, image after image.

While a network codes an image it goes on learning, so the weights of a model are a beginning. Trained on values drawn at random they are
the best ones for a network that stays as it is; here they become those from which learning gets far. After passes of the compiled coder
over some images they move a step towards the mean of the weights that these end with. Nichol, Achiam, Schulman: *On First-Order
Meta-Learning Algorithms*, 2018 (Reptile, section 2).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from codecs_ar import neighbours
from codecs_ar.data import DECAYS, enlarged
from codecs_ar.freeze import integers
from codecs_ar.learner import Network as Learner
from codecs_ar.network import Network
from codecs_ar.planes import ROLES, Expert, Planes
from codecs_ar.regression import packed
from codecs_ar.workspace import Predictors
from codecs_core import Progress

#: Passes a step, and how far the first step goes; the others go less and less far.
BATCH, STEP = 8, 0.6
#: Rows and columns of an image that a pass goes over; steps from one look at what is held out to the next.
LARGEST, LOOK = 320, 8


@dataclass(frozen=True)
class Passes:
    """Passes over images, by networks that learn.

    Parameters
    ----------
    networks
        What each pass begins with, plane by plane.
    priors
        Of the predictors, as `data.priors_of` makes them.
    periods, rates
        As a model has them.
    """

    networks: Sequence[Network]
    priors: Sequence[NDArray[np.float64]]
    periods: Sequence[int]
    rates: Sequence[int]

    def over(self, image: NDArray[Any]) -> tuple[float, list[Learner]]:
        """Bits of an image of shape (h, w, channels), and the networks that a pass over it ends with."""
        planes, bits, ends = Planes.of(np.ascontiguousarray(image)[None]), 0.0, []
        predictors = Predictors.of(DECAYS, self.periods)
        for i, (network, prior) in enumerate(zip(self.networks, self.priors, strict=True)):
            role = ROLES[i]
            learner = Learner.of(*integers(network), neighbours.features(role), self.rates)
            expert = Expert(packed(prior, neighbours.regressors(role)), predictors, learner, network.components)
            bits += planes.follow(i, expert).bits
            ends.append(learner)
        return bits, ends

    def all_over(self, images: Sequence[NDArray[Any]]) -> list[tuple[float, list[Learner]]]:
        """The same for several images, side by side."""
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            return list(pool.map(self.over, images))

    def rate(self, images: Sequence[NDArray[Any]]) -> float:
        """Bits per value of images."""
        return sum(bits for bits, _ in self.all_over(images)) / sum(x.size for x in images)

    def state(self) -> list[dict[str, Any]]:
        """A copy of the weights of each network."""
        return [deepcopy(network.state_dict()) for network in self.networks]

    @torch.no_grad()
    def step(self, images: Sequence[NDArray[Any]], share: float) -> None:
        """Move the networks this share of the way to the mean of those that passes over images end with."""
        ends = [learners for _, learners in self.all_over(images)]
        for i, network in enumerate(self.networks):
            for j, layer in enumerate(network.linear):
                outputs, inputs = layer.weight.shape
                found = [learners[i].layers[j] for learners in ends]
                weight = np.mean([weights[:inputs, :outputs].T for weights, _ in found], 0, np.float64)
                bias = np.mean([biases[:, :outputs] for _, biases in found], (0, 1), np.float64)
                for parameter, end in ((layer.weight, weight), (layer.bias, bias)):
                    parameter.lerp_(torch.from_numpy(end).to(parameter), share)


def adapt(
    passes: Passes,
    images: Sequence[NDArray[Any]],
    held_out: Sequence[NDArray[Any]],
    *,
    enlarge: float,
    budget: float,
    steps: int = 0,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> int:
    """Take steps with images drawn at random until the budget of seconds is spent, or `steps` if not 0; returns how many.

    The networks end as they were when they were best for what is held out. That is looked at first before any step.
    """
    start = time.monotonic()
    taken, done, best, kept = 0, 0.0, passes.rate(held_out), passes.state()
    while done < 1:
        passes.step([drawn(images, enlarge, rng) for _ in range(BATCH)], STEP * (1 - done))
        taken += 1
        done = min(1.0, taken / steps if steps else (time.monotonic() - start) / budget)
        if done >= 1 or taken % LOOK == 0:
            rate = passes.rate(held_out)
            if rate < best:
                best, kept = rate, passes.state()
            if progress:
                progress(done, f"{taken} steps by passes: {rate:.4f} bits per value on what is held out")
    for network, state in zip(passes.networks, kept, strict=True):
        network.load_state_dict(state)
    return taken


def drawn(images: Sequence[NDArray[Any]], enlarge: float, rng: np.random.Generator) -> NDArray[Any]:
    """A part of an image, now and then mirrored, or with this probability enlarged."""
    image = images[int(rng.integers(len(images)))]
    image = enlarged(image, rng) if rng.random() < enlarge else image
    image = image[:, ::-1] if rng.random() < 0.5 else image
    top, left = (int(rng.integers(max(1, n - LARGEST + 1))) for n in image.shape[:2])
    return image[top : top + LARGEST, left : left + LARGEST]
