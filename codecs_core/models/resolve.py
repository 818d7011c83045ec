"""From what people and files call a model to the model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from codecs_core.errors import InputError, ModelError, ModelNotFoundError
from codecs_core.models.cache import cached
from codecs_core.models.given import given
from codecs_core.models.model import Model
from codecs_core.models.store import store_dir, stored

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHA256 = re.compile(r"[0-9a-f]{64}")


class InstalledModel(Protocol):
    """A model that ships with a plugin: `codecs_core.ModelSpec`."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def codec(self) -> str: ...  # noqa: D102
    @property
    def resource(self) -> str: ...  # noqa: D102
    @property
    def sha256(self) -> str: ...  # noqa: D102
    @property
    def summary(self) -> str: ...  # noqa: D102
    @property
    def nbytes(self) -> int: ...  # noqa: D102

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether it may be for an array of this shape."""


class Catalogue(Protocol):
    """What knows the installed models: `codecs_core.registry.Registry`."""

    @property
    def models(self) -> Sequence[InstalledModel]: ...  # noqa: D102


class Embedding(Protocol):
    """What may hold models inside: `codecs_core.container.Reader`."""

    def model(self, sha256: str) -> bytes | None:
        """The bytes of the model of this hash, if they are inside."""


@dataclass(frozen=True, kw_only=True)
class ModelRecord:
    """One line of ``codecs models``.

    Parameters
    ----------
    name, codec, sha256, nbytes, summary
        As in `codecs_core.ModelSpec`; for a damaged file in the store `codec` is empty and `summary` says why.
    source
        ``"plugin"`` or ``"store"``.
    where
        The resource or the path.
    """

    name: str
    codec: str
    sha256: str
    nbytes: int
    summary: str
    source: Literal["plugin", "store"]
    where: str


def installed(spec: InstalledModel) -> Model:
    """The model that ships with a plugin.

    Raises
    ------
    ModelError
        If the file is missing from the package, or is another one than the plugin says.
    """
    return cached(spec.sha256, spec.name, lambda: _read(spec))


def resolve(ref: str, *, codec: str | None = None, registry: Catalogue, reader: Embedding | None = None) -> Model:
    """Find a model.

    Parameters
    ----------
    ref
        The path of a file, the name of a registered model (``"mnist"`` or ``"bbans.vae/mnist"``), a name in the
        store, or a full SHA-256 in hex. A hash is looked for inside `reader`, then among the models put at hand by `use`,
        then among plugins, then in the store.
    codec
        Id of the codec it must be for.
    registry
        Knows the models that ship with plugins.
    reader
        An open file that may embed models.

    Raises
    ------
    ModelNotFoundError
        If there is none; the text says where it was looked for.
    ModelError
        If it is damaged, is for another codec, or the name fits several models.
    """
    if _SHA256.fullmatch(ref):
        model = _by_hash(ref, registry, reader)
    elif ref.endswith(".safetensors") or Path(ref).is_file():
        model = _by_path(ref)
    else:
        model = _by_name(ref, codec, registry)
    if codec is not None and model.codec != codec:
        raise ModelError(f"model {model.name or ref} is for codec {model.codec}, not for {codec}")
    return model


def available(registry: Catalogue) -> list[ModelRecord]:
    """Every model that ships with a plugin or is in the store."""
    found = [
        ModelRecord(
            name=spec.name,
            codec=spec.codec,
            sha256=spec.sha256,
            nbytes=spec.nbytes,
            summary=spec.summary,
            source="plugin",
            where=spec.resource,
        )
        for spec in registry.models
    ]
    return found + [_stored_record(name, start, path) for name, start, path in stored()]


def _by_hash(sha256: str, registry: Catalogue, reader: Embedding | None) -> Model:
    looked = []
    if reader is not None:
        looked.append("the file itself")
        data = reader.model(sha256)
        if data is not None:
            embedded = data
            return cached(sha256, "", lambda: Model.from_bytes(embedded, expect=sha256))
    at_hand = given(sha256)
    if at_hand is not None:
        return at_hand
    looked.append("the installed plugins")
    for spec in registry.models:
        if spec.sha256 == sha256:
            return installed(spec)
    looked.append(f"the store {store_dir()}")
    damaged: ModelError | None = None
    for name, start, path in stored():
        if sha256.startswith(start):
            try:
                return cached(sha256, name, lambda path=path: Model.from_file(path, expect=sha256))  # type: ignore[misc]
            except ModelError as error:
                damaged = error
    if damaged is not None:
        raise damaged
    raise ModelNotFoundError(
        f"model {sha256} is not in {', '.join(looked)}; install the plugin it ships with, "
        f"or give the path of its file with models=... (--model)"
    )


def _by_path(ref: str) -> Model:
    try:
        return Model.from_file(ref)
    except InputError as error:
        if not Path(ref).exists():
            raise ModelNotFoundError(f"there is no model file {ref}") from error
        raise


def _by_name(ref: str, codec: str | None, registry: Catalogue) -> Model:
    vendor, slash, name = ref.partition("/")
    wanted = vendor if slash else codec
    name = name if slash else ref
    named = [spec for spec in registry.models if spec.name == name]
    fits = {spec.sha256: spec for spec in named if wanted is None or spec.codec == wanted}
    if len(fits) > 1:
        raise _ambiguous(ref, [f"{spec.codec}/{spec.name} ({spec.sha256})" for spec in fits.values()])
    if fits:
        return installed(next(iter(fits.values())))
    kept = [_stored(path, start) for stored_name, start, path in stored() if stored_name == name]
    models = [model for model in kept if wanted is None or model.codec == wanted]
    if len(models) > 1:
        raise _ambiguous(ref, [f"{model.codec}/{model.name} ({model.sha256})" for model in models])
    if models:
        return cached(models[0].sha256, name, lambda: models[0])
    others = sorted({spec.codec for spec in named} | {model.codec for model in kept})
    if others and wanted is not None:
        raise ModelError(f"model {name} is for codec {' or '.join(others)}, not for {wanted}")
    known = sorted({f"{spec.codec}/{spec.name}" for spec in registry.models} | {name for name, _, _ in stored()})
    raise ModelNotFoundError(
        f"there is no model {ref!r}: no file of that path, none of that name among the installed plugins "
        f"or in the store {store_dir()}; there are {', '.join(known) or 'none'}"
    )


def _ambiguous(ref: str, choices: list[str]) -> ModelError:
    return ModelError(f"model {ref!r} may be {' or '.join(choices)}; say which by codec/name or by its full hash")


def _read(spec: InstalledModel) -> Model:
    package, _, path = spec.resource.partition(":")
    try:
        data = resources.files(package).joinpath(path).read_bytes()
    except (OSError, ImportError) as error:
        raise ModelError(
            f"model {spec.name} of codec {spec.codec} cannot be read from {spec.resource}: {error}"
        ) from error
    model = Model.from_bytes(data, spec.name, spec.sha256)
    if model.codec != spec.codec:
        raise ModelError(f"model {spec.name} is for codec {model.codec} where its plugin says {spec.codec}")
    return model


def _stored(path: Path, start: str) -> Model:
    model = Model.from_file(path)
    if not model.sha256.startswith(start):
        raise ModelError(f"{path} has SHA-256 {model.sha256}, which is not what its name says; it is damaged")
    return model


def _stored_record(name: str, start: str, path: Path) -> ModelRecord:
    try:
        model = _stored(path, start)
    except (ModelError, InputError) as error:
        codec, sha256, nbytes, summary = "", start, 0, str(error)
    else:
        codec, sha256, nbytes, summary = model.codec, model.sha256, len(model.data), str(model.attrs.get("summary", ""))
    return ModelRecord(
        name=name, codec=codec, sha256=sha256, nbytes=nbytes, summary=summary, source="store", where=str(path)
    )
