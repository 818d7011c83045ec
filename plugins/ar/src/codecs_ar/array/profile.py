"""What streams learn of a kind of data, for another one to begin with: a model of ``ar.array``.

The counters, mixers and blends of a stream speak of the scale at hand and not of values, so they serve arrays of other types and
shapes. Least squares, and what is found by a hash, are learnt by each stream for itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.decisions import COUNT_BITS, INPUTS
from codecs_core.errors import ModelError

#: Of the streams that profiles are for.
VERSION = 2
#: How sure a profile is at the most: decisions that a counter has seen, and uses of a mixer.
SURE, USED = 20, 100
#: Of one array no counter counts for more decisions than this, and no mixer for more uses; a counter has to have seen some.
COUNTED, MIXED, SEEN = 60, 2000, 8
#: Lowest bits of a probability, which are left out.
ROUGH = 6
TYPES = {
    "counters.at": "uint16",
    "counters.p": "uint16",
    "counters.n": "uint8",
    "mixers": "float32",
    "uses": "uint16",
    "blends": "float32",
    "biases": "float32",
}


@dataclass(frozen=True)
class Learnt:
    """The part of a stream's state that serves other arrays, flat; `counters` are those that are not found by a hash."""

    counters: NDArray[np.uint32]
    mixers: NDArray[np.float64]
    uses: NDArray[np.float64]
    blends: NDArray[np.float64]
    biases: NDArray[np.float64]

    def begin(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Write a profile into the state.

        Raises
        ------
        ModelError
            If it is none of such a state.
        """
        for name, dtype in TYPES.items():
            if name not in tensors or tensors[name].dtype != dtype or tensors[name].ndim != 1:
                raise ModelError(f"the profile has no tensor {name!r} of {dtype}: the model is damaged")
        at, p, n = (tensors[f"counters.{name}"].astype(np.int64) for name in ("at", "p", "n"))
        if not at.size == p.size == n.size or np.any(at >= self.counters.size) or np.any(n > SURE):
            raise ModelError("the counters of the profile are impossible: the model is damaged")
        self.counters[at] = (p << ROUGH | 1 << ROUGH - 1) << COUNT_BITS | n
        for name in ("mixers", "uses", "blends", "biases"):
            state, values = getattr(self, name), tensors[name].astype(np.float64)
            least = 1e-30 if name == "blends" else -1e4
            if values.shape != state.shape or not np.all((values >= least) & (values <= 1e4)):
                raise ModelError(f"tensor {name!r} of the profile is impossible: the model is damaged")
            state[:] = np.where(np.abs(values) < 1e-30, 0.0, values)


class Mean:
    """The mean of what several streams have learnt: of counters and mixers, weighted by how often they were used."""

    def __init__(self, start: Learnt) -> None:
        self._start, self._arrays = start, 0
        self._seen, self._yes = np.zeros(start.counters.size), np.zeros(start.counters.size)
        self._uses, self._mixers = np.zeros(start.uses.size), np.zeros((start.uses.size, INPUTS))
        self._blends, self._biases = np.zeros(start.blends.size), np.zeros(start.biases.size)

    def add(self, learnt: Learnt) -> None:
        """Take in what one stream has learnt."""
        seen = np.minimum(learnt.counters & np.uint32((1 << COUNT_BITS) - 1), COUNTED)
        uses = np.minimum(learnt.uses, MIXED)
        self._seen += seen
        self._yes += seen * (learnt.counters >> np.uint32(COUNT_BITS)).astype(np.float64)
        self._uses += uses
        self._mixers += uses[:, None] * learnt.mixers.reshape(-1, INPUTS)
        self._blends += learnt.blends
        self._biases += learnt.biases
        self._arrays += 1

    def tensors(self) -> dict[str, NDArray[Any]]:
        """The profile; mixers that were hardly used are as they were at the start."""
        at = np.flatnonzero(self._seen >= SEEN)
        start = self._start.mixers.reshape(-1, INPUTS)
        found: dict[str, NDArray[Any]] = {
            "counters.at": at,
            "counters.p": (self._yes[at] / self._seen[at]).astype(np.int64) >> ROUGH,
            "counters.n": np.minimum(self._seen[at] // 3, SURE),
            "mixers": ((self._mixers + USED * start) / (self._uses + USED)[:, None]).reshape(-1),
            "uses": np.minimum(self._uses, USED),
            "blends": self._blends / self._arrays,
            "biases": self._biases / self._arrays,
        }
        return {name: found[name].astype(dtype) for name, dtype in TYPES.items()}
