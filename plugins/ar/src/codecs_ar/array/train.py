"""Profiles from data: arrays are coded, and what was learnt of each is put together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array import stream
from codecs_ar.array.codec import ArrayCodec
from codecs_ar.array.coding import STANDARD, plan, reals
from codecs_ar.array.payload import Writer
from codecs_ar.array.profile import VERSION, Mean
from codecs_core import Model, Progress
from codecs_core.errors import ConfigError, UnsupportedArrayError

#: Bytes of a piece of an array.
PIECE = 1 << 20


def train(
    data: Sequence[NDArray[Any]] | NDArray[Any], *, budget: float, progress: Progress | None = None, **hyper: Any
) -> Model:
    """Train a profile: initial states of counters, mixers and blends for arrays of a kind.

    Parameters
    ----------
    data
        Arrays, or one.
    budget
        Seconds after which no other piece is looked at.
    progress
        Called after each piece.

    Raises
    ------
    UnsupportedArrayError
        If there is nothing to learn from: no array of more than one value.
    """
    if hyper:
        raise ConfigError(f"training has no setting {min(hyper)!r}")
    start, pieces, mean = time.monotonic(), _pieces(data), None
    for number, piece in enumerate(pieces):
        chosen = plan(piece, STANDARD)
        coded = stream.encode(Writer(), chosen.codes >> chosen.about.shift, chosen.about, chosen.map.numbers)
        mean = mean or Mean(stream.untaught())
        mean.add(coded.learnt())
        spent = time.monotonic() - start
        if progress:
            progress(
                min(1.0, max((number + 1) / len(pieces), spent / budget)), f"learnt from {number + 1} of {len(pieces)}"
            )
        if spent > budget:
            break
    if mean is None:
        raise UnsupportedArrayError("there is nothing to learn from: all arrays are empty, or of one value")
    return Model.create(codec=ArrayCodec.id, config={"version": VERSION}, tensors=mean.tensors())


def _pieces(data: Sequence[NDArray[Any]] | NDArray[Any]) -> list[NDArray[Any]]:
    """Arrays cut along the first axis, the first piece of each before the second ones."""
    found: list[tuple[int, NDArray[Any]]] = []
    for array in [data] if isinstance(data, np.ndarray) else data:
        items = max(1, PIECE * len(array) // max(1, array.nbytes)) if array.ndim else 1
        parts = [array[i : i + items] for i in range(0, len(array), items)] if array.ndim else [array]
        found += [(number, part) for number, part in enumerate(parts) if np.unique(part).size > 1]
    return [reals(part) for _, part in sorted(found, key=lambda one: one[0])]
