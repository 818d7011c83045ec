"""Where these names were up to version 0.2; they are in `codecs_core.jit.lanes`."""

from __future__ import annotations

from codecs_core.jit.lanes import (
    Lanes,
    clamped,
    cleared,
    floored,
    folded,
    load8,
    load16,
    magnitude,
    signed,
    store,
)

__all__ = ["Lanes", "clamped", "cleared", "floored", "folded", "load8", "load16", "magnitude", "signed", "store"]
