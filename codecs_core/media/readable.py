"""What a file says beside its values, small and plain, for people and programs that read attributes.

It is a second copy: what is written back is kept as bytes elsewhere.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Text longer than this and lists of more values are left out, and so is everything after this number of things.
LONGEST, MOST, THINGS = 1000, 64, 200


def plain(value: Any) -> Any:
    """Text, a number, a truth value or a list of them, of what libraries return; None for what is long or anything else."""
    if isinstance(value, np.ndarray):
        value = value.tolist() if value.size <= MOST and value.dtype.names is None else None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        value = value.rstrip(b"\0").decode("utf-8", "replace")
    if isinstance(value, str):
        return str(value).encode("utf-8", "replace").decode() if len(value) <= LONGEST else None
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value) if -(1 << 63) <= value < 1 << 64 else None
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, list | tuple) and len(value) <= MOST:
        parts = [plain(part) for part in value]
        return parts if None not in parts else None
    return None


def listed(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Named things, without those that have no plain form."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if len(found) == THINGS:
            break
        if isinstance(name, str) and name.isprintable() and (small := plain(value)) is not None:
            found[name] = small
    return found
