"""A torch module trained to be small: MIRACLE (Havasi, Peharz, Hernández-Lobato 2019) in the mean-KL parametrisation.

The weights have a Gaussian posterior Q relative to a prior P = N(0, p^2) of their tensor. They are dealt to blocks, and each block tells
exactly kappa nats, since not its means and deviations are trained but its means and how kappa is shared among its weights (Lin,
Flamich, Hernández-Lobato 2023, "Minimal random code learning with mean-KL parameterization"): no multiplier to tune, and no block that
a search is too short for. Once the posterior is trained, block after block is sent, and the others are trained to live with it. What is
sent is no sample but, of many proposals, the one with the best density for its price: where weights are as exact as the loss asks, the log
density is the loss, so this is the best of rate and distortion.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

import codecs_core as cc
from codecs_core import ArraySpec, learn
from codecs_core.entropy import exponents
from codecs_core.errors import ConfigError
from codecs_rec.latents import KEY, prices
from codecs_rec.philox import words
from codecs_rec.samplers.partition import choose
from codecs_rec.weights.codec import WeightsCodec
from codecs_rec.weights.stream import MOST_VALUES, ZERO, Layout, counts_of, read, shares_of, write

#: Stream of the words that say which variable a shared weight is.
_SHARED = 6
#: Bits of a block, at most, and how many bits more the numbers of its proposals have.
MOST_BITS, BEYOND = 16, 4
#: Looks that prices of octaves are found by, and blocks that each is at, at most.
_ROUNDS, _LOOKED = 3, 64
#: Times its bits that a block tells more than them when training begins, and the part of training after which it tells no more.
_EXCESS, _EASED = 4.0, 0.5


class Compressible(nn.Module):
    """A module whose parameters are samples of a posterior that tells a given number of bits.

    Parameters
    ----------
    module
        Its parameters are the weights; it has no buffers that matter, such as statistics of batches.
    bits
        Of a block.
    block
        Weights of a block.
    share
        By name of a parameter, how many of its weights are one variable, up to their signs, at places drawn once (hashing: Chen
        et al. 2015).

    Raises
    ------
    ConfigError
        For a module without parameters, and for numbers out of range.
    """

    places: Tensor
    done: Tensor
    sent: Tensor
    groups: Tensor

    def __init__(
        self, module: nn.Module, *, bits: float = 12.0, block: int = 30, share: Mapping[str, int] | None = None
    ) -> None:
        super().__init__()
        self.module, parameters, shared = module, dict(module.named_parameters()), dict(share or {})
        if not parameters or not 1 <= block <= MOST_VALUES or not 1 <= bits <= MOST_BITS:
            raise ConfigError(
                f"blocks must have 1 to {MOST_VALUES} weights and 1 to {MOST_BITS} bits, got {block} and {bits!r}, "
                "of a module with weights"
            )
        if unknown := shared.keys() - parameters.keys():
            raise ConfigError(f"the module has no parameter {min(unknown)!r}; it has {', '.join(parameters)}")
        counts = [-(-p.numel() // shared.get(name, 1)) for name, p in parameters.items()]
        self._layout = Layout(block, 0, tuple((count, ZERO) for count in counts))
        self._shapes = {name: p.shape for name, p in parameters.items()}
        self._kappa, self._excess = bits * math.log(2.0), 0.0
        self._candidates = 1 << math.ceil(bits + BEYOND)
        places, ends = torch.arange(sum(counts)) % self._layout.blocks, np.cumsum([0, *counts]).tolist()
        self.register_buffer("places", places)
        self.register_buffer("done", torch.zeros(sum(counts), dtype=torch.bool))
        self.register_buffer("sent", torch.zeros(sum(counts)))
        for i, p in enumerate(parameters.values()):
            index, sign = _sharing(p.numel(), counts[i], i)
            self.register_buffer(f"index_{i}", torch.from_numpy(index + ends[i]))
            self.register_buffer(f"sign_{i}", torch.from_numpy(sign).float())
            p.requires_grad_(False)
        spread = [max(float(p.std()) if p.numel() > 1 else 0.0, 1e-2) for p in parameters.values()]
        self.log_prior = nn.Parameter(torch.tensor(spread).log())
        self.shares = nn.Parameter(torch.zeros(sum(counts)))
        self.means = nn.Parameter(0.5 * torch.randn(sum(counts)))
        self.register_buffer("groups", torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts)))
        self._box, self._number = np.zeros(self._layout.blocks, np.int64), np.zeros(self._layout.blocks, np.int64)

    def posterior(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of each variable, in units of its prior: a block's nats by a softmax, and what the mean takes of each.

        Early in training a block tells more; in evaluation mode it tells exactly what it may.
        """
        blocks, kappa = self._layout.blocks, self._kappa * (1 + (self._excess if self.training else 0.0))
        powers = (self.shares - self.shares.detach().max()).exp()
        sums = torch.zeros(blocks, device=powers.device).index_add(0, self.places, powers)
        nats = kappa * powers / sums[self.places]
        mean = (2 * nats).sqrt() * torch.tanh(self.means)
        return mean, _deviation(2 * nats + 1 - mean * mean)

    def forward(self, *inputs: Any) -> Any:
        """What the module gives with weights drawn from the posterior; those that are sent are as they are sent."""
        mean, deviation = self.posterior()
        values = (mean + deviation * torch.randn_like(mean)) * self.log_prior.exp()[self.groups]
        return functional_call(self.module, self._weights(torch.where(self.done, self.sent, values)), inputs)

    def fit(
        self,
        loss: Callable[[float], Tensor],
        held_out: Callable[[], float],
        *,
        budget: float,
        steps: int = 0,
        rate: float = 1e-2,
        **how: Any,
    ) -> int:
        """Train the posterior, as `codecs_core.learn.fit` has it, and return how many steps it took; `loss` and `held_out` call this.

        A block tells five times its bits in the beginning, and no more than them from half of the training on: what a network learns first
        needs not be learnt through all the noise.
        """

        def eased(done: float) -> Tensor:
            self._excess = _EXCESS * max(0.0, 1 - done / _EASED) ** 2
            return loss(done)

        rng = np.random.default_rng(0)
        return learn.fit(self, eased, held_out, rate=rate, budget=budget, steps=steps, rng=rng, **how)

    def compress(
        self,
        loss: Callable[[float], Tensor] | None = None,
        *,
        steps: int = 0,
        rate: float = 1e-3,
        progress: Callable[[float, str], None] | None = None,
    ) -> bytes:
        """Send block after block, train the rest for some `steps` after each, and return the payload; `load` puts it into the module."""
        self._excess = 0.0
        self._fix_scales()
        price, optimiser = self._prices(), torch.optim.Adam([self.shares, self.means], rate)
        for b in range(self._layout.blocks):
            self._send(b, price)
            for _ in range(steps if loss and b + 1 < self._layout.blocks else 0):
                optimiser.zero_grad()
                loss(1.0).backward()  # type: ignore[misc]
                optimiser.step()
            if progress:
                progress((b + 1) / self._layout.blocks, f"{b + 1} of {self._layout.blocks} blocks are sent")
        payload = write(self._layout, self._box, self._number)
        self.load(payload)
        return payload

    def _fix_scales(self) -> None:
        """Round the scales of the priors to those that a payload has."""
        bytes_ = [int(e) for e in (ZERO + 8 * self.log_prior.detach() / math.log(2.0)).round().clamp(0, 255)]
        self._layout = Layout(
            self._layout.block, 0, tuple((n, e) for (n, _), e in zip(self._layout.groups, bytes_, strict=True))
        )
        self.log_prior.requires_grad_(False).copy_((torch.tensor(bytes_) - ZERO) * (math.log(2.0) / 8))

    def _prices(self) -> NDArray[np.float64]:
        """Nats of a number in each octave, as searches with these prices choose them: shape (octaves,)."""
        octaves = self._candidates.bit_length() - 1
        found: NDArray[Any] = np.arange(octaves) * math.log(2.0)
        some = range(0, self._layout.blocks, -(-self._layout.blocks // _LOOKED))
        for _ in range(_ROUNDS):
            number = np.concatenate([self._searched(b, found) for b in some])
            shares = shares_of(np.bincount(exponents(number), minlength=octaves))
            found = np.asarray(prices(counts_of(shares))[0])
        return found

    def _searched(self, b: int, price: NDArray[np.float64]) -> NDArray[np.int64]:
        """The number, shape (1,), of the proposal of a block with the best density for its price."""
        at = self._layout.members(b)
        with torch.no_grad():
            mean, deviation = (t[at].double().numpy()[None] for t in self.posterior())
        cuts = np.zeros(mean.shape, np.int64)
        most = self._candidates - 1
        return choose(
            mean, np.minimum(deviation, 1 - 1e-6), cuts, KEY, most, elements=np.array([b]), prices=price[None]
        )[1]

    def _send(self, b: int, price: NDArray[np.float64]) -> None:
        """Search for the proposal of a block, and leave its weights at it."""
        at, found = self._layout.members(b), self._searched(b, price)
        self._number[b] = found[0]
        points = self._layout.points(self._box[b : b + 1], found, b) * 2.0**-16
        with torch.no_grad():
            self.sent[at] = torch.from_numpy(points * self._layout.scales()[at]).float()
            self.done[at] = True

    def load(self, payload: bytes) -> nn.Module:
        """Put the weights of a payload into the module, and return it.

        Raises
        ------
        CorruptDataError
            If the payload is damaged, or one of a module of another size.
        """
        layout, box, number = read(payload, self._layout.count)
        return self.load_values(layout.values(box, number))

    def load_values(self, values: NDArray[np.float32]) -> nn.Module:
        """Put decoded values, shape (variables,), into the module, and return it: ``codecs_core.load`` has them, of a file of `save`."""
        with torch.no_grad():
            for name, weight in self._weights(torch.from_numpy(np.array(values, np.float32))).items():
                self.module.get_parameter(name).copy_(weight)
        return self.module

    def save(self, path: str | Path, payload: bytes) -> None:
        """Write a payload as a .ccf file of one array, of all variables: any reader decodes it."""
        spec = ArraySpec(dtype="float32", shape=(self._layout.count,))
        cc.save(path, WeightsCodec().decode(payload, spec), codec=_Sent(payload=payload))

    def _weights(self, values: Tensor) -> dict[str, Tensor]:
        """The module's parameters, of values of the variables."""
        parts = ((getattr(self, f"index_{i}"), getattr(self, f"sign_{i}")) for i in range(len(self._shapes)))
        return {
            name: (values.index_select(0, index) * sign).view(shape)
            for (name, shape), (index, sign) in zip(self._shapes.items(), parts, strict=True)
        }


@dataclass(frozen=True, kw_only=True)
class _Sent(WeightsCodec):
    """The codec of one array, whose payload is there already."""

    payload: bytes = b""

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        return self.payload

    def config(self) -> dict[str, Any]:
        return {}


def _sharing(size: int, count: int, i: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Variable and sign of each weight of parameter number i, by Philox: the same everywhere. What is not shared is as it is."""
    if count == size:
        return np.arange(size), np.ones(size, np.float64)
    counters = np.stack([np.arange(size), np.full(size, i), np.zeros(size), np.full(size, _SHARED)], 1).astype(
        np.uint64
    )
    drawn = words(counters, 0)[:, :2].astype(np.int64)
    return drawn[:, 0] % count, np.where(drawn[:, 1] & 1, -1.0, 1.0)


class _Root(torch.autograd.Function):
    """t in (0, 1] with t - ln t = L, for L >= 1: t = -W0(-e^-L), W0 the principal branch of Lambert's function."""

    @staticmethod
    def forward(ctx: Any, level: Tensor) -> Tensor:
        """From the expansion at L = 1 or the limit of large L, by Newton's method for u = -ln t: u + e^-u = L."""
        level = level.clamp_min(1.0)
        u = torch.where(level < 2, (2 * (level - 1)).sqrt() + (level - 1) / 3, level)
        for _ in range(5):
            u = u - (u + (-u).exp() - level) / (1 - (-u).exp()).clamp_min(1e-6)
        t = (-u).exp().clamp(1e-30, 1.0)
        ctx.save_for_backward(t)
        return t

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """dt/dL = t / (t - 1)."""
        t: Tensor = ctx.saved_tensors[0]
        return grads[0] * t / (t - 1).clamp_max(-1e-3)


def _deviation(level: Tensor) -> Tensor:
    """The deviation that leaves the rest of the nats to a variable, in units of its prior: s^2 - ln s^2 = 2 kappa + 1 - mean^2."""
    root: Tensor = _Root.apply(level)  # type: ignore[no-untyped-call]
    deviation: Tensor = root.sqrt()
    return deviation
