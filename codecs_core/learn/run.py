"""A run of a training: what it is given beside data and settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

from torch import Tensor, nn

from codecs_core.codec import Progress
from codecs_core.errors import CodecsError, ConfigError
from codecs_core.learn.loop import fit
from codecs_core.learn.settings import Schedule, Settings, check_budget
from codecs_core.models import resolve
from codecs_core.registry import default

_Settings = TypeVar("_Settings", bound=Settings)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a training is given beside its data and its `Settings`.

    Parameters
    ----------
    budget
        Seconds; the rate falls to zero over them, unless the settings say how many steps.
    progress
        Called with the fraction done and the rate on what is held out.
    checkpoint
        File that the state of training is written to now and then. Where it exists, training goes on from there.
    held_out
        Items to validate on, the last ones; 0: the last twentieth.
    name, about
        Of the model; `about` joins the attributes that say how it came about.

    Raises
    ------
    ConfigError
        For a budget that is no positive number of seconds.
    """

    budget: float = 1200.0
    progress: Progress | None = None
    checkpoint: str | os.PathLike[str] | None = None
    held_out: int = 0
    name: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_budget(self.budget)

    @classmethod
    def of(
        cls,
        codec: str,
        settings: type[_Settings],
        hyper: Mapping[str, Any],
        *,
        beside: Sequence[str] = ("budget", "progress", "checkpoint", "held_out"),
    ) -> tuple[_Settings, Self]:
        """Settings and run from the keywords of a trainer.

        Parameters
        ----------
        codec
            Whose trainer it is.
        settings
            Class of the settings.
        hyper
            The keywords.
        beside
            Those of this class that the trainer takes.

        Raises
        ------
        ConfigError
            For a keyword that is neither a setting nor one of `beside`, and a value out of range.
        """
        run = {key: hyper[key] for key in beside if key in hyper}
        return settings.of(codec, hyper, beside=beside), cls(**run)

    def fit(
        self,
        network: nn.Module,
        loss: Callable[[float], Tensor],
        held_out: Callable[[], float],
        settings: Schedule,
        *,
        data: str,
        **more: Any,
    ) -> int:
        """Call `fit` with what run and settings say; a checkpoint is of these settings, and of the data that `data` tells of."""
        return fit(
            network,
            loss,
            held_out,
            rate=settings.rate,
            budget=self.budget,
            steps=settings.steps,
            run=f"{settings} of {data}",
            checkpoint=None if self.checkpoint is None else Path(self.checkpoint),
            progress=self.progress,
            **more,
        )


def measured(count: int, *, of: str = "values", **rates: float) -> dict[str, float]:
    """What a model says of itself: rates in bits per value, of a number of values, or of items, that were held out."""
    return {of: count} | {f"{name}_bits_per_value": round(rate, 5) for name, rate in rates.items()}


def start_from(codec: str, start: str, load: Callable[[Mapping[str, Any]], None]) -> None:
    """Hand the tensors of the model that is called `start` to `load`; raises `ConfigError` if there is none, or it does not fit."""
    try:
        load(resolve(start, codec=codec, registry=default()).tensors())
    except CodecsError as error:
        raise ConfigError(f"cannot start from {start!r}: {error}") from error
