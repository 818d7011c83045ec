"""NumPy's .npy, memory-mapped."""

from __future__ import annotations

import io
import math
import warnings
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
from numpy.lib import format as npy_format

from codecs_core.arrays import DTYPES, ArraySpec, logical_name, numpys, stored_dtype
from codecs_core.errors import InexactError, InputError
from codecs_core.media import template
from codecs_core.media.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from codecs_core.media.source import Part

#: What numpy counts bytes in.
_MOST = (1 << 63) - 1


def read_npy(path: Path) -> list[Source]:
    """The array of a .npy file.

    ``attrs["media"]`` has a template, the byte order and the order of axes of a file that numpy would not write like this for
    the values in C order and little endian.
    """
    try:
        with path.open("rb") as file:
            shape, fortran, dtype = read_header(file, f"{path}")
            offset = file.tell()
            beyond = path.stat().st_size - offset
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    stored = stored_dtype(dtype)
    spec = ArraySpec(shape, stored.name)
    if beyond < spec.nbytes:
        raise InputError(f"{path} is cut short: its values take {spec.nbytes} bytes, and it has {beyond}")

    def load() -> NDArray[Any]:
        try:
            if not spec.size:
                return np.empty(shape, stored)
            array: NDArray[Any] = np.memmap(path, stored, "r", offset, shape, "F" if fortran else "C")
        except (OSError, ValueError) as error:
            raise InputError(f"{path} cannot be read: {error}") from error
        return array

    if dtype.kind == "b" and (load().view(np.uint8) > 1).any():
        raise InexactError(f"{path} has booleans that are neither 0 nor 1")
    return [Source(name="", path=path, spec=spec, load=load, attrs=_attrs(path, spec, offset, fortran, dtype))]


def read_header(file: IO[bytes], where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether the first axis is the fastest, and dtype of a .npy stream, which is then at its values.

    Raises
    ------
    InputError
        If that is no header of a .npy file, or has a shape that no array has.
    InexactError
        If the array is one that no container holds.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            version = npy_format.read_magic(cast(BinaryIO, file))
            reader = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
            shape, fortran, dtype = reader(cast(BinaryIO, file))
    except OSError:
        raise
    except Exception as error:  # a header is an expression of Python: what evaluates it raises nearly anything
        raise InputError(f"{where} has no header of a .npy file that can be read: {error}") from error
    if any(type(n) is not int or not 0 <= n <= _MOST for n in shape) or _nbytes(shape, dtype) > _MOST:
        raise InputError(f"{where} has the shape {_short(shape)}, which no array has")
    if dtype.hasobject or stored_dtype(dtype).name not in DTYPES or len(shape) > 32:
        what = "Python objects" if dtype.hasobject else f"{len(shape)}-dimensional values of dtype {_short(dtype)}"
        raise InexactError(f"{where} holds {what}, which no entry of a container can be")
    return shape, bool(fortran), dtype


def _nbytes(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    """Bytes as numpy counts them before it allocates: an axis of length 0 does not make the others harmless."""
    return math.prod(max(1, n) for n in shape) * max(1, dtype.itemsize)


def _short(what: object) -> str:
    text = str(what)
    return text if len(text) <= 100 else f"{text[:100]}..."


def _attrs(path: Path, spec: ArraySpec, offset: int, fortran: bool, dtype: np.dtype[Any]) -> dict[str, Any]:
    media: dict[str, Any] = {"format": "NPY"}
    held = template.cut(path, [(offset, spec.nbytes)])
    if held != [header(spec.shape, dtype.newbyteorder("<")), b""]:
        media["template"] = held
        if dtype.byteorder == ">" or (dtype.byteorder == "=" and not dtype.newbyteorder("<").isnative):
            media["byteorder"] = ">"
        if fortran:
            media["order"] = "F"
    name = logical_name(dtype)
    return {"media": media} if name is None else {"media": media, "dtype": name}


def header(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    """What numpy writes in front of values in C order."""
    file = io.BytesIO()
    told = {"descr": npy_format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy_format.write_array_header_1_0(cast(BinaryIO, file), told)
    return file.getvalue()


def write_npy(path: Path, parts: Sequence[Part]) -> None:
    """Write the .npy file that an array came from, identical to the byte; of other arrays, as numpy does."""
    (part,) = parts
    with path.open("wb") as file:
        if "template" not in part.media:
            save_npy(file, numpys(part.array, part.attrs.get("dtype")))
            return
        order, byteorder = part.media.get("order"), part.media.get("byteorder")
        array = part.array.T if order == "F" else part.array
        template.join(file, part.media["template"], [template.raw(array, ">" if byteorder == ">" else "<")])


def save_npy(file: IO[bytes], array: NDArray[Any]) -> None:
    """One .npy file, little endian."""
    array = np.asarray(array, order="C")
    npy_format.write_array_header_1_0(cast(BinaryIO, file), npy_format.header_data_from_array_1_0(array))
    # Not `write_array`: of a full disk it tells how many values there was room for, and not that it is full.
    file.write(array.reshape(-1).view(np.uint8).data)
