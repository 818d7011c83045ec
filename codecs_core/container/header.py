"""The header: everything about the entries and models of a file but their bytes."""

from __future__ import annotations

import reprlib
import secrets
import sys
from array import array
from dataclasses import dataclass, field, fields
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import msgpack  # type: ignore[import-untyped]
import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.container.canonical import MAX_BYTES, MAX_DEPTH, MAX_VALUES, Parts, pack, unpack
from codecs_core.container.entries import SHORT, Entries, hashing, name_in
from codecs_core.container.entry import Entry, is_sha256
from codecs_core.errors import ConfigError, FormatError
from codecs_core.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_TOP = {"attrs": dict, "codecs": list, "entries": list, "models": list}
_CODEC = {"config": dict, "id": str, "model": (int, type(None)), "package": str, "version": int}
#: In this order: entries are many, so they are lists.
_ENTRY = {"name": str, "dtype": str, "shape": list, "chunk": int, "codec": int, "attrs": dict}
#: The same where arrays may be cut in all axes.
_GRID_ENTRY = {**_ENTRY, "chunk": (int, list)}
_ENTRY_TYPES = list(_ENTRY.values())
_MODEL = {"name": str, "sha256": bytes}
#: What is written is held to the limits by the writer.
_UNLIMITED = Limits(**dict.fromkeys((one.name for one in fields(Limits)), sys.maxsize))
#: Kinds of entries that are remembered while a header is read.
_KNOWN = 1 << 12


@dataclass(frozen=True, kw_only=True)
class Header:
    """What the header of a container says.

    Parameters
    ----------
    entries
        In the order of the file; frames refer to them by position.
    models
        SHA-256 (hexadecimal) and human name of every model the entries need, sorted by SHA-256; frames refer to
        them by position.
    attrs
        Attributes of the file as a whole.
    data
        The header as stored.
    """

    entries: Entries
    models: tuple[tuple[str, str], ...]
    attrs: dict[str, Any]
    data: bytes = field(repr=False)

    @classmethod
    def of(cls, entries: Sequence[Entry], models: Mapping[str, str], attrs: dict[str, Any]) -> Header:
        """Header of a file to be written, as it will be read; raises `ConfigError` for what no file can hold."""
        for entry in entries:
            if entry.model is not None and entry.model not in models:
                raise ConfigError(f"has entry {entry.name!r}, whose model {entry.model} is not among its models")
        grid = any(type(entry.chunk) is tuple for entry in entries)
        try:
            return cls.from_bytes(_packed(entries, sorted(models.items()), attrs), _UNLIMITED, grid=grid)
        except FormatError as e:
            raise ConfigError(str(e)) from e

    def to_bytes(self) -> bytes:
        """As stored."""
        return self.data

    @classmethod
    def from_bytes(cls, data: bytes, limits: Limits, *, grid: bool = False) -> Header:
        """Decode, within `limits`; raises `FormatError` for anything `to_bytes` would not have written.

        `grid` is whether the file says that an array is cut along other axes than the first.
        """
        parts = Parts(data)
        _keys(parts, 0)
        attrs = parts.value(MAX_DEPTH - 1, MAX_VALUES - 2 * len(_TOP))
        left = parts.left
        _keys(parts, 1)
        raw_codecs = _listed(parts.value(MAX_DEPTH - 1, left), "codecs")
        left = parts.left
        _keys(parts, 2)
        before = parts.at
        scan = _Scan(data, parts, limits, len(raw_codecs), grid=grid)
        after = parts.at
        _keys(parts, 3)
        raw_models = _listed(parts.value(MAX_DEPTH - 1, left), "models")
        parts.end()
        if before + 1 + len(data) - after > MAX_BYTES:
            raise FormatError(f"has more than {MAX_BYTES} bytes beside its entries")
        if type(attrs) is not dict:
            raise FormatError("the header has attrs that are no map")
        models = []
        for i, item in enumerate(raw_models):
            item = _map(item, _MODEL, f"model {i}")
            models.append((item["sha256"].hex(), item["name"]))
        codecs = [_codec(item, i, models) for i, item in enumerate(raw_codecs)]
        if len({_pack_codec(item) for item in raw_codecs}) != len(codecs):
            raise FormatError("lists a codec twice")
        if models != sorted(models):
            raise FormatError("lists models that are not sorted by SHA-256")
        header = cls(entries=scan.entries(data, codecs), models=tuple(models), attrs=attrs, data=data)
        header._check()
        return header

    def _check(self) -> None:
        twice = self.entries.twice()
        if twice is not None:
            raise FormatError(f"has two entries named {twice!r}")
        if self.entries.find("") is not None and len(self.entries) > 1:
            raise FormatError("has an entry named '' among others; only the sole entry of a file can have no name")
        known = {sha256 for sha256, _ in self.models}
        if len(known) != len(self.models) or not all(is_sha256(sha256) for sha256 in known):
            raise FormatError("lists a model twice, or by something that is not a SHA-256")
        if not all(type(name) is str for _, name in self.models):
            raise FormatError("lists a model whose name is not text")


def _packed(entries: Sequence[Entry], models: Sequence[tuple[str, str]], attrs: dict[str, Any]) -> bytes:
    """The bytes of a header; entries that share codec, version, settings, model and package share one record of them."""
    numbers = {sha256: i for i, (sha256, _) in enumerate(models)}
    codecs: list[dict[str, Any]] = []
    known: dict[bytes, int] = {}
    # Ten thousand entries commonly share one dict of settings: it is packed once.
    seen: dict[tuple[Any, ...], int] = {}
    packed = []
    for entry in entries:
        key = (id(entry.config), entry.codec, entry.codec_version, entry.model, entry.package)
        if key not in seen:
            codec = {
                "config": entry.config,
                "id": entry.codec,
                "model": None if entry.model is None else numbers[entry.model],
                "package": entry.package,
                "version": entry.codec_version,
            }
            seen[key] = known.setdefault(_pack_codec(codec), len(codecs))
            if seen[key] == len(codecs):
                codecs.append(codec)
        spec = entry.spec
        chunk = list(entry.chunk) if isinstance(entry.chunk, tuple) else entry.chunk
        try:
            packed.append(pack([entry.name, spec.dtype, list(spec.shape), chunk, seen[key], entry.attrs]))
        except ConfigError as e:
            raise ConfigError(f"entry {entry.name!r} {e}") from e
    try:
        listed = [{"name": name, "sha256": bytes.fromhex(sha256)} for sha256, name in models]
    except ValueError as e:
        raise ConfigError("lists a model twice, or by something that is not a SHA-256") from e
    others = pack({"attrs": attrs, "codecs": codecs, "entries": [], "models": listed})
    # their place in it: the empty list before the models
    end = len(others) - len(pack(listed)) - len(pack("models"))
    return b"".join([others[: end - 1], msgpack.Packer().pack_array_header(len(packed)), *packed, others[end:]])


class _Scan:
    """Go through the entries of a header one by one; each is checked and then dropped."""

    def __init__(self, data: bytes, parts: Parts, limits: Limits, codecs: int, *, grid: bool) -> None:
        n, found = parts.list(), False
        limits.check("entries", n, "the header")
        self._key = hashing(secrets.randbits(63))
        self._starts, self._chunks, self._keys = array("q"), array("q"), array("Q")
        used, blank = 0, [{"codec": "?"}] * codecs
        # Most of a million arrays are like one that was before, but for their names: what was checked is not checked again.
        known: dict[bytes, tuple[int, int]] = {}
        for i, (start, end) in enumerate(parts.slices(n)):
            packed = data[start:end]
            first, last = name_in(packed) if len(packed) <= SHORT else (0, 0)
            name, rest = packed[first:last], packed[last:] if last else b""
            facts = known.get(rest) if last and _is_text(name) else None
            if facts is None:
                item = unpack(packed, MAX_DEPTH - 2)
                entry = _entry(item, i, blank, limits, _GRID_ENTRY if grid else _ENTRY)
                found = found or type(entry.chunk) is tuple
                name, facts = item[0].encode(), (entry.n_chunks, item[4])
                if last and len(known) < _KNOWN:
                    known[rest] = facts
                del item, entry  # which may be large, before the next one is made
            chunks, codec = facts
            used = max(used, codec + 1) if codec <= used else codecs + 1
            self._starts.append(start)
            self._chunks.append(chunks)
            self._keys.append(self._key(name))
        self._starts.append(parts.at)
        if used != codecs:
            raise FormatError("lists codecs that no entry uses, or not in the order of their first use")
        if grid != found:
            raise FormatError("the preamble says that an array is cut in several axes, and none is")
        self._grid = grid

    def entries(self, data: bytes, codecs: list[dict[str, Any]]) -> Entries:
        """All of them, given what their codecs are."""
        starts, chunks = (
            np.frombuffer(a, np.int64) if a else np.zeros(0, np.int64) for a in (self._starts, self._chunks)
        )
        keys = np.frombuffer(self._keys, np.uint64) if self._keys else np.zeros(0, np.uint64)
        return Entries(data, starts, chunks, keys, self._key, partial(_made, codecs=codecs), self._grid)


def _keys(parts: Parts, i: int) -> None:
    """Enter the header, or go on to its next key."""
    key = sorted(_TOP)[i]
    n = parts.map() if i == 0 else len(_TOP)
    found = parts.value() if n else None
    if n != len(_TOP) or found != key:
        raise FormatError(
            f"the header has {n} keys, and {reprlib.repr(found)} in the place of {key!r}; expected {sorted(_TOP)}"
        )


def _listed(value: Any, what: str) -> list[Any]:
    if type(value) is not list:
        raise FormatError(f"the header has {what} that are no list")
    return value


def _pack_codec(codec: dict[str, Any]) -> bytes:
    """Encode a codec record; raises `ConfigError` if its settings hold bytes, which JSON cannot show."""
    if _has_bytes(codec["config"]):
        raise ConfigError(f"the settings of codec {codec['id']!r} hold bytes; only attrs can")
    return pack(codec)


def _codec(item: Any, i: int, models: list[tuple[str, str]]) -> dict[str, Any]:
    """Arguments of `Entry` that a codec record stands for."""
    item = _map(item, _CODEC, f"codec {i}")
    model = item["model"]
    if model is not None and not 0 <= model < len(models):
        raise FormatError(f"codec {i} refers to model {model} of {len(models)}")
    if _has_bytes(item["config"]):
        raise FormatError(f"codec {i} has settings that hold bytes")
    found = {
        "codec": item["id"],
        "codec_version": item["version"],
        "config": item["config"],
        "model": None if model is None else models[model][0],
        "package": item["package"],
    }
    try:
        Entry(name="", spec=ArraySpec((), "bool"), chunk=1, **found)
    except FormatError as e:
        raise FormatError(f"codec {i}: {e}") from e
    return found


def _is_text(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _entry(item: Any, i: int, codecs: list[dict[str, Any]], limits: Limits, kinds: Mapping[str, Any]) -> Entry:
    """An entry that keeps to all rules, and to the limits."""
    if type(item) is not list or len(item) != len(_ENTRY):
        raise FormatError(f"entry {i} is not a list of {len(_ENTRY)} values")
    if [type(value) for value in item] != _ENTRY_TYPES:
        _map(dict(zip(_ENTRY, item, strict=True)), kinds, f"entry {i}")
    if not 0 <= item[4] < len(codecs):
        raise FormatError(f"entry {i} refers to codec {item[4]} of {len(codecs)}")
    if not all(type(n) is int for n in item[2]):
        raise FormatError(f"entry {i} has the shape {reprlib.repr(item[2])}; expected integers")
    try:
        entry = _made(item, codecs)
    except FormatError as e:
        raise FormatError(f"entry {i}: {e}") from e
    entry.check_limits(limits)
    return entry


def _made(item: Any, codecs: list[dict[str, Any]]) -> Entry:
    name, dtype, shape, chunk, codec, attrs = item
    chunk = tuple(chunk) if type(chunk) is list else chunk
    return Entry(name=name, spec=_spec(dtype, *shape), chunk=chunk, attrs=attrs, **codecs[codec])


@lru_cache(maxsize=_KNOWN, typed=True)
def _spec(dtype: str, *shape: int) -> ArraySpec:
    return ArraySpec(shape, dtype)


def _map(value: Any, keys: Mapping[str, Any], where: str) -> dict[str, Any]:
    """`value`, if it is a map with just these keys and types. Types are exact: True is not 1, and 2.0 is not 2."""
    where = where or "the header"
    if type(value) is not dict:
        raise FormatError(f"{where} is not a map")
    if value.keys() != keys.keys():
        raise FormatError(f"{where} has the keys {reprlib.repr(sorted(value))}; expected {sorted(keys)}")
    for key, kinds in keys.items():
        if type(value[key]) not in (kinds if type(kinds) is tuple else (kinds,)):
            raise FormatError(f"{where} has {key!r} of type {type(value[key]).__name__}")
    return value


def _has_bytes(value: Any) -> bool:
    if type(value) is dict:
        return any(_has_bytes(item) for item in value.values())
    if type(value) in (list, tuple):
        return any(_has_bytes(item) for item in value)
    return type(value) is bytes
