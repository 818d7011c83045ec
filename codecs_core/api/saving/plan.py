"""From the arguments of `save` to entries, each with its data and its codec. Nothing is written here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from codecs_core.api import chunks, labelled
from codecs_core.api.choosing import auto
from codecs_core.api.choosing.embedding import cost
from codecs_core.api.codecs import build, find
from codecs_core.api.items import Announced, items
from codecs_core.codec import Codec
from codecs_core.container import Entry, grid
from codecs_core.container.entry import MAX_CHUNKS
from codecs_core.errors import ConfigError, UnsupportedArrayError
from codecs_core.media.kept import is_kept
from codecs_core.media.kinds import is_image

if TYPE_CHECKING:
    from codecs_core.api.chunks import ChunkChoice
    from codecs_core.api.codecs import CodecChoice, ModelChoice
    from codecs_core.api.items import Items
    from codecs_core.arrays import ArraySpec
    from codecs_core.codec import Progress
    from codecs_core.container.grid import Chunk
    from codecs_core.limits import Limits
    from codecs_core.registry import Registry

AUTO = "auto"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the caller asked for one entry: a codec instance, or an id (``"auto"``) with a config."""

    id: str
    config: dict[str, Any]
    codec: Codec | None = None

    @property
    def key(self) -> str:
        """Equal for requests that one codec instance serves."""
        return json.dumps([self.id, self.config, id(self.codec)], sort_keys=True, default=repr)


@dataclass(frozen=True, kw_only=True)
class Planned:
    """An array to be stored."""

    name: str
    items: Items
    choice: auto.Choice
    chunk: Chunk | None
    attrs: dict[str, Any]

    def entry(self, registry: Registry) -> Entry:
        """The entry of the container, as the codec that is on makes it.

        Raises
        ------
        UnsupportedArrayError
            If the codec does not take such arrays.
        """
        codec, spec = self.choice.codec, self.items.spec
        chunk = grid.simplest(spec.shape, self.chunk or codec.default_chunk(spec))
        if grid.n_chunks(spec.shape, chunk) > MAX_CHUNKS:
            raise ConfigError(
                f"an array of shape {spec.shape} makes more than 2^32 chunks of {chunk}; take larger chunks with chunk=... (--chunk)"
            )
        entry = Entry(
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
        for index in {0, entry.n_chunks - 1} if entry.n_chunks else set():
            codec.check(entry.chunk_spec(index))
        return entry


def plan(
    data: Any,
    *,
    codec: CodecChoice | Mapping[str, CodecChoice],
    model: ModelChoice | None,
    chunk: ChunkChoice | None,
    config: Mapping[str, Any] | None,
    attrs: Mapping[str, Any] | None,
    jobs: int,
    registry: Registry,
    limits: Limits,
    embed_model: bool | int = False,
    progress: Progress | None = None,
    aside: dict[str, Exception] | None = None,
) -> list[Planned]:
    """Work out what to store and how; raises what `codecs_core.save` documents.

    Models that are to be embedded count where `auto` chooses. Entries in `aside` are left to `auto`, and those that the codec does not
    take are put into it; without it, that is an error.
    """
    arrays = named(data)
    kept = _checked(arrays, chunk, attrs, limits, many=isinstance(data, Mapping) or labelled.is_labelled(data))
    asked = requests(codec, config, list(arrays))
    choices = _choices(
        arrays,
        asked,
        model,
        chunk=chunk,
        jobs=jobs,
        registry=registry,
        progress=progress,
        aside=aside,
        embed_model=embed_model,
    )
    return [
        Planned(name=name, items=one, choice=choices[name], chunk=chunks.of(chunk, one), attrs=kept[name])
        for name, one in arrays.items()
    ]


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


def requests(
    codec: CodecChoice | Mapping[str, CodecChoice], config: Mapping[str, Any] | None, names: Sequence[str]
) -> dict[str, Request]:
    """What is asked for each entry."""
    each: dict[str, Any] = dict.fromkeys(names, codec)
    if isinstance(codec, Mapping) and not (isinstance(codec.get("id"), str) and set(codec) != set(names)):
        if unnamed := [name for name in names if name not in codec]:
            raise ConfigError(f"codec names none for entry {unnamed[0]!r}; expected a codec for each entry, or one id")
        if strange := [name for name in codec if name not in names]:
            raise ConfigError(f"codec names {strange[0]!r}, which is no entry and no 'id' stands beside it")
        each = dict(codec)
    shared: dict[int, Request] = {}  # thousands of entries mostly ask for the same thing
    return {name: shared.setdefault(id(each[name]), _request(each[name], config)) for name in names}


def _request(codec: Any, config: Mapping[str, Any] | None) -> Request:
    if isinstance(codec, Codec):
        if config:
            raise ConfigError(f"codec {codec.id} is given as an instance, which has its config; drop config=...")
        return Request(id=codec.id, config={}, codec=codec)
    if isinstance(codec, Mapping):
        if not isinstance(codec.get("id"), str):
            raise ConfigError(f"codec {dict(codec)!r} has no 'id'; expected {{'id': ..., setting: value, ...}}")
        settings = {**{key: value for key, value in codec.items() if key != "id"}, **(config or {})}
        return Request(id=codec["id"], config=settings)
    if not isinstance(codec, str):
        raise ConfigError(f"codec is a {type(codec).__name__}; expected an id, 'auto', a Codec or {{'id': ...}}")
    if codec == AUTO and config:
        raise ConfigError(
            "there are settings (config=..., --set), but no codec is named; name the one they are for (codec=..., --codec)"
        )
    return Request(id=codec, config=dict(config or {}))


def _choices(
    arrays: Mapping[str, Items],
    asked: Mapping[str, Request],
    model: ModelChoice | None,
    *,
    chunk: ChunkChoice | None,
    jobs: int,
    registry: Registry,
    progress: Progress | None,
    aside: dict[str, Exception] | None,
    embed_model: bool | int,
) -> dict[str, auto.Choice]:
    used = False
    settled: dict[str, auto.Choice] = {}  # one codec instance for all entries that ask for the same
    open_: _Open = {}
    found: dict[str, auto.Choice] = {}
    for name, request in asked.items():
        if name in (aside or {}):
            continue
        one, request = arrays[name], _for_file(request, arrays[name], model, registry)
        if request.id == AUTO and model is not None:
            model = find(model, None, registry)
            request = Request(id=model.codec, config={})
        if request.codec is None and (request.id == AUTO or (_wants(request.id, registry) and model is None)):
            _group(open_, name, request, one, chunks.of(chunk, one))
            continue
        if request.key not in settled:
            takes = model is not None and request.codec is None and _takes(request.id, registry)
            used |= takes
            made = request.codec or build(request.id, request.config, model if takes else None, registry)
            settled[request.key] = auto.fixed(made)
        found[name] = settled[request.key]
        if aside is not None:
            with _aside(aside, [name]):
                Planned(name=name, items=one, choice=found[name], chunk=chunks.of(chunk, one), attrs={}).entry(registry)
    found |= _choose(open_, arrays, chunk, jobs, registry, progress, aside, embed_model, list(settled.values()))
    if aside:
        if not found.keys() - aside.keys():
            raise next(iter(aside.values()))
        left = dict.fromkeys(aside, Request(id=AUTO, config={}))
        found |= _choices(
            arrays,
            left,
            None,
            chunk=chunk,
            jobs=jobs,
            registry=registry,
            progress=progress,
            aside=None,
            embed_model=embed_model,
        )
    if model is not None and not used and arrays:
        takers = sorted({request.id for request in asked.values()})
        raise ConfigError(f"a model is given, but {' and '.join(takers)} takes none here; drop model=... (--model)")
    return found


#: Entries that one choice is made for, by what they have in common, and what was asked for them.
_Open = dict[tuple[Any, ...], tuple[Request, list[str]]]
#: The codecs for files that are kept whole, by what their bytes are like; others are tried on a sample.
_FILES = {"jpeg": "classic.jpeg", "packed": "classic.raw"}


def _for_file(request: Request, one: Items, model: ModelChoice | None, registry: Registry) -> Request:
    """What to ask for an entry: of a file whose bytes show what they are, the codec for such."""
    if request.id != AUTO or model is not None or not is_kept(one.attrs):
        return request
    id = _FILES.get(one.hint, "")
    return Request(id=id, config={}) if id in registry.codecs else request


def _group(open_: _Open, name: str, request: Request, one: Items, chunk: Chunk | None) -> None:
    """Put an entry to those that one choice is made for."""
    spec, image, kept = one.spec, _is_image(one), is_kept(one.attrs)
    shape = spec.shape[2 if image else 1 :]
    key = (request.key, spec.dtype, len(spec.shape), shape, chunk, one.hint if kept else None, image)
    open_.setdefault(key, (request, []))[1].append(name)


def _choose(
    open_: _Open,
    arrays: Mapping[str, Items],
    chunk: ChunkChoice | None,
    jobs: int,
    registry: Registry,
    progress: Progress | None,
    aside: dict[str, Exception] | None,
    embed_model: bool | int,
    settled: Sequence[auto.Choice],
) -> dict[str, auto.Choice]:
    """Choices by what does best on a sample; a model that the file is to hold is counted, once for all that need it."""
    contests = []
    for (*_, hint, image), (request, names) in open_.items():
        group, files = [arrays[name] for name in names], hint is not None
        with _aside(aside, names):
            contests.append(
                auto.contest(
                    names,
                    group,
                    _candidates(request, group[0], registry, files),
                    chunk=chunks.of(chunk, group[0]),
                    jobs=jobs,
                    price=lambda model: cost(model, embed_model),
                    images=image,
                    files=files,
                    progress=progress,
                )
            )
    paid = {choice.codec.model.sha256 for choice in settled if choice.codec.model is not None}
    models = auto.worthwhile(contests, paid) | paid
    found: dict[str, auto.Choice] = {}
    for one in contests:
        with _aside(aside, one.names):
            found |= one.choices(models, jobs)
    return found


@contextmanager
def _aside(aside: dict[str, Exception] | None, names: Sequence[str]) -> Iterator[None]:
    """Put entries aside that the codec does not take; where nothing is put aside, that is an error."""
    try:
        yield
    except UnsupportedArrayError as error:
        if aside is None:
            raise
        aside.update(dict.fromkeys(names, error))


def _is_image(one: Items) -> bool:
    """Whether an array is one image, so that its height and width say nothing of which codec is for it."""
    shape = one.spec.shape
    return (len(shape) == 3 and shape[2] in (1, 3, 4)) or (len(shape) in (2, 3) and is_image(one.attrs))


def _candidates(request: Request, first: Items, registry: Registry, files: bool) -> list[auto.Candidate]:
    if request.id == AUTO:
        among = list(auto.candidates(first.spec, registry, files=files))
        return among or list(auto.candidates(first.spec, registry))
    among = list(auto.with_models(request.id, request.config, registry))
    if not among:
        raise ConfigError(
            f"codec {request.id} needs a model and none ships with it; name one with model=... (--model), "
            f"or train one with `codecs train {request.id}`"
        )
    return among


def _wants(id: str, registry: Registry) -> bool:
    return registry.spec(id).info.needs_model


def _takes(id: str, registry: Registry) -> bool:
    info = registry.spec(id).info
    return info.needs_model or info.trainable


def _attrs(attrs: Mapping[str, Any] | None, arrays: Mapping[str, Items], many: bool) -> dict[str, dict[str, Any]]:
    given: Mapping[str, Any] = (attrs or {}) if many else {"": attrs or {}}
    for name, value in given.items():
        if name not in arrays:
            raise ConfigError(f"attrs names {name!r}, which is no entry; expected {{entry: {{key: value}}}}")
        if not isinstance(value, Mapping):
            raise ConfigError(f"attrs of entry {name!r} is a {type(value).__name__} where a mapping is due")
        due = arrays[name].attrs.get("dtype")
        if due is not None and value.get("dtype", due) != due:
            raise ConfigError(f"attrs of entry {name!r} call its dtype {value['dtype']!r}, and it is {due}")
    return {name: {**held.attrs, **given.get(name, {})} for name, held in arrays.items()}
