"""Payloads that no encoder writes, and that machines might decode differently, are refused as damage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codecs_ar.array.bounded import BoundedCodec
from codecs_ar.array.codec import ArrayCodec
from codecs_ar.array.coding import CODED, NEAR, STANDARD, STILL, pack
from codecs_ar.array.layout import Layout
from codecs_ar.array.maps import WHOLE
from codecs_ar.array.payload import Writer
from codecs_ar.array.steps import Steps
from codecs_ar.array.stream import Description, encode
from numpy.typing import NDArray

from codecs_core import store
from codecs_core.arrays import ArraySpec
from codecs_core.errors import CorruptDataError

CODEC = ArrayCodec()


def check_refused(payload: bytes, spec: ArraySpec, why: str) -> None:
    for codec in [CODEC] if spec.dtype == "bool" else [CODEC, BoundedCodec()]:
        with pytest.raises(CorruptDataError, match=why):
            codec.decode(payload, spec)


def coded(codes: NDArray[np.int64], *before: int) -> bytes:
    """A payload of codes, with a few naturals between its mode and the stream."""
    writer = Writer()
    for natural in (CODED, *before):
        writer.natural(natural)
    write_stream(writer, codes)
    return writer.to_bytes()


def write_stream(writer: Writer, codes: NDArray[np.int64]) -> None:
    low, high = int(codes.min()), int(codes.max())
    about = Description(
        Layout((0,), series=True), 0, low, high, (low, high), 0, (low,) * 7, discrete=False, repeats=False
    )
    encode(writer, codes, about, WHOLE)


@pytest.mark.parametrize(("dtype", "codes"), [("uint8", [0, 256]), ("int16", [-40000, 1]), ("uint32", [-1, 5])])
def test_integers_beyond_a_dtype(dtype: str, codes: list[int]) -> None:
    check_refused(coded(np.array(codes * 90), 0), ArraySpec((180,), dtype), "integers that stand for no value")


def test_booleans_that_are_none() -> None:
    for most, why in (2, "neither 0 nor 1"), (300, "integers that stand for no value"):
        check_refused(coded(np.array([0, most] * 600), 0), ArraySpec((1200,), "bool"), why)


@pytest.mark.parametrize("low", [-1 << 40, -1 << 16])
def test_palettes_beyond_a_dtype(low: int) -> None:
    writer = Writer()
    for natural in (CODED, 1, 4):
        writer.natural(natural)
    writer.part(store(np.array([low, 3])))
    write_stream(writer, np.array([0, 1] * 90))
    check_refused(writer.to_bytes(), ArraySpec((180,), "int16"), "integers that stand for no value")


@pytest.mark.parametrize("divided", [0, 1])
@pytest.mark.parametrize("step", [0.0, -1.0, np.nan, np.inf, 1e301, 5e-324])
def test_steps_of_a_map(step: float, divided: int) -> None:
    writer = Writer()
    for natural in (CODED, 2, divided):
        writer.natural(natural)
    writer.real(step)
    writer.part(pack(np.zeros(180, np.int64), STANDARD))
    write_stream(writer, np.array([0, 1] * 90))
    check_refused(writer.to_bytes(), ArraySpec((180,), "float64"), "the step of a map")


def near(**changed: Any) -> bytes:
    writer = Writer()
    writer.natural(NEAR)
    Steps(**{"step": 1.0, "origin": 0.0, "low": 0, "high": 5, **changed}).write(writer)
    return writer.to_bytes()


@pytest.mark.parametrize(
    "changed",
    [{"step": 0.0}, {"step": 1e-251}, {"step": np.inf}, {"origin": np.nan}, {"high": 1 << 30}, {"base": 5000}],
)
def test_steps_from_predictions(changed: dict[str, Any]) -> None:
    check_refused(near(**changed), ArraySpec((180,), "float64"), "the steps of a stream are impossible")


def test_a_part_that_is_kept_nearly() -> None:
    writer = Writer()
    for natural in (CODED, 1, 8):
        writer.natural(natural)
    writer.part(near()[:9])
    check_refused(writer.to_bytes(), ArraySpec((180,), "int16"), "keeps values only nearly")


@pytest.mark.parametrize(
    ("start", "why"),
    [
        ([2], "impossible items"),
        ([1, 0], "too many values"),
        ([0, 8], "too many values"),
        ([0, 0], "too many values"),
    ],
)
def test_axes_that_are_none(start: list[int], why: str) -> None:
    check_refused(bytes([STILL, *start]), ArraySpec((2, 8, 9), "int16"), why)
    check_refused(bytes([STILL, 1]), ArraySpec((180,), "int16"), "impossible items")
    check_refused(bytes([STILL, 1]), ArraySpec((17, 9), "int16"), "impossible items")
