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


def _sums(builder: Any, rows: list[Any], weights: Any, pairs: Any, sums: list[list[Any]]) -> list[list[Any]]:
    """The loop over pairs: of each row, vectors of sums, to which the products are added."""
    multiply = builder.module.declare_intrinsic(
        "llvm.x86.avx512.pmaddw.d.512", fnty=ir.FunctionType(_INTS, [_PAIRS, _PAIRS])
    )
    before, loop, body, after = (
        builder.block,
        *(builder.append_basic_block(name) for name in ("pairs", "products", "sums")),
    )
    builder.branch(loop)
    builder.position_at_end(loop)
    k = builder.phi(_LONG)
    k.add_incoming(_LONG(0), before)
    totals = [[builder.phi(_INTS) for _ in of_row] for of_row in sums]
    builder.cbranch(builder.icmp_signed("<", k, pairs), body, after)
    builder.position_at_end(body)
    first = builder.mul(k, _LONG(2 * COLUMNS))
    columns = [
        _loaded(builder, weights, builder.add(first, _LONG(2 * _LANES * c)), _PAIRS, 2) for c in range(len(sums[0]))
    ]
    for row, of_row, starts in zip(rows, totals, sums, strict=True):
        pair = _loaded(builder, row, builder.mul(k, _LONG(2)), _INT, 2)
        factor = builder.bitcast(_all(builder, pair), _PAIRS)
        for total, start, column in zip(of_row, starts, columns, strict=True):
            total.add_incoming(start, before)
            total.add_incoming(builder.add(total, builder.call(multiply, [factor, column])), body)
    k.add_incoming(builder.add(k, _LONG(1)), body)
    builder.branch(loop)
    builder.position_at_end(after)
    return totals


class _Emitter:
    """Writes the instructions of a tile.

    Parameters
    ----------
    builder
        LLVM's.
    buffer, constants
        Where the numbers of layers, and the scales of the outputs, begin.
    steps
        Of inputs, what is added and outputs: the place of the first row, and the distance of rows.
    """

    def __init__(self, builder: Any, buffer: Any, constants: Any, steps: list[tuple[Any, Any]]) -> None:
        self.builder, self.buffer, self.steps = builder, buffer, steps
        columns = range(0, COLUMNS, _LANES)
        self.bias, self.shift, self.low, self.high, self.more = (
            [_loaded(builder, constants, _LONG(COLUMNS * i + c), _INTS, 4) for c in columns] for i in range(5)
        )

    def row(self, of: int, number: int) -> Any:
        """Where a row of inputs, of what is added, or of outputs begins."""
        start, stride = self.steps[of]
        return self.builder.gep(self.buffer, [self.builder.add(start, self.builder.mul(stride, _LONG(number)))])

    def rows(self, by: Any = None) -> list[Any]:
        """Where the rows of inputs begin, or what is `by` numbers after them."""
        found = [self.row(0, number) for number in range(ROWS)]
        return found if by is None else [self.builder.gep(place, [by]) for place in found]

    def loaded(self, of: int, number: int, column: int, by: Any) -> Any:
        """Sixteen numbers of a row, in 32 bits."""
        place = self.builder.gep(self.row(of, number), [by])
        return self.builder.sext(_loaded(self.builder, place, _LONG(column), _SHORTS, 2), _INTS)

    def stored(self, value: Any, number: int, column: int, by: Any) -> None:
        """Write the lower 16 bits of sixteen outputs of a row."""
        place = self.builder.gep(self.row(2, number), [by])
        kept = self.builder.store(
            self.builder.trunc(value, _SHORTS), _moved(self.builder, place, _LONG(column), _SHORTS)
        )
        kept.align = 2

    def bounded(self, value: Any, i: int) -> Any:
        """Not lower than low, not higher than high."""
        value = self.builder.select(self.builder.icmp_signed("<", value, self.low[i]), self.low[i], value)
        return self.builder.select(self.builder.icmp_signed(">", value, self.high[i]), self.high[i], value)

    def spread(self, number: Any) -> Any:
        """A number of 64 bits in all lanes of 32."""
        return _all(self.builder, self.builder.trunc(number, _INT))


def _places(builder: Any, arguments: Any) -> list[tuple[Any, Any]]:
    return [(builder.extract_value(two, 0), builder.extract_value(two, 1)) for two in arguments]


def _tile(
    typing: Any, x: Any, at: Any, weights: Any, first: Any, pairs: Any, scales: Any, scale: Any, skip: Any, out: Any
) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = [context.make_array(signature.args[i])(context, builder, arguments[i]).data for i in (0, 2, 5)]
        _, at, _, first, pairs, _, scale, skip, out = arguments
        of = _Emitter(builder, data[0], builder.gep(data[2], [scale]), _places(builder, (at, skip, out)))
        sums = _sums(builder, of.rows(), builder.gep(data[1], [first]), pairs, [of.bias] * ROWS)
        for r, of_row in enumerate(sums):
            for i, total in enumerate(of_row):
                added = of.loaded(1, r, _LANES * i, _LONG(0))
                value = of.bounded(builder.add(builder.ashr(total, of.shift[i]), added), i)
                of.stored(value, r, _LANES * i, _LONG(0))
        return context.get_dummy_value()

    two = types.UniTuple(types.int64, 2)  # type: ignore[no-untyped-call]
    number = types.int64
    return types.void(x, two, weights, number, number, scales, number, two, two), emit


def _halves(
    typing: Any,
    x: Any,
    at: Any,
    weights: Any,
    first: Any,
    pairs: Any,
    scales: Any,
    scale: Any,
    skip: Any,
    out: Any,
    cuts: Any,
) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = [context.make_array(signature.args[i])(context, builder, arguments[i]).data for i in (0, 2, 5)]
        _, at, _, first, pairs, _, scale, skip, out, cuts = arguments
        apart, *bits = (builder.extract_value(cuts, i) for i in range(4))
        of = _Emitter(builder, data[0], builder.gep(data[2], [scale]), _places(builder, (at, skip, out)))
        below, added_below, out_below = (of.spread(number) for number in bits)
        masks = [
            builder.sub(builder.shl(of.spread(_LONG(1)), number), of.spread(_LONG(1)))
            for number in (added_below, out_below)
        ]
        weights, one = builder.gep(data[1], [first]), _LONG(0)
        lower = builder.select(builder.icmp_signed(">", bits[0], one), pairs, one)
        sums = _sums(builder, of.rows(apart), weights, lower, [of.bias] * ROWS)
        starts = [
            [builder.add(builder.ashr(total, below), more) for total, more in zip(of_row, of.more, strict=True)]
            for of_row in sums
        ]
        for r, of_row in enumerate(_sums(builder, of.rows(), weights, pairs, starts)):
            for i, total in enumerate(of_row):
                added = builder.shl(of.loaded(1, r, _LANES * i, _LONG(0)), added_below)
                rest = builder.and_(of.loaded(1, r, _LANES * i, apart), masks[0])
                value = builder.add(builder.ashr(total, of.shift[i]), builder.add(added, rest))
                value = of.bounded(value, i)
                of.stored(builder.ashr(value, out_below), r, _LANES * i, _LONG(0))
                of.stored(builder.and_(value, masks[1]), r, _LANES * i, apart)
        return context.get_dummy_value()

    two, four = (types.UniTuple(types.int64, n) for n in (2, 4))  # type: ignore[no-untyped-call]
    number = types.int64
    return types.void(x, two, weights, number, number, scales, number, two, two, four), emit


#: ``tile(buffer, x, weights, first, pairs, scales, scale, skip, out)`` evaluates a layer for `ROWS` rows and `COLUMNS` outputs:
#: clamp(floor((W x + bias) / 2^shift) + skip, low, high). `buffer` (int16, flat) holds inputs, what is added and outputs; `x`, `skip`
#: and `out` are (place of the first row, distance of rows). From `first` on, `weights` (int16, flat) has of each of `pairs` pairs of
#: inputs those of the outputs, two by two; from `scale` on, `scales` (int32, flat) has their bias, shift, low, high, and zeros.
tile: Any = intrinsic(_tile)
#: The same for numbers of more bits, which are cut in two: ``halves(..., out, (apart, x_bits, skip_bits, out_bits))``. The lower bits
#: of a number, as many as these say, are `apart` places behind the others. They are multiplied first: floor((W x + b) / 2^shift) is
#: floor((W high(x) + high(b) + floor((W low(x) + low(b)) / 2^bits)) / 2^(shift - bits)). `scales` has low(b), shift - bits, low, high,
#: high(b).
halves: Any = intrinsic(_halves)


def packed(weight: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Weights of shape (outputs, inputs) as `tile` takes them: shape (ceil(outputs / COLUMNS), ceil(inputs / 2), COLUMNS, 2)."""
    outputs, inputs = weight.shape
    padded = np.zeros((-(-outputs // COLUMNS) * COLUMNS, inputs + inputs % 2), np.int16)
    padded[:outputs, :inputs] = weight
    panels = padded.reshape(-1, COLUMNS, padded.shape[1] // 2, 2)
    return np.ascontiguousarray(panels.transpose(0, 2, 1, 3))
