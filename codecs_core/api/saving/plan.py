"""From the arguments of `save` to entries, each with its data and its codec. Nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from codecs_core.api import chunks, labelled
from codecs_core.api.choosing import auto
from codecs_core.api.codecs import build
from codecs_core.api.items import Announced, items
from codecs_core.api.saving.assign import Assignment
from codecs_core.api.saving.request import AUTO, requests
from codecs_core.container import Entry, grid
from codecs_core.container.entry import MAX_CHUNKS
from codecs_core.errors import ConfigError, UnsupportedArrayError

if TYPE_CHECKING:
    from codecs_core.api.chunks import ChunkChoice
    from codecs_core.api.codecs import CodecChoice, ModelChoice
    from codecs_core.api.items import Items
    from codecs_core.arrays import ArraySpec
    from codecs_core.codec import Progress
    from codecs_core.container.grid import Chunk
    from codecs_core.limits import Limits
    from codecs_core.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Planned:
    """An array to be stored."""

    name: str
    items: Items
    choice: auto.Choice
    chunk: Chunk | None
    attrs: dict[str, Any]

    def entry(self, registry: Registry) -> Entry:
        """The entry of the container, as the codec that is on makes it."""
        codec, spec = self.choice.codec, self.items.spec
        chunk = grid.simplest(spec.shape, self.chunk or chunks.usual(codec, spec))
        if grid.n_chunks(spec.shape, chunk) > MAX_CHUNKS:
            raise ConfigError(
                f"an array of shape {spec.shape} makes more than 2^32 chunks of {chunk}; take larger chunks with chunk=... (--chunk)"
            )
        return Entry(
            name=self.name,
            spec=spec,
            chunk=chunk,
            codec=codec.id,
            codec_version=codec.format_version,
            config=codec.config(),
            model=codec.model.sha256 if codec.model is not None else None,
            package=registry.provider(codec.id),
            attrs=self.attrs,
        )

    def refusal(self, entry: Entry) -> UnsupportedArrayError | None:
        """Why the codec that is on does not take such arrays, if so."""
        try:
            for index in {0, entry.n_chunks - 1} if entry.n_chunks else set():
                self.choice.codec.check(entry.chunk_spec(index))
        except UnsupportedArrayError as error:
            return error
        return None


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A codec that does not take all of the entries it is for.

    Parameters
    ----------
    choice
        The codec, and what may come next.
    errors
        Why, by the names of entries.
    """

    choice: auto.Choice
    errors: dict[str, UnsupportedArrayError]

    def error(self) -> UnsupportedArrayError:
        """The first of the errors, which says the name of the entry, if it has one."""
        name, cause = next(iter(self.errors.items()))
        if not name:
            return cause
        error = UnsupportedArrayError(f"entry {name!r}: {cause}")
        error.__cause__ = cause
        return error


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be stored.

    Parameters
    ----------
    items
        The arrays, in order.
    assignment
        What found their codecs, and finds others.
    """

    items: list[Planned]
    assignment: Assignment

    def after(self, refusal: Refusal) -> Plan:
        """The plan with the next codec for the entries that theirs did not take; raises if there is none."""
        if refusal.choice.drop(refusal.error()):
            return self
        known = self.assignment.refused
        if self.assignment.strict or not known.keys().isdisjoint(refusal.errors):
            raise refusal.error()
        others = self.assignment.instead(refusal.errors)
        return replace(self, items=[replace(item, choice=others.get(item.name, item.choice)) for item in self.items])


def plan(
    data: Any,
    *,
    codec: CodecChoice | Mapping[str, CodecChoice],
    model: ModelChoice | None,
    chunk: ChunkChoice | None,
    config: Mapping[str, Any] | None,
    attrs: Mapping[str, Any] | None,
    strict: bool,
    jobs: int,
    registry: Registry,
    limits: Limits,
    embed_model: bool | int,
    progress: Progress | None,
) -> Plan:
    """Work out what to store and how; raises what `codecs_core.save` documents."""
    arrays = named(data)
    kept = _checked(arrays, chunk, attrs, limits, many=isinstance(data, Mapping) or labelled.is_labelled(data))
    asked = requests(codec, config, list(arrays))
    assignment = Assignment(
        arrays=arrays,
        chunk=chunk,
        jobs=jobs,
        embed_model=embed_model,
        progress=progress,
        registry=registry,
        strict=strict,
    )
    choices = assignment.choices(asked, model)
    if assignment.refused:
        choices |= assignment.instead(assignment.refused)
    planned = [
        Planned(name=name, items=one, choice=choices[name], chunk=chunks.of(chunk, one), attrs=kept[name])
        for name, one in arrays.items()
    ]
    return Plan(items=planned, assignment=assignment)


def announced(
    specs: Mapping[str, ArraySpec],
    *,
    codec: CodecChoice | Mapping[str, CodecChoice],
    model: ModelChoice | None,
    chunk: ChunkChoice | None,
    config: Mapping[str, Any] | None,
    attrs: Mapping[str, Any] | None,
    registry: Registry,
    limits: Limits,
) -> list[Planned]:
    """The same for arrays that come later, whose codecs are named; raises what `codecs_core.create` documents."""
    asked = requests(codec, config, list(specs))
    if AUTO in {request.id for request in asked.values()}:
        raise ConfigError("codec='auto' needs data to try codecs on, and create() has none yet; name a codec")
    takers = {r.id for r in asked.values() if r.codec is None and registry.spec(r.id).info.needs_model}
    if model is not None and not takers:
        raise ConfigError("a model is given, but none of the codecs takes one here; drop model=...")
    choices = {
        name: auto.fixed(
            request.codec or build(request.id, request.config, model if request.id in takers else None, registry)
        )
        for name, request in asked.items()
    }
    arrays = {name: Announced(spec) for name, spec in specs.items()}
    kept = _checked(arrays, chunk, attrs, limits, many=True)
    return [
        Planned(name=name, items=one, choice=choices[name], chunk=chunks.of(chunk, one), attrs=kept[name])
        for name, one in arrays.items()
    ]


def named(data: Any) -> dict[str, Items]:
    """The arrays by the names of their entries; a bare array is called ``""``."""
    if labelled.is_labelled(data):
        return labelled.items(data)
    if not isinstance(data, Mapping):
        return {"": items(data)}
    for name in data:
        if labelled.is_labelled(data[name]):
            raise UnsupportedArrayError(
                f"entry {name!r} is a {type(data[name]).__name__}, whose coordinates and attributes a dict of arrays does not keep; "
                "save a Dataset, or its values"
            )
    return {name: items(value) for name, value in data.items()}


def _checked(
    arrays: Mapping[str, Items],
    chunk: ChunkChoice | None,
    attrs: Mapping[str, Any] | None,
    limits: Limits,
    *,
    many: bool,
) -> dict[str, dict[str, Any]]:
    """The attributes of each entry; raises for what no file can hold, whichever the codec."""
    chunks.check(chunk, arrays)
    for name, one in arrays.items():
        if not isinstance(name, str) or (not name and len(arrays) > 1):
            raise ConfigError(f"an entry cannot be called {name!r}; expected text that is not empty")
        limits.check("array_bytes", one.spec.nbytes, f"entry {name!r}" if name else "the array")
    return _attrs(attrs, arrays, many)


def _attrs(attrs: Mapping[str, Any] | None, arrays: Mapping[str, Items], many: bool) -> dict[str, dict[str, Any]]:
    given: Mapping[str, Any] = (attrs or {}) if many else {"": attrs or {}}
    for name, value in given.items():
        if name not in arrays:
            raise ConfigError(f"attrs names {name!r}, which is no entry; expected {{entry: {{key: value}}}}")
        if not isinstance(value, Mapping):
            raise ConfigError(f"attrs of entry {name!r} is a {type(value).__name__}; expected a mapping")
        due = arrays[name].attrs.get("dtype")
        if due is not None and value.get("dtype", due) != due:
            raise ConfigError(f"attrs of entry {name!r} call its dtype {value['dtype']!r}, and it is {due}")
    return {name: {**held.attrs, **given.get(name, {})} for name, held in arrays.items()}
