"""The tensors of a model file: one of packed integers, and the probes of the networks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar.stack.packing import ROWS, Packer, Unpacker
from codecs_ar.stack.view import HIGH, LOW
from codecs_core.errors import CodecsError, ModelError
from codecs_core.exact import FIELDS

#: The most taps, curves and layers of a plane.
TAPS, CURVES, LAYERS = 512, 16, 64
#: The most weights of a model: few bytes can say many of them.
WEIGHTS = 1 << 23


def packed(planes: int, tensors: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Put the tensors of these planes into few bytes: ``planeI.taps``, ``planeI.curves`` and ``planeI.counting``, if any, and networks."""
    packer = Packer()
    for name in (f"plane{i}" for i in range(planes)):
        taps, curves = tensors[f"{name}.taps"], tensors.get(f"{name}.curves")
        layers = sum(key.startswith(f"{name}.") and key.endswith(".weight") for key in tensors)
        packer.numbers(np.array([len(taps), *(() if curves is None else curves.shape), layers]))
        for table in (taps.T,) if curves is None else (taps.T, curves, tensors[f"{name}.counting"]):
            packer.numbers(table.reshape(-1))
        for layer in (f"{name}.{i}" for i in range(layers)):
            weight, skip = tensors[f"{layer}.weight"], tensors.get(f"{layer}.skip", np.zeros(1, int))
            packer.numbers(np.array([*weight.shape, skip[0]]))
            packer.matrix(weight)
            for field in FIELDS[1:]:
                packer.numbers(tensors[f"{layer}.{field}"])
    probes = np.stack([tensors[f"plane{i}.probe"] for i in range(planes)])
    return {"packed": packer.packed(), "probes": probes}


def unpacked(planes: int, tensors: Mapping[str, NDArray[Any]], *, curves: bool = True) -> dict[str, NDArray[Any]]:
    """Inverse of `packed`, with or without curves and counting; raises `ModelError` for what it has not made."""
    stored, probes = tensors.get("packed"), tensors.get("probes")
    if stored is None or stored.dtype != np.uint8 or stored.ndim != 1:
        raise ModelError("a model of ar.stack lacks the tensor 'packed', uint8 of one axis")
    if probes is None or probes.dtype != np.uint8 or probes.shape != (planes, 16):
        raise ModelError(f"a model of ar.stack lacks the tensor 'probes', uint8 of shape ({planes}, 16)")
    try:
        return _unpacked(probes, Unpacker(stored), curves)
    except ModelError:
        raise
    except (CodecsError, ArithmeticError, ValueError) as error:
        raise ModelError(f"the packed integers of a model of ar.stack cannot be read: {error}") from error


def _unpacked(probes: NDArray[np.uint8], unpacker: Unpacker, with_curves: bool) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {}
    weights = 0
    for plane, probe in enumerate(probes):
        name = f"plane{plane}"
        more = ((1, CURVES), (256, 511)) if with_curves else ()
        taps, *curves, layers = _sizes(unpacker, (0, TAPS), *more, (1, LAYERS))
        found[f"{name}.taps"] = _narrow(unpacker.numbers(3 * taps), np.int8).reshape(3, taps).T
        if with_curves:
            found[f"{name}.curves"] = _narrow(unpacker.numbers(math.prod(curves)), np.int16).reshape(curves)
            found[f"{name}.counting"] = _narrow(unpacker.numbers(256), np.int16)
        for layer in (f"{name}.{i}" for i in range(layers)):
            rows, columns, skip = _sizes(unpacker, (1, ROWS), (1, ROWS), (0, LAYERS))
            weights += rows * columns
            if weights > WEIGHTS:
                raise ModelError(f"a model of ar.stack has more than {WEIGHTS} weights; the file is damaged")
            found[f"{layer}.weight"] = unpacker.matrix(rows, columns)
            found |= {f"{layer}.{field}": unpacker.numbers(rows) for field in FIELDS[1:]}
            found[f"{layer}.skip"] = np.array([skip])
        found[f"{name}.range"] = np.array([LOW, HIGH])
        found[f"{name}.probe"] = probe
    unpacker.end()
    return found


def _sizes(unpacker: Unpacker, *limits: tuple[int, int]) -> list[int]:
    sizes: list[int] = unpacker.numbers(len(limits)).tolist()
    if not all(low <= n <= high for n, (low, high) in zip(sizes, limits, strict=True)):
        raise ModelError(
            f"the packed integers of a model of ar.stack have the sizes {sizes}, beyond {limits}; the file is damaged"
        )
    return sizes


def _narrow(x: NDArray[np.int64], dtype: Any) -> NDArray[Any]:
    limits = np.iinfo(dtype)
    if x.size and not limits.min <= int(x.min()) <= int(x.max()) <= limits.max:
        raise ModelError(
            f"the packed integers of a model of ar.stack reach {x.min()} and {x.max()}; the file is damaged"
        )
    return np.ascontiguousarray(x.astype(dtype))
