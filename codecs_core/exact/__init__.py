"""Neural inference that gives the same integers on every machine. ``spec/exact.md`` is the authority."""

from __future__ import annotations

from codecs_core.exact.layer import Layer
from codecs_core.exact.net import ExactNet

__all__ = ["ExactNet", "Layer"]
