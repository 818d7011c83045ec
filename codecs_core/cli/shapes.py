"""Sums over the JSON of `codecs info`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(kw_only=True)
class Part:
    """What one codec, with one model, did in a file."""

    codec: str
    model: str
    entries: int = 0
    values: int = 0
    decoded: int = 0
    stored: int = 0


def decoded_bytes(entry: dict[str, Any]) -> int:
    """Bytes of an entry's array."""
    return int(math.prod(entry["shape"]) * np.dtype(entry["dtype"]).itemsize)


def model_name(entry: dict[str, Any]) -> str:
    """What people call the model of an entry: its name, or the start of its hash; empty without one."""
    model = entry["model"]
    return "" if model is None else str(model["name"] or model["sha256"][:12])


def by_codec(info: dict[str, Any]) -> list[Part]:
    """The entries of a file, summed by codec and model."""
    parts: dict[tuple[str, str], Part] = {}
    for entry in info["entries"]:
        key = entry["codec"], model_name(entry)
        part = parts.setdefault(key, Part(codec=key[0], model=key[1]))
        part.entries += 1
        part.values += math.prod(entry["shape"])
        part.decoded += decoded_bytes(entry)
        part.stored += entry["bytes"]
    return list(parts.values())
