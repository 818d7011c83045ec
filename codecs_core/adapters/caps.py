"""The limits of this process: what opens an array of zarr or numcodecs hands on none, and its metadata may name none."""

from __future__ import annotations

from codecs_core.limits import DEFAULT_LIMITS, Limits

_limits = DEFAULT_LIMITS


def use_limits(limits: Limits) -> None:
    """Hold all codecs of this process to other limits, but those that were given their own."""
    global _limits
    _limits = limits


def limits() -> Limits:
    """The limits that hold for codecs without their own."""
    return _limits
