"""Codecs without files: get one, list them, train one."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.api.codecs import build, find
from codecs_core.arrays import normalise
from codecs_core.errors import ConfigError, ModelError, UnsupportedArrayError
from codecs_core.models import Model
from codecs_core.registry import default

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from codecs_core.api.codecs import ModelChoice
    from codecs_core.codec import Codec, Progress
    from codecs_core.registry import Registry


def get_codec(
    id: str | Mapping[str, Any], *, model: ModelChoice | None = None, registry: Registry | None = None, **config: Any
) -> Codec:
    """A codec by its id, or by ``{"id": ..., setting: value}``.

    Parameters
    ----------
    id
        Id of the codec.
    model
        A `Model`, a path, a registered name or a SHA-256.
    registry
        Where codecs come from; by default the installed plugins.
    **config
        Settings of the codec.

    Raises
    ------
    UnknownCodecError, CodecConflictError, PluginLoadError
        If the codec cannot be had.
    ConfigError, ModelError
        If it does not take the settings or the model, or needs a model.
    """
    if isinstance(id, Mapping):
        settings = {**id, **config}
        id = settings.pop("id", None)
        if not isinstance(id, str):
            raise ConfigError(f"codec {settings!r} has no 'id'; expected {{'id': ..., setting: value, ...}}")
        config = settings
    return build(id, config, model, registry or default())


def list_codecs(*, registry: Registry | None = None) -> list[dict[str, Any]]:
    """What ``codecs list --json`` prints: one dict a codec, with no implementation imported."""
    registry = registry or default()
    versions = {plugin.distribution: plugin.version for plugin in registry.plugins}
    return [
        {
            "id": id,
            "plugin": registry.provider(id),
            "version": versions.get(registry.provider(id), ""),
            "summary": spec.info.summary,
            "kind": spec.info.kind,
            "exactness": spec.info.exactness,
            "dtypes": list(spec.info.dtypes),
            "ndim": list(spec.info.ndim),
            "format_version": spec.format_version,
            "trainable": spec.info.trainable,
            "needs_model": spec.info.needs_model,
            "auto": spec.info.auto,
            "files": spec.info.files,
            "ragged": spec.info.ragged,
            "resumable": spec.info.resumable,
            "labelled": spec.info.labelled,
            "models": [model.name for model in registry.models_for(id)],
        }
        for id, spec in registry.codecs.items()
    ]


def load_model(model: ModelChoice, *, codec: str | None = None, registry: Registry | None = None) -> Model:
    """A model by what people call it.

    Parameters
    ----------
    model
        A path, the name of a model that ships with a plugin (``"mnist"``, or ``"bbans.vae/mnist"``), a SHA-256, or a `Model`.
    codec
        Id of the codec it must be for.
    registry
        Where shipped models come from; by default the installed plugins.

    Raises
    ------
    ModelNotFoundError
        If there is no such model.
    ModelError
        If it is damaged, or for another codec.
    """
    return find(model, codec, registry or default())


def train(
    id: str,
    data: Any,
    *,
    budget: float = 600.0,
    progress: Progress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    registry: Registry | None = None,
    **hyper: Any,
) -> Model:
    """Train a model for a codec.

    Parameters
    ----------
    id
        Id of the codec.
    data
        An array of items along the first axis; for a codec that `list_codecs` calls ragged, also a list of arrays of
        different shapes, one an item. For a codec that trains on labelled items, a mapping of two arrays: ``images`` and ``labels``.
    budget
        About how many seconds it may take.
    progress
        Called with the fraction done and a message.
    checkpoint
        For a codec that `list_codecs` calls resumable: a file that the state of training is written to now and then.
        If it exists, training goes on from it. It stays when training ends.
    registry
        Where codecs come from; by default the installed plugins.
    **hyper
        What else the codec's training takes.

    Raises
    ------
    ConfigError
        If there is nothing to train, a setting is unknown or out of range, or a checkpoint is given to a codec that
        takes none or is not of this training.
    UnsupportedArrayError
        If the codec does not take such data.
    """
    registry = registry or default()
    if not budget > 0:
        raise ConfigError(f"budget must be a positive number of seconds, got {budget!r}")
    info, trainer = registry.spec(id).info, registry.trainer(id)
    if checkpoint is not None and not info.resumable:
        raise ConfigError(f"training of {id} cannot be interrupted and go on, so it takes no checkpoint")
    if "name" in hyper:
        raise ConfigError(f"training of {id} has no setting 'name'; a model has the name of the file it is saved to")
    taken = inspect.signature(trainer).parameters
    if not any(one.kind is one.VAR_KEYWORD for one in taken.values()):
        settings = sorted(taken.keys() - {"data", "budget", "progress", "checkpoint"})
        if unknown := sorted(hyper.keys() - set(settings)):
            raise ConfigError(f"training of {id} has no setting {unknown[0]!r}; it has {', '.join(settings) or 'none'}")
    if checkpoint is not None:
        hyper["checkpoint"] = Path(checkpoint)
    if info.labelled:
        items: Any = _labelled(id, data)
    elif info.ragged and isinstance(data, list):
        items = [_array(item, f"item {i}") for i, item in enumerate(data)]
    else:
        items = _array(data, f"the data to train {id} on")
    model = trainer(items, budget=budget, progress=progress, **hyper)
    if not isinstance(model, Model) or model.codec != id:
        raise ModelError(f"training of codec {id} returned {model!r}, which is no model of that codec")
    return model


def _labelled(id: str, data: Any) -> dict[str, Any]:
    if not isinstance(data, Mapping) or data.keys() != {"images", "labels"}:
        raise UnsupportedArrayError(
            f"codec {id} trains on labelled images: a mapping of two arrays that are called 'images' and 'labels'"
        )
    return {name: _array(array, f"the {name} to train {id} on") for name, array in data.items()}


def _array(data: Any, what: str) -> NDArray[Any]:
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise UnsupportedArrayError(f"{what} cannot be made one array: {error}") from error
    return normalise(array)
