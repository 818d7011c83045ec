"""Settings of a training: a dataclass whose fields say which values they take."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from codecs_core.errors import ConfigError

#: log2(e): a loss in nats times this is in bits.
BITS_PER_NAT = math.log2(math.e)


def whole(default: int, low: int, high: int) -> Any:
    """A field that takes integers from `low` to `high`."""

    def check(value: Any) -> str | None:
        fits = type(value) is int and low <= value <= high
        return None if fits else f"an integer from {low} to {high}"

    return field(default=default, metadata={"check": check})


def number(default: float, low: float = 0.0, high: float = math.inf, *, above: bool = False) -> Any:
    """A field that takes finite numbers from `low` to `high`; if `above`, not `low` itself."""

    def check(value: Any) -> str | None:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if fits and low <= value <= high and not (above and value == low):
            return None
        least = f"above {low:g}" if above else f"from {low:g}"
        return f"a number {least}" + ("" if math.isinf(high) else f" to {high:g}")

    return field(default=default, metadata={"check": check})


def counts(default: Sequence[int], low: int, high: int, *, lengths: tuple[int, int]) -> Any:
    """A field that takes lists of integers from `low` to `high`, as short and as long as `lengths` says; it is kept as a tuple."""

    def check(value: Any) -> str | None:
        fits = isinstance(value, Sequence) and lengths[0] <= len(value) <= lengths[1]
        if fits and all(type(n) is int and low <= n <= high for n in value):
            return None
        many = f"{lengths[0]}" if lengths[0] == lengths[1] else f"{lengths[0]} to {lengths[1]}"
        return f"a list of {many} integers from {low} to {high}"

    return field(default=tuple(default), metadata={"check": check})


def one_of(default: str, choices: Sequence[str]) -> Any:
    """A field that takes one of some words."""

    def check(value: Any) -> str | None:
        return None if value in choices else f"one of {', '.join(choices)}"

    return field(default=default, metadata={"check": check})


def _like(default: Any) -> Callable[[Any], str | None]:
    """The check of a field that says nothing of itself: a value of the type of its default."""
    words = {bool: "true or false", str: "a text"}
    expected = words.get(type(default), f"of type {type(default).__name__}")
    return lambda value: None if type(value) is type(default) else expected


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
        for one in fields(self):
            value = getattr(self, one.name)
            expected = one.metadata.get("check", _like(one.default))(value)
            if expected is not None:
                raise ConfigError(f"{one.name} must be {expected}, got {value!r}")
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


def check_budget(budget: Any) -> None:
    """Raise `ConfigError` unless it is a positive number of seconds."""
    if not isinstance(budget, int | float) or not 0 < budget < math.inf:
        raise ConfigError(f"budget must be a positive number of seconds, got {budget!r}")
