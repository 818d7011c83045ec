"""The codec for numerical arrays: every type, every number of dimensions, what is special, damaged payloads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from codecs_ar.array.choosing import describe
from codecs_ar.array.codec import ArrayCodec
from codecs_ar.array.coding import BYTES, RUNS, STILL, THOROUGH, plan
from codecs_ar.array.layout import Layout
from codecs_ar.array.maps import WHOLE, Bits, Palette, candidates
from codecs_ar.array.payload import Writer
from codecs_ar.array.repetition import _compress, compressed, decompressed
from codecs_ar.array.stream import VERSION, Stream
from numpy.typing import NDArray

from codecs_core import store
from codecs_core.arrays import DTYPES, ArraySpec
from codecs_core.errors import ConfigError, CorruptDataError

CODEC = ArrayCodec()
SHAPES = [
    (),
    (1,),
    (0,),
    (60,),
    (20, 30),
    (3, 12, 11),
    (2, 3, 9, 11),
    (40, 3),
    (2,) * 7,
    (1, 1, 30, 1),
    (4, 0, 3),
    (1,) * 31 + (5,),
]


def check_round_trip(array: NDArray[Any]) -> bytes:
    payload = CODEC.encode(array)
    decoded = CODEC.decode(payload, ArraySpec.of(array))
    assert decoded.dtype == array.dtype
    assert decoded.shape == array.shape
    assert decoded.tobytes() == np.ascontiguousarray(array).tobytes()
    assert len(payload) <= array.nbytes
    return payload


def walk(dtype: str, size: int) -> NDArray[Any]:
    """A random walk, for complex numbers one of each part."""
    if dtype.startswith("complex"):
        return (walk("float64", size) + 1j * walk("float64", size)[::-1]).astype(dtype)
    steps = np.asarray(np.random.Philox(3).random_raw(size)) % np.uint64(9)
    return np.cumsum(steps.astype(np.int64) - 4).astype(dtype)


@pytest.mark.parametrize("dtype", sorted(DTYPES))
def test_every_type_and_shape(dtype: str) -> None:
    for shape in SHAPES:
        size = math.prod(shape)
        check_round_trip(walk(dtype, size).reshape(shape))
        if dtype != "bool":
            noise = np.asarray(np.random.Philox(4).random_raw(size * 2)).view(np.uint8)[
                : size * np.dtype(dtype).itemsize
            ]
            check_round_trip(noise.view(dtype).reshape(shape))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_what_is_special_among_floats(dtype: str) -> None:
    field = walk(dtype, 900).reshape(30, 30) / np.asarray(8, dtype)
    field[3:6, 4:9] = np.nan
    field.view(f"u{field.itemsize}")[5, 6] |= 1  # another NaN
    field[10, :4] = [np.inf, -np.inf, -0.0, 0.0]
    field[20] = np.finfo(dtype).smallest_subnormal
    field[21, ::2] = np.finfo(dtype).max
    check_round_trip(field)
    check_round_trip(np.full((5, 5), np.nan, dtype))


def test_any_order_of_memory() -> None:
    array = walk("int32", 600).reshape(20, 30)
    assert CODEC.encode(array.T) == CODEC.encode(np.ascontiguousarray(array.T))
    assert CODEC.encode(array.astype(">i4")) == CODEC.encode(array)


def test_smooth_data_become_small() -> None:
    y, x = np.mgrid[:64, :64]
    smooth = (1000 * np.sin(x / 9.0) * np.cos(y / 7.0)).astype(np.int16)
    assert 8 * len(check_round_trip(smooth)) < 3.5 * smooth.size
    assert len(check_round_trip(np.full((100, 100), 7, np.int64))) == 3
    assert len(check_round_trip(smooth.astype(np.float64) / 100)) < 1.1 * len(CODEC.encode(smooth)) + 20


def test_damage_is_found() -> None:
    array = walk("float32", 500)
    payload = CODEC.encode(array)
    for at in range(len(payload)):
        damaged = payload[:at] + bytes([payload[at] ^ 0x40]) + payload[at + 1 :]
        try:
            CODEC.decode(damaged, ArraySpec.of(array))
        except CorruptDataError:
            continue
    for end in range(0, len(payload), 7):
        with pytest.raises(CorruptDataError):
            CODEC.decode(payload[:end], ArraySpec.of(array))


@pytest.mark.parametrize("dtype", sorted(DTYPES))
def test_the_fast_level(dtype: str) -> None:
    codec = ArrayCodec(effort="fast")
    for shape in SHAPES:
        array = walk(dtype, math.prod(shape)).reshape(shape)
        if dtype.startswith("float") and array.size > 20:
            array.reshape(-1)[3:9] = [np.nan, np.inf, -0.0, 1e4, np.nan, -np.inf]
        payload = codec.encode(array)
        assert len(payload) <= array.nbytes
        assert codec.decode(payload, ArraySpec.of(array)).tobytes() == array.tobytes()
        assert (
            CODEC.decode(payload, ArraySpec.of(array)).tobytes() == array.tobytes()
        )  # payloads say how they were made
        for at in range(0, len(payload), 9):
            damaged = payload[:at] + bytes([payload[at] ^ 0x21]) + payload[at + 1 :]
            try:
                codec.decode(damaged, ArraySpec.of(array))
            except CorruptDataError:
                continue


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "float16", "float32", "float64", "complex64"])
def test_the_level_smallest(dtype: str) -> None:
    codec = ArrayCodec(effort="smallest")
    for shape in SHAPES:
        array = walk(dtype, math.prod(shape)).reshape(shape)
        if dtype.startswith("float") and array.size > 20:
            array.reshape(-1)[3:9] = [np.nan, np.inf, -0.0, 1e4, np.nan, -np.inf]
        payload = codec.encode(array)
        assert CODEC.decode(payload, ArraySpec.of(array)).tobytes() == array.tobytes()
        for at in range(0, len(payload), 1 + len(payload) // 9):
            damaged = payload[:at] + bytes([payload[at] ^ 0x21]) + payload[at + 1 :]
            try:
                codec.decode(damaged, ArraySpec.of(array))
            except CorruptDataError:
                continue


def test_the_level_smallest_is_smaller() -> None:
    noise = (np.asarray(np.random.Philox(5).random_raw(90 * 110)) % np.uint64(64)).astype(np.float64).reshape(90, 110)
    y, x = np.mgrid[:90, :110]
    array = (900 * np.sin(x / 9) * np.cos(y / 13) + 40 * np.sin(x * y / 200) + noise).astype(np.int16)
    payload = ArrayCodec(effort="smallest").encode(array)
    assert payload[0] == THOROUGH
    assert len(payload) < 0.995 * len(CODEC.encode(array))
    assert CODEC.decode(payload, ArraySpec.of(array)).tobytes() == array.tobytes()


def test_an_effort_that_is_none() -> None:
    with pytest.raises(ConfigError, match="effort must be one of"):
        ArrayCodec(effort="slow")


@pytest.mark.parametrize("effort", ["fast", "standard"])
def test_what_repeats_itself(effort: str) -> None:
    codec = ArrayCodec(effort=effort)
    runs = np.repeat(np.array([0.0, 1.5, np.nan, -0.0]), [900, 1, 600, 2000])
    lines = np.frombuffer(b"".join(b"%d apples and %d pears, %d plums\n" % (i, 3 * i, 7) for i in range(900)), np.uint8)
    flags = np.repeat(walk("int64", 40) % 2 == 0, 100)
    for array, mode in (
        (runs, RUNS),
        (lines, BYTES if effort == "fast" else None),
        (flags, None),
        (np.tile(runs.astype("complex128")[890:1510], 9), None),
    ):
        payload = codec.encode(array)
        assert mode in (payload[0], None)
        assert len(payload) < array.nbytes / 3
        assert codec.decode(payload, ArraySpec.of(array)).tobytes() == array.tobytes()
        for at in range(0, len(payload), 1 + len(payload) // 40):
            damaged = payload[:at] + bytes([payload[at] ^ 0x11]) + payload[at + 1 :]
            try:
                codec.decode(damaged, ArraySpec.of(array))
            except CorruptDataError:
                continue


def test_runs_that_do_not_fit_are_refused() -> None:
    spec = ArraySpec((1000,), "float64")
    for lengths in ([500, 501], [-1, 1001], [1 << 62, 1 << 62], [0, 1000]):
        writer = Writer()
        writer.natural(RUNS)
        writer.natural(2)
        writer.part(store(np.array(lengths)))
        writer.part(store(np.array([1.0, 2.0])))
        with pytest.raises(CorruptDataError, match="the runs of an array are not 1000 values together"):
            CODEC.decode(writer.to_bytes(), spec)
    with pytest.raises(CorruptDataError, match="999 runs of 1000 values"):
        CODEC.decode(bytes([RUNS, 0xE7, 7]), spec)
    with pytest.raises(CorruptDataError, match="neither 0, 1 nor 2"):
        CODEC.decode(bytes([BYTES, 3]), spec)


@pytest.mark.parametrize("effort", ["fast", "standard"])
def test_what_stays_the_same_along_axes(effort: str) -> None:
    codec = ArrayCodec(effort=effort)
    y, x = np.meshgrid(np.linspace(-0.0, 7.0, 20), np.linspace(50.0, 51.0, 30), indexing="ij")
    grid = np.stack([y, x, np.full_like(x, np.nan)]).astype(np.float32)
    for array in (y, x, grid, grid + 1j * grid, np.tile(walk("uint8", 50) > 100, (40, 1)), np.tile(y, (2, 3, 1, 1))):
        payload = codec.encode(array)
        assert payload[0] == STILL
        assert len(payload) < 8 * sum(array.shape)
        assert codec.decode(payload, ArraySpec.of(array)).tobytes() == array.tobytes()
        for at in range(len(payload)):
            damaged = payload[:at] + bytes([payload[at] ^ 0x11]) + payload[at + 1 :]
            try:
                codec.decode(damaged, ArraySpec.of(array))
            except CorruptDataError:
                continue


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64", "complex64", "complex128", "bool"])
def test_bytes_by_lzma(dtype: str) -> None:
    array = np.tile(walk(dtype, 300), 3)
    for order in range(3):
        payload = _compress(array, order)
        assert decompressed(payload, ArraySpec.of(array)).tobytes() == array.tobytes()
    assert compressed(array)[0] in range(3)


def test_rows_that_differ_by_a_sign() -> None:
    rows = np.outer(np.concatenate([-np.arange(30.0, 0, -1), np.arange(1.0, 31)]), np.exp(np.arange(40) / 9))
    array = rows.astype(np.float32)
    payload = CODEC.encode(array)
    assert payload[:2] == bytes([BYTES, 2])
    assert CODEC.decode(payload, ArraySpec.of(array)).tobytes() == array.tobytes()


@pytest.mark.parametrize(("shape", "series"), [((1 << 20,), True), ((1 << 20,), False), ((1 << 11, 1 << 9), False)])
def test_what_is_learnt_takes_little_beside_the_values(shape: tuple[int, ...], series: bool) -> None:
    about = describe(
        np.arange(1000).reshape((1000,) + (1,) * (len(shape) - 1)),
        Bits(np.dtype(np.int64)),
        Layout(tuple(range(len(shape))), series),
    )
    stream = Stream(shape, about, WHOLE, VERSION, decoding=True, thorough=True)
    assert stream.more
    learnt = [one for state in (stream.learners, stream.more.further) for one in state if isinstance(one, np.ndarray)]
    values = stream.scene.codes.nbytes + stream.scene.values.nbytes
    assert sum(one.nbytes for one in learnt) < values / 2


def test_short_arrays_have_one_class() -> None:
    series = walk("int32", 4096).reshape(-1)
    for effort, size, classes in ("standard", 1024, 1), ("standard", 4096, 7), ("fast", 4096, 1):
        assert len(set(plan(series[:size], effort).about.levels)) == classes, (effort, size)


def test_ranks_of_floats_are_tried_without_gaps() -> None:
    codes = np.arange(15000, 15900, dtype=np.int16)
    floats = np.tile(codes, 9).view(np.float16)
    assert any(isinstance(one, Palette) for one in candidates(floats))
    assert not any(isinstance(one, Palette) for one in candidates(np.tile(codes, 9)))
