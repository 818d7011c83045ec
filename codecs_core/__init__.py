"""A registry, a container format and an entropy-coding engine for neural codecs.

Names are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codecs_core import entropy as entropy
    from codecs_core import errors as errors
    from codecs_core import exact as exact
    from codecs_core import fields as fields
    from codecs_core import jit as jit
    from codecs_core import learn as learn
    from codecs_core import testing as testing
    from codecs_core.api import (
        EntryView,
        File,
        Source,
        StreamWriter,
        choose,
        create,
        get_codec,
        inspect,
        list_codecs,
        load,
        load_model,
        open,
        recover,
        save,
        train,
    )
    from codecs_core.arrays import ArraySpec
    from codecs_core.autoencoder import FrozenAutoencoder
    from codecs_core.capabilities import (
        Progress,
        SupportsBetween,
        SupportsInformation,
        SupportsOlderPreview,
        SupportsPreview,
        SupportsSamples,
        SupportsScale,
        SupportsTraining,
        Trainer,
    )
    from codecs_core.codec import Codec, CodecInfo
    from codecs_core.errors import CodecsError
    from codecs_core.learned import ImageCodec, ItemCodec, MessageCodec
    from codecs_core.limits import Limits
    from codecs_core.models import Model, ModelParts
    from codecs_core.registry import CodecSpec, ModelSpec, hookimpl
    from codecs_core.report.bars import progress_bar
    from codecs_core.scale import Grid, Places
    from codecs_core.stored import restore, store, stored_size
    from codecs_core.telling import tell
    from codecs_core.version import __version__ as __version__

_HOME = {
    "Codec": "codec",
    "CodecInfo": "codec",
    "Progress": "capabilities",
    "SupportsBetween": "capabilities",
    "SupportsInformation": "capabilities",
    "SupportsOlderPreview": "capabilities",
    "SupportsPreview": "capabilities",
    "SupportsSamples": "capabilities",
    "SupportsScale": "capabilities",
    "SupportsTraining": "capabilities",
    "Trainer": "capabilities",
    "ArraySpec": "arrays",
    "Grid": "scale",
    "Places": "scale",
    "Limits": "limits",
    "ImageCodec": "learned",
    "ItemCodec": "learned",
    "MessageCodec": "learned",
    "CodecsError": "errors",
    "CodecSpec": "registry",
    "ModelSpec": "registry",
    "hookimpl": "registry",
    "FrozenAutoencoder": "autoencoder",
    "Model": "models",
    "ModelParts": "models",
    "save": "api",
    "load": "api",
    "open": "api",
    "recover": "api",
    "choose": "api",
    "create": "api",
    "inspect": "api",
    "get_codec": "api",
    "list_codecs": "api",
    "train": "api",
    "load_model": "api",
    "File": "api",
    "EntryView": "api",
    "StreamWriter": "api",
    "Source": "api",
    "progress_bar": "report.bars",
    "restore": "stored",
    "store": "stored",
    "stored_size": "stored",
    "tell": "telling",
    "__version__": "version",
}

#: Public modules: `codecs_core.errors` is there without an import of its own, and is loaded on first use.
_MODULES = ("entropy", "errors", "exact", "fields", "jit", "learn", "testing")

__all__ = [
    "ArraySpec",
    "Codec",
    "CodecInfo",
    "CodecSpec",
    "CodecsError",
    "EntryView",
    "File",
    "FrozenAutoencoder",
    "Grid",
    "ImageCodec",
    "ItemCodec",
    "Limits",
    "MessageCodec",
    "Model",
    "ModelParts",
    "ModelSpec",
    "Places",
    "Progress",
    "Source",
    "StreamWriter",
    "SupportsBetween",
    "SupportsInformation",
    "SupportsOlderPreview",
    "SupportsPreview",
    "SupportsSamples",
    "SupportsScale",
    "SupportsTraining",
    "Trainer",
    "choose",
    "create",
    "get_codec",
    "hookimpl",
    "inspect",
    "list_codecs",
    "load",
    "load_model",
    "open",
    "progress_bar",
    "recover",
    "restore",
    "save",
    "store",
    "stored_size",
    "tell",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"codecs_core.{name}")
    if name in _HOME:
        return getattr(import_module(f"codecs_core.{_HOME[name]}"), name)
    raise AttributeError(f"module 'codecs_core' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *_MODULES, "__version__"]
