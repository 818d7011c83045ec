"""Where these names were up to version 0.1; they are in `codecs_core.entropy`."""

from __future__ import annotations

from codecs_core.entropy.codec import StackCodec
from codecs_core.entropy.combinators import Bijection, BitsBack, Chain, Serial, ramp
from codecs_core.entropy.distribution import Distribution, common_shape, fitted, flat, integers
from codecs_core.entropy.message import check_precision

__all__ = [
    "Bijection",
    "BitsBack",
    "Chain",
    "Distribution",
    "Serial",
    "StackCodec",
    "check_precision",
    "common_shape",
    "fitted",
    "flat",
    "integers",
    "ramp",
]
