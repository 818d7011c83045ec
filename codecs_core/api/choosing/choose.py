"""The codec for an array that `save` would choose, for whoever stores the chunks elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codecs_core.api import chunks
from codecs_core.api.choosing import auto
from codecs_core.api.items import items
from codecs_core.container.grid import simplest
from codecs_core.registry import default

if TYPE_CHECKING:
    from codecs_core.codec import Codec
    from codecs_core.container.grid import Chunk
    from codecs_core.registry import Registry


def choose(array: Any, *, chunk: Chunk | None = None, jobs: int = 1, registry: Registry | None = None) -> Codec:
    """The codec with the fewest bytes for a sample of an array, of those that ``codec="auto"`` tries.

    It may have a model that ships with it.

    Parameters
    ----------
    array
        The array, or a part of it that is like the rest.
    chunk
        Items in a chunk, or its shape, as it will be stored.
    jobs
        Codecs that are tried at once.
    registry
        Where codecs come from; by default what is installed.

    Raises
    ------
    UnsupportedArrayError
        If no codec takes the array.
    ConfigError
        If `chunk` is no length of chunks, or has more lengths than the array has axes.
    """
    one, registry = items(array), registry or default()
    chunks.check(chunk, {"": one})
    contest = auto.contest(
        [""],
        [one],
        list(auto.candidates(one.spec, registry)),
        chunk=None if chunk is None else simplest(one.spec.shape, chunk),
        jobs=jobs,
        price=lambda model: 0,
    )
    models = {trial.sha256 for trial in contest.trials if trial.sha256 is not None}
    return contest.choices(models, jobs)[""].codec
