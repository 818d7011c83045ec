"""The state of a training in a file, from which it goes on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from codecs_core.errors import ConfigError
from codecs_inr.em import Alternation


def save(path: Path, alternation: Alternation, run: str, seconds: float) -> None:
    """Write everything to a file, all of it or nothing; `run` says which training it is: its settings and its data."""
    about = {
        "run": run,
        "seconds": seconds,
        "rounds": alternation.rounds,
        "variance": alternation.variance,
        "steps": [adam.steps for adam in alternation.adams],
        "rng": alternation.rng.bit_generator.state,
    }
    arrays: dict[str, Any] = {"about": np.array(json.dumps(about)), **alternation.arrays}
    partial = path.with_name(path.name + ".part")
    with partial.open("wb") as file:
        np.savez(file, **arrays)
    os.replace(partial, path)


def load(path: Path, alternation: Alternation, run: str) -> float:
    """Go on from a file; returns the seconds that were spent before. Raises `ConfigError` if it is of another training."""
    try:
        with np.load(path, allow_pickle=False) as state:
            about = json.loads(str(state["about"]))
            if about["run"] != run:
                raise ConfigError(
                    f"{path} is the state of a training with other settings or data; delete it to start again"
                )
            for name, array in alternation.arrays.items():
                array[...] = state[name]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise ConfigError(f"{path} is no state of a training ({error}); delete it to start again") from error
    alternation.rounds, alternation.variance = about["rounds"], about["variance"]
    for adam, steps in zip(alternation.adams, about["steps"], strict=True):
        adam.steps = steps
    alternation.rng.bit_generator.state = about["rng"]
    return float(about["seconds"])
