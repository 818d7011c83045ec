"""Codecs and models, by what callers and files call them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from codecs_core.codec import Codec
from codecs_core.errors import ConfigError, ModelError, UnsupportedFeatureError
from codecs_core.models import Model, resolve

if TYPE_CHECKING:
    from codecs_core.registry import Registry

CodecChoice = str | Codec | Mapping[str, Any]
ModelChoice = str | os.PathLike[str] | Model


def build(id: str, config: Mapping[str, Any], model: ModelChoice | None, registry: Registry) -> Codec:
    """A codec instance; the model is found by what the caller calls it."""
    return registry.codec_class(id).from_config(config, model=None if model is None else find(model, id, registry))


def find(model: ModelChoice, codec: str | None, registry: Registry) -> Model:
    """The model the caller means; raises `ModelError` if it is for another codec than `codec`."""
    if codec is not None:
        codec = registry.models_of(codec)
    if not isinstance(model, Model):
        return resolve(str(model), codec=codec, registry=registry)
    if codec is not None and model.codec != codec:
        raise ModelError(f"model {model.name or model.sha256} is for codec {model.codec}, not for {codec}")
    return model


def rebuild(
    id: str,
    version: int,
    config: Mapping[str, Any],
    model: Callable[[], Model | None],
    *,
    package: str | None,
    registry: Registry,
    where: str,
    stored: str = "in this file",
) -> Codec:
    """The codec that encoded what is stored.

    Parameters
    ----------
    id, version, config, package
        What is stored of it.
    model
        Finds its model, once the codec is known to be there.
    registry
        Where codecs come from.
    where, stored
        What holds it, and where its settings are: for messages.

    Raises
    ------
    UnknownCodecError, CodecConflictError, PluginLoadError
        If the codec cannot be had.
    UnsupportedFeatureError
        If the installed one is too old for it.
    """
    newest = registry.spec(id, package=package).format_version
    provider = registry.provider(id)
    if version > newest:
        raise UnsupportedFeatureError(
            f"{where}: written by version {version} of codec {id}, and the installed {provider} "
            f"reads up to version {newest}; pip install -U {provider}"
        )
    cls = registry.codec_class(id, package=package)
    found = model()
    try:
        return cls.from_config(config, model=found)
    except ConfigError as error:
        raise UnsupportedFeatureError(
            f"{where}: the installed {provider} cannot take the settings {stored}: {error}; pip install -U {provider}"
        ) from error
