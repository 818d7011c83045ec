"""Compiling the kernels of codecs before they are needed: for images of containers, services, and installations that cannot be written."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

from codecs_core.api.parallel import job_count
from codecs_core.registry import default
from codecs_core.report import doctor


def warm(ids: Sequence[str] = (), *, jobs: int | None = None) -> Iterator[dict[str, Any]]:
    """Code something small with each codec and each of its models, so that all their kernels are compiled and kept.

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
    names = [name for name, id, _ in doctor.trials(registry) if not ids or id in ids]
    workers = min(job_count(jobs), max(1, len(names)))
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        for done in as_completed([pool.submit(_one, name) for name in names]):
            yield done.result()


def _one(name: str) -> dict[str, Any]:
    trial = next(trial for known, _, trial in doctor.trials(default()) if known == name)
    return doctor.timed(name, trial)
