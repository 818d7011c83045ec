"""Adam, and for matrices Muon, as one optimiser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch


def optimiser_of(groups: Sequence[dict[str, Any]], rate: float) -> torch.optim.Optimizer:
    """Adam, or with groups for Muon among them, both."""
    if any(group.get("matrices") for group in groups):
        return Muon(groups, rate)
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.99), weight_decay=0.0, fused=True)


class Muon(torch.optim.Optimizer):
    """Adam for what is no matrix; for matrices steps whose singular values are all about 1 (Jordan et al. 2024, Muon).

    On networks of a few fully connected layers it takes about half the steps of Adam.

    Parameters
    ----------
    groups
        Parameter groups, as torch has them. Those with a true ``matrices`` are for Muon; each of their parameters has two axes.
    rate
        Of all groups.
    """

    def __init__(self, groups: Sequence[dict[str, Any]], rate: float) -> None:
        parts = [[g for g in groups if bool(g.get("matrices")) is kind] for kind in (False, True)]
        self.parts: list[torch.optim.Optimizer] = []
        if parts[0]:
            self.parts.append(optimiser_of(parts[0], rate))
        if parts[1]:
            self.parts.append(torch.optim.Muon(parts[1], lr=rate, momentum=0.95, weight_decay=0.0))
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
