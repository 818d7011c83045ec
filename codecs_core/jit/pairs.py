"""Matrix products of 16-bit integers, for processors that add the products of pairs of them in one instruction (AVX-512 VNNI).

Sums are integers of 32 bits, so their order cannot matter: `tile` computes what any other exact product does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from codecs_core.jit.compile import PLAIN

#: Rows and columns of a tile: its sums take 24 of 32 registers.
ROWS, COLUMNS = 12, 32
#: Columns of a vector.
_LANES = 16
_SHORT, _INT, _LONG = ir.IntType(16), ir.IntType(32), ir.IntType(64)
_SHORTS, _INTS = ir.VectorType(_SHORT, _LANES), ir.VectorType(_INT, _LANES)
_PAIRS = ir.VectorType(_SHORT, 2 * _LANES)
_NEEDED = {"+avx512f", "+avx512bw", "+avx512vnni"}


def supported() -> bool:
    """Whether kernels are compiled here for a processor that has what `tile` takes."""
    # what numba compiles for, which an environment variable may set, not what the processor has
    features: Any = cpu_target.target_context.codegen()._tm_features
    return not PLAIN and set(str(features).split(",")) >= _NEEDED


def _moved(builder: Any, place: Any, by: Any, of: Any) -> Any:
    """The vector or number of the type `of` at some elements from a place on."""
    return builder.bitcast(builder.gep(place, [by]), of.as_pointer())


def _loaded(builder: Any, place: Any, by: Any, of: Any, aligned: int) -> Any:
    value = builder.load(_moved(builder, place, by, of))
    value.align = aligned
    return value


def _all(builder: Any, value: Any) -> Any:
    """A number in all lanes."""
    vector = builder.insert_element(ir.Constant(_INTS, ir.Undefined), value, _INT(0))
    return builder.shuffle_vector(vector, vector, ir.Constant(_INTS, [0] * _LANES))


def _sums(builder: Any, rows: list[Any], weights: Any, pairs: Any, biases: list[Any]) -> list[list[Any]]:
    """The loop over pairs: of each row, vectors of sums, which begin with the biases."""
    multiply = builder.module.declare_intrinsic(
        "llvm.x86.avx512.pmaddw.d.512", fnty=ir.FunctionType(_INTS, [_PAIRS, _PAIRS])
    )
    before, loop, after = builder.block, builder.append_basic_block("pairs"), builder.append_basic_block("sums")
    builder.branch(loop)
    builder.position_at_end(loop)
    k = builder.phi(_LONG)
    k.add_incoming(_LONG(0), before)
    sums = [[builder.phi(_INTS) for _ in biases] for _ in rows]
    first = builder.mul(k, _LONG(2 * COLUMNS))
    columns = [
        _loaded(builder, weights, builder.add(first, _LONG(2 * _LANES * c)), _PAIRS, 2) for c in range(len(biases))
    ]
    for row, of_row in zip(rows, sums, strict=True):
        pair = _loaded(builder, row, builder.mul(k, _LONG(2)), _INT, 2)
        factor = builder.bitcast(_all(builder, pair), _PAIRS)
        for total, bias, column in zip(of_row, biases, columns, strict=True):
            total.add_incoming(bias, before)
            total.add_incoming(builder.add(total, builder.call(multiply, [factor, column])), loop)
    following = builder.add(k, _LONG(1))
    k.add_incoming(following, loop)
    builder.cbranch(builder.icmp_signed("<", following, pairs), loop, after)
    builder.position_at_end(after)
    return [[total.incomings[1][0] for total in of_row] for of_row in sums]


def _tile(
    typing: Any, x: Any, at: Any, weights: Any, first: Any, pairs: Any, scales: Any, scale: Any, skip: Any, out: Any
) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def data(argument: int, kind: int) -> Any:
            return context.make_array(signature.args[kind])(context, builder, arguments[argument]).data

        def places(two: Any) -> tuple[Any, Any]:
            return builder.extract_value(two, 0), builder.extract_value(two, 1)

        _, at, _, first, pairs, _, scale, skip, out = arguments
        buffer, constants = data(0, 0), builder.gep(data(5, 5), [scale])
        steps = [places(two) for two in (at, skip, out)]

        def row(of: int, number: int) -> Any:
            start, stride = steps[of]
            return builder.gep(buffer, [builder.add(start, builder.mul(stride, _LONG(number)))])

        vectors = range(0, COLUMNS, _LANES)
        bias, shift, low, high = (
            [_loaded(builder, constants, _LONG(COLUMNS * i + c), _INTS, 4) for c in vectors] for i in range(4)
        )
        rows = [row(0, r) for r in range(ROWS)]
        sums = _sums(builder, rows, builder.gep(data(2, 2), [first]), pairs, bias)
        for r, of_row in enumerate(sums):
            for i, c in enumerate(vectors):
                added = builder.sext(_loaded(builder, row(1, r), _LONG(c), _SHORTS, 2), _INTS)
                value = builder.add(builder.ashr(of_row[i], shift[i]), added)
                value = builder.select(builder.icmp_signed("<", value, low[i]), low[i], value)
                value = builder.select(builder.icmp_signed(">", value, high[i]), high[i], value)
                stored = builder.store(builder.trunc(value, _SHORTS), _moved(builder, row(2, r), _LONG(c), _SHORTS))
                stored.align = 2
        return context.get_dummy_value()

    two = types.UniTuple(types.int64, 2)  # type: ignore[no-untyped-call]
    number = types.int64
    return types.void(x, two, weights, number, number, scales, number, two, two), emit


#: ``tile(buffer, x, weights, first, pairs, scales, scale, skip, out)`` evaluates a layer for `ROWS` rows and `COLUMNS` outputs:
#: clamp(floor((W x + bias) / 2^shift) + skip, low, high). `buffer` (int16, flat) holds inputs, what is added and outputs; `x`, `skip`
#: and `out` are (place of the first row, distance of rows). From `first` on, `weights` (int16, flat) has of each of `pairs` pairs of
#: inputs those of the outputs, two by two; from `scale` on, `scales` (int32, flat) has their bias, shift, low and high.
tile: Any = intrinsic(_tile)


def packed(weight: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Weights of shape (outputs, inputs) as `tile` takes them: shape (ceil(outputs / COLUMNS), ceil(inputs / 2), COLUMNS, 2)."""
    outputs, inputs = weight.shape
    padded = np.zeros((-(-outputs // COLUMNS) * COLUMNS, inputs + inputs % 2), np.int16)
    padded[:outputs, :inputs] = weight
    panels = padded.reshape(-1, COLUMNS, padded.shape[1] // 2, 2)
    return np.ascontiguousarray(panels.transpose(0, 2, 1, 3))
