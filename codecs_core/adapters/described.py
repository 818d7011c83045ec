"""A codec as the metadata of an array describes it, in JSON, and back."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from codecs_core.api import get_codec
from codecs_core.api.codecs import rebuild
from codecs_core.codec import Codec
from codecs_core.errors import ConfigError, ModelNotFoundError
from codecs_core.models import resolve, use
from codecs_core.registry import default

if TYPE_CHECKING:
    from collections.abc import Mapping

    from codecs_core.api.codecs import ModelChoice
    from codecs_core.models import Model

_KEYS = {"codec", "version", "package", "model"}


def choose(codec: str | Mapping[str, Any] | Codec, model: ModelChoice | None, config: Mapping[str, Any]) -> Codec:
    """The codec of this name, which must be one that others can look up; its model is registered here.

    Raises
    ------
    ConfigError, ModelError
        If it does not take the settings or the model.
    UnknownCodecError, CodecConflictError, PluginLoadError
        If it cannot be had.
    """
    if codec == "auto":
        raise ConfigError(
            "'auto' looks at data, which an array that is being made has not: codecs_core.choose(data) returns the codec "
            "for it, which can be given in place of a name"
        )
    if not isinstance(codec, Codec):
        codec = get_codec(codec, model=model, **config)
    elif model is not None or config:
        raise ConfigError(f"codec {codec.id} is given as an instance, which has its model and settings already")
    default().spec(codec.id)
    if codec.model is not None:
        use(codec.model)
    return codec


def describe(codec: Codec) -> dict[str, Any]:
    """``{"codec": {"id", settings}, "version", "package", "model": {"name", "sha256"}}``; no model, no such key."""
    found: dict[str, Any] = {
        "codec": {"id": codec.id, **codec.config()},
        "version": codec.format_version,
        "package": default().provider(codec.id),
    }
    if codec.model is not None:
        found["model"] = {"name": codec.model.name, "sha256": codec.model.sha256}
    return found


def restore(description: Mapping[str, Any]) -> Codec:
    """The codec that `describe` described; the same object for the same description, since codecs are immutable.

    Raises
    ------
    ConfigError
        If this is no description of a codec.
    UnknownCodecError, CodecConflictError, PluginLoadError
        If the codec cannot be had; the text says what to install.
    UnsupportedFeatureError
        If the installed plugin is too old for it.
    ModelNotFoundError
        If its model is neither given by `codecs_core.models.use`, nor installed, nor in the store.
    """
    if unknown := sorted(set(description) - _KEYS):
        raise ConfigError(f"codecs_core has no setting {unknown[0]!r}; it has {', '.join(sorted(_KEYS))}")
    codec, model = description.get("codec"), description.get("model", {"name": "", "sha256": ""})
    if (
        not isinstance(codec, dict)
        or not isinstance(codec.get("id"), str)
        or type(description.get("version", 1)) is not int
        or not isinstance(model, dict)
        or not all(isinstance(model.get(key), str) for key in ("name", "sha256"))
    ):
        raise ConfigError(f"this describes no codec of codecs_core: {dict(description)!r}")
    return _restore(json.dumps(dict(description), sort_keys=True))


def arguments(codec: Codec) -> str:
    """The arguments that `choose` makes this codec of, as source text."""
    model = {} if codec.model is None else {"model": codec.model.name or codec.model.sha256}
    return ", ".join([repr(codec.id), *(f"{key}={value!r}" for key, value in {**model, **codec.config()}.items())])


def travelling(codec: Codec) -> tuple[dict[str, Any], Model | None]:
    """What `arrived` needs in another process: the description, and the model unless it ships with a plugin."""
    model = codec.model
    installed = model is None or any(model.sha256 == spec.sha256 for spec in default().models)
    return describe(codec), None if installed else model


def arrived(description: dict[str, Any], model: Model | None) -> Codec:
    """The codec that went into `travelling`; raises as `restore`."""
    if model is not None:
        use(model)
    return restore(description)


@lru_cache(maxsize=16)
def _restore(text: str) -> Codec:
    description = json.loads(text)
    settings = description["codec"]
    id, version, package = settings.pop("id"), description.get("version", 1), description.get("package")
    named = description.get("model")
    return rebuild(
        id,
        version,
        settings,
        lambda: None if named is None else _model(id, named["name"], named["sha256"]),
        package=package,
        registry=default(),
        where="an array",
        stored="of the array",
    )


def _model(codec: str, name: str, sha256: str) -> Model:
    try:
        return resolve(sha256, codec=default().models_of(codec), registry=default())
    except ModelNotFoundError as error:
        raise ModelNotFoundError(
            f"an array needs the model {name!r} of codec {codec}: {error}; "
            f"if it lies beside the array: codecs_core.adapters.zarr.use_models(STORE)"
        ) from error
