"""Shapes and dtypes as files and codecs see them: C order, little endian, fixed size."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.errors import FormatError, MissingDependencyError, UnsupportedArrayError

#: dtypes a container can hold: booleans, integers and floats, by their numpy names.
DTYPES = frozenset(
    ["bool"]
    + [f"{kind}{bits}" for kind in ("uint", "int") for bits in (8, 16, 32, 64)]
    + [f"float{bits}" for bits in (16, 32, 64)]
    + ["complex64", "complex128"]
)
_SIZES = {name: np.dtype(name).itemsize for name in DTYPES}
#: dtypes of the package ml_dtypes, by their names, with the integers of their width.
SMALL = (
    {"bfloat16": "uint16", "complex32": "uint32", "bcomplex32": "uint32"}
    | dict.fromkeys(["float4_e2m1fn", "float6_e2m3fn", "float6_e3m2fn", "float8_e3m4", "float8_e4m3"], "uint8")
    | dict.fromkeys(["float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2"], "uint8")
    | dict.fromkeys(["float8_e5m2fnuz", "float8_e8m0fnu", "uint1", "uint2", "uint4"], "uint8")
    | dict.fromkeys(["int1", "int2", "int4"], "int8")
)
#: What NumPy calls a moment or a span of time, and bytes that it knows no dtype for.
_TIME, _VOID = re.compile(r"(datetime|timedelta)64(\[\d*[A-Za-z]{1,2}\])?"), re.compile(r"V[1248]")


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
    """C-contiguous, native-endian view or copy of `array`; dimensions and values are kept.

    NumPy takes any byte but 0 for true, and views and foreign libraries make such arrays. Here true is 1, so that equal arrays
    have equal bytes.
    """
    array = np.asanyarray(array)
    ArraySpec.of(array)
    native = array.dtype.newbyteorder("=")
    plain = np.asarray(array, dtype=native, order="C").view(np.ndarray)
    if plain.dtype.kind == "b" and plain.view(np.uint8).max(initial=0) > 1:
        return np.asarray(plain.view(np.uint8) != 0)
    return plain


# --- logical dtypes, which are stored as integers of their width, with their name beside them ----


def logical_name(dtype: np.dtype[Any]) -> str | None:
    """What `logical` calls a dtype that is stored as integers; None for one that is stored as it is, or not at all.

    These are bfloat16, float8 and whatever else ml_dtypes has, datetime64, timedelta64, and bytes of no known dtype
    (``"V2"``), which is what NumPy makes of a bfloat16 in a .npy file.
    """
    if dtype.name in SMALL and dtype.type.__module__ == "ml_dtypes":
        return dtype.name
    if dtype.kind in "mM":
        return dtype.newbyteorder("=").name
    return (
        f"V{dtype.itemsize}" if dtype.type is np.void and not dtype.fields and dtype.itemsize in (1, 2, 4, 8) else None
    )


def stored_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype that arrays of `dtype` are stored as: integers of its width for a logical one, else the same."""
    name = logical_name(dtype)
    if name is None:
        return dtype
    return np.dtype(_integers(name)).newbyteorder(dtype.byteorder if dtype.kind in "mM" else "=")


def stored(array: NDArray[Any]) -> NDArray[Any]:
    """An array of a logical dtype as the integers that are stored for it, a view; any other as it is."""
    dtype = stored_dtype(array.dtype)
    return array if dtype is array.dtype else array.view(dtype)


def logical(array: NDArray[Any], name: Any) -> NDArray[Any]:
    """Stored integers as the dtype that `logical_name` named, a view: the inverse of `stored`.

    Parameters
    ----------
    array
        Decoded values.
    name
        ``attrs["dtype"]`` of the entry. It comes from a file: an array that such a name is not for stays as it is.

    Raises
    ------
    MissingDependencyError
        If that dtype takes ml_dtypes, which is not installed.
    """
    if not isinstance(name, str) or array.dtype.name != _integers(name):
        return array
    return array.astype(array.dtype.newbyteorder("="), copy=False).view(_numpy(name))


def called(dtype: str, name: Any) -> str:
    """What to call the values of an entry: its logical dtype, if it has one, else the one that is stored."""
    return name if isinstance(name, str) and _integers(name) == dtype else dtype


def numpys(array: NDArray[Any], name: Any) -> NDArray[Any]:
    """An array, stored or logical, as NumPy has it without ml_dtypes: times as times, bfloat16 as two bytes (``V2``).

    That is what .npy files have; nothing needs to be installed for it.
    """
    if logical_name(array.dtype) is not None:
        name, array = logical_name(array.dtype), stored(array)
    return logical(array, f"V{array.dtype.itemsize}" if name in SMALL and array.dtype.name == SMALL[name] else name)


def logical_dtype(dtype: np.dtype[Any], name: Any) -> np.dtype[Any]:
    """The dtype that `logical` gives an array of `dtype`; raises as it does."""
    return np.dtype(logical(np.empty(0, dtype), name).dtype)


def tensor(value: Any) -> tuple[NDArray[Any], str] | None:
    """The stored integers and the logical dtype of a tensor of torch that NumPy has no dtype for; None for anything else."""
    torch = sys.modules.get("torch")  # not imported by anybody, there are no tensors
    if torch is None or not isinstance(value, torch.Tensor):
        return None
    name = str(value.dtype).removeprefix("torch.")
    if name not in SMALL or not name.startswith(("bfloat16", "float8")):
        return None
    return value.detach().cpu().contiguous().view(getattr(torch, SMALL[name])).numpy(), name


def _integers(name: str) -> str | None:
    """Integers of the width of a logical dtype; None for what is the name of none."""
    if name in SMALL:
        return SMALL[name]
    if _TIME.fullmatch(name):
        return "int64"
    return f"uint{8 * int(name[1:])}" if _VOID.fullmatch(name) else None


def _numpy(name: str) -> np.dtype[Any]:
    if name not in SMALL:
        try:
            return np.dtype(name)
        except (TypeError, ValueError, OverflowError):  # a unit of time that there is not
            return np.dtype("int64")
    try:
        import ml_dtypes
    except ImportError as error:
        raise MissingDependencyError(
            f"an array of {name} takes ml_dtypes: pip install 'codecs-core[tensors]'; "
            f"its bits, as integers, are to be had without: codecs_core.open(path)[entry].stored[...]"
        ) from error
    dtype: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
    return dtype
