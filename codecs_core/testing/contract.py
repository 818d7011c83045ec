"""What a codec says of itself, its settings, and how long its payloads last."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import SkipTest

import numpy as np
from numpy.typing import NDArray

from codecs_core.arrays import DTYPES, ArraySpec
from codecs_core.capabilities import SupportsTraining
from codecs_core.codec import Codec
from codecs_core.errors import CodecsError, ConfigError, ModelError, UnsupportedArrayError, UnsupportedFeatureError
from codecs_core.models import installed
from codecs_core.testing import vectors
from codecs_core.testing.environments import environment
from codecs_core.testing.subject import Subject, require

#: What takes long to import, and what nobody needs who only looks around.
HEAVY = {"torch", "tensorflow", "jax", "numba", "scipy", "pandas", "PIL", "cv2", "imagecodecs", "matplotlib", "zarr"}
_LOOK = """
import json, sys
from codecs_core.registry import default
default().spec(sys.argv[1])
default().models
print(json.dumps([*sys.modules]))
"""


class Registration(Subject):
    """Clause 9."""

    def test_entry_point(self) -> None:
        """Clause 9: one installed plugin provides the id, and the class is what it says."""
        spec, cls = self.registry.spec(self.codec_id), self.codec_class()
        require(cls.id == spec.id and cls.info == spec.info, f"{spec.implementation} says otherwise than its spec")
        own = vars(cls).get("__dataclass_params__")  # its own: a class without the decorator inherits those of `Codec`
        frozen = own is not None and own.frozen and all(f.kw_only for f in dataclasses.fields(cls))
        require(
            frozen,
            f"{cls.__name__} must be decorated with @dataclass(frozen=True, kw_only=True); without it, its settings do not exist",
        )
        self.detail = f"{spec.implementation} of {self.registry.provider(self.codec_id)}"

    def test_complete(self) -> None:
        """Clause 9: the class has every method that a codec needs."""
        cls = self.codec_class()
        missing = sorted(getattr(cls, "__abstractmethods__", ()))
        require(not inspect.isabstract(cls), f"{cls.__name__} is abstract: it does not implement {', '.join(missing)}")

    def test_models(self) -> None:
        """Clause 9: the models that ship with the codec are there, under the hashes and sizes that are announced."""
        announced = self.registry.models_for(self.codec_id)
        if not announced:
            raise SkipTest("no models ship with the codec")
        for spec in announced:
            try:
                model = installed(spec)
            except ModelError as error:
                require(False, f"model {spec.name} cannot be used: {error}")
            require(
                len(model.data) == spec.nbytes,
                f"model {spec.name} has {len(model.data)} bytes, where its ModelSpec says {spec.nbytes}",
            )
            require(
                model.codec == self.registry.models_of(self.codec_id), f"model {spec.name} is for codec {model.codec}"
            )
        self.detail = ", ".join(spec.name for spec in announced)

    def test_import_light(self) -> None:
        """Clause 9: the module of the entry point imports nothing heavy."""
        provider = self.registry.provider(self.codec_id)
        record = next(p for p in self.registry.plugins if p.distribution == provider and self.codec_id in p.codecs)
        if not record.version:
            raise SkipTest("the plugin is registered by hand, so that other processes do not know it")
        with tempfile.TemporaryDirectory() as empty:
            done = subprocess.run(  # noqa: S603
                [sys.executable, "-c", _LOOK, self.codec_id],
                env=environment(Path(empty), {"CODECS_PLUGINS": provider}),
                capture_output=True,
                text=True,
                check=False,
            )
        require(done.returncode == 0, f"looking it up fails in a fresh process: {done.stderr.strip()[-300:]}")
        heavy = HEAVY & {name.partition(".")[0] for name in json.loads(done.stdout)}
        require(
            not heavy,
            f"looking up {self.codec_id} imports {', '.join(sorted(heavy))}; import them where {record.value} does not",
        )
        self.detail = f"{record.value} in {record.seconds:.2f} s"

    def test_info(self) -> None:
        """Clause 9: what `info` says of dtypes, dimensions, models and training is so."""
        cls, codec, info = self.codec_class(), self.codec(), self.codec_class().info
        for dtype in sorted(DTYPES - {*info.dtypes}) if info.dtypes else ():
            for shape in {a.shape for a in self.taken(codec)}:
                require(_refuses(codec, np.zeros(shape, dtype)), f"info lists {info.dtypes}, yet {dtype} is encoded")
        for ndim in {*range(6)} - {*info.ndim} if info.ndim else ():
            dtype = info.dtypes[0] if info.dtypes else "uint8"
            require(
                _refuses(codec, np.zeros((2,) * ndim, dtype)), f"info lists ndim {info.ndim}, yet {ndim} is encoded"
            )
        trains = self.registry.spec(self.codec_id).trainer is not None or issubclass(cls, SupportsTraining)
        require(info.trainable == trains, f"info.trainable is {info.trainable}, which is not so")
        if info.needs_model:
            try:
                cls.from_config({})
            except ConfigError:
                pass
            else:
                require(False, "info says that a model is needed, yet there is an instance without one")
        require(bool(info.summary) and "\n" not in info.summary, "info.summary is one line for people")


class Settings(Subject):
    """Clauses 5 and 2."""

    def test_config(self) -> None:
        """Clause 5: `config` goes through JSON and back to an equal codec, and holds what is not default alone."""
        cls, model = self.codec_class(), self.found_model()
        plain = cls.from_config({}, model=model)
        require(plain.config() == {}, f"the config of a codec without settings is {plain.config()!r}")
        for given, codec in zip(self.configs, self.codecs(), strict=True):
            config = codec.config()
            try:
                back = json.loads(json.dumps(config, allow_nan=False))
            except (TypeError, ValueError) as error:
                require(False, f"config {config!r} is not JSON: {error}")
            require(
                cls.from_config(back, model=codec.model) == codec, f"config {config!r} does not come back from JSON"
            )
            require({*config} <= {*given}, f"config has {sorted({*config} - {*given})}, which nobody set")
            for key, value in config.items():
                require(getattr(plain, key) != value, f"config has {key}={value!r}, which is its default")
        self.detail = f"{len(self.configs)} tried"

    def test_unknown_setting(self) -> None:
        """Clause 5: a setting that the codec does not have is refused by name."""
        try:
            self.codec_class().from_config({"no_such_setting": 1}, model=self.found_model())
        except ConfigError as error:
            require("no_such_setting" in str(error), f"the error does not name the setting: {error}")
        else:
            require(False, "the setting no_such_setting is taken")

    def test_copies(self) -> None:
        """Clause 2: a codec that was pickled or copied, used or not, is equal and gives the same bytes."""
        for used in (False, True):
            for codec in self.codecs():
                arrays = self.taken(codec)[:1]
                if used:
                    for array in arrays:
                        codec.encode(array)
                for how, clone in ("a pickle", pickle.loads(pickle.dumps(codec))), ("a copy", copy.deepcopy(codec)):  # noqa: S301
                    require(clone == codec, f"{how} of the codec is not equal to it")
                    for array in arrays:
                        require(clone.encode(array) == codec.encode(array), f"{how} of the codec gives other bytes")


class Lasting(Subject):
    """Clause 6."""

    def test_unknown_version(self) -> None:
        """Clause 6: a format version that never was is refused as such."""
        codec = self.codec()
        array = self.taken(codec)[0]
        payload = codec.encode(array)
        try:
            codec.decode(payload, ArraySpec.of(array), version=codec.format_version + 1)
        except UnsupportedFeatureError:
            return
        require(False, f"a payload of format version {codec.format_version + 1} is decoded, which there is not")

    def test_older_versions(self) -> None:
        """Clause 6: a codec whose format version was raised has a decoder of the older ones."""
        cls = self.codec_class()
        if cls.format_version == 1:
            raise SkipTest("there is no older format version")
        require(
            cls._decode_older is not Codec._decode_older or cls.same_since is not None,
            f"format_version is {cls.format_version}, yet {cls.__name__} has no _decode_older: files of version 1 are lost",
        )

    def test_golden_vectors(self) -> None:
        """Clause 6: payloads kept from the day they were first written decode to the same values."""
        how = "`pytest --codecs-write-vectors` writes them once the stream is settled"
        if self.vectors is None:
            raise SkipTest("there is no folder of golden vectors")
        written = self._write() if vectors.writing else 0
        cls, versions = self.codec_class(), set()
        for vector, model in vectors.read(self.vectors, self.codec_id):
            codec = cls.from_config(vector.config, model=model)
            try:
                decoded = codec.decode(vector.payload, vector.spec, version=vector.format_version)
            except CodecsError as error:
                require(False, f"{vector.stem} cannot be decoded any more ({error}); {_remedy(cls, vector)}")
            require(
                vectors.sha256(decoded) == vector.sha256,
                f"{vector.stem} decodes to other values than it did; {_remedy(cls, vector)}",
            )
            versions.add(vector.format_version)
        if not versions:
            raise SkipTest(f"there are no golden vectors yet; {how}")
        require(cls.format_version in versions, f"format version {cls.format_version} has no golden vector; {how}")
        lost = sorted({*range(1, cls.format_version)} - versions)
        old = ", ".join(map(str, lost))
        require(
            not lost, f"format version {old} has no golden vector; keep those that were written when it was current"
        )
        self.detail = f"of versions {sorted(versions)}" + (f", {written} of them new" if written else "")

    def _write(self) -> int:
        folder, written = self.vectors, 0
        if folder is not None:
            for codec in self.codecs():
                for array in self.taken(codec):
                    written += vectors.Vector.of(codec, array).save(folder, codec.model)
        return written


def _refuses(codec: Codec, array: NDArray[Any]) -> bool:
    try:
        codec.encode(array)
    except UnsupportedArrayError:
        return True
    return False


def _remedy(cls: type[Codec], vector: vectors.Vector) -> str:
    """What an author does who changed the payload."""
    if vector.format_version < cls.format_version:
        return f"decode version {vector.format_version} in _decode_older as it was decoded then"
    return f"a changed payload needs format_version = {cls.format_version + 1}, and _decode_older for version {cls.format_version}"
