"""The tensors of a safetensors file, little-endian whatever this machine is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_DTYPES = {
    "BOOL": np.dtype("?"),
    **{f"{kind}{8 * n}": np.dtype(f"<{code}{n}") for kind, code in (("I", "i"), ("U", "u")) for n in (1, 2, 4, 8)},
    **{f"F{8 * n}": np.dtype(f"<f{n}") for n in (2, 4, 8)},
}


def read(data: bytes, start: int, header: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Read all tensors, as read-only arrays in the byte order of this machine.

    Parameters
    ----------
    data
        The file.
    start
        Where the tensors start in it.
    header
        For each tensor its ``dtype``, ``shape`` and ``data_offsets``; they lie one after the other, without gaps, to the end of the file.

    Raises
    ------
    ModelError
        If they do not, or a tensor has a dtype that no model holds, or another size than its shape says.
    """
    places = {name: _place(name, tensor) for name, tensor in header.items() if name != "__metadata__"}
    end = 0
    for name, (dtype, shape, first, last) in sorted(places.items(), key=lambda item: item[1][2:]):
        due = end + math.prod(shape) * dtype.itemsize
        if (first, last) != (end, due):
            raise ModelError(
                f"tensor {name!r} of {dtype.name} and shape {shape} lies at bytes {first} to {last}; expected {end} to {due}"
            )
        end = last
    if start + end != len(data):
        raise ModelError(f"the file must end with its last tensor, at byte {start + end}; it has {len(data)} bytes")
    return {
        name: _array(data[start + first : start + last], dtype, shape)
        for name, (dtype, shape, first, last) in places.items()
    }


def _array(data: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    array = np.frombuffer(data, dtype).astype(dtype.newbyteorder("=")).reshape(shape)
    array.flags.writeable = False
    return array


def _place(name: str, tensor: Any) -> tuple[np.dtype[Any], tuple[int, ...], int, int]:
    """The dtype of a tensor, its shape, and its first byte and the one behind its last."""
    if (
        not isinstance(tensor, dict)
        or not _are_counts(tensor.get("shape"))
        or not _are_counts(tensor.get("data_offsets"))
    ):
        raise ModelError(f"the header does not say what shape tensor {name!r} has, or where it is")
    dtype, offsets = _DTYPES.get(str(tensor.get("dtype"))), tensor["data_offsets"]
    if dtype is None:
        raise ModelError(
            f"tensor {name!r} has dtype {tensor.get('dtype')!r}; a model holds {', '.join(sorted(_DTYPES))}"
        )
    if len(offsets) != 2 or len(tensor["shape"]) > 32:
        raise ModelError(
            f"tensor {name!r} must have two offsets and at most 32 axes, got {len(offsets)} and {len(tensor['shape'])}"
        )
    return dtype, tuple(tensor["shape"]), offsets[0], offsets[1]


def _are_counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 1 << 62 for n in value)
