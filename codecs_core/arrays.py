"""Shapes and dtypes as files and codecs see them: C order, little endian, fixed size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.errors import FormatError, UnsupportedArrayError

#: dtypes a container can hold: booleans, integers and floats, by their numpy names.
DTYPES = frozenset(
    ["bool"]
    + [f"{kind}{bits}" for kind in ("uint", "int") for bits in (8, 16, 32, 64)]
    + [f"float{bits}" for bits in (16, 32, 64)]
    + ["complex64", "complex128"]
)
_SIZES = {name: np.dtype(name).itemsize for name in DTYPES}


@dataclass(frozen=True)
class ArraySpec:
    """Shape and dtype of an array or of one chunk of it.

    Parameters
    ----------
    shape
        Length of each axis.
    dtype
        Numpy name of the dtype without byte order, for example ``"uint8"``; one of `DTYPES`.
    """

    shape: tuple[int, ...]
    dtype: str

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise FormatError(f"dtype {self.dtype!r} is not one of {', '.join(sorted(DTYPES))}")
        if any(type(n) is not int or n < 0 for n in self.shape) or len(self.shape) > 32:
            raise FormatError(f"shape {self.shape!r} is not up to 32 non-negative integers")

    @classmethod
    def of(cls, array: NDArray[Any]) -> ArraySpec:
        """The spec of an array; raises `UnsupportedArrayError` for a dtype no container holds."""
        name = array.dtype.name
        if name not in DTYPES:
            raise UnsupportedArrayError(
                f"an array of dtype {array.dtype} cannot be stored; expected one of {', '.join(sorted(DTYPES))}"
            )
        return cls(tuple(int(n) for n in array.shape), name)

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def itemsize(self) -> int:
        """Bytes a value."""
        return _SIZES[self.dtype]

    @property
    def nbytes(self) -> int:
        """Bytes of the decoded array."""
        return self.size * self.itemsize

    @property
    def numpy(self) -> np.dtype[Any]:
        """The dtype in little endian, as stored."""
        return np.dtype(self.dtype).newbyteorder("<")


def normalise(array: NDArray[Any]) -> NDArray[Any]:
    """C-contiguous, native-endian view or copy of `array`; dimensions and values are kept."""
    array = np.asanyarray(array)
    ArraySpec.of(array)
    native = array.dtype.newbyteorder("=")
    return np.asarray(array, dtype=native, order="C").view(np.ndarray)
