"""Checks of settings, shared by the codecs of this package."""

from __future__ import annotations

from codecs_core.errors import ConfigError


def check_range(codec: str, name: str, value: object, low: int, high: int) -> None:
    """Raise `ConfigError` unless `value` is an integer in ``[low, high]``."""
    if type(value) is not int or not low <= value <= high:
        raise ConfigError(f"{name} of codec {codec} is {value!r}; expected an integer from {low} to {high}")


def check_choice(codec: str, name: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise `ConfigError` unless `value` is one of `choices`."""
    if value not in choices:
        raise ConfigError(f"{name} of codec {codec} is {value!r}; expected {' or '.join(map(repr, choices))}")
