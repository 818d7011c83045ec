"""The state of a training in a file, from which it goes on."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from codecs_core.container import atomic_write
from codecs_core.errors import ConfigError


@dataclass
class Checkpoint:
    """All that a training changes.

    Parameters
    ----------
    network, optimiser
        As they are now.
    rng
        Generator of the order of the data; torch's own generator belongs to the state too.
    run
        Says which training it is: its settings and its data.
    step, seconds
        What has been done so far.
    more
        What else there is: tensors and numbers by name.
    """

    network: nn.Module
    optimiser: torch.optim.Optimizer
    rng: np.random.Generator
    run: str
    step: int = 0
    seconds: float = 0.0
    more: dict[str, Any] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write everything to a file, all of it or nothing; raises `OutputError` where that cannot be done."""
        state = {
            "run": self.run,
            "step": self.step,
            "seconds": self.seconds,
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rng": json.dumps(self.rng.bit_generator.state),
            "torch": torch.get_rng_state(),
            "more": self.more,
        }
        buffer = io.BytesIO()  # since torch does not say what is wrong with a disk
        torch.save(state, buffer)
        with atomic_write(path) as file:
            file.write(buffer.getbuffer())

    def load(self, path: Path) -> None:
        """Go on from a file; raises `ConfigError` for one of another training, or none at all."""
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            run = state["run"]
        except Exception as error:
            raise ConfigError(
                f"{path} is no checkpoint of a training run, or it is damaged; delete it to start from the beginning"
            ) from error
        if run != self.run:
            raise ConfigError(
                f"checkpoint {path} is of another run ({run}, not {self.run}); name another file, or delete it"
            )
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.rng.bit_generator.state = json.loads(state["rng"])
        torch.set_rng_state(state["torch"])
        self.step, self.seconds, self.more = state["step"], state["seconds"], state["more"]
