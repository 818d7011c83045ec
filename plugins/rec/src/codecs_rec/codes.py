"""The code of octaves that may lie at the bottom of a message."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import WIDE, Bijection, Categorical, Serial, StackCodec


def octave_code(counts: NDArray[np.int64], rows: NDArray[np.int64]) -> StackCodec[NDArray[Any]]:
    """Code of symbols by these rows of counts, in parts that one head codes: there may be nothing beneath to open others with."""
    ends = range(WIDE - 1, len(rows), WIDE - 1)
    parts = Serial(*(Categorical(counts, index=part) for part in np.split(rows, ends) if part.size))
    return Bijection(
        lambda x: tuple(np.split(x, ends)) if len(x) else (),
        lambda each: np.concatenate([np.zeros(0, np.int64), *each]).astype(np.int64),
        parts,
    )
