"""The models this process used last, so that a codec asked for again finds its tensors parsed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from codecs_core.models.model import Model

_KEPT = 16
_models: OrderedDict[tuple[str, str], Model] = OrderedDict()
_lock = threading.Lock()


def cached(sha256: str, name: str, load: Callable[[], Model]) -> Model:
    """The model of this hash and name, from the cache or from `load`, which checks the hash."""
    with _lock:
        model = _models.get((sha256, name))
        if model is not None:
            _models.move_to_end((sha256, name))
            return model
    loaded = load()  # outside the lock: another thread may do the same work, but never waits for a disk
    with _lock:
        model = _models.setdefault((sha256, name), loaded)
        while len(_models) > _KEPT:
            _models.popitem(last=False)
    return model


def clear() -> None:
    """Forget them all."""
    with _lock:
        _models.clear()
