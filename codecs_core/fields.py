"""Fields of settings, of a codec or of a training, that say which values they take."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, fields
from typing import Any

from codecs_core.errors import ConfigError


def whole(default: int, low: int, high: int) -> Any:
    """A field that takes integers from `low` to `high`."""

    def check_value(value: Any) -> str | None:
        fits = type(value) is int and low <= value <= high
        return None if fits else f"an integer from {low} to {high}"

    return field(default=default, metadata={"check": check_value})


def number(default: float, low: float = 0.0, high: float = math.inf, *, above: bool = False) -> Any:
    """A field that takes finite numbers from `low` to `high`; if `above`, not `low` itself."""

    def check_value(value: Any) -> str | None:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if fits and low <= value <= high and not (above and value == low):
            return None
        least = f"above {low:g}" if above else f"from {low:g}"
        return f"a number {least}" + ("" if math.isinf(high) else f" to {high:g}")

    return field(default=default, metadata={"check": check_value})


def counts(default: Sequence[int], low: int, high: int, *, lengths: tuple[int, int]) -> Any:
    """A field that takes lists of integers from `low` to `high`, as short and as long as `lengths` says; it is kept as a tuple."""

    def check_value(value: Any) -> str | None:
        fits = isinstance(value, Sequence) and lengths[0] <= len(value) <= lengths[1]
        if fits and all(type(n) is int and low <= n <= high for n in value):
            return None
        many = f"{lengths[0]}" if lengths[0] == lengths[1] else f"{lengths[0]} to {lengths[1]}"
        return f"a list of {many} integers from {low} to {high}"

    return field(default=tuple(default), metadata={"check": check_value})


def one_of(default: str, choices: Sequence[str], *, briefly: str | None = None) -> Any:
    """A field that takes one of some words; of words that say how long the same is done, `briefly` is the one for the shortest time."""

    def check_value(value: Any) -> str | None:
        return None if value in choices else f"one of {', '.join(choices)}"

    tried = tuple(choices) if briefly is None else (briefly,)
    return field(default=default, metadata={"check": check_value, "tried": tried})


def flag(default: bool) -> Any:
    """A field that takes true or false."""
    return field(default=default, metadata={"check": _like(default), "tried": (False, True)})


def alternatives(settings: Any) -> Iterator[dict[str, Any]]:
    """Changes of `settings`, a dataclass, that run all of its code: each value of the fields that take few, and of no other field."""
    tried = {one.name: one.metadata["tried"] for one in fields(settings) if "tried" in one.metadata}
    values = {name: getattr(settings, name) for name in tried}
    usual = {name: value if value in tried[name] else tried[name][0] for name, value in values.items()}
    yield usual
    for name, value in usual.items():
        yield from (usual | {name: other} for other in tried[name] if other != value)


def _like(default: Any) -> Callable[[Any], str | None]:
    """The check of a field that says nothing of itself: a value of the type of its default."""
    words = {bool: "true or false", str: "a text"}
    expected = words.get(type(default), f"of type {type(default).__name__}")
    return lambda value: None if type(value) is type(default) else expected


def check(settings: Any, where: str = "", *, like_default: bool = False) -> None:
    """Raise `ConfigError` for a value that its field does not take.

    Parameters
    ----------
    settings
        A dataclass.
    where
        Goes in front of the message.
    like_default
        Whether fields that say nothing of themselves take values of the type of their default alone; else they take any.
    """
    for one in fields(settings):
        value = getattr(settings, one.name)
        check_value = one.metadata.get("check", _like(one.default) if like_default else None)
        expected = check_value(value) if check_value else None
        if expected is not None:
            raise ConfigError(f"{where and f'{where}: '}{one.name} must be {expected}, got {value!r}")


__all__ = ["check", "counts", "flag", "number", "one_of", "whole"]


def __dir__() -> list[str]:
    return __all__
