"""An array as a payload: its one value, or a map to integers and what they are coded as."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array import around, few, maps, quick, repetition, stream
from codecs_ar.array.choosing import Level, Plan, choose
from codecs_ar.array.layout import Layout
from codecs_ar.array.payload import Reader, Writer
from codecs_ar.array.steps import Steps
from codecs_core import ArraySpec, restore, store, stored_size
from codecs_core.errors import CorruptDataError

#: What the first byte of a payload says: the bytes of the one value that occurs follow; or a map and a stream, of payload version 1, of the
#: fast level, or of the others; or steps around predictions; or runs of equal values; or bytes by LZMA; or a map and a stream that begins
#: with a profile; or arrays without the axes along which values stay the same; or a map and a stream of the level smallest; or one value
#: with a few others among them.
CONSTANT, OLD, QUICK, NEAR, CODED, RUNS, BYTES, PROFILED, STILL, THOROUGH, FEW = range(11)
DECODERS: dict[int, Callable[..., NDArray[np.int64]]] = {
    OLD: partial(stream.decode, version=1),
    QUICK: quick.decode,
    CODED: stream.decode,
    THOROUGH: partial(stream.decode, thorough=True),
}
FAST, STANDARD, SMALLEST = "fast", "standard", "smallest"
LEVELS = {
    FAST: Level(QUICK, quick.encode, quick.measure, brief=True),
    STANDARD: Level(CODED, stream.encode, stream.measure),
    SMALLEST: Level(THOROUGH, partial(stream.encode, thorough=True), stream.measure, thorough=True),
}


#: The tensors of a model.
Tensors = Mapping[str, NDArray[Any]]


def encode(
    array: NDArray[Any], effort: str = STANDARD, chosen: maps.Map | None = None, start: Tensors | None = None
) -> bytes:
    """A payload of an array that is not empty; of real numbers, by a map that is given; its stream begins with a profile."""
    first = array.reshape(-1)[:1]
    if array.tobytes() == first.tobytes() * array.size:
        return min([bytes([CONSTANT]) + store(first), *_few(array)], key=len)
    if left := repetition.still(array):
        return _still(left, effort)
    numbers = reals(array)
    payload = encode_plan(numbers, plan(numbers, effort, chosen), effort, start)
    return payload if chosen else min([payload, *_repeating(array, len(payload), effort)], key=len)


def _still(left: list[tuple[int, NDArray[Any]]], effort: str) -> bytes:
    """A payload of what is left without some axes, of the array or of each of its items."""
    writer = Writer()
    writer.natural(STILL)
    writer.natural(len(left) > 1)
    for axes, part in left:
        writer.natural(axes)
        writer.part(pack(np.ascontiguousarray(part), effort))
    return writer.to_bytes()


def _repeating(array: NDArray[Any], length: int, effort: str) -> list[bytes]:
    """Other payloads of an array that may be shorter than `length`: by runs, and by LZMA."""
    found = _few(array)
    if both := repetition.runs(array):
        writer = Writer()
        writer.natural(RUNS)
        writer.natural(both[0].size)
        for part in both:
            writer.part(pack(part, effort))
        found.append(writer.to_bytes())
        length = min(length, len(found[0]))
    brief = LEVELS[effort].brief
    if repetition.is_promising(array, length / array.nbytes, brief=brief):
        found.append(bytes([BYTES]) + repetition.compressed(array, brief=brief))
    return found


def _few(array: NDArray[Any]) -> list[bytes]:
    """A payload of one value with a few others, if that is what an array is."""
    numbers = few.encode(reals(array))
    return [bytes([FEW]) + numbers] if numbers is not None else []


def plan(array: NDArray[Any], effort: str, chosen: maps.Map | None = None) -> Plan:
    """How real numbers, in an array without axes of length 1, will be coded; by a map that is given."""
    return choose(array, LEVELS[effort], [chosen] if chosen else maps.candidates(array, brief=LEVELS[effort].brief))


def decode(payload: bytes, spec: ArraySpec, start: Tensors | None = None) -> NDArray[Any]:
    """Inverse of `encode`."""
    reader = Reader(payload)
    mode = reader.natural()
    if mode == CONSTANT:
        one = ArraySpec((1,), spec.dtype)
        value = restore(reader.take(stored_size(one)), one)
        reader.finish()
        return np.full(spec.shape, value)
    if mode > FEW or (mode == PROFILED and start is None):
        raise CorruptDataError(
            f"the payload begins with {mode}, where 0 to {FEW}, and 7 only with a model, was expected: it is damaged"
        )
    if mode == STILL:
        return _moved(reader, spec)
    if mode == RUNS:
        return _runs(reader, spec)
    if mode == BYTES:
        return repetition.decompressed(reader.rest(), spec)
    dtype, shape = _parts(spec)
    if mode == FEW:
        array = few.decode(reader, shape, dtype)
    elif mode == NEAR:
        array = _near(reader, shape, dtype)
    else:
        decoder = partial(stream.decode, start=start) if mode == PROFILED else DECODERS[mode]
        array = _decoded(reader, shape, dtype, decoder)
    reader.finish()
    if spec.dtype == "bool" and np.any(array > 1):
        raise CorruptDataError("the payload has booleans that are neither 0 nor 1: it is damaged")
    return np.ascontiguousarray(array).view(spec.dtype).reshape(spec.shape)


def encode_near(
    array: NDArray[Any], taken: NDArray[np.bool_], steps: Steps, layout: Layout, effort: str
) -> tuple[bytes, NDArray[Any]]:
    """A payload that keeps the values that are taken only nearly, of an array without axes of length 1; and what is decoded."""
    writer = Writer()
    writer.natural(NEAR)
    decoded = around.encode(writer, array, taken, steps, layout)
    writer.part(pack(maps.ordered(array[~taken]), effort))
    decoded[~taken] = array[~taken]
    return writer.to_bytes(), decoded


def pack(array: NDArray[Any], effort: str) -> bytes:
    """A payload, or the values as they are, if that is no longer: a part of another payload."""
    if array.size == 0:
        return b""
    payload = encode(array, effort)
    return payload if len(payload) < stored_size(ArraySpec.of(array)) else store(array)


def unpack(payload: bytes, spec: ArraySpec) -> NDArray[Any]:
    """Inverse of `pack`."""
    stored = restore(payload, spec)
    if stored is None and payload[:1] == bytes([NEAR]):
        raise CorruptDataError("a part of a payload keeps values only nearly: the payload is damaged")
    return decode(payload, spec) if stored is None else stored


def _parts(spec: ArraySpec) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """The dtype and the shape of an array whose complex numbers are taken as two floats, and booleans as bytes."""
    dtype = np.dtype(spec.dtype)
    if dtype.kind == "c":
        return np.dtype(f"f{dtype.itemsize // 2}"), (*spec.shape, 2)
    return np.dtype("u1") if dtype.kind == "b" else dtype, spec.shape


def reals(array: NDArray[Any]) -> NDArray[Any]:
    """An array as real numbers, without axes of length 1."""
    dtype, shape = _parts(ArraySpec.of(array))
    return array.reshape(-1).view(dtype).reshape(squeezed(shape))


def encode_plan(array: NDArray[Any], plan: Plan, effort: str, start: Tensors | None = None) -> bytes:
    """A payload: map and stream of real numbers."""
    shift, chosen, level = plan.about.shift, plan.map, LEVELS[effort]
    profiled = start is not None and level.mode == CODED
    writer = Writer()
    writer.natural(PROFILED if profiled else level.mode)
    writer.natural(chosen.kind | shift << 2)
    if isinstance(chosen, maps.Palette):
        writer.natural(2 * chosen.colours.size + chosen.by_value)
        writer.part(pack(np.diff(chosen.colours, prepend=0), effort))
    elif isinstance(chosen, maps.Multiples):
        writer.natural(chosen.divided)
        writer.real(chosen.step)
    elif isinstance(chosen, maps.Coarse):
        writer.natural(chosen.step)
    if isinstance(chosen, maps.Multiples | maps.Coarse):
        writer.part(pack(chosen.missing(array, plan.codes), effort))
    if shift:
        writer.part(pack((plan.codes & (1 << shift) - 1).astype(np.uint8), effort))
    if profiled:
        stream.encode(writer, plan.upper, plan.about, chosen.numbers, start)
    else:
        level.encode(writer, plan.upper, plan.about, chosen.numbers)
    return writer.to_bytes()


def _decoded(
    reader: Reader, shape: tuple[int, ...], dtype: np.dtype[Any], decode_stream: Callable[..., NDArray[np.int64]]
) -> NDArray[Any]:
    small = squeezed(shape)
    size, first = math.prod(small), reader.natural()
    kind, shift = first & 3, first >> 2
    chosen: maps.Map = maps.Bits(dtype)
    missing = np.zeros(0, np.int64)
    if kind == maps.Palette.kind:
        count, by_value = divmod(reader.natural(), 2)
        if not 1 < count <= size // 2:
            raise CorruptDataError(f"a palette of {count} values for {size}: the payload is damaged")
        colours = np.cumsum(unpack(reader.part(), ArraySpec((count,), "int64")))
        chosen = maps.Palette(dtype, colours, bool(by_value))
    elif kind == maps.Multiples.kind:
        divided = reader.natural() > 0
        step = reader.real()
        least = 1e-300 if dtype.itemsize == 8 else 2.0**-126  # smaller ones are zero in some processes
        if not (1e-300 < step < 1e300 and (1.0 / step if divided else step) >= least):
            raise CorruptDataError(f"the step of a map is {step}: the payload is damaged")
        chosen = maps.Multiples(dtype, step, divided, 0)
    elif kind == maps.Coarse.kind:
        chosen = maps.Coarse(dtype, reader.natural() & (1 << 62) - 1)
    if isinstance(chosen, maps.Multiples | maps.Coarse):
        if dtype.kind != "f":
            raise CorruptDataError(f"the payload has a map of floats, where {dtype} was expected: it is damaged")
        missing = unpack(reader.part(), ArraySpec(small, "int64"))
    if shift > (8 if dtype.itemsize == 8 else 0):
        raise CorruptDataError(
            f"{shift} low bits of {dtype} are apart, where at most 8 of 64 may be: the payload is damaged"
        )
    low = unpack(reader.part(), ArraySpec(small, "uint8")) if shift else 0
    codes = decode_stream(reader, small, shift, chosen.numbers) << shift | low
    if isinstance(chosen, maps.Multiples | maps.Coarse):
        return chosen.completed(codes, missing).reshape(shape)
    return chosen.backward(codes).reshape(shape)


def _near(reader: Reader, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Inverse of `encode_near`."""
    array, taken = around.decode(reader, squeezed(shape), dtype)
    others = ArraySpec((int(np.count_nonzero(~taken)),), "int64")
    array[~taken] = maps.restored(unpack(reader.part(), others), dtype)
    return array.reshape(shape)


def _runs(reader: Reader, spec: ArraySpec) -> NDArray[Any]:
    count = reader.natural()
    if not 0 < count <= spec.size // repetition.SHORTEST:
        raise CorruptDataError(f"{count} runs of {spec.size} values: the payload is damaged")
    lengths = unpack(reader.part(), ArraySpec((count,), "int64"))
    values = unpack(reader.part(), ArraySpec((count,), spec.dtype))
    reader.finish()
    return repetition.repeated(lengths, values, spec.size).reshape(spec.shape)


def _moved(reader: Reader, spec: ArraySpec) -> NDArray[Any]:
    """Inverse of `_still`."""
    items, kept, array = reader.natural(), 0, np.empty(spec.shape, spec.dtype)
    if items > 1 or (items and not (len(spec.shape) > 1 and spec.shape[0] <= repetition.ITEMS)):
        raise CorruptDataError("an array that is the same along axes has impossible items: the payload is damaged")
    for part in array if items else [array]:
        axes = reader.natural()
        left = tuple(1 if axes >> axis & 1 else length for axis, length in enumerate(part.shape))
        kept += math.prod(left)
        if axes >> part.ndim or repetition.SAVING * kept > spec.size:
            raise CorruptDataError("an array that is the same along axes has too many values: the payload is damaged")
        part[...] = unpack(reader.part(), ArraySpec(left, spec.dtype))
    reader.finish()
    return array


def squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Without axes of length 1; one axis at the least."""
    return tuple(n for n in shape if n != 1) or (1,)
