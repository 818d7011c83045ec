"""What a plugin says about itself, and the result of loading it. Nothing here imports an implementation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from codecs_core.codec import CodecInfo
from codecs_core.errors import PluginLoadError

_ID = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)+")
_IMPLEMENTATION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_RESOURCE = re.compile(r"[A-Za-z_][\w.]*:[^:\\]+")
_MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def _is_shape(value: object) -> bool:
    return isinstance(value, tuple) and all(
        n is None or isinstance(n, range) or (type(n) is int and n > 0) for n in value
    )


def _within(n: int, length: int | range | None) -> bool:
    return length is None or (n in length if isinstance(length, range) else n == length)


def _require(ok: bool, what: str) -> None:
    if not ok:
        raise PluginLoadError(what)


@dataclass(frozen=True, kw_only=True)
class CodecSpec:
    """A codec as its plugin announces it.

    Parameters
    ----------
    id
        ``"vendor.name"`` in lower case, never reused for another bitstream.
    implementation
        Where the class is: ``"package.module:Class"``. It is imported when the codec is first used.
    info
        What the codec is for; equal to the `info` of the class.
    format_version
        The newest bitstream the class reads and the one it writes; equal to that of the class.
    trainer
        Where the function is that trains a model, ``"package.module:function"``, if there is one: a `codecs_core.Trainer`,
        imported when something is trained. What it imports, such as torch, need not be installed to encode and to decode.

    Raises
    ------
    PluginLoadError
        Where a field does not have this form.
    """

    id: str
    implementation: str
    info: CodecInfo
    format_version: int = 1
    trainer: str | None = None

    def __post_init__(self) -> None:
        _require(
            isinstance(self.id, str) and _ID.fullmatch(self.id) is not None,
            f"codec id {self.id!r} is not of the form 'vendor.name' in lower case",
        )
        _require(
            isinstance(self.implementation, str) and _IMPLEMENTATION.fullmatch(self.implementation) is not None,
            f"implementation {self.implementation!r} of codec {self.id} is not of the form 'package.module:Class'",
        )
        _require(
            self.trainer is None
            or (isinstance(self.trainer, str) and _IMPLEMENTATION.fullmatch(self.trainer) is not None),
            f"trainer {self.trainer!r} of codec {self.id} is not of the form 'package.module:function'",
        )
        _require(
            isinstance(self.info, CodecInfo),
            f"info of codec {self.id} must be a CodecInfo, got a {type(self.info).__name__}",
        )
        _require(
            type(self.format_version) is int and self.format_version >= 1,
            f"format_version {self.format_version!r} of codec {self.id} is not a positive integer",
        )


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """A model file that ships inside a plugin's package.

    Parameters
    ----------
    name
        Short name for people, for example ``"mnist"``.
    codec
        Id of the codec it is for.
    resource
        ``"package:path/inside/it.safetensors"``.
    sha256
        Hash of the file, in hex.
    summary
        One line for people.
    nbytes
        Size of the file.
    shapes
        Shapes of arrays that the model is for, None for a length that may be any, a `range` for one that is in it. ``--codec auto``
        does not load it for arrays of other shapes; without shapes it has to.

    Raises
    ------
    PluginLoadError
        Where a field does not have this form.
    """

    name: str
    codec: str
    resource: str
    sha256: str
    summary: str
    nbytes: int
    shapes: tuple[tuple[int | range | None, ...], ...] = ()

    def __post_init__(self) -> None:
        _require(
            isinstance(self.name, str) and _MODEL_NAME.fullmatch(self.name) is not None,
            f"model name {self.name!r} is not made of letters, digits, '.', '_' and '-'",
        )
        _require(
            isinstance(self.codec, str) and _ID.fullmatch(self.codec) is not None,
            f"model {self.name} is for codec {self.codec!r}, which is no codec id",
        )
        _require(
            isinstance(self.resource, str) and _RESOURCE.fullmatch(self.resource) is not None,
            f"resource {self.resource!r} of model {self.name} is not of the form 'package:path'",
        )
        _require(
            isinstance(self.sha256, str) and _SHA256.fullmatch(self.sha256) is not None,
            f"sha256 {self.sha256!r} of model {self.name} is not 64 lower-case hex digits",
        )
        _require(
            type(self.nbytes) is int and self.nbytes > 0,
            f"nbytes {self.nbytes!r} of model {self.name} is not a positive integer",
        )
        _require(
            isinstance(self.shapes, tuple) and all(map(_is_shape, self.shapes)),
            f"shapes {self.shapes!r} of model {self.name} are no tuple of tuples of lengths, ranges and None",
        )

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether the model may be for an array of this shape, as far as is known without loading it."""
        return not self.shapes or any(
            len(one) == len(shape) and all(_within(n, length) for n, length in zip(shape, one, strict=True))
            for one in self.shapes
        )


@dataclass(frozen=True, kw_only=True)
class PluginRecord:
    """The result of loading one plugin.

    Parameters
    ----------
    name
        Name of the entry point, or the one given to `Registry.register`.
    distribution, version
        The installed package it came with.
    value
        The module it names.
    state
        ``"loaded"``, ``"failed"`` (see `error`) or ``"disabled"`` (by ``CODECS_PLUGINS``).
    error
        One line that says why loading failed.
    codecs
        Ids of the codecs it provides.
    seconds
        How long importing the module and calling its hooks took.
    """

    name: str
    distribution: str
    version: str
    value: str
    state: Literal["loaded", "failed", "disabled"]
    error: str | None = None
    codecs: tuple[str, ...] = ()
    seconds: float = 0.0
