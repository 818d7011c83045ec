"""Neural inference that gives the same integers on every machine. ``spec/exact.md`` is the authority.

`freeze`, `thaw` and `Residual` are for those who train: they import torch, on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from codecs_core.errors import MissingDependencyError
from codecs_core.exact.colour import colour_forward, colour_inverse, grey_levels
from codecs_core.exact.layer import FIELDS, Layer
from codecs_core.exact.net import ExactNet
from codecs_core.exact.predictor import (
    PHASES,
    Predictor,
    cropped,
    evaluate_images,
    extent,
    net_of,
    padded,
    squeeze,
    unsqueeze,
)

if TYPE_CHECKING:
    from codecs_core.exact.freezing import freeze
    from codecs_core.exact.modules import Residual
    from codecs_core.exact.thawing import thaw

_HOME = {"Residual": "modules", "freeze": "freezing", "thaw": "thawing"}

__all__ = [
    "FIELDS",
    "PHASES",
    "ExactNet",
    "Layer",
    "Predictor",
    "Residual",
    "colour_forward",
    "colour_inverse",
    "cropped",
    "evaluate_images",
    "extent",
    "freeze",
    "grey_levels",
    "net_of",
    "padded",
    "squeeze",
    "thaw",
    "unsqueeze",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        try:
            return getattr(import_module(f"codecs_core.exact.{_HOME[name]}"), name)
        except ModuleNotFoundError as error:
            raise MissingDependencyError(
                f"codecs_core.exact.{name} takes torch, which is not installed: pip install 'codecs-core[torch]'",
                name="torch",
            ) from error
    raise AttributeError(f"module 'codecs_core.exact' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
