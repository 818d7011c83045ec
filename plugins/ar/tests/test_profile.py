"""Profiles: what arrays begin with that are like others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codecs_ar.array.codec import ArrayCodec
from codecs_ar.array.coding import PROFILED
from codecs_ar.array.train import train
from numpy.typing import NDArray
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core import ArraySpec, Model
from codecs_core.cli.app import app
from codecs_core.errors import ConfigError, CorruptDataError, ModelError, UnsupportedArrayError
from codecs_core.report.warm import warm


def field(seed: int, dtype: str = "int16") -> NDArray[Any]:
    y, x = np.mgrid[:40, :50]
    noise = np.asarray(np.random.Philox(seed).random_raw(x.size)).reshape(x.shape) % np.uint64(23)
    return ((x * (seed + 3) + y * y) // 9 + noise.astype(np.int64)).astype(dtype)


@pytest.fixture(scope="module")
def profile() -> Model:
    return train([field(1), field(2, "float32")], budget=60)


@pytest.mark.parametrize("dtype", ["int16", "float32", "uint8"])
def test_a_chunk_begins_with_it(profile: Model, dtype: str) -> None:
    array, codec = field(5, dtype), ArrayCodec(model=profile)
    payload = codec.encode(array)
    assert payload[0] == PROFILED
    assert codec.decode(payload, ArraySpec.of(array)).tobytes() == array.tobytes()
    assert len(payload) < len(ArrayCodec().encode(array))
    with pytest.raises(CorruptDataError, match="7 only with a model"):
        ArrayCodec().decode(payload, ArraySpec.of(array))


def test_training_is_repeated_to_the_bit(profile: Model) -> None:
    assert train([field(1), field(2, "float32")], budget=60).sha256 == profile.sha256
    assert len(profile.data) < 100_000


def test_payloads_without_it_are_read_with_it(profile: Model) -> None:
    array = field(6)
    for effort in ("fast", "standard"):
        payload = ArrayCodec(effort=effort).encode(array)
        assert np.array_equal(ArrayCodec(model=profile).decode(payload, ArraySpec.of(array)), array)


@pytest.mark.parametrize("effort", ["fast", "smallest"])
def test_levels_that_begin_with_none_refuse_it(profile: Model, effort: str) -> None:
    with pytest.raises(ConfigError, match="leave the model out"):
        ArrayCodec(model=profile, effort=effort).encode(field(6))


def test_kernels_are_compiled_ahead_all_the_same() -> None:
    found = list(warm(["ar.array"]))
    assert {one["error"] for one in found} == {None}
    assert any("general" in one["test"] for one in found)


def test_every_file_is_one_array_to_learn_from(tmp_path: Any) -> None:
    for number, dtype in enumerate(["int16", "int16", "float32"]):
        np.save(tmp_path / f"{number}.npy", field(number, dtype))
    command = ["train", "ar.array", *map(str, sorted(tmp_path.glob("*.npy"))), "--out", str(tmp_path / "m.safetensors")]
    done = CliRunner().invoke(app, command, prog_name="codecs")
    assert done.exit_code == 0
    assert "on 2 items of int16 and shape (40, 50)" in done.output
    assert "left out" in done.output
    found = Model.from_bytes((tmp_path / "m.safetensors").read_bytes()).tensors()
    for name, tensor in train([field(0), field(1)], budget=60).tensors().items():
        assert np.array_equal(found[name], tensor)


def test_a_file_names_it(profile: Model, tmp_path: Any) -> None:
    path = tmp_path / "a.ccf"
    cc.save(path, field(7), codec="ar.array", model=profile, embed_model=True, chunk=10)
    assert np.array_equal(cc.load(path), field(7))


def test_the_shipped_one() -> None:
    array = field(8)
    codec = cc.get_codec("ar.array", model="general")
    assert codec.model is not None
    assert codec.model.attrs["command"]
    payload = codec.encode(array)
    assert payload[0] == PROFILED
    assert np.array_equal(codec.decode(payload, ArraySpec.of(array)), array)


@pytest.mark.parametrize("wrong", ["version", "missing", "place", "shape", "value", "blend"])
def test_models_that_are_none(profile: Model, wrong: str) -> None:
    tensors, config = {name: values.copy() for name, values in profile.tensors().items()}, {"version": 2}
    if wrong == "version":
        config = {"version": 1}
    elif wrong == "missing":
        del tensors["uses"]
    elif wrong == "place":
        tensors["counters.at"][-1] = 65535
    elif wrong == "shape":
        tensors["blends"] = tensors["blends"][:-1]
    elif wrong == "blend":
        tensors["blends"][5] = 0.0
    else:
        tensors["mixers"][5] = np.nan
    codec = ArrayCodec(model=Model.create(codec="ar.array", config=config, tensors=tensors))
    with pytest.raises(ModelError):
        codec.encode(field(1))


def test_nothing_to_learn_from() -> None:
    with pytest.raises(UnsupportedArrayError, match="nothing to learn from"):
        train([np.zeros((3, 4)), np.zeros(0)], budget=1)
