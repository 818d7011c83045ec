"""Vectors of eight and of sixteen floats, binary32 or binary64, for compiled kernels.

Every operation is rounded lane by lane, in the order that is written. ``+ - * /`` work between vectors, and between a vector and a
float of its kind; there is no ``+=``, which numpy does in place. A compiler keeps a vector in as many registers as the machine at hand
needs; what is computed is the same on all. Without a compiler (``NUMBA_DISABLE_JIT=1``) a vector is an array of numpy, with the same
results. Loads and stores are not checked: the caller makes sure that the array is long enough.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, models, register_model

from codecs_core.jit.compile import PLAIN

_INT = ir.IntType(32)
#: The kinds of float, as LLVM has them.
_FLOATS = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}


class Lanes(types.Type):
    """Numba's type of a vector of floats of one kind."""

    def __init__(self, count: int, of: Any) -> None:
        self.count, self.of = count, of
        super().__init__(name=f"Lanes({count}, {of})")

    @property
    def emitted(self) -> Any:
        """The type of LLVM."""
        return ir.VectorType(_FLOATS[self.of], self.count)


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Lanes) -> None:
        super().__init__(dmm, fe_type, fe_type.emitted)  # type: ignore[no-untyped-call]


def _address(context: Any, builder: Any, kind: Any, array: Any, at: Any, lanes: Lanes) -> Any:
    place = builder.gep(context.make_array(kind)(context, builder, array).data, [at])
    return builder.bitcast(place, lanes.emitted.as_pointer())


def _is_flat(array: Any) -> bool:
    return isinstance(array, types.Array) and array.dtype in _FLOATS and array.ndim == 1 and array.layout == "C"


def _load(count: int) -> Any:
    def load(typing: Any, array: Any, at: Any) -> Any:
        if not _is_flat(array) or not isinstance(at, types.Integer):
            return None

        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array, at = arguments
            value = builder.load(_address(context, builder, signature.args[0], array, at, lanes))
            value.align = lanes.of.bitwidth // 8
            return value

        lanes = Lanes(count, array.dtype)
        return lanes(array, types.int64), emit

    return load


def _store(typing: Any, array: Any, at: Any, lanes: Any) -> Any:
    if not _is_flat(array) or not isinstance(at, types.Integer) or not isinstance(lanes, Lanes):
        return None
    if array.dtype != lanes.of:
        return None

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, at, value = arguments
        place = _address(context, builder, signature.args[0], array, at, lanes)
        builder.store(value, place).align = lanes.of.bitwidth // 8
        return context.get_dummy_value()

    return types.void(array, types.int64, lanes), emit


def _spread(builder: Any, kind: Any, value: Any, lanes: Lanes) -> Any:
    """A number in all lanes; a vector is one already."""
    if isinstance(kind, Lanes):
        return value
    vector = builder.insert_element(ir.Constant(lanes.emitted, ir.Undefined), value, _INT(0))
    return builder.shuffle_vector(vector, vector, ir.Constant(ir.VectorType(_INT, lanes.count), [0] * lanes.count))


def _alike(*kinds: Any) -> Any:
    """The type of the vectors among some types, all of one, where the others are floats of its kind; else None."""
    vectors = {kind for kind in kinds if isinstance(kind, Lanes)}
    if len(vectors) != 1:
        return None
    lanes = vectors.pop()
    return lanes if all(kind in (lanes, lanes.of) for kind in kinds) else None


def _lanewise(emit_lanes: Callable[..., Any]) -> Any:
    """What defines an intrinsic of vectors, and floats beside them, by a function of the builder and all of them as vectors."""
    count = len(inspect.signature(emit_lanes).parameters) - 1

    def apply(typing: Any, kinds: Any) -> Any:
        lanes = _alike(*kinds)

        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return emit_lanes(builder, *(_spread(builder, k, v, lanes) for k, v in zip(kinds, arguments, strict=True)))

        return None if lanes is None else (lanes(*kinds), emit)

    shapes: dict[int, Callable[..., Any]] = {
        1: lambda typing, a: apply(typing, (a,)),
        2: lambda typing, a, b: apply(typing, (a, b)),
        3: lambda typing, a, b, c: apply(typing, (a, b, c)),
    }
    return shapes[count]


def _called(name: str, builder: Any, *values: Any) -> Any:
    """A function of LLVM's that works lane by lane, and is exact."""
    kind = values[0].type
    function = builder.module.declare_intrinsic(
        f"llvm.{name}.v{kind.count}{'f32' if kind.element == ir.FloatType() else 'f64'}",
        fnty=ir.FunctionType(kind, [kind] * len(values)),
    )
    return builder.call(function, values)


def _chosen(comparison: str) -> Callable[..., Any]:
    """Of each pair of lanes the first, where the comparison holds; the second where it does not, or one of them is no number."""
    return lambda builder, a, b: builder.select(builder.fcmp_ordered(comparison, a, b), a, b)


_least, _most = _chosen("<"), _chosen(">")


def _emit_cleared(builder: Any, a: Any, least: Any) -> Any:
    kept = builder.fcmp_ordered(">", _called("fabs", builder, a), least)
    return builder.select(kept, a, ir.Constant(a.type, [0.0] * a.type.count))


def _folded(typing: Any, lanes: Any) -> Any:
    if not isinstance(lanes, Lanes):
        return None

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (value,) = arguments
        half = lanes.count // 2
        while half:
            low, high = (
                ir.Constant(ir.VectorType(_INT, half), [first + i for i in range(half)]) for first in (0, half)
            )
            value = builder.fadd(*(builder.shuffle_vector(value, value, part) for part in (low, high)))
            half //= 2
        return builder.extract_element(value, _INT(0))

    return lanes.of(lanes), emit


def _operator(of: Any, name: str) -> None:
    """Let an operator work between vectors, and between a vector and a float."""

    @infer_global(of)  # type: ignore[no-untyped-call]
    class _Typed(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            lanes = _alike(*args)
            return None if lanes is None else signature(lanes, *args)  # type: ignore[no-untyped-call]

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        spread = (_spread(builder, k, v, signature.return_type) for k, v in zip(signature.args, arguments, strict=True))
        return getattr(builder, name)(*spread)

    for kinds in ((Lanes, Lanes), (Lanes, types.Float), (types.Float, Lanes)):
        lower_builtin(of, *kinds)(emit)  # type: ignore[no-untyped-call]


for _of, _name in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul"), (operator.truediv, "fdiv")):
    _operator(_of, _name)


def _emitted(definition: Callable[..., Any]) -> Callable[[Callable[..., Any]], Any]:
    """For a function in Python the instructions that take its place where kernels are compiled, under its name."""

    def emitted(function: Callable[..., Any]) -> Any:
        if PLAIN:
            return function
        definition.__name__ = definition.__qualname__ = function.__name__
        return intrinsic(definition)

    return emitted


@_emitted(_load(8))
def load8(array: Any, at: Any) -> Any:
    """The eight values of a contiguous array of floats from one on."""
    return array[at : at + 8].copy()


@_emitted(_load(16))
def load16(array: Any, at: Any) -> Any:
    """The sixteen values of a contiguous array of floats from one on."""
    return array[at : at + 16].copy()


@_emitted(_store)
def store(array: Any, at: Any, lanes: Any) -> None:
    """Write a vector into a contiguous array of its floats."""
    array[at : at + len(lanes)] = lanes


@_emitted(_lanewise(lambda builder, a, low, high: _least(builder, _most(builder, a, low), high)))
def clamped(lanes: Any, low: Any, high: Any) -> Any:
    """The nearest number from `low` to `high`; `low` for what is no number."""
    return np.where(lanes > low, np.where(lanes < high, lanes, high), low)


@_emitted(_lanewise(_emit_cleared))
def cleared(lanes: Any, least: Any) -> Any:
    """Zero for what is no more than `least` in magnitude, or no number."""
    return np.where(np.abs(lanes) > least, lanes, lanes.dtype.type(0))


@_emitted(_lanewise(lambda builder, a: _called("floor", builder, a)))
def floored(lanes: Any) -> Any:
    """The largest integers that are no larger."""
    return np.floor(lanes)


@_emitted(_lanewise(lambda builder, a: _called("fabs", builder, a)))
def magnitude(lanes: Any) -> Any:
    """Without the sign."""
    return np.abs(lanes)


@_emitted(_lanewise(lambda builder, a, signs: _called("copysign", builder, a, signs)))
def signed(lanes: Any, signs: Any) -> Any:
    """With the signs of another vector."""
    return np.copysign(lanes, signs)


@_emitted(_folded)
def folded(lanes: Any) -> Any:
    """The sum of all lanes: the upper half is added to the lower one, until one is left."""
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = lanes[:half] + lanes[half:]
    return lanes[0]


__all__ = ["Lanes", "clamped", "cleared", "floored", "folded", "load8", "load16", "magnitude", "signed", "store"]


def __dir__() -> list[str]:
    return __all__
