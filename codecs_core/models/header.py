"""The JSON header at the front of a safetensors file, read without touching the tensors."""

from __future__ import annotations

import json
import math
from typing import Any

from codecs_core.errors import ModelError

#: The one metadata key of ours in the header; its value is canonical JSON.
KEY = "codecs"
_FIELDS = {"codec": str, "config": dict, "attrs": dict}


def canonical_json(value: object) -> str:
    """One text a value: keys sorted, no spaces, finite numbers.

    Raises
    ------
    ModelError
        If the value is not JSON-able.
    """
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
        text.encode()  # half of a surrogate pair is no text
        return text
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"config and attrs of a model must be JSON-able with finite numbers: {error}") from error


def parse(data: bytes, where: str) -> dict[str, Any]:
    """The ``{"codec", "config", "attrs"}`` that a model file says about itself.

    Parameters
    ----------
    data
        The whole file.
    where
        What to call the file in an error message.

    Raises
    ------
    ModelError
        If this is no safetensors file, is cut short, or was not written as a model of a codec.
    """
    start, header = split(data, where)
    due = start + _end_of_tensors(header, where)
    if due != len(data):
        raise ModelError(f"{where} is {len(data)} bytes where its header says {due}; it is cut short or damaged")
    metadata = header.get("__metadata__")
    text = metadata.get(KEY) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise ModelError(f"{where} is a safetensors file, but no model of a codec: its metadata has no {KEY!r}")
    about = _json(text, f"the metadata of {where}")
    if about.keys() != _FIELDS.keys() or not all(isinstance(about[k], kind) for k, kind in _FIELDS.items()):
        raise ModelError(f"the metadata of {where} is not made of a codec, a config and attrs")
    return about


def split(data: bytes, where: str) -> tuple[int, dict[str, Any]]:
    """Where the tensors of a file start, and its header: of each tensor what it is, by name, and ``__metadata__``.

    Raises
    ------
    ModelError
        If this is no safetensors file, or the header is cut short.
    """
    length = int.from_bytes(data[:8], "little")
    if len(data) < 10 or length > len(data) - 8 or data[8:9] != b"{":
        raise ModelError(f"{where} is no safetensors file, or one cut short: it is {len(data)} bytes")
    return 8 + length, _json(data[8 : 8 + length], f"the header of {where}")


def _json(raw: bytes | str, what: str) -> dict[str, Any]:
    try:
        value = json.loads(raw, object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{what} cannot be parsed: {error}") from error
    if not isinstance(value, dict):
        raise ModelError(f"{what} must be an object, got a {type(value).__name__}")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse(text)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a finite number")


def _end_of_tensors(header: dict[str, Any], where: str) -> int:
    try:
        ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
    except (TypeError, KeyError, IndexError) as error:
        raise ModelError(f"the header of {where} does not say where its tensors are") from error
    for end in ends:
        if type(end) is not int or end < 0:
            raise ModelError(f"the header of {where} has a tensor that ends at {end!r}; expected a number of bytes")
    return max(ends, default=0)
