"""The loop that trains a network: steps until the time is over, and now and then a look at what is held out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from codecs_core.codec import Progress
from codecs_core.learn.checkpoint import Checkpoint
from codecs_core.learn.machine import device
from codecs_core.learn.muon import optimiser_of
from codecs_core.learn.settings import check_budget

#: Looks at what is held out of a training by steps, so that every machine takes them after the same ones.
LOOKS = 16
#: Seconds from one checkpoint to the next, where there is none after a look.
SAVE = 15.0


def fit(
    network: nn.Module,
    loss: Callable[[float], Tensor],
    held_out: Callable[[], float],
    *,
    rate: float,
    budget: float,
    steps: int = 0,
    groups: Iterable[dict[str, Any]] | None = None,
    warm: int = 100,
    clip: float = 1.0,
    average: float = 0.0,
    patience: int = 0,
    interval: float = 120.0,
    rng: np.random.Generator,
    run: str = "",
    checkpoint: Path | None = None,
    progress: Progress | None = None,
    told: str = "bits per value on what is held out",
) -> int:
    """Train a network on the best device there is; it ends on the processor, with the weights that were best for what is held out.

    Parameters
    ----------
    network
        Is changed.
    loss
        Function of the fraction done: the loss of a batch that it draws by itself, a tensor of shape ().
    held_out
        Gives the rate of the network on what is held out; less is better.
    rate
        Of Adam. It rises over the first `warm` steps, or a twentieth of the training if that is less, and follows a cosine to zero.
    budget
        Seconds, those before a checkpoint included.
    steps
        If not 0, train for this number of steps, however long they take.
    groups
        Parameter groups, as torch has them. Each may have a ``gain``, by which its rate is multiplied, and a ``weight_decay``;
        a group of weights of two axes or more also a true ``matrices``: its steps are those of Muon (see `Muon`).
    clip
        The largest norm of a gradient.
    average
        If not 0, weights are averaged over the steps, with this decay, and the average is what is looked at and what stays.
    patience
        If not 0, end after this number of evaluations without a better rate.
    interval
        Seconds between two looks at what is held out. A training by steps has `LOOKS` looks instead.
    rng
        Generator that `loss` may draw from; that of torch itself is kept in checkpoints as well.
    run
        Says which training it is, so that no other goes on from its checkpoint.
    checkpoint
        File that the state is written to after each look, and every quarter of a minute. Where it exists, training goes on from there.
    progress
        Called after each look with the fraction done and the rate.
    told
        What the rate is, in words.

    Returns
    -------
    int
        How many steps it took.

    Raises
    ------
    ConfigError
        For a budget that is no positive number, and a checkpoint of another training.
    """
    check_budget(budget)
    network.to(device())
    parameters = (
        [{"gain": 1.0, "params": network.parameters()}] if groups is None else [{"gain": 1.0, **g} for g in groups]
    )
    optimiser = optimiser_of(parameters, rate)
    state = Checkpoint(network, optimiser, rng, run)
    if checkpoint is not None and checkpoint.exists():
        state.load(checkpoint)
    kept = _Kept(network, average, state)
    before, start = state.seconds, time.monotonic()
    looked, saved, done, apart = start, start, 0.0, -(-steps // LOOKS)
    while done < 1:
        now = time.monotonic()
        state.seconds = before + now - start
        done = min(1.0, (state.step + 1) / steps if steps else state.seconds / budget)
        for group in optimiser.param_groups:
            group["lr"] = group["gain"] * rate * _schedule(state.step, done, warm)
        network.train()
        optimiser.zero_grad()
        loss(done).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), clip)
        optimiser.step()
        state.step += 1
        kept.follow()
        look = done >= 1 or (state.step % apart == 0 if steps else now - looked > interval)
        if look:
            found = kept.look(held_out)
            if patience and kept.looks_since_best >= patience:
                done = 1.0
            if progress:
                progress(done, f"step {state.step}: {found:.4f} {told}")
            looked = time.monotonic()
        if checkpoint is not None and (look or now - saved > SAVE):
            state.save(checkpoint)
            saved = time.monotonic()
    kept.restore()
    network.to("cpu").eval()
    return state.step


def _schedule(step: int, done: float, warm: int) -> float:
    """A rise, and a cosine to nearly zero. A short training rises faster."""
    rise = min(1.0, max((step + 1) / warm, 20 * done))
    return rise * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-5


class _Kept:
    """The average of the weights, if there is one, and the weights that were best; both belong to the checkpoint."""

    def __init__(self, network: nn.Module, decay: float, state: Checkpoint) -> None:
        self.network, self.decay, self.more = network, decay, state.more
        if decay and "average" not in self.more:
            self.more["average"] = _copy(network)

    def follow(self) -> None:
        """Move the average on by a step."""
        if self.decay:
            with torch.no_grad():
                for name, value in self.network.state_dict().items():
                    mean = self.more["average"][name]
                    if value.is_floating_point():
                        mean.lerp_(value.to(mean.device), 1 - self.decay)
                    else:
                        mean.copy_(value)

    def look(self, held_out: Callable[[], float]) -> float:
        """The rate on what is held out; the weights are kept if none was better."""
        own = _copy(self.network) if self.decay else None
        if own is not None:
            self.network.load_state_dict(self.more["average"])
        self.network.eval()
        with torch.inference_mode():
            found = held_out()
        best = self.more.get("rate", math.nan)
        if math.isnan(best) or found < best:
            self.more |= {"rate": found, "best": _copy(self.network), "since": 0}
        else:
            self.more["since"] += 1
        if own is not None:
            self.network.load_state_dict(own)
        return found

    @property
    def looks_since_best(self) -> int:
        """How many looks found no better rate, one after the other."""
        return int(self.more["since"])

    def restore(self) -> None:
        """Give the network the best weights."""
        self.network.load_state_dict(self.more["best"])


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
