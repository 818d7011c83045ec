"""A torch module trained to be small: MIRACLE (Havasi, Peharz, Hernández-Lobato 2019).

The weights have a Gaussian posterior Q relative to a prior P = N(0, p^2) of their tensor. They are dealt to blocks, and the divergence of
each block is held at the bits that it may tell, by a multiplier of its own. Once the posterior is trained, block after block is sent, and
the others are trained to live with it. What is sent is no sample but, of many proposals, the one with the best density for its price: where
weights are as exact as the loss asks, the log density is the loss, so this is the best of rate and distortion.
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
from codecs_rec.samplers.partition import choose
from codecs_rec.weights.codec import WeightsCodec
from codecs_rec.weights.shared import Shared
from codecs_rec.weights.stream import MOST_VALUES, ZERO, Layout, counts_of, read, shares_of, write

#: Bits of a block, at most, and how many bits more the numbers of its proposals have.
MOST_BITS, BEYOND = 16, 4
#: Looks that prices of octaves are found by, and blocks that each is at, at most.
_ROUNDS, _LOOKED = 3, 64
#: Times its bits that a block may tell more than them when training begins, and the part of training after which it tells no more.
_EXCESS, _EASED = 4.0, 0.5
#: Means and deviations to begin with, in deviations of the module's weights; and how much slower deviations are learnt than means.
_MEAN, _DEVIATION, _GAIN = 1.0, 0.2, 0.3
#: Multipliers of a block's nats: the least one, and how far one moves in a step, in nats.
_LEAST, _MOVE = 1e-6, 0.1


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
        By name of a parameter, how many of its weights are one variable, up to their signs, at places drawn once (see `Shared`).

    Raises
    ------
    ConfigError
        For a module without parameters, and for numbers out of range.
    """

    places: Tensor
    groups: Tensor
    done: Tensor
    sent: Tensor
    multipliers: Tensor
    units: Tensor
    scales: Tensor

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
        self._kappa, self._fixed = bits * math.log(2.0), False
        self._candidates = 1 << math.ceil(bits + BEYOND)
        self.shared = nn.ModuleDict(
            {
                str(i): Shared(p.numel(), counts[i], i)
                for i, p in enumerate(parameters.values())
                if counts[i] < p.numel()
            }
        )
        self._counts, total = counts, sum(counts)
        self.register_buffer("places", torch.arange(total) % self._layout.blocks)
        self.register_buffer("groups", torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts)))
        self.register_buffer("done", torch.zeros(total, dtype=torch.bool))
        self.register_buffer("sent", torch.zeros(total))
        self.register_buffer("multipliers", torch.full((self._layout.blocks,), _LEAST))
        spread = [max(float(p.detach().std()) if p.numel() > 1 else 0.0, 1e-2) for p in parameters.values()]
        self.register_buffer("units", torch.tensor(spread)[self.groups])
        self.register_buffer("scales", torch.zeros(len(counts)))
        for p in parameters.values():
            p.requires_grad_(False)
        self.means = nn.Parameter(_MEAN * torch.randn(total))
        self.spreads = nn.Parameter(torch.full((total,), math.log(_DEVIATION)))
        self._box, self._number = np.zeros(self._layout.blocks, np.int64), np.zeros(self._layout.blocks, np.int64)

    def posterior(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of each variable, in units of its prior."""
        scale = self._priors().exp()
        return self.means / scale, self.spreads.exp() / scale

    def nats(self) -> Tensor:
        """Of each block: the divergence of its posterior from its prior, without what is sent. Shape (blocks,)."""
        mean, deviation = self.posterior()
        each = 0.5 * (mean * mean + deviation * deviation - 1) - deviation.log()
        return torch.zeros_like(self.multipliers).index_add(0, self.places, each.masked_fill(self.done, 0.0))

    def forward(self, *inputs: Any) -> Any:
        """What the module gives with weights drawn from the posterior; those that are sent are as they are sent."""
        values = (self.means + self.spreads.exp() * torch.randn_like(self.means)) * self.units
        return functional_call(self.module, self._weights(torch.where(self.done, self.sent, values)), inputs)

    def fit(
        self,
        loss: Callable[[float], Tensor],
        held_out: Callable[[], float],
        *,
        budget: float,
        steps: int = 0,
        rate: float = 0.1,
        **how: Any,
    ) -> int:
        """Train the posterior, as `codecs_core.learn.fit` has it, and return how many steps it took; `loss` and `held_out` call this.

        A block may tell five times its bits in the beginning, and no more than them from half of the training on: what a network learns
        first needs not be learnt through all the noise. A look that finds more than them is worse by as many parts of them.
        """

        def penalised(done: float) -> Tensor:
            return loss(done) + self._price(1 + _EXCESS * max(0.0, 1 - done / _EASED) ** 2)

        def looked() -> float:
            return held_out() + max(0.0, float(self.nats().mean()) / self._kappa - 1)

        groups: list[dict[str, Any]] = [{"params": [self.means]}, {"params": [self.spreads], "gain": _GAIN}]
        rng = np.random.default_rng(0)
        return learn.fit(self, penalised, looked, rate=rate, groups=groups, budget=budget, steps=steps, rng=rng, **how)

    def compress(
        self,
        loss: Callable[[float], Tensor] | None = None,
        *,
        steps: int = 0,
        rate: float = 1e-2,
        progress: Callable[[float, str], None] | None = None,
    ) -> bytes:
        """Send block after block, train the rest for some `steps` after each, and return the payload; `load` puts it into the module."""
        self._fix_scales()
        groups: list[dict[str, Any]] = [{"params": [self.means]}, {"params": [self.spreads], "lr": _GAIN * rate}]
        price, optimiser = self._prices(), torch.optim.Adam(groups, rate)
        for b in range(self._layout.blocks):
            self._send(b, price)
            for _ in range(steps if loss and b + 1 < self._layout.blocks else 0):
                optimiser.zero_grad()
                (loss(1.0) + self._price(1.0)).backward()  # type: ignore[misc]
                optimiser.step()
            if progress:
                progress((b + 1) / self._layout.blocks, f"{b + 1} of {self._layout.blocks} blocks are sent")
        payload = write(self._layout, self._box, self._number)
        self.load(payload)
        return payload

    def _priors(self) -> Tensor:
        """The logarithm of the prior's deviation, for each variable: the best one of its tensor, until scales are fixed."""
        if self._fixed:
            return self.scales[self.groups]
        second = (self.means.square() + (2 * self.spreads).exp()).detach()
        sums = torch.zeros_like(self.scales).index_add(0, self.groups, second)
        return 0.5 * (sums / torch.bincount(self.groups)).log()[self.groups]

    def _price(self, times: float) -> Tensor:
        """The nats of the blocks times their multipliers, which rise where a block tells more than this number of times what it may."""
        nats = self.nats()
        over = (nats.detach() / (times * self._kappa) - 1).clamp(-1, 1)
        with torch.no_grad():
            # a fifth too much is as bad as anything: near the bits of a block, multipliers move gently
            self.multipliers.mul_((_MOVE * (5 * over).clamp(-1, 1)).exp()).clamp_(min=_LEAST)
        return (self.multipliers * (1 + over) * nats).sum()

    def _fix_scales(self) -> None:
        """Round the scales of the priors to those that a payload has."""
        first = np.cumsum([0, *self._counts[:-1]])
        with torch.no_grad():
            wanted = (self._priors() + self.units.log())[first] / math.log(2.0)
            bytes_ = [int(e) for e in (ZERO + 8 * wanted).round().clamp(0, 255)]
            self.scales.copy_((torch.tensor(bytes_) - ZERO) * (math.log(2.0) / 8) - self.units[first].log())
        self._layout = Layout(self._layout.block, 0, tuple(zip(self._counts, bytes_, strict=True)))
        self._fixed = True

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
        parts = enumerate(torch.split(values, self._counts))
        weights = [self.shared[str(i)](part) if str(i) in self.shared else part for i, part in parts]
        return {name: weight.view(shape) for (name, shape), weight in zip(self._shapes.items(), weights, strict=True)}


@dataclass(frozen=True, kw_only=True)
class _Sent(WeightsCodec):
    """The codec of one array, whose payload is there already."""

    payload: bytes = b""

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        return self.payload

    def config(self) -> dict[str, Any]:
        return {}
