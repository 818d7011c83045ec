"""Compiling the kernels of codecs before they are needed: for images of containers, services, and installations that cannot be written."""

from __future__ import annotations

import dataclasses
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.api.parallel import job_count
from codecs_core.arrays import ArraySpec
from codecs_core.codec import Codec
from codecs_core.errors import ConfigError, UnsupportedArrayError
from codecs_core.fields import alternatives
from codecs_core.models import Model
from codecs_core.registry import default
from codecs_core.report import doctor


def warm(ids: Sequence[str] = (), *, jobs: int | None = None) -> Iterator[dict[str, Any]]:
    """Code small arrays of many kinds with each codec, each of its models and each level of effort: their kernels are compiled and kept.

    Parameters
    ----------
    ids
        Ids of codecs; by default all that are installed.
    jobs
        Number of processes; by default the CPUs that this process may use.

    Yields
    ------
    dict
        Of each, as it is done: ``test``, its name; ``ok``; ``error``, None or what went wrong; ``seconds``.

    Raises
    ------
    UnknownCodecError
        For an id that no installed codec has.
    """
    registry = default()
    for id in ids:
        registry.spec(id)
    names = [name for name, id, _ in _trials() if not ids or id in ids]
    workers = min(job_count(jobs), max(1, len(names)))
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        for done in as_completed([pool.submit(_one, name) for name in names]):
            yield done.result()


def _trials() -> Iterator[tuple[str, str, Callable[[], None]]]:
    return doctor.trials(default(), _use)


def _one(name: str) -> dict[str, Any]:
    trial = next(trial for known, _, trial in _trials() if known == name)
    return doctor.timed(name, trial)


def _use(codec: Codec, model: Model | None) -> None:
    """Encode and decode whatever the codec takes, once with each change of a setting that takes few values."""
    for change in alternatives(codec):
        changed = dataclasses.replace(codec, **change)
        for array in _arrays(model):
            spec = ArraySpec.of(array)
            try:
                changed.check(spec)
                payload = changed.encode(array)
            except (UnsupportedArrayError, ConfigError):  # what a codec refuses takes no kernel
                continue
            changed.decode(payload, spec)


def _arrays(model: Model | None) -> Iterator[NDArray[Any]]:
    """Small ones with something to predict, which no codec stores as they are, of the shapes and types that codecs tell apart."""
    item = model.config.get("item_shape") if model is not None else None
    shapes: list[tuple[int, ...]] = [(1000,), (48, 40), (48, 40, 3), (48, 40, 4), (2, 28, 28), (2, 32, 32, 3)]
    for shape in [(1, *item)] if isinstance(item, list) else shapes:
        steps = np.random.Generator(np.random.PCG64(0)).integers(-2, 3, shape)
        walk = np.cumsum(steps, axis=-2 if len(shape) > 2 else -1) + 100
        yield walk > 100
        for dtype in ("uint8", "uint16", "int16", "int32", "int64"):
            yield walk.astype(dtype)
        for dtype in ("float32", "float64"):  # around 0, where a search for samples is short
            yield (walk - 100).astype(dtype)
