"""The mini reader decodes what ``ar.array`` and ``ar.bounded`` encode: two programs, one of them written from the specification alone."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codecs_ar.array import coding
from codecs_ar.array.bounded import BoundedCodec
from codecs_ar.array.bounds import usual, within
from codecs_ar.array.codec import ArrayCodec
from codecs_ar.array.layout import Layout
from codecs_ar.array.steps import fitted
from codecs_ar.array.train import train
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec

MINI = Path(__file__).parents[2] / "spec" / "mini"


@pytest.fixture(scope="module")
def arrays() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(MINI))
        spec = importlib.util.spec_from_file_location("mini_arrays", MINI / "arrays.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        patch.delitem(sys.modules, "entropy", raising=False)
        spec.loader.exec_module(module)
        del sys.modules["entropy"]
        yield module


def raw(seed: int, most: int, *shape: int) -> NDArray[np.int64]:
    words = np.asarray(np.random.Philox(seed).random_raw(int(np.prod(shape))))
    return (words % np.uint64(most)).astype(np.int64).reshape(shape)


def cases() -> dict[str, NDArray[Any]]:
    y, x = np.mgrid[:20, :17]
    field = (y * y - 3 * x).astype(np.float32) / 8 + raw(1, 999, 20, 17).astype(np.float32) / 4096
    field[3:9, 2:5] = 1e20
    field[12, :4] = [np.nan, -np.inf, -0.0, 1e-42]
    return {
        "plane": (30 * y + x * x + raw(2, 7, 20, 17)).astype(np.int16),
        "field": field,
        "halves": field.astype(np.float16) if np.isfinite(field).all() else np.clip(field, -9, 99).astype(np.float16),
        "slices": np.cumsum(raw(3, 99, 3, 8, 7), axis=0) / 64,
        "four axes": (raw(4, 9, 2, 3, 5, 6).cumsum(2) / 7).astype(np.float32),
        "series": np.cumsum(raw(5, 9, 250) - 4),
        "channels": np.cumsum(raw(6, 99, 70, 2) - 50, axis=0).astype(np.int32),
        "long series": np.cumsum(raw(15, 9, 2000) - 4).astype(np.int16),
        "decimals": np.cumsum(raw(7, 9, 150) - 4) / 100,
        "few others": np.where(np.arange(300) % 99 == 7, np.arange(300) / 8, 2.5).astype(np.float32),
        "few integers": np.where(np.arange(300) % 150 == 9, 2**64 - 1, 3).astype(np.uint64),
        "period": (np.arange(200) % 7).astype(np.uint8),
        "mask": raw(8, 9, 15, 20) > 6,
        "complex": (raw(9, 9, 6, 6) + 1j * raw(10, 9, 6, 6)).astype(np.complex64),
        "whole range": np.asarray(np.random.Philox(11).random_raw(50)),
        "runs": np.repeat(raw(13, 99, 5), [300, 1, 70, 200, 29]).astype(np.float64).reshape(60, 10),
        "lines": np.frombuffer(b"1.25 apples, and then 2.5 pears and plums;\n" * 24 + b"1.25 figs", np.uint8),
        "records": np.tile(raw(14, 1 << 50, 40), (9, 1)),
        "mirrored": np.outer([-3, -2, -1, 1, 2, 3], np.exp(np.arange(30) / 9)).astype(np.float32).repeat(2, axis=0),
        "still": np.tile(raw(16, 9, 1, 20, 3), (30, 1, 1)),
        "still items": np.stack([np.tile(raw(17, 99, 20), (20, 1)).T, np.full((20, 20), 7)]),
        "repeats": np.tile(raw(12, 1 << 40, 9) / 3, 20).reshape(18, 10),
    }


@pytest.mark.parametrize("effort", ["fast", "standard", "smallest"])
@pytest.mark.parametrize("name", cases())
def test_arrays(arrays: Any, effort: str, name: str) -> None:
    array = cases()[name]
    payload = coding.encode(array, effort)
    assert arrays.decode(payload, array.shape, array.dtype.name).tobytes() == array.tobytes()


@pytest.mark.parametrize("name", ["plane", "four axes", "channels"])
def test_profiles(arrays: Any, name: str) -> None:
    array, model = cases()[name], train([cases()["slices"], cases()["series"]], budget=60)
    payload = ArrayCodec(model=model).encode(array)
    assert payload[0] == coding.PROFILED
    found = arrays.decode(payload, array.shape, array.dtype.name, model.tensors())
    assert found.tobytes() == array.tobytes()


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("name", ["plane", "field", "repeats"])
def test_bounded(arrays: Any, name: str, relative: bool) -> None:
    array = cases()[name]
    codec = BoundedCodec(max_error=0.01 if relative else 0.02 * float(np.nanmedian(np.abs(array))), relative=relative)
    payload = codec.encode(array)
    assert len(payload) < array.nbytes
    decoded = codec.decode(payload, ArraySpec.of(array))
    assert arrays.decode(payload, array.shape, array.dtype.name).tobytes() == decoded.tobytes()


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("name", ["plane", "field", "halves", "slices", "four axes", "series", "channels"])
def test_steps_from_predictions(arrays: Any, name: str, relative: bool) -> None:
    array = cases()[name]
    array = array + array.dtype.type(200) if array.dtype.kind == "i" and relative else array
    bound = 0.05 if relative else 0.05 * float(np.nanmedian(np.abs(array)))
    found = fitted(array, usual(array), bound, relative=relative)
    assert found is not None
    steps, taken = found
    layout = Layout(tuple(range(array.ndim)), series=name in ("series", "channels"))
    payload, decoded = coding.encode_near(array, taken, steps, layout, "standard")
    assert np.all(~taken | within(array, decoded, bound, relative=relative))
    assert np.array_equal(array[~taken], decoded[~taken], equal_nan=array.dtype.kind == "f")
    assert arrays.decode(payload, array.shape, array.dtype.name).tobytes() == decoded.tobytes()
