"""From the stored chunks of an open file to arrays."""

from __future__ import annotations

import json
import math
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.api.codecs import find, rebuild
from codecs_core.container import Entry, Reader, digest
from codecs_core.errors import (
    ConfigError,
    CorruptDataError,
    DecodeMismatchError,
    LimitExceededError,
    MachineError,
    ModelError,
    ModelNotFoundError,
    OutOfMemoryError,
    UnknownCodecError,
)
from codecs_core.models import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from fractions import Fraction

    from numpy.typing import NDArray

    from codecs_core.arrays import ArraySpec
    from codecs_core.codec import Codec
    from codecs_core.limits import Limits
    from codecs_core.models import Model
    from codecs_core.registry import Registry


class Decoder:
    """Finds the codecs and models that a file names, and decodes its chunks. Safe to use from several threads.

    Parameters
    ----------
    reader
        The open file.
    path
        What it is called in messages.
    limits
        Caps on what is allocated.
    models
        Models to use beside those that can be found.
    registry
        Where codecs come from.
    fill
        The value of chunks that are missing from a recovered file; None: they are errors.
    """

    def __init__(
        self,
        reader: Reader,
        path: str,
        *,
        limits: Limits,
        models: Sequence[Model],
        registry: Registry,
        fill: complex | None = None,
    ) -> None:
        self.reader = reader
        self.path = path
        self.limits = limits
        self.models = {model.sha256: model for model in models}
        self.registry = registry
        self.fill = fill
        self._codecs: dict[str, Codec] = {}
        self._lock = threading.RLock()
        self._last: tuple[str, int, NDArray[Any]] | None = None

    def chunk(self, entry: Entry, i: int) -> NDArray[Any]:
        """A decoded chunk; the last one is kept for callers that take items one by one."""
        last = self._last
        if last is not None and last[:2] == (entry.name, i):
            return last[2]
        array = self.decode(entry, i)
        self._last = (entry.name, i, array)
        return array

    def room(self, entry: Entry, chunks: Iterable[int], shape: tuple[int, ...]) -> NDArray[Any]:
        """Memory for an array that some chunks of an entry go to, unless they cannot be what they claim to be.

        Raises
        ------
        MissingChunkError
            If one of them is missing, and there is nothing to fill it with.
        LimitExceededError
            If their values are too many for their stored bytes.
        OutOfMemoryError
            If this machine has not as much.
        """
        values = stored = 0
        for i in chunks:
            if self.fill is None and not self.reader.has(entry.name, i):
                self.reader.chunk(entry.name, i)  # raises, and says what to do
            values += entry.chunk_spec(i).size
            stored += self.reader.stored(entry.name, i)
        where = f"{self.path}, {_called(entry)}".rstrip(", ")
        self.limits.check_claim(values, stored, where)
        try:
            return np.empty(shape, np.dtype(entry.spec.dtype))
        except MemoryError as error:
            nbytes = math.prod(shape) * entry.spec.itemsize
            raise OutOfMemoryError(
                f"{where}: there is no memory for {nbytes} bytes; take fewer items at a time (--items)"
            ) from error

    def decode(self, entry: Entry, i: int) -> NDArray[Any]:
        """Chunk `i`, decoded and compared with its digest."""
        if self.fill is not None and not self.reader.has(entry.name, i):
            return filled(entry.chunk_spec(i), self.fill, self.limits)
        where = f"{self.path}, {_called(entry)}chunk {i}"
        payload, expected = self.reader.chunk(entry.name, i)
        codec = self.codec(entry)
        with _located(where, path=self.path, entry=entry.name, chunk=i):
            array = codec.decode(payload, entry.chunk_spec(i), version=entry.codec_version, limits=self.limits)
        if digest(array) != expected:
            raise DecodeMismatchError(
                f"{where}: the stored bytes are intact, but this machine or this version of codec {entry.codec} "
                f"(payload version {entry.codec_version}, installed {codec.format_version}, from "
                f"{self.registry.provider(entry.codec)}) decodes them to something else than was encoded; "
                f"do not use the result, and report it together with the file"
            ).at(path=self.path, entry=entry.name, chunk=i)
        return array

    def preview(self, entry: Entry, i: int, levels: int) -> NDArray[Any]:
        """A preview of chunk `i`. It is not what was encoded, so there is no digest to compare it with."""
        payload = self.reader.payload(entry.name, i)
        codec, spec = self.codec(entry), entry.chunk_spec(i)
        with _located(f"{self.path}, {_called(entry)}chunk {i}", path=self.path, entry=entry.name, chunk=i):
            return codec.preview(payload, spec, levels, version=entry.codec_version, limits=self.limits)

    def scaled(self, entry: Entry, i: int, scale: Fraction, start: tuple[int, ...]) -> NDArray[Any]:
        """Chunk `i`, which begins at `start`, at another resolution. It is not what was encoded, so there is no digest for it."""
        payload = self.reader.payload(entry.name, i)
        codec, spec = self.codec(entry), entry.chunk_spec(i)
        with _located(f"{self.path}, {_called(entry)}chunk {i}", path=self.path, entry=entry.name, chunk=i):
            return codec.scaled(payload, spec, scale, start=start, version=entry.codec_version, limits=self.limits)

    def codec(self, entry: Entry) -> Codec:
        """The codec of an entry, made once for all entries of the same settings."""
        key = json.dumps([entry.codec, entry.codec_version, entry.config, entry.model], sort_keys=True)
        with self._lock:
            if key not in self._codecs:
                self._codecs[key] = self._build(entry)
            return self._codecs[key]

    def _build(self, entry: Entry) -> Codec:
        where = f"{self.path}, {_called(entry)}".rstrip(", ")
        try:
            return rebuild(
                entry.codec,
                entry.codec_version,
                entry.config,
                lambda: None if entry.model is None else self._model(entry, entry.model, where),
                package=entry.package,
                registry=self.registry,
                where=where,
            )
        except UnknownCodecError as error:
            raise UnknownCodecError(f"{where}: {error}") from error

    def _model(self, entry: Entry, sha256: str, where: str) -> Model:
        record = self.reader.models.get(sha256)
        called = f" (called {record.name!r})" if record is not None and record.name else ""
        if sha256 in self.models and (record is None or record.embedded_bytes is None):
            return find(self.models[sha256], entry.codec, self.registry)
        try:
            codec = self.registry.models_of(entry.codec)
            return resolve(sha256, codec=codec, registry=self.registry, reader=self.reader)
        except ModelNotFoundError as error:
            given = "".join(f"; the given model {model.name} is {hash}" for hash, model in self.models.items())
            raise ModelNotFoundError(f"{where}: it needs a model{called}: {error}{given}") from error
        except ModelError as error:
            raise ModelError(f"{where}: {error}") from error


def filled(spec: ArraySpec, value: complex, limits: Limits) -> NDArray[Any]:
    """An array of one value; raises `ConfigError` if its dtype has no such value."""
    limits.check("chunk_bytes", spec.nbytes, "a missing chunk")
    kind = spec.numpy.kind
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one = np.asarray(value).astype(spec.dtype)
    if (isinstance(value, complex) and kind != "c") or (kind not in "fc" and one != value):
        raise ConfigError(f"missing chunks of {spec.dtype} cannot be filled with {value!r}, which is no value of it")
    return np.full(spec.shape, one)


@contextmanager
def _located(where: str, *, path: str, entry: str, chunk: int) -> Iterator[None]:
    """Say where in which file an error of a codec arose."""
    try:
        yield
    except (CorruptDataError, LimitExceededError, MachineError) as error:
        raise error.at(where, path=path, entry=entry, chunk=chunk) from error


def _called(entry: Entry) -> str:
    return f"entry {entry.name!r}, " if entry.name else ""
