"""Settings of a training: a dataclass whose fields say which values they take."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

from codecs_core.errors import ConfigError
from codecs_core.fields import check, number, whole

#: log2(e): a loss in nats times this is in bits.
BITS_PER_NAT = math.log2(math.e)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Base of the settings of a training: every field is checked, and `of` takes what a user typed.

    Raises
    ------
    ConfigError
        For a value that its field does not take.

    Examples
    --------
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Sizes(Settings):
    ...     width: int = whole(64, 1, 512)
    ...     rate: float = number(1e-3, above=True)
    >>> Sizes(width=0)
    ConfigError: width must be an integer from 1 to 512, got 0
    """

    def __post_init__(self) -> None:
        check(self, like_default=True)
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, list):
                object.__setattr__(self, one.name, tuple(value))

    @classmethod
    def of(cls, codec: str, hyper: Mapping[str, Any], *, beside: Sequence[str] = ()) -> Self:
        """Settings from the keywords of a trainer; raises `ConfigError` for one that is neither a field nor named in `beside`."""
        known = {one.name for one in fields(cls)}
        if unknown := sorted(hyper.keys() - known - {*beside}):
            every = ", ".join(sorted(known | {*beside}))
            raise ConfigError(f"training of {codec} has no setting {unknown[0]!r}; it has {every}")
        return cls(**{key: hyper[key] for key in hyper.keys() & known})


@dataclass(frozen=True, kw_only=True)
class Schedule(Settings):
    """Base of the settings of a training by steps; with the same settings and steps it gives the same model again on the same build.

    Parameters
    ----------
    batch
        Items a step.
    rate
        Of Adam; after a short rise it follows a cosine to zero.
    steps
        If not 0, train for this number of steps, however long they take.
    seed
        Of the initial weights, of the order of the data and of noise.
    """

    batch: int = whole(16, 1, 1 << 20)
    rate: float = number(4e-3, above=True)
    steps: int = whole(0, 0, 1 << 40)
    seed: int = whole(0, 0, 1 << 62)


def check_budget(budget: Any) -> None:
    """Raise `ConfigError` unless it is a positive number of seconds."""
    if not isinstance(budget, int | float) or not 0 < budget < math.inf:
        raise ConfigError(f"budget must be a positive number of seconds, got {budget!r}")
