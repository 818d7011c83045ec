"""Integer tables, derived once with high precision by `derive` and committed beside it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray


@cache
def table(name: str) -> NDArray[Any]:
    """The table of this name as int64, read-only."""
    data = files(__name__).joinpath(f"{name}.npy").read_bytes()
    array: NDArray[Any] = np.load(BytesIO(data), allow_pickle=False).astype(np.int64)
    array.flags.writeable = False
    return array
