"""The kit finds what is wrong: for each clause, a codec that breaks it, and fails there. And a codec that keeps them all passes."""

from pathlib import Path
from unittest import SkipTest

import numpy as np
import pytest

import codecs_core as cc
from codecs_core.codec import Codec
from codecs_core.errors import CodecsError, ConfigError, PluginLoadError, UnsupportedArrayError
from codecs_core.models import Model
from codecs_core.testing import CodecConformance, Domain
from codecs_core.testing.conformance import clauses
from codecs_core.testing.strategies import LAYOUTS
from codecs_core.testing.subject import same

PLUGIN = """
from codecs_core import CodecInfo, CodecSpec, hookimpl
{above}
INFO = CodecInfo(summary="bytes as they are", {info})
@hookimpl
def codecs_register():
    return [CodecSpec(id="zoo.{name}", implementation="{module}_codec:Zoo", info=INFO, format_version={version})]
"""
CODEC = """
import os, threading
from dataclasses import dataclass
import numpy as np
from codecs_core import Codec
from codecs_core.errors import ConfigError, ModelError, UnsupportedArrayError
from {module} import INFO
calls, kept = [], {{}}
{dataclass}
class Zoo(Codec):
    id = "zoo.{name}"
    info = INFO
    format_version = {version}
    {fields}
    def _encode(self, chunk):
        {encode}
        return chunk.tobytes()
    def _decode(self, payload, spec):
        {decode}
        return np.frombuffer(payload, spec.numpy).reshape(spec.shape)
    {more}
"""

#: What is wrong -> the clause that says so.
BROKEN = {
    "undecorated": ("test_entry_point", {"dataclass": "", "fields": "level: int = 3"}),
    "abstract": ("test_complete", {"more": "from abc import abstractmethod\n    @abstractmethod\n    def forgotten(self): pass"}),
    "shipped": (
        "test_models",
        {
            "above": "from codecs_core import ModelSpec\n@hookimpl\ndef codecs_register_models(): return [ModelSpec(name='lost', "
            "codec='zoo.shipped', resource='zoo_shipped:lost.safetensors', sha256='0' * 64, summary='none', nbytes=1)]"
        },
    ),
    "raised": ("test_older_versions", {"version": 2}),
    "heavy": ("test_import_light", {"above": "import PIL.Image"}),
    "dataclass": ("test_entry_point", {"dataclass": "@dataclass(kw_only=True)"}),
    "dtypes": (
        "test_info",
        {"info": "dtypes=('uint8',)", "more": "def check(self, spec): pass"},
    ),
    "trainable": ("test_info", {"info": "trainable=True"}),
    "json": ("test_config", {"fields": "ends: tuple = (0, 1)", "configs": ({"ends": (0, 2)},)}),
    "defaults": ("test_config", {"fields": "level: int = 3", "more": "def config(self): return {'level': self.level}"}),
    "unknown": (
        "test_unknown_setting",
        {"more": "@classmethod\n    def from_config(cls, config, *, model=None): return cls(model=model)"},
    ),
    "pickle": ("test_copies", {"more": "def __reduce__(self): return (dict, ())"}),
    "lossy": ("test_round_trip", {"encode": "chunk = chunk * (chunk != 1)"}),
    "bound": ("test_round_trip", {"info": "kind='lossy', dtypes=('uint8',)", "encode": "chunk = chunk // 4 * 4", "max_error": 2}),
    "layout": ("test_layouts", {"more": "def encode(self, chunk): return chunk.tobytes('A')"}),
    "preview": ("test_previews", {"more": "def _preview(self, payload, spec, levels): return np.zeros(3)"}),
    "information": ("test_information", {"more": "def _information(self, chunk): return np.zeros(3)"}),
    "scale": (
        "test_scale",
        {"more": "def _axes(self, spec): return (0,)\n    def _scaled(self, payload, spec, grid): return self._decode(payload, spec)"},
    ),
    "input": (
        "test_input_stays",
        {"info": "dtypes=('uint8',)", "encode": "chunk.flags.writeable and chunk.size and chunk.fill(0)"},
    ),
    "counter": ("test_same_bytes", {"encode": "calls.append(1); return bytes([len(calls) % 256]) + chunk.tobytes()"}),
    "threads": (
        "test_threads",
        {"encode": "return chunk.tobytes() + (threading.current_thread() is not threading.main_thread()) * b'1'"},
    ),
    "process": (
        "test_process",
        {"encode": "return os.getpid().to_bytes(8, 'little') + chunk.tobytes()", "decode": "payload = payload[8:]"},
    ),
    "memory": (
        "test_file_alone",
        {"encode": "kept[chunk.tobytes()[:9]] = chunk.tobytes(); return chunk.tobytes()[:9]", "decode": "payload = kept[payload]"},
    ),
    "machine": ("test_matrix", {"decode": "payload = payload[:: 1 if os.environ.get('OMP_NUM_THREADS') != '1' else -1]"}),
    "cut": ("test_truncation", {"decode": "len(payload) == spec.nbytes - 1 and exit_()", "more": "\ndef exit_(): raise SystemExit(3)"}),
    "flip": (
        "test_bit_flips",
        {"encode": "return b'0' + chunk.tobytes()", "decode": "payload[:1] != b'0' and os._exit(3); payload = payload[1:]"},
    ),
    "spec": ("test_other_specs", {"decode": "if len(payload) != spec.nbytes and spec.nbytes >= 1 << 20: raise SystemExit(3)"}),
    "bomb": ("test_bounds", {"decode": "if len(payload) == spec.nbytes - 1: np.ones(40 << 20).sum()"}),
    "stored": ("test_stored", {"fields": "stores_from = 1", "more": "def encode(self, chunk): return b'code' + chunk.tobytes()"}),
    "version": ("test_unknown_version", {"more": "def _decode_older(self, payload, spec, version): return self._decode(payload, spec)"}),
}  # fmt: skip

#: Clauses that do not apply to a codec that has no stored payloads, models, older versions and vectors.
OF_MODELS = {"test_models_without_a_tensor", "test_damaged_models"}
NOT_FOR_ALL = {"test_stored", "test_models", "test_older_versions", "test_golden_vectors"} | OF_MODELS


@pytest.fixture
def subject(codecs_site, monkeypatch):
    """Installs a codec that differs from a right one in some places, and is the kit's subject."""

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)  # or the row threads-1 would be no other machine

    def make(name, **changes):
        module = f"zoo_{name}"
        parts = dict.fromkeys(("above", "info", "fields", "more"), "")
        parts |= {
            "version": 1,
            "dataclass": "@dataclass(frozen=True, kw_only=True)",
            "encode": "pass",
            "decode": "pass",
            **changes,
        }
        codecs_site.install(f"zoo-{name}", module, PLUGIN.format(name=name, module=module, **parts))
        codecs_site.module(f"{module}_codec", CODEC.format(name=name, module=module, **parts))

        class Subject(CodecConformance):
            codec_id = f"zoo.{name}"
            configs = changes.get("configs", ({},))
            max_error = changes.get("max_error")
            model = changes.get("model")
            environments = ("threads-1",)
            examples = 20

            def samples(self):
                dtype = "uint8" if "uint8" in parts["info"] else "int32"
                return [np.arange(60, dtype=dtype).reshape(5, 12), np.ones(7, dtype)]

        return Subject()

    return make


def test_a_right_codec_holds_to_all(subject):
    right = subject("right")
    for clause in clauses():
        if clause.test in NOT_FOR_ALL:
            with pytest.raises(SkipTest):
                getattr(right, clause.test)()
        else:
            getattr(right, clause.test)()


def test_a_right_codec_that_stores_holds_to_all(subject):
    right = subject(
        "storing", fields="stores_from = 1", encode="return b'code' + chunk.tobytes()", decode="payload = payload[4:]"
    )
    for clause in clauses():
        if clause.test not in NOT_FOR_ALL - {"test_stored"}:
            getattr(right, clause.test)()


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_found(subject, name):
    clause, changes = BROKEN[name]
    wrong = subject(name, **changes)
    with pytest.raises((AssertionError, RuntimeError, TypeError, CodecsError)):
        getattr(wrong, clause)()


def test_every_clause_can_fail():
    assert {clause.test for clause in clauses()} - {clause for clause, _ in BROKEN.values()} == {
        "test_chunks",
        "test_golden_vectors",
        "test_models_without_a_tensor",
        "test_damaged_models",
    }
    assert {clause.clause for clause in clauses()} == {*range(1, 12)}


KEYED = {
    "info": "dtypes=('int32',)",
    "encode": "chunk = chunk ^ self.key",
    "decode": "payload = (np.frombuffer(payload, spec.numpy) ^ self.key).tobytes()",
    "more": """
    @property
    def key(self):
        tensors = self.model.tensors()
        if "key" not in tensors:
            raise ModelError("the model has no key")
        return int(tensors["key"][0])
""",
}
#: What is wrong with models -> the clause that says so.
WRONG = {
    "careless": ("test_models_without_a_tensor", {"encode": "chunk = chunk ^ int(self.model.tensors()['key'][0])"}),
    "guessing": (
        "test_models_without_a_tensor",
        {"encode": "chunk = chunk ^ int(self.model.tensors().get('key', [3])[0])"},
    ),
    "onesided": ("test_damaged_models", {"encode": "chunk = chunk ^ 5"}),
}


def keyed(name):
    return Model.create(codec=f"zoo.{name}", config={}, tensors={"key": np.array([5], np.int32)})


def test_a_right_codec_with_a_model_holds_to_the_clauses_of_models(subject):
    right = subject("keyed", model=keyed("keyed"), **KEYED)
    right.test_models_without_a_tensor()
    right.test_damaged_models()
    right.test_round_trip()


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_models_is_found(subject, name):
    clause, changes = WRONG[name]
    wrong = subject(name, model=keyed(name), **{**KEYED, **changes})
    with pytest.raises(AssertionError):
        getattr(wrong, clause)()


def test_chunks_that_depend_on_their_mates_are_found(subject):
    wrong = subject(
        "mates", encode="calls.append(len(chunk) if chunk.ndim else 0); return chunk.tobytes() + bytes(calls[-2:])"
    )
    with pytest.raises(AssertionError):
        wrong.test_chunks()


def test_a_codec_that_is_not_there_is_an_error(subject):
    missing = subject("missing", above="raise RuntimeError")
    with pytest.raises(Exception, match="no installed plugin provides"):
        missing.test_entry_point()


def test_a_codec_that_is_another_is_an_error(subject):
    broken = subject("broken", more="id = 'zoo.other'")
    with pytest.raises(PluginLoadError):
        broken.test_entry_point()


def test_vectors_are_written_once_and_hold_for_ever(subject, tmp_path, monkeypatch):
    right = subject("vectors")
    type(right).vectors = tmp_path / "vectors"
    with pytest.raises(SkipTest, match="no golden vectors yet"):
        right.test_golden_vectors()
    monkeypatch.setattr("codecs_core.testing.vectors.writing", True)
    right.test_golden_vectors()
    files = {path: path.read_bytes() for path in sorted(right.vectors.iterdir())}
    assert len(files) == 2
    right.test_golden_vectors()
    assert {path: path.read_bytes() for path in sorted(right.vectors.iterdir())} == files
    monkeypatch.setattr("codecs_core.testing.vectors.writing", False)
    right.test_golden_vectors()
    cls = right.codec_class()
    with monkeypatch.context() as patched:
        patched.setattr(cls, "_decode", lambda self, payload, spec: np.zeros(spec.shape, spec.dtype))
        with pytest.raises(AssertionError, match="needs format_version = 2, and _decode_older"):
            right.test_golden_vectors()
    with monkeypatch.context() as patched:
        patched.setattr(cls, "format_version", 2)
        patched.setattr(cls, "_decode_older", lambda self, payload, spec, version: self._decode(payload, spec))
        with pytest.raises(AssertionError, match="version 2 has no golden vector"):
            right.test_golden_vectors()


class Narrow(Codec):
    """Takes stacks of one shape, of values to 7."""

    id = "zoo.narrow"
    info = cc.CodecInfo(summary="narrow", dtypes=("uint8",))

    def check(self, spec):
        super().check(spec)
        if spec.shape[1:] != (3, 11) or len(spec.shape) != 3:
            raise UnsupportedArrayError("shape")

    def _encode(self, chunk):
        if chunk.max(initial=0) > 7:
            raise UnsupportedArrayError("values")
        return b""

    def _decode(self, payload, spec):
        raise NotImplementedError


def test_a_narrow_domain_is_found_by_a_sample():
    with pytest.raises(ConfigError, match="give samples"):
        Domain.of(Narrow())
    domain = Domain.of(Narrow(), [np.arange(66, dtype="u1").reshape(2, 3, 11) % 8])
    assert {spec.shape for spec in domain.specs} == {(n, 3, 11) for n in (0, 1, 2, 3, 5)}
    assert domain.ranges == {"uint8": (0, 7)}
    for spec in domain.specs:
        for array in (domain.noise(spec), domain.smooth(spec), domain.constant(spec, high=True)):
            assert array.shape == spec.shape
            assert array.max(initial=0) <= 7


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 4), (2, 0, 3)])
def test_layouts_keep_the_values(name, shape):
    array = np.arange(np.prod(shape), dtype="i4").reshape(shape)
    laid = LAYOUTS[name](array)
    assert same(laid, array)
    if array.size > 3:
        changed = (laid.strides, laid.dtype.byteorder, laid.flags.writeable, laid.flags.aligned)
        assert changed != (array.strides, array.dtype.byteorder, True, True)


def test_vectors_of_this_repository_are_there():
    root = Path(__file__).parents[2] / "plugins"
    for folder in root.glob("*/tests/vectors"):
        assert any(folder.glob("*.json")), folder


class Wide(Codec):
    """Takes squares of 64 x 64 and of nothing."""

    id = "zoo.wide"
    info = cc.CodecInfo(summary="wide", dtypes=("uint8",))

    def check(self, spec):
        super().check(spec)
        if spec.shape not in ((64, 64), (0, 64)):
            raise UnsupportedArrayError("shape")

    def _encode(self, chunk):
        return chunk.tobytes()

    def _decode(self, payload, spec):
        return np.frombuffer(payload, spec.numpy).reshape(spec.shape)


def test_there_is_always_a_sample():
    """Of a codec that takes nothing small, the smallest that it takes; and nobody passes for want of samples."""

    class Large(CodecConformance):
        codec_id = "zoo.wide"

        def codecs(self):
            return [Wide()]

    assert [array.shape for array in Large()._samples()] == [(64, 64)]

    class Empty(Large):
        def samples(self):
            return []

    with pytest.raises(AssertionError, match="no samples"):
        Empty()._samples()
