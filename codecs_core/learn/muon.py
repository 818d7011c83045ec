"""Adam, and for matrices Muon, as one optimiser."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

#: Decay of the mean of gradients; steps of Newton and Schulz's iteration, and the coefficients of x, x^3 and x^5 in each.
MOMENTUM, ITERATIONS, COEFFICIENTS = 0.95, 5, (3.4445, -4.7750, 2.0315)


def optimiser_of(groups: Sequence[dict[str, Any]], rate: float) -> torch.optim.Optimizer:
    """Adam, or with groups for Muon among them, both."""
    if any(group.get("matrices") for group in groups):
        return Muon(groups, rate)
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.99), weight_decay=0.0, fused=True)


def groups_of(
    network: nn.Module, matrices: Iterable[nn.Parameter], *, gain: float, weight_decay: float = 0.0
) -> list[dict[str, Any]]:
    """The parameters of a network as `learn.fit` takes them: these weights for Muon, at `gain` times the rate of Adam, and all others."""
    chosen = list(matrices)
    known = set(map(id, chosen))
    others = [p for p in network.parameters() if id(p) not in known]
    return [{"params": others}, {"params": chosen, "matrices": True, "gain": gain, "weight_decay": weight_decay}]


class Muon(torch.optim.Optimizer):
    """Adam for what is no matrix; for matrices steps whose singular values are all about 1 (Jordan et al. 2024, Muon).

    On networks of a few fully connected layers it takes about half the steps of Adam, and on those of convolutions fewer still.

    Parameters
    ----------
    groups
        Parameter groups, as torch has them. Those with a true ``matrices`` are for Muon; each of their parameters has two axes or
        more, and all but the first count as one.
    rate
        Of all groups.
    """

    def __init__(self, groups: Sequence[dict[str, Any]], rate: float) -> None:
        parts = [[g for g in groups if bool(g.get("matrices")) is kind] for kind in (False, True)]
        self.parts: list[torch.optim.Optimizer] = []
        if parts[0]:
            self.parts.append(optimiser_of(parts[0], rate))
        if parts[1]:
            self.parts.append(_Orthogonal(parts[1], {"lr": rate, "weight_decay": 0.0}))
        super().__init__([g for part in self.parts for g in part.param_groups], {})
        # one object each: whoever sets a rate here sets it there
        self.param_groups = [g for part in self.parts for g in part.param_groups]

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Take a step with each; there is no closure."""
        for part in self.parts:
            part.step(closure)

    def state_dict(self) -> dict[str, Any]:
        """The states of both."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Inverse of `state_dict`."""
        for part, saved in zip(self.parts, state["parts"], strict=True):
            part.load_state_dict(saved)
        self.param_groups = [g for part in self.parts for g in part.param_groups]


class _Orthogonal(torch.optim.Optimizer):
    """Muon alone. Weights of one shape take their steps together: on small networks, that is most of the time it takes."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Take a step; there is no closure."""
        for group in self.param_groups:
            alike: dict[torch.Size, list[Tensor]] = {}
            for p in group["params"]:
                if p.grad is not None:
                    alike.setdefault(p.shape, []).append(p)
            for shape, parameters in alike.items():
                steps = orthogonal(self._moved(parameters))
                scale = math.sqrt(max(1.0, steps.shape[1] / steps.shape[2]))
                for p, step in zip(parameters, steps, strict=True):
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    p.add_(step.reshape(shape), alpha=-group["lr"] * scale)

    def _moved(self, parameters: Sequence[Tensor]) -> Tensor:
        """Gradients, each moved to the mean of those before it (Nesterov's momentum): shape (n, rows, columns)."""
        moved = []
        for p in parameters:
            gradient = cast(Tensor, p.grad)
            mean = self.state[p].setdefault("momentum_buffer", torch.zeros_like(p))
            mean.lerp_(gradient, 1 - MOMENTUM)
            moved.append(gradient.lerp(mean, MOMENTUM).flatten(1))
        return torch.stack(moved)


def orthogonal(x: Tensor) -> Tensor:
    """Matrices of shape (n, rows, columns) with the singular vectors of others, and all singular values about 1."""
    a, b, c = COEFFICIENTS
    wide = x.mT if x.shape[1] > x.shape[2] else x
    y = wide.bfloat16()
    y = y / y.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(ITERATIONS):
        square = y @ y.mT
        y = torch.baddbmm(y, torch.baddbmm(square, square, square, beta=b, alpha=c), y, beta=a)
    return (y.mT if wide is not x else y).to(x.dtype)
