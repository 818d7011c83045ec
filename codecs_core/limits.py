"""Caps on what a file may make the reader allocate. They come from the caller, never from the file."""

from __future__ import annotations

from dataclasses import dataclass

from codecs_core.errors import LimitExceededError


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Upper bounds a reader enforces before it allocates.

    Parameters
    ----------
    header_bytes, index_bytes
        Stored size of the header and of the index of a container.
    chunk_bytes
        Size of one chunk after decoding; also of one stored payload.
    array_bytes
        Size of one whole array after decoding.
    model_bytes
        Size of one model.
    entries, chunks
        Number of entries in a file, and of chunks in an entry.
    """

    header_bytes: int = 1 << 26
    index_bytes: int = 1 << 30
    chunk_bytes: int = 1 << 31
    array_bytes: int = 1 << 36
    model_bytes: int = 1 << 30
    entries: int = 1 << 20
    chunks: int = 1 << 26

    def check(self, name: str, value: int, where: str) -> None:
        """Raise `LimitExceededError` if `value` exceeds the limit called `name`."""
        cap: int = getattr(self, name)
        if value > cap:
            raise LimitExceededError(
                f"{where} asks for {value} {name.replace('_', ' ')}, over the limit of {cap}; "
                f"if you trust it, raise Limits({name}=...)"
            )


DEFAULT_LIMITS = Limits()
