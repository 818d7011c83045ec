"""Codecs small enough to see through, and registries of them."""

import sys
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from codecs_core import Codec, CodecInfo, CodecSpec, Model, ModelSpec, hookimpl
from codecs_core.errors import UnsupportedArrayError
from codecs_core.models import cache
from codecs_core.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Raw(Codec):
    """The bytes as they are; counts the chunks it decodes."""

    id = "test.raw"
    info = CodecInfo(summary="raw")
    decoded: ClassVar[list] = []

    level: int = 0

    def _encode(self, chunk):
        return chunk.astype(chunk.dtype.newbyteorder("<")).tobytes()

    def _decode(self, payload, spec):
        self.decoded.append(spec.shape)
        return np.frombuffer(payload, spec.numpy).reshape(spec.shape).astype(spec.dtype)


@dataclass(frozen=True, kw_only=True)
class Nibble(Raw):
    """Half the size, for values below 16 only."""

    id = "test.nibble"
    info = CodecInfo(summary="nibble", dtypes=("uint8",))

    def _encode(self, chunk):
        if chunk.size and chunk.max() > 15:
            raise UnsupportedArrayError(f"codec {self.id} takes values below 16, not {chunk.max()}")
        flat = np.append(chunk.ravel(), np.zeros(chunk.size % 2, "u1"))
        return (flat[::2] * 16 + flat[1::2]).tobytes()

    def _decode(self, payload, spec):
        packed = np.frombuffer(payload, "u1")
        return np.stack([packed // 16, packed % 16], -1).ravel()[: spec.size].reshape(spec.shape)


@dataclass(frozen=True, kw_only=True)
class Colour(Raw):
    """Images of three channels; knows no chunk for anything else."""

    id = "test.colour"
    info = CodecInfo(summary="colour", dtypes=("uint8",), ndim=(3, 4))

    def check(self, spec):
        super().check(spec)
        self.default_chunk(spec)

    def default_chunk(self, spec):
        *_, h, w, c = spec.shape
        if c != 3:
            raise UnsupportedArrayError(
                f"codec {self.id} takes images of 3 channels, not an array of shape {spec.shape}"
            )
        return max(1, h * w)


@dataclass(frozen=True, kw_only=True)
class Runs(Raw):
    """A byte for an array of one value, and ten times an array of many."""

    id = "test.runs"
    info = CodecInfo(summary="values that are all the same", dtypes=("uint8",))

    def _encode(self, chunk):
        same = (chunk == chunk.flat[0]).all()
        return chunk.tobytes()[:1] if same else chunk.tobytes() * 10

    def _decode(self, payload, spec):
        return np.resize(np.frombuffer(payload, "u1")[: spec.size], spec.shape)


@dataclass(frozen=True, kw_only=True)
class Offset(Raw):
    """Stores the difference to its model in nothing if there is none."""

    id = "test.offset"
    info = CodecInfo(summary="needs a model", dtypes=("uint8",), needs_model=True, trainable=True)

    def check(self, spec):
        super().check(spec)
        shape = tuple(self.model.config["shape"])
        if spec.shape[1:] != shape:
            raise UnsupportedArrayError(f"model {self.model.name} takes items of shape {shape}, not {spec.shape[1:]}")

    def _encode(self, chunk):
        difference = chunk - self.model.tensors()["w"]
        return b"" if not difference.any() else difference.tobytes()

    def _decode(self, payload, spec):
        difference = np.frombuffer(payload, "u1").reshape(spec.shape) if payload else np.zeros(spec.shape, "u1")
        return difference + self.model.tensors()["w"]

    @classmethod
    def train(cls, data, *, budget, progress=None, step=1):
        if progress:
            progress(1.0, "done")
        return offset_model(int(data[0].flat[0]), data.shape[1:], attrs={"budget": budget, "step": step})


@dataclass(frozen=True, kw_only=True)
class Lossy(Raw):
    id = "test.lossy"
    info = CodecInfo(summary="drops the low bits", dtypes=("uint8",), kind="lossy")

    def _encode(self, chunk):
        return b"" if not chunk.size else (chunk & 0xF0).tobytes()


@dataclass(frozen=True, kw_only=True)
class Planes(Raw):
    """The high halves of bytes and then the low ones; learns from items of any shape, and goes on where it ended."""

    id = "test.planes"
    info = CodecInfo(
        summary="coarse to fine", dtypes=("uint8",), trainable=True, auto=False, ragged=True, resumable=True
    )

    def _encode(self, chunk):
        return (chunk >> 4).tobytes() + (chunk & 15).tobytes()

    def _decode(self, payload, spec):
        return self._preview(payload, spec, 2)

    def _preview(self, payload, spec, levels):
        self.decoded.append(spec.shape)
        planes = np.frombuffer(payload, "u1").reshape(2, *spec.shape)
        high, low = (plane * (k < levels) for k, plane in enumerate(planes))
        return high << 4 | low

    @classmethod
    def train(cls, data, *, budget, progress=None, checkpoint=None):
        steps = 1
        if checkpoint is not None:
            steps += int(checkpoint.read_text()) if checkpoint.exists() else 0
            checkpoint.write_text(str(steps))
        shapes = [list(item.shape) for item in data]
        return Model.create(
            codec=cls.id, config={"shapes": shapes, "listed": isinstance(data, list), "steps": steps}, tensors={}
        )


@dataclass(frozen=True, kw_only=True)
class Wrong(Raw):
    """Small, and decodes to something else."""

    id = "test.wrong"
    info = CodecInfo(summary="lies", auto=False)

    def _encode(self, chunk):
        return b""

    def _decode(self, payload, spec):
        return np.full(spec.shape, 7, spec.dtype)


@dataclass(frozen=True, kw_only=True)
class Failing(Raw):
    """Raises for a chunk that holds 99."""

    id = "test.failing"
    info = CodecInfo(summary="raises", auto=False)

    def _encode(self, chunk):
        if (chunk == 99).any():
            raise RuntimeError("ninety-nine")
        return super()._encode(chunk)


def offset_model(value, shape=(2,), **more):
    return Model.create(
        codec="test.offset",
        config={"shape": list(shape)},
        tensors={"w": np.full(shape, value, "u1")},
        name=f"m{value}",
        **more,
    )


def registry_of(*classes, models=(), **changes):
    class Plugin:
        @hookimpl
        def codecs_register(self):
            return [
                CodecSpec(
                    id=cls.id,
                    implementation=f"{__name__}:{cls.__name__}",
                    info=cls.info,
                    format_version=cls.format_version,
                )
                for cls in classes
            ]

        @hookimpl
        def codecs_register_models(self):
            return list(models)

    found = Registry([])
    found.register(Plugin(), name="codecs-test")
    return found


@pytest.fixture
def registry():
    return registry_of(Raw, Nibble, Offset, Lossy, Planes, Wrong, Failing)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.ccf"


@pytest.fixture(autouse=True)
def _store(tmp_path, monkeypatch):
    monkeypatch.setenv("CODECS_MODELS", str(tmp_path / "store"))
    cache.clear()
    Raw.decoded.clear()


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Two models that ship with the plugin of the registry."""
    package = tmp_path / "site" / "shipped_models"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(package.parent))
    specs = []
    for value in (5, 6):
        model = offset_model(value)
        (package / f"{value}.safetensors").write_bytes(model.data)
        specs.append(
            ModelSpec(
                name=model.name,
                codec=model.codec,
                resource=f"shipped_models:{value}.safetensors",
                sha256=model.sha256,
                summary="s",
                nbytes=len(model.data),
            )
        )
    yield registry_of(Raw, Nibble, Offset, models=specs)
    sys.modules.pop("shipped_models", None)


COUNT = np.arange(40, dtype="u1").reshape(10, 4)


FIVES = np.full((6, 2), 5, "u1")
