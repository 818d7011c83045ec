"""Integer tables, derived once with high precision by `derive` and committed beside it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray


@cache
def table(name: str, package: str = __name__) -> NDArray[np.int64]:
    """The integers of the file ``NAME.npy`` in a package, by default those of the engine; read-only."""
    data = files(package).joinpath(f"{name}.npy").read_bytes()
    array: NDArray[np.int64] = np.load(BytesIO(data), allow_pickle=False).astype(np.int64)
    array.flags.writeable = False
    return array


def npy(array: NDArray[Any]) -> bytes:
    """Integers as the bytes of such a file, in the narrowest dtype that holds them."""
    for dtype in ("<i4", "<u4", "<i8"):
        if array.min() >= np.iinfo(dtype).min and array.max() <= np.iinfo(dtype).max:
            array = array.astype(dtype)
            break
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()
