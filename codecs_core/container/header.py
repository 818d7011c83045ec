"""The header: everything about the entries and models of a file but their bytes."""

from __future__ import annotations

import reprlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from codecs_core.arrays import ArraySpec
from codecs_core.container.canonical import pack, unpack
from codecs_core.container.entry import Entry, is_sha256
from codecs_core.errors import ConfigError, FormatError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from codecs_core.limits import Limits

_TOP = {"attrs": dict, "codecs": list, "entries": list, "models": list}
_CODEC = {"config": dict, "id": str, "model": (int, type(None)), "package": str, "version": int}
#: In this order: entries are many, so they are lists.
_ENTRY = {"name": str, "dtype": str, "shape": list, "chunk": int, "codec": int, "attrs": dict}
_MODEL = {"name": str, "sha256": bytes}


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
    """

    entries: tuple[Entry, ...]
    models: tuple[tuple[str, str], ...]
    attrs: dict[str, Any]

    @classmethod
    def of(cls, entries: Sequence[Entry], models: Mapping[str, str], attrs: dict[str, Any]) -> Header:
        """Header of a file to be written; raises `ConfigError` for what no file can hold."""
        header = cls(entries=tuple(entries), models=tuple(sorted(models.items())), attrs=attrs)
        try:
            header._check()
        except FormatError as e:
            raise ConfigError(str(e)) from e
        return header

    def to_bytes(self) -> bytes:
        """Encode; entries that share codec, version, settings, model and package share one record of them."""
        numbers = {sha256: i for i, (sha256, _) in enumerate(self.models)}
        codecs: list[dict[str, Any]] = []
        known: dict[bytes, int] = {}
        # Ten thousand entries commonly share one dict of settings: it is packed once.
        seen: dict[tuple[Any, ...], int] = {}
        entries = []
        for entry in self.entries:
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
            entries.append([entry.name, spec.dtype, list(spec.shape), entry.chunk, seen[key], entry.attrs])
        models = [{"name": name, "sha256": bytes.fromhex(sha256)} for sha256, name in self.models]
        return pack({"attrs": self.attrs, "codecs": codecs, "entries": entries, "models": models})

    @classmethod
    def from_bytes(cls, data: bytes, limits: Limits) -> Header:
        """Decode, within `limits`; raises `FormatError` for anything `to_bytes` would not have written."""
        top = _map(unpack(data), _TOP, "")
        limits.check("entries", len(top["entries"]), "the header")
        models = []
        for i, item in enumerate(top["models"]):
            item = _map(item, _MODEL, f"model {i}")
            models.append((item["sha256"].hex(), item["name"]))
        codecs = [_codec(item, i, models) for i, item in enumerate(top["codecs"])]
        if len({_pack_codec(item) for item in top["codecs"]}) != len(codecs):
            raise FormatError("lists a codec twice")
        entries = tuple(_entry(item, i, codecs, limits) for i, item in enumerate(top["entries"]))
        if list(dict.fromkeys(item[4] for item in top["entries"])) != list(range(len(codecs))):
            raise FormatError("lists codecs that no entry uses, or not in the order of their first use")
        if models != sorted(models):
            raise FormatError("lists models that are not sorted by SHA-256")
        header = cls(entries=entries, models=tuple(models), attrs=top["attrs"])
        header._check()
        return header

    def _check(self) -> None:
        names = Counter(entry.name for entry in self.entries)
        if len(names) != len(self.entries):
            raise FormatError(f"has two entries named {names.most_common(1)[0][0]!r}")
        if "" in names and len(names) > 1:
            raise FormatError("has an entry named '' among others; only the sole entry of a file can have no name")
        known = {sha256 for sha256, _ in self.models}
        if len(known) != len(self.models) or not all(is_sha256(sha256) for sha256 in known):
            raise FormatError("lists a model twice, or by something that is not a SHA-256")
        if not all(type(name) is str for _, name in self.models):
            raise FormatError("lists a model whose name is not text")
        for entry in self.entries:
            if entry.model is not None and entry.model not in known:
                raise FormatError(f"has entry {entry.name!r}, whose model {entry.model} is not among its models")


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
    return {
        "codec": item["id"],
        "codec_version": item["version"],
        "config": item["config"],
        "model": None if model is None else models[model][0],
        "package": item["package"],
    }


def _entry(item: Any, i: int, codecs: list[dict[str, Any]], limits: Limits) -> Entry:
    if type(item) is not list or len(item) != len(_ENTRY):
        raise FormatError(f"entry {i} is not a list of {len(_ENTRY)} values")
    item = _map(dict(zip(_ENTRY, item, strict=True)), _ENTRY, f"entry {i}")
    if not 0 <= item["codec"] < len(codecs):
        raise FormatError(f"entry {i} refers to codec {item['codec']} of {len(codecs)}")
    try:
        spec = ArraySpec(tuple(item["shape"]), item["dtype"])
        entry = Entry(name=item["name"], spec=spec, chunk=item["chunk"], attrs=item["attrs"], **codecs[item["codec"]])
    except FormatError as e:
        raise FormatError(f"entry {i}: {e}") from e
    where = f"entry {entry.name!r}" if entry.name else "the array without a name"
    limits.check("chunks", entry.n_chunks, where)
    limits.check("array_bytes", spec.nbytes, where)
    limits.check("chunk_bytes", entry.chunk_spec(0).nbytes if entry.n_chunks else 0, where)
    return entry


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
