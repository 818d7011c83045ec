"""Relative entropy coding: a library of samplers, and codecs for small images."""

from __future__ import annotations

from codecs_core import CodecSpec, hookimpl


@hookimpl
def codecs_register() -> list[CodecSpec]:
    """The codecs of this plugin."""
    return []
