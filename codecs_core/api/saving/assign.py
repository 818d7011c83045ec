"""Which codec each entry gets: the one that is named for it, or the best of those that are tried on a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from codecs_core.api import chunks
from codecs_core.api.choosing import auto
from codecs_core.api.choosing.embedding import cost
from codecs_core.api.codecs import build, find
from codecs_core.api.saving.request import AUTO, Request
from codecs_core.errors import ConfigError, UnsupportedArrayError
from codecs_core.media.kept import is_kept
from codecs_core.media.kinds import is_image

if TYPE_CHECKING:
    from codecs_core.api.chunks import ChunkChoice
    from codecs_core.api.codecs import ModelChoice
    from codecs_core.api.items import Items
    from codecs_core.codec import Progress
    from codecs_core.container.grid import Chunk
    from codecs_core.registry import Registry

#: The codecs for files that are kept whole, by what their bytes are like; others are tried on a sample.
_FILES = {"jpeg": "classic.jpeg", "packed": "classic.raw"}


@dataclass(kw_only=True)
class Assignment:
    """Codecs for the entries of a file.

    Parameters
    ----------
    arrays
        The entries by name.
    chunk, jobs, embed_model, progress, registry
        As for `codecs_core.save`.
    strict
        Whether it is an error if a codec that is named does not take an entry.

    Attributes
    ----------
    refused
        Why, of each entry that no codec was found for; unless that is an error.
    """

    arrays: Mapping[str, Items]
    chunk: ChunkChoice | None
    jobs: int
    embed_model: bool | int
    progress: Progress | None
    registry: Registry
    strict: bool
    refused: dict[str, UnsupportedArrayError] = field(default_factory=dict)

    def choices(self, asked: Mapping[str, Request], model: ModelChoice | None) -> dict[str, auto.Choice]:
        """A codec for each entry that something is asked for, but for those that are `refused`.

        Raises
        ------
        ConfigError
            If there is nothing to choose from, or nothing that the model is for.
        UnsupportedArrayError
            If the codec that is named does not take an entry, and that is an error.
        """
        if model is not None and any(request.id == AUTO for request in asked.values()):
            model = find(model, None, self.registry)
            asked = {
                name: Request(id=model.codec, config={}) if request.id == AUTO else request
                for name, request in asked.items()
            }
        groups: dict[tuple[Any, ...], _Group] = {}  # entries that one choice is made for, by what they have in common
        settled: dict[str, auto.Choice] = {}  # one codec instance for all entries that ask for the same
        found: dict[str, auto.Choice] = {}
        for name, request in asked.items():
            request = self._for_file(request, self.arrays[name])
            if self._open(request, model):
                group = _Group.of(self.arrays[name], request, chunks.of(self.chunk, self.arrays[name]))
                groups.setdefault(group.key, group).names.append(name)
                continue
            if request.key not in settled:
                takes = model is not None and self._takes_model(request)
                settled[request.key] = auto.fixed(
                    request.codec or build(request.id, request.config, model if takes else None, self.registry)
                )
            found[name] = settled[request.key]
        used = any(self._takes_model(request) for request in asked.values())
        if model is not None and asked and not used:
            takers = sorted({request.id for request in asked.values()})
            raise ConfigError(f"a model is given, but {' and '.join(takers)} takes none here; drop model=... (--model)")
        return found | self._contested(list(groups.values()), list(settled.values()))

    def instead(self, refused: Mapping[str, UnsupportedArrayError]) -> dict[str, auto.Choice]:
        """What ``"auto"`` chooses for entries whose codec does not take them; raises if that is so of all entries."""
        self.refused |= refused
        if len(self.refused) == len(self.arrays):
            raise next(iter(self.refused.values()))
        return replace(self, strict=True).choices({name: Request(id=AUTO, config={}) for name in refused}, None)

    def _for_file(self, request: Request, one: Items) -> Request:
        """What to ask for an entry: of a file whose bytes show what they are, the codec for such."""
        if request.id != AUTO or not is_kept(one.attrs):
            return request
        id = _FILES.get(one.hint, "")
        return Request(id=id, config={}) if id in self.registry.codecs else request

    def _open(self, request: Request, model: ModelChoice | None) -> bool:
        """Whether a codec, or a model for it, is to be chosen."""
        if request.codec is not None:
            return False
        return request.id == AUTO or (model is None and self.registry.spec(request.id).info.needs_model)

    def _takes_model(self, request: Request) -> bool:
        if request.codec is not None or request.id == AUTO:
            return False
        info = self.registry.spec(request.id).info
        return info.needs_model or info.trainable

    def _contested(self, groups: Sequence[_Group], settled: Sequence[auto.Choice]) -> dict[str, auto.Choice]:
        """Choices by what does best on a sample; a model that the file is to hold is counted, once for all that need it."""
        contests = [one for group in groups if (one := self._contest(group)) is not None]
        paid = {choice.codec.model.sha256 for choice in settled if choice.codec.model is not None}
        models = auto.worthwhile(contests, paid) | paid
        found: dict[str, auto.Choice] = {}
        for one in contests:
            try:
                found |= one.choices(models, self.jobs)
            except UnsupportedArrayError as error:
                self._refuse(one.names, error)
        return found

    def _contest(self, group: _Group) -> auto.Contest | None:
        items = [self.arrays[name] for name in group.names]
        try:
            return auto.contest(
                group.names,
                items,
                self._candidates(group, items[0]),
                chunk=group.chunk,
                jobs=self.jobs,
                price=lambda model: cost(model, self.embed_model),
                images=group.images,
                files=group.files,
                progress=self.progress,
            )
        except UnsupportedArrayError as error:
            self._refuse(group.names, error)
            return None

    def _candidates(self, group: _Group, first: Items) -> list[auto.Candidate]:
        request, registry = group.request, self.registry
        if request.id == AUTO:
            among = list(auto.candidates(first.spec, registry, files=group.files))
            return among or list(auto.candidates(first.spec, registry))
        among = list(auto.with_models(request.id, request.config, registry))
        if not among:
            raise ConfigError(
                f"codec {request.id} needs a model and none ships with it; name one with model=... (--model), "
                f"or train one with `codecs train {request.id}`"
            )
        if registry.spec(request.id).info.kind == "lossy":  # the smallest file is not what is wanted of one
            models = "; ".join(f"{m.name}: {m.summary}" for m in registry.models_for(request.id))
            raise ConfigError(
                f"codec {request.id} is lossy, and its model says how near to the data it comes and at which rate; "
                f"name one with model=... (--model). There are {models}"
            )
        return among

    def _refuse(self, names: Sequence[str], error: UnsupportedArrayError) -> None:
        if self.strict:
            raise error
        self.refused |= dict.fromkeys(names, error)


@dataclass(frozen=True, kw_only=True)
class _Group:
    """Entries that one choice is made for."""

    key: tuple[Any, ...]
    request: Request
    chunk: Chunk | None
    images: bool
    files: bool
    names: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, one: Items, request: Request, chunk: Chunk | None) -> _Group:
        spec, images, files = one.spec, _is_image(one), is_kept(one.attrs)
        shape = spec.shape[2 if images else 1 :]
        key = (request.key, spec.dtype, len(spec.shape), shape, chunk, one.hint if files else None, images)
        return cls(key=key, request=request, chunk=chunk, images=images, files=files)


def _is_image(one: Items) -> bool:
    """Whether an array is one image, so that its height and width do not matter for the choice of a codec."""
    shape = one.spec.shape
    return (len(shape) == 3 and shape[2] in (1, 3, 4)) or (len(shape) in (2, 3) and is_image(one.attrs))
