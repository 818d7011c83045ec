"""How the outputs of a network are a distribution of a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Bernoulli, Distribution, LogisticMixture

#: Fractional bits of means; bounds of logits and of log-scales, in units of 1/64 of an octave, and of means in magnitude.
MEAN_BITS = 8
LOGIT_LIMIT, MEAN_LIMIT, SCALE_RANGE = 1 << 12, 1 << 18, (-256, 640)
#: Log-scale of what is no wider than a value.
NARROW = -384


@dataclass(frozen=True)
class Mixture:
    """Logistics and, as narrow as they get, atoms: values that stand out. Of two symbols, the log odds of the second.

    Outputs are the logits of the atoms and of the logistics, then the means, and then the log-scales of these.

    Parameters
    ----------
    symbols
        Values are below.
    atoms
        Values.
    components
        How many logistics.
    referred
        Whether means are added to what is expected.
    """

    symbols: int
    atoms: tuple[int, ...] = ()
    components: int = 0
    referred: bool = False

    @property
    def outputs(self) -> int:
        """Of a network."""
        return 1 if self.symbols == 2 else len(self.atoms) + 3 * self.components

    def limits(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The lowest and the highest each output can be."""
        if self.symbols == 2:
            return np.array([-LOGIT_LIMIT]), np.array([LOGIT_LIMIT])
        repeats = [len(self.atoms) + self.components, self.components, self.components]
        low = np.repeat([-LOGIT_LIMIT, -MEAN_LIMIT, SCALE_RANGE[0]], repeats)
        return low, np.repeat([LOGIT_LIMIT, MEAN_LIMIT, SCALE_RANGE[1]], repeats)

    def __call__(self, outputs: NDArray[Any], expectations: NDArray[np.int64]) -> Distribution:
        """The distribution of values, from the outputs of a network, shape (n, outputs), and from what was expected of each value."""
        if self.symbols == 2:
            return Bernoulli.from_log_odds(outputs[:, 0])
        n, atoms, k = len(outputs), len(self.atoms), self.components
        logits, means, log_scales = np.split(outputs, [atoms + k, atoms + 2 * k], axis=1)
        centres = np.broadcast_to(np.array(self.atoms, np.int32) << MEAN_BITS, (n, atoms))
        if self.referred:
            means = means + (expectations[:, None] << MEAN_BITS)
        narrow = np.full((n, atoms), NARROW, np.int32)
        return LogisticMixture(
            np.ascontiguousarray(logits),
            np.concatenate([centres, means], 1),
            np.concatenate([narrow, log_scales], 1),
            symbols=self.symbols,
        )
