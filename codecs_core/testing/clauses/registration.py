"""Is the codec there, and is it what its plugin says?"""

from __future__ import annotations

import dataclasses
import inspect
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import SkipTest

import numpy as np
from numpy.typing import NDArray

from codecs_core.arrays import DTYPES
from codecs_core.codec import Codec
from codecs_core.errors import ConfigError, ModelError, UnsupportedArrayError
from codecs_core.models.resolve import installed
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
        announced = [model for model in self.registry.models if model.codec == self.codec_id]
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
            require(model.codec == self.codec_id, f"model {spec.name} is for codec {model.codec}")
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
        overridden = any("train" in vars(base) for base in cls.__mro__ if base is not Codec)
        trains = overridden or self.registry.spec(self.codec_id).trainer is not None
        require(info.trainable == trains, f"info.trainable is {info.trainable}, which is not so")
        if info.needs_model:
            try:
                cls.from_config({})
            except ConfigError:
                pass
            else:
                require(False, "info says that a model is needed, yet there is an instance without one")
        require(bool(info.summary) and "\n" not in info.summary, "info.summary is one line for people")


def _refuses(codec: Codec, array: NDArray[Any]) -> bool:
    try:
        codec.encode(array)
    except UnsupportedArrayError:
        return True
    return False
