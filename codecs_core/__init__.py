"""A registry, a container format and an entropy-coding engine for neural codecs.

Names are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "Codec": "codec",
    "CodecInfo": "codec",
    "ArraySpec": "arrays",
    "Limits": "limits",
    "CodecsError": "errors",
    "CodecSpec": "registry",
    "ModelSpec": "registry",
    "hookimpl": "registry",
    "Model": "models",
    "save": "api",
    "load": "api",
    "open": "api",
    "create": "api",
    "inspect": "api",
    "get_codec": "api",
    "list_codecs": "api",
    "train": "api",
}

__all__ = sorted(_HOME)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"codecs_core.{_HOME[name]}"), name)
    raise AttributeError(f"module 'codecs_core' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
