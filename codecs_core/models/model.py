"""A model: named tensors and what they are for, identified by the SHA-256 of its file."""

from __future__ import annotations

import hashlib
import re
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from codecs_core.errors import InputError, ModelError
from codecs_core.models.header import KEY, canonical_json, parse, split
from codecs_core.models.tensors import read

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray

_HASH_SUFFIX = re.compile(r"-[0-9a-f]{16}$")
_DTYPES = frozenset(
    ["bool", "float16", "float32", "float64"]
    + [f"{kind}{bits}" for kind in ("uint", "int") for bits in (8, 16, 32, 64)]
)


@dataclass(frozen=True, kw_only=True)
class Model:
    """Everything a codec learnt, immutable. Two models are equal if their files are, byte for byte.

    Make one with `create`, `from_bytes` or `from_file`, which fill the fields from the file.

    Parameters
    ----------
    name
        For people; it is no part of the file and of the identity.
    sha256
        Hash of `data`, in hex.
    data
        The safetensors file.
    codec
        Id of the codec it is for.
    config
        The architecture, JSON-able.
    attrs
        How it came about: command, data, figures; JSON-able.
    """

    name: str = field(compare=False)
    sha256: str
    data: bytes = field(compare=False, repr=False)
    codec: str = field(compare=False)
    config: dict[str, Any] = field(compare=False, repr=False)
    attrs: dict[str, Any] = field(compare=False, repr=False)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """The tensors by name, read-only; parsed at the first call.

        Raises
        ------
        ModelError
            If the file breaks the safetensors format.
        """
        return dict(self._tensors)

    @cached_property
    def _tensors(self) -> dict[str, NDArray[Any]]:
        try:
            return read(self.data, *split(self.data, "the file"))
        except ModelError as error:
            raise ModelError(f"the tensors of {self._label()} cannot be read: {error}") from error

    @classmethod
    def create(
        cls,
        *,
        codec: str,
        config: Mapping[str, Any],
        tensors: Mapping[str, NDArray[Any]],
        attrs: Mapping[str, Any] | None = None,
        name: str = "",
    ) -> Self:
        """Make a model; the same arguments give the same bytes on any machine.

        Raises
        ------
        ModelError
            If `config` or `attrs` is not JSON-able, or a tensor has a dtype that a model cannot hold.
        """
        from safetensors.numpy import save

        stored = {key: _portable(key, tensors[key]) for key in sorted(tensors)}
        about = canonical_json({"codec": codec, "config": dict(config), "attrs": dict(attrs or {})})
        return cls.from_bytes(save(stored, metadata={KEY: about}), name)

    def replaced(self, **fields: Any) -> Self:
        """A model with some of `create`'s arguments in place of this one's; its hash is another."""
        own = {"codec": self.codec, "config": self.config, "tensors": self.tensors(), "attrs": self.attrs}
        return self.create(**{**own, "name": self.name, **fields})

    @property
    def label(self) -> str:
        """Its name, or else the start of its hash, in quotes: for messages."""
        return repr(self.name or self.sha256[:16])

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "", expect: str | None = None) -> Self:
        """Read a model from the bytes of its file.

        Parameters
        ----------
        data
            The file.
        name
            For people.
        expect
            The SHA-256 it must have.

        Raises
        ------
        ModelError
            If the bytes are no model, or have another hash.
        """
        data = bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        where = f"model {name}" if name else "a model"
        if expect is not None and sha256 != expect:
            raise ModelError(f"{where} must have SHA-256 {expect}, got {sha256}; it is damaged or another model")
        return cls(name=name, sha256=sha256, data=data, **parse(data, where))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], *, expect: str | None = None) -> Self:
        """Read a model file; its name is that of the file without hash and suffix.

        Raises
        ------
        InputError
            If the file cannot be read.
        ModelError
            As `from_bytes`.
        """
        path = Path(path)
        try:
            # Asked before it is opened: opening a pipe would wait for someone to write to it.
            if not stat.S_ISREG(path.stat().st_mode):
                raise OSError("it is not a regular file")
            data = path.read_bytes()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise InputError(f"model file {path} cannot be read: {why}") from error
        try:
            return cls.from_bytes(data, _HASH_SUFFIX.sub("", path.stem), expect)
        except ModelError as error:
            raise error.at(f"{path}", path=str(path)) from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file; what stood under `path` stays until all of it is on disk.

        Raises
        ------
        OutputError
            If that is impossible.
        """
        from codecs_core.models.files import replace_file

        replace_file(Path(path), self.data)

    def _label(self) -> str:
        return f"model {self.name} ({self.sha256[:16]})" if self.name else f"model {self.sha256[:16]}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self).from_bytes, (self.data, self.name))


def _portable(name: str, tensor: NDArray[Any]) -> NDArray[Any]:
    array = np.asarray(tensor)
    if name == "__metadata__":
        raise ModelError("a tensor cannot be called '__metadata__'; the format keeps that name")
    if array.dtype.name not in _DTYPES:
        raise ModelError(f"tensor {name!r} has dtype {array.dtype}; a model holds {', '.join(sorted(_DTYPES))}")
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
