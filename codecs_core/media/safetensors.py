"""safetensors files: each tensor an entry, by its name.

The format is 8 bytes with the length of a header, little endian; the header, JSON; and the tensors, without gaps.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from codecs_core.arrays import SMALL
from codecs_core.errors import InexactError, InputError
from codecs_core.media import span, template

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from codecs_core.media.source import Part, Source

#: dtypes by their names in such files. Values of less than a byte are not among them.
_DTYPES = {
    "BOOL": "bool",
    **{f"{kind}{bits}": f"{name}{bits}" for kind, name in (("U", "uint"), ("I", "int")) for bits in (8, 16, 32, 64)},
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
    "C64": "complex64",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
}


def read(path: Path) -> list[Source]:
    """The tensors of a file, in the order in which they lie there.

    Raises
    ------
    InexactError
        If it has no tensor, or one of a dtype that no entry has.
    InputError
        If it is damaged.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > template.LARGEST:
                raise InexactError(f"{path} has a header of {length} bytes, and {template.LARGEST} can be kept")
            text = file.read(length)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    tensors = _header(path, text)
    spans = [_span(path, name, tensor, 8 + length) for name, tensor in tensors.items() if name != "__metadata__"]
    spans.sort(key=lambda one: (one.offset, one.nbytes))
    end = 8 + length
    for one in spans:
        if one.offset != end:
            raise InputError(f"{path}: tensor {one.member!r} begins at byte {one.offset}, and it should at {end}")
        end += one.nbytes
    if end != path.stat().st_size:
        raise InputError(f"{path} has {path.stat().st_size} bytes where its header says {end}")
    found = span.sources(path, "safetensors", spans)
    for source in found:
        if source.spec.dtype == "bool" and (source.read().view(np.uint8) > 1).any():
            raise InexactError(f"{path}: tensor {source.name!r} has booleans that are neither 0 nor 1")
    return found


def write(path: Path, parts: Sequence[Part]) -> None:
    """Write the file that tensors came from, identical to the byte."""
    span.write(path, parts)


def _header(path: Path, text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} has no header of a safetensors file that can be read: {error}") from error
    if not isinstance(header, dict) or not all(isinstance(tensor, dict) for tensor in header.values()):
        raise InputError(f"{path} has a header that is no table of tensors")
    return header


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _span(path: Path, name: str, tensor: dict[str, Any], start: int) -> span.Span:
    shape, places = tensor.get("shape"), tensor.get("data_offsets")
    if not _are_counts(shape) or not _are_counts(places) or len(places) != 2 or len(shape) > 32:
        raise InputError(f"{path}: tensor {name!r} has no shape, or no place in the file")
    if not name or not name.isprintable():
        raise InexactError(f"{path} has a tensor called {name!r}, which no entry can be")
    dtype = _DTYPES.get(str(tensor.get("dtype")))
    if dtype is None:
        raise InexactError(f"{path}: tensor {name!r} is of dtype {tensor.get('dtype')!r}, which no entry has")
    plain = np.dtype(SMALL.get(dtype, dtype)).newbyteorder("<")
    if places[1] - places[0] != math.prod(shape) * plain.itemsize:
        raise InputError(f"{path}: tensor {name!r} of {dtype} and shape {shape} does not take bytes {places}")
    attrs = {"dtype": dtype} if dtype in SMALL else {}
    return span.Span(offset=start + places[0], dtype=plain, shape=tuple(shape), member=name, attrs=attrs)


def _are_counts(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 1 << 62 for n in value)
