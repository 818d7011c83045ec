"""How far the coding of a chunk is: a slow encoder says it, and who waits for the chunk may listen.

What is said never changes what is coded.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codecs_core.capabilities import Progress

_listener: ContextVar[Progress | None] = ContextVar("listener", default=None)


def tell(fraction: float, message: str) -> None:
    """Say how far the chunk is that this thread encodes; where nobody listens, nothing happens.

    Parameters
    ----------
    fraction
        From 0 to 1.
    message
        A few words, such as the rate and the distortion so far.
    """
    if (listener := _listener.get()) is not None:
        listener(fraction, message)


@contextmanager
def heard(listener: Progress | None) -> Iterator[None]:
    """Have what this thread tells within the block go to `listener`."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
