"""Where these names were up to version 0.2; they are in `codecs_core.jit`."""

from __future__ import annotations

from codecs_core.jit import OPTIONS, PLAIN, fingerprint, inline, kernel

__all__ = ["OPTIONS", "PLAIN", "fingerprint", "inline", "kernel"]
